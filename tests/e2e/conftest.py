"""Fixtures: a stranger's desk with a shop whose days are partly bad."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.desk import FAULTS, ORDERS, QUICK, Answer, Desk


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of 41 days with four faults, to be copied."""
    folder = tmp_path_factory.mktemp("shop")
    Desk(folder).sql(ORDERS, *FAULTS.values())
    return folder / "shop.duckdb"


@pytest.fixture(scope="session")
def make_desk(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    def make() -> Desk:
        folder = tmp_path_factory.mktemp("desk")
        shutil.copy(shop, folder)
        return Desk(folder).write(QUICK)

    return make


@pytest.fixture
def desk(make_desk: Callable[[], Desk]) -> Desk:
    """The shop and its configuration, nothing judged yet."""
    return make_desk()


@pytest.fixture(scope="session")
def season(make_desk: Callable[[], Desk]) -> Path:
    """The shop and a store that has read its past up to the 6th, seconds of work, to be copied."""
    desk = make_desk()
    assert desk.say("backfill", now="2026-11-08T05:00+00:00").code == 0
    with sqlite3.connect(desk.folder / "daywatch.db") as store:
        store.execute("DELETE FROM daywatch_warehouses")  # a copy lies elsewhere, which is told
    store.close()
    return desk.folder


@pytest.fixture
def seasoned(season: Path, tmp_path: Path) -> Desk:
    """The shop whose past is known up to some days before the first fault, nothing judged yet."""
    shutil.copytree(season, tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path)


@pytest.fixture
def empty_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def replay(make_desk: Callable[[], Desk]) -> tuple[Desk, Answer]:
    """Twelve days judged in one command."""
    desk = make_desk()
    return desk, desk.judge("--from", "2026-11-09", "--to", "2026-11-20")
