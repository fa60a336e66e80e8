"""What numbers never seen before are of known ones: so many times as much, so much more, with more decimals.

Where numbers come again (prices of a list, rates, codes, ids) a wrong factor makes exactly its multiples of them, and
where all are written to so many decimals, the rows with more of them are those that something was done to. Both are
told without regard to how odd the day is otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from checks.drift.description import VALUE_ROWS_MIN
from checks.drift.tales import FACTORS, best_tale
from monitor.types import Change

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

TO_THE_DIGIT = frozenset({"factor", "difference"})
"""Facts that say exactly what was done to numbers."""
BY_ROW = TO_THE_DIGIT | {"finer_median"}
"""Facts that say of each row whether it was hit."""
NEWS_MIN = 0.004
"""Share of today's rows with numbers never seen before from which those are looked into."""
MOST = 0.6
"""Part of them that a factor must lead back to known numbers."""
BY_CHANCE = 0.5
"""So many times as many may be led back by another factor, and of usual numbers by this one: among numbers that lie
close any factor leads to known ones."""
EXACT = 0.8
"""Part of them that a difference must lead back."""
UNSEEN = 0.3
"""Rows that a value no past row had counts for."""
SURE_GAIN = 8.0
DEVIATIONS = 6.0
"""Log-likelihood, and standard deviations of them all, by which a difference must lead the others tried."""
LESS_LIKELY = 0.5
"""How much less likely, on average, numbers led back may be than past ones are, beside chance."""
DECIMALS_MAX = 4
ON_GRID = 0.995
"""Part of past numbers that are written to so many decimals."""
ALIKE = 0.9
"""Part of today's finer numbers that lie equally far from the next number with usual decimals, where all were moved."""
WHOLE = 0.6
"""Share of today's rows with finer numbers from which all may be other ones, some of them by luck not finer."""
REST_MIN = 30
"""Rows of today with usual decimals that the finer ones are held against."""
DIGITS = 9
VALUES_TRIED = 50
KNOWN_TRIED = 200
"""New numbers that a difference is tried on, and known ones that the commonest of them may have been."""


@dataclass(frozen=True)
class Told:
    """A kind of change, the share of today's rows that it befell, and what it was.

    `facts` are the `factor`, the `difference`, or the medians of the numbers with more decimals and of today's others.
    """

    change: Change
    share: float
    facts: Mapping[str, float]


def told_by_arithmetic(today: Array, past: Array) -> Told | None:
    """What was done to some of today's numbers, where it can be told exactly.

    Args:
        today: finite numbers of today.
        past: finite numbers of past days.

    >>> import numpy as np
    >>> rates = np.repeat([0.85, 1.0, 1.64, 162.0], [200, 400, 150, 250])
    >>> told_by_arithmetic(np.concatenate([rates, rates[::4] * 10.0]), rates)
    Told(change=<Change.SCALE: 'scale'>, share=0.2, facts={'factor': 10.0})
    >>> told_by_arithmetic(np.concatenate([rates, rates[::4] - 7.5]), rates).facts
    {'difference': -7.5}
    """
    with np.errstate(over="ignore", invalid="ignore"):  # near the end of what floats hold, nothing is known of them
        return _finer(today, past) or _known_ones(today, past)


def rows_told(today: Array, past: Array, facts: Mapping[str, object]) -> Mask | None:
    """Which of today's numbers it befell; None where the facts say nothing of that (`BY_ROW`).

    Args:
        today: today's numbers; those that are not finite were not hit.
        past: finite numbers of past days.
        facts: as `told_by_arithmetic` found them.
    """
    finite = np.isfinite(today)
    with np.errstate(over="ignore", invalid="ignore"):
        told = _told_among(today[finite], past, facts)
    if told is None:
        return None
    rows = np.zeros(len(today), dtype=bool)
    rows[finite] = told
    return rows


def _told_among(today: Array, past: Array, facts: Mapping[str, object]) -> Mask | None:
    if "finer_median" in facts:
        decimals = _decimals(past)
        return None if decimals is None else ~_on_grid(today, decimals)
    if not TO_THE_DIGIT & facts.keys():
        return None
    after, known, new = _news(today, _digits(past))
    if isinstance(factor := facts.get("factor"), float):
        return new & np.isin(_digits(after / factor), np.union1d(known, after))
    if isinstance(step := facts.get("difference"), float):
        return new & np.isin(_digits(after - step), known)
    return None


def _news(today: Array, before: Array) -> tuple[Array, Array, Mask]:
    """Today's numbers to nine digits, the known ones of before, and which of today's are none of those."""
    after, known = _digits(today), np.unique(before)
    return after, known, ~np.isin(after, known)


def _known_ones(today: Array, past: Array) -> Told | None:
    """Numbers that are known ones times a usual factor, or known ones moved by one difference."""
    before = _digits(past)
    after, known, is_new = _news(today, before)
    new = after[is_new]
    if len(new) < max(VALUE_ROWS_MIN, NEWS_MIN * len(today)) or len(np.unique(new)) < 2:
        return None
    share = len(new) / len(today)
    there = np.union1d(known, after)  # some numbers are new every day, as a rate is
    parts = sorted(((_part_known(new / factor, there), factor) for factor in FACTORS), reverse=True)
    (part, factor), (next_best, _) = parts[:2]
    usual = after[~is_new & (after != 0)]  # of 0 any factor makes 0
    by_chance = max(next_best, _part_known(usual / factor, there) if len(usual) else 0.0)
    several = len(np.unique(new[np.isin(_digits(new / factor), there)])) > 1
    if several and part >= MOST and by_chance <= BY_CHANCE * part:
        return Told(Change.SCALE, share * part, {"factor": factor})
    step = _difference(new, before)
    if not step:
        return None
    return Told(Change.SHIFT_UP if step > 0 else Change.SHIFT_DOWN, share, {"difference": step})


def _difference(new: Array, before: Array) -> float:
    """By how much the new numbers lie beyond past ones; 0 where it is no single difference.

    Led back by it they are as likely as past numbers are, and by any other far less so. That they are known is not
    enough: among numbers that lie close any difference leads to known ones.
    """
    known, rows = np.unique(before, return_counts=True)
    logs = np.log(np.append(rows, UNSEEN) / len(before))
    values, counts = _commonest(new, VALUES_TRIED)
    steps = _digits(values[0] - _commonest(before, KNOWN_TRIED)[0])
    told = _places(_digits(values - steps[:, None]), known)
    gains = (logs[told] * counts).sum(axis=1)
    if not _stands_alone(gains):
        return 0.0
    step = float(steps[int(np.argmax(gains))])
    places = _places(_digits(new - step), known)
    return step if (places < len(known)).mean() >= EXACT and _as_likely(logs[places], logs[:-1], rows) else 0.0


def _as_likely(found: Array, usual: Array, rows: npt.NDArray[np.int64]) -> bool:
    """Whether values are as likely as past ones are, beside chance; `usual` by value, with its rows."""
    mean = float(np.average(usual, weights=rows))
    spread = math.sqrt(float(np.average((usual - mean) ** 2, weights=rows)))
    return bool(found.mean() >= mean - LESS_LIKELY - 3.0 * spread / math.sqrt(len(found)))


def _stands_alone(gains: Array) -> bool:
    """Whether the best of the differences is so by far, and not by how the others scatter."""
    best, *rest = np.sort(gains)[::-1]
    others = np.array(rest)
    return bool(not len(others) or best - others.mean() > max(SURE_GAIN, DEVIATIONS * float(others.std())))


def _places(values: Array, known: Array) -> npt.NDArray[np.int64]:
    """Where values stand among known ones; the place after the last for those that are none."""
    place = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
    return np.where(known[place] == values, place, len(known))


def _commonest(values: Array, count: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """The values that most rows have, and those rows; the commonest first."""
    single, rows = np.unique(values, return_counts=True)
    first = np.argsort(-rows, kind="stable")[:count]
    return single[first], rows[first]


def _part_known(values: Array, known: Array) -> float:
    return float(np.isin(_digits(values), known).mean())


def _digits(values: Array) -> Array:
    """The numbers to nine digits: what a factor or a difference does beyond them is the floats'."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-300)))
    scale = 10.0 ** np.clip(DIGITS - 1 - size, -200, 200)
    return np.asarray(np.where(values == 0, 0.0, np.round(values * scale) / scale))


def _finer(today: Array, past: Array) -> Told | None:
    """Rows with more decimals than ever, held against those of the same day that have as many as usual."""
    decimals = _decimals(past)
    if decimals is None:
        return None
    usual = _on_grid(today, decimals)
    finer, rest = today[~usual], today[usual]
    share = len(finer) / len(today)
    if len(finer) < VALUE_ROWS_MIN or share < NEWS_MIN or share >= WHOLE or len(rest) < REST_MIN:
        return None
    if share < 2.0 * float((~_on_grid(past, decimals)).mean()):
        return None
    aside = np.round(np.mod(finer * 10.0**decimals, 1.0), 3)
    facts = {"finer_median": float(np.median(finer)), "others_median": float(np.median(rest))}
    if np.unique(aside, return_counts=True)[1].max() >= ALIKE * len(finer):
        up = facts["finer_median"] >= facts["others_median"]
        return Told(Change.SHIFT_UP if up else Change.SHIFT_DOWN, share, facts)
    tale = best_tale(finer, rest)
    return Told(tale.change if tale is not None and tale.change is not Change.FORMAT else Change.SPREAD, share, facts)


def _decimals(values: Array) -> int | None:
    """How many decimals nearly all numbers have at most; None where they are as fine as floats are."""
    return next((d for d in range(DECIMALS_MAX + 1) if _on_grid(values, d).mean() >= ON_GRID), None)


def _on_grid(values: Array, decimals: int) -> Mask:
    scaled = values * 10.0**decimals
    return np.asarray(np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0) + 1e-7)
