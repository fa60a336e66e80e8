"""DuckDB: a database file, opened read-only, or memory."""

from __future__ import annotations

import abc
import re
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, ClassVar

import duckdb
import duckdb_sqlalchemy
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from monitor.errors import DaywatchError, SourceError, UnavailableError, UsageError
from monitor.types import Table
from monitor.warehouses import DEFAULT_LIMITS, Limits
from monitor.warehouses.base import Path, Select, StatementError, Warehouse
from monitor.warehouses.catalog import TABLES, ForeignKey
from monitor.warehouses.constructs import Expression
from monitor.warehouses.polls import TableState

_REFUSED = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.NotSupportedError,
    duckdb.IntegrityError,
    duckdb.InternalError,
)
_OVER_VALUES = (duckdb.DataError, duckdb.InvalidInputException)  # these quote the value that they stumbled over
_BATCH_ROWS = 50_000
_VALUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|-?\b\d[\d.eE+-]*")


class Embedded(Warehouse, abc.ABC):
    """Any warehouse that DuckDB serves inside this process; `_connect` says over what."""

    sqlglot_dialect: ClassVar[str] = "duckdb"
    default_schema: ClassVar[str] = "main"

    def __init__(self, name: str, url: str, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(name, url, limits)
        self._lock = threading.Lock()
        self._identities: dict[Path, Sequence[Expression] | None] = {}
        self._connection = self._connect()

    @abc.abstractmethod
    def _connect(self) -> duckdb.DuckDBPyConnection:
        """The connection that statements' own connections are made from."""

    def _row_identity(self, path: Path) -> Sequence[Expression] | None:
        if path not in self._identities:
            self._identities[path] = self._identify(path)
        return self._identities[path]

    @abc.abstractmethod
    def _identify(self, path: Path) -> Sequence[Expression] | None:
        """What `_row_identity` says, asked once a table."""

    def _make_dialect(self) -> Dialect:
        dialect: Dialect = duckdb_sqlalchemy.Dialect()
        return dialect

    def _visible(self, catalog: sa.TableClause) -> Expression:
        return sa.and_(super()._visible(catalog), catalog.c.table_catalog == sa.func.current_database())

    def close(self) -> None:
        """Close the connection; other connections to the same file are left alone."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, rows_max: int) -> tuple[pa.Table, int | None]:
        with self._cursor() as cursor, self._deadline(cursor) as expired:
            try:
                found = cursor.execute(sql).to_arrow_table()
            except duckdb.Error as error:
                raise self._told(error, expired.is_set()) from error
        return found.slice(0, rows_max), None

    def _stream(self, sql: str) -> Generator[pa.Table]:
        with self._cursor() as cursor, self._deadline(cursor) as expired:
            try:
                for batch in cursor.execute(sql).to_arrow_reader(_BATCH_ROWS):
                    yield pa.Table.from_batches([batch])
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise self._told(error, expired.is_set()) from error

    def few_rows_of(self, table: Table, wanted: Sequence[Any], share: float, seed: int) -> Select | None:
        """By whole vectors of 2,048 rows, most of which are then not read at all."""
        if any(column.within for column in table.columns):
            return None
        drawn: sa.Function[Any] = sa.func.system(sa.literal_column(f"{100 * min(share, 1.0):.6f} PERCENT"))
        source = self._source(table.path).tablesample(drawn, seed=sa.literal(seed))
        return sa.select(*wanted).select_from(source).where(*self._scope(table))

    @property
    def hash_family(self) -> str:
        """All run by one library, which hashes alike."""
        return f"duckdb {duckdb.__version__}"

    def unique_columns(self, path: Path) -> list[tuple[str, ...]]:
        """Primary keys, and unique constraints over columns without NULL."""
        schema, table = (path[-2] if len(path) > 1 else self.default_schema), path[-1]
        known: Select = sa.select(sa.column("constraint_column_names").label("names")).select_from(
            sa.func.duckdb_constraints().table_valued(sa.column("constraint_column_names"), name="known")
        )
        found = self._catalog(
            known.where(
                sa.column("database_name") == sa.func.current_database(),
                sa.column("schema_name") == schema,
                sa.column("table_name") == table,
                sa.column("constraint_type").in_(["PRIMARY KEY", "UNIQUE"]),
            )
        )
        required = {column.name for column in self.columns(path) if not column.nullable}
        return [tuple(row["names"]) for row in found if set(row["names"]) <= required]

    def foreign_keys(self, path: Path) -> list[ForeignKey]:
        """Those of a file's tables; DuckDB enforces them, and only within a schema."""
        schema, table = (path[-2] if len(path) > 1 else self.default_schema), path[-1]
        wanted: list[sa.ColumnClause[Any]] = [
            sa.column(n) for n in ("constraint_column_names", "referenced_table", "referenced_column_names")
        ]
        known: Select = sa.select(*wanted).select_from(sa.func.duckdb_constraints().table_valued(*wanted, name="known"))
        found = self._catalog(
            known.where(
                sa.column("database_name") == sa.func.current_database(),
                sa.column("schema_name") == schema,
                sa.column("table_name") == table,
                sa.column("constraint_type") == "FOREIGN KEY",
            )
        )
        return [
            ForeignKey(
                tuple(row["constraint_column_names"]),
                self._short(schema, row["referenced_table"]),
                tuple(row["referenced_column_names"]),
            )
            for row in found
        ]

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own for one statement, so that threads do not wait for each other."""
        try:
            with self._lock:
                cursor = self._connection.cursor()
            cursor.execute("SET TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise self._told(error, expired=False) from error
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def _deadline(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[threading.Event]:
        """Interrupt what runs inside when the statement timeout is over; the event says whether that happened."""
        expired, done, lock = threading.Event(), threading.Event(), threading.Lock()

        def interrupt() -> None:
            with lock:  # never after the statement has ended: the cursor may be closed by then
                if not done.is_set():
                    expired.set()
                    cursor.interrupt()

        timer = threading.Timer(self.limits.statement_timeout_s, interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            with lock:
                done.set()
            timer.cancel()

    def _told(self, error: Exception, expired: bool) -> DaywatchError:
        where = f"warehouse {self.name}"
        if expired:
            limit = f"{self.limits.statement_timeout_s:g}"
            what = f"a statement ran longer than statement_timeout_s = {limit}"
            return SourceError(what, where=where, mend="raise statement_timeout_s, or narrow the table with `where`")
        if isinstance(error, _REFUSED):
            return StatementError(_first_line(error), where=where)
        return SourceError(_first_line(error), where=where)


class DuckDB(Embedded):
    """A DuckDB file, `duckdb:////data/sales.duckdb`, or memory, `duckdb:///:memory:`.

    Raises:
        UsageError: there is no such file.
        SourceError: another process holds the file, or it is not a DuckDB database.
    """

    def _connect(self) -> duckdb.DuckDBPyConnection:
        parsed = sa.make_url(self.url)
        database = parsed.database or ":memory:"
        config: dict[str, str | bool | int | float | list[str]] = {
            key: str(value) for key, value in parsed.query.items()
        }
        if database.startswith(":memory:"):
            return duckdb.connect(database, config=config)
        if not FilePath(database).is_file():
            raise UsageError(f"no file {database}", where=f"warehouse {self.name}", mend="correct the path in its URL")
        try:
            return duckdb.connect(database, read_only=True, config=config)
        except duckdb.Error as error:
            raise self._unopened(database, str(error)) from error

    def _unopened(self, database: str, message: str) -> DaywatchError:
        where = f"warehouse {self.name}"
        if "lock" in message.lower():
            holder = re.search(r"Conflicting lock is held in (.+?)(?: by user [^\s.]+)?\.?(?: See|\n|$)", message)
            held = f" by {holder[1]}" if holder else " by another process"
            mend = "close it there, or read a copy of the file"
            return UnavailableError(f"{database} is locked{held}", where=where, mend=mend)
        if "different configuration" in message:
            what = f"{database} is already open in this process, for writing or with other settings"
            return UnavailableError(what, where=where, mend="close that connection first")
        if "not recognized" in message:
            return UsageError(message.splitlines()[0], where=where, mend="correct the part of its URL after `?`")
        what = f"{database} cannot be opened: {message.splitlines()[0]}"
        return UnavailableError(what, where=where, mend="check that it is a whole DuckDB file of a version known here")

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        """The file's time and size stand for all tables: any write changes them."""
        database = FilePath(sa.make_url(self.url).database or ":memory:")
        stats = [f.stat() for f in (database, database.with_name(f"{database.name}.wal")) if f.is_file()]
        if not stats:
            return {}
        mark = ":".join(f"{s.st_ino}.{s.st_mtime_ns}.{s.st_size}" for s in stats)
        return {path: TableState(mark=mark) for path in paths}

    def _identify(self, path: Path) -> Sequence[Expression] | None:
        """`rowid`, which tables have and views do not; a column of that name hides it."""
        schema, table = (path[-2] if len(path) > 1 else self.default_schema), path[-1]
        found = self._catalog(
            sa.select(TABLES.c.table_type).where(
                self._visible(TABLES), TABLES.c.table_schema == schema, TABLES.c.table_name == table
            )
        )
        stored = bool(found) and found[0]["table_type"] == "BASE TABLE"
        if not stored or any(column.name.lower() == "rowid" for column in self.columns(path)):
            return None
        return [sa.literal_column("rowid")]


def _first_line(error: Exception) -> str:
    """What DuckDB says, without the statement; values of rows that it quotes are left out."""
    lines: list[str] = [line for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    return _VALUE.sub("...", said) if isinstance(error, _OVER_VALUES) else said
