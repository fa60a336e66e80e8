"""Which partitions of a table are to be judged now: from row counts, what was judged, and the time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.partitions import following, partition_at, partitions_between, previous, wall_time
from monitor.past import is_timed
from monitor.read import due_of
from monitor.types import Cadence, Partition, Table

LATE_PARTITIONS = 7
"""How many judged partitions back changed row counts are looked for."""
CATCH_UP_PARTITIONS = {Cadence.HOUR: 48, Cadence.DAY: 14, Cadence.WEEK: 8}
"""How many partitions that were missed are judged afterwards."""
CATCH_UP_IDS = 20
PATIENCE = {Cadence.HOUR: dt.timedelta(hours=1), Cadence.DAY: dt.timedelta(hours=6), Cadence.WEEK: dt.timedelta(days=1)}
"""How much later than ever before a partition may come where no due time is set."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is recorded of a partition: its rows, the record's revision, and when after its end it was looked at."""

    partition: Partition
    rows: int
    revision: int
    checked_s: float | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """Row counts by partition order, from partition `since` on, as two looks in a row found them.

    `before` is None where there was one look only; a partition without rows is in neither.
    """

    counts: Mapping[str, tuple[Partition, int]]
    before: Mapping[str, tuple[Partition, int]] | None
    since: str

    def rows(self, order: str) -> int:
        """How many rows a partition has."""
        return self.counts[order][1] if order in self.counts else 0

    def is_still(self, order: str) -> bool:
        """Whether the partition's count was the same at the look before."""
        if self.before is None:
            return False
        return (self.before[order][1] if order in self.before else 0) == self.rows(order)


@dataclass(frozen=True, slots=True)
class Wish:
    """A partition to judge, why, and the revision that was recorded of it when that was decided (None: none)."""

    partition: Partition
    why: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to judge, oldest first, and labels of partitions that are too long ago to be judged afterwards."""

    wishes: tuple[Wish, ...] = ()
    skipped: tuple[str, ...] = ()


def decide(
    table: Table, looked: Looked | None, judged: Mapping[str, Judged], lag_s: float, now: dt.datetime
) -> Decision:
    """Which partitions to judge at `now`.

    Args:
        table: its time column, cadence, zone and due time.
        looked: row counts; None for a table without a time column, which is judged once a day.
        judged: by order, what is recorded of partitions.
        lag_s: how long after their end partitions were still seen to grow, in seconds.
        now: an aware datetime.
    """
    if table.time is None:
        return _decide_whole(table, judged, now)
    if looked is None:
        return Decision()
    return _decide_timed(table, looked, judged, lag_s, now) if is_timed(table) else _decide_ids(looked, judged)


def first_asked(table: Table, judged: Mapping[str, Judged], now: dt.datetime) -> Partition:
    """The partition of a table of days, hours or weeks from which on row counts are of interest."""
    current = partition_at(table.cadence, table.timezone, now)
    late = previous(current, table.cadence, table.timezone, LATE_PARTITIONS)
    start, _ = _expected_from(table, judged, current)
    return min(late, start, key=lambda p: p.order)


def _expected_from(table: Table, judged: Mapping[str, Judged], current: Partition) -> tuple[Partition, list[str]]:
    """The first partition that should have been judged, and labels of those before it that no longer will be."""
    cadence, zone = table.cadence, table.timezone
    earlier = [j.partition for order, j in judged.items() if order < current.order]
    if not earlier:
        return (current if judged else previous(current, cadence, zone)), []  # judged later: a clock was set back
    window = previous(current, cadence, zone, CATCH_UP_PARTITIONS[cadence])
    inside = [p for p in earlier if p.order >= window.order]
    if inside:
        return min(inside, key=lambda p: p.order), []
    last = max(earlier, key=lambda p: p.order)
    missed = partitions_between(following(last, cadence, zone), previous(window, cadence, zone), cadence, zone)
    return window, [p.label for p in missed]


def _decide_timed(
    table: Table, looked: Looked, judged: Mapping[str, Judged], lag_s: float, now: dt.datetime
) -> Decision:
    current = partition_at(table.cadence, table.timezone, now)
    if not judged and not looked.counts:
        return Decision()  # nothing came lately, and nobody ever watched: a finished table
    start, skipped = _expected_from(table, judged, current)
    late = previous(current, table.cadence, table.timezone, LATE_PARTITIONS)
    first = min(start, late, key=lambda p: p.order)
    wishes = []
    for partition in partitions_between(first, current, table.cadence, table.timezone):
        if partition.order < looked.since:
            continue
        known = judged.get(partition.order)
        if known is not None and not _is_early(table, known, lag_s):
            if partition.order >= late.order and _has_changed(looked, known):
                wishes.append(Wish(partition, "rows changed", known.revision))
        elif partition.order >= start.order:
            why = _why_now(table, partition, looked, lag_s, now)
            if why is not None:
                wishes.append(Wish(partition, why, known.revision if known is not None else None))
    return Decision(tuple(wishes), tuple(skipped))


def _is_early(table: Table, known: Judged, lag_s: float) -> bool:
    """Whether it was looked at before it could be complete, so that it is still to be judged."""
    if known.checked_s is None or known.partition.end is None:
        return False
    due = due_of(table, known.partition, lag_s) if table.due is not None else known.partition.end
    return due is not None and known.checked_s < (due - known.partition.end).total_seconds()


def _has_changed(looked: Looked, known: Judged) -> bool:
    order = known.partition.order
    return looked.rows(order) != known.rows and looked.is_still(order)


def _why_now(table: Table, partition: Partition, looked: Looked, lag_s: float, now: dt.datetime) -> str | None:
    """Why the partition is to be judged now; None: not yet."""
    due = due_of(table, partition, lag_s)
    if due is None or now < due:
        return None
    if table.due is not None:
        return "due"
    if looked.rows(partition.order) and looked.is_still(partition.order):
        return "complete"
    return "overdue" if now >= due + PATIENCE[table.cadence] else None


def _decide_ids(looked: Looked, judged: Mapping[str, Judged]) -> Decision:
    """An id is complete when its count stands still; of a table never watched, the newest is judged."""
    orders = sorted(looked.counts)
    newest = max(judged, default=None)
    fresh = orders[-1:] if newest is None else [order for order in orders if order > newest]
    skipped = [looked.counts[order][0].label for order in fresh[:-CATCH_UP_IDS]]
    wishes = [
        *_changed_ids(looked, judged),
        *(Wish(looked.counts[o][0], "complete") for o in fresh[-CATCH_UP_IDS:] if looked.is_still(o)),
    ]
    return Decision(tuple(wishes), tuple(skipped))


def _changed_ids(looked: Looked, judged: Mapping[str, Judged]) -> Iterator[Wish]:
    for order in sorted(judged)[-LATE_PARTITIONS:]:
        known = judged[order]
        if order >= looked.since and _has_changed(looked, known):
            yield Wish(known.partition, "rows changed", known.revision)


def _decide_whole(table: Table, judged: Mapping[str, Judged], now: dt.datetime) -> Decision:
    today = partition_at(table.cadence, table.timezone, now)
    if today.order in judged or today.start is None:
        return Decision()
    hourly = table.cadence is Cadence.HOUR
    if table.due is not None and not hourly and now < wall_time(today.start, table.due, table.timezone):
        return Decision()
    return Decision((Wish(today, "daily"),))
