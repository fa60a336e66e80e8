"""The engines that every test of this folder runs over, each with a loader of small tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from monitor.types import Table, TimeColumn
from monitor.warehouses import DEFAULT_LIMITS, Limits
from monitor.warehouses.base import Warehouse

Loaded = Mapping[str, pa.Table]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _load_duckdb(_request: pytest.FixtureRequest, folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    import duckdb

    from monitor.warehouses.duckdb import DuckDB

    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, arrow in tables.items():
            connection.register("loaded", arrow)
            connection.execute(f"CREATE TABLE {_quoted(name)} AS SELECT * FROM loaded")
            connection.unregister("loaded")
    return DuckDB("main", f"duckdb:///{file}", limits)


def _load_files(_request: pytest.FixtureRequest, folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    import pyarrow.parquet as pq

    from monitor.warehouses.files import Files

    lake = folder / "lake"
    lake.mkdir()
    for name, arrow in tables.items():
        pq.write_table(arrow, lake / f"{name}.parquet", row_group_size=1_000)
    return Files("main", f"files://{lake}", limits)


def _load_postgres(request: pytest.FixtureRequest, _folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    from monitor.warehouses.postgres import Postgres
    from monitor.warehouses.postgres_drivers import Adbc

    return Postgres("main", _postgres_with(request, tables), limits, Adbc())


def _load_psycopg(request: pytest.FixtureRequest, _folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    from monitor.warehouses.postgres import Postgres
    from monitor.warehouses.postgres_drivers import Psycopg

    return Postgres("main", _postgres_with(request, tables), limits, Psycopg())


def _postgres_with(request: pytest.FixtureRequest, tables: Loaded) -> str:
    """The URL of a new schema that holds the tables, dropped after the test."""
    from tests.postgres_tables import load_tables

    server = request.getfixturevalue("postgres")
    stack = ExitStack()
    request.addfinalizer(stack.close)
    url = stack.enter_context(server.schema())
    with server.connect(url) as connection:
        load_tables(connection, tables)
    return str(url)


def _load_snowflake(request: pytest.FixtureRequest, _folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    from monitor.warehouses.snowflake import Snowflake
    from tests.snowflake_server.tables import load_tables

    server = request.getfixturevalue("snowflake_server")
    database = server.database()
    request.addfinalizer(lambda: server.drop(database))
    load_tables(server, database, tables)
    return Snowflake("main", server.url(database), limits)


def _load_snowflake_live(request: pytest.FixtureRequest, _folder: Path, tables: Loaded, limits: Limits) -> Warehouse:
    from monitor.warehouses.snowflake import Snowflake
    from tests.snowflake_server.tables import load_live

    url, drop = load_live(os.environ["DAYWATCH_TEST_SNOWFLAKE_URL"], tables)
    request.addfinalizer(drop)
    return Snowflake("main", url, limits)


ENGINES: dict[str, Callable[[pytest.FixtureRequest, Path, Loaded, Limits], Warehouse]] = {
    "duckdb": _load_duckdb,
    "files": _load_files,
    "postgresql": _load_postgres,
    "postgresql_psycopg": _load_psycopg,
    "snowflake": _load_snowflake,
}
if "DAYWATCH_TEST_SNOWFLAKE_URL" in os.environ:  # a live account; each test makes a schema there, and drops it
    ENGINES["snowflake_live"] = _load_snowflake_live


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def load(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    """`load({"t": arrow})` opens a warehouse of the engine that holds those tables."""
    opened: list[Warehouse] = []

    def loaded(tables: Loaded, limits: Limits = DEFAULT_LIMITS) -> Warehouse:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(ENGINES[engine](request, folder, tables, limits))
        return opened[-1]

    yield loaded
    for warehouse in opened:
        warehouse.close()


@pytest.fixture
def table_of() -> Callable[..., Table]:
    """`table_of(warehouse, "t", "day", cadence=...)` is the table with its time column recognised."""

    def made(warehouse: Warehouse, name: str, time: str | None = None, **settings: Any) -> Table:
        unit = settings.pop("unit", None)
        form = warehouse.time_form((name,), time, unit) if time else None
        column = TimeColumn(time, form) if time and form else None
        return Table(f"main.{name}", "main", (name,), warehouse.columns((name,)), column, **settings)

    return made
