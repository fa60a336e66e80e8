"""Segments that moved a metric: where more, or less, came than was expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import Coding
from checks.rootcause.conditions import FoundSegment
from checks.rootcause.likelihood import bernoulli, effective
from checks.rootcause.search import Search
from monitor.types import Column

SURPLUS = 7.0
PART_MIN = 0.1
"""Of the whole move, so much must be a segment's."""


def find_moves(
    leaves: pd.DataFrame,
    columns: Sequence[Column],
    came: npt.ArrayLike,
    expected: npt.ArrayLike,
    mass: npt.ArrayLike | None = None,
    most: int = 3,
    dispersion: float | None = None,
) -> list[FoundSegment]:
    """The segments that moved a metric, the first one first; each further one of what the earlier ones leave.

    The bad mass of a leaf is how far it lies from what was expected, in the direction of the whole move. A segment's
    recall is its part of that mass, its precision that mass by what could have moved there: the rows that were
    not expected to count, or on the way down those that were; of a sum, the larger of what came and what was expected.

    Args:
        leaves: a row for each combination of attributes.
        columns: the attributes.
        came: (N,) a sum, or the numerator of a ratio.
        expected: (N,) what it would usually be, for a ratio with today's denominator.
        mass: (N,) today's denominator, in rows; None for a sum.
        most: how many segments at most.
        dispersion: variance by mean of what usually comes in a leaf, 1 for counts; None where nobody knows: the leaves
            then count as so many observations as they are even.
    """
    seen, usual = np.asarray(came, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if not len(leaves) or not float((seen - usual).sum()):
        return []
    sign = float(np.sign((seen - usual).sum()))
    away = sign * (seen - usual)
    bad = np.maximum(away, 0.0)
    rows = None if mass is None else np.asarray(mass, dtype=np.float64)
    could = np.maximum(seen, usual) if rows is None else (rows - usual if sign > 0 else usual)
    could = np.maximum(could, np.maximum(bad, 1e-9))
    coding = Coding(leaves, columns, ())
    scale = 1.0 if rows is not None else effective(could)
    scale = scale if dispersion is None else 1.0 / max(dispersion, 1e-12)
    left, found = np.ones(len(bad), dtype=bool), list[FoundSegment]()
    while len(found) < most and float(away[left].sum()) >= PART_MIN * float(away.sum()):
        likelihood = bernoulli(float(bad[left].sum()), float(could[left].sum()), scale=scale)
        search = Search(coding, bad, could, likelihood, SURPLUS, left, rows_min=0)
        lead = next(iter(search.best()), None)
        inside = left if lead is None else search.mask(lead.atoms)
        if lead is None or float(away[inside].sum()) < PART_MIN * float(away.sum()):
            break
        size = float((could if rows is None else rows)[inside].sum())
        precision = min(1.0, float(bad[inside].sum() / could[inside].sum()))
        conditions = tuple(coding.condition(atom) for atom in lead.atoms)
        found.append(FoundSegment(conditions, precision, float(bad[inside].sum() / bad.sum()), round(size)))
        left = left & ~inside
    return found
