"""Tables on each engine, and pairs of them, for comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor.diff.pairs import Side
from monitor.types import Table

Make = Callable[..., Side]
ROWS_AT_ONCE = 100


def insert(connection: Any, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Rows into a table of DuckDB, many by one statement: it takes as long for one as for a hundred."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
        connection.execute(f'INSERT INTO "{name}" VALUES {marks}', [value for row in some for value in row])


class Bench:
    """Makes tables from SQL on an engine, and opens them as sides."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self.request, self.folder, self.stack = request, folder, ExitStack()
        self.files = 0

    def side(self, engine: str, columns: str, rows: list[tuple[Any, ...]], name: str = "t", **settings: Any) -> Side:
        """A side with a table of `columns` (SQL of the engine) that holds `rows`."""
        return getattr(self, f"_{engine}")(name, columns, rows, settings)

    def _duckdb(self, name: str, columns: str, rows: list[tuple[Any, ...]], settings: dict[str, Any]) -> Side:
        import duckdb

        from monitor.warehouses.duckdb import DuckDB

        self.files += 1
        file = self.folder / f"{self.files}.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            insert(connection, name, rows)
        warehouse = DuckDB("duck", f"duckdb:///{file}")
        self.stack.callback(warehouse.close)
        return self.opened(warehouse, name, **settings)

    def _postgres(self, name: str, columns: str, rows: list[tuple[Any, ...]], settings: dict[str, Any]) -> Side:
        from monitor.warehouses.postgres import Postgres

        server = self.request.getfixturevalue("postgres")
        url = self.stack.enter_context(server.schema())
        with server.connect(url) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            if rows:
                marks = ", ".join(["%s"] * len(rows[0]))
                connection.cursor().executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)
        warehouse = Postgres("pg", url)
        self.stack.callback(warehouse.close)
        return self.opened(warehouse, name, **settings)

    def pair(self, engine: str, columns: str, a: list[tuple[Any, ...]], b: list[tuple[Any, ...]]) -> tuple[Side, Side]:
        """Two tables of the same columns, `a` and `b`, in one database."""
        if engine == "duckdb":
            return self._duckdb_pair(columns, a, b)
        server = self.request.getfixturevalue("postgres")
        from monitor.warehouses.postgres import Postgres

        url = self.stack.enter_context(server.schema())
        with server.connect(url) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, rows in (("a", a), ("b", b)):
                connection.execute(f"CREATE TABLE {name} ({columns})")
                if rows:
                    marks = ", ".join(["%s"] * len(rows[0]))
                    connection.cursor().executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        warehouse = Postgres("pg", url)
        self.stack.callback(warehouse.close)
        return self.opened(warehouse, "a"), self.opened(warehouse, "b")

    def _duckdb_pair(self, columns: str, a: list[tuple[Any, ...]], b: list[tuple[Any, ...]]) -> tuple[Side, Side]:
        import duckdb

        from monitor.warehouses.duckdb import DuckDB

        self.files += 1
        file = self.folder / f"{self.files}.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, rows in (("a", a), ("b", b)):
                connection.execute(f"CREATE TABLE {name} ({columns})")
                insert(connection, name, rows)
        warehouse = DuckDB("duck", f"duckdb:///{file}")
        self.stack.callback(warehouse.close)
        return self.opened(warehouse, "a"), self.opened(warehouse, "b")

    @staticmethod
    def opened(warehouse: Any, name: str, **settings: Any) -> Side:
        """A table of an open warehouse as a side."""
        path = (name,)
        table = Table(f"{warehouse.name}.{name}", warehouse.name, path, warehouse.columns(path), None, **settings)
        return Side(warehouse, table)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(request, tmp_path)
    with made.stack:
        yield made
