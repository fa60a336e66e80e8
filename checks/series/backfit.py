"""What kinds of days differ by, from a whole history at once: a level that moves slowly, plus an effect of each kind.

A filter that learns day by day takes the first weekend for a fall of the level, and its effects remember that for
months. Here level and effects are fitted in turns until they agree (backfitting; Buja, Hastie & Tibshirani, 1989), with
errors clipped, so that neither a storm nor the first days decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]

ROUNDS = 8
CLIP = 2.5
"""Errors beyond this many robust standard deviations count as this many."""
REACH = 7
"""Steps on either side of a step over which its level is the mean."""
FEW = 2
"""Up to so many days of a kind, they must agree."""
FEW_VISITS = 8
"""Until kinds came more often, medians tell what they differ by: a mean would believe half a storm."""
TO_SIGMA = 1.4826
"""The median absolute error of a normal variable in its standard deviations."""


@dataclass(frozen=True)
class Fit:
    """A level and the effects of kinds of days.

    `effects` (size, M) have mean 0, and are 0 for kinds that never came; `visits` (size, M) tell how often each came;
    `errors` (T, M) are what stays of each point, NaN where there is none; `variance` (M,) theirs, storms clipped.
    """

    effects: Array
    visits: Array
    errors: Array
    variance: Array


def fit_effects(values: Array, groups: Codes, size: int, reach: int = REACH) -> Fit:
    """The effect of each kind of day.

    Args:
        values: (T, M), NaN where a point is missing.
        groups: (T,) the kind of each step, in [0, size).
        size: number of kinds.
        reach: steps on either side over which the level is a mean; at least one turn of the kinds.

    >>> week = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0], 6)[:, None]
    >>> fit = fit_effects(week, np.arange(42) % 7, 7)
    >>> [round(float(effect), 2) for effect in fit.effects[:, 0]]
    [0.29, 0.29, 0.29, 0.29, 0.29, -0.71, -0.71]
    """
    known = np.isfinite(values)
    kinds = np.eye(size)[groups]  # (T, size)
    visits = visits_of(known, groups, size)
    counted = np.maximum(visits, 1e-9)
    young = visits.max(initial=0.0) <= FEW_VISITS
    effects = np.zeros((size, values.shape[1]))
    whole = np.where(known, values, 0.0)
    level = np.zeros_like(whole)
    cleaned = whole
    for _ in range(ROUNDS):
        level = _moving_mean(np.where(known, cleaned - effects[groups], 0.0), known, reach)
        if young:
            effects = agreed_effects(np.where(known, whole - level, np.nan), groups, size)
        else:
            effects = kinds.T @ np.where(known, cleaned - level, 0.0) / counted
        effects -= (effects * visits).sum(axis=0) / counted.sum(axis=0)
        errors = np.where(known, whole - level - effects[groups], np.nan)
        bound = CLIP * _spread(errors)
        cleaned = np.where(known, level + effects[groups] + np.clip(errors, -bound, bound), 0.0)
    free = np.maximum(known.sum(axis=0) * (1.0 - 1.0 / (2 * reach + 1)) - (visits >= 1.0).sum(axis=0), 1.0)
    variance = np.where(known, cleaned - level - effects[groups], 0.0) ** 2
    return Fit(effects, visits, errors, np.asarray(variance.sum(axis=0) / free))


def visits_of(known: npt.NDArray[np.bool_], groups: Codes, size: int) -> Array:
    """How often each kind of day came, (size, M), of points that are `known` (T, M)."""
    return np.asarray((np.eye(size)[groups].T @ known).astype(np.float64))


def agreed_effects(errors: Array, groups: Codes, size: int) -> Array:
    """What kinds of days that came seldom differ by: (size, M) medians of their errors.

    Of one or two days the smaller if they lie on the same side, else nothing: one storm makes no kind.

    >>> agreed_effects(np.array([[5.0], [0.1], [4.0], [-0.1]]), np.array([1, 0, 1, 0]), 2)[:, 0].tolist()
    [0.0, 4.0]
    """
    found = np.zeros((size, errors.shape[1]))
    for group in np.unique(groups):
        own = np.sort(errors[groups == group], axis=0)  # NaN last
        count = np.isfinite(own).sum(axis=0)
        last, columns = np.maximum(count - 1, 0), np.arange(own.shape[1])
        median = (own[last // 2, columns] + own[(last + 1) // 2, columns]) / 2
        low, high = own[0], own[last, columns]
        agreed = np.where(low > 0, low, np.where(high < 0, high, 0.0))
        found[group] = np.where(count == 0, 0.0, np.where(count > FEW, median, agreed))
    return found


def _moving_mean(values: Array, known: npt.NDArray[np.bool_], reach: int) -> Array:
    """Mean of the known values at most `reach` steps away; 0 where there is none."""
    steps = len(values)
    low = np.maximum(np.arange(steps) - reach, 0)
    high = np.minimum(np.arange(steps) + reach + 1, steps)
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    counts = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(known, axis=0)])
    return np.asarray((sums[high] - sums[low]) / np.maximum(counts[high] - counts[low], 1.0))


def _spread(errors: Array) -> Array:
    """Robust standard deviation of each series' errors; infinite where there are none."""
    known = np.isfinite(errors)
    ordered = np.sort(np.where(known, np.abs(errors), np.inf), axis=0)
    middle = np.maximum(known.sum(axis=0) - 1, 0) // 2
    found = ordered[middle, np.arange(errors.shape[1])] if len(errors) else np.full(errors.shape[1], np.inf)
    return np.asarray(TO_SIGMA * found)
