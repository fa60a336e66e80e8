"""The SQL that a real Snowflake is sent, held to the letter and to sqlglot's reading of its dialect; nothing is run."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
import sqlalchemy as sa
import sqlglot

from monitor.types import Cadence, Column, ColumnKind, Measure, Table, TimeColumn, TimeForm
from monitor.warehouses import Limits
from monitor.warehouses.constructs import (
    ApproxDistinct,
    AsDouble,
    AsTimestamp,
    Comparable,
    CountIf,
    DrawHash,
    EpochSeconds,
    Expression,
    Finite,
    Floor,
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
    ShortHash,
    Tame,
    TimeLiteral,
    TypedColumn,
    raw,
)
from monitor.warehouses.snowflake import NUMBERED_ROWS_MAX, Snowflake

COLUMNS = (
    Column("ID", ColumnKind.NUMBER, "NUMBER"),
    Column("at", ColumnKind.TIMESTAMP, "TIMESTAMP_LTZ"),
    Column("RATE", ColumnKind.NUMBER, "FLOAT"),
    Column("NAME", ColumnKind.TEXT, "TEXT"),
    Column("DOC", ColumnKind.JSON, "VARIANT"),
    Column("PLACE", ColumnKind.OTHER, "GEOGRAPHY"),
)


class Unconnected(Snowflake):
    """Writes SQL and asks nobody."""

    def __init__(self) -> None:
        super(Snowflake, self).__init__("main", "snowflake://unused", Limits())
        self._schema = "PUBLIC"
        self._known = {("T",): COLUMNS}


@pytest.fixture(scope="module")
def warehouse() -> Unconnected:
    return Unconnected()


def read(sql: str) -> str:
    """The same text, if sqlglot reads it as Snowflake's without taking any of it for something it does not know."""
    tree = sqlglot.parse_one(sql, read="snowflake")
    assert not isinstance(tree, sqlglot.exp.Command)
    return sql


X, S, Z = (sa.column(sa.quoted_name(name, quote=True)) for name in ("X", "s", "Z"))
TRIMMED = "TRIM(\"s\", ' ' || CHR(9) || CHR(10) || CHR(13)) = ''"
CONSTRUCTS: list[tuple[Expression, str]] = [
    (CountIf(raw("a > 1")), "COUNT(CASE WHEN (a > 1) THEN 1 END)"),
    (IsBlank(S), TRIMMED),
    (IsMissing(S), f'("s" IS NULL OR {TRIMMED})'),
    (Finite(X), 'CASE WHEN ABS("X") < CAST(\'inf\' AS DOUBLE) THEN "X" END'),
    (Finite(TypedColumn(COLUMNS[1])), '"at"'),
    (IsNonfinite(X), "NOT (ABS(\"X\") < CAST('inf' AS DOUBLE))"),
    (Tame(X), 'CASE WHEN ABS("X") < 1e150 THEN "X" END'),
    (ApproxDistinct(X), 'APPROX_COUNT_DISTINCT("X")'),
    (Comparable(X), '"X"'),
    (
        Quantiles(X, sa.literal(0.1), sa.literal(0.5)),
        (
            "('[' || CAST(APPROX_PERCENTILE(\"X\", 0.1) AS VARCHAR) || ',' || "
            "CAST(APPROX_PERCENTILE(\"X\", 0.5) AS VARCHAR) || ']')"
        ),
    ),
    (RowHash(X, S), 'HASH("X", "s")'),
    (
        DrawHash(X, S, sa.literal(7)),
        'MD5_NUMBER_LOWER64(CAST("X" AS VARCHAR) || CHR(58) || CAST("s" AS VARCHAR) || CHR(58) || CAST(7 AS VARCHAR))',
    ),
    (JsonText(X), 'TO_JSON("X")'),
    (ShortHash(X), 'LEFT(MD5(HEX_ENCODE("X")), 16)'),
    (EpochSeconds(X), 'CAST(DATE_PART(EPOCH_MICROSECOND, "X") AS DOUBLE) / 1000000'),
    (AsDouble(X), 'CAST("X" AS DOUBLE)'),
    (AsTimestamp(X), 'CAST("X" AS TIMESTAMP_NTZ)'),
    (Floor(X, sa.literal("week")), "date_trunc('week', \"X\")"),
    (
        FromEpoch(X, sa.literal(1_000)),
        (
            'CASE WHEN "X" >= -62135596800000 AND "X" < 253402300800000 THEN DATEADD(MICROSECOND, '
            "CAST(\"X\" * 1000 AS NUMBER(38, 0)), CAST('1970-01-01' AS TIMESTAMP_NTZ)) END"
        ),
    ),
    (LocalTime(Z, sa.literal("Europe/Berlin")), "CAST(CONVERT_TIMEZONE('Europe/Berlin', \"Z\") AS TIMESTAMP_NTZ)"),
    (LocalFromUtc(X, sa.literal("Europe/Berlin")), "CONVERT_TIMEZONE('UTC', 'Europe/Berlin', \"X\")"),
    (LocalFromUtc(X, sa.literal("UTC")), '"X"'),
    (
        IsoInstant(S, sa.literal("UTC")),
        'CASE WHEN "s" LIKE \'____-__-__%\' THEN TRY_TO_TIMESTAMP_TZ("s") END',
    ),
    (
        IsoInstant(S, sa.literal("Europe/Berlin")),
        (
            "CASE WHEN NOT \"s\" LIKE '____-__-__%' THEN NULL"
            ' WHEN REGEXP_LIKE(SUBSTR("s", 14), \'.*[-+A-Za-z].*\') THEN TRY_TO_TIMESTAMP_TZ("s")'
            " ELSE CAST(CONVERT_TIMEZONE('Europe/Berlin', 'UTC', TRY_TO_TIMESTAMP_NTZ(\"s\")) AS TIMESTAMP_TZ) END"
        ),
    ),
    (TimeLiteral("DATE", "2013-02-08"), "CAST('2013-02-08' AS DATE)"),
    (TimeLiteral("TIMESTAMP", "2013-02-08 00:00:00"), "CAST('2013-02-08 00:00:00' AS TIMESTAMP_NTZ)"),
    (
        TimeLiteral("TIMESTAMPTZ", "2013-02-08 00:00:00+01:00"),
        "CAST('2013-02-08T00:00:00+01:00' AS TIMESTAMP_TZ)",
    ),
]


@pytest.mark.parametrize(("construct", "expected"), CONSTRUCTS, ids=lambda value: type(value).__name__)
def test_constructs(warehouse: Unconnected, construct: Expression, expected: str) -> None:
    assert read(warehouse.sql(construct)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("o'brien", "'o''brien'"),
        ("back\\slash", "'back\\\\slash'"),
        ("per%cent", "'per%cent'"),
        (2**64, "18446744073709551616"),
        (True, "true"),
        (dt.date(2013, 2, 8), "CAST('2013-02-08' AS DATE)"),
        (pd.Timestamp("2013-02-08T05:00:00.5"), "CAST('2013-02-08 05:00:00.500000' AS TIMESTAMP_NTZ)"),
        (pd.Timestamp("2013-02-08T05:00+01:00"), "CAST('2013-02-08T05:00:00+01:00' AS TIMESTAMP_TZ)"),
        (None, "NULL"),
    ],
)
def test_literals(warehouse: Unconnected, value: object, expected: str) -> None:
    assert read(warehouse.literal(value)) == expected


def flat(sql: str) -> str:
    return " ".join(read(sql).split())


def table(time: TimeColumn | None = None) -> Table:
    return Table("main.T", "main", ("T",), COLUMNS[:5], time, Cadence.DAY, "Europe/Berlin")


DRAW = (
    'MD5_NUMBER_LOWER64(CAST("daywatch_row_hash" AS VARCHAR) || CHR(58) || CAST("daywatch_row_number" AS VARCHAR)'
    " || CHR(58) || CAST(3 AS VARCHAR))"
)
HASHED = 'HASH("ID", "at", "RATE", "NAME", "DOC")'


def test_a_draw_numbers_identical_rows(warehouse: Unconnected) -> None:
    drawn = flat(warehouse.sql(warehouse._drawn(("T",), [X], [raw("a = 1")], 100, 3, 10_000)))
    assert drawn == (
        f'SELECT "X" FROM (SELECT *, {HASHED} AS "daywatch_row_hash", '
        f'row_number() OVER (PARTITION BY {HASHED} ORDER BY {HASHED}) AS "daywatch_row_number" '
        'FROM "PUBLIC"."T" WHERE (a = 1)) AS numbered '
        f"WHERE {DRAW} < 322818021289917184 ORDER BY {DRAW} LIMIT 100"
    )


def test_a_draw_from_very_many_rows_sorts_none_but_the_drawn(warehouse: Unconnected) -> None:
    drawn = flat(warehouse.sql(warehouse._drawn(("T",), [X], [raw("a = 1")], 100, 3, NUMBERED_ROWS_MAX + 1)))
    draw = f"MD5_NUMBER_LOWER64(CAST({HASHED} AS VARCHAR) || CHR(58) || CAST(3 AS VARCHAR))"
    assert drawn.startswith(f'SELECT "X" FROM "PUBLIC"."T" WHERE (a = 1) AND {draw} < ')
    assert drawn.endswith(f"ORDER BY {draw} LIMIT 100")
    assert "OVER" not in drawn


def test_a_range_compares_the_raw_column(warehouse: Unconnected) -> None:
    timed = table(TimeColumn("at", TimeForm.TIMESTAMPTZ))
    shown = flat(warehouse.select_sql(timed, warehouse.partition(timed, "2013-02-08"), "RATE > 1"))
    assert shown == (
        'SELECT * FROM "PUBLIC"."T" WHERE "at" >= CAST(\'2013-02-08T00:00:00+01:00\' AS TIMESTAMP_TZ) '
        "AND \"at\" < CAST('2013-02-09T00:00:00+01:00' AS TIMESTAMP_TZ) AND (RATE > 1) LIMIT 100"
    )


def test_our_names_come_back_as_they_were_written(warehouse: Unconnected) -> None:
    timed = table(TimeColumn("at", TimeForm.TIMESTAMPTZ))
    day = warehouse.partition(timed, "2013-02-08")
    counted = flat(warehouse.sql(warehouse.grouped_counts(timed, day)))
    assert ' AS "moment", count(*) AS "n" FROM "PUBLIC"."T" ' in counted
    for statement in warehouse.explain_sql(timed, day, [Measure("mean", "RATE"), Measure("quantile", "ID", "0.5")]):
        read(statement)


def test_a_dot_in_a_schema_is_a_character(warehouse: Unconnected) -> None:
    found = warehouse.sql(sa.select(sa.literal_column("*")).select_from(warehouse._source(("raw.data", 'a "b'))))
    assert flat(found) == 'SELECT * FROM "raw.data"."a ""b"'
