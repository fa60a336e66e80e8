"""Today's rows and those of past days side by side, each time and id beside its own day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.types import Column, ColumnKind, Partition, SampleSet, Table

Array = npt.NDArray[np.float64]

PAST_ROWS_MIN = 3_000
"""Past rows to compare with when a day has fewer: more days steady the reference of a small table."""
_COMPARED = frozenset(
    {ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.JSON}
)


def trim_past(samples: SampleSet) -> tuple[tuple[Partition, pd.DataFrame], ...]:
    """The past days, each cut so that together they have enough rows: as many as today, or a few thousand.

    A day that comes whole comes as it is stored, often by time: what is kept is drawn from all over it.
    """
    wanted = max(len(samples.today), PAST_ROWS_MIN)
    days = [day for day in samples.past if len(day[1])]
    if not days:
        return ()
    share = max(math.ceil(wanted / len(days)), 1)
    return tuple((p, _drawn(frame, share, samples.seed) if len(frame) > share else frame) for p, frame in days)


def _drawn(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """So many rows in their order, the same ones for the same seed and number of rows."""
    places = np.random.default_rng((seed, len(frame))).choice(len(frame), rows, replace=False)
    return frame.iloc[np.sort(places)]


def comparable_columns(table: Table, samples: SampleSet) -> list[Column]:
    """Columns that both sides have, of a kind that can be compared."""
    there = set(samples.today.columns)
    for _, frame in samples.past:
        there &= set(frame.columns)
    opened = {c.within for c in table.columns}  # what is inside of them is compared instead
    return [c for c in table.checked_columns if c.name in there and c.kind in _COMPARED and c.name not in opened]


def stack(
    today: pd.DataFrame, past: Sequence[tuple[Partition, pd.DataFrame]], columns: Sequence[Column]
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Both sides in one frame with common categories, and which rows are today's."""
    frames = [today, *(frame for _, frame in past)]
    both = {}
    for column in columns:
        pieces = [frame[column.name] for frame in frames]
        if any(isinstance(p.dtype, pd.CategoricalDtype) for p in pieces):
            both[column.name] = _union(pieces)
        else:
            both[column.name] = pd.concat(pieces, ignore_index=True)
    size = sum(len(f) for f in frames)
    return pd.DataFrame(both, index=range(size)), np.arange(size) < len(today)


def _union(pieces: Sequence[pd.Series]) -> pd.Series:
    plain = [p if isinstance(p.dtype, pd.CategoricalDtype) else p.astype("category") for p in pieces]
    united = pd.api.types.union_categoricals(plain, sort_categories=True)
    return pd.Series(united)


def place_in_day(values: pd.Series, bounds: Sequence[int]) -> pd.Series:
    """Numbers that tell the day as their distance from their own day's median, in its interquartile ranges.

    Args:
        values: of both sides; other kinds come back as they are.
        bounds: where each day begins, and the end.
    """
    if not pd.api.types.is_numeric_dtype(values):
        return values
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    placed = np.full(len(numbers), np.nan)
    for start, end in pairwise(bounds):
        day = numbers[start:end]
        known = day[np.isfinite(day)]
        if len(known):
            low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
            placed[start:end] = (day - middle) / (high - low) if high > low else np.sign(day - middle)
    return pd.Series(placed)


def starts_of(partition: Partition, rows: int, past: Sequence[tuple[Partition, pd.DataFrame]]) -> Array:
    """The start of each row's partition as naive local seconds, the same clock as the frames' times."""
    sides = [(partition, rows), *((p, len(frame)) for p, frame in past)]
    seconds = [
        np.nan if p.start is None else (pd.Timestamp(p.start.replace(tzinfo=None)) - pd.Timestamp(0)).total_seconds()
        for p, _ in sides
    ]
    return np.repeat(np.array(seconds), [n for _, n in sides])


def lagged(values: pd.Series, column: Column, starts: Array) -> pd.Series:
    """Times are compared by their distance from their own partition's start."""
    if column.kind not in (ColumnKind.DATE, ColumnKind.TIMESTAMP) or not np.isfinite(starts).all():
        return values
    return values - pd.to_timedelta(starts, unit="s")
