"""From a panel of series to evidence: what the checks on aggregates share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from checks.series import AbsoluteT, Calendar, Forecast, calendar_of
from monitor.types import ROWS, Aggregate, Evidence, Measure, Partition, Series, Table, Values

Array = npt.NDArray[np.float64]

HISTORY_MAX = 400
"""Partitions of a series' past that are looked at; two seasons of a year and a month."""
DAMPED_ERRORS = 120
"""How many of the latest errors tell how wild a series is."""
DAMPED_SHARE = 0.02
"""Where the past's own errors are compared with the Student-t that is to describe them."""
LEARNING_POINTS = 21
"""The first three weeks' errors, as far as they are not half of all, do not widen: no calendar was known then."""
DAMPED_DOUBT = 20
"""So many errors are needed for half of what they say about wildness to be believed."""
POINTS_MIN = 3
"""One-step errors below which a series is not judged."""


@dataclass(frozen=True)
class Panel:
    """Series of several measures over the same partitions: values (T, M), today (M,).

    `rows` and `starts` (seconds since 1970, NaN for ids) have T + 1 entries, the judged partition last.
    """

    values: Array
    today: Array
    rows: Array
    starts: Array
    calendar: Calendar


def read_panel(table: Table, partition: Partition, values: Values, measures: Sequence[Measure]) -> Panel:
    """Lay the past of these measures side by side; points judged bad become NaN and teach nothing."""
    rows: Series = values[Aggregate(ROWS)]
    count = len(rows.past)
    first = max(0, count - HISTORY_MAX)
    matrix = np.full((count - first, len(measures)), np.nan)
    today = np.full(len(measures), np.nan)
    for j, measure in enumerate(measures):
        series: Series = values[Aggregate(measure)]
        matrix[:, j] = [np.nan if p.value is None or not p.good else p.value for p in series.past[first:]]
        today[j] = np.nan if series.today is None else series.today
    row_counts = np.array([p.value or 0.0 for p in rows.past[first:]] + [rows.today or 0.0])
    partitions = [p.partition for p in rows.past[first:]] + [partition]
    starts = np.array([p.start.timestamp() if p.start is not None else np.nan for p in partitions])
    return Panel(matrix, today, row_counts, starts, calendar_of(partitions, table.cadence, table.country))


def damped(forecast: Forecast, j: int) -> AbsoluteT | DampedT | None:
    """The distribution of the next absolute error of series j, widened where its own past was wilder than Student-t.

    None while fewer than POINTS_MIN errors are known. Errors of the time when weekdays were still unknown do not widen.
    """
    errors = np.abs(forecast.errors[:, j])
    errors = errors[np.isfinite(errors)][-DAMPED_ERRORS:]
    if len(errors) < POINTS_MIN or not math.isfinite(float(forecast.scale[j])):
        return None
    df = float(forecast.df[j])
    errors = errors[min(LEARNING_POINTS, len(errors) // 2) :]
    rank = max(2, math.ceil(DAMPED_SHARE * len(errors)))
    if len(errors) < 2 * rank:
        return AbsoluteT(df)
    reached = float(np.partition(errors, -rank)[-rank])
    widening = reached / AbsoluteT(df).isf(rank / (len(errors) + 1.0))
    widening = 1.0 + (widening - 1.0) * len(errors) / (len(errors) + DAMPED_DOUBT)
    return DampedT(df, widening) if widening > 1.0 else AbsoluteT(df)


def tail_alone(evidence: Evidence) -> float:
    """The tail probability of a score given its past, parts aside; 1 where either is missing."""
    return evidence.past.tail(evidence.score) if evidence.past is not None and evidence.score is not None else 1.0


def usual_size(past: Array) -> float:
    """The size that a series' unit is: the median of its past, or 1 where there is none."""
    known = np.abs(past[np.isfinite(past)])
    return float(np.median(known)) if len(known) and np.median(known) > 0 else 1.0


def size_seen(past: Array, today: float = 0.0) -> float:
    """The same, where most of the past is 0: then its largest, or today's; 1 where there is none."""
    known = np.abs(past[np.isfinite(past)])
    for size in (np.median(known) if len(known) else 0.0, known.max(initial=0.0), abs(today)):
        if np.isfinite(size) and size > 0:
            return float(size)
    return 1.0


@dataclass(frozen=True, slots=True)
class DampedT:
    """AbsoluteT of an error divided by `widening`: this series has had large errors before.

    >>> DampedT(9.0, 2.0).tail(6.5) == AbsoluteT(9.0).tail(3.25)
    True
    """

    df: float
    widening: float

    def tail(self, score: float) -> float:
        """P(|error| >= score)."""
        return AbsoluteT(self.df).tail(score / self.widening)

    def isf(self, probability: float) -> float:
        """The absolute error reached with this probability."""
        return AbsoluteT(self.df).isf(probability) * self.widening
