"""A small warehouse, and configurations of it that are written to files and declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from monitor.config import Config, load_config, open_warehouses, resolve_tables
from monitor.plan import Declared, declare
from monitor.warehouses.base import Warehouse
from tests.e2e.desk import FAULTS, ORDERS, QUICK, Desk

Read = Callable[[Mapping[str, str]], list[Declared]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declared")
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        for name in "abc":
            connection.execute(
                f"CREATE TABLE {name} AS SELECT DATE '2026-01-01' + CAST(i // 9 AS INT) AS d, i AS x, i % 3 AS y,"
                " 'k' || i AS z FROM range(90) t(i)"
            )
    return folder


@pytest.fixture(scope="session")
def warehouses(folder: Path) -> Iterator[dict[str, Warehouse]]:
    (folder / "daywatch.yaml").write_text("warehouses: {main: 'duckdb:///w.duckdb'}\n")
    found = open_warehouses(load_config(folder / "daywatch.yaml"))
    yield found
    for warehouse in found.values():
        warehouse.close()


@pytest.fixture(scope="session")
def configured(folder: Path) -> Callable[[Mapping[str, str]], Config]:
    """Write files, the first of which is the configuration, and load it."""

    def load(files: Mapping[str, str]) -> Config:
        for old in folder.glob("**/*.yaml"):
            old.unlink()
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return load_config(folder / "daywatch.yaml", {"LIMIT": "271828"})

    return load


@pytest.fixture(scope="session")
def read(configured: Callable[[Mapping[str, str]], Config], warehouses: dict[str, Warehouse]) -> Read:
    """What files declare."""

    def declared(files: Mapping[str, str]) -> list[Declared]:
        config = configured(files)
        return declare(config, resolve_tables(config, warehouses))

    return declared


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A shop with four faulty days."""
    return Desk(tmp_path_factory.mktemp("desk")).sql(ORDERS, *FAULTS.values()).write(QUICK)
