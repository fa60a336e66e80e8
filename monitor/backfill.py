"""A past from the warehouse's own rows, so that day one is judged against something.

Aggregates come by one GROUP BY over all partitions that the store does not know; the drift check's past by replaying
the last few weeks. Both read nothing of the partition that is to be judged, nor of later ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.partitions import previous
from monitor.past import Day, Past, is_timed
from monitor.read import Request, Samples, read_samples
from monitor.store import Measured, Store
from monitor.types import Partition, Table

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

Progress = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _total: int) -> None:
    """No progress shown."""


def backfill(
    warehouse: Warehouse,
    store: Store,
    table: Table,
    before: Partition,
    past: Past,
    request: Request,
    now: dt.datetime,
    progress: Progress = silent,
) -> int:
    """Measure every partition before `before` that the store does not know; how many were added."""
    first = _first_missing(warehouse, table, before, past)
    if first is None:
        return 0
    from monitor.asking import measure_past  # noqa: PLC0415 - rules load sqlglot

    progress(f"{table.name}: reading its past", 0, 1)
    measured = measure_past(warehouse, table, request.of_past, first, before)
    known = {day.partition.order for day in past.known(before)}
    rows = [
        Measured(partition, {m.key: v for m, v in values.items()})
        for partition, values in measured
        if partition.order not in known
    ]
    store.record_backfill(table.name, rows, now)
    for row in rows:
        past.add(Day(row.partition, row.values))
    progress(f"{table.name}: reading its past", 1, 1)
    return len(rows)


def _first_missing(warehouse: Warehouse, table: Table, before: Partition, past: Past) -> Partition | None:
    """Where the unknown past begins; None when there is nothing to read."""
    if table.backfill_days <= 0:
        return None
    known = past.known(before)
    if not is_timed(table):
        ids = [p for p, _ in warehouse.partitions(table, before=before, last=table.backfill_days)]
        have = {day.partition.order for day in known}
        missing = [p for p in ids if p.order not in have]
        return missing[0] if missing else None
    last = previous(before, table.cadence, table.timezone)
    if known and known[-1].partition.order >= last.order:
        return None
    span = table.backfill_days * (24 if table.cadence.value == "hour" else 1)
    earliest = previous(before, table.cadence, table.timezone, span)
    return known[-1].partition if known and known[-1].partition.order > earliest.order else earliest


def backfill_drift(
    store: Store,
    samples: Samples,
    before: Partition,
    past: Past,
    now: dt.datetime,
    progress: Progress = silent,
) -> int:
    """Score the last `drift_backfill_days` partitions that have no drift score, each by what was known before it."""
    from checks.drift.compare import compare, scores_of  # noqa: PLC0415 - heavy, and only needed for a new table

    table = samples.table
    days = [day for day in past.known(before) if day.rows > 0][-table.drift_backfill_days :]
    wanted = [day for day in days if "drift" not in day.scores] if table.drift_backfill_days > 0 else []
    found: dict[str, dict[str, float]] = {}
    for done, day in enumerate(wanted):
        progress(f"{table.name}: replaying its past", done, len(wanted))
        sample_set = read_samples(samples, day.partition, past, day.rows)
        if sample_set.past:
            scores = scores_of(compare(table, day.partition, sample_set))
            found[day.partition.order] = scores
            past.add(replace(day, scores={**day.scores, **scores}))
    if found:
        store.update_scores(table.name, found, now)
        progress(f"{table.name}: replaying its past", len(wanted), len(wanted))
    return len(found)
