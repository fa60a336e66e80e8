"""One day that is judged, and the truth about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Case:
    """A day as it was (`fault` None) or with a fault in it.

    `frame` holds its rows, `hit` how many of them the fault changed; `columns`, `change` and `where` (the segment hit,
    as SQL; None for rows all over the day) are the truth.
    """

    day: dt.date
    frame: pd.DataFrame
    fault: str | None = None
    share: float = 0.0
    hit: int = 0
    columns: tuple[str, ...] = ()
    change: str = ""
    where: str | None = None
