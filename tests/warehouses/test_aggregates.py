"""Measures: right values against plain Python, the laws between their ways of being asked, and one scan for all."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.types import ROWS, ColumnKind, Measure, Table
from monitor.warehouses.base import Warehouse
from monitor.warehouses.catalog import kind_of
from monitor.warehouses.measures import residue_classes

Load = Callable[..., Warehouse]
TableOf = Callable[..., Table]
DAY = dt.date(2013, 2, 8)
KINDS = ["nulls", "empty", "zeros", "mean", "stddev", "min", "max", "length_mean", "true", "distinct", "distinct_exact"]
WEIRD = [
    'a "quoted"',
    "it's",
    "dot.ted",
    "per%cent %s",
    "colon:x",
    "über 表",
    "select",
    "tab\there",
    " lead",
    "moment",
    "m0",
]


def wide(rows: int = 3_000) -> pa.Table:
    random = np.random.default_rng(7)
    return pa.table(
        {
            "day": pa.array([DAY + dt.timedelta(days=int(i)) for i in random.integers(0, 5, rows)], pa.date32()),
            "number": pa.array(random.normal(10, 3, rows), mask=random.random(rows) < 0.1),
            "whole": pa.array(random.integers(0, 4, rows)),
            "text": pa.array(random.choice(["", " ", "a", "bcd", "é"], rows), mask=random.random(rows) < 0.1),
            "flag": pa.array(random.random(rows) < 0.3),
            "at": pa.array(random.integers(0, 2**31, rows) * 1_000_000, pa.timestamp("us")),
        }
    )


def all_measures(table: Table) -> list[Measure]:
    measures = [Measure(kind, column.name) for kind in KINDS for column in table.columns]
    measures += [Measure("quantile", column.name, q) for q in ("0.1", "0.5", "0.99") for column in table.columns]
    measures += [
        ROWS,
        Measure("duplicate_rows"),
        Measure("duplicate_keys", "", "whole\ttext"),
        Measure("nonfinite", "number"),
    ]
    return [*measures, Measure("count_where", "", "whole = 1 -- one"), Measure("expression", "", "sum(whole) * 1.0")]


def one(warehouse: Warehouse, table: Table, kind: str, column: str = "", argument: str = "") -> float | None:
    measure = Measure(kind, column, argument)
    return warehouse.aggregates(table, None, [measure])[measure]


def test_values_are_those_of_plain_python(load: Load, table_of: TableOf) -> None:
    arrow = wide()
    warehouse = load({"t": arrow})
    table = table_of(warehouse, "t", "day")
    numbers = [x for x in arrow["number"].to_pylist() if x is not None]
    texts = arrow["text"].to_pylist()
    days = arrow["day"].to_pylist()
    expected = {
        ("rows", ""): 3_000,
        ("nulls", "number"): 3_000 - len(numbers),
        ("nulls", "text"): sum(x is None or not x.strip() for x in texts),
        ("empty", "text"): sum(x is not None and not x.strip() for x in texts),
        ("zeros", "whole"): arrow["whole"].to_pylist().count(0),
        ("mean", "number"): np.mean(numbers),
        ("stddev", "number"): np.std(numbers, ddof=1),
        ("min", "number"): min(numbers),
        ("max", "number"): max(numbers),
        ("length_mean", "text"): np.mean([len(x) for x in texts if x is not None]),
        ("true", "flag"): sum(arrow["flag"].to_pylist()),
        ("distinct_exact", "text"): 5,
        ("min", "day"): dt.datetime.combine(min(days), dt.time(), dt.UTC).timestamp(),
        ("max", "day"): dt.datetime.combine(max(days), dt.time(), dt.UTC).timestamp(),
        ("zeros", "text"): None,
        ("mean", "text"): None,
    }
    values = warehouse.aggregates(table, None, [Measure(*key) for key in expected])
    for (kind, column), value in expected.items():
        assert values[Measure(kind, column)] == pytest.approx(value), (kind, column)
    middle = one(warehouse, table, "quantile", "number", "0.5")
    assert middle == pytest.approx(float(np.median(numbers)), abs=0.05)
    assert one(warehouse, table, "distinct", "whole") == pytest.approx(4, abs=1)


def test_fused_is_separate_and_one_scan(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": wide()})
    table = table_of(warehouse, "t", "day", where="whole < 3")
    day = warehouse.partition(table, "2013-02-09")
    measures = all_measures(table)
    with warehouse.costing() as receipt:
        fused = warehouse.aggregates(table, day, measures)
    assert receipt.cost.queries == 1
    assert list(fused) == measures
    for measure in measures:
        assert warehouse.aggregates(table, day, [measure])[measure] == pytest.approx(fused[measure]), measure


def test_by_partition_is_each_partition(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": wide()})
    table = table_of(warehouse, "t", "day")
    first, before = warehouse.partition(table, "2013-02-09"), warehouse.partition(table, "2013-02-12")
    measures = [m for m in all_measures(table) if m.kind not in {"quantile", "duplicate_rows", "duplicate_keys"}]
    with warehouse.costing() as receipt:
        series = warehouse.aggregates_by_partition(table, measures, first, before)
    assert receipt.cost.queries == 1
    assert [p.label for p, _values in series] == ["2013-02-09", "2013-02-10", "2013-02-11"]
    for partition, values in series:
        assert values == pytest.approx(warehouse.aggregates(table, partition, measures))
    whole = warehouse.aggregates(table, None, [ROWS, Measure("nulls", "text")])
    everything = warehouse.aggregates_by_partition(
        table, list(whole), warehouse.partition(table, "2013-01-01"), warehouse.partition(table, "2014-01-01")
    )
    for measure, value in whole.items():
        assert sum(values[measure] or 0 for _partition, values in everything) == value


def test_a_statement_is_cut_where_an_engine_limits_its_columns(
    load: Load, table_of: TableOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = load({"t": wide(500)})
    table = table_of(warehouse, "t", "day")
    measures = [m for m in all_measures(table) if m.kind != "quantile"]
    fused = warehouse.aggregates(table, None, measures)
    first, before = warehouse.partition(table, "2013-01-01"), warehouse.partition(table, "2014-01-01")
    series = warehouse.aggregates_by_partition(table, measures, first, before)
    monkeypatch.setattr(type(warehouse), "columns_max", 7)
    with warehouse.costing() as receipt:
        assert warehouse.aggregates(table, None, measures) == pytest.approx(fused)
    assert receipt.cost.queries > 5
    cut = warehouse.aggregates_by_partition(table, measures, first, before)
    assert [p for p, _values in cut] == [p for p, _values in series]
    for (_p, values), (_q, others) in zip(cut, series, strict=True):
        assert values == pytest.approx(others)


def test_hundreds_of_columns_are_one_statement(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": pa.table({f"c{i}": [float(i), 0.0] for i in range(400)})})
    table = table_of(warehouse, "t")
    measures = [Measure(kind, f"c{i}") for i in range(400) for kind in ("nulls", "zeros", "mean", "max")]
    with warehouse.costing() as receipt:
        values = warehouse.aggregates(table, None, measures)
    assert receipt.cost.queries == 1
    assert values[Measure("max", "c399")] == 399


def test_weird_names(load: Load, table_of: TableOf) -> None:
    name = "we\"ird .ta%ble'"
    arrow = pa.table({column: [1.0, 2.0, None] for column in WEIRD} | {"day": pa.array([DAY] * 3)})
    warehouse = load({name: arrow})
    assert warehouse.tables() == [(name,)]
    table = table_of(warehouse, name, "day")
    assert [column.name for column in table.columns] == arrow.column_names
    day = warehouse.partition(table, "2013-02-08")
    values = warehouse.aggregates(
        table, day, [Measure(kind, c) for c in WEIRD for kind in ("mean", "nulls", "distinct")]
    )
    assert all(values[Measure("mean", c)] == 1.5 and values[Measure("nulls", c)] == 1 for c in WEIRD)
    frame = warehouse.sample(table, day, 2, 0)
    assert list(frame.columns) == arrow.column_names
    for column in WEIRD:
        assert warehouse.count(table, day, f"{warehouse.identifier(column)} = {warehouse.literal(2)}") == 1
        assert warehouse.fetch(warehouse.select_sql(table, day, columns=[column])).num_rows == 3
    assert len(warehouse.rows_where(table, day, None, 9)) == 3


def test_nan_and_infinity_are_counted_and_left_out(load: Load, table_of: TableOf) -> None:
    numbers = [1.0, 3.0, math.nan, math.inf, -math.inf, None]
    warehouse = load({"t": pa.table({"x": numbers, "f": pa.array(numbers, pa.float32())})})
    table = table_of(warehouse, "t")
    for column in ("x", "f"):
        values = {kind: one(warehouse, table, kind, column) for kind in ("nonfinite", "nulls", "mean", "min", "max")}
        assert values == {"nonfinite": 3, "nulls": 1, "mean": 2, "min": 1, "max": 3}
        assert one(warehouse, table, "stddev", column) == pytest.approx(math.sqrt(2))
        assert one(warehouse, table, "quantile", column, "1") == 3
    assert one(warehouse, table, "expression", argument="max(x)") is None  # NaN is greatest, and no value


def test_extreme_numbers_do_not_break_the_statement(load: Load, table_of: TableOf) -> None:
    wide_decimals = pa.array([decimal.Decimal(10**37), decimal.Decimal(9 * 10**37), None], pa.decimal128(38, 0))
    arrow = pa.table(
        {
            "float": [1.7e308, -1.7e308, 1.7e308],
            "decimal": wide_decimals,
            "big": pa.array([2**63 - 1, 2**63 - 1, -(2**63)], pa.int64()),
            "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
        }
    )
    warehouse = load({"t": arrow})
    table = table_of(warehouse, "t")
    measures = [Measure(kind, c) for c in arrow.column_names for kind in ("mean", "stddev", "min", "max", "distinct")]
    measures += [Measure("quantile", c, "0.5") for c in arrow.column_names]
    values = warehouse.aggregates(table, None, measures)
    assert values[Measure("max", "float")] == 1.7e308
    assert values[Measure("mean", "decimal")] == pytest.approx(5e37)
    assert values[Measure("max", "unsigned")] == 2.0**64
    assert values[Measure("mean", "big")] == pytest.approx(2**63 / 3)
    assert all(value is None or math.isfinite(value) for value in values.values())
    assert warehouse.sample(table, None, 10, 0)["decimal"].max() == 9e37


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_one_row(load: Load, table_of: TableOf, rows: int) -> None:
    arrow = wide(1).slice(0, 1)
    warehouse = load({"t": arrow})
    table = table_of(warehouse, "t", "day")
    day = warehouse.partitions(table)[0][0] if rows else warehouse.partition(table, "2012-01-01")
    values = warehouse.aggregates(table, day, all_measures(table))
    assert values[ROWS] == rows
    assert values[Measure("duplicate_rows")] == 0
    assert values[Measure("nulls", "flag")] == 0
    assert values[Measure("stddev", "number")] is None
    assert (values[Measure("mean", "whole")] is None) == (rows == 0)
    frame = warehouse.sample(table, day, 5, 0)
    assert len(frame) == rows
    assert str(frame["number"].dtype) == "float64"
    assert str(frame["day"].dtype) == "datetime64[us]"
    assert str(frame["text"].dtype) == "category"


def test_a_column_of_nulls(load: Load, table_of: TableOf) -> None:
    kinds = {"n": pa.float64(), "t": pa.string(), "b": pa.bool_(), "d": pa.date32(), "ts": pa.timestamp("us", "UTC")}
    warehouse = load({"t": pa.table({name: pa.array([None] * 4, kind) for name, kind in kinds.items()})})
    table = table_of(warehouse, "t")
    for name in kinds:
        assert one(warehouse, table, "nulls", name) == 4
        assert one(warehouse, table, "distinct", name) == 0
        assert one(warehouse, table, "mean", name) is None
        assert one(warehouse, table, "quantile", name, "0.5") is None
    assert warehouse.sample(table, None, 10, 0).isna().to_numpy().all()


def test_duplicates_are_exact_where_few_and_scaled_where_many(load: Load, table_of: TableOf) -> None:
    unique = pa.table({"k": pa.array(range(60_000)), "x": pa.array([None, 1.0] * 30_000)})
    warehouse = load({"t": pa.concat_tables([unique, unique.slice(0, 15_000)])})
    table = table_of(warehouse, "t")
    keyed = Measure("duplicate_keys", "", "k")
    measures = [Measure("duplicate_rows"), keyed]
    assert set(warehouse.aggregates(table, None, measures).values()) == {15_000}
    scaled = warehouse.aggregates(table, None, measures, total=5_000_000)  # as if it were large: ten classes
    for value in scaled.values():
        assert value == pytest.approx(15_000, rel=0.1)
        assert value != 15_000
    assert residue_classes(2_000_000) == residue_classes(None) == 1
    assert residue_classes(50_000_000) == 100


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([None, "", "a", "a\tb"]), st.sampled_from([None, 0, 1, -0.0])), min_size=1))
def test_duplicate_rows_are_rows_beyond_the_first_of_each(
    load: Load, table_of: TableOf, rows: list[tuple[str | None, float | None]]
) -> None:
    arrow = pa.table(
        {"s": pa.array([s for s, _ in rows], pa.string()), "x": pa.array([x for _, x in rows], pa.float64())}
    )
    warehouse = load({"t": arrow})
    assert one(warehouse, table_of(warehouse, "t"), "duplicate_rows") == len(rows) - len(set(rows))
    warehouse.close()


def test_a_broken_condition_is_named(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": wide(100)})
    table = table_of(warehouse, "t", "day")
    good = Measure("count_where", "", "whole = 1")
    for broken in (Measure("count_where", "", "wohle = 1"), Measure("expression", "", "avg(")):
        with pytest.raises(UsageError) as caught:
            warehouse.aggregates(table, None, [ROWS, good, broken])
        assert caught.value.culprit == broken.argument
        assert broken.argument in str(caught.value)
    scoped = table_of(warehouse, "t", "day", where="nosuch > 1")
    with pytest.raises(UsageError, match="where `nosuch > 1`"):
        warehouse.partitions(scoped)
    with pytest.raises(UsageError, match="text::int"):
        warehouse.count(table, None, "text::int = 1")


def test_unknown_columns_and_measures_are_refused(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": wide(10)})
    table = table_of(warehouse, "t", "day")
    with pytest.raises(UsageError, match="no column `nope`"):
        warehouse.aggregates(table, None, [Measure("mean", "nope")])
    with pytest.raises(UsageError, match="`median` is no measure"):
        warehouse.aggregates(table, None, [Measure("median", "number")])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("INTERVAL", ColumnKind.OTHER),
        ("INTEGER", ColumnKind.NUMBER),
        ("UHUGEINT", ColumnKind.NUMBER),
        ("VARCHAR[]", ColumnKind.OTHER),
        ("STRUCT(a INTEGER, b DATE)", ColumnKind.OTHER),
        ("ENUM('date', 'x]')", ColumnKind.TEXT),
        ("double precision", ColumnKind.NUMBER),
        ("timestamp without time zone", ColumnKind.TIMESTAMP),
        ("TIME WITH TIME ZONE", ColumnKind.TIME),
        ("BIT", ColumnKind.OTHER),
        ("UUID", ColumnKind.TEXT),
        ("jsonb", ColumnKind.JSON),
        ("BLOB", ColumnKind.BINARY),
    ],
)
def test_kinds_of_types(name: str, kind: ColumnKind) -> None:
    assert kind_of(name) is kind
