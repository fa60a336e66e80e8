"""The constructs of `monitor.warehouses.constructs` as PostgreSQL writes them; nothing newer than its version 14.

What a column's type lets do, such as hashing, is read off `TypedColumn.engine_type`.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from monitor.warehouses.constructs import (
    YEARS_S,
    ApproxDistinct,
    AsDouble,
    AsTimestamp,
    ByBytes,
    Comparable,
    CountIf,
    DrawHash,
    EpochSeconds,
    Finite,
    FromEpoch,
    IsBlank,
    IsMissing,
    IsNonfinite,
    IsoInstant,
    LocalFromUtc,
    Quantiles,
    RowHash,
    RowNumber,
    ShortHash,
    Tame,
    TypedColumn,
    arguments,
    constant,
    template,
)

POSTGRES = "postgresql"
_WHITE = r"E' \t\n\r'"
_DOUBLE_MAX = "1.7976931348623157e308"
_HALF_SPAN = 2**63
_SEED = 7_201_530_094_211_083
# Types with an equality, a hash and a cheap comparison of their own; all others are compared as text.
_PLAIN = re.compile(
    r"(smallint|integer|bigint|numeric|real|double precision|boolean|date|time|timestamp|uuid|oid)\b(?!.*\])",
    re.IGNORECASE,
)
_TEXTS = re.compile(r"(text|character|varchar|bpchar|name|citext)\b(?!.*\])", re.IGNORECASE)
# ISO 8601 alone: PostgreSQL itself also reads 'now' and 'Feb 8', and fails with the whole statement on 30 February.
_ISO_DATE = r"(?!0000)\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2\d))"
_ISO_CLOCK = r"([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.]\d{1,9})?)?([Zz]|[-+](0\d|1[0-4])(:?[0-5]\d)?)?)?"

template(CountIf, "count(*) FILTER (WHERE {0})", POSTGRES)
template(Quantiles, "percentile_cont(ARRAY[{rest}]) WITHIN GROUP (ORDER BY {0})", POSTGRES)
# Almost no text sorts before '!' by its bytes, so the costly trim runs on few rows.
template(IsBlank, f"CASE WHEN {{0}} COLLATE \"C\" < '!' THEN btrim({{0}}, {_WHITE}) = '' END", POSTGRES)
template(
    IsMissing, f"CASE WHEN {{0}} COLLATE \"C\" < '!' THEN btrim({{0}}, {_WHITE}) = '' ELSE {{0}} IS NULL END", POSTGRES
)
# NaN is greater than infinity here, so the comparisons leave it out as well; the same text serves dates.
template(IsNonfinite, "NOT ({0} > '-infinity' AND {0} < 'infinity')", POSTGRES)
template(Tame, "CASE WHEN abs({0}) < 1e150 THEN CAST({0} AS DOUBLE PRECISION) END", POSTGRES)
template(ShortHash, "left(md5({0}), 16)", POSTGRES)
template(EpochSeconds, "CASE WHEN isfinite({0}) THEN date_part('epoch', {0}) END", POSTGRES)
template(AsTimestamp, "CASE WHEN {0} >= '0001-01-01' AND {0} < '10000-01-01' THEN CAST({0} AS TIMESTAMP) END", POSTGRES)
template(ByBytes, '{0} COLLATE "C"', POSTGRES)
# A call that must not run in parallel keeps the scan in one process, and with it the order in which rows are numbered.
template(RowNumber, "row_number() OVER () + length(set_config('daywatch.serial', '', true))", POSTGRES)


def _type_of(clause: object) -> str:
    return clause.engine_type if isinstance(clause, TypedColumn) else ""


def _hashable(element: sa.ColumnElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    text = str(compiler.process(element, **options))
    return text if _PLAIN.match(_type_of(element)) or _TEXTS.match(_type_of(element)) else f"CAST({text} AS TEXT)"


@compiles(Finite, POSTGRES)
def _finite(element: Finite, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = arguments(element, compiler, **options)
    if _type_of(next(iter(element.clauses))).lower().startswith("numeric"):  # may be beyond what a float holds
        return f"CASE WHEN abs({value}) <= {_DOUBLE_MAX} THEN {value} END"
    return f"CASE WHEN {value} > '-infinity' AND {value} < 'infinity' THEN {value} END"


@compiles(AsDouble, POSTGRES)
def _as_double(element: AsDouble, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = arguments(element, compiler, **options)
    if _type_of(next(iter(element.clauses))).lower().startswith("numeric"):
        return f"CASE WHEN abs({value}) <= {_DOUBLE_MAX} THEN CAST({value} AS DOUBLE PRECISION) END"
    return f"CAST({value} AS DOUBLE PRECISION)"


@compiles(Comparable, POSTGRES)
def _comparable(element: Comparable, compiler: SQLCompiler, **options: Any) -> str:
    return _hashable(next(iter(element.clauses)), compiler, **options)


@compiles(ApproxDistinct, POSTGRES)
def _approx_distinct(element: ApproxDistinct, compiler: SQLCompiler, **options: Any) -> str:
    """Exact, in fact: there is no sketch in PostgreSQL. Texts are counted by their hash, which sorts twice as fast."""
    column = next(iter(element.clauses))
    text = str(compiler.process(column, **options))
    if _PLAIN.match(_type_of(column)):
        return f"count(DISTINCT {text})"
    return f"count(DISTINCT hashtextextended(CAST({text} AS TEXT), 0))"


@compiles(RowHash, POSTGRES)
def _row_hash(element: RowHash, compiler: SQLCompiler, **options: Any) -> str:
    values = [_hashable(column, compiler, **options) for column in element.clauses]
    return f"hash_record_extended(ROW({', '.join(values)}), {_SEED})"  # with seed 0, NULL and 0.0 would be one


@compiles(DrawHash, POSTGRES)
def _draw_hash(element: DrawHash, compiler: SQLCompiler, **options: Any) -> str:
    """Each part of the identity hashed with the hash of those before as its seed; as a float from 0 to 2**64."""
    *identity, hashed = arguments(element, compiler, **options)
    functions = {"ctid": "hashtidextended", "tableoid": "hashoidextended"}
    for part in identity:
        hashed = f"{functions.get(part, 'hashint8extended')}({part}, {hashed})"
    return f"(CAST({hashed} AS DOUBLE PRECISION) + {_HALF_SPAN})"


@compiles(FromEpoch, POSTGRES)
def _from_epoch(element: FromEpoch, compiler: SQLCompiler, **options: Any) -> str:
    value = arguments(element, compiler, **options)[0]
    unit = int(constant(element, 1))
    low, high = (bound * unit for bound in YEARS_S)
    seconds = f"CAST({value} AS DOUBLE PRECISION)" + (f" / {unit}" if unit > 1 else "")
    return (
        f"CASE WHEN {value} >= {low} AND {value} < {high} THEN CAST(to_timestamp({seconds}) AT TIME ZONE 'UTC'"
        " AS TIMESTAMP) END"
    )


@compiles(LocalFromUtc, POSTGRES)
def _local_from_utc(element: LocalFromUtc, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    return value if constant(element, 1) == "UTC" else f"(({value} AT TIME ZONE 'UTC') AT TIME ZONE {zone})"


@compiles(IsoInstant, POSTGRES)
def _iso_instant(element: IsoInstant, compiler: SQLCompiler, **options: Any) -> str:
    value, zone = arguments(element, compiler, **options)
    text = f"CAST({value} AS TEXT)"
    year = f"CAST(left({text}, 4) AS INTEGER)"
    leap = f"({year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0))"
    return (
        f"CASE WHEN {text} !~ '^{_ISO_DATE}{_ISO_CLOCK}$' THEN NULL"
        f" WHEN substr({text}, 6, 5) = '02-29' AND NOT {leap} THEN NULL"
        f" WHEN substr({text}, 14) ~ '[-+Zz]' THEN CAST({text} AS TIMESTAMPTZ)"
        f" ELSE CAST({text} AS TIMESTAMP) AT TIME ZONE {zone} END"
    )
