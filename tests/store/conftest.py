"""A store on each engine, and the values that go into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Delivery, RunRecord, Store
from monitor.types import Change, Finding, Incident, Partition, Priority, Severity, Status

NOW = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
ENGINES = ["sqlite", "postgresql"]


def day(number: int) -> Partition:
    start = dt.datetime(2013, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)
    return Partition(start.isoformat(), start.date().isoformat(), start, start + dt.timedelta(days=1))


def finding(key: str = "new:0", check: str = "nulls.dep_time", **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "id": key,
        "table": "main.flights",
        "partition": "2013-01-01",
        "check": check,
        "kind": "nulls",
        "status": Status.FAIL,
        "score": 0.4,
        "threshold": 0.1,
        "surprise": 6.2,
        "severity": Severity.STRONG,
        "priority": Priority.NORMAL,
        "columns": ("dep_time",),
        "segments": (),
        "summary": "dep_time is NULL on 40 % of rows",
        "change": Change.NULLS_UP,
    }
    return Finding(**(fields | changes))


def incident(key: str = "new:0", event: str = "opened", **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "incident": key,
        "table": "main.flights",
        "partition": "2013-01-01",
        "event": event,
        "title": "dep_time is NULL",
        "checks": ("nulls.dep_time",),
        "columns": ("dep_time",),
        "segments": (),
        "change": Change.NULLS_UP,
        "surprise": 6.2,
        "alerted": event in {"opened", "worsened"},
        "severity": Severity.STRONG,
    }
    return Incident(**(fields | changes))


def run(number: int = 0, **changes: Any) -> RunRecord:
    fields: dict[str, Any] = {"table": "main.flights", "partition": day(number), "at": NOW}
    return RunRecord(**(fields | changes))


def bad_run(number: int = 0, key: str = "new:0", event: str = "opened", **changes: Any) -> RunRecord:
    """A day with one failing finding, its incident, and one message about it."""
    label = day(number).label
    failing = finding(incident=key, partition=label)
    lived = incident(key, event, partition=label, findings=("new:0",))
    message = Delivery(key, "slack:#data", {"incident": key, "findings": ["new:0"]})
    return run(number, **({"findings": [failing], "incidents": [lived], "deliveries": [message]} | changes))


@dataclass(frozen=True)
class Builders:
    now: dt.datetime = NOW
    day: Callable[..., Partition] = day
    finding: Callable[..., Finding] = finding
    incident: Callable[..., Incident] = incident
    run: Callable[..., RunRecord] = run
    bad_run: Callable[..., RunRecord] = bad_run


@pytest.fixture(scope="session")
def make() -> Builders:
    return Builders()


@pytest.fixture(params=ENGINES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place for a store, gone after the test. Another engine is one more branch here."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'daywatch.db'}"
        return
    with request.getfixturevalue("postgres").schema() as url:
        yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'daywatch.db'}"
