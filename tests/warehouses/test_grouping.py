"""Rows by group, against pandas, on every engine: NULLs, pairs, hours, statistics, the past by one GROUP BY."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitor.errors import UsageError
from monitor.types import Groups
from monitor.warehouses.grouping import plain

FIRST = pd.Timestamp(2024, 3, 1)
DAYS = 4


def orders(rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(1)
    total = DAYS * rows
    seconds = random.integers(0, DAYS * 86_400, total)
    frame = pd.DataFrame(
        {
            "at": [FIRST + dt.timedelta(seconds=int(s)) for s in seconds],
            "country": random.choice(["DE", "FR", "O'Hare", ""], total, p=[0.6, 0.3, 0.07, 0.03]).astype(object),
            "store": random.choice([1.0, 2.0, 2.5], total),
            "is_new": random.random(total) < 0.3,
            "price": random.integers(1, 100, total).astype(float),
            "who": [f"u{n}" for n in random.zipf(1.5, total) % 5_000],
        }
    )
    frame.loc[::17, "country"] = None
    return frame


FRAME = orders()
ARROW = pa.Table.from_pandas(FRAME, preserve_index=False)
COUNTRY, PAIR = Groups(("country",)), Groups(("country", "store"))
HOURS = Groups(clock="at")
PRICED = Groups(("country",), statistics=("sum(price)", "avg(price)"), where="price > 50")
TOP = Groups(("who",), statistics=("sum(price)",), groups_max=5, by_statistic=True)
ALL = [COUNTRY, PAIR, HOURS, PRICED, TOP, Groups(("is_new",))]


def counts(frame: pd.DataFrame, columns: list[str]) -> dict[Any, float]:
    by = frame.groupby(columns, dropna=False).size()
    return {
        tuple(plain(None if pd.isna(v) else v) for v in (k if isinstance(k, tuple) else (k,))): float(n)
        for k, n in by.items()
    }


def rows_of(found: Any) -> dict[Any, float]:
    return {key: told[0] for key, told in found.groups.items()}


def test_groups_are_those_of_pandas(load: Any, table_of: Any) -> None:
    warehouse = load({"t": ARROW})
    table = table_of(warehouse, "t", "at")
    day = warehouse.partition(table, "2024-03-02")
    today = FRAME[FRAME["at"].dt.date == dt.date(2024, 3, 2)]
    before = warehouse.cost.queries
    found = warehouse.grouped(table, day, ALL)
    assert warehouse.cost.queries - before == 3  # what shares its rows and ranking shares a statement
    assert rows_of(found[COUNTRY]) == counts(today, ["country"])
    assert rows_of(found[PAIR]) == counts(today, ["country", "store"])
    assert rows_of(found[Groups(("is_new",))]) == counts(today, ["is_new"])
    assert found[COUNTRY].total == len(today)
    quarters = (today["at"].dt.hour * 4 + today["at"].dt.minute // 15).value_counts()
    assert rows_of(found[HOURS]) == {(int(q),): float(n) for q, n in quarters.items()}
    dear = today[today["price"] > 50]
    assert found[PRICED].total == len(dear)
    for key, (rows, total, mean) in found[PRICED].groups.items():
        mine = dear[dear["country"].isna()] if key == (None,) else dear[dear["country"] == key[0]]
        assert (rows, total) == (len(mine), mine["price"].sum())
        assert mean == pytest.approx(mine["price"].mean())
    spent = today.groupby("who")["price"].sum().sort_values(ascending=False)
    assert sorted((g[1] for g in found[TOP].groups.values()), reverse=True) == list(spent[:5])
    assert found[TOP].total == len(today)


def test_the_past_is_what_each_day_is(load: Any, table_of: Any) -> None:
    warehouse = load({"t": ARROW})
    table = table_of(warehouse, "t", "at", timezone="Europe/Berlin")
    first, before = warehouse.partition(table, "2024-03-01"), warehouse.partition(table, "2024-03-04")
    groups = [COUNTRY, HOURS, PRICED]
    past = warehouse.grouped_by_partition(table, groups, first, before)
    assert [p.label for p, _ in past] == ["2024-03-01", "2024-03-02", "2024-03-03"]
    for partition, found in past:
        alone = warehouse.grouped(table, partition, groups)
        for asked in groups:
            assert found[asked].total == alone[asked].total
            assert found[asked].groups.keys() == alone[asked].groups.keys()
            for key, told in found[asked].groups.items():
                assert told == pytest.approx(alone[asked].groups[key])


def test_a_million_values_come_cut(load: Any, table_of: Any) -> None:
    warehouse = load({"t": ARROW})
    table = table_of(warehouse, "t", "at")
    found = warehouse.grouped(table, None, [Groups(("who",), groups_max=7)])[Groups(("who",), groups_max=7)]
    usual = FRAME["who"].value_counts()
    assert sorted(rows_of(found).values(), reverse=True) == list(usual[:7].astype(float))
    assert found.total == len(FRAME)


def test_a_day_without_rows_has_no_groups(load: Any, table_of: Any) -> None:
    warehouse = load({"t": ARROW})
    table = table_of(warehouse, "t", "at")
    found = warehouse.grouped(table, warehouse.partition(table, "2025-01-01"), ALL)
    assert all(found[asked].groups == {} and found[asked].total == 0 for asked in ALL)


def test_a_statistic_that_does_not_run_is_named(load: Any, table_of: Any) -> None:
    warehouse = load({"t": ARROW})
    table = table_of(warehouse, "t", "at")
    with pytest.raises(UsageError) as raised:
        warehouse.grouped(table, None, [Groups(("country",), statistics=("sum(prise)",))])
    assert raised.value.culprit == "sum(prise)"


def test_a_repeated_hour_is_one_partition_an_offset(load: Any, table_of: Any) -> None:
    utc = [dt.datetime(2024, 10, 27, h, 30, tzinfo=dt.UTC) for h in (0, 0, 1, 2)]
    warehouse = load({"t": pa.table({"at": pa.array(utc, pa.timestamp("us", "UTC")), "x": ["a", "b", "a", "a"]})})
    from monitor.types import Cadence

    table = table_of(warehouse, "t", "at", timezone="Europe/Berlin", cadence=Cadence.HOUR)
    first, before = (warehouse.partition(table, f"2024-10-27T0{h}:00+0{o}:00") for h, o in ((0, 2), (4, 1)))
    past = warehouse.grouped_by_partition(table, [Groups(("x",))], first, before)
    assert [(p.label, g[Groups(("x",))].total) for p, g in past] == [
        ("2024-10-27T02:00+02:00", 2), ("2024-10-27T02:00+01:00", 1), ("2024-10-27T03:00+01:00", 1),
    ]  # fmt: skip
