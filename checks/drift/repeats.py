"""Rows that come again: those of yesterday, and those that differ from another row in one column alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.types import Change

Hashes = npt.NDArray[np.uint64]
REPEATED = {"replay": Change.REPLAY, "again": Change.REPLAY, "nearly": Change.DUPLICATES}
"""The scores of rows that come again, and the kinds of change they tell."""
COLUMNS_MIN = 3
"""Below so many columns, rows that share all but one are no news."""


def column_hashes(frame: pd.DataFrame, columns: Sequence[str]) -> Hashes:
    """One hash a row and column, shape (N, C), different for equal values of different columns."""
    hashed = np.empty((len(frame), len(columns)), dtype=np.uint64)
    for place, name in enumerate(columns):
        own = pd.util.hash_pandas_object(frame[name], index=False).to_numpy()
        hashed[:, place] = _mixed(own ^ np.uint64(0x9E3779B97F4A7C15 * (place + 1) % 2**64))
    return hashed


def _mixed(values: Hashes) -> Hashes:
    """Hashes that may be added up: sums of unmixed ones cancel too often (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def share_repeated(today: Hashes, yesterday: Hashes) -> float:
    """Share of today's rows that yesterday had too, over all columns given (hashes of `column_hashes`)."""
    if not today.size or not yesterday.size:
        return 0.0
    return float(np.isin(today.sum(axis=1, dtype=np.uint64), yesterday.sum(axis=1, dtype=np.uint64)).mean())


def nearly_twice(hashes: Hashes) -> tuple[float, int]:
    """The largest share of rows that repeat another row but for one column, beyond plain repetition; and that column.

    >>> frame = pd.DataFrame({"a": [1, 1, 2, 3], "b": [4, 4, 5, 6], "c": [7.0, 7.1, 8.0, 9.0]})
    >>> nearly_twice(column_hashes(frame, ["a", "b", "c"]))
    (0.25, 2)
    """
    rows, columns = hashes.shape
    if rows == 0 or columns < COLUMNS_MIN:
        return 0.0, 0
    whole = hashes.sum(axis=1, dtype=np.uint64)
    plain = len(np.unique(whole))
    with np.errstate(over="ignore"):
        without = [plain - len(np.unique(whole - hashes[:, c])) for c in range(columns)]
    best = int(np.argmax(without))
    return without[best] / rows, best
