"""Who is told of an incident, and when."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.bundles import STORM_TABLES, storm_of
from monitor.alerts.routing import channels_of, route
from monitor.alerts.timetable import Hours, Timetable
from monitor.config.routes import RouteEntry, routes_of
from monitor.store import OutboxItem
from monitor.types import Change, Incident, Priority, Severity, Table

NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)


def table(*routes: dict[str, object], channels: tuple[str, ...] = ("own",), **more: object) -> Table:
    entries = [RouteEntry(**entry) for entry in routes]
    known = {"labels": ("pii",), "owner": "@ana", **more}
    matching = routes_of(entries, "main", ("sales", "pay_in"), known["labels"], known["owner"])  # type: ignore[arg-type]
    return Table("main.sales.pay_in", "main", ("sales", "pay_in"), (), None, channels=channels, routes=matching)


def event(*checks: str, severity: Severity = Severity.STRONG) -> Incident:
    return Incident(
        "INC-1", "main.sales.pay_in", "p", "opened", "t", checks or ("nulls.a",), (), (), Change.OTHER, 3.0,
        alerted=True, severity=severity,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({}, True),
        ({"tables": "main.sales.pay_*"}, True),
        ({"tables": ["other.*", "main.sales.pay_in"]}, True),
        ({"tables": "main.other"}, False),
        ({"labels": ["pii", "x"]}, True),
        ({"labels": ["x"]}, False),
        ({"owners": "@ana"}, True),
        ({"owners": "@bob"}, False),
        ({"checks": ["nulls"]}, True),
        ({"checks": ["nulls.*"]}, True),
        ({"checks": "volume"}, False),
        ({"severity": "strong"}, True),
        ({"severity": "severe"}, False),
        ({"priority": "normal"}, True),
        ({"priority": "high"}, False),
        ({"labels": ["pii"], "owners": "@bob"}, False),
    ],
)
def test_a_route_asks_for_all_of_its_conditions(condition: dict[str, object], told: bool) -> None:
    subscribed = table({"to": "theirs", **condition})
    assert route(subscribed, event(), Priority.NORMAL) == (("own", "theirs") if told else ("own",))


def test_several_subscribe_and_each_channel_is_told_once() -> None:
    subscribed = table({"to": ["a", "b"]}, {"to": ["b", "own", "c"]}, {"to": "d", "checks": "volume"})
    assert route(subscribed, event(), Priority.NORMAL) == ("own", "a", "b", "c")
    assert channels_of(subscribed) == ("own", "a", "b", "c", "d")


def test_a_route_may_stand_instead_of_the_tables_own_channels() -> None:
    subscribed = table({"to": "a", "severity": "severe", "instead": True})
    assert route(subscribed, event(severity=Severity.EXTREME), Priority.NORMAL) == ("a",)
    assert route(subscribed, event(), Priority.NORMAL) == ("own",)
    assert route(table(channels=()), event(), Priority.NORMAL) == ("console", "folder")


@pytest.mark.parametrize(
    ("clock", "severity", "until"),
    [
        ("2013-02-09T21:59+01:00", "strong", None),
        ("2013-02-09T22:00+01:00", "strong", "2013-02-10T07:00+01:00"),
        ("2013-02-10T06:59+01:00", "strong", "2013-02-10T07:00+01:00"),
        ("2013-02-10T07:00+01:00", "strong", None),
        ("2013-02-10T03:00+01:00", "severe", None),
        ("2013-03-31T01:00+01:00", "weak", "2013-03-31T07:00+02:00"),  # the night in which clocks go forward
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(clock: str, severity: str, until: str | None) -> None:
    hours = {"a": Hours((dt.time(22), dt.time(7)), Severity.SEVERE)}
    timetable = Timetable(ZoneInfo("Europe/Berlin"), hours)
    found = timetable.opens_at("a", severity, "normal", dt.datetime.fromisoformat(clock))
    assert found == (None if until is None else dt.datetime.fromisoformat(until))
    assert timetable.opens_at("b", severity, "normal", dt.datetime.fromisoformat(clock)) is None


@given(st.integers(0, 365 * 24 * 60), st.sampled_from(["low", "normal", "high"]))
def test_what_is_put_off_is_put_off_by_a_day_at_most_and_is_wanted_then(minutes: int, priority: str) -> None:
    hours = {"a": Hours((dt.time(22), dt.time(7)), None, dt.time(8), Severity.MODERATE)}
    timetable, now = Timetable(ZoneInfo("America/New_York"), hours), NOW + dt.timedelta(minutes=minutes)
    until = timetable.opens_at("a", "strong", priority, now)
    assert until is None or now < until <= now + dt.timedelta(hours=25)
    if until is not None and priority != "low":
        assert timetable.opens_at("a", "strong", priority, until) is None


def item(number: int, name: str, minutes: float) -> OutboxItem:
    at = NOW + dt.timedelta(minutes=minutes)
    return OutboxItem(str(number), f"INC-{number}", name, "p", "opened", "a", {}, 0, False, at)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 300)), max_size=30))
def test_a_storm_is_of_many_tables_within_an_hour(happened: list[tuple[int, int]]) -> None:
    items = [item(n, f"main.t{t}", m) for n, (t, m) in enumerate(sorted(happened, key=lambda pair: pair[1]))]
    storm = storm_of(items)
    if storm:
        assert len({one.table for one in storm}) >= STORM_TABLES
        assert storm[-1].enqueued_at - storm[0].enqueued_at <= dt.timedelta(hours=1)
    else:
        for first in items:
            span = [i for i in items if dt.timedelta() <= i.enqueued_at - first.enqueued_at <= dt.timedelta(hours=1)]
            assert len({one.table for one in span}) < STORM_TABLES
