"""Rows by group: kept with a run or by themselves, replaced by a later reading, forgotten with their partition."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from monitor.store import Measured, Store
from monitor.types import Grouped

TABLE = "main.flights"
SEEN = Grouped(70.0, {("UA", None): (40.0, 1.5), ("é", 2): (20.0, None), (True, 0.5): (5.0, 0.0), "#a1": (5.0, 2.0)})


def readings(store: Store, name: str = "carrier") -> dict[str, Grouped]:
    return store.groups(TABLE, [name], "", "~")[name]


def test_what_was_read_comes_back(store: Store, make: Any) -> None:
    days = [make.day(n).order for n in range(3)]
    store.record_groups(TABLE, {days[0]: {"carrier": SEEN}, days[1]: {"carrier": SEEN, "hours": SEEN}}, make.now)
    assert readings(store) == {days[0]: SEEN, days[1]: SEEN}
    assert store.groups(TABLE, ["hours", "none"], days[0], days[2]) == {"hours": {days[1]: SEEN}, "none": {}}
    assert store.groups(TABLE, ["carrier"], days[1], days[1]) == {"carrier": {}}


def test_a_later_reading_replaces_an_earlier_one(store: Store, make: Any) -> None:
    order = make.day(0).order
    less = Grouped(1.0, {("UA",): (1.0,)})
    store.record_groups(TABLE, {order: {"carrier": SEEN}}, make.now)
    store.record_groups(TABLE, {order: {"carrier": less}}, make.now)
    assert readings(store) == {order: less}


def test_they_are_recorded_with_their_run(store: Store, make: Any) -> None:
    store.record(dataclasses.replace(make.run(4), groups={"carrier": SEEN}))
    assert readings(store) == {make.day(4).order: SEEN}


def test_they_go_with_their_partition(store: Store, make: Any) -> None:
    store.record_backfill(TABLE, [Measured(make.day(n), {"rows": 1.0}) for n in range(2)], make.now)
    store.record_groups(TABLE, {make.day(n).order: {"carrier": SEEN} for n in range(2)}, make.now)
    store.prune(make.day(1).start)
    assert list(readings(store)) == [make.day(1).order]
    store.prune(make.day(1).start + dt.timedelta(days=9))
    assert readings(store) == {}
