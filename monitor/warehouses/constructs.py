"""The pieces of SQL that engines write differently, each a SQLAlchemy construct compiled per dialect.

A new engine adds its `@compiles(Construct, "its dialect")` in its own file where the text here does not suit it; a
construct without one for the dialect fails to compile and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from monitor.types import Column

Expression = sa.ColumnElement[Any]
DUCKDB = "duckdb"
YEARS_S = (-62_135_596_800, 253_402_300_800)
"""Seconds since 1970 of the years 1 and 10000: what times lie between on every engine."""


class CountIf(FunctionElement[int]):
    """The number of rows for which the condition is TRUE; 0 over no rows."""

    inherit_cache = True


class IsBlank(FunctionElement[bool]):
    """Whether a text is '' or only blanks; FALSE or NULL otherwise."""

    inherit_cache = True


class IsMissing(FunctionElement[bool]):
    """Whether a text is NULL, '' or only blanks."""

    inherit_cache = True


class Finite(FunctionElement[Any]):
    """The number or time itself, NULL where it is NaN or infinite."""

    inherit_cache = True


class IsNonfinite(FunctionElement[bool]):
    """Whether a number is NaN or infinite."""

    inherit_cache = True


class Tame(FunctionElement[float]):
    """A float whose square still is one: the number itself, NULL at NaN and from 1e150 on.

    Engines fail or overflow on the variance of larger values, and the whole statement with it.
    """

    inherit_cache = True


class ApproxDistinct(FunctionElement[int]):
    """The approximate number of distinct values (HyperLogLog: a few percent)."""

    inherit_cache = True


class Quantiles(FunctionElement[Any]):
    """`Quantiles(x, fraction, ...)`: approximate quantiles of a number, as one list or the JSON text of one."""

    inherit_cache = True


class Comparable(FunctionElement[Any]):
    """The value itself, or something that is equal for equal values where the engine cannot compare the type."""

    inherit_cache = True


class ByBytes(FunctionElement[str]):
    """A text that is compared by its bytes, as Python does, whatever the database's collation."""

    inherit_cache = True


class RowNumber(FunctionElement[int]):
    """The number of the row in the order in which it is read, the same each time where the engine can."""

    inherit_cache = True


class RowHash(FunctionElement[int]):
    """A 64-bit unsigned hash of the values together; equal rows have equal hashes, NULL is a value."""

    inherit_cache = True


class DrawHash(FunctionElement[int]):
    """`DrawHash(identity..., seed)`: a 64-bit unsigned hash, independent between seeds."""

    inherit_cache = True


class JsonText(FunctionElement[str]):
    """A value of JSON as its JSON text."""

    inherit_cache = True


class ShortHash(FunctionElement[str]):
    """A short text that stands for binary data; equal data, equal text."""

    inherit_cache = True


class EpochSeconds(FunctionElement[float]):
    """Seconds since 1970 of a date or time as a float; one without zone is read as UTC. NULL at infinity."""

    inherit_cache = True


class FromEpoch(FunctionElement[Any]):
    """`FromEpoch(x, units_per_second)`: the time without zone, in UTC, of an epoch number; NULL if year > 9999."""

    inherit_cache = True


class LocalTime(FunctionElement[Any]):
    """`LocalTime(instant, zone)`: an instant (time with zone) as naive time of the zone's wall clock."""

    inherit_cache = True


class LocalFromUtc(FunctionElement[Any]):
    """`LocalFromUtc(naive, zone)`: naive time in UTC as naive time of the zone's wall clock."""

    inherit_cache = True


class IsoInstant(FunctionElement[Any]):
    """`IsoInstant(text, zone)`: the instant an ISO text names, without offset in the zone; NULL if none."""

    inherit_cache = True


class AsDouble(FunctionElement[float]):
    """A number of any type as a float; NULL where it cannot be one, if the engine can say so."""

    inherit_cache = True


class AsTimestamp(FunctionElement[Any]):
    """A date or naive time as a naive time; NULL where it cannot be one, if the engine can say so."""

    inherit_cache = True


class Floor(FunctionElement[Any]):
    """`Floor(naive time, cadence)`: the start of its hour, day or ISO week (from Monday)."""

    inherit_cache = True


class TimeLiteral(sa.ColumnElement[Any]):
    """A date or time written out: `kind` is DATE, TIMESTAMP or TIMESTAMPTZ, `text` its ISO form."""

    inherit_cache = False
    __visit_name__ = "time_literal"

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text


def arguments(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> list[str]:
    """The construct's arguments as SQL text of the compiler's dialect."""
    return [compiler.process(clause, **options) for clause in element.clauses]


def constant(element: FunctionElement[Any], position: int) -> Any:
    """The Python value of an argument that was given as a literal."""
    clause = list(element.clauses)[position]
    return clause.value if isinstance(clause, sa.BindParameter) else None


def raw(sql: str) -> Expression:
    """SQL that a person wrote, in parentheses; a comment at its end cannot swallow them."""
    return sa.literal_column(f"({sql}\n)" if "--" in sql else f"({sql})")


def template(construct: type[FunctionElement[Any]], text: str, dialect: str | None = None) -> None:
    """Compile `construct` on `dialect` (None: on all) to `text` with {0}, {1} for its arguments, {rest} from {1} on."""

    def render(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
        written = arguments(element, compiler, **options)
        return text.format(*written, rest=", ".join(written[1:]))

    register: Callable[..., Any] = compiles(construct, dialect) if dialect else compiles(construct)
    register(render)


_WHITE = "' ' || chr(9) || chr(10) || chr(13)"
template(CountIf, "count(CASE WHEN {0} THEN 1 END)")
template(IsBlank, f"btrim({{0}}, {_WHITE}) = ''")
template(IsMissing, f"({{0}} IS NULL OR btrim({{0}}, {_WHITE}) = '')")
template(EpochSeconds, "EXTRACT(EPOCH FROM {0})")
template(LocalTime, "({0} AT TIME ZONE {1})")
template(LocalFromUtc, "(({0} AT TIME ZONE 'UTC') AT TIME ZONE {1})")
template(Floor, "date_trunc({1}, {0})")
template(AsDouble, "CAST({0} AS DOUBLE PRECISION)")
template(AsTimestamp, "CAST({0} AS TIMESTAMP)")
template(JsonText, "CAST({0} AS TEXT)")
template(Comparable, "{0}")
template(ByBytes, "{0}")
template(RowNumber, "row_number() OVER ()")

template(AsDouble, "TRY_CAST({0} AS DOUBLE)", DUCKDB)
template(AsTimestamp, "TRY_CAST({0} AS TIMESTAMP)", DUCKDB)
template(CountIf, "coalesce(count_if({0}), 0)", DUCKDB)  # over no known condition DuckDB answers NULL
# Almost no text sorts before '!', so the costly trim runs on few rows; CASE is what DuckDB evaluates lazily.
template(IsBlank, f"CASE WHEN {{0}} < '!' THEN trim({{0}}, {_WHITE}) = '' END", DUCKDB)
template(IsMissing, f"CASE WHEN {{0}} < '!' THEN trim({{0}}, {_WHITE}) = '' ELSE {{0}} IS NULL END", DUCKDB)
template(Finite, "CASE WHEN isfinite({0}) THEN {0} END", DUCKDB)
template(IsNonfinite, "NOT isfinite({0})", DUCKDB)
template(Tame, "CASE WHEN abs({0}) < 1e150 THEN {0} END", DUCKDB)
template(ApproxDistinct, "approx_count_distinct({0})", DUCKDB)
template(ShortHash, "left(md5({0}), 16)", DUCKDB)
template(EpochSeconds, "epoch({0})", DUCKDB)


@compiles(DrawHash, DUCKDB)
def _draw_hash(element: DrawHash, compiler: SQLCompiler, **options: Any) -> str:
    # A hash of several values only XORs their hashes: without the outer one, seeds would draw disjoint buckets.
    return f"hash(hash({', '.join(arguments(element, compiler, **options))}))"


@compiles(RowHash, DUCKDB)
def _row_hash(element: RowHash, compiler: SQLCompiler, **options: Any) -> str:
    return f"hash({', '.join(arguments(element, compiler, **options))})"


@compiles(Quantiles, DUCKDB)
def _quantiles(element: Quantiles, compiler: SQLCompiler, **options: Any) -> str:
    value, *fractions = arguments(element, compiler, **options)
    return f"approx_quantile({value}, [{', '.join(fractions)}])"


@compiles(FromEpoch, DUCKDB)
def _from_epoch(element: FromEpoch, compiler: SQLCompiler, **options: Any) -> str:
    value = arguments(element, compiler, **options)[0]
    unit = int(constant(element, 1))
    low, high = (bound * unit for bound in YEARS_S)
    scaled = value if unit == 1_000_000 else f"CAST({value} AS DOUBLE) * {1_000_000 // unit}"  # exact until 2255
    micros = f"CAST({scaled} AS BIGINT)"
    return f"CASE WHEN {value} >= {low} AND {value} < {high} THEN make_timestamp({micros}) END"


@compiles(LocalTime, DUCKDB)
def _local_time(element: LocalTime, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    if constant(element, 1) == "UTC":  # the session's own zone: a plain cast is much cheaper than the calendar
        return f"CAST({value} AS TIMESTAMP)"
    return f"timezone({zone}, {value})"


@compiles(LocalFromUtc, DUCKDB)
def _local_from_utc(element: LocalFromUtc, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    return value if constant(element, 1) == "UTC" else f"timezone({zone}, CAST({value} AS TIMESTAMPTZ))"


@compiles(IsoInstant, DUCKDB)
def _iso_instant(element: IsoInstant, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    if constant(element, 1) == "UTC":
        return f"TRY_CAST({value} AS TIMESTAMPTZ)"
    return (  # a cast to TIMESTAMP drops the offset and one to TIMESTAMPTZ invents UTC, so look for one first
        f"CASE WHEN regexp_matches(substr({value}, 14), '[-+A-Za-z]') THEN TRY_CAST({value} AS TIMESTAMPTZ)"
        f" ELSE timezone({zone}, TRY_CAST({value} AS TIMESTAMP)) END"
    )


@compiles(TimeLiteral)
def _time_literal(element: TimeLiteral, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"{element.kind} '{element.text}'"


class TypedColumn(sa.ColumnClause[Any]):
    """A column whose engine type the compiling of a construct may ask for."""

    inherit_cache = False

    def __init__(self, column: Column) -> None:
        super().__init__(sa.quoted_name(column.name, quote=True))
        self.engine_type = column.type

    @property
    def _constructor(self) -> Any:  # type: ignore[override]
        """What stands for the column outside of a subquery that selects it: a plain column."""
        return sa.ColumnClause


def columns_of(names: Sequence[str]) -> list[Expression]:
    """The columns called `names`, always quoted."""
    return [sa.column(sa.quoted_name(name, quote=True)) for name in names]
