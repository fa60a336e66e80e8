"""What holds whatever is recorded, in whatever order, however often."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.store import IncidentState, Store, codec
from monitor.store.names import finding_number, incident_number
from monitor.types import Partition

FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a busy machine is no fault
)
TEXTS = st.text(max_size=8) | st.sampled_from(["\x00", "\ud800", "naïve", "🙂"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.dictionaries(TEXTS, st.none() | NUMBERS, max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
# A day's verdict: well, or bad in one of two ways; days in any order, some run several times.
DAYS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["well", "nulls", "drift"])), min_size=1, max_size=10)


def judge(store: Store, make: Any, number: int, verdict: str) -> None:
    """Run a day as the monitor does: incidents as they were before it go on, recover, or a new one opens."""
    partition = make.day(number)
    known = store.incidents("main.flights", open_only=True, at=partition.order)
    going_on = [state for state in known if verdict in state.checks]
    lived = [make.incident(state.id, "continued", checks=(verdict,), columns=(verdict,)) for state in going_on]
    lived += [make.incident(state.id, "recovered", checks=(), columns=()) for state in known if state not in going_on]
    if verdict != "well" and not going_on:
        lived.append(make.incident("new:0", checks=(verdict,), columns=(verdict,)))
    store.record(make.run(number, incidents=lived))


def facts(states: Sequence[IncidentState]) -> list[tuple[Any, ...]]:
    return [(s.opened, s.last_seen, s.closed, s.checks, s.status) for s in states]


@FEW
@given(values=VALUES, scores=st.dictionaries(TEXTS, NUMBERS, max_size=3), times=st.integers(1, 4))
def test_recording_often_is_recording_once(make: Any, values: Any, scores: Any, times: int) -> None:
    with Store.open("sqlite://") as store:
        for _ in range(times):
            store.record(make.bad_run(values=values, scores=scores))
        (past,) = store.history("main.flights")
        assert past.values == values
        assert past.scores == scores
        assert past.revision == times
        assert len(store.findings()) == len(store.incidents()) == len(store.pending(99, make.now)) == 1
        assert len(store.findings(latest=False)) == times


@FEW
@given(days=DAYS, again=st.integers(1, 3))
def test_extra_revisions_change_no_incident(make: Any, days: list[tuple[int, str]], again: int) -> None:
    """Running each day of a replay several times ends where running it once does, ids and alerts included."""
    verdicts = sorted(dict(days).items())
    with Store.open("sqlite://") as once, Store.open("sqlite://") as often:
        for number, verdict in verdicts:
            judge(once, make, number, verdict)
            for _ in range(again + 1):
                judge(often, make, number, verdict)
        assert [replace(s, findings=()) for s in often.incidents()] == once.incidents()


@FEW
@given(days=DAYS)
def test_the_last_run_of_each_day_decides(make: Any, days: list[tuple[int, str]]) -> None:
    """After any wild order of runs, replaying all days in order ends where a fresh store does."""
    with Store.open("sqlite://") as fresh, Store.open("sqlite://") as worn:
        for number, verdict in days:
            judge(worn, make, number, verdict)
        for number, verdict in sorted(dict(days).items()):
            judge(fresh, make, number, verdict)
            judge(worn, make, number, verdict)
        assert facts(worn.incidents()) == facts(fresh.incidents())


@FEW
@given(days=DAYS, at=st.integers(0, 5))
def test_the_state_before_a_day_knows_nothing_later(make: Any, days: list[tuple[int, str]], at: int) -> None:
    verdicts = sorted(dict(days).items())
    with Store.open("sqlite://") as whole, Store.open("sqlite://") as part:
        for number, verdict in verdicts:
            judge(whole, make, number, verdict)
            if number < at:
                judge(part, make, number, verdict)
        assert whole.incidents("main.flights", at=make.day(at).order) == part.incidents("main.flights")


@given(orders=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5), unique=True))
@FEW
def test_history_is_sorted_and_bounded(make: Any, orders: list[str]) -> None:
    with Store.open("sqlite://") as store:
        for order in orders:
            store.record(make.run(partition=Partition(order, order)))
        by_bytes = sorted(orders, key=lambda order: order.encode())
        assert [past.partition.order for past in store.history("main.flights")] == by_bytes
        assert [past.partition.order for past in store.history("main.flights", limit=2)] == by_bytes[-2:]


@given(value=JSON)
def test_what_is_json_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(codec.dump(value)) == value
    assert codec.load_all([codec.dump(value)] * 2) == [value] * 2


@given(text=st.text())
def test_only_names_are_names(text: str) -> None:
    for number, prefix in ((finding_number(text), "F-"), (incident_number(text), "INC-")):
        assert number is None or f"{prefix}{number}" == text.strip().upper()
