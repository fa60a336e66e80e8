"""Columns whose own values changed, whatever they stand beside: they are symptoms, and no places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import Block, Coding
from checks.rootcause.deficits import joined
from monitor.types import Column

ALONE_MIN = 0.01
"""Part of the rows that must hold what the past did not have so often, for a column to be called changed itself."""
ALONE_TIMES = 1.5
"""By how much more often than on any past day."""


def changed_alone(today: pd.DataFrame, past: Sequence[pd.DataFrame], columns: Sequence[Column]) -> set[str]:
    """The columns whose own values are other ones than in the past, whatever they stand beside."""
    frames = [frame for frame in past if len(frame)]
    if not len(today) or not frames:
        return set()
    frame = joined([today, *frames], columns)
    there = [c for c in columns if c.name in frame.columns]
    days = np.repeat(np.arange(len(frames) + 1), [len(today), *map(len, frames)])
    return {c.name for c in there if any(_is_moved(b, days) for b in Coding(frame, [c], ()).blocks)}


def _is_moved(block: Block, days: npt.NDArray[np.intp]) -> bool:
    """Whether some codes came on the first day more often than they ever did on the others."""
    count = len(block.labels) + 1
    shares = np.bincount(days * count + block.codes, minlength=(int(days.max()) + 1) * count).reshape(-1, count)
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1)
    more = np.maximum(shares[0] - ALONE_TIMES * shares[1:].max(axis=0), 0.0)
    return bool(more.sum() > ALONE_MIN)
