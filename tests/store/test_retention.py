from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Measured, Pruned, Store
from monitor.types import Partition


def cut(make: Any, number: int) -> dt.datetime:
    start = make.day(number).start
    assert isinstance(start, dt.datetime)
    return start


def recover(store: Store, make: Any, number: int, name: str) -> None:
    store.record(make.run(number, incidents=[make.incident(name, "recovered", partition=make.day(number).label)]))


def settle(store: Store, make: Any) -> None:
    for item in store.pending(100, make.now):
        store.delivered(item.alert, make.now)


def test_old_partitions_go_with_what_was_found_there(store: Store, make: Any) -> None:
    store.record(make.bad_run(0))
    recover(store, make, 1, "INC-1")
    store.record(make.run(2, findings=[make.finding()]))
    settle(store, make)
    removed = store.prune(cut(make, 2))
    assert removed == Pruned(partitions=2, findings=1, events=2, incidents=1, alerts=1)
    assert [past.partition for past in store.history("main.flights")] == [make.day(2)]
    assert [finding.id for finding in store.findings()] == ["F-2"]
    assert store.incidents() == []
    assert store.prune(cut(make, 2)) == Pruned(0, 0, 0, 0, 0)
    # Numbers are never given twice.
    assert store.record(make.bad_run(3)).incidents[0].incident == "INC-2"


def test_an_open_incident_stays_whole(store: Store, make: Any) -> None:
    store.record(make.bad_run(0))
    store.record(make.bad_run(1, "INC-1", "continued", deliveries=[]))
    settle(store, make)
    before = store.incidents()
    assert store.prune(make.now + dt.timedelta(days=1)).partitions == 0
    assert store.incidents() == before
    assert store.record(make.bad_run(0)).alerts == ()  # and is not alerted a second time


def test_feedback_and_unsent_alerts_stay(store: Store, make: Any) -> None:
    store.record(make.bad_run(0))
    recover(store, make, 1, "INC-1")
    store.feedback("INC-1", "acknowledge", now=make.now)
    assert store.prune(make.now).incidents == 0
    assert [item.event for item in store.pending(10, make.now)] == ["opened", "said.1"]
    settle(store, make)
    assert store.prune(make.now + dt.timedelta(days=1)).alerts == 2
    assert len(store.feedback_on("INC-1")) == 1
    store.feedback("INC-1", "resolve", now=make.now)
    assert store.incidents() == []


def test_partitions_without_a_time_age_by_when_they_were_recorded(store: Store, make: Any) -> None:
    rows = [Measured(Partition("0017", "17", value=17), {"rows": 1.0})]
    store.record_backfill("main.flights", rows, make.now)
    assert store.prune(make.now).partitions == 0
    assert store.prune(make.now + dt.timedelta(seconds=1)).partitions == 1


def test_more_partitions_than_fit_into_one_statement(store: Store, make: Any) -> None:
    store.record_backfill("main.flights", [Measured(make.day(n), {"rows": 1.0}) for n in range(1_000)], make.now)
    assert store.prune(cut(make, 950)).partitions == 950
    assert len(store.history("main.flights")) == 50


@pytest.mark.parametrize("engine", ["sqlite"])
def test_vacuum_gives_space_back(sqlite_url: str, tmp_path: Path, make: Any, engine: str) -> None:
    assert sqlite_url.startswith(engine)
    with Store.open(sqlite_url) as store:
        wide = {f"mean.column_{number}": number / 7 for number in range(500)}
        store.record_backfill("main.flights", [Measured(make.day(n), wide) for n in range(100)], make.now)
    before = (tmp_path / "daywatch.db").stat().st_size
    with Store.open(sqlite_url) as store:
        store.prune(make.now)
        store.vacuum()
    assert (tmp_path / "daywatch.db").stat().st_size < before / 2
