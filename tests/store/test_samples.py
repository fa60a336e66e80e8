"""Samples of tables that are rewritten in place: the latest look, the newest few, gone with their partitions."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from monitor.store import KeptSample, Store


def look(store: Store, make: Any, day: int, document: bytes, looks_max: int = 3) -> None:
    store.record(dataclasses.replace(make.run(day), sample=KeptSample(document, 1, looks_max)))


def test_a_second_look_replaces_the_first(store: Store, make: Any) -> None:
    look(store, make, 1, b"\x00first")
    look(store, make, 1, b"\x00second")
    assert store.sampled("main.flights") == [make.day(1).order]
    assert store.samples("main.flights", [make.day(1).order, "unknown"]) == {make.day(1).order: b"\x00second"}


def test_the_newest_few_are_kept(store: Store, make: Any) -> None:
    for day in (1, 3, 2, 4, 5):
        look(store, make, day, bytes([day]))
    assert store.sampled("main.flights") == [make.day(day).order for day in (3, 4, 5)]


def test_a_sample_goes_with_its_partition(store: Store, make: Any) -> None:
    for day in (1, 2, 3):
        look(store, make, day, bytes([day]))
    store.prune(make.day(2).start + dt.timedelta(hours=1))
    assert store.sampled("main.flights") == [make.day(3).order]


def test_a_sample_that_cannot_be_kept_leaves_no_record(store: Store, make: Any) -> None:
    broken: Any = KeptSample(None, 1, 3)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        store.record(dataclasses.replace(make.run(1), sample=broken))
    assert store.history("main.flights") == []
