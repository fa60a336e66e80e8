"""Conditions of segments select on every engine the rows that they select in a frame; segments are counted there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from checks.rootcause import Condition
from checks.rootcause.apply import mask_of
from monitor.conditions import conjunction_sql, in_words
from monitor.privacy.redact import Gate
from monitor.segments import confirm
from monitor.types import Segment, Table

ROWS = 2_000
DAY = dt.datetime.fromisoformat("2024-03-01")
NINTH = dt.datetime.fromisoformat("2024-03-09")
Load = Callable[..., Any]


def parcels() -> pd.DataFrame:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "at": [DAY + dt.timedelta(seconds=int(s)) for s in random.integers(0, 86_400, ROWS)],
            "due": [dt.date(2024, 3, 1) + dt.timedelta(days=int(d)) for d in random.integers(0, 20, ROWS)],
            "sku": [f"{kind}-{n}" for kind, n in zip(random.choice(["SKU", "A_%"], ROWS), range(ROWS), strict=True)],
            "place": random.choice(["O'Hare", "DE", ""], ROWS),
            "weight": random.gamma(2, 10, ROWS),
            "is_new": random.random(ROWS) < 0.3,
        }
    )
    frame.loc[::7, ["sku", "weight"]] = None
    return frame


FRAME = parcels()
READ = FRAME.assign(due=pd.to_datetime(FRAME["due"]), at=FRAME["at"].astype("datetime64[us]"))
CONJUNCTIONS = [
    (Condition("place", "=", "O'Hare"), Condition("weight", "range", (5.0, 20.25))),
    (Condition("place", "=", ""), Condition("is_new", "=", True), Condition("weight", "is not null")),
    (Condition("weight", "is null"), Condition("is_new", "=", False)),
    (Condition("sku", "prefix", "SKU-"), Condition("at", "clock", (32, 46))),
    (Condition("sku", "prefix", "A_%"),),
    (Condition("sku", "suffix", "7"), Condition("sku", "length", (6, 7))),
    (Condition("due", ">", NINTH),),
    (Condition("due", "=", NINTH), Condition("at", "<=", DAY + dt.timedelta(hours=15.5))),
]


def opened(load: Load, table_of: Load) -> tuple[Any, Table]:
    warehouse = load({"parcels": pa.Table.from_pandas(FRAME, preserve_index=False)})
    return warehouse, table_of(warehouse, "parcels", "at")


def test_the_same_rows_on_the_engine_as_in_a_frame(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of)
    gate = Gate(table)
    for conditions in CONJUNCTIONS:
        where = conjunction_sql(warehouse, table, conditions, 100, gate)
        assert where is not None
        expected = int(mask_of(READ, conditions).sum())
        assert 0 < expected < ROWS
        assert warehouse.count(table, None, where) == expected, where


def test_rare_values_are_not_told_and_bounds_are(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of)
    gate = Gate(table)
    for condition in (Condition("place", "=", "DE"), Condition("sku", "prefix", "SKU-")):
        assert conjunction_sql(warehouse, table, [condition], 19, gate) is None
    assert conjunction_sql(warehouse, table, [Condition("weight", ">", 5.0)], 3, gate) is not None


def test_segments_are_counted_on_every_row_and_left_out_where_they_say_nothing(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of)
    quoted = warehouse.identifier
    good, wrong = f"{quoted('place')} = 'DE'", f"{quoted('weight')} IS NULL"
    bad = f"{quoted('place')} = 'DE' AND {quoted('weight')} > 10"
    day = warehouse.partition(table, "2024-03-01")
    found = [Segment(good, 0.1, 0.1, 5, ("same",)), Segment(wrong, 0.9, 0.9, 5)]
    (only,) = confirm(warehouse, table, day, found, bad)
    inside = FRAME["place"] == "DE"
    heavy = inside & (FRAME["weight"] > 10)
    assert only == Segment(good, round(float(heavy.sum() / inside.sum()), 3), 1.0, int(inside.sum()), ("same",))


def test_what_the_engine_refuses_stays_as_the_sample_says(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of)
    found = [Segment("no such thing", 0.5, 0.5, 30)]
    assert confirm(warehouse, table, warehouse.partition(table, "2024-03-01"), found, "also not") == tuple(found)


def test_times_of_day_are_told_in_words_and_all_else_as_it_runs(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of)
    clock = conjunction_sql(warehouse, table, [Condition("at", "clock", (32, 48))], 100, Gate(table))
    place = conjunction_sql(warehouse, table, [Condition("weight", ">", 5.0)], 100, Gate(table))
    assert in_words(warehouse, table, f"{place} AND {clock}") == f"{place} AND at from 08:00 to 12:00"
    assert in_words(warehouse, table, str(place)) == place
