"""Chapter: a table that was never seen before. What is found on its 1st, 3rd, 30th day, and is it silent till then?

The days before are all there is: they were judged as they came, by as little. With its past read on the first day
(`backfill`) a table is judged as in the main chapter from day 1 on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import chaos
from benchmarks.detection.cases import EXCLUDED, faulted
from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import known_days

DAYS = (1, 2, 3, 7, 8, 14, 30)
SHARES = (0.1, 0.3)
ROWS_MIN = 100


def run(replay: Replay, entry: Entry, faults: int, seed: int = 6) -> Iterator[dict[str, Any]]:
    """One row for each of the first 30 days with rows, untouched, and for each faulted one of some of them.

    Args:
        replay: the table's days.
        entry: the table.
        faults: how many faults are tried on each day of `DAYS`; those that hit fewer than 100 rows are drawn again.
        seed: of faults and columns.
    """
    draw = random.Random(seed)  # noqa: S311 - a benchmark draws, it keeps no secret
    watched = Watched(replay, replay.dates[0], backfill=False)
    for number, day in enumerate(replay.dates[: max(DAYS)], start=1):
        row = {"table": entry.name, "tuned": entry.tuned, "day": str(day), "number": number}
        tried = list(_tried(replay, entry, number, faults, draw)) if number in DAYS else []
        judged = [watched.step(day, case.frame, learn=False) for case in tried]
        clean = watched.step(day)
        yield {**row, "fault": None, "alerts": len(clean.alerts), "known": day in known_days(entry.name)}
        for case, step in zip(tried, judged, strict=True):
            found = len(step.alerts) > 0
            yield {**row, "fault": case.fault, "share": case.share, "found": found, "noisy": bool(clean.events)}


def _tried(replay: Replay, entry: Entry, number: int, faults: int, draw: random.Random) -> Iterator[Any]:
    """Cases of that day that hit enough rows; a fault that needs the day before has none on day 1."""
    names = [name for name in chaos.FAULTS if name not in EXCLUDED]
    day = replay.dates[number - 1]
    made = 0
    for _ in range(6 * faults):
        name = draw.choice(names)
        if number == 1 and "yesterday" in chaos.FAULTS[name].needs:
            continue
        for case in faulted(replay, entry, day, name, draw.choice(SHARES), draw):
            if case.hit >= ROWS_MIN and made < faults:
                made += 1
                yield case
        if made >= faults:
            return
