"""What watching would cost, told beforehand from metadata and from what is known of the past, without a scan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.groups import HISTORY, HISTORY_OF_STATISTICS
from monitor.past import REFERENCE_LAGS, REFERENCES_MAX, is_timed
from monitor.read import BATCH, OWN, Request, sample_rows
from monitor.types import Cadence, Check, Groups, Table
from monitor.warehouses.polls import TABLES_A_STATEMENT

if TYPE_CHECKING:
    from monitor.warehouses.polls import TableState

MONTH_HOURS = 730.5
LOOKS = 2
"""Statements by which a run sees which partition is the last, and whether rows came late."""
LOOK_ROWS = 10
SEGMENT_ROWS = 100.0
"""What the segments of one partition bring, about: which columns have few values is known only from reading them."""
AWAKE_S = 120.0
"""How long one wake keeps a warehouse that is paid by the time: a minute of work, and AUTO_SUSPEND = 60."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: `scanned` rows by aggregates, `fetched` rows brought, `bytes` scanned; None: nobody knows."""

    statements: float = 0.0
    scanned: float | None = 0.0
    fetched: float = 0.0
    bytes: float | None = 0.0

    def __add__(self, other: Load) -> Load:
        return Load(
            self.statements + other.statements,
            None if self.scanned is None or other.scanned is None else self.scanned + other.scanned,
            self.fetched + other.fetched,
            None if self.bytes is None or other.bytes is None else self.bytes + other.bytes,
        )

    def times(self, factor: float) -> Load:
        """So many of it."""
        return Load(
            self.statements * factor,
            None if self.scanned is None else self.scanned * factor,
            self.fetched * factor,
            None if self.bytes is None else self.bytes * factor,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """One table: `partitions` and `month` of an average month, `first_day` the reading of its past beside that.

    `rows` is how many a partition has; None where neither the store nor anything else tells: then as many are assumed
    to be fetched as may be.
    """

    partitions: float
    rows: float | None
    month: Load
    first_day: Load


def estimate(
    table: Table, checks: Sequence[Check], rows: float | None, state: TableState | None, columns_max: int | None = None
) -> Estimate:
    """What judging each partition of a table once, in a process of its own or in `serve`, would ask for.

    Args:
        table: the table.
        checks: those that run on it.
        rows: of one partition, if known.
        state: what the engine's metadata says.
        columns_max: the engine's limit of a select list.
    """
    request = Request.of(checks, table)
    fused = [measure for measure in request.measures if measure.kind not in OWN]
    asked = math.ceil((len(request.measures) - len(fused)) / BATCH)
    scans = (math.ceil(len(fused) / columns_max) if columns_max else 1) + asked
    whole = table.time is None
    if whole and rows is None and state is not None and state.rows is not None:
        rows = float(state.rows)
    row_bytes = state.bytes / state.rows if state is not None and state.bytes is not None and state.rows else None
    partitions = table.cadence.partitions_per_month
    sampled = float(min(sample_rows(table), rows if rows is not None else math.inf))
    samples = (1 if whole else 1 + REFERENCES_MAX) if request.samples else 0  # earlier looks are in the store
    judged = _load(scans, rows, scans, row_bytes) + _load(samples, rows, samples * sampled, row_bytes, aggregates=False)
    statements, brought, _ = _grouped(table, request, rows)
    judged = judged + _load(statements, rows, brought, row_bytes)
    if not whole:
        judged = judged + Load(LOOKS, 0.0, LOOK_ROWS, 0.0)
    if not whole and not is_timed(table):
        judged = judged + Load(1, 0.0, table.backfill_days, 0.0)  # ids are listed anew each time
    past = Load() if whole else _past(table, request, scans, rows, sampled, row_bytes)
    return Estimate(partitions, rows, judged.times(partitions), past)


def _load(
    statements: float, rows: float | None, fetched: float, row_bytes: float | None, *, aggregates: bool = True
) -> Load:
    """Statements that each read a partition once."""
    read = None if rows is None else statements * rows
    scanned = read if aggregates else 0.0
    return Load(statements, scanned, fetched, None if read is None or row_bytes is None else read * row_bytes)


def _grouped(table: Table, request: Request, rows: float | None) -> tuple[int, float, int]:
    """Statements that read a partition's rows by group, rows that they bring, and partitions of the past they need."""
    named = [needed for needed in request.groups if isinstance(needed, Groups)]
    segments = len(request.groups) - len(named)
    # as they are fused: those over the same rows share a statement, those ranked by a statistic have each their own
    shared = {(g.where, g.columns if g.by_statistic else None, g.statistics if g.by_statistic else ()) for g in named}
    if segments:
        shared.add(("", None, ()))
    brought = sum(min(float(g.groups_max), math.inf if rows is None else rows) for g in named) + segments * SEGMENT_ROWS
    days = (HISTORY_OF_STATISTICS if any(g.statistics for g in named) else HISTORY)[table.cadence]
    return len(shared), brought, days


def _past(
    table: Table, request: Request, scans: int, rows: float | None, sampled: float, row_bytes: float | None
) -> Load:
    """The first day's reading: all partitions by one GROUP BY, and the samples that replaying the last ones needs."""
    span = table.backfill_days * (24 if table.cadence is Cadence.HOUR else 1)
    if not span:
        return Load()
    counted = scans + any(measure.kind.startswith("duplicate") for measure in request.measures)
    every = None if rows is None else rows * span
    read = Load(counted, None if every is None else counted * every, counted * span, None)
    if every is not None and row_bytes is not None:
        read = Load(read.statements, read.scanned, read.fetched, counted * every * row_bytes)
    statements, brought, days = _grouped(table, request, rows)
    days = min(days, span)
    read = read + _load(statements, None if rows is None else rows * days, brought * days, row_bytes)
    samples = _replayed(table, span) if request.samples else 0
    return read + _load(samples, rows, samples * sampled, row_bytes, aggregates=False)


def _replayed(table: Table, span: int) -> int:
    """How many partitions are sampled to replay the last ones: themselves, and those that each is compared with."""
    lags = (0, *REFERENCE_LAGS[table.cadence])
    days = {day + lag for day in range(1, table.drift_backfill_days + 1) for lag in lags}
    return sum(day <= span for day in days)


def poll_load(tables: int, interval_s: float) -> Load:
    """What the polls of `serve` ask of one warehouse in a month, at most: metadata once, counts of all tables."""
    polls = MONTH_HOURS * 3600 / interval_s
    statements = 1 + math.ceil(tables / TABLES_A_STATEMENT)
    return Load(polls * statements, None, polls * tables * 2, None)


def awake_hours(partitions: float, interval_s: float) -> float:
    """How long a month's polls and judged partitions keep a warehouse awake at most, if each wakes it for itself."""
    wakes = partitions + MONTH_HOURS * 3600 / interval_s
    return min(MONTH_HOURS, wakes * AWAKE_S / 3600)
