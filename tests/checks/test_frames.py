"""Measures of a frame are those that the warehouse's SQL gives for the same rows."""

# ruff: noqa: DTZ001 - the rows' times are naive, as those of most tables

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.frames import measure_frame
from monitor.types import ROWS, Measure, Table, TimeColumn, TimeForm
from monitor.warehouses.base import Warehouse

DAY = dt.date(2024, 2, 29)
SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us")),
        ("number", pa.float64()),
        ("whole", pa.int64()),
        ("word", pa.string()),
        ("flag", pa.bool_()),
        ("seen", pa.date32()),
        ("changed", pa.timestamp("us")),
    ]
)
moments = st.datetimes(dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 23, 59, 59))
rows = st.fixed_dictionaries(
    {
        "at": moments,
        "number": st.none() | st.floats(-1e9, 1e9).map(lambda x: round(x, 2)) | st.sampled_from([0.0, 1.5, math.inf]),
        "whole": st.none() | st.integers(-5, 5),
        "word": st.none()
        | st.sampled_from(["", " ", "\t\n", "a", "A", "über", "表", "x" * 90])
        | st.text("ab ", max_size=4),
        "flag": st.none() | st.booleans(),
        "seen": st.none() | st.dates(dt.date(1960, 1, 1), dt.date(2030, 1, 1)),
        "changed": st.none() | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)),
    }
)
MEASURES = [
    ROWS,
    *(Measure("nulls", name) for name in SCHEMA.names),
    *(Measure("distinct_exact", name) for name in SCHEMA.names),
    *(Measure(kind, name) for kind in ("zeros", "mean", "stddev", "min", "max") for name in ("number", "whole")),
    *(Measure(kind, name) for kind in ("mean", "min", "max") for name in ("seen", "changed")),
    Measure("nonfinite", "number"),
    Measure("empty", "word"),
    Measure("length_mean", "word"),
    Measure("true", "flag"),
    Measure("duplicate_rows"),
    Measure("duplicate_keys", "", "whole\tword"),
    Measure("time_min", "at"),
    Measure("time_max", "at"),
]
COUNTS = {"nulls", "empty", "zeros", "true", "nonfinite"}
QUANTILES = [Measure("quantile", name, q) for name in ("number", "whole", "seen") for q in ("0.05", "0.5", "0.95")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twin") / "twin.duckdb"


def open_with(file: Path, given_rows: list[dict[str, Any]]) -> tuple[Warehouse, Table]:
    from monitor.warehouses.duckdb import DuckDB

    with duckdb.connect(str(file)) as connection:
        connection.register("loaded", pa.Table.from_pylist(given_rows, SCHEMA))
        connection.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM loaded")
    warehouse = DuckDB("main", f"duckdb:///{file}")
    time = TimeColumn("at", TimeForm.TIMESTAMP)
    return warehouse, Table("main.t", "main", ("t",), warehouse.columns(("t",)), time)


def both(file: Path, given_rows: list[dict[str, Any]], measures: list[Measure]) -> Iterator[tuple[Measure, Any, Any]]:
    warehouse, table = open_with(file, given_rows)
    try:
        day = warehouse.partition(table, DAY.isoformat())
        asked = warehouse.aggregates(table, day, measures)
        frame = warehouse.sample(table, day, 1_000, 0, len(given_rows))
    finally:
        warehouse.close()
    computed = measure_frame(frame, measures, table.columns, "at", day.start)
    for measure in measures:
        yield measure, computed[measure], asked[measure]


def near(asked: float | None, measure: Measure) -> Any:
    if asked is None:  # an engine may answer NULL for a count over nothing
        return 0.0 if measure.kind in COUNTS else None
    return pytest.approx(asked, rel=1e-9, abs=1e-6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(rows, min_size=1, max_size=25), repeats=st.integers(1, 3))
def test_frame_and_sql_agree(file: Path, given_rows: list[dict[str, Any]], repeats: int) -> None:
    for measure, computed, asked in both(file, given_rows * repeats, MEASURES):
        assert computed == near(asked, measure), measure


def test_no_rows_agree_too(file: Path) -> None:
    elsewhere = [{"at": dt.datetime(2024, 1, 1)}]
    for measure, computed, asked in both(file, elsewhere, MEASURES):
        assert computed == near(asked, measure), measure


def test_nan_is_missing_in_a_frame_and_not_finite_in_sql(file: Path) -> None:
    values = [{"at": dt.datetime(2024, 2, 29), "number": x} for x in (1.0, math.nan, math.nan, math.inf, None)]
    found = {m.kind: (a, b) for m, a, b in both(file, values, [Measure(k, "number") for k in ("nulls", "nonfinite")])}
    assert sum(pair[0] for pair in found.values()) == sum(pair[1] for pair in found.values()) == 4
    assert found["nonfinite"] == (1, 3)
    means = list(both(file, values, [Measure(k, "number") for k in ("mean", "min", "max", "distinct")]))
    assert [(a, b) for m, a, b in means if m.kind != "distinct"] == [(1.0, 1.0)] * 3


def test_quantiles_agree_up_to_the_digest(file: Path) -> None:
    import numpy as np

    random = np.random.default_rng(5)
    values = [
        {"at": dt.datetime(2024, 2, 29), "number": float(x), "whole": int(x), "seen": DAY - dt.timedelta(days=int(x))}
        for x in random.gamma(2, 300, 900)
    ]
    frame_of = {m: (a, b) for m, a, b in both(file, values, QUANTILES)}
    for measure, (computed, asked) in frame_of.items():
        unit = 86_400 if measure.column == "seen" else 1
        assert computed == pytest.approx(asked, rel=0.03, abs=12 * unit), measure
