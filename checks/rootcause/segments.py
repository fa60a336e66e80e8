"""Segments of bad rows: conjunctions of up to two conditions over values, NULLs and ranges, ranked by F1.

A segment is told only when it could not be chance: the hypergeometric tail of its bad rows, multiplied by the number
of conditions looked at, must be small, so that randomly chosen bad rows give none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import hypergeom, norm

from monitor.types import Column, ColumnKind

Mask = npt.NDArray[np.bool_]

VALUES_MAX = 60
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
BEAM = 12
CHANCE = 1e-3
F1_MIN = 0.35
LIFT_MIN = 1.3
GAIN_MIN = 0.03
"""What a second condition must add to F1: the shortest segment that says it wins."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a column: `operator` is `=`, `is null`, `<=`, or `>`."""

    column: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A conjunction of conditions with its precision and recall of the bad rows, and how many rows it has."""

    conditions: tuple[Condition, ...]
    precision: float
    recall: float
    rows: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0


def find_segments(
    frame: pd.DataFrame, columns: Sequence[Column], bad: Mask, most: int = 3, exclude: Collection[str] = ()
) -> list[FoundSegment]:
    """The segments that characterise the bad rows of `frame`, best first; none when they look random.

    Args:
        frame: rows of one partition.
        columns: what may be used.
        bad: (N,) which rows are bad.
        most: how many segments at most.
        exclude: columns that define what is bad, and would only say so again.
    """
    total_bad = int(bad.sum())
    if total_bad < 5 or total_bad > 0.98 * len(bad):
        return []
    singles = _conditions(frame, [c for c in columns if c.name not in exclude])
    if not singles:
        return []
    scored = [_score((condition,), mask, bad) for condition, mask in singles]
    masks = {s.conditions: mask for s, (_, mask) in zip(scored, singles, strict=True)}
    best = sorted(scored, key=lambda s: s.f1, reverse=True)[:BEAM]
    pairs = []
    for first in best:
        inside = masks[first.conditions]
        for condition, mask in singles:
            if condition.column == first.conditions[0].column and condition.operator == "=":
                continue
            pairs.append(_score((*first.conditions, condition), inside & mask, bad))
    tests = len(singles) + len(pairs)
    ranked = sorted([*scored, *(p for p in pairs)], key=lambda s: s.f1 - GAIN_MIN * len(s.conditions), reverse=True)
    return _distinct([s for s in ranked[:200] if _is_told(s, bad, tests)], most)


def _score(conditions: tuple[Condition, ...], mask: Mask, bad: Mask) -> FoundSegment:
    rows = int(mask.sum())
    hit = int((mask & bad).sum())
    return FoundSegment(conditions, hit / rows if rows else 0.0, hit / int(bad.sum()), rows)


def _is_told(segment: FoundSegment, bad: Mask, tests: int) -> bool:
    rate = bad.mean()
    if segment.f1 < F1_MIN or segment.precision < LIFT_MIN * rate:
        return False
    # knowing all rows beats this segment: it says nothing that "everywhere" would not
    if segment.f1 < 2 * rate / (1 + rate) + GAIN_MIN:
        return False
    hit = round(segment.precision * segment.rows)
    chance = float(hypergeom.sf(hit - 1, len(bad), int(bad.sum()), segment.rows))
    return chance * tests < CHANCE


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


def _conditions(frame: pd.DataFrame, columns: Sequence[Column]) -> list[tuple[Condition, Mask]]:
    found: list[tuple[Condition, Mask]] = []
    for column in columns:
        if column.name in frame.columns:
            found += _of_column(frame[column.name], column)
    floor = max(5, int(0.003 * len(frame)))
    return [(c, m) for c, m in found if floor <= int(m.sum()) <= 0.97 * len(frame)]


def _of_column(values: pd.Series, column: Column) -> list[tuple[Condition, Mask]]:
    name = column.name
    found: list[tuple[Condition, Mask]] = [(Condition(name, "is null"), values.isna().to_numpy())]
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(values.cat.categories))
        common = [code for code in np.argsort(-counts, kind="stable")[:VALUES_MAX] if counts[code]]
        return [*found, *((Condition(name, "=", str(values.cat.categories[c])), codes == c) for c in common)]
    if column.kind is ColumnKind.BOOLEAN:
        plain = values.to_numpy()
        return [*found, *((Condition(name, "=", flag), plain == flag) for flag in (True, False))]
    if column.kind is not ColumnKind.NUMBER:
        return found
    numbers = values.to_numpy(dtype=np.float64)
    single, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    if len(single) <= VALUES_MAX:
        return [*found, *((Condition(name, "=", float(v)), numbers == v) for v in single)]
    top = np.argsort(-counts, kind="stable")[:10]
    found += [(Condition(name, "=", float(single[place])), numbers == single[place]) for place in top]
    for cut in np.unique(np.quantile(single, QUANTILES)):
        with np.errstate(invalid="ignore"):
            found += [
                (Condition(name, "<=", float(cut)), numbers <= cut),
                (Condition(name, ">", float(cut)), numbers > cut),
            ]
    return found


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
