"""What forecasts inside daywatch's own environment: the series of the checks, and the simple bands in use elsewhere.

A method takes the past (T, M) and answers with lower and upper bounds, (levels, M); NaN where it cannot answer.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri, stdtrit

from benchmarks.series.cases import Block
from benchmarks.series.sets import FLOORS, Array
from checks.evidence import damped
from checks.series import AbsoluteT, forecast_panel

LEVELS = (0.95, 0.99, 0.999)
WINDOW = 14
WINDOW_MEDIAN = 28
Bounds = tuple[Array, Array]


def ours(block: Block) -> Bounds:
    """As the checks do: their floors, the noise of the day's rows, the widening by the series' own past."""
    window = slice(block.target - block.history, block.target + 1)
    series = block.asked
    floor = np.array([FLOORS.get(kind, 0.0) for kind in block.of.kinds])[series]
    forecast = forecast_panel(
        block.of.values[block.window][:, series],
        block.calendar,
        block.of.noise[window][:, series],
        floor,
    )
    low, high = _empty(len(series))
    for j in range(len(series)):
        past = damped(forecast, j) or AbsoluteT(float(forecast.df[j]))
        reach = np.array([past.isf(1.0 - level) for level in LEVELS]) * forecast.scale[j]
        low[:, j], high[:, j] = forecast.location[j] - reach, forecast.location[j] + reach
    return low, high


def mean_t(block: Block) -> Bounds:
    """Mean +- t standard deviations of the last two weeks."""
    past = _past(block, WINDOW)
    count = np.isfinite(past).sum(axis=0)
    wide = np.nanstd(past, axis=0, ddof=1) * np.sqrt(1 + 1 / count)
    tails = np.array([-stdtrit(count - 1, (1 - level) / 2) for level in LEVELS])
    return _around(np.nanmean(past, axis=0), tails * wide)


def median_mad(block: Block) -> Bounds:
    """Median +- normal quantiles of the median absolute deviation, four weeks."""
    past = _past(block, WINDOW_MEDIAN)
    centre = np.nanmedian(past, axis=0)
    wide = 1.4826 * np.nanmedian(np.abs(past - centre), axis=0)
    return _around(centre, _normal()[:, None] * wide)


def elementary_z(block: Block) -> Bounds:
    """z-score of two weeks with the judged point inside, as elementary computes it; no band where none can fire."""
    past = _past(block, WINDOW)
    n = np.isfinite(past).sum(axis=0).astype(float)
    squares = _normal()[:, None] ** 2
    room = n**2 / (n + 1) ** 2 - squares / (n + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.sqrt(squares * (n - 1) / n / np.where(room > 0, room, np.nan)) * np.nanstd(past, axis=0, ddof=1)
    return _around(np.nanmean(past, axis=0), reach)


METHODS = {"daywatch": ours, "mean_t": mean_t, "median_mad": median_mad, "elementary_z": elementary_z}


def _past(block: Block, points: int) -> Array:
    return block.of.values[block.window][-points:, block.asked]


def _normal() -> Array:
    return np.array([-ndtri((1 - level) / 2) for level in LEVELS])


def _around(centre: Array, reach: Array) -> Bounds:
    return centre - reach, centre + reach


def _empty(count: int) -> Bounds:
    return np.full((len(LEVELS), count), math.nan), np.full((len(LEVELS), count), math.nan)
