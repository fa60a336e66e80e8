"""Rows of a day beside those of the same entities the day before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.entity import ROWS_MIN, names_of
from checks.drift.repeats import Hashes
from checks.drift.values import Array, numbers_of

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

PAIRS_MAX = 2
"""Pairs of past days that say how far numbers go; the second may lie further apart, and so forgives a calm day."""
USUAL_STEPS = 0.99
REACH = 4.0
"""A number strays where its step is REACH times as wide as this quantile of the steps of past days."""


@dataclass(frozen=True)
class _Pairs:
    """Rows of two days that are of the same entities: `new` and `old` are places in the newer and the older frame."""

    new: Places
    old: Places


class Twins:
    """Today's rows beside those of the same entities the day before, and those beside the day before that."""

    def __init__(self, today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str]) -> None:
        self.today, self.past, self.entity = today, past, tuple(entity)
        self._sides: dict[str, tuple[pd.Series, pd.Series]] = {}
        days = list(takewhile(lambda frame: all(name in frame for name in entity), (today, *past[: PAIRS_MAX + 1])))
        names = [names_of(frame, entity) for frame in days]
        known = [frame[list(entity)].notna().all(axis=1).to_numpy() for frame in days]
        self.newcomers = 1.0 - float(np.isin(names[0][known[0]], names[1]).mean()) if known[0].any() else math.nan
        self.pairs, *pairs = (_pairs(*beside, own) for beside, own in zip(pairwise(names), known, strict=False))
        self.earlier = [(*beside, own) for beside, own in zip(pairwise(days[1:]), pairs, strict=True)]

    def sides(self, name: str) -> tuple[pd.Series, pd.Series]:
        """A column's values today and the day before, of the same entities."""
        if name not in self._sides:
            self._sides[name] = (self.today[name].iloc[self.pairs.new], self.past[0][name].iloc[self.pairs.old])
        return self._sides[name]

    def unmoved(self, name: str) -> Mask:
        """Rows with the very value of the day before."""
        new, old = self.sides(name)
        return np.asarray(~_differs(new, old) & new.notna().to_numpy())

    def strayed(self, name: str) -> Mask:
        """Rows with another value; of numbers one that is further away than they go in a day."""
        new, old = self.sides(name)
        differs = _differs(new, old)
        after, before = numbers_of(new), numbers_of(old)
        if after is None or before is None:
            return differs
        reach = self._reach(name)
        if reach is None:
            return np.zeros(len(new), dtype=bool)
        unit, most = reach
        if most > 0 and len(self.entity) > 1:
            return np.zeros(len(new), dtype=bool)  # what a station measures at an hour goes as the weather will
        return np.asarray(differs & ~(_step_sizes(after, before, unit) <= most))  # from or to NULL is far

    def _reach(self, name: str) -> tuple[float, float] | None:
        """The unit in which steps are told and how far they go from a day to the next; None where that is not known."""
        steps: list[Array] = []
        unit = math.nan
        for newer, older, pairs in self.earlier:
            if name not in newer or name not in older:
                continue
            after, before = numbers_of(newer[name].iloc[pairs.new]), numbers_of(older[name].iloc[pairs.old])
            if after is None or before is None:
                return None
            unit = unit if math.isfinite(unit) else usual_size(before)
            own = _step_sizes(after, before, unit)
            steps += [own[np.isfinite(own)]]
        reached = [REACH * float(np.quantile(own, USUAL_STEPS)) for own in steps if len(own) >= ROWS_MIN]
        return (unit, max(reached)) if reached else None


def usual_size(numbers: Array) -> float:
    """The unit in which steps are told: the median size of numbers that are not 0; 1 where there are none."""
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    return float(np.median(sizes)) if len(sizes) else 1.0


def _pairs(wanted: Hashes, found: Hashes, known: Mask) -> _Pairs:
    """Rows of the same entity, of those that each day names once: of namesakes nobody knows which is which."""
    names, first, counts = np.unique(found, return_index=True, return_counts=True)
    if not len(names):
        return _Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    _, back, again = np.unique(wanted, return_inverse=True, return_counts=True)
    there = (names[place] == wanted) & (counts[place] == 1) & (again[back] == 1) & known
    return _Pairs(np.flatnonzero(there), first[place[there]])


def _differs(new: pd.Series, old: pd.Series) -> Mask:
    after, before = numbers_of(new), numbers_of(old)
    if after is not None and before is not None:
        return np.asarray((after != before) & ~(np.isnan(after) & np.isnan(before)))
    one, other = (pd.util.hash_pandas_object(side, index=False).to_numpy() for side in (new, old))
    return np.asarray(one != other)


def _step_sizes(after: Array, before: Array, unit: float) -> Array:
    """Steps as parts of what steps: relative for large numbers, in units for small ones; NaN where one is missing."""
    return np.asarray(np.abs(np.arcsinh(after / unit) - np.arcsinh(before / unit)))
