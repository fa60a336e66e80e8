"""Which simple tale explains a column's numbers best: scaled, shifted, rounded off, noisier, cut?

Each tale turns past values into what they would have become; today is then a mixture of past values and told ones.
The tale whose mixture makes today's histogram likeliest wins, with the share of rows it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.types import Change

Array = npt.NDArray[np.float64]

FACTORS = (
    10.0,
    100.0,
    1000.0,
    0.1,
    0.01,
    0.001,
    60.0,
    1 / 60,
    3600.0,
    2.54,
    1 / 2.54,
    3.2808,
    0.3048,
    1.609,
    1 / 1.609,
    2.2046,
    0.4536,
)
SHIFTS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""In spreads, which long tails do not widen."""
DEVIATIONS = (0.5, 1.0, 2.0)
"""The same in standard deviations."""
GRAINS = (1.0, 10.0, 100.0, 1000.0)
ROUNDED_MIN = 0.004
"""Share of rows by which more numbers than before must be multiples of a grain to be told as rounded to it."""
SHARES = np.array([0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0])
BINS = 60
ROWS_TOLD = 3_000
"""Rows a side that tales are tried on for the score; more find little more."""
GAIN_MIN = 4.0
"""Log-likelihood that a tale must gain over "nothing happened"."""


@dataclass(frozen=True)
class Tale:
    """A kind of change, the share of rows it takes, and the log-likelihood it gains."""

    change: Change
    share: float
    gain: float


def best_tale(today: Array, past: Array) -> Tale | None:
    """The likeliest tale; None when today looks as the past.

    Args:
        today: finite numbers of today.
        past: finite numbers of past days.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).lognormal(3.0, 1.0, 4000)
    >>> y = x[:2000].copy(); y[:200] *= 100
    >>> tale = best_tale(y, x[2000:])
    >>> tale.change.value, bool(0.05 <= tale.share <= 0.2)
    ('scale', True)
    """
    rounded = (g for g in GRAINS if on_grain(today, g).mean() > on_grain(past, g).mean() + ROUNDED_MIN)
    return _likeliest(today, past, GAIN_MIN, rounded)


def tale_gain(today: Array, past: Array) -> float:
    """Log-likelihood that the best tale gains, nats a row of today, 0 where none gains.

    A test directed at the ways in which numbers usually break: it sees a few rows times ten among heavy tails, where a
    histogram's divergence drowns in its own noise. Values that are not finite are left out; so are rows beyond
    ROWS_TOLD a side.
    """
    sides = [side[np.isfinite(side)] for side in (today, past)]
    drawn = [side[:: max(len(side) // ROWS_TOLD, 1)][:ROWS_TOLD] for side in sides]
    best = _likeliest(drawn[0], drawn[1], 0.0, GRAINS)
    return best.gain / len(drawn[0]) if best is not None else 0.0


def on_grain(values: Array, grain: float) -> npt.NDArray[np.bool_]:
    """Which numbers are multiples of a grain.

    >>> on_grain(np.array([20.0, 25.0, 20.5]), 5.0).tolist()
    [True, True, False]
    """
    return np.isclose(values / grain, np.round(values / grain))


def _likeliest(today: Array, past: Array, gain_min: float, grains: Iterable[float]) -> Tale | None:
    if len(today) < 10 or len(past) < 10:
        return None
    edges, unit = _edges(today, past)
    counts = _histogram(today, edges, unit).astype(np.float64)
    before = _shares(_histogram(past, edges, unit))
    nothing = float((counts * np.log(before)).sum())
    best: Tale | None = None
    for change, told in _tales(past, grains):
        after = _shares(_histogram(told, edges, unit))
        mixed = (1.0 - SHARES[:, None]) * before + SHARES[:, None] * after
        gains = (counts * np.log(mixed)).sum(axis=1) - nothing
        place = int(np.argmax(gains))
        if gains[place] > gain_min and (best is None or gains[place] > best.gain):
            best = Tale(change, float(SHARES[place]), float(gains[place]))
    return best


def _edges(today: Array, past: Array) -> tuple[Array, float]:
    """Bins of equal width on the signed logarithm, fine where the past lies."""
    size = float(np.median(np.abs(past))) or float(np.abs(past).max()) or 1.0
    unit = size / 10.0
    both = np.arcsinh(np.concatenate([today, past]) / unit)
    core = np.quantile(np.arcsinh(past / unit), np.linspace(0, 1, BINS // 2))
    wide = np.linspace(both.min() - 0.5, both.max() + 0.5, BINS // 2)
    return np.unique(np.concatenate([core, wide])), unit


def _histogram(values: Array, edges: Array, unit: float) -> npt.NDArray[np.int64]:
    codes = np.searchsorted(edges, np.arcsinh(values / unit), side="right")
    return np.bincount(codes, minlength=len(edges) + 1)


def _shares(counts: npt.NDArray[np.int64]) -> Array:
    return np.asarray((counts + 0.3) / (counts.sum() + 0.3 * len(counts)))


def _tales(past: Array, grains: Iterable[float]) -> Iterator[tuple[Change, Array]]:
    low, middle, high = np.quantile(past, [0.1, 0.5, 0.9])
    spread = max(float(high - low) / 2.56, float(past.std()) * 0.2, 1e-12)
    for factor in FACTORS:
        yield Change.SCALE, past * factor
    for step in (*(k * spread for k in SHIFTS), *(k * float(past.std()) for k in DEVIATIONS)):
        yield Change.SHIFT_UP, past + step
        yield Change.SHIFT_DOWN, past - step
    if np.mean(past > 0) > 0.6:
        yield Change.SHIFT_DOWN, -past
    elif np.mean(past < 0) > 0.6:
        yield Change.SHIFT_UP, -past
    noise = np.random.default_rng(0).standard_normal(len(past))
    for scale in (0.5, 1.0, 3.0):
        yield Change.SPREAD, past + scale * spread * noise
    for grain in grains:
        if grain <= 4.0 * spread:
            yield Change.FORMAT, np.round(past / grain) * grain
            yield Change.FORMAT, np.trunc(past / grain) * grain
    reach = float(np.abs(past - middle).max()) or spread
    yield Change.SPREAD, middle + np.sign(noise) * reach * np.exp(2.0 * np.abs(noise))
    for cut in (0.75, 0.9, 0.95):
        yield Change.SPREAD, np.clip(past, *np.quantile(past, [1.0 - cut, cut]))
