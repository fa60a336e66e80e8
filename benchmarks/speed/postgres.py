"""PostgreSQL, on the server that the tests use: fetching a sample, and looking at hundreds of tables."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

ROWS = 10_000
DAYS = 20
TABLES = 500
REPEATS = 40


def postgres_sample(_: Path) -> dict[str, float]:
    """10,000 x 20 through `Warehouse.sample()` beside the driver's own fetch of the same SQL.

    Once drawn from a day of 50,000 rows, once a whole day: there the server has next to nothing to do.
    """
    from monitor.warehouses import open_warehouse
    from tests.postgres_server import running
    from tests.postgres_tables import load_tables

    with running() as server, server.schema() as url:
        with server.connect(url) as connection:
            load_tables(connection, {"drawn": days_of(5 * ROWS), "whole": days_of(ROWS)})
            connection.execute("CREATE INDEX ON drawn (day); CREATE INDEX ON whole (day)")
            connection.execute("VACUUM ANALYZE")
        warehouse = open_warehouse("main", url)
        drawn, whole = beside_the_driver(warehouse, "drawn"), beside_the_driver(warehouse, "whole")
        warehouse.close()
    return {
        "postgres_sample_s": drawn[0],
        "postgres_driver_fetch_s": drawn[1],
        "postgres_sample_to_driver_fetch": drawn[0] / drawn[1],
        "postgres_whole_day_to_driver_fetch": whole[0] / whole[1],
    }


def days_of(rows: int) -> pa.Table:
    """Four days of 20 columns: numbers, texts of 5 to 500 values, a flag, the day."""
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {f"n{i}": random.normal(i, 1 + i, 4 * rows) for i in range(12)}
    for i, size in enumerate((5, 10, 20, 50, 200, 500)):
        columns[f"t{i}"] = random.choice([f"v{k}" for k in range(size)], 4 * rows)
    columns["flag"] = random.random(4 * rows) < 0.3
    columns["day"] = np.datetime64("2024-01-01") + np.arange(4 * rows) // rows
    return pa.table(columns)


def beside_the_driver(warehouse: Warehouse, name: str) -> tuple[float, float]:
    """The least seconds of a sample, and of the driver's fetch."""
    import adbc_driver_postgresql.dbapi as adbc

    from monitor.types import Table, TimeColumn, TimeForm

    columns = warehouse.columns((name,))
    table = Table(f"main.{name}", "main", (name,), columns, TimeColumn("day", TimeForm.DATE))
    day = warehouse.partition(table, "2024-01-02")
    total = warehouse.count(table, day)
    sql = warehouse.sql(warehouse._sampled(table, day, ROWS, 7, total))  # noqa: SLF001 - the very statement
    mine, theirs = [], []
    with adbc.connect(warehouse.url.replace("+psycopg", ""), autocommit=True) as plain:

        def driver() -> int:
            with plain.cursor() as cursor:
                cursor.execute(sql)
                return int(cursor.fetch_arrow_table().num_rows)

        assert driver() == len(warehouse.sample(table, day, ROWS, 7, total)) == ROWS
        for _repeat in range(REPEATS):  # alternately, so that the machine's moods fall on both
            mine.append(wall_s(lambda: warehouse.sample(table, day, ROWS, 7, total)))
            theirs.append(wall_s(driver))
    return min(mine), min(theirs)


def postgres_polls(_: Path) -> dict[str, float]:
    """500 tables of 20,000 rows: their metadata, and the counts of their newest days."""
    from monitor.types import Table, TimeColumn, TimeForm
    from monitor.warehouses import open_warehouse
    from tests.postgres_server import running

    with running() as server, server.schema() as url:
        with server.connect(url) as connection:
            for i in range(TABLES):
                day = f"date '2024-01-01' + g * {DAYS} / {ROWS * 2}"
                connection.execute(
                    f"CREATE TABLE t{i} AS SELECT {day} AS day, g AS x FROM generate_series(0, {2 * ROWS - 1}) g"
                )
        warehouse = open_warehouse("main", url)
        columns = warehouse.columns(("t0",))
        time_column = TimeColumn("day", TimeForm.DATE)
        tables = [Table(f"main.t{i}", "main", (f"t{i}",), columns, time_column) for i in range(TABLES)]
        first = warehouse.partition(tables[0], "2024-01-18")
        states = wall_s(lambda: warehouse.states([table.path for table in tables]))
        counts = wall_s(lambda: warehouse.recent([(table, first) for table in tables]))
        found = warehouse.recent([(tables[0], first)])["main.t0"]
        assert isinstance(found, list)
        assert [rows for _, rows in found] == [2 * ROWS // DAYS] * 3
        assert found[0][0].start == dt.datetime(2024, 1, 18, tzinfo=dt.UTC)
        warehouse.close()
    return {
        "postgres_states_500_tables_s": states,
        "postgres_recent_500_tables_s": counts,
        "postgres_poll_500_tables_s": states + counts,
    }


def wall_s(work: Callable[[], Any]) -> float:
    """Seconds by the clock: the server's part of the work counts."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
