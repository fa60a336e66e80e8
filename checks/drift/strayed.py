"""How values went that strayed from those of their entity the day before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from checks.drift.numbers import moved
from checks.drift.twins import Twins
from checks.drift.values import Array, numbers_of
from monitor.types import Change

ROWS_MIN = 8
"""Rows that strayed from which their way is told."""
ALIKE = 0.1
"""Scatter of factors (of their logarithm) or of differences, as a part of their middle, that makes them one."""
SIMILAR = 0.7
"""Part of the rows that strayed in one way that tells it."""
FACTOR_MIN = 0.4
"""Logarithm of the least factor that is told as one."""
AMONG = 0.8
"""How usual values of strayed rows are, as a part of how usual the column's are, where they are in the wrong rows."""
ALL_AMONG = 0.98
"""Part of the strayed rows whose value the day before had anywhere, where values are of the day before."""
USUALLY_AMONG = 0.9
"""Part of all rows for which that is so, from which it says nothing of the day that values are of."""
SAME_PLACE = 1.0
"""Kolmogorov's distance, in its standard widths, up to which numbers lie alike."""
IN_ORDER = 0.5
"""Rank correlation from which numbers kept the order that they had."""
ONE_SIDED = 0.9
"""Part of the strayed rows that went up (or down) for it to be said."""


def way_strayed(
    today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str
) -> tuple[Change, bool] | None:
    """How the values went that strayed from those of the day before, and whether it is sure; None if not one way.

    Sure are values of the day before (`replay`) or of other rows (`relation`), two that changed places
    (`values_mixed`), one factor (`scale`), one difference, or another sign. Numbers that went many ways are said to be
    noisier, or higher, or lower, where nothing says it better.
    """
    twins = Twins(today, past, entity)
    new, old = twins.sides(name)
    told = twins.strayed(name) & new.notna().to_numpy() & old.notna().to_numpy()
    new, old = new[told], old[told]
    if len(new) < ROWS_MIN:
        return None
    known = past[0][name].dropna().unique()
    among, usually = float(new.isin(known).mean()), float(today[name].dropna().isin(known).mean())
    if among >= ALL_AMONG and usually < USUALLY_AMONG:
        return Change.REPLAY, True
    one_value = float((new == new.mode()[0]).mean()) >= SIMILAR
    after, before = numbers_of(new), numbers_of(old)
    if after is not None and before is not None:
        return None if one_value else way_of_numbers(after, before)  # of one number its own share tells
    if one_value:
        return (Change.VALUES_NEW, False) if among == 0.0 else None
    way = _way_of_texts(new.astype(str), old.astype(str), among >= AMONG * usually)
    return (way, True) if way is not None else None


def _way_of_texts(after: pd.Series, before: pd.Series, known: bool) -> Change | None:
    """How texts changed places; `known` says whether other rows had them."""
    ways = pd.Series(list(zip(after, before, strict=True))).value_counts(normalize=True)
    (one, other), share = ways.index[0], float(ways.iloc[0])
    back = float(ways.get((other, one), 0.0))
    if back > 0 and share + back >= SIMILAR:
        return Change.VALUES_MIXED
    return Change.RELATION if known and share < 1.0 - SIMILAR else None


def way_of_numbers(after: Array, before: Array) -> tuple[Change, bool]:
    """How numbers went from `before` to `after`, row by row, and whether that is sure."""
    steps = after - before
    if _is_one(steps):
        return (Change.SHIFT_UP if np.median(steps) > 0 else Change.SHIFT_DOWN), True
    if np.mean(np.isclose(after, -before, rtol=ALIKE)) >= SIMILAR:
        return (Change.SHIFT_DOWN if np.median(before) > 0 else Change.SHIFT_UP), True
    sized = (before != 0) & (after / np.where(before == 0, 1.0, before) > 0)
    if sized.mean() >= SIMILAR:
        factors = np.log(after[sized] / before[sized])
        if _is_one(factors) and abs(float(np.median(factors))) > FACTOR_MIN:
            return Change.SCALE, True
    if _changed_places(after, before):
        return Change.RELATION, True
    up = float((steps > 0).mean())
    return (Change.SHIFT_UP if up > ONE_SIDED else Change.SHIFT_DOWN if up < 1 - ONE_SIDED else Change.SPREAD), False


def _changed_places(after: Array, before: Array) -> bool:
    """Whether numbers lie as they did, but not in the order that they had."""
    from scipy.stats import spearmanr  # noqa: PLC0415 - a second of every process, and few columns stray

    if moved(after, before) > SAME_PLACE * np.sqrt(2.0 / len(after)):
        return False
    return len(np.unique(before)) > 1 and not float(spearmanr(after, before).statistic) > IN_ORDER


def _is_one(values: Array) -> bool:
    """Whether most numbers are about the same."""
    return bool(np.median(values) != 0) and part_alike(values, ALIKE) >= SIMILAR


def part_alike(values: Array, within: float) -> float:
    """Part of the numbers that lie within such a part of their median around it."""
    if not len(values):
        return 0.0
    middle = float(np.median(values))
    return float((np.abs(values - middle) <= within * abs(middle)).mean())
