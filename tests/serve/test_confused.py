"""A service whose store knows its warehouse as another one says so, at its start and by a new configuration."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Store
from tests.e2e.desk import Desk
from tests.serve.driven import Driven

CONFIG = """warehouses: {{main: "duckdb:///{file}"}}
serve: {{port: 0, workers: 1}}
defaults: {{channels: ["folder:alerts"]}}
tables:
  - {{name: main.orders, time_column: d, due: "06:00", automatic: false, rules: [{{not_null: v}}]}}
"""
NOON = dt.datetime(2024, 3, 5, 12, tzinfo=dt.UTC)
ORDERS = "CREATE TABLE orders AS SELECT DATE '2024-02-20' + CAST(i // 20 AS INT) AS d, i AS v FROM range(280) t(i)"
SAID = "warehouse main: this store knew it as "


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    Desk(tmp_path).sql(ORDERS).write(CONFIG.format(file="shop.duckdb"))
    shutil.copy(tmp_path / "shop.duckdb", tmp_path / "moved.duckdb")
    return tmp_path


def warned(service: Driven) -> list[dict[str, Any]]:
    return [entry for entry in service.log if entry["event"].startswith(SAID)]


def met(folder: Path, file: str) -> str | None:
    """What another deployment, whose warehouse lies in `file`, hears."""
    with Store.open(f"sqlite:///{folder / 'daywatch.db'}") as store:
        return store.meet_warehouse("main", f"duckdb:///{folder / file}", NOON)


def rounds(folder: Path, count: int = 2) -> Driven:
    """A service that has played so many rounds and ended."""
    service = Driven(folder, NOON)
    for number in range(count):
        assert service.at(NOON + dt.timedelta(hours=number))
    assert service.close() == 0
    return service


def test_it_tells_once_at_its_start_and_works(shop: Path) -> None:
    met(shop, "elsewhere.duckdb")
    service = rounds(shop)
    assert [entry["level"] for entry in warned(service)] == ["warning"]
    assert f"{shop}/elsewhere.duckdb, now it is duckdb:///{shop}/shop.duckdb;" in warned(service)[0]["event"]
    assert len(service.events("judged")) == 1
    assert warned(rounds(shop)) == []
    assert met(shop, "elsewhere.duckdb") == f"duckdb:///{shop}/shop.duckdb"
    assert len(warned(rounds(shop))) == 1


def test_it_tells_of_a_new_address_when_it_takes_it_up(shop: Path) -> None:
    service = Driven(shop, NOON)
    assert service.at(NOON)
    assert warned(service) == []
    Desk(shop).write(CONFIG.format(file="moved.duckdb"))
    for hours in (1, 2):
        assert service.at(NOON + dt.timedelta(hours=hours))
    assert service.close() == 0
    assert len(warned(service)) == 1
    assert f"now it is duckdb:///{shop}/moved.duckdb" in warned(service)[0]["event"]


def test_one_that_is_out_at_the_start_is_met_when_it_is_back(shop: Path) -> None:
    met(shop, "elsewhere.duckdb")
    (shop / "shop.duckdb").rename(shop / "gone")
    (shop / "shop.duckdb").write_bytes(b"no database at all " * 1000)
    service = Driven(shop, NOON)
    assert service.at(NOON)
    assert warned(service) == []
    (shop / "gone").replace(shop / "shop.duckdb")
    assert service.at(NOON + dt.timedelta(hours=3))
    assert service.close() == 0
    assert len(warned(service)) == 1
