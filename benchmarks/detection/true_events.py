"""Chapter: days that were odd in the world, and whose data is right. At most one alert an event is fair."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import TRUE_EVENTS

LEAD_DAYS = 3


def run(replay: Replay, entry: Entry) -> Iterator[dict[str, Any]]:
    """One row for each event of the table: how many alerts it brought, and on which days."""
    for event in TRUE_EVENTS:
        if event.table != entry.name:
            continue
        begin, end = dt.date.fromisoformat(event.first), dt.date.fromisoformat(event.last)
        first = max(begin - dt.timedelta(days=LEAD_DAYS), replay.dates[1])
        steps = [step for step in Watched(replay, first).walk(first, end) if step.day >= begin]
        alerts = [(str(step.day), group.checks[0]) for step in steps for group in step.alerts]
        row = {"table": entry.name, "tuned": entry.tuned, "day": event.first, "last": event.last, "about": event.about}
        yield {**row, "alerts": len(alerts), "told": [list(alert) for alert in alerts]}
