"""What happened to rows that no longer agree with their group, and to columns that have values of the day before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.description import VALUE_ROWS_MIN
from checks.drift.inside import codes_of, numbers_of
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
    apart, usual = _apart(values, group)
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


def _apart(values: pd.Series, group: pd.Series) -> tuple[Mask, npt.NDArray[np.int64]]:
    """Which rows differ from what most rows of their group have, and by row the place of one that has it.

    Where no value has most rows of a group, nobody knows which of them went wrong.
    """
    known = (values.notna() & group.notna()).to_numpy()
    frame = pd.DataFrame({"group": codes_of(group), "value": codes_of(values), "row": np.arange(len(values))})[known]
    counts = frame.groupby(["group", "value"])["row"].agg(["size", "first"]).reset_index()
    modes = counts.sort_values("size", kind="stable").drop_duplicates("group", keep="last").set_index("group")
    most = (2 * modes["size"].sort_index() > frame.groupby("group").size()).reindex(frame["group"]).to_numpy()
    apart = np.zeros(len(values), dtype=bool)
    usual = np.zeros(len(values), dtype=np.int64)
    apart[known] = most & (frame["value"].to_numpy() != modes["value"].reindex(frame["group"]).to_numpy())
    usual[known] = modes["first"].reindex(frame["group"]).to_numpy()
    return apart, usual


def share_of_yesterday(today: pd.Series, past: Sequence[pd.Series]) -> float:
    """Share of today's rows with a value that the newest past day had, beyond how it is usually.

    0 for columns whose values come again by nature: of those, a value of yesterday says nothing.

    Args:
        today: today's values.
        past: those of past days, newest first; of fewer than two nothing is known of how it usually is.
    """
    if len(past) < 2 or not len(today) or not len(past[0]):
        return 0.0
    usual = _share_among(past[0], past[1])
    return max(_share_among(today, past[0]) - usual, 0.0) if usual <= USUAL_MAX else 0.0


def _share_among(values: pd.Series, others: pd.Series) -> float:
    return float(values.dropna().isin(others.dropna()).sum()) / len(values)


def is_replayed(share: float, moved: float) -> bool:
    """Whether values of the day before tell what moved in a column."""
    return share >= max(REPLAYED_MIN, REPLAYED_PART * moved)
