"""Chapter: months of untouched days in order, as the service takes them. Every alert is a false one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Step, Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import known_days

MONTH_DAYS = 30.44


def run(replay: Replay, entry: Entry, days: int) -> Iterator[dict[str, Any]]:
    """One row a calendar day, from the first that may be judged on; days without rows are days too.

    Args:
        replay: the table's days.
        entry: the table; days with a real fault or event are marked `known`, their alerts are not false.
        days: how many calendar days at most.
    """
    first = replay.dates[entry.first]
    last = min(first + dt.timedelta(days=days - 1), replay.dates[-2])
    for step in Watched(replay, first).walk(first, last):
        yield row_of(entry, step)


def row_of(entry: Entry, step: Step) -> dict[str, Any]:
    """A clean day: how many alerts, of which checks and columns."""
    return {
        "table": entry.name,
        "tuned": entry.tuned,
        "day": str(step.day),
        "known": step.day in known_days(entry.name),
        "alerts": len(step.alerts),
        "about": [[group.checks[0], *group.columns[:2]] for group in step.alerts],
    }
