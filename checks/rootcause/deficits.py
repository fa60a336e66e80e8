"""Segments that hold the deficit of rows that did not come."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import Array, Coding
from checks.rootcause.conditions import FoundSegment
from checks.rootcause.likelihood import bernoulli, effective
from checks.rootcause.search import Candidate, Search
from monitor.types import Column

KINDS = frozenset({"values", "nulls", "clock"})
"""Ranges are left out: of a number that grows from day to day, today's part is always missing before."""
SURPLUS = 7.0
NOISE_MAX = 4.0
"""By how many times what it varies by, over days and by chance, a segment has to be short."""
SHORT_MIN = 10.0
F1_MIN = 0.5
TRIED = 40


def find_deficits(
    today: pd.DataFrame,
    past: Sequence[pd.DataFrame],
    columns: Sequence[Column],
    rows: float,
    expected: float,
    clocks: Collection[str] = (),
) -> list[FoundSegment]:
    """For missing rows: the segments that hold the deficit.

    The bad mass of a segment is max(0, expected - observed); its recall is its share of the whole deficit, its
    precision the deficit's share of what was expected there.

    Args:
        today: today's sample.
        past: samples of comparable past days.
        columns: what may be used.
        rows: of today's partition.
        expected: rows expected today.
        clocks: columns of which the time of day alone may be used.
    """
    frames = [frame for frame in past if len(frame)]
    if expected - rows <= 0 or not len(today) or not frames:
        return []
    coding = Coding(joined([today, *frames], columns), columns, (), clocks, KINDS)
    if not coding.blocks:
        return []
    sizes = [len(today), *(len(frame) for frame in frames)]
    days = np.repeat(np.arange(len(sizes)), sizes)
    weight = np.array([rows / sizes[0], *(expected / (len(frames) * size) for size in sizes[1:])])[days]
    usual = np.where(days > 0, weight, 0.0)
    likelihood = bernoulli(float(usual.sum()), float(weight.sum()), scale=min(1.0, effective(weight)))
    candidates = Search(coding, usual, weight, likelihood, SURPLUS, rows_min=1).best()[:TRIED]
    told = [s for c in candidates if (s := _short(coding, c, days, weight, expected - rows)) is not None]
    return _distinct(sorted(told, key=lambda s: (-round(s.f1, 2), len(s.conditions))), 3)


def _short(
    coding: Coding, candidate: Candidate, days: npt.NDArray[np.intp], weight: Array, deficit: float
) -> FoundSegment | None:
    """The segment, if it is short by more than it varies from day to day."""
    inside = coding.meets(candidate.atoms)
    by_day = np.bincount(days[inside], weight[inside], minlength=int(days.max()) + 1)
    past = by_day[1:] * (len(by_day) - 1)
    usual = float(past.mean())
    missing = max(0.0, usual - float(by_day[0]))
    spread = float(past.std(ddof=1)) if len(past) > 1 else 0.0
    if missing < max(NOISE_MAX * float(np.hypot(spread, np.sqrt(max(usual, 1.0)))), SHORT_MIN):
        return None
    conditions = tuple(coding.condition(atom) for atom in candidate.atoms)
    precision, recall = min(missing / usual, 1.0), min(missing / deficit, 1.0)
    found = FoundSegment(conditions, precision, recall, round(usual - missing), shared=round(usual))
    return found if found.f1 >= F1_MIN else None


def joined(frames: Sequence[pd.DataFrame], columns: Sequence[Column]) -> pd.DataFrame:
    """The frames below each other, categories kept as such; of columns that all have, of one and the same kind."""
    made = {}
    for name in (c.name for c in columns if all(c.name in frame.columns for frame in frames)):
        parts = [frame[name] for frame in frames]
        if all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts):
            made[name] = pd.Series(pd.api.types.union_categoricals(parts))
        elif len({part.dtype.kind for part in parts}) == 1:
            made[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(made)


def _distinct(segments: Sequence[FoundSegment], most: int) -> list[FoundSegment]:
    """One segment a column set: the same rows told once."""
    kept: list[FoundSegment] = []
    for segment in segments:
        columns = {c.column for c in segment.conditions}
        if all(not columns & {c.column for c in k.conditions} for k in kept):
            kept.append(segment)
        if len(kept) == most:
            break
    return kept
