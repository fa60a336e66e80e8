"""Snowflake: `snowflake://user:password@account/database/schema?warehouse=W&role=R`, read by its own connector."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa
import snowflake.connector
import sqlalchemy as sa
from snowflake.connector import SnowflakeConnection, errors
from sqlalchemy.engine import Dialect as SqlDialect
from sqlalchemy.sql.util import ClauseAdapter

from monitor.errors import SourceError
from monitor.types import Column
from monitor.warehouses import DEFAULT_LIMITS, Limits
from monitor.warehouses.base import Path, Select, Warehouse
from monitor.warehouses.catalog import COLUMNS, TABLES
from monitor.warehouses.constructs import Expression, TypedColumn, columns_of
from monitor.warehouses.polls import TableState
from monitor.warehouses.snowflake_errors import is_session_gone, told, told_login
from monitor.warehouses.snowflake_login import connect_options
from monitor.warehouses.snowflake_sql import Dialect, SameHash, hashable_type, number_among_equals

WAKE_INTERVAL_S = 3_600.0
"""How often polls may let a warehouse compute where the configuration does not say."""

NUMBERED_ROWS_MAX = 20_000_000
"""Rows up to which a draw numbers identical rows; numbering sorts them all, which costs."""

_SHOWN_MAX = 10_000  # what one SHOW brings at most
_HASH, _NUMBER = "daywatch_row_hash", "daywatch_row_number"
_HASH_SPAN = 2**64

logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)  # what fails is raised, and told once by us
warnings.filterwarnings("ignore", "`ReauthenticationRequest`", FutureWarning)  # caught by a base that stays


class Snowflake(Warehouse):
    """One database of a Snowflake account; names are the catalog's, which are in capitals unless created in quotes.

    Every statement runs in one session, tagged `daywatch`, in UTC, with the statement timeout set on the server as
    well. The session is not kept alive: when it has ended, the next statement logs in again. Logging in, `SHOW` and
    the compiling of statements need no running warehouse; the catalog and all else do.

    Raises:
        UsageError: a part of the address is missing or unknown.
        UnavailableError: Snowflake is out of reach or refuses the login.
    """

    sqlglot_dialect: ClassVar[str] = "snowflake"

    def __init__(self, name: str, url: str, limits: Limits = DEFAULT_LIMITS) -> None:
        if limits.wake_interval_s is None:
            limits = replace(limits, wake_interval_s=WAKE_INTERVAL_S)
        super().__init__(name, url, limits)
        self._where = f"warehouse {name}"
        self._options = connect_options(url, limits, self._where)
        self._lock = threading.Lock()
        self._is_closed = False
        self._known: dict[Path, tuple[Column, ...]] = {}
        self._connection = self._connect()
        self._schema = str(self._connection.schema or self._options["schema"])

    @property
    def default_schema(self) -> str:  # type: ignore[override]
        """The schema of the address, in the case the account has it."""
        return self._schema

    def close(self) -> None:
        """Log out."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._connection.close()

    # Running statements

    def _make_dialect(self) -> SqlDialect:
        dialect: SqlDialect = Dialect()
        return dialect

    def _connect(self) -> SnowflakeConnection:
        try:
            connection = snowflake.connector.connect(**self._options)
        except errors.Error as error:
            raise told_login(error, self._where) from error
        connection.telemetry_enabled = False
        return connection

    def _run(self, sql: str, rows_max: int) -> tuple[pa.Table, int | None]:
        return self._asked(sql, rows_max), None  # the connector does not pass on what was scanned

    def _asked(self, sql: str, rows_max: int) -> pa.Table:
        connection = self._live()
        try:
            return _fetched(connection, sql, rows_max)
        except errors.Error as error:
            if not is_session_gone(error):
                raise told(error, self._where, self.limits.statement_timeout_s) from error
        try:
            return _fetched(self._renewed(connection), sql, rows_max)
        except errors.Error as error:
            raise told(error, self._where, self.limits.statement_timeout_s) from error

    def _stream(self, sql: str) -> Generator[pa.Table]:
        try:
            with self._live().cursor() as cursor:
                cursor.execute(sql)
                yield from cursor.fetch_arrow_batches()
        except errors.Error as error:
            raise told(error, self._where, self.limits.statement_timeout_s) from error

    def _live(self) -> SnowflakeConnection:
        with self._lock:
            if self._is_closed:
                raise SourceError("it is closed", where=self._where)
            return self._connection

    def _renewed(self, stale: SnowflakeConnection) -> SnowflakeConnection:
        """A new session in place of the stale one, made once however many threads ask."""
        with self._lock:
            if self._connection is stale and not self._is_closed:
                self._connection = self._connect()
            return self._connection

    # The catalog

    def _source(self, path: Path) -> sa.FromClause:
        schema = path[-2] if len(path) > 1 else self.default_schema
        return sa.table(sa.quoted_name(path[-1], quote=True), schema=sa.quoted_name(schema, quote=True))

    def _catalog(self, statement: Select) -> list[dict[str, Any]]:
        """As in other engines, by an alias (not every server knows columns by a view's full name), with small keys."""
        for view in (TABLES, COLUMNS):
            statement = ClauseAdapter(view.alias("shown")).traverse(statement)
        return [{key.lower(): value for key, value in row.items()} for row in super()._catalog(statement)]

    def columns(self, path: Path) -> tuple[Column, ...]:
        """The columns of a table, in its order.

        Raises:
            UsageError: there is no such table; the message suggests one.
        """
        self._known[path] = super().columns(path)
        return self._known[path]

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        """By SHOW TABLES, which needs no warehouse; where polls may wake one freely, by the fuller catalog.

        A rewrite that leaves as many rows in as many bytes is not told by SHOW TABLES.
        """
        shown = self._altered() if self.limits.wake_interval_s == 0 else self._shown(paths)
        wanted = set(paths)
        return {path: state for path, state in shown.items() if path in wanted}

    def _altered(self) -> dict[Path, TableState]:
        wanted: list[Expression] = [
            sa.column(name) for name in ("table_schema", "table_name", "row_count", "bytes", "last_altered")
        ]
        statement = sa.select(*wanted).select_from(TABLES).where(TABLES.c.table_type == "BASE TABLE")
        found = self._catalog(statement)
        self._ledger.add(len(found))
        return {
            self._short(row["table_schema"], row["table_name"]): TableState(
                _whole(row["row_count"]),
                _whole(row["bytes"]),
                row["last_altered"],
                f"{row['last_altered'].isoformat()} {row['row_count']} {row['bytes']}",
            )
            for row in found
        }

    def _shown(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        schemas = dict.fromkeys(path[-2] if len(path) > 1 else self.default_schema for path in paths)
        return {
            self._short(row["schema_name"], row["name"]): TableState(
                _whole(row["rows"]), _whole(row["bytes"]), None, f"{row['created_on']} {row['rows']} {row['bytes']}"
            )
            for schema in schemas
            for row in self._show_tables(schema)
            if row["rows"] is not None  # external tables: nothing is known of them
        }

    def _show_tables(self, schema: str) -> list[dict[str, Any]]:
        statement = f"SHOW TABLES IN SCHEMA {self.identifier(schema)}"
        rows = page = self._show(statement)
        while len(page) == _SHOWN_MAX:
            page = self._show(f"{statement} LIMIT {_SHOWN_MAX} FROM {self.literal(page[-1]['name'])}")
            rows = rows + page
        return rows

    def _show(self, statement: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._asked(statement, self.limits.rows_max).to_pylist()
        self._ledger.add(len(found))
        return found

    # Drawing

    def _identified(
        self, path: Path, source: sa.FromClause, conditions: Sequence[Expression], total: int | None
    ) -> tuple[sa.FromClause, Sequence[Expression], Sequence[Expression]]:
        """A hash of the whole row, as rows have no identity.

        Identical rows have one hash; up to `NUMBERED_ROWS_MAX` they are numbered, so that a part of them can be drawn.
        Beyond that they come all or none.
        """
        columns = self._known[path] if path in self._known else self.columns(path)
        hashed = SameHash(*(TypedColumn(column) for column in columns if hashable_type(column.type)))
        if total is not None and total > NUMBERED_ROWS_MAX:
            return source, conditions, [hashed]
        numbered: list[Expression] = [
            sa.literal_column("*"),
            hashed.label(_HASH),
            number_among_equals(hashed).label(_NUMBER),
        ]
        inner = sa.select(*numbered).select_from(source).where(*conditions)
        return inner.subquery("numbered"), [], columns_of([_HASH, _NUMBER])


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def _fetched(connection: SnowflakeConnection, sql: str, rows_max: int) -> pa.Table:
    """At most `rows_max` rows of a statement's answer; the types are told where there is no row, too."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        if (cursor.rowcount or 0) <= rows_max:
            return cursor.fetch_arrow_all(force_return_table=True)
        batches: list[pa.Table] = []
        for batch in cursor.fetch_arrow_batches():
            batches.append(batch)
            if sum(part.num_rows for part in batches) >= rows_max:
                break
        return pa.concat_tables(batches, promote_options="permissive").slice(0, rows_max)
