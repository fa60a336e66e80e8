"""Whether the rows of a value that no longer comes are gone, or came under other values: what else they have tells."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]

VALUES_MAX = 40
"""Different values of a column that may stand beside the one that is gone."""
TELLS_NATS = 4.0
"""How much a column beside it must be expected to tell, before it is asked."""
CHANCE = 0.5
"""Rows added to each count, so that no value is impossible."""


def rows_are_gone(today: pd.DataFrame, past: Sequence[pd.DataFrame], column: str, value: object) -> bool | None:
    """Whether rows that had a value are missing (True), or are there without it (False); None where nothing tells.

    Orders of a kind of payment all have the same state: if as many orders as ever have that state, none is missing. The
    column is asked in which the value's rows differ most from the others.

    Args:
        today: today's rows.
        past: those of past days.
        column: that of the value.
        value: which no longer comes, or hardly.

    >>> past = pd.DataFrame({"reason": ["no"] * 60 + ["yes"] * 300, "state": ["failed"] * 60 + ["done"] * 300})
    >>> renamed, gone = past.assign(reason="yes"), past[past["reason"] == "yes"]
    >>> rows_are_gone(renamed, [past], "reason", "no"), rows_are_gone(gone, [past], "reason", "no")
    (False, True)
    """
    frames = [frame for frame in past if column in frame]
    if not frames or column not in today:
        return None
    known = pd.concat([_texts(frame[column]) for frame in frames], ignore_index=True)
    had = (known == _text(value)).to_numpy()
    if not had.any() or had.all():
        return None
    best: tuple[float, float] = (0.0, 0.0)
    for name in (c for c in today.columns if c != column and all(c in frame for frame in frames)):
        beside = pd.concat([_texts(frame[name]) for frame in frames], ignore_index=True)
        best = max(best, _told(_texts(today[name]), beside, had))
    return best[1] > 0 if best[0] >= TELLS_NATS else None


def _told(today: pd.Series, past: pd.Series, had: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """What a column can tell, and what it tells for rows being gone, in nats."""
    codes, values = pd.factorize(past)
    if len(values) > VALUES_MAX:
        return 0.0, 0.0
    counts = np.bincount(codes, minlength=len(values))
    left = np.bincount(codes[~had], minlength=len(values))
    usual, gone = _shares(counts), _shares(left)
    now = today.value_counts().reindex(values, fill_value=0).to_numpy(dtype=np.float64)
    gain = np.log(gone / usual)
    can = min(float((gone * gain).sum()), float(-(usual * gain).sum())) * float(now.sum())
    return can, float((now * gain).sum())


def _shares(counts: npt.NDArray[np.int64]) -> Array:
    return np.asarray((counts + CHANCE) / (counts.sum() + CHANCE * len(counts)))


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).map(_text)


def _text(value: object) -> str:
    """Numbers alike, whatever type they were read as."""
    return str(float(value)) if isinstance(value, Real) and not isinstance(value, bool) else str(value)
