"""Samples: repeatable, uniform over rows, of the right types; and the other ways of looking at rows."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from monitor.types import Measure, Table
from monitor.warehouses import Limits
from monitor.warehouses.base import Warehouse

Load = Callable[..., Warehouse]
TableOf = Callable[..., Table]
ROWS = 20_000
DAY = dt.date(2013, 2, 8)


def numbered(extra: dict[str, object] | None = None) -> pa.Table:
    days = [DAY + dt.timedelta(days=i % 2) for i in range(ROWS)]
    return pa.table({"day": pa.array(days, pa.date32()), "i": range(ROWS), "same": ["x"] * ROWS, **(extra or {})})


def test_a_sample_is_a_repeatable_subset(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t", "day", ignore_columns=frozenset({"same", "day"}))
    day = warehouse.partition(table, "2013-02-08")
    with warehouse.costing() as receipt:
        frame = warehouse.sample(table, day, 500, seed=3, total=ROWS // 2)
    assert receipt.cost.queries == 1
    assert receipt.cost.rows == 500
    assert list(frame.columns) == ["day", "i"]
    assert frame["i"].is_unique
    assert (frame["i"] % 2 == 0).all()
    assert (frame["day"] == pd.Timestamp("2013-02-08")).all()
    pd.testing.assert_frame_equal(frame, warehouse.sample(table, day, 500, seed=3, total=ROWS // 2))
    pd.testing.assert_frame_equal(frame, warehouse.sample(table, day, 500, seed=3))


def test_samples_of_other_seeds_are_independent(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t")
    drawn = [set(warehouse.sample(table, None, 2_000, seed, total=ROWS)["i"]) for seed in range(12)]
    overlaps = [len(a & b) for n, a in enumerate(drawn) for b in drawn[:n]]
    assert np.mean(overlaps) == pytest.approx(200, abs=15)  # a tenth of a tenth of the rows
    assert min(overlaps) > 120
    assert max(overlaps) < 280


def test_a_sample_is_uniform_over_rows(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t")
    picked = np.concatenate([warehouse.sample(table, None, 1_000, seed, total=ROWS)["i"] for seed in range(10)])
    counts = np.bincount((picked // 1_000).astype(int), minlength=20)
    assert stats.chisquare(counts).pvalue > 0.001


def test_identical_rows_can_be_partly_taken(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": pa.table({"x": ["same"] * 5_000 + ["other"] * 5_000})})
    table = table_of(warehouse, "t")
    frame = warehouse.sample(table, None, 1_000, 1)
    assert len(frame) == 1_000
    assert 400 < (frame["x"] == "same").sum() < 600


@pytest.mark.parametrize("total", [10, ROWS, ROWS * 1_000])
def test_a_wrong_count_still_gives_the_rows(load: Load, table_of: TableOf, total: int) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t")
    frame = warehouse.sample(table, None, 100, 5, total=total)
    assert len(frame) == 100
    assert frame["i"].is_unique
    assert frame["i"].max() > 1_000  # not merely the first rows


def test_columns_called_as_the_rows_identity_do_no_harm(load: Load, table_of: TableOf) -> None:
    extra = {"rowid": [1] * ROWS, "filename": ["a"] * ROWS, "file_row_number": [1] * ROWS}
    warehouse = load({"t": numbered(extra)})
    table = table_of(warehouse, "t")
    first = warehouse.sample(table, None, 1_000, 1, total=ROWS)
    pd.testing.assert_frame_equal(first, warehouse.sample(table, None, 1_000, 1, total=ROWS))
    assert first["i"].is_unique
    assert stats.kstest(first["i"] / ROWS, "uniform").pvalue > 0.001


def test_types(load: Load, table_of: TableOf) -> None:
    utc = dt.datetime(2013, 7, 1, 22, 30, tzinfo=dt.UTC)
    arrow = pa.table(
        {
            "s": pa.array([1_372_717_800, None, 1_372_717_800], pa.int64()),
            "number": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-2.25")], pa.decimal128(38, 10)),
            "flag": [True, None, False],
            "text": ["a", None, "b" * 10_000],
            "day": pa.array([dt.date(2013, 7, 2), None, dt.date(9999, 12, 31)], pa.date32()),
            "naive": pa.array([dt.datetime.fromisoformat("2013-07-01T22:30"), None, None], pa.timestamp("us")),
            "far": pa.array([2**62, None, 0], pa.timestamp("us")),
            "zoned": pa.array([utc, None, utc], pa.timestamp("us", "UTC")),
            "clock": pa.array([dt.time(5, 6, 7), None, dt.time()], pa.time64("us")),
            "data": pa.array([b"\x00\x01", None, b"\x00\x01"], pa.binary()),
            "list": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
            "struct": pa.array([{"a": 1}, None, {"a": None}]),
        }
    )
    warehouse = load({"t": arrow})
    table = table_of(warehouse, "t", "s", timezone="Europe/Berlin")
    for frame in (warehouse.sample(table, None, 10, 0), warehouse.rows_where(table, None, None, 10)):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            "s": "datetime64[us]",
            "number": "float64",
            "flag": "object",
            "text": "category",
            "day": "datetime64[us]",
            "naive": "datetime64[us]",
            "far": "datetime64[us]",
            "zoned": "datetime64[us]",
            "clock": "category",
            "data": "category",
            "list": "category",
            "struct": "category",
        }
        assert frame["s"][0] == frame["zoned"][0] == pd.Timestamp("2013-07-02T00:30")
        assert frame["naive"][0] == pd.Timestamp("2013-07-01T22:30")
        assert frame["number"].tolist()[::2] == [1.5, -2.25]
        assert frame["flag"].tolist() == [True, None, False]
        assert frame["text"].cat.codes.tolist() == [0, -1, 1]
        assert frame["data"][0] == frame["data"][2]
        assert len(frame["data"][0]) == 16
        assert frame["clock"][0] == "05:06:07"
        assert frame["far"].isna().tolist() == [True, True, False]
        assert frame.iloc[1].isna().all()


def test_rows_where_and_count(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t", "day", where="i < 100 or i < 50")
    day = warehouse.partition(table, "2013-02-08")
    assert warehouse.count(table, day) == 50
    assert warehouse.count(table, day, "i = 10 or i = 12") == 2
    assert sorted(warehouse.rows_where(table, day, "i = 10 or i = 12", 100)["i"]) == [10, 12]
    assert len(warehouse.rows_where(table, day, None, 7)) == 7
    shown = warehouse.select_sql(table, day, "i = 10 or i = 12", limit=None)
    assert warehouse.fetch(shown)["i"].to_pylist() == [10, 12]


@pytest.mark.parametrize(
    "value",
    ["o'brien", 'dou"ble', "back\\slash", "per%cent :name", "", 5, -3, 2.5, -1e-30, True, DAY, None, 2**62],
)
def test_literals_mean_what_they_say(load: Load, value: object) -> None:
    warehouse = load({"t": pa.table({"x": [1]})})
    shown = warehouse.fetch(f"SELECT {warehouse.literal(value)} AS v").column(0).to_pylist()[0]
    assert shown == value or float(shown) == value


def test_literals_of_times(load: Load) -> None:
    warehouse = load({"t": pa.table({"x": [1]})})
    zoned = pd.Timestamp("2013-02-08T05:00:00.123456+01:00")
    assert warehouse.fetch(f"SELECT {warehouse.literal(zoned)} AS v").column(0).to_pylist()[0] == zoned
    naive = np.datetime64("2013-02-08T05:00:00", "us")
    assert warehouse.fetch(f"SELECT {warehouse.literal(naive)} AS v").column(0).to_pylist()[0] == naive.item()
    assert warehouse.literal(pd.NaT) == "NULL"
    assert warehouse.literal(np.int64(5)) == "5"


def test_explain_runs_nothing_and_shows_what_would_run(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t", "day")
    day = warehouse.partition(table, "2013-02-08")
    with warehouse.costing() as receipt:
        statements = warehouse.explain_sql(table, day, [Measure("nulls", "i"), Measure("mean", "i")])
    assert receipt.cost.queries == 0
    assert len(statements) == 3
    for statement in statements:
        assert warehouse.fetch(statement).num_rows > 0


def test_peek_looks_all_over_the_table(load: Load) -> None:
    warehouse = load({"t": numbered()})
    peeked = warehouse.peek(("t",), 200)
    assert peeked.num_rows == 200
    assert peeked.column_names == ["day", "i", "same"]
    assert max(peeked["i"].to_pylist()) > ROWS * 0.9
    assert peeked.equals(warehouse.peek(("t",), 200))
    assert warehouse.peek(("t",), ROWS + 1).num_rows == ROWS


def test_rows_max_bounds_every_fetch(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()}, Limits(rows_max=10))
    table = table_of(warehouse, "t", "i")
    assert len(warehouse.partitions(table)) == 10
    assert warehouse.partitions(table, last=3)[-1][0].value == ROWS - 1
    assert len(warehouse.sample(table, None, 100, 0)) == 10
    assert len(warehouse.rows_where(table, None, None, 100)) == 10
    assert warehouse.fetch("SELECT * FROM t").num_rows == 10


def test_threads_share_one_warehouse(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": numbered()})
    table = table_of(warehouse, "t", "day")
    day = warehouse.partition(table, "2013-02-08")

    def work(seed: int) -> tuple[int, float]:
        with warehouse.costing() as receipt:
            frame = warehouse.sample(table, day, 50, seed % 4, total=ROWS // 2)
            warehouse.count(table, day)
        return receipt.cost.queries, float(frame["i"].sum())

    before = warehouse.cost.queries
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(32)))
    assert {queries for queries, _total in results} == {2}
    assert len({total for _queries, total in results}) == 4
    assert warehouse.cost.queries == before + 64
