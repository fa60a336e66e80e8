"""Verdicts, incidents and pasts made by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from monitor.judge import Verdict, severity_of
from monitor.partitions import partition_at
from monitor.store import IncidentState, IncidentStatus, PastPartition
from monitor.store.records import Seen
from monitor.types import (
    ROWS,
    Cadence,
    Change,
    Column,
    ColumnKind,
    Evidence,
    Partition,
    Severity,
    Status,
    Table,
    TimeColumn,
    TimeForm,
)

START = dt.date(2024, 1, 1)  # a Monday


def day(number: int) -> Partition:
    return partition_at(Cadence.DAY, "UTC", START + dt.timedelta(days=number))


def table(columns: int = 3, **settings: Any) -> Table:
    made = tuple(Column(f"c{i}", ColumnKind.NUMBER, "DOUBLE") for i in range(columns))
    return Table("main.t", "main", ("t",), made, TimeColumn("c0", TimeForm.TIMESTAMP), **settings)


def verdict(
    check: str,
    columns: Sequence[str] = (),
    status: Status = Status.FAIL,
    effect: float = 0.2,
    surprise: float = 8.0,
    **parts: Any,
) -> Verdict:
    shares = parts.pop("shares", tuple(1.0 / len(columns) for _ in columns))
    evidence = Evidence(
        check, check.split(".", 1)[0], 5.0, columns=tuple(columns), effect=effect, shares=shares, **parts,
    )  # fmt: skip
    return Verdict(evidence, status, surprise, 1.0, 3.0, severity_of(effect))


def incident(name: str, checks: Sequence[str], columns: Sequence[str] = (), **parts: Any) -> IncidentState:
    seen = parts.pop("seen", day(0))
    return IncidentState(
        id=name, table="main.t", opened=Seen(seen.label, seen.order), last_seen=Seen(seen.label, seen.order),
        columns=tuple(columns), checks=tuple(checks), change=Change.NULLS_UP, title="c1 is missing",
        severity=parts.pop("severity", Severity.STRONG), surprise=8.0, status=IncidentStatus.OPEN, **parts,
    )  # fmt: skip


def past_row(number: int, rows: float = 100.0, failed: Sequence[str] = (), **parts: Any) -> PastPartition:
    values = {ROWS.key: rows} | parts.pop("values", {})
    fields: dict[str, Any] = {
        "scores": {}, "surprises": {}, "expected": False, "schema": None, "source": "run", "revision": 1,
    }  # fmt: skip
    return PastPartition(day(number), values, failed=frozenset(failed), **(fields | parts))


@dataclass(frozen=True)
class Builders:
    day: Callable[..., Partition] = day
    table: Callable[..., Table] = table
    verdict: Callable[..., Verdict] = verdict
    incident: Callable[..., IncidentState] = incident
    past_row: Callable[..., PastPartition] = past_row


@pytest.fixture(scope="session")
def make() -> Builders:
    return Builders()
