"""Segments whose values are other ones than the same segment's were before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.rootcause import Condition, changed_alone, find_changed, find_deficits
from monitor.partitions import partition_at
from monitor.types import Cadence, Change, Column, ColumnKind, Evidence, SampleSet, Table
from monitor.where import find_where

ROWS = 2_000
KINDS = {
    "shop": ColumnKind.TEXT,
    "town": ColumnKind.TEXT,
    "device": ColumnKind.TEXT,
    "sku": ColumnKind.TEXT,
    "price": ColumnKind.NUMBER,
    "day": ColumnKind.NUMBER,
}
COLUMNS = {name: Column(name, kind, "") for name, kind in KINDS.items()}
TOWNS = {"north": "Kiel", "south": "Ulm", "east": "Gera", "west": "Trier"}


def shop_day(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    shop = pd.Series(random.choice(list(TOWNS), ROWS, p=[0.4, 0.3, 0.2, 0.1]))
    frame = pd.DataFrame(
        {
            "shop": shop,
            "town": shop.map(TOWNS),
            "device": random.choice(["phone", "desk", "till"], ROWS, p=[0.5, 0.35, 0.15]),
            "sku": [f"AB{n:04d}" for n in random.integers(0, 3000, ROWS)],
            "price": np.round(np.exp(random.normal(3, 0.7, ROWS)), 2),
            "day": float(seed),
        }
    )
    return coded(frame)


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: "category" for name, kind in KINDS.items() if kind is ColumnKind.TEXT})


PAST = [shop_day(seed) for seed in range(1, 6)]


def damaged(column: str, change: Callable[[pd.Series], Any], where: tuple[str, str] | None) -> pd.DataFrame:
    today = shop_day(9).astype({"shop": object, "town": object, "device": object, "sku": object})
    inside = np.ones(ROWS, dtype=bool) if where is None else (today[where[0]] == where[1]).to_numpy()
    today.loc[inside, column] = np.asarray(change(today.loc[inside, column]))
    return coded(today)


def told(today: pd.DataFrame, changed: list[str], *, pairs: bool = False) -> list[tuple[Condition, ...]]:
    named = [COLUMNS[name] for name in changed]
    found = find_changed(today, PAST, list(COLUMNS.values()), named, changed[:1], pairs=pairs)
    return [segment.conditions for segment in found]


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("price", lambda v: v * 10),
        ("price", lambda v: v + 15),
        ("price", lambda v: np.where(v > 20, v, 20.0)),
        ("sku", lambda v: v.str.lower()),
        ("sku", lambda v: v.str[:3]),
    ],
    ids=["scaled", "shifted", "clipped", "lower case", "cut"],
)
@pytest.mark.parametrize("where", [("device", "till"), ("device", "desk")])
def test_the_segment_whose_values_changed_is_told(
    column: str, change: Callable[[pd.Series], Any], where: tuple[str, str]
) -> None:
    assert told(damaged(column, change, where), [column]) == [(Condition(where[0], "=", where[1]),)]


def test_what_no_longer_goes_together_is_told_although_no_column_changed_by_itself() -> None:
    mixed = damaged("town", lambda v: np.random.default_rng(1).permutation(v), ("device", "desk"))
    assert told(mixed, ["town", "shop"], pairs=True) == [(Condition("device", "=", "desk"),)]
    assert told(mixed, ["town"]) == []


def test_days_in_a_regular_order_are_compared_by_rows_of_all_places() -> None:
    places = pd.Series([f"station {n:02d}" for n in range(12)] * 60, dtype="category")
    days = [pd.DataFrame({"station": places, "level": np.random.default_rng(n).normal(size=720)}) for n in range(5)]
    days[0].loc[places == "station 05", "level"] += 9.0
    columns = [Column("station", ColumnKind.TEXT, ""), Column("level", ColumnKind.NUMBER, "")]
    (lead, *_) = find_changed(days[0], days[1:], columns, columns[1:])
    assert lead.conditions == (Condition("station", "=", "station 05"),)


@pytest.mark.parametrize("change", [lambda v: v * 1.5, lambda v: v], ids=["everywhere", "nowhere"])
def test_a_change_of_all_rows_or_none_has_no_place(change: Callable[[pd.Series], Any]) -> None:
    assert told(damaged("price", change, None), ["price"]) == []


def test_a_column_that_has_another_type_than_before_is_left_out() -> None:
    today = damaged("price", lambda v: v * 10, ("device", "till")).assign(day="tuesday")
    assert told(today, ["price"]) == [(Condition("device", "=", "till"),)]
    assert changed_alone(today, PAST, list(COLUMNS.values())) == {"price"}


def test_columns_that_changed_themselves_are_told_apart_from_places() -> None:
    today = damaged("price", lambda v: v * 10, ("device", "till"))
    assert changed_alone(today, PAST, list(COLUMNS.values())) == {"price", "day"}  # a day is always new


def test_a_place_that_shares_in_the_change_stays_a_place() -> None:
    today = damaged("price", lambda v: v * np.nan, ("device", "till"))
    today["sku"] = today["sku"].where(today["device"] != "till")
    day = partition_at(Cadence.DAY, "UTC", dt.date(2024, 3, 9))
    samples = SampleSet(today, tuple((day, frame) for frame in PAST))
    table = Table("t", "main", ("t",), tuple(COLUMNS.values()), None)
    nulls = Evidence("nulls.price", "nulls", 1.0, columns=("price",), change=Change.NULLS_UP, effect=0.15)
    (lead, *_) = find_where(table, samples, nulls, suspects={"price", "device", "sku"})
    assert lead.conditions == (Condition("device", "=", "till"),)
    assert lead.shared == sum(int((frame["device"] == "till").sum()) for frame in PAST)


def test_rows_all_over_the_day_are_at_no_date_and_a_restless_column_tells_no_place() -> None:
    dates = [dt.date(2024, 3, 8), dt.date(2024, 3, 7), dt.date(2024, 3, 2), dt.date(2024, 2, 24), dt.date(2024, 2, 9)]
    past = [frame.assign(day=float(date.day)) for date, frame in zip(dates, PAST, strict=True)]  # one has today's
    random = np.random.default_rng(2)
    hit = random.random(ROWS) < 0.1
    today = damaged("price", lambda v: np.where(hit, v * 10, v), None).assign(day=9.0)
    restless = [frame.assign(wind=random.normal(n, 1, ROWS)) for n, frame in enumerate(past)]
    today["wind"] = random.normal(0, 1, ROWS) + 9.0 * (today["shop"] == "north").to_numpy()
    columns = (*COLUMNS.values(), Column("wind", ColumnKind.NUMBER, ""))
    table = Table("t", "main", ("t",), columns, None)
    samples = SampleSet(
        today, tuple((partition_at(Cadence.DAY, "UTC", d), f) for d, f in zip(dates, restless, strict=True))
    )
    drift = Evidence("drift", "drift", 1.0, columns=("price", "wind"), change=Change.SCALE, effect=0.1)
    assert find_where(table, samples, drift) == []


def test_a_column_that_the_catalogue_no_longer_has_is_no_error() -> None:
    day = partition_at(Cadence.DAY, "UTC", dt.date(2024, 3, 9))
    samples = SampleSet(shop_day(9), tuple((day, frame) for frame in PAST))
    table = Table("t", "main", ("t",), tuple(COLUMNS.values()), None)
    lost = Evidence("schema", "schema", 1.0, columns=("colour", "price"), change=Change.SCHEMA, effect=1.0)
    assert find_where(table, samples, lost) == []


@pytest.mark.parametrize("kind", [ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.DATE, ColumnKind.TIMESTAMP])
@pytest.mark.parametrize("change", [Change.SCHEMA, Change.NULLS_UP, Change.ROWS_MISSING, Change.DUPLICATES])
def test_a_column_that_no_earlier_day_has_is_no_error(kind: ColumnKind, change: Change) -> None:
    today = shop_day(9).assign(extra=pd.Series([None] * ROWS, dtype=object))
    day = partition_at(Cadence.DAY, "UTC", dt.date(2024, 3, 9))
    table = Table("t", "main", ("t",), (*COLUMNS.values(), Column("extra", kind, "")), None)
    evidence = Evidence("schema", "schema", 1.0, columns=("extra",), change=change, effect=0.5)
    assert find_where(table, SampleSet(today, tuple((day, frame) for frame in PAST)), evidence) == []


def test_a_segment_that_is_gone_is_told_with_the_rows_it_should_have() -> None:
    today = shop_day(9)
    today = coded(today[today["shop"] != "west"].reset_index(drop=True))
    (lead, *_) = find_deficits(today, PAST, list(COLUMNS.values()), len(today), ROWS)
    assert lead.conditions == (Condition("shop", "=", "west"),)
    assert lead.rows == 0
    assert lead.shared == pytest.approx(200, abs=25)
