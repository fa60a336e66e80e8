"""What happened to rows that no longer agree with their group, and to columns that have values of the day before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.description import VALUE_ROWS_MIN
from checks.drift.relations import modes_of
from checks.drift.values import Codes, codes_of, numbers_of
from monitor.types import Change

Mask = npt.NDArray[np.bool_]

MOST = 0.9
"""Part of the rows apart that must have gone one way for it to be told."""
USUAL_MAX = 0.1
"""Share of rows with a value of the day before up to which a column's values belong to one day."""
REPLAYED_MIN = 0.005
REPLAYED_PART = 0.5
"""Part of what moved in a column that values of the day before must tell."""


def way_apart(values: pd.Series, group: pd.Series) -> Change | None:
    """How rows differ from the most usual value of their group: one value everywhere, higher, or lower; else None.

    >>> hours = pd.Series([1.0] * 20 + [2.0] * 20 + [3.0] * 20)
    >>> way_apart(hours.where(hours.index % 10 > 1, hours + 5), hours.astype("category"))
    <Change.SHIFT_UP: 'shift_up'>
    >>> way_apart(hours.where(hours.index % 10 > 1, 7.0), hours.astype("category"))
    <Change.CONSTANT: 'constant'>
    """
    known = (values.notna() & group.notna()).to_numpy()
    values, group = values[known], group[known]
    apart, usual = _apart(codes_of(values), codes_of(group))
    if apart.sum() < VALUE_ROWS_MIN:
        return None
    own = values[apart]
    if own.value_counts().iloc[0] >= MOST * len(own) and group[apart].nunique() > 1:
        return Change.CONSTANT
    numbers = numbers_of(values)
    if numbers is None:
        return None
    up = float((numbers[apart] > numbers[usual[apart]]).mean())
    if MOST > up > 1.0 - MOST:
        return None
    return Change.SHIFT_UP if up >= MOST else Change.SHIFT_DOWN


def _apart(values: Codes, group: Codes) -> tuple[Mask, Codes]:
    """Which rows differ from what most rows of their group have, and by row the place of one that has it.

    Where no value has most rows of a group, nobody knows which of them went wrong.
    """
    if not len(values):
        return np.zeros(0, dtype=bool), values
    told, right = modes_of(group, values, int(values.max()) + 1)
    place = np.searchsorted(told["values"], group)
    most = 2 * told["agreeing"][place] > told["rows"][place]
    kinds, first = np.unique(values, return_index=True)  # categories may lie unused between them
    return most & ~right, first[np.searchsorted(kinds, told["modes"][place])]


def share_of_yesterday(today: pd.Series, past: Sequence[pd.Series]) -> float:
    """Share of today's rows with a value that the newest past day had, beyond how it is usually.

    0 for columns whose values come again by nature: of those, a value of yesterday says nothing.

    Args:
        today: today's values.
        past: those of past days, newest first; of fewer than two nothing is known of how it usually is. More than two
            tell a column that changes now and then, as a version does, from one that changes every day.
    """
    if len(past) < 2 or not len(today) or not len(past[0]):
        return 0.0
    usual = max(_share_among(day, before) for day, before in pairwise(past) if len(day))
    return max(_share_among(today, past[0]) - usual, 0.0) if usual <= USUAL_MAX else 0.0


def _share_among(values: pd.Series, others: pd.Series) -> float:
    return float(values.dropna().isin(others.dropna()).sum()) / len(values)


def is_replayed(share: float, moved: float) -> bool:
    """Whether values of the day before tell what moved in a column."""
    return share >= max(REPLAYED_MIN, REPLAYED_PART * moved)
