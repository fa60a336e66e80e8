"""Which partitions a run judges: the last complete one, one by name, or a range in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.errors import UsageError
from monitor.partitions import parse_label, partition_at, partitions_between, previous
from monitor.past import Past, is_timed
from monitor.read import due_of
from monitor.receipts import spending
from monitor.types import ROWS, Partition

if TYPE_CHECKING:
    from monitor.run import Watch

LATE_PARTITIONS = 7
"""How many judged partitions back late rows are looked for."""
STALE_PARTITIONS = 14
"""A table whose newest rows are older than this when it is first watched is taken for a finished one."""


def select_partitions(
    watch: Watch, first: str | None, last: str | None, now: dt.datetime, note: Callable[[str], None]
) -> list[Partition]:
    """The partitions to judge, oldest first.

    Args:
        watch: the table and its warehouse.
        first: label of the first partition; None: the last complete one alone.
        last: label of the last partition, included.
        now: what is complete depends on it.
        note: told when another partition is judged than a person might expect.

    Raises:
        UsageError: a label that is none, a range that ends before it begins, or a partition still to come.
    """
    with spending(watch.store, watch.warehouse, watch.table.name, "poll", now):
        return _select(watch, first, last, now, note)


def _select(
    watch: Watch, first: str | None, last: str | None, now: dt.datetime, note: Callable[[str], None]
) -> list[Partition]:
    table = watch.table
    if table.time is None:
        return _whole(watch, first, last, now, note)
    if first is None or last is None:
        return _last_complete(watch, now, note)
    start, end = watch.warehouse.partition(table, first), watch.warehouse.partition(table, last)
    if start.order > end.order:
        raise UsageError(f"the range ends before it begins: {first} to {last}", mend="swap --from and --to")
    if start.start is not None and start.start > now:
        raise UsageError(f"{start.label} lies in the future", where=table.name, mend="judge a day that has begun")
    if start.order == end.order:
        return [start]
    if not is_timed(table):
        return [p for p, _ in watch.warehouse.partitions(table, first=start) if p.order <= end.order]
    return [
        p for p in partitions_between(start, end, table.cadence, table.timezone) if p.start is None or p.start <= now
    ]


def _whole(
    watch: Watch, first: str | None, last: str | None, now: dt.datetime, note: Callable[[str], None]
) -> list[Partition]:
    """A table without a time column is looked at as a whole, once a day (hour, week), as it is now."""
    table = watch.table
    today = partition_at(table.cadence, table.timezone, now)
    if first is None or last is None:
        return [today]
    start, end = (parse_label(label, table.cadence, table.timezone) for label in (first, last))
    known = [row.partition for row in watch.store.history(table.name, today.order) if row.source == "run"]
    chosen = [p for p in (*known, today) if start.order <= p.order <= end.order]
    if not chosen:
        note(f"{table.name}: nothing is kept of {first}: a table that is looked at as a whole has no past to read")
    elif chosen[0] != today:
        note(
            f"{table.name}: looks of earlier days are judged by what was kept of them; SQL shows the table as it is now"
        )
    return chosen


def _last_complete(watch: Watch, now: dt.datetime, note: Callable[[str], None]) -> list[Partition]:
    table, warehouse = watch.table, watch.warehouse
    if not is_timed(table):
        return [p for p, _ in warehouse.partitions(table, last=1)]
    current = partition_at(table.cadence, table.timezone, now)
    chosen = previous(current, table.cadence, table.timezone)
    known = Past(table, watch.store.history(table.name, chosen.order, LATE_PARTITIONS + 30))
    due = due_of(table, chosen, known.arrival_lag_s(chosen))
    if due is not None and now < due:
        chosen = previous(chosen, table.cadence, table.timezone)
    newest = warehouse.partitions(table, before=current, last=1)
    stale = previous(chosen, table.cadence, table.timezone, STALE_PARTITIONS)
    if newest and newest[0][0].order < stale.order and not watch.store.findings(table.name):
        found = newest[0][0]
        note(f"{table.name}: its newest rows are of {found.label}; judging that one (choose another with --date)")
        return [found]
    return [*_came_late(watch, chosen, note), chosen]


def _came_late(watch: Watch, chosen: Partition, note: Callable[[str], None]) -> list[Partition]:
    """Judged partitions of the last days whose row count has changed since: they are judged again."""
    table = watch.table
    rows = watch.store.history(table.name, chosen.order, LATE_PARTITIONS)
    judged = {row.partition.order: row for row in rows if row.source == "run"}
    if not judged:
        return []
    first = min(judged.values(), key=lambda row: row.partition.order).partition
    counts = {p.order: n for p, n in watch.warehouse.partitions(table, first=first, before=chosen)}
    late = [row.partition for order, row in judged.items() if counts.get(order, 0) != (row.values.get(ROWS.key) or 0)]
    for partition in late:
        note(f"{table.name}: rows of {partition.label} changed since it was judged; judging it again")
    return late
