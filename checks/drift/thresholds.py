"""What each score may be expected to be: its own past on the cube-root scale, and what chance alone brings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from checks.bursts import Bursts, Milder
from checks.drift.compare import Comparison
from checks.drift.repeats import REPEATED
from checks.drift.tales import ROWS_TOLD
from checks.series import calendar_of, forecast_panel
from checks.series.predictive import StudentT
from monitor.types import Partition, Point, Table

Array = npt.NDArray[np.float64]

TRIFLE_NATS = 0.004
TRIFLE_ROWS = 8.0
TRIFLE_TOTAL = 0.015
"""Of what the table's days usually differ by: credit wanders between columns that say the same."""
TRIFLE_SIGMAS = 2.5
"""Scores are judged as the cube root of score + trifle: TRIFLE_NATS, plus TRIFLE_ROWS / rows for an attribution or
TRIFLE_SIGMAS standard deviations for a histogram, are what chance alone brings."""
TRIFLE_SHARE = 0.002
TRIFLE_BEYOND = 0.3
"""Likewise for the share beyond past days: a part fixed, a part shrinking with the root of the rows."""
TRIFLE_NOVEL = 0.0005
TRIFLE_NOVEL_ROWS = 2.0
TRIFLE_TALE = 0.001
TRIFLE_TALE_ROWS = 6.0
"""The best of many tales gains about this much in all where nothing happened."""
SCALE_MIN = 0.08
"""Smallest one-step scale of a score's cube root, as a part of what it usually is."""
SCALE_MIN_COUNTED = 0.05
"""The same for shares of rows that are simply counted: they scatter as counts do, and no further."""
BURSTING_POINTS_MIN = 14
"""So many past shares say whether one is next to nothing on most days, and then how large its bursts are."""
_COUNTED = ("together", "within", "order", "equation", "carried", "strayed", "newcomers")
_BURSTING = (*_COUNTED, "novel", "old")
POINTS_MIN = 4
WIDENED_POINTS_MIN = 14
"""From so many on, the largest past rise is compared with what Student-t expects of it."""


@dataclass(frozen=True, slots=True)
class RootT:
    """A score whose cube root, above a trifle, is Student-t distributed given the past.

    Divergences and tale gains scatter as chi-square does, whose cube root is nearly normal (Wilson & Hilferty, 1931). A
    logarithm makes the scatter of next to nothing count as much as that of something, and so hides large changes of
    quiet columns; the square root found a little more and cried twice as often on the days of chaotic tables.
    """

    root: StudentT
    trifle: float

    def tail(self, score: float) -> float:
        """P(next score >= score)."""
        return self.root.tail(math.cbrt(max(score, 0.0) + self.trifle))

    def isf(self, probability: float) -> float:
        """The score reached with this probability."""
        return max(0.0, max(self.root.isf(probability), 0.0) ** 3 - self.trifle)


def predict(
    table: Table, partition: Partition, found: Comparison, names: Sequence[str], past: Mapping[str, Sequence[Point]]
) -> dict[str, RootT | Milder | None]:
    """By name, the distribution of this partition's score given its past; None while there is too little of it."""
    totals = [p.value for p in past.get("drift", ()) if p.value is not None and p.good]
    usual = float(np.median(totals)) if totals else 0.0
    trifles = [_trifle(name, found, usual) for name in names]
    partitions = sorted({p.partition for points in past.values() for p in points}, key=lambda p: p.order)
    place = {p.order: i for i, p in enumerate(partitions)}
    panel = np.full((len(partitions), len(names)), np.nan)
    for j, name in enumerate(names):
        for point in past.get(name, ()):
            if point.value is not None and point.good:
                panel[place[point.partition.order], j] = math.cbrt(max(point.value, 0.0) + trifles[j])
    calendar = calendar_of([*partitions, partition], table.cadence, table.country)
    usual_roots = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 1.0 for c in panel.T])
    parts = np.array([SCALE_MIN_COUNTED if look_of(name) in _COUNTED else SCALE_MIN for name in names])
    forecast = forecast_panel(panel, calendar, None, parts * usual_roots)
    known = np.isfinite(forecast.errors).sum(axis=0)
    over = _rises_over(partitions, names, past, trifles)
    rises = (over - forecast.location) / np.where(np.isfinite(forecast.scale), forecast.scale, np.nan)
    scale = forecast.scale * widening(np.vstack([forecast.errors, rises]), forecast.df)
    told: dict[str, RootT | Milder | None] = dict.fromkeys(names)
    for j, name in enumerate(names):
        if known[j] < POINTS_MIN - 1:
            continue
        root = StudentT(float(forecast.location[j]), float(scale[j]), float(forecast.df[j]))
        told[name] = scaled = RootT(root, trifles[j])
        came = _known_shares(np.concatenate([panel[:, j], over[:, j]]), trifles[j])
        if look_of(name) in _BURSTING and len(came) >= BURSTING_POINTS_MIN and np.median(came) <= trifles[j]:
            told[name] = Milder(scaled, Bursts(came, trifles[j]))
    return told


def _known_shares(roots: Array, trifle: float) -> tuple[float, ...]:
    """Shares behind cube roots, ascending."""
    return tuple(sorted(max(float(root) ** 3 - trifle, 0.0) for root in roots if np.isfinite(root)))


def _rises_over(
    partitions: Sequence[Partition], names: Sequence[str], past: Mapping[str, Sequence[Point]], trifles: Sequence[float]
) -> Array:
    """(T, M) cube roots of the scores on days that were judged bad and were over before today; NaN elsewhere.

    They say nothing of what is usual, but how wild a column is: the next storm need not be told like the first.
    """
    place = {p.order: i for i, p in enumerate(partitions)}
    over = np.full((len(partitions), len(names)), np.nan)
    for j, name in enumerate(names):
        points = past.get(name, ())
        last_good = max((p.partition.order for p in points if p.good), default="")
        for point in points:
            if point.value is not None and not point.good and point.partition.order < last_good:
                over[place[point.partition.order], j] = math.cbrt(max(point.value, 0.0) + trifles[j])
    return over


def widening(errors: Array, df: Array) -> Array:
    """By how much past scores rose further than Student-t says, >= 1: chaotic columns raise their own threshold.

    Args:
        errors: (T, M) past standardised one-step errors; only rises count.
        df: (M,) degrees of freedom.
    """
    known = np.isfinite(errors).sum(axis=0)
    largest = np.nan_to_num(errors, nan=-np.inf).max(axis=0, initial=-np.inf)
    usual = -stdtrit(df, 1.0 / (np.maximum(known, WIDENED_POINTS_MIN) + 1.0))
    return np.where(known >= WIDENED_POINTS_MIN, np.maximum(1.0, largest / usual), 1.0)


def look_of(name: str) -> str:
    """The look that a score is of: `within` of `within.customer`."""
    return name.split(".", 1)[0]


def _trifle(name: str, found: Comparison, usual_total: float) -> float:
    """What a score may reach by chance: more with few rows, and with many bins."""
    look = look_of(name)
    if look in REPEATED or look in _BURSTING:
        return TRIFLE_NOVEL + TRIFLE_NOVEL_ROWS / max(found.rows, 1)
    if look in ("beyond", "crowd"):
        return TRIFLE_SHARE + TRIFLE_BEYOND / math.sqrt(max(found.rows, 1))
    if look in ("marginal", "form"):
        return TRIFLE_NATS + TRIFLE_SIGMAS * found.noise[name]
    if look == "tale":
        return TRIFLE_TALE + TRIFLE_TALE_ROWS / max(min(found.rows, ROWS_TOLD), 1)
    return TRIFLE_NATS + TRIFLE_ROWS / max(found.rows, 1) + TRIFLE_TOTAL * max(usual_total, 0.0)
