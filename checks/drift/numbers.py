"""What happened to a column of numbers, told from its values before and after."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.arithmetic import told_by_arithmetic
from checks.drift.categories import describe_categories
from checks.drift.description import VALUE_ROWS_MIN, Description
from checks.drift.tales import FACTORS, Tale, best_tale, on_grain
from monitor.types import Change

Array = npt.NDArray[np.float64]

SURE_GAIN = 8.0
"""Log-likelihood from which a change of scale is believed although it also leaves round numbers."""
FEW_NEW = 3
"""New numbers that are news by themselves; more of them are a change of scale or place."""
MOSTLY = 0.6
"""Part of the new whole numbers that are one value from which that one was written over others."""
COMMON = 0.8
"""Share of rows with one and the same value from which a factor moves hardly another."""
CUT_MAX = 0.35
"""Largest share of rows in what counts as a tail."""
CUT_MIN = 0.004
CUT_ROWS_MIN = 8.0
"""So many rows were to come before today's first or after its last for their absence to be a cut, not luck."""
PILED = 0.5
"""Rows at the edge, as a part of those beyond it, from which these were clipped and not cut."""
NEGATIVE_MIN = 0.004
"""Share of negative numbers from which they are news."""
FLIPPED_ROOM = 0.1
"""How much further than by chance numbers of another sign may lie from the usual ones."""
FLIPPED_KNOWN = 0.8
"""Part of them whose size past numbers had: noise makes others."""
NEAR = 0.25
"""Numbers that lie so little beyond past ones, as a part of their range, are no more than a day brings."""
SUDDEN = 8.0
SUDDEN_MIN = 0.02
"""A value among others of which so many times as many rows, and so large a share, have come was written over them."""
DISCRETE_MAX = 30
"""Numbers with so few different values are looked at as categories too."""


def describe_numbers(today: Array, past: Array) -> Description:
    """Tell what happened to finite numbers; `relation` where they lie as before.

    Args:
        today: today's numbers.
        past: those of past days.
    """
    if len(today) == 0 or len(past) == 0:
        return Description(Change.OTHER, 0.0)
    facts = {
        "median_before": float(np.median(past)),
        "median_after": float(np.median(today)),
        "mean_before": float(past.mean()),
        "mean_after": float(today.mean()),
    }
    if len(np.unique(today)) == 1 and len(np.unique(past)) > 1:
        return Description(Change.CONSTANT, 1.0, facts)
    flipped = share_flipped(today, past)
    if flipped:
        return Description(Change.SHIFT_DOWN, flipped, facts)
    exactly = told_by_arithmetic(today, past)
    if exactly is not None:
        return Description(exactly.change, exactly.share, {**facts, **exactly.facts})
    gap = share_cut_off(today, past) if len(np.unique(past)) > DISCRETE_MAX else 0.0
    if gap:
        return Description(Change.ROWS_MISSING, gap, facts)
    tale = best_tale(today, past)
    sure_scale = _is_sure(tale, Change.SCALE) and not _one_new(today, past)
    found = _single_value(today, past, tale, sure_scale) or _listed_values(today, past, tale, sure_scale)
    if found is not None:
        return Description(found.change, found.effect, {**facts, **found.facts})
    if tale is None:
        return Description(Change.RELATION, moved(today, past), facts)
    return Description(tale.change, max(_share_told(tale, today), moved(today, past)), facts)


def _share_told(tale: Tale, today: Array) -> float:
    """Share of today's numbers that a tale says were moved; a factor leaves 0 where it is."""
    return tale.share * float((today != 0).mean()) if tale.change is Change.SCALE else tale.share


def share_flipped(today: Array, past: Array) -> float:
    """Share of today's numbers that are negatives of usual ones, in a column that had none below 0; else 0.

    >>> import numpy as np
    >>> past = np.arange(1.0, 400.0)
    >>> share_flipped(np.where(past % 10 == 0, -past, past), past), share_flipped(past - 40.0, past)
    (0.09774436090225563, 0.0)
    """
    turned = -today[today < 0]
    if len(turned) < VALUE_ROWS_MIN or len(turned) < NEGATIVE_MIN * len(today) or (past < 0).any():
        return 0.0
    usual = np.concatenate([past[past > 0], today[today > 0]])
    known = float(np.isin(turned, usual).mean()) if len(usual) else 0.0
    if known < FLIPPED_KNOWN or moved(turned, usual) > _moved_noise(len(turned), len(usual)) + FLIPPED_ROOM:
        return 0.0
    return len(turned) / len(today)


def _is_sure(tale: Tale | None, change: Change) -> bool:
    return tale is not None and tale.change is change and tale.gain > SURE_GAIN


def _single_value(today: Array, past: Array, tale: Tale | None, sure_scale: bool) -> Description | None:
    """A default beyond all past numbers, or fewer decimals, unless a tale tells it surely."""
    rounded = _share_rounded(today, past)
    default = _default(today, past)
    copied = default is not None and default[1] != 0 and sure_scale and _multiplied(default[1], past)
    if copied and tale is not None:
        return Description(Change.SCALE, _share_told(tale, today))
    if default is not None and rounded < default[0]:
        change = _of_commonest(default[1], past) or (Change.VALUES_NEW if default[1] else Change.ZEROS_UP)
        return Description(change, default[0], {"value": default[1]})
    if rounded > 0.01 and not sure_scale and not _is_sure(tale, Change.SPREAD):
        return Description(Change.FORMAT, rounded)
    return None


def _listed_values(today: Array, past: Array, tale: Tale | None, sure_scale: bool) -> Description | None:
    """What single values tell: one that many rows took, and, where there are few, any that moved."""
    discrete = len(np.unique(past)) <= DISCRETE_MAX
    listed = describe_categories(_listed(today), _listed(past)) if discrete else Description(Change.OTHER, 0.0)
    if not sure_scale and listed.change in _EXACT:
        return listed
    spike = _spike(today, past, alone=tale is None or tale.gain <= SURE_GAIN)
    moving = tale.share if tale is not None and tale.gain > SURE_GAIN and tale.change in _MOVED else 0.0
    if spike is not None and not (spike[0] is Change.SPREAD and moving > 1.3 * spike[1]):
        return Description(spike[0], spike[1], {"value": spike[2]})
    few = len(np.setdiff1d(today, past)) <= FEW_NEW
    new = listed.change is Change.VALUES_NEW and (tale is None or (few and not sure_scale))
    return listed if new or (listed.change is Change.CONSTANT and tale is None) else None


def _one_new(today: Array, past: Array) -> bool:
    """Whether a single number is new, and no copy of the one that most rows had: a factor would have made several."""
    new, before = today[~np.isin(today, past)], past[past != 0]  # of 0 a factor makes nothing new
    most = int(np.unique(before, return_counts=True)[1].max(initial=0))
    return len(np.unique(new)) == 1 and len(new) >= VALUE_ROWS_MIN and most < COMMON * len(before)


_MOVED = frozenset({Change.SCALE, Change.SHIFT_UP, Change.SHIFT_DOWN})
_EXACT = frozenset({Change.VALUES_GONE, Change.VALUES_MIXED})
"""Kinds that single values tell better than a distribution does."""


def _of_commonest(value: float, past: Array) -> Change | None:
    """What a number is of the one that most past rows have: its negative, or 10, 100 or 1,000 times as much."""
    single, counts = np.unique(past, return_counts=True)
    commonest = float(single[int(np.argmax(counts))])
    if counts.max() < 0.5 * len(past) or abs(commonest) <= 1.0:
        return None
    if value == -commonest:
        return Change.SHIFT_DOWN if commonest > 0 else Change.SHIFT_UP
    return Change.SCALE if any(value == commonest * factor for factor in FACTORS[:3]) else None


def _multiplied(value: float, past: Array) -> bool:
    """Whether a number is a frequent past one times a usual factor."""
    single, counts = np.unique(past, return_counts=True)
    frequent = single[counts >= 0.05 * len(past)]
    return any((np.abs(value - frequent * f) <= 0.5 + 1e-3 * np.abs(frequent * f)).any() for f in FACTORS)


def _default(today: Array, past: Array) -> tuple[float, float] | None:
    """The share and value of a number never seen before that stands for nearly all that is new beyond the past."""
    low, high = float(past.min()), float(past.max())
    room = NEAR * (high - low)
    near = (today >= low - room) & (today <= high + room)  # as numbers come that grow from day to day
    for outside in (today[(today < low) | (today > high)], today[~near]):
        single, counts = np.unique(outside, return_counts=True)
        most = int(counts.max(initial=0))
        if most >= max(VALUE_ROWS_MIN, 0.9 * len(outside)) and most >= 0.004 * len(today):
            return most / len(today), float(single[int(np.argmax(counts))])
    return None


def _listed(values: Array) -> pd.Series:
    return pd.Series([f"{v:.12g}" for v in values]).astype("category")


def _spike(today: Array, past: Array, *, alone: bool) -> tuple[Change, float, float] | None:
    """One value that many more rows have than before: zeros, a default that was never there, a stuck value.

    `alone`: nothing else tells the change, so that rows may have come to the value from wherever they did.
    """
    single, counts = np.unique(today, return_counts=True)
    best, rise, usual = 0.0, 0.0, 0.0
    for i in np.argsort(-counts)[:5]:
        before = float((past == single[i]).mean())
        gain = counts[i] / len(today) - before
        if gain > rise:
            best, rise, usual = float(single[i]), float(gain), before
    noise = np.sqrt(max(rise, 1.0 / len(today)) * (1.0 / len(today) + 1.0 / len(past)))
    if rise < max(0.006, 4.5 * noise):
        return None
    outside = float(((today < past.min()) | (today > past.max())).mean())
    if _cut_off(today, past, best, rise) or (not past.min() <= best <= past.max() and outside > 1.2 * rise):
        return Change.SPREAD, rise, best
    if best == 0 and usual < 0.1 * rise:
        return Change.ZEROS_UP, rise, best
    inside = past.min() <= best <= past.max() and len(np.unique(past)) > DISCRETE_MAX
    sudden = alone and inside and rise >= max(SUDDEN_MIN, SUDDEN * usual)
    if not sudden and not _falls_evenly(today, past, best, rise):
        return None
    if best == 0:
        return Change.ZEROS_UP, rise, best
    return (Change.CONSTANT if usual > 0 or inside else Change.VALUES_NEW), rise, best


def _cut_off(today: Array, past: Array, value: float, rise: float) -> bool:
    """Whether rows that used to lie beyond the value, out in a tail, have taken it."""
    if value == 0:
        return False
    sides = ((past > value, today > value), (past < value, today < value))
    return any(before.mean() < CUT_MAX and before.mean() - after.mean() > 0.6 * rise for before, after in sides)


def _falls_evenly(today: Array, past: Array, value: float, rise: float) -> bool:
    """Whether the rows that took the value came from everywhere: the rest is distributed as before."""
    rest, before = today[today != value], past[past != value]
    if len(rest) < 20 or len(before) < 20:
        return True
    return moved(rest, before) < max(0.7 * _moved_noise(len(rest), len(before)), 0.5 * rise)


def moved(today: Array, past: Array) -> float:
    """Kolmogorov-Smirnov distance: the share of rows that lie elsewhere."""
    grid = np.unique(np.concatenate([today, past]))
    after = np.searchsorted(np.sort(today), grid, side="right") / len(today)
    before = np.searchsorted(np.sort(past), grid, side="right") / len(past)
    return float(np.abs(after - before).max())


def share_cut_off(after: Array, before: Array) -> float:
    """The share of the past's rows that lie before the first or after the last of today, the rest being as it was."""
    first, last = after.min(), after.max()
    cut, edge = max((float((before < first).mean()), first), (float((before > last).mean()), last))
    piled = float((after == edge).mean())  # rows from beyond, written as the last that is allowed
    if cut < CUT_MIN or cut * len(after) < CUT_ROWS_MIN or piled > PILED * cut:
        return 0.0
    kept = before[(before >= first) & (before <= last)]
    if not len(kept):
        return 0.0
    chance = np.sqrt(1.0 / len(after) + 1.0 / len(kept))
    return cut if moved(after, kept) < max(0.25 * cut, 1.6 * chance) else 0.0


def _moved_noise(n1: int, n0: int) -> float:
    return 1.6 * float(np.sqrt(1.0 / n1 + 1.0 / n0))


def _rise_of_one(today: Array, past: Array, rise: float) -> float:
    """By how much the share of 0 has risen, or that of today's commonest value where that is most of a rise."""
    single, counts = np.unique(today, return_counts=True)
    zeros, commonest = (
        max(float(np.mean(today == v)) - float(np.mean(past == v)), 0.0) for v in (0.0, single[int(np.argmax(counts))])
    )
    return max(zeros, commonest if commonest > MOSTLY * rise else 0.0)


def _share_rounded(today: Array, past: Array) -> float:
    """How many more rows than before are whole numbers, or whole tens where all are whole; 0 if that is chance."""
    for grain in (1.0, 10.0, 100.0):
        rounded = on_grain(today, grain)
        before, after = float(on_grain(past, grain).mean()), float(rounded.mean())
        one = _rise_of_one(today, past, after - before)
        noise = 4.0 * np.sqrt(max(after, 0.01) * (1.0 - min(after, 0.99)) * (1.0 / len(today) + 1.0 / len(past)))
        single = np.unique(today[rounded])
        if before < 0.98 and after - before - one > max(noise, 0.005) and len(single) > 3:
            return after - before
    return 0.0
