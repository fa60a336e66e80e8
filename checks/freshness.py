"""Did the partition come at all, and in time?

Whether rows are due is learned from the past: a shop without Saturdays is not late on Saturdays. A partition that is
complete and empty although its like came before is a fact, not a matter of thresholds. A table that is rewritten in
place has no newest time: it is stale when it has not changed for longer than it ever had before.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.types import (
    Arrival,
    ArrivalState,
    Cadence,
    Change,
    Evidence,
    Input,
    Observation,
    Partition,
    Stillness,
    Table,
    Values,
)

EXPECTED_MIN = 0.75
"""How often partitions like this one must have come before its absence is a failure."""
KNOWN_MIN = 3
"""Past partitions below which nobody knows whether rows were due."""
PAST_MAX = 60
CHANGES_MIN = 10
"""Looks that found a change below which nobody knows how often a table changes that is rewritten in place."""
CHANGES_SURE = 28


class Freshness:
    """`freshness`: fails when a partition is due and has no rows."""

    name = "freshness"

    def inputs(self, table: Table) -> Sequence[Input]:
        """What is known of the partition's arrival."""
        return [Arrival()]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence: score 1 when rows are due and none came, 0 otherwise."""
        state: ArrivalState = values[Arrival()]
        stood = _stood_still(state.stillness)
        if stood is not None and state.rows:
            return [stood]
        expected, known = arrival_rate(table.cadence, partition, state)
        overdue = state.complete or (state.due is not None and state.now >= state.due)
        missing = state.rows == 0 and overdue
        detail = {
            "expected": expected,
            "due": state.due.isoformat() if state.due else None,
            "latest": state.latest.isoformat() if state.latest else None,
        }
        if missing and known < KNOWN_MIN:
            return [Evidence("freshness", "freshness", None, exact=True, detail=detail)]
        return [
            Evidence(
                check="freshness",
                kind="freshness",
                score=float(missing and expected >= EXPECTED_MIN),
                exact=True,
                change=Change.LATE,
                effect=expected if missing else 0.0,
                observation=Observation("rows", float(state.rows), unit="rows"),
                detail=detail,
            )
        ]


def _stood_still(state: Stillness | None) -> Evidence | None:
    """For a table looked at as a whole: whether it stands still longer than ever; None until that is known."""
    if state is None or state.changes < CHANGES_MIN:
        return None
    # one look more than ever is little where few changes were seen, or where standing still is common
    margin = 1 if state.longest == 0 and state.changes >= CHANGES_SURE else 2
    over = state.still - state.longest - margin + 1
    return Evidence(
        check="freshness",
        kind="freshness",
        score=float(max(over, 0)),
        exact=True,
        change=Change.LATE,
        effect=1.0 if over > 0 else 0.0,
        observation=Observation("looks without a change", float(state.still), high=float(state.longest)),
        detail={"still": state.still, "longest": state.longest},
    )


def arrival_rate(cadence: Cadence, partition: Partition, state: ArrivalState) -> tuple[float, int]:
    """How often partitions like this one came, and how many are known.

    Same weekday (or same hour) where at least three of them are known, all of the recent past otherwise.
    """
    past = state.past_rows[-PAST_MAX * (24 if cadence is Cadence.HOUR else 1) :]
    start = partition.start
    alike = past
    if start is not None and cadence is not Cadence.WEEK:
        same = [p for p in past if p.partition.start is not None and p.partition.start.weekday() == start.weekday()]
        if cadence is Cadence.HOUR:
            same = [p for p in same if p.partition.start is not None and p.partition.start.hour == start.hour]
        alike = tuple(same) if len(same) >= 3 else past
    came = sum(1 for p in alike if p.value)
    return (came / len(alike), len(alike)) if alike else (0.0, 0)
