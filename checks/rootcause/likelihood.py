"""How much better a segment explains what was seen than chance does: log-likelihood ratios, in nats."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Likelihood = Callable[[Array, Array], Array]
"""From the first and second masses of segments to nats."""


def _entropy(x: Array) -> Array:
    """The value times its logarithm, 0 at 0; what rounding made negative counts as 0."""
    x = np.maximum(x, 0.0)
    return np.asarray(x * np.log(np.where(x > 0.0, x, 1.0)))


def bernoulli(bad: float, rows: float, *, scale: float = 1.0) -> Likelihood:
    """The ratio for bad rows in a segment, of so many bad rows among all rows.

    The function returned takes bad mass and mass of segments. Segments that are not worse than the rest get 0. No
    more than exp(-ratio) of random draws reach the ratio of one given segment (Chernoff's bound, which holds for draws
    without replacement all the more).

    Args:
        bad: mass of the bad rows.
        rows: mass of all rows.
        scale: rows that a unit of mass stands for (Kish's effective number over the mass, for weighted rows).
    """
    whole = _entropy(np.array([bad, rows - bad, rows])) @ np.array([1.0, 1.0, -1.0])

    def ratio(hit: Array, size: Array) -> Array:
        inside = _entropy(hit) + _entropy(size - hit) - _entropy(size)
        outside = _entropy(bad - hit) + _entropy(rows - size - (bad - hit)) - _entropy(rows - size)
        return np.where(hit * rows > bad * size, scale * (inside + outside - whole), 0.0)

    return ratio


def effective(weights: Array) -> float:
    """Rows that a unit of weight stands for: Kish's effective number of rows over the weights' sum."""
    total = float(weights.sum())
    return total / float((weights**2).sum()) if total > 0.0 and math.isfinite(total) else 1.0
