"""Many tables at a glance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa

from monitor.errors import DaywatchError
from monitor.types import Cadence, Table
from monitor.warehouses.base import Warehouse

Load = Callable[..., Warehouse]
DAY = dt.date(2024, 3, 30)


def days(counts: list[int]) -> list[dt.date]:
    return [DAY + dt.timedelta(days=i) for i, n in enumerate(counts) for _ in range(n)]


def tables() -> dict[str, pa.Table]:
    stamps = [dt.datetime(2024, 3, 31, hour, 30, tzinfo=dt.UTC) for hour in (0, 0, 5, 23)]
    return {
        "by_date": pa.table({"d": pa.array(days([3, 0, 2]), pa.date32()), "x": list(range(5))}),
        "by_time": pa.table({"at": pa.array(stamps, pa.timestamp("us", tz="UTC"))}),
        "by_epoch": pa.table({"s": [int(stamp.timestamp()) for stamp in stamps]}),
        "by_id": pa.table({"run": [1, 1, 2, 3, 3, 3]}),
    }


def test_counts_of_many_tables_are_those_of_each(load: Load, table_of: Callable[..., Table]) -> None:
    warehouse = load(tables())
    watched = [
        table_of(warehouse, "by_date", "d"),
        table_of(warehouse, "by_time", "at", timezone="Europe/Berlin"),
        replace(table_of(warehouse, "by_time", "at", cadence=Cadence.HOUR), name="main.hourly"),
        table_of(warehouse, "by_epoch", "s", unit="s", where="s > 0"),
        table_of(warehouse, "by_id", "run"),
    ]
    asked = [(table, warehouse.partitions(table)[0][0]) for table in watched]
    with warehouse.costing() as receipt:
        found = warehouse.recent(asked)
    assert found == {table.name: warehouse.partitions(table) for table in watched}
    assert receipt.queries == len({table.time.form for table in watched if table.time})


def test_counts_begin_at_the_partition_asked_for(load: Load, table_of: Callable[..., Table]) -> None:
    warehouse = load(tables())
    table = table_of(warehouse, "by_date", "d")
    last = warehouse.partition(table, "2024-03-31")
    assert warehouse.recent([(table, last)]) == {table.name: [(warehouse.partition(table, "2024-04-01"), 2)]}


def test_a_table_that_fails_is_told_apart(load: Load, table_of: Callable[..., Table]) -> None:
    warehouse = load(tables())
    whole = table_of(warehouse, "by_date", "d")
    first = warehouse.partition(whole, "2024-03-30")
    gone = replace(whole, name="main.gone", path=("gone",))
    many = [(replace(whole, name=f"main.copy{i}"), first) for i in range(60)]
    found: dict[str, Any] = warehouse.recent([(gone, first), *many])
    assert isinstance(found["main.gone"], DaywatchError)
    assert all(found[table.name] == warehouse.partitions(whole) for table, _ in many)


def test_the_state_of_a_table_costs_no_scan_and_stands_still(load: Load) -> None:
    warehouse = load(tables())
    paths = [("by_date",), ("by_time",)]
    states = warehouse.states([*paths, ("unknown",)])
    assert set(states) >= set(paths)
    assert all(state.mark for state in states.values())
    assert warehouse.states(paths) == {path: states[path] for path in paths}
    assert warehouse.states([]) == {}
