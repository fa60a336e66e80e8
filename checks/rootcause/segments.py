"""Segments of bad rows: conjunctions of up to three conditions over values, NULLs, ranges, times of day and texts.

A segment is told only when it could not be chance: its log-likelihood ratio must exceed the logarithm of the number
of all conjunctions of its length by `SURPLUS` nats, which bounds by exp(-SURPLUS) the share of random bad rows that
give any segment at all, and with it the share of false ones among those told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import Array, Coding, Mask
from checks.rootcause.conditions import Conditions, FoundSegment
from checks.rootcause.likelihood import bernoulli, effective
from checks.rootcause.search import Candidate, Search
from monitor.types import Column

SURPLUS = 7.0
BAD_MIN = 5
BAD_MAX = 0.98
F1_MIN = 0.15
LIFT_MIN = 1.3
EXCESS_MIN = 0.1
"""What a segment must have of the bad rows beyond its part of all rows."""
GAIN_MIN = 0.03
"""By how much its F1 must beat that of naming all rows."""
SYNONYMS_MAX = 5
FURTHER_MIN = 0.1
"""A further segment must have so much of all bad rows that no earlier one has."""


def find_segments(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    bad: Mask,
    most: int = 3,
    exclude: Collection[str] = (),
    *,
    weights: npt.ArrayLike | None = None,
    clocks: Collection[str] = (),
) -> list[FoundSegment]:
    """The segments that characterise the bad rows of `frame`, best first; none when they look random.

    Each further segment explains bad rows that the earlier ones do not have. Precision and recall are always of all
    rows.

    Args:
        frame: rows of one partition.
        columns: what may be used.
        bad: (N,) which rows are bad.
        most: how many segments at most.
        exclude: columns that define what is bad, and would only say so again.
        weights: (N,) how many rows each row stands for; 1 each if None.
        clocks: columns of which the time of day alone may be used.
    """
    bad = np.asarray(bad, dtype=bool)
    mass = None if weights is None else np.asarray(weights, dtype=np.float64)
    if not BAD_MIN <= int(bad.sum()) <= BAD_MAX * len(bad):
        return []
    coding = Coding(frame, columns, exclude, clocks)
    found: list[FoundSegment] = []
    told: list[Mask] = []
    left = np.ones(len(bad), dtype=bool)
    while len(found) < most and int((bad & left).sum()) >= max(BAD_MIN, FURTHER_MIN * bad.sum()):
        segment, inside = _lead(coding, bad, mass, left)
        if segment is None or inside is None:
            break
        found.append(segment)
        told.append(inside)
        left &= ~inside
    return found


def _lead(coding: Coding, bad: Mask, mass: Array | None, left: Mask) -> tuple[FoundSegment | None, Mask | None]:
    """The best segment of the bad rows among those left, and its rows among all."""
    weight = np.ones(len(bad)) if mass is None else mass
    first = np.where(bad & left, weight, 0.0)
    rows = float(weight[left].sum())
    scale = 1.0 if mass is None else effective(weight[left])
    search = Search(coding, first, mass, bernoulli(float(first.sum()), rows, scale=scale), SURPLUS, left)
    ranked = search.best()
    for candidate in ranked:
        inside = coding.meets(candidate.atoms)
        segment = _found(candidate, coding, inside, bad, weight)
        if _says_something(segment, inside, left, bad, weight):
            same, determined = _synonyms(ranked, search, candidate, inside), _determined(coding, candidate)
            return FoundSegment(*_shortest(segment, same), same[1:], determined), inside
    return None, None


def _found(candidate: Candidate, coding: Coding, inside: Mask, bad: Mask, weight: Array) -> FoundSegment:
    size, hit = float(weight[inside].sum()), float(weight[inside & bad].sum())
    conditions = tuple(coding.condition(atom) for atom in candidate.atoms)
    return FoundSegment(conditions, hit / size if size else 0.0, hit / float(weight[bad].sum()), int(inside.sum()))


def _shortest(segment: FoundSegment, same: Sequence[Conditions]) -> tuple[Conditions, float, float, int]:
    return (same[0] if same else segment.conditions), segment.precision, segment.recall, segment.rows


def _says_something(segment: FoundSegment, inside: Mask, left: Mask, bad: Mask, weight: Array) -> bool:
    """Whether naming it tells more than naming all rows would, and of bad rows that are not yet told of."""
    rate = float(weight[bad].sum()) / float(weight.sum())
    recall = float(weight[inside & left & bad].sum()) / float(weight[bad].sum())
    share = float(weight[inside].sum()) / float(weight.sum())
    if segment.f1 < F1_MIN or segment.precision < LIFT_MIN * rate or recall < FURTHER_MIN:
        return False
    return segment.recall - share >= EXCESS_MIN and segment.f1 >= 2 * rate / (1 + rate) + GAIN_MIN


def _synonyms(ranked: Sequence[Candidate], search: Search, lead: Candidate, inside: Mask) -> tuple[Conditions, ...]:
    """All that exactly the same rows meet, the plainest first: few conditions, values before ranges and texts."""
    coding = search.coding
    near = [c for c in ranked if abs(c.nats - lead.nats) <= 1e-6 * lead.nats]
    same = [c for c in near if len(c.atoms) <= len(lead.atoms) and np.array_equal(coding.meets(c.atoms), inside)]
    same.sort(key=lambda c: (len(c.atoms), sum(coding.blocks[a.block].rank for a in c.atoms)))
    kept: list[Conditions] = []
    columns: list[frozenset[str]] = []
    for candidate in same:
        conditions = tuple(coding.condition(atom) for atom in candidate.atoms)
        names = frozenset(c.column for c in conditions)
        if not any(known <= names for known in columns):
            kept.append(conditions)
            columns.append(names)
    return tuple(kept[: SYNONYMS_MAX + 1])


def _determined(coding: Coding, lead: Candidate) -> tuple[str, ...]:
    """Columns whose value follows on every row from one of the segment's columns."""
    own = {coding.blocks[atom.block].column for atom in lead.atoms}
    sources = [b for b in coding.blocks if b.column in own and b.kind == "values" and len(b.labels) > 1]
    found: dict[str, None] = {}
    for block in coding.blocks:
        if block.column in own or block.kind != "values" or len(block.labels) < 2:
            continue
        size = len(block.labels) + 1
        for source in sources:
            pairs = np.bincount(source.codes.astype(np.int64) * size + block.codes)
            values = np.bincount(source.codes)
            if (pairs > 0).sum() == (values > 0).sum() and len(source.labels) < len(source.codes) // 5:
                found[block.column] = None
    return tuple(found)
