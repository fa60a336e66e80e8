"""Segments that hold the deficit of rows that did not come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from checks.rootcause.conditions import Condition, FoundSegment
from monitor.types import Column, ColumnKind

VALUES_MAX = 60
CHANCE = 1e-3


def find_deficits(
    today: pd.DataFrame, past: Sequence[pd.DataFrame], columns: Sequence[Column], rows: float, expected: float
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
    """
    deficit = expected - rows
    if deficit <= 0 or not len(today) or not past:
        return []
    found = []
    for column in columns:
        if column.name not in today.columns or column.kind not in (
            ColumnKind.TEXT,
            ColumnKind.BOOLEAN,
            ColumnKind.NUMBER,
        ):
            continue
        now = today[column.name].astype(object).value_counts(normalize=True)
        before = pd.concat(
            [frame[column.name].astype(object).value_counts(normalize=True) for frame in past], axis=1
        ).fillna(0.0)
        if len(before) > VALUES_MAX:
            continue
        for value, shares in before.iterrows():
            usual = float(shares.mean()) * expected
            missing = max(0.0, usual - float(now.get(value, 0.0)) * rows)
            noise = float(shares.std() or 0.0) * expected + np.sqrt(max(usual, 1.0))
            if missing < max(4.0 * noise, 10.0) or norm.sf(missing / noise) * len(before) > CHANCE:
                continue
            plain = float(value) if column.kind is ColumnKind.NUMBER else value
            condition = Condition(column.name, "=", plain)
            found.append(
                FoundSegment((condition,), min(missing / usual, 1.0), min(missing / deficit, 1.0), int(usual - missing))
            )
    told = [s for s in found if s.f1 >= 0.5]
    return _distinct(sorted(told, key=lambda s: s.f1, reverse=True), 3)


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
