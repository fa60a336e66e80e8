"""Values compared between tables: natively, and as texts that are the same on every engine.

`aligned` brings both columns of a pair to one type of their engine; `canonical` writes such a value as text. Equal
values have equal texts on all engines, different values different ones; only JSON is written in as many ways as there
are engines, and whoever compares such texts has to read them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from monitor.types import Column, ColumnKind
from monitor.warehouses.constructs import (
    DUCKDB,
    AsDouble,
    Expression,
    JsonText,
    LocalTime,
    TypedColumn,
    arguments,
    template,
)
from monitor.warehouses.frames import is_zoned

POSTGRES, SNOWFLAKE = "postgresql", "snowflake"
WHOLE_FLOAT_MAX = "9e18"
"""Floats without a fraction are written as whole numbers below this, as no engine agrees where exponents begin."""


class Form(StrEnum):
    """What both columns of a pair are compared as."""

    WHOLE = "whole number"
    DECIMAL = "decimal number"
    REAL = "float of 4 bytes"
    DOUBLE = "float"
    TEXT = "text"
    CODE = "uuid"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    JSON = "json"
    BINARY = "binary"
    OTHER = "other"


NUMBERS = frozenset({Form.WHOLE, Form.DECIMAL, Form.REAL, Form.DOUBLE})
FLOATS = frozenset({Form.REAL, Form.DOUBLE})
TIMES = frozenset({Form.DATE, Form.TIMESTAMP})

_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\d*|(NUMBER|DECIMAL|NUMERIC)\(\d+,\s*0\)", re.IGNORECASE)
_WIDE = re.compile(r"U?HUGEINT|UBIGINT|(NUMBER|DECIMAL|NUMERIC)\(.*", re.IGNORECASE)
_REAL = re.compile(r"REAL|FLOAT4?", re.IGNORECASE)
_DOUBLE = re.compile(r"DOUBLE.*|FLOAT.*|DECFLOAT", re.IGNORECASE)
_SIZED = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")
_PLAIN_TEXTS = re.compile(r"(text|varchar|character varying|string)\b.*", re.IGNORECASE)


class Exactly(FunctionElement[str]):
    """A text that equals only the text of the same characters, whatever its collation."""

    inherit_cache = True


class SameKey(FunctionElement[bool]):
    """`SameKey(a, b, known)`: both are equal or both NULL, in a way that a hash join can use; `known` is any value."""

    inherit_cache = True


class AsReal(FunctionElement[float]):
    """A number as a float of four bytes; the statement fails where it is too large for one."""

    inherit_cache = True


class HasBit(FunctionElement[bool]):
    """`HasBit(number, bit)`: whether the bit is set in it."""

    inherit_cache = True


class FloatText(FunctionElement[str]):
    """A float's shortest text that reads back as the same float; whole numbers without a point."""

    inherit_cache = True


class PlainNumber(FunctionElement[str]):
    """A decimal's text without zeros at the end of its fraction."""

    inherit_cache = True


class TimestampText(FunctionElement[str]):
    """A naive time as `2013-02-08 05:00:00.5`, microseconds without zeros at the end."""

    inherit_cache = True


class TimeText(FunctionElement[str]):
    """A time of day, likewise."""

    inherit_cache = True


class HexText(FunctionElement[str]):
    """Binary data in small hexadecimal digits."""

    inherit_cache = True


class Previous(FunctionElement[Any]):
    """The value in the row before, in whatever order rows are read; only on engines that need no order for it."""

    inherit_cache = True


class Digest(FunctionElement[int]):
    """The last 48 bits of the MD5 of a text as a whole number, the same on every engine."""

    inherit_cache = True


class Spaced(FunctionElement[str]):
    """A text with every run of white space as one blank, and none at its ends."""

    inherit_cache = True


template(Exactly, "{0}")
template(Exactly, '{0} COLLATE "C"', DUCKDB)
template(Exactly, '{0} COLLATE "C"', POSTGRES)
template(SameKey, "{0} IS NOT DISTINCT FROM {1}")
template(SameKey, "(coalesce({0}, {2}) = coalesce({1}, {2}) AND ({0} IS NULL) = ({1} IS NULL))", POSTGRES)
template(AsReal, "CAST({0} AS REAL)")
template(AsReal, "CASE WHEN abs({0}) < 1.2e-38 THEN 0 ELSE CAST({0} AS REAL) END", POSTGRES)  # which fails there
template(HasBit, "({0} & {1}) <> 0")
template(HasBit, "BITAND({0}, {1}) <> 0", SNOWFLAKE)
_FLOAT = (
    f"(CASE WHEN abs({{0}}) < {WHOLE_FLOAT_MAX} AND floor({{0}}) = {{0}} THEN CAST(CAST({{0}} AS BIGINT) AS VARCHAR)"
    " WHEN abs({0}) >= 1e15 AND abs({0}) < 9e15"  # the only fractions that some engines write with an exponent
    " THEN CAST(CAST(floor({0}) AS BIGINT) AS VARCHAR) || '+' || CAST({0} - floor({0}) AS VARCHAR)"
    " ELSE lower(replace(CAST({0} AS VARCHAR), '%s', '%s')) END)"
)
template(FloatText, _FLOAT % ("Infinity", "inf"))
template(FloatText, f"replace({_FLOAT % ('.0e', 'e')}, '-nan', 'nan')", DUCKDB)  # where NaN has a sign
_TRIMMED = "CASE WHEN {0} LIKE '%.%' THEN rtrim(rtrim({0}, '0'), '.') ELSE {0} END"
template(PlainNumber, "CAST(trim_scale({0}) AS TEXT)", POSTGRES)
template(PlainNumber, _TRIMMED.replace("{0}", "CAST({0} AS VARCHAR)"))
_SHORTENED = "CASE WHEN {0} LIKE '%.%' THEN REGEXP_REPLACE({0}, '[.]?0+$', '') ELSE {0} END"
template(PlainNumber, _SHORTENED.replace("{0}", "CAST({0} AS VARCHAR)"), SNOWFLAKE)
template(TimestampText, "CAST({0} AS TEXT)", POSTGRES)
template(TimestampText, "CAST({0} AS VARCHAR)", DUCKDB)
template(TimestampText, _SHORTENED.replace("{0}", "TO_VARCHAR({0}, 'YYYY-MM-DD HH24:MI:SS.FF6')"), SNOWFLAKE)
template(TimeText, "CAST({0} AS VARCHAR)")
template(TimeText, _SHORTENED.replace("{0}", "TO_VARCHAR({0}, 'HH24:MI:SS.FF6')"), SNOWFLAKE)
template(HexText, "lower(hex({0}))", DUCKDB)
template(HexText, "encode({0}, 'hex')", POSTGRES)
template(HexText, "LOWER(HEX_ENCODE({0}))", SNOWFLAKE)
template(Digest, "CAST('0x' || substr(md5({0}), 21, 12) AS BIGINT)", DUCKDB)
template(Digest, "CAST(CAST('x' || substr(md5({0}), 21, 12) AS bit(48)) AS BIGINT)", POSTGRES)
template(Digest, "MOD(MD5_NUMBER_LOWER64({0}), 281474976710656)", SNOWFLAKE)
template(Previous, "lag({0}) OVER ()", DUCKDB)
template(Previous, "lag({0}) OVER ()", POSTGRES)
template(Spaced, "trim(regexp_replace({0}, '\\s+', ' ', 'g'))")
template(Spaced, "TRIM(REGEXP_REPLACE({0}, '\\\\s+', ' '))", SNOWFLAKE)


class Text(FunctionElement[str]):
    """Anything as the engine's own text of it."""

    inherit_cache = True


template(Text, "CAST({0} AS VARCHAR)")
template(Text, "CAST({0} AS TEXT)", POSTGRES)


class Canonical(FunctionElement[str]):
    """`Canonical(x)` of a boolean: `true` or `false`."""

    inherit_cache = True


@compiles(Canonical)
def _canonical_boolean(element: Canonical, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = arguments(element, compiler, **options)
    return f"CASE WHEN {value} THEN 'true' WHEN NOT ({value}) THEN 'false' END"


def form_of(a: Column, b: Column, dialects: tuple[str, str]) -> Form | None:
    """What values of the two columns are compared as; None where they cannot be.

    Args:
        a: a column of the one table.
        b: a column of the other.
        dialects: the names of the SQLAlchemy dialects of both.

    >>> from monitor.types import ColumnKind
    >>> whole, text = Column("n", ColumnKind.NUMBER, "BIGINT"), Column("t", ColumnKind.TEXT, "VARCHAR")
    >>> form_of(whole, Column("x", ColumnKind.NUMBER, "DOUBLE"), ("duckdb", "duckdb")).value
    'float'
    >>> form_of(whole, text, ("duckdb", "duckdb")) is None
    True
    """
    kinds = {a.kind, b.kind}
    if kinds == {ColumnKind.NUMBER}:
        return _number_form(a, b, dialects)
    if kinds == {ColumnKind.TEXT}:
        return Form.CODE if any(c.type.upper() == "UUID" for c in (a, b)) else Form.TEXT
    if kinds == {ColumnKind.DATE, ColumnKind.TIMESTAMP}:
        return Form.TIMESTAMP
    if kinds == {ColumnKind.JSON, ColumnKind.TEXT}:
        return Form.JSON
    if kinds == {ColumnKind.OTHER}:
        return Form.OTHER if dialects[0] == dialects[1] and a.type == b.type else None
    return Form(a.kind.value) if len(kinds) == 1 else None


def _number_form(a: Column, b: Column, dialects: tuple[str, str]) -> Form:
    if _is_real(a, dialects[0]) or _is_real(b, dialects[1]):
        return Form.REAL if SNOWFLAKE not in dialects else Form.DOUBLE
    if any(_DOUBLE.fullmatch(column.type) for column in (a, b)):
        return Form.DOUBLE
    return Form.WHOLE if all(_WHOLE.fullmatch(column.type) for column in (a, b)) else Form.DECIMAL


def _is_real(column: Column, dialect: str) -> bool:
    return dialect != SNOWFLAKE and _REAL.fullmatch(column.type) is not None


def aligned(column: Column, other: Column, form: Form, timezone: str, dialect: str) -> Expression:
    """The SQL of the column's value in the type that it shares with `other`, natively comparable."""
    plain = TypedColumn(column)
    if form in NUMBERS:
        return _aligned_number(plain, column, other, form, dialect)
    if form in {Form.TEXT, Form.CODE}:
        text = plain if _PLAIN_TEXTS.fullmatch(column.type) else Text(plain)
        return Exactly(sa.func.lower(text) if form is Form.CODE else text)
    if form is Form.TIMESTAMP:
        zone = "UTC" if is_zoned(other) else timezone
        if is_zoned(column):
            return LocalTime(plain, sa.literal(zone))
        return sa.cast(plain, sa.TIMESTAMP) if column.kind is ColumnKind.DATE else plain
    if form is Form.JSON:
        return Exactly(plain if column.kind is ColumnKind.TEXT else JsonText(plain))
    if form is Form.OTHER and dialect == POSTGRES:
        return Exactly(Text(plain))
    return plain


def is_exact(form: Form, dialect: str) -> bool:
    """Whether aligned values of the form are texts that are compared by their characters."""
    return form in {Form.TEXT, Form.CODE, Form.JSON} or (form is Form.OTHER and dialect == POSTGRES)


def _aligned_number(plain: Expression, column: Column, other: Column, form: Form, dialect: str) -> Expression:
    if form is Form.REAL:
        return plain if _REAL.fullmatch(column.type) else AsReal(plain)
    if form is Form.DOUBLE:
        # A number that no float holds fails the statement: as NULL it would be equal to NULL.
        return plain if column.type.upper().startswith("DOUBLE") else sa.cast(plain, sa.Double)
    if column.type == other.type or (dialect == POSTGRES and form is Form.WHOLE):
        return plain
    return _widened(plain, column, other, form, dialect)


def _widened(plain: Expression, column: Column, other: Column, form: Form, dialect: str) -> Expression:
    """Decimals of different sizes as decimals that hold both, or as floats where none does."""
    if dialect == POSTGRES:
        return sa.cast(plain, sa.Numeric)
    if form is Form.WHOLE and not any(_WIDE.fullmatch(c.type) for c in (column, other)):
        return sa.cast(plain, sa.BigInteger)
    sizes = [_size(c.type) for c in (column, other)]
    whole, scale = max(p - s for p, s in sizes), max(s for _, s in sizes)
    return sa.cast(plain, sa.Numeric(whole + scale, scale)) if whole + scale <= 38 else AsDouble(plain)


def _size(engine_type: str) -> tuple[int, int]:
    """Digits in all and behind the point."""
    found = _SIZED.search(engine_type)
    if found:
        return int(found[1]), int(found[2] or 0)
    upper = engine_type.upper()
    return (38 if "HUGE" in upper else 20 if "BIG" in upper else 10, 0)


def canonical(value: Expression, form: Form, column: Column) -> Expression:
    """The text of an aligned value, the same on every engine; NULL stays NULL."""
    if form in FLOATS:  # floats of four bytes are written as eight: engines shorten them differently
        return FloatText(sa.cast(value, sa.Double) if form is Form.REAL else value)
    if form is Form.DECIMAL:
        return PlainNumber(value) if not _WHOLE.fullmatch(column.type) else Text(value)
    if form is Form.TIMESTAMP:
        return TimestampText(value)
    if form is Form.BOOLEAN:
        return Canonical(value)
    if form is Form.TIME:
        return TimeText(value)
    if form is Form.BINARY:
        return HexText(value)
    return value if form in {Form.TEXT, Form.CODE, Form.JSON} else Text(value)


_TYPES = {
    Form.WHOLE: "bigint",
    Form.DECIMAL: "numeric",
    Form.REAL: "real",
    Form.DOUBLE: "double precision",
    Form.BOOLEAN: "boolean",
    Form.DATE: "date",
    Form.TIMESTAMP: "timestamp without time zone",
    Form.TIME: "time without time zone",
    Form.BINARY: "bytea",
}


def typed(name: str, form: Form, source: sa.FromClause) -> Expression:
    """A column of a subquery that holds aligned values, which constructs can ask for its type."""
    column = TypedColumn(Column(name, ColumnKind.OTHER, _TYPES.get(form, "text")))
    column.table = source
    return column


def known_value(form: Form) -> Expression:
    """Some value of an aligned form, for SQL that must not meet NULL."""
    if form in NUMBERS:
        return sa.literal(0)
    if form in {Form.TEXT, Form.CODE, Form.JSON, Form.OTHER}:
        return Exactly(sa.literal(""))
    if form is Form.BOOLEAN:
        return sa.false()
    written = {Form.DATE: "DATE '1970-01-01'", Form.TIMESTAMP: "TIMESTAMP '1970-01-01'", Form.TIME: "TIME '00:00'"}
    return sa.literal_column(written.get(form, "''"))


def row_text(values: Sequence[tuple[Expression, Form]]) -> Expression:
    """Canonical texts of a row as one text that no other row has: each with its length where it may hold anything."""
    parts: list[Expression] = []
    for text, form in values:
        marked = sa.literal("=") + text
        if form in {Form.TEXT, Form.JSON, Form.OTHER, Form.CODE}:
            marked = Text(sa.func.length(text)) + marked
        parts.append(sa.func.coalesce(marked, sa.literal("-")))
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + sa.literal("|") + part
    return joined


def zoned_once(a: Column, b: Column) -> bool:
    """Whether one of the two is a time with zone and the other one without."""
    return is_zoned(a) != is_zoned(b)
