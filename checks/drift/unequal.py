"""Rows of today that break an equation which past rows keep to, and which of its columns is to blame.

Any one column may be wrong in a broken row. The one is blamed whose value, as the others say it should be, is most like
those it usually has, and whose value as it stands is least like them: where a `discount` would have to be one of the
usual three and a `price` would have to be 31.878, it is the discount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from checks.drift.equate import find_equations
from checks.drift.equation import FINE, Equation, Mask, grid_of
from checks.drift.strayed import ALIKE, ROWS_MIN, SIMILAR, part_alike, way_of_numbers
from checks.drift.values import Array, numbers_of
from monitor.types import Change

PAST_ROWS = 3_000
"""Past rows, drawn from all past days, that say which equations hold."""
BLAMED_ROWS = 500
"""Broken rows that are asked which column is to blame."""
TOLD_ROWS_MIN = 20
"""Broken rows whose median says nothing of a single one."""
SAME_FACTOR = 0.01
"""By how much factors differ, as a part of their middle, that are one."""
OFF = 5.0
"""Nats by which a number that a column cannot have is less likely than one that it never had."""
IN_DOUBT = 2.0
"""Nats by which another column must be more likely to be wrong than the one on the left."""
ROUNDED = 1.5
"""Last digits by which rounding moves a number that one rule made."""
WITHOUT_RULE = 20.0
"""Nats by which it is less likely that numbers are wrong by no rule, as one value for all or one difference."""
LARGEST = 1e15
"""Beyond this, floating-point numbers have no digits left to be right to."""
MANY = 1e6
"""Numbers that a column of many decimals may have."""


@dataclass(frozen=True)
class Unequal:
    """An equation that past rows keep to, and today's rows that break it.

    `rows` (N,) says which; `culprit` is the column to blame, the one on the left where no row is broken; `after` are
    its numbers in broken rows, `before` what they would have to be.
    """

    equation: Equation
    rows: Mask
    culprit: str
    after: Array
    before: Array

    @property
    def share(self) -> float:
        """Part of today's rows that are broken."""
        return float(self.rows.mean()) if len(self.rows) else 0.0

    def way(self) -> tuple[Change, bool] | None:
        """How the blamed column's numbers went, and whether it is sure; None where they did not go one way."""
        after, before = self._pairs()
        if len(after) < ROWS_MIN:
            return None
        if (after == 0).mean() >= SIMILAR:
            return Change.ZEROS_UP, True  # whether 0 was written or is what truncating left nobody can tell
        if _is_rounded(after, before):
            return Change.FORMAT, True
        factor = _factor(after, before)
        if factor is not None and factor > 0:
            return Change.SCALE, True
        if np.unique(after, return_counts=True)[1].max() >= SIMILAR * len(after):
            return None  # of one number its own share tells
        return way_of_numbers(after, before)

    def sizes(self) -> dict[str, float]:
        """By what one factor the numbers are wrong, or their medians and those of what they would have to be.

        Of few rows none: they would tell of single ones.
        """
        after, before = self._pairs()
        if len(after) < TOLD_ROWS_MIN:
            return {}
        factor = _factor(after, before)
        if factor is not None:
            return {"broken_factor": factor}
        return {"broken_median": float(np.median(after)), "right_median": float(np.median(before))}

    def _pairs(self) -> tuple[Array, Array]:
        known = np.isfinite(self.after) & np.isfinite(self.before)
        return self.after[known], self.before[known]


def look_for_unequal(today: pd.DataFrame, past: Sequence[pd.DataFrame], names: Sequence[str]) -> dict[str, Unequal]:
    """By the column on the left: the equations that past rows keep to, and how today does.

    Args:
        today: rows of today.
        past: rows of the past days.
        names: columns of numbers that both sides have.
    """
    days = [frame.iloc[:: max(len(frame) * len(past) // PAST_ROWS, 1)] for frame in past if len(frame)]
    if not days:
        return {}
    usual = _numbers(pd.concat([frame[list(names)] for frame in days]), names)
    now = _numbers(today, list(usual))
    found = find_equations({name: usual[name] for name in now})
    return {equation.target: _unequal(equation, now, usual) for equation in found}


def broken_rows(facts: Mapping[str, Any], frame: pd.DataFrame) -> Mask | None:
    """(N,) which rows break the equation that `facts` tell of; None where a column of it is gone, or no number."""
    equation, numbers = _told(facts, frame)
    return equation.broken(numbers) if numbers else None


def sides(facts: Mapping[str, Any], name: str, frame: pd.DataFrame) -> tuple[Array, float] | None:
    """(N, 2) what the other columns of the equation make of one, and what it is; and the share in which it holds.

    Of rows without NULL; None where there are none.
    """
    equation, numbers = _told(facts, frame)
    if not numbers:
        return None
    pairs = np.column_stack([equation.solved(name, numbers), numbers[name]])
    known = np.isfinite(pairs).all(axis=1)
    return (pairs[known], 1.0 - float(equation.broken(numbers)[known].mean())) if known.any() else None


def _told(facts: Mapping[str, Any], frame: pd.DataFrame) -> tuple[Equation, dict[str, Array]]:
    """The equation, and the numbers of its columns; none where one of them is gone, or no number."""
    equation = Equation.of_facts(facts)
    numbers = _numbers(frame, equation.columns)
    return equation, numbers if len(numbers) == len(equation.columns) else {}


def _numbers(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, Array]:
    """By column, its numbers, NaN for those too large to have digits; without those gone or of other kinds."""
    found = {name: own for name in names if name in frame and (own := numbers_of(frame[name])) is not None}
    with np.errstate(invalid="ignore"):
        return {name: np.where(np.abs(own) <= LARGEST, own, np.nan) for name, own in found.items()}


def _unequal(equation: Equation, today: Mapping[str, Array], past: Mapping[str, Array]) -> Unequal:
    rows = equation.broken(today)
    places = np.flatnonzero(rows)
    places = places[:: max(len(places) // BLAMED_ROWS, 1)]
    if not len(places):
        return Unequal(equation, rows, equation.target, np.array([]), np.array([]))
    broken = {name: today[name][places] for name in equation.columns}
    told = {name: _likely(equation, name, broken, past[name]) for name in equation.columns}
    culprit = max(equation.columns, key=lambda name: told[name][0] + (IN_DOUBT if name == equation.target else 0.0))
    return Unequal(equation, rows, culprit, broken[culprit], told[culprit][1])


def _likely(equation: Equation, name: str, broken: Mapping[str, Array], past: Array) -> tuple[float, Array]:
    """How likely the rows are if this column is wrong in them, log-likelihood, and what it would have to be."""
    usual = _Usual(past)
    before = equation.solved(name, broken)
    should = np.full(len(before), usual.impossible)
    for solution in (np.nan_to_num(one, posinf=0.0, neginf=0.0) for one in equation.solutions(name, broken)):
        for candidate in (usual.on_grid(solution), usual.nearest(solution)):
            likely = usual.log_likelihood(candidate, ~equation.broken({**broken, name: candidate}))
            before, should = np.where(likely > should, candidate, before), np.maximum(likely, should)
    stands = usual.log_likelihood(broken[name], np.ones(len(before), dtype=bool))
    by_rule = _by_rule(broken[name], before)
    written = _written(broken[name], by_rule, usual, stands)
    doubt = 0.0 if by_rule.any() else WITHOUT_RULE
    return float((should + written - stands).sum()) - doubt, before


def _written(after: Array, by_rule: Array, usual: _Usual, stands: Array) -> Array:
    """How likely what went wrong wrote these numbers: by one rule, or else a usual one, or any with so few decimals."""
    grid = grid_of(after) if len(after) >= ROWS_MIN else None
    coarser = grid / usual.grid if grid and usual.grid and grid > usual.grid else 1.0
    any_number = np.log(coarser) - np.log(max(usual.many, coarser))
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.logaddexp(stands, any_number) - np.log(2.0), np.log(by_rule)) - np.log(2.0))


def _by_rule(after: Array, before: Array) -> Array:
    """Of each row, how likely one value for all or one difference made it; 0 where too few rows say so.

    No factor: what is missing in a total is often about one part of it, as tips are.
    """
    if len(after) < ROWS_MIN:
        return np.zeros(len(after))
    single, counts = np.unique(after, return_counts=True)
    last_digit = grid_of(after) or 0.0
    with np.errstate(invalid="ignore"):
        ruled = (np.full(len(after), single[int(np.argmax(counts))]), before + np.median(after - before))
        kept = [np.abs(after - by) <= ROUNDED * last_digit + FINE * np.abs(after) for by in ruled]
    shares = [float(one.mean()) for one in kept]
    best = int(np.argmax(shares))
    return np.where(kept[best], shares[best] if shares[best] >= SIMILAR else 0.0, 0.0)


class _Usual:
    """How likely a column has a number: as often as it came, or as often as any that never came does."""

    def __init__(self, past: Array) -> None:
        known = past[np.isfinite(past)]
        self.single, self.counts = np.unique(known, return_counts=True)
        self.rows = len(known)
        self.grid = grid_of(known)
        wide = float(self.single[-1] - self.single[0])
        self.many = max(wide / self.grid if self.grid else MANY, float(len(self.single)), 2.0)
        once, twice = (float((self.counts == times).sum()) for times in (1, 2))
        new = (once + 1.0) / (self.rows + 2.0)  # this, and what came once counts for: Good (1953), Turing's estimates
        self.weights = np.where(self.counts == 1, min(2.0 * (twice + 0.1) / max(once, 1.0), 1.0), self.counts)
        self.impossible = float(np.log(new / self.many)) - OFF

    def nearest(self, numbers: Array) -> Array:
        """The known number that is nearest to each."""
        places = np.clip(np.searchsorted(self.single, numbers), 1, max(len(self.single) - 1, 1))
        low, high = self.single[places - 1], self.single[np.minimum(places, len(self.single) - 1)]
        return np.where(numbers - low <= high - numbers, low, high)

    def on_grid(self, numbers: Array) -> Array:
        """Each number with as many decimals as the column has."""
        return numbers if self.grid is None else np.round(numbers / self.grid) * self.grid

    def log_likelihood(self, numbers: Array, can_be: Mask) -> Array:
        """Of each number; those that the column cannot have are far less likely."""
        near = self.nearest(numbers)
        size = np.maximum(np.abs(numbers), 1.0)
        same = np.abs(numbers - near) <= FINE * size
        weights = self.weights[np.clip(np.searchsorted(self.single, near), 0, len(self.single) - 1)]
        inside = (numbers >= self.single[0]) & (numbers <= self.single[-1])
        inside &= np.abs(numbers - self.on_grid(numbers)) <= FINE * size
        never = np.where(inside, self.impossible + OFF, self.impossible)
        return np.asarray(np.where(can_be, np.where(same, np.log(weights / self.rows), never), self.impossible))


def _factor(after: Array, before: Array) -> float | None:
    """The one factor, neither 0 nor 1, by which most numbers are wrong, if no one difference says it of more."""
    sized = (before != 0) & (after != 0)
    if sized.mean() < SIMILAR:
        return None
    with np.errstate(over="ignore"):
        factors = after[sized] / before[sized]
    middle, alike = float(np.median(factors)), part_alike(factors[np.isfinite(factors)], SAME_FACTOR)
    is_other = np.isfinite(middle) and abs(middle - 1.0) > 2.0 * SAME_FACTOR
    return middle if is_other and alike >= max(SIMILAR, part_alike(after - before, SAME_FACTOR)) else None


def _is_rounded(after: Array, before: Array) -> bool:
    """Whether most numbers are what they would be with fewer decimals, cut or rounded."""
    grid = grid_of(after)
    if grid is None or (grid_of(before) or 0.0) >= grid:
        return False
    return float((np.abs(after - before) < grid * (1.0 + ALIKE)).mean()) >= SIMILAR
