"""Values that no day of the known history had: a few sampled days forget those that come now and then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks.bursts import Bursts
from checks.drift.thresholds import TRIFLE_NOVEL, TRIFLE_NOVEL_ROWS
from checks.groups import teaching
from monitor.types import Evidence, GroupSeries

Array = npt.NDArray[np.float64]

KNOWN_DAYS_MIN = 14
"""Partitions that say which values there are, before new ones among them say how usual new ones are."""
POINTS_MIN = 7
"""Partitions after those below which nothing is judged."""
BESIDE = frozenset({"drift", "missing", "duplicates"})
"""Checks that have to be content with a partition before its values count as known."""


def unknown_values(groupings: Sequence[GroupSeries], columns: Sequence[str]) -> list[Evidence]:
    """One part a column with few values: the share of today's rows whose value the known partitions never had.

    It is judged by what each past partition had of values that were new then.

    Args:
        groupings: rows by the values of columns, of pairs, and by the time of day; only the first kind is looked at.
        columns: those of interest.
    """
    parts = []
    for series in groupings:
        names = series.groups.columns
        if series.error is None and not series.groups.clock and len(names) == 1 and names[0] in columns:
            part = _judged(series)
            parts += [part] if part is not None else []
    return parts


def _judged(series: GroupSeries) -> Evidence | None:
    shares = _unknown(series)
    total = float(series.totals[-1])
    known = sorted(float(share) for share in shares[:-1] if np.isfinite(share))
    if len(known) < POINTS_MIN or not total > 0:
        return None
    past = Bursts(tuple(known), TRIFLE_NOVEL + TRIFLE_NOVEL_ROWS / total)
    name = series.groups.columns[0]
    return Evidence(f"unknown.{name}", "drift", float(shares[-1]), past, columns=(name,))


def _unknown(series: GroupSeries) -> Array:
    """(T + 1) shares of rows with values that were new then; NaN while too little was known, or on bad partitions."""
    good = teaching(series.failed, BESIDE) & (np.nan_to_num(series.totals[:-1]) > 0)
    named = np.array([key is None or key[0] is not None for key in series.keys], dtype=bool)  # NULL is no value
    rows = series.rows[:, named]
    came = (rows[:-1] > 0) & good[:, None]
    days = np.concatenate([[0], np.cumsum(good)])
    known = np.vstack([np.zeros(came.shape[1], dtype=bool), np.logical_or.accumulate(came, axis=0)])
    shares = np.where(known, 0.0, rows).sum(axis=1) / np.maximum(series.totals, 1.0)
    usable = (days >= KNOWN_DAYS_MIN) & np.append(good, True)
    return np.where(usable, shares, np.nan)
