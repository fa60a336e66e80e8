"""Means and spreads without the extremes, from aggregates alone."""

from __future__ import annotations

import numpy as np

from checks.evidence import Array

ROWS_MIN = 10
"""Values below which the extremes are too much of them to be left out."""
EXACT = 1e-7
"""Part of the squares that rounding leaves in doubt."""


def trim_extremes(counts: Array, means: Array, spreads: Array, lows: Array, highs: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of values without the smallest and the largest of them.

    All arguments have one shape, a day each: the number of values, their mean, standard deviation (one degree of
    freedom less), minimum and maximum. Where there are few values, or these cannot be of one set (estimates,
    infinities), mean and spread stay.

    >>> values = np.r_[np.arange(20.0), 5_000.0]
    >>> told = (np.array([f(values)]) for f in (len, np.mean, lambda v: v.std(ddof=1), np.min, np.max))
    >>> mean, spread = trim_extremes(*told)
    >>> mean.round(6).tolist(), np.allclose(spread, values[1:20].std(ddof=1))
    ([10.0], True)
    """
    with np.errstate(all="ignore"):
        squares = spreads**2 * (counts - 1)
        left, count, mean = squares, counts, means
        for extreme in (highs, lows):
            left = left - (extreme - mean) ** 2 * count / (count - 1)
            mean = mean + (mean - extreme) / (count - 1)
            count = count - 1
        spread = np.sqrt(np.where(left > EXACT * squares, left, 0.0) / (count - 1))
        known = (counts >= ROWS_MIN) & (left > -EXACT * squares) & np.isfinite(mean) & np.isfinite(spread)
    return np.where(known, mean, means), np.where(known, spread, spreads)
