"""Chapter: what really went wrong in these tables. Is it found on its first day?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import REAL_FAULTS, RealFault

LEAD_DAYS = 7
"""Days judged in order before it, so that incidents of theirs are open as they would be."""


def run(replay: Replay, entry: Entry) -> Iterator[dict[str, Any]]:
    """One row for each real fault of the table: whether an alert tells it on its first day, or on which later one."""
    for fault in REAL_FAULTS:
        if fault.table == entry.name:
            yield _judged(replay, entry, fault)


def _judged(replay: Replay, entry: Entry, fault: RealFault) -> dict[str, Any]:
    day = dt.date.fromisoformat(fault.day)
    first = max(day - dt.timedelta(days=LEAD_DAYS), replay.dates[1])
    watched = Watched(replay, first)
    before = [step for step in watched.walk(first, day - dt.timedelta(days=1)) if step.alerts]
    step = watched.step(day)
    told = step.names(fault.columns) if fault.columns else bool(step.alerts)
    lead = step.alerts[0] if step.alerts else None
    return {
        "table": entry.name,
        "tuned": entry.tuned,
        "day": fault.day,
        "about": fault.about,
        "found": told,
        "said": lead.change.value if lead else None,
        "check": lead.checks[0] if lead else None,
        "named": list(lead.columns[:3]) if lead else [],
        "going_on": [event for event, _ in step.events if event == "continued"],
        "alerts_of_the_week_before": len(before),
    }
