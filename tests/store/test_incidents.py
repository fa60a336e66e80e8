from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from monitor.errors import UsageError
from monitor.store import FeedbackAction, IncidentStatus, Seen, Store
from monitor.types import Change, Severity


def live(store: Store, make: Any, *numbers: int, event: str = "continued", **changes: Any) -> None:
    for number in numbers:
        key, said = ("new:0", "opened") if number == 0 else ("INC-1", event)
        changed = make.incident(key, said, partition=make.day(number).label, **changes)
        store.record(make.run(number, incidents=[changed]))


def seen(make: Any, number: int) -> Seen:
    return Seen(make.day(number).label, make.day(number).order)


def test_the_state_follows_from_the_events(store: Store, make: Any) -> None:
    live(store, make, 0)
    live(
        store, make, 1, event="worsened", columns=("arr_time",), checks=("drift",), title="worse", surprise=9.0,
        severity=Severity.EXTREME, change=Change.SHIFT_UP,
    )  # fmt: skip
    live(store, make, 2, title="milder", surprise=2.0, severity=Severity.WEAK)
    (state,) = store.incidents("main.flights")
    assert state.id == "INC-1"
    assert (state.opened, state.last_seen, state.closed) == (seen(make, 0), seen(make, 2), None)
    assert state.columns == ("dep_time", "arr_time")
    assert state.checks == ("nulls.dep_time", "drift")
    assert (state.title, state.change) == ("milder", Change.NULLS_UP)
    assert (state.surprise, state.severity) == (9.0, Severity.EXTREME)
    assert (state.status, state.alerted) == (IncidentStatus.OPEN, True)


def test_an_incident_recovers_and_may_come_back(store: Store, make: Any) -> None:
    live(store, make, 0)
    live(store, make, 1, event="recovered", columns=(), checks=(), title="well again")
    (state,) = store.incidents()
    assert (state.status, state.closed, state.last_seen) == (
        IncidentStatus.RECOVERED,
        seen(make, 1),
        seen(make, 0),
    )
    assert state.title == "dep_time is NULL"
    assert store.incidents(open_only=True) == []
    live(store, make, 2)
    assert store.incidents()[0].status is IncidentStatus.OPEN


def test_incidents_as_they_were_before_a_day(store: Store, make: Any) -> None:
    live(store, make, 0, 1)
    live(store, make, 2, event="recovered")
    at = [store.incidents("main.flights", at=make.day(number).order) for number in range(4)]
    assert at[0] == []
    assert [states[0].status for states in at[1:]] == ["open", "open", "recovered"]
    assert [states[0].last_seen for states in at[1:3]] == [seen(make, 0), seen(make, 1)]


def test_the_events_of_an_incident(store: Store, make: Any) -> None:
    live(store, make, 0, 1)
    live(store, make, 0)  # a re-run: the latest counts, under the same id
    events = store.incident_events("INC-1")
    assert [(e.incident.event, e.order, e.revision) for e in events] == [
        ("opened", make.day(0).order, 2),
        ("continued", make.day(1).order, 1),
    ]
    assert store.incident_events("INC-9") == store.incident_events("nonsense") == []


@pytest.mark.parametrize(
    ("action", "status", "open_"),
    [
        ("acknowledge", "open", True),
        ("assign", "open", True),
        ("resolve", "resolved", False),
        ("expected", "expected", False),
        ("noise", "expected", False),
        ("mute", "muted", True),
    ],
)
def test_feedback_changes_the_state(store: Store, make: Any, action: str, status: str, open_: bool) -> None:
    live(store, make, 0)
    until = make.now + dt.timedelta(days=3)
    said = store.feedback("inc-1", action, now=make.now, who="@ana", note="Größe 名", until=until)
    assert (said.incident, said.action, said.who, said.note, said.until, said.at) == (
        "INC-1",
        FeedbackAction(action),
        "@ana",
        "Größe 名",
        until,
        make.now,
    )
    assert store.feedback_on("INC-1") == [said]
    (state,) = store.incidents("main.flights")
    assert state.status == status
    assert bool(store.incidents(open_only=True)) is open_
    assert state.acknowledged is (action == "acknowledge")
    assert state.owner == ("@ana" if action == "assign" else None)
    assert state.muted_until == (until if action == "mute" else None)


@pytest.mark.parametrize(("action", "status"), [("resolve", "open"), ("expected", "expected"), ("mute", "muted")])
def test_an_incident_that_goes_on_after_feedback(store: Store, make: Any, action: str, status: str) -> None:
    live(store, make, 0)
    store.feedback("INC-1", action, now=make.now)
    live(store, make, 1)
    assert store.incidents()[0].status == status
    # Before the day that was seen when it was said, nobody had said it.
    assert store.incidents("main.flights", at=make.day(0).order) == []
    live(store, make, 0)  # a re-run of that day changes nothing
    assert store.incidents()[0].status == status


def test_a_mute_outlives_a_recovery(store: Store, make: Any) -> None:
    live(store, make, 0)
    store.feedback("INC-1", "mute", now=make.now)
    live(store, make, 1, event="recovered")
    assert store.incidents()[0].status is IncidentStatus.RECOVERED
    live(store, make, 2)
    assert store.incidents()[0].status is IncidentStatus.MUTED


@pytest.mark.parametrize(("action", "expected"), [("expected", True), ("noise", True), ("mute", False)])
def test_a_day_that_is_said_to_be_fine_teaches_again(store: Store, make: Any, action: str, expected: bool) -> None:
    live(store, make, 0, 1)
    live(store, make, 2, event="recovered")
    store.record(make.run(3))
    store.feedback("INC-1", action, now=make.now)
    assert [past.expected for past in store.history("main.flights")] == [expected, expected, False, False]
    store.record(make.run(1))  # run again and well: nothing there to be called fine
    assert [past.expected for past in store.history("main.flights")] == [expected, False, False, False]


def test_noise_that_is_taken_back_leaves_all_as_it_was(store: Store, make: Any) -> None:
    live(store, make, 0, 1)
    with pytest.raises(UsageError, match="was not called noise"):
        store.feedback("INC-1", "noise_cleared", now=make.now)
    for _ in range(2):
        store.feedback("INC-1", "noise", now=make.now, by="@ana")
        assert store.cautions("main.flights")
        assert store.incidents()[0].status is IncidentStatus.EXPECTED
        store.feedback("INC-1", "noise_cleared", now=make.now, by="@bob")
        assert store.cautions("main.flights") == []
        assert store.incidents()[0].status is IncidentStatus.OPEN
        assert [past.expected for past in store.history("main.flights")] == [False, False]
    assert [one.action.value for one in store.feedback_on("INC-1")] == ["noise", "noise_cleared"] * 2
    store.feedback("INC-1", "noise", now=make.now, by="@ana")
    assert store.incidents()[0].status is IncidentStatus.EXPECTED
    store.feedback("INC-1", "expected", now=make.now)
    store.feedback("INC-1", "noise_cleared", now=make.now)
    assert store.incidents()[0].status is IncidentStatus.EXPECTED  # which was said besides
    assert [past.expected for past in store.history("main.flights")] == [True, True]


def test_feedback_on_an_unknown_incident_names_the_nearest(store: Store, make: Any) -> None:
    with pytest.raises(UsageError, match="no incidents yet"):
        store.feedback("INC-1", "resolve", now=make.now)
    for number in range(10):
        store.record(make.bad_run(number))
    with pytest.raises(UsageError, match=r"INC-77.*INC-10 or INC-9 or INC-8"):
        store.feedback("INC-77", "resolve", now=make.now)
    with pytest.raises(UsageError, match="INC-10"):
        store.feedback("latest", "resolve", now=make.now)
    with pytest.raises(UsageError, match=r"'fix'.*acknowledge, assign"):
        store.feedback("INC-1", "fix", now=make.now)
    with pytest.raises(UsageError, match="INC-77"):
        store.feedback_on("INC-77")


def test_incidents_of_all_tables(store: Store, make: Any) -> None:
    for table in ("main.b", "main.a"):
        store.record(make.run(table=table, incidents=[make.incident(table=table)]))
    store.feedback("INC-1", "resolve", now=make.now)
    assert [(s.id, s.table) for s in store.incidents()] == [("INC-1", "main.b"), ("INC-2", "main.a")]
    assert [s.id for s in store.incidents("main.a")] == ["INC-2"]
    assert [s.id for s in store.incidents(open_only=True)] == ["INC-2"]
