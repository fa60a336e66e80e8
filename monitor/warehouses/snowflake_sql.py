"""The constructs of `monitor.warehouses.constructs` as Snowflake writes them, and its dialect for compiling.

Names are quoted as the catalog has them, and so are our own labels: unquoted ones would come back in capitals. The
session's parameters (`monitor.warehouses.snowflake_login`) settle what depends on them: times without zone are UTC,
weeks begin on Monday, texts are read as ISO times.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from snowflake.sqlalchemy.base import SnowflakeIdentifierPreparer
from snowflake.sqlalchemy.snowdialect import SnowflakeDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from monitor.warehouses.constructs import (
    YEARS_S,
    ApproxDistinct,
    AsDouble,
    AsTimestamp,
    CountIf,
    DrawHash,
    EpochSeconds,
    Finite,
    FromEpoch,
    IsBlank,
    IsMissing,
    IsNonfinite,
    IsoInstant,
    JsonText,
    LocalFromUtc,
    LocalTime,
    Quantiles,
    RowHash,
    RowNumber,
    ShortHash,
    Tame,
    TimeLiteral,
    TypedColumn,
    arguments,
    constant,
    template,
)

SNOWFLAKE = "snowflake"
_TYPES = {"DATE": "DATE", "TIMESTAMP": "TIMESTAMP_NTZ", "TIMESTAMPTZ": "TIMESTAMP_TZ"}
_WHITE = "' ' || CHR(9) || CHR(10) || CHR(13)"
_INFINITY = "CAST('inf' AS DOUBLE)"


class SameHash(FunctionElement[int]):
    """A hash of the row that tells identical rows apart by nothing: `DrawHash` takes it with a number among equals."""

    inherit_cache = True


class Preparer(SnowflakeIdentifierPreparer):
    """Writes every name and label quoted, in the case it has."""

    def format_label(self, label: Any, name: str | None = None) -> str:
        """A label, quoted, so that it comes back as it was written."""
        return self.quote_identifier(str(name or label.name))

    def quote_schema(self, schema: str, force: Any = None) -> str:  # noqa: ARG002 - SQLAlchemy passes it
        """A schema as one name: a dot in it is a character, not a separator; the catalog's own stays unquoted."""
        return schema if schema.upper() == "INFORMATION_SCHEMA" else self.quote_identifier(str(schema))


class Dialect(SnowflakeDialect):
    """Snowflake's dialect, with `Preparer`."""

    preparer = Preparer
    supports_statement_cache = False


template(IsBlank, f"TRIM({{0}}, {_WHITE}) = ''", SNOWFLAKE)
template(IsMissing, f"({{0}} IS NULL OR TRIM({{0}}, {_WHITE}) = '')", SNOWFLAKE)
template(CountIf, "COUNT(CASE WHEN {0} THEN 1 END)", SNOWFLAKE)  # COUNT_IF is NULL where no condition is known
template(IsNonfinite, f"NOT (ABS({{0}}) < {_INFINITY})", SNOWFLAKE)  # NaN is greater than infinity
template(Tame, "CASE WHEN ABS({0}) < 1e150 THEN {0} END", SNOWFLAKE)
template(ApproxDistinct, "APPROX_COUNT_DISTINCT({0})", SNOWFLAKE)
template(JsonText, "TO_JSON({0})", SNOWFLAKE)
template(ShortHash, "LEFT(MD5(HEX_ENCODE({0})), 16)", SNOWFLAKE)
template(EpochSeconds, "CAST(DATE_PART(EPOCH_MICROSECOND, {0}) AS DOUBLE) / 1000000", SNOWFLAKE)
template(AsDouble, "CAST({0} AS DOUBLE)", SNOWFLAKE)
template(AsTimestamp, "CAST({0} AS TIMESTAMP_NTZ)", SNOWFLAKE)
template(LocalTime, "CAST(CONVERT_TIMEZONE({1}, {0}) AS TIMESTAMP_NTZ)", SNOWFLAKE)
template(RowNumber, "ROW_NUMBER() OVER (ORDER BY NULL)", SNOWFLAKE)


@compiles(Finite, SNOWFLAKE)
def _finite(element: Finite, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = arguments(element, compiler, **options)
    column = next(iter(element.clauses))
    if isinstance(column, TypedColumn) and column.engine_type.upper().startswith(("DATE", "TIMESTAMP")):
        return value  # no date or time is infinite here
    return f"CASE WHEN ABS({value}) < {_INFINITY} THEN {value} END"


@compiles(Quantiles, SNOWFLAKE)
def _quantiles(element: Quantiles, compiler: SQLCompiler, **options: Any) -> str:
    """JSON, and NULL as a whole where there is no value: an array's own text has `undefined` for NULL."""
    value, *fractions = arguments(element, compiler, **options)
    listed = " || ',' || ".join(f"CAST(APPROX_PERCENTILE({value}, {fraction}) AS VARCHAR)" for fraction in fractions)
    return f"('[' || {listed} || ']')"


@compiles(RowHash, SNOWFLAKE)
@compiles(SameHash, SNOWFLAKE)
def _row_hash(element: RowHash, compiler: SQLCompiler, **options: Any) -> str:
    return f"HASH({', '.join(arguments(element, compiler, **options))})"


@compiles(DrawHash, SNOWFLAKE)
def _draw_hash(element: DrawHash, compiler: SQLCompiler, **options: Any) -> str:
    """MD5 and not HASH, of which nobody says how it combines its arguments: draws of two seeds must be independent."""
    texts = [f"CAST({part} AS VARCHAR)" for part in arguments(element, compiler, **options)]
    return f"MD5_NUMBER_LOWER64({' || CHR(58) || '.join(texts)})"


@compiles(FromEpoch, SNOWFLAKE)
def _from_epoch(element: FromEpoch, compiler: SQLCompiler, **options: Any) -> str:
    value = arguments(element, compiler, **options)[0]
    unit = int(constant(element, 1))
    scaled = value if unit == 1_000_000 else f"{value} * {1_000_000 // unit}"
    made = f"DATEADD(MICROSECOND, CAST({scaled} AS NUMBER(38, 0)), CAST('1970-01-01' AS TIMESTAMP_NTZ))"
    low, high = (bound * unit for bound in YEARS_S)
    return f"CASE WHEN {value} >= {low} AND {value} < {high} THEN {made} END"


@compiles(LocalFromUtc, SNOWFLAKE)
def _local_from_utc(element: LocalFromUtc, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    return value if constant(element, 1) == "UTC" else f"CONVERT_TIMEZONE('UTC', {zone}, {value})"


@compiles(IsoInstant, SNOWFLAKE)
def _iso_instant(element: IsoInstant, compiler: SQLCompiler, **options: Any) -> str:
    """Only texts that look like ISO dates: Snowflake also reads '17' as a time, in seconds since 1970."""
    value, zone = arguments(element, compiler, **options)
    dated = f"{value} LIKE '____-__-__%'"
    zoned = f"TRY_TO_TIMESTAMP_TZ({value})"
    if constant(element, 1) == "UTC":  # the session's own
        return f"CASE WHEN {dated} THEN {zoned} END"
    naive = f"CAST(CONVERT_TIMEZONE({zone}, 'UTC', TRY_TO_TIMESTAMP_NTZ({value})) AS TIMESTAMP_TZ)"
    offset = f"REGEXP_LIKE(SUBSTR({value}, 14), '.*[-+A-Za-z].*')"
    return f"CASE WHEN NOT {dated} THEN NULL WHEN {offset} THEN {zoned} ELSE {naive} END"


@compiles(TimeLiteral, SNOWFLAKE)
def _time_literal(element: TimeLiteral, _compiler: SQLCompiler, **_options: Any) -> str:
    text = element.text.replace(" ", "T") if element.kind == "TIMESTAMPTZ" else element.text
    return f"CAST('{text}' AS {_TYPES[element.kind]})"


def hashable_type(engine_type: str) -> bool:
    """Whether HASH takes values of this type."""
    return not engine_type.upper().startswith(("GEOGRAPHY", "GEOMETRY", "VECTOR", "FILE"))


def number_among_equals(hashed: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Numbers the rows of one hash, in any order: where they are identical, it does not matter which is which."""
    return sa.func.row_number().over(partition_by=hashed, order_by=hashed)
