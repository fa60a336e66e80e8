"""PostgreSQL: `postgresql://user:password@host:5432/database`, read-only, through a small pool of connections."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from typing import Any, ClassVar

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from monitor.errors import SourceError, UsageError
from monitor.types import Column, ColumnKind, Table
from monitor.warehouses import (
    DEFAULT_LIMITS,
    Limits,
    postgres_catalog,
    postgres_sql,  # noqa: F401 - registers how its constructs are written
)
from monitor.warehouses.base import Path, Select, StatementError, Warehouse
from monitor.warehouses.catalog import ForeignKey, did_you_mean, kind_of
from monitor.warehouses.constructs import Expression, columns_of
from monitor.warehouses.polls import TableState
from monitor.warehouses.postgres_drivers import Driver, best_driver
from monitor.warehouses.postgres_errors import told_connecting, told_running

CONNECTIONS_MAX = 4
IDLE_S = 1.0
"""A connection that nobody used for so long is asked for a sign of life before the next statement."""
NAME_BYTES_MAX = 63
VERSION_MIN = 140_000
_DEFAULTS = {
    "application_name": "daywatch",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_SESSION = {
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "synchronize_seqscans": "off",  # rows of a view are numbered in the order in which they are read
    "jit": "off",  # compiling hundreds of aggregates takes longer than running them
}


class Postgres(Warehouse):
    """A PostgreSQL database from version 14 on, or what speaks its protocol and has its catalog.

    Raises:
        UsageError: the URL is wrong.
        UnavailableError: the server is out of reach or refuses us.
    """

    sqlglot_dialect: ClassVar[str] = "postgres"
    default_schema = "public"
    columns_max: ClassVar[int | None] = 1_600

    def __init__(self, name: str, url: str, limits: Limits = DEFAULT_LIMITS, driver: Driver | None = None) -> None:
        super().__init__(name, url, limits)
        self._driver = driver or best_driver()
        self._conninfo = self._parse(url)
        self._pool = QueuePool(
            self._connect,
            pool_size=CONNECTIONS_MAX,
            max_overflow=0,
            timeout=limits.statement_timeout_s,
            use_lifo=True,
            reset_on_return=None,  # no statement leaves a transaction behind
        )
        session = self._rows(postgres_catalog.SESSION)[0]
        self.default_schema = session["schema"] or self.default_schema  # type: ignore[misc] # of this database
        self._version = int(session["version"])
        if session["version"] < VERSION_MIN:
            self.close()
            what = f"PostgreSQL {session['version'] // 10_000} is too old"
            raise UsageError(what, where=self._where, mend=f"daywatch reads from {VERSION_MIN // 10_000} on")

    @property
    def _where(self) -> str:
        return f"warehouse {self.name}"

    def _make_dialect(self) -> Dialect:
        dialect: Dialect = PGDialect()  # type: ignore[no-untyped-call]
        dialect._backslash_escapes = False  # type: ignore[attr-defined]  # noqa: SLF001 - as standard_conforming_strings of the session
        return dialect

    def close(self) -> None:
        """Close the connections that nobody is using; those in use are closed when they come back."""
        self._pool.dispose()

    # Connecting

    def _parse(self, url: str) -> str:
        """The URL as libpq's own settings, those of daywatch's sessions added."""
        try:
            parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
            dialect: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
            _, settings = dialect.create_connect_args(parsed)
            given = str(settings.pop("options", ""))
            milliseconds = max(math.ceil(self.limits.statement_timeout_s * 1_000), 1)
            session = _SESSION | {"statement_timeout": str(milliseconds), "lock_timeout": str(milliseconds)}
            options = " ".join([given, *(f"-c {key}={value}" for key, value in session.items())]).strip()
            return make_conninfo(**{**_DEFAULTS, **settings, "options": options})
        except (ArgumentError, ValueError, psycopg.ProgrammingError) as error:
            said = str(error).splitlines()[0] if isinstance(error, psycopg.ProgrammingError) else "it cannot be read"
            raise UsageError(
                f"the URL is wrong: {said}",
                where=self._where,
                mend="write postgresql://user:password@host:5432/database",
            ) from None

    def _connect(self) -> Any:
        try:
            return self._driver.connect(self._conninfo)
        except self._driver.errors as error:
            raise told_connecting(self._masked(self._driver.facts(error)[1]), self._where) from None

    def _borrow(self) -> PoolProxiedConnection:
        """A connection that was alive a moment ago: one that the server has closed meanwhile is replaced."""
        try:
            connection = self._pool.connect()
            used = connection.info.get("used")
            if used is not None and time.monotonic() - used >= IDLE_S and not self._is_alive(connection):
                connection.invalidate()
                connection.close()
                connection = self._pool.connect()
        except PoolTimeoutError:
            what = f"all {CONNECTIONS_MAX} connections were busy for {self.limits.statement_timeout_s:g} s"
            raise SourceError(what, where=self._where, mend="try again later") from None
        return connection

    def _is_alive(self, connection: PoolProxiedConnection) -> bool:
        try:
            self._driver.fetch(connection.dbapi_connection, "SELECT 1", 1)
        except self._driver.errors:
            return False
        return True

    # Running

    def _run(self, sql: str, rows_max: int) -> tuple[pa.Table, int | None]:
        connection = self._borrow()
        try:
            found = self._driver.fetch(connection.dbapi_connection, sql, rows_max)
        except self._driver.errors as error:
            told = self._told(error)
            if not isinstance(told, StatementError):
                connection.invalidate()
            raise told from None  # the driver's own words may quote values of rows
        except BaseException:
            connection.invalidate()  # it may be in the middle of anything
            raise
        finally:
            connection.info["used"] = time.monotonic()
            connection.close()
        return found, None

    def _stream(self, sql: str) -> Generator[pa.Table]:
        connection = self._borrow()
        whole = False
        try:
            yield from self._driver.stream(connection.dbapi_connection, sql)
            whole = True
        except self._driver.errors as error:
            raise self._told(error) from None
        finally:
            if not whole:
                connection.invalidate()  # the server may still be sending
            connection.info["used"] = time.monotonic()
            connection.close()

    def few_rows_of(self, table: Table, wanted: Sequence[Any], share: float, seed: int) -> Select | None:
        """By whole pages, the others are not read; views have no TABLESAMPLE."""
        if self._row_identity(table.path) is None or any(column.within for column in table.columns):
            return None
        drawn: sa.Function[Any] = sa.func.system(sa.literal_column(f"{100 * min(share, 1.0):.6f}"))
        source = self._source(table.path).tablesample(drawn, seed=sa.literal(seed))
        return sa.select(*wanted).select_from(source).where(*self._scope(table))

    def can_open(self, column: Column) -> bool:
        """JSON as text only from version 16 on: before, the server cannot be asked whether a text is JSON."""
        return super().can_open(column) and (column.kind is not ColumnKind.TEXT or self._version >= 160_000)

    @property
    def hash_family(self) -> str:
        """Servers of one major version hash alike."""
        return f"postgresql {self._version // 10_000}"

    def unique_columns(self, path: Path) -> list[tuple[str, ...]]:
        """Valid unique indexes over plain columns, all of them NOT NULL, whose rows are checked at once."""
        schema, name = self._named(path)
        found = self._rows(postgres_catalog.UNIQUE, schema=schema, name=name)
        return [tuple(str(row["names"]).split("\t")) for row in found]

    def foreign_keys(self, path: Path) -> list[ForeignKey]:
        """Those of a table, or of a partitioned one; some may be declared NOT VALID, and hold for new rows alone."""
        schema, name = self._named(path)
        found = self._rows(postgres_catalog.FOREIGN, schema=schema, name=name)
        return [
            ForeignKey(
                tuple(str(row["names"]).split("\t")),
                self._short(row["schema"], row["table"]),
                tuple(str(row["referred"]).split("\t")),
            )
            for row in found
        ]

    def _told(self, error: Exception) -> SourceError:
        sqlstate, said = self._driver.facts(error)
        return told_running(sqlstate, self._masked(said), self._where, self.limits.statement_timeout_s)

    def _masked(self, said: str) -> str:
        password = sa.make_url(self.url).password
        return said.replace(str(password), "***") if password else said

    def _rows(self, sql: str, **named: str) -> list[dict[str, Any]]:
        """Rows of the catalog, by a statement with `:names`; not counted as cost."""
        statement = sa.text(sql).bindparams(**named)
        found: list[dict[str, Any]] = self._run(self.sql(statement), self.limits.rows_max)[0].to_pylist()
        return found

    # The catalog

    def tables(self) -> list[Path]:
        """Every table and view that this user may SELECT from, sorted; partitions of a table are not listed."""
        return sorted(self._short(row["schema"], row["name"]) for row in self._rows(postgres_catalog.TABLES))

    def columns(self, path: Path) -> tuple[Column, ...]:
        """The columns of a table, in its order; those of a domain with the type beneath it.

        Raises:
            UsageError: there is no such table; the message suggests one.
            StatementError: this user may not read it.
        """
        schema, name = self._named(path)
        found = self._rows(postgres_catalog.COLUMNS, schema=schema, name=name)
        shown = ".".join(path)
        if not found:
            mend = did_you_mean(shown, [".".join(known) for known in self.tables()])
            raise UsageError(f"no table `{shown}`", where=self._where, mend=mend)
        if not found[0]["readable"]:
            mend = "GRANT SELECT on it, and USAGE on its schema, to this user"
            raise StatementError(f"permission denied for `{shown}`", where=self._where, mend=mend)
        return tuple(Column(row["name"], _kind(row), row["type"], not row["required"]) for row in found)

    def peek(self, path: Path, rows: int) -> pa.Table:
        """About `rows` rows as they are, types that Arrow does not know as texts."""
        total = self._total(path)
        wanted = [_raw(column) for column in self.columns(path)]
        return self.fetch(self._drawn(path, wanted, [], rows, 0, total))

    def _named(self, path: Path) -> tuple[str, str]:
        for part in path:
            if len(part.encode()) > NAME_BYTES_MAX:
                what = f"the name `{part}` is longer than PostgreSQL's {NAME_BYTES_MAX} bytes"
                raise UsageError(what, where=self._where, mend="write the name as the database has cut it")
        return (path[-2] if len(path) > 1 else self.default_schema), path[-1]

    def _source(self, path: Path) -> sa.FromClause:
        schema, name = self._named(path)  # always with its schema, so that no search path leads elsewhere
        return sa.table(sa.quoted_name(name, quote=True), schema=sa.quoted_name(schema, quote=True))

    def _row_identity(self, path: Path) -> Sequence[Expression] | None:
        """A row's place in its file, and the file where a table has several; views have none."""
        schema, name = self._named(path)
        found = self._rows(postgres_catalog.IDENTITY, schema=schema, name=name)
        if not found or found[0]["kind"] not in {"r", "m", "p"}:
            return None
        several = found[0]["kind"] == "p" or found[0]["many"]
        return [sa.literal_column(column) for column in (["ctid", "tableoid"] if several else ["ctid"])]

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        """From the catalog's estimates and the statistics' change counters, by one statement.

        A session reports its changes to the statistics when it is done with a transaction, at most once a second: a
        change may show in the mark that much later, but always does.
        """
        asked = ", ".join(
            f"({place}, {self.literal(schema)}, {self.literal(name)})"
            for place, (schema, name) in enumerate(map(self._named, paths))
        )
        found = self.fetch(postgres_catalog.STATES.format(asked=asked)).to_pylist()
        return {paths[row["place"]]: TableState(row["rows"], row["bytes"], None, row["mark"]) for row in found}


def _kind(row: dict[str, Any]) -> ColumnKind:
    if row["sort"] == "e" or row["category"] == "S":  # enums, and all that is text, as citext
        return ColumnKind.TEXT
    return ColumnKind.OTHER if row["base"] == "money" else kind_of(row["type"])  # money is written by the locale


def _raw(column: Column) -> Expression:
    plain = columns_of([column.name])[0]
    known = {ColumnKind.NUMBER, ColumnKind.TIMESTAMP, ColumnKind.DATE, ColumnKind.BOOLEAN, ColumnKind.BINARY}
    chosen = plain if column.kind in known else sa.cast(plain, sa.Text)
    return chosen.label(sa.quoted_name(column.name, quote=True))
