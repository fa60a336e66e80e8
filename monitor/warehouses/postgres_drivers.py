"""PostgreSQL's two drivers behind one face: a connection, and a statement's rows as Arrow.

ADBC reads the server's binary COPY straight into Arrow and is used where it is installed; psycopg reads texts, which
Arrow parses. Both bring the same types: numeric as exact decimals (floats where NaN, infinite, or of more than 76
digits), times outside of the years 1 to 9999 as NULL, what Arrow has no type for as text.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Protocol

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.adapt import Buffer, Loader

from monitor.warehouses.constructs import YEARS_S

_COPYABLE = re.compile(r"\s*(SELECT|WITH|VALUES|TABLE|\()", re.IGNORECASE)
_TEXT_CHUNK = 1_000
_STREAM_ROWS = 50_000
_DIGITS_MAX = 76
_YEAR_1, _YEAR_10000 = YEARS_S
_US = 1_000_000
_DAY_S = 86_400


class Driver(Protocol):
    """What the engine needs of a driver."""

    errors: tuple[type[Exception], ...]

    def connect(self, conninfo: str) -> Any:
        """A connection on which every statement is a transaction of its own."""
        ...

    def fetch(self, connection: Any, sql: str, rows_max: int) -> pa.Table:
        """The first `rows_max` rows; what is beyond stays on the server."""
        ...

    def stream(self, connection: Any, sql: str) -> Generator[pa.Table]:
        """All rows of a SELECT, piece by piece."""
        ...

    def facts(self, error: Exception) -> tuple[str | None, str]:
        """The SQLSTATE (None where the server did not speak) and the message's first sentence, without its DETAIL."""
        ...


def best_driver() -> Driver:
    """ADBC where it is installed, psycopg otherwise."""
    return Adbc() if importlib.util.find_spec("adbc_driver_postgresql") else Psycopg()


class Adbc:
    """adbc-driver-postgresql."""

    def __init__(self) -> None:
        import adbc_driver_manager as manager  # noqa: PLC0415 - an optional package
        import adbc_driver_postgresql as driver  # noqa: PLC0415 - as above
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - as above

        self._dbapi = dbapi
        self._use_copy = driver.StatementOptions.USE_COPY.value
        self.errors: tuple[type[Exception], ...] = (manager.Error, pa.ArrowException, OSError)

    def connect(self, conninfo: str) -> Any:
        """Connect; the driver also reads the catalog of types once."""
        return self._dbapi.connect(conninfo, autocommit=True)

    def fetch(self, connection: Any, sql: str, rows_max: int) -> pa.Table:
        """Rows by COPY, or row by row for what COPY does not take (EXPLAIN, SHOW)."""
        options = {self._use_copy: "true" if _COPYABLE.match(sql) else "false"}
        with connection.cursor(adbc_stmt_kwargs=options) as cursor:
            cursor.execute(sql)
            # The reader that fetch_record_batch() hands out loses the SQLSTATE of what goes wrong amid the rows.
            reader = cursor._results.reader  # noqa: SLF001
            batches, rows = [], 0
            for batch in reader:
                batches.append(batch)
                rows += batch.num_rows
                if rows > rows_max:
                    cursor.adbc_cancel()  # or closing the cursor would read all the rest
                    break
            found = pa.Table.from_batches(batches, reader.schema).slice(0, rows_max)
        return plain(found)

    def stream(self, connection: Any, sql: str) -> Generator[pa.Table]:
        """Rows by COPY, as they come."""
        with connection.cursor(adbc_stmt_kwargs={self._use_copy: "true"}) as cursor:
            cursor.execute(sql)
            reader = cursor._results.reader  # noqa: SLF001 - as above
            whole = False
            try:
                for batch in reader:
                    yield plain(pa.Table.from_batches([batch], reader.schema))
                whole = True
            finally:
                if not whole:
                    cursor.adbc_cancel()

    def facts(self, error: Exception) -> tuple[str | None, str]:
        """From the error's details; a lost or refused connection has none, only its text."""
        for key, value in getattr(error, "details", None) or ():
            if key in {"PG_DIAG_MESSAGE_PRIMARY", b"PG_DIAG_MESSAGE_PRIMARY"}:
                return getattr(error, "sqlstate", None), bytes(value).decode("utf-8", "replace")
        said = str(error).split("\n\nQuery was:", 1)[0]
        state = getattr(error, "sqlstate", None) or next(iter(re.findall(r"SQLSTATE: (\w{5})", str(error))), None)
        spoken = re.search(r"^.*?\b(?:ERROR|FATAL|PANIC):\s+(.*?)$", said, re.MULTILINE) if state else None
        return state, spoken[1] if spoken else re.sub(r"^[A-Z_]+: (\[libpq\] )?", "", said)


class Psycopg:
    """psycopg 3, reading every value as the text that the server writes."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)

    def connect(self, conninfo: str) -> Any:
        """Connect, in autocommit, without prepared statements (connection poolers cannot keep them)."""
        connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
        for known in connection.adapters.types:
            for oid in (known.oid, known.array_oid):
                if oid:
                    connection.adapters.register_loader(oid, _AsSent)
        connection.adapters.register_loader(0, _AsSent)
        return connection

    def fetch(self, connection: Any, sql: str, rows_max: int) -> pa.Table:
        """Rows in chunks until there are enough; the statement is cancelled then."""
        cursor = connection.cursor()
        with closing(cursor.stream(sql.encode(), size=_TEXT_CHUNK)) as stream:
            rows = list(islice(stream, rows_max))
            described = [(item.name, item.type_code) for item in cursor.description or ()]
        if not rows:  # then the stream does not say what the columns are
            described = self._described(connection, sql)
        columns = zip(*rows, strict=True) if rows else ([] for _ in described)
        arrays = [_parsed(values, oid) for values, (_, oid) in zip(columns, described, strict=True)]
        return plain(pa.Table.from_arrays(arrays, names=[name for name, _ in described]))

    def stream(self, connection: Any, sql: str) -> Generator[pa.Table]:
        """Rows in chunks as they come."""
        cursor = connection.cursor()
        with closing(cursor.stream(sql.encode(), size=_TEXT_CHUNK)) as stream:
            while rows := list(islice(stream, _STREAM_ROWS)):
                described = [(item.name, item.type_code) for item in cursor.description or ()]
                columns = zip(*rows, strict=True)
                arrays = [_parsed(values, oid) for values, (_, oid) in zip(columns, described, strict=True)]
                yield plain(pa.Table.from_arrays(arrays, names=[name for name, _ in described]))

    @staticmethod
    def _described(connection: Any, sql: str) -> list[tuple[str, int]]:
        """Names and types of a statement's columns, without running it."""
        connection.pgconn.prepare(b"", sql.encode())
        found = connection.pgconn.describe_prepared(b"")
        return [((found.fname(i) or b"").decode(), found.ftype(i)) for i in range(found.nfields)]

    def facts(self, error: Exception) -> tuple[str | None, str]:
        """From the server's own fields."""
        if not isinstance(error, psycopg.Error):  # pragma: no cover - `errors` holds no others
            return None, str(error)
        return error.sqlstate, error.diag.message_primary or str(error)


class _AsSent(Loader):
    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def plain(table: pa.Table) -> pa.Table:
    """The table without types that only a driver knows, and without times that no calendar knows."""
    columns = [_plain_column(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        stored = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        return exact(stored) if getattr(kind, "type_name", "") == "numeric" else stored
    if pa.types.is_date32(kind):
        return _within(column, column.cast(pa.int32()).cast(pa.int64()), _YEAR_1 // _DAY_S, _YEAR_10000 // _DAY_S)
    if pa.types.is_timestamp(kind):
        micros = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        return _within(column, micros, _YEAR_1 * _US, _YEAR_10000 * _US)
    return column


def _within(column: pa.ChunkedArray, values: pa.ChunkedArray, low: int, high: int) -> pa.ChunkedArray:
    known = pc.and_(pc.greater_equal(values, low), pc.less(values, high))
    return pc.if_else(known, column, pa.scalar(None, column.type))


def exact(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers written as texts as decimals of one scale; as floats where they do not fit.

    >>> exact(pa.chunked_array([["1.50", "-2", None]])).to_pylist()
    [Decimal('1.50'), Decimal('-2.00'), None]
    >>> exact(pa.chunked_array([["1.5", "NaN"]])).to_pylist()
    [1.5, nan]
    """
    finite = pc.all(pc.match_substring_regex(texts, r"^-?[0-9]+(\.[0-9]+)?$")).as_py()
    if finite is False:
        return texts.cast(pa.float64())
    parts = pc.split_pattern(pc.utf8_ltrim(texts, "-"), ".", max_splits=1)
    whole = pc.max(pc.utf8_length(pc.list_element(parts, 0))).as_py() or 1
    fraction = pc.subtract(pc.utf8_length(pc.utf8_ltrim(texts, "-")), pc.utf8_length(pc.list_element(parts, 0)))
    scale = max((pc.max(fraction).as_py() or 0) - 1, 0)
    if whole + scale > _DIGITS_MAX:
        return texts.cast(pa.float64())
    kind = pa.decimal128(whole + scale, scale) if whole + scale <= 38 else pa.decimal256(whole + scale, scale)
    return texts.cast(kind)


def _parsed(values: Sequence[bytes | None], oid: int) -> pa.ChunkedArray:
    sent = pa.chunked_array([pa.array(values, pa.binary()).cast(pa.string())])
    return _PARSERS.get(oid, _as_text)(sent)


def _as_text(sent: pa.ChunkedArray) -> pa.ChunkedArray:
    return sent


def _typed(kind: pa.DataType) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda sent: sent.cast(kind)


def _times(kind: pa.DataType) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    def parse(sent: pa.ChunkedArray) -> pa.ChunkedArray:
        known = pc.match_substring_regex(sent, r"^[0-9]{4}-[^A-Za-z]*$")  # neither infinity nor BC
        return pc.if_else(known, sent, pa.scalar(None, pa.string())).cast(kind)

    return parse


def _bytes(sent: pa.ChunkedArray) -> pa.ChunkedArray:
    values = [None if text is None else bytes.fromhex(text[2:]) for text in sent.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.binary())])


def _numbers(kind: pa.DataType) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    """One-dimensional arrays, `{1,NULL,2.5}`."""

    def parse(sent: pa.ChunkedArray) -> pa.ChunkedArray:
        lists = [
            None if text is None else [None if n == "NULL" else float(n) for n in text.strip("{}").split(",") if n]
            for text in sent.to_pylist()
        ]
        return pa.chunked_array([pa.array(lists, pa.list_(pa.float64())).cast(pa.list_(kind))])

    return parse


def _oid(name: str) -> int:
    return psycopg.adapters.types[name].oid


_PARSERS: dict[int, Callable[[pa.ChunkedArray], pa.ChunkedArray]] = {
    _oid("bool"): lambda sent: pc.equal(sent, "t"),
    _oid("int2"): _typed(pa.int16()),
    _oid("int4"): _typed(pa.int32()),
    _oid("int8"): _typed(pa.int64()),
    _oid("float4"): _typed(pa.float32()),
    _oid("float8"): _typed(pa.float64()),
    _oid("numeric"): exact,
    _oid("date"): _times(pa.date32()),
    _oid("timestamp"): _times(pa.timestamp("us")),
    _oid("timestamptz"): _times(pa.timestamp("us", "UTC")),
    _oid("bytea"): _bytes,
    psycopg.adapters.types["float8"].array_oid: _numbers(pa.float64()),
    psycopg.adapters.types["float4"].array_oid: _numbers(pa.float32()),
}
