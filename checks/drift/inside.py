"""What holds inside each day, whatever values it brings: rows of one order share a customer, ids grow with time.

Values of the day (ids, times, prices of the hour) cannot be compared with those of past days, but what binds them can:
the rows of one value agree on another column, two columns rise together.
Each can be told in a sentence: "in 4% of the rows `created_at` does not follow the order of `id`".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.values import Array, Codes, codes_of, numbers_of

Mask = npt.NDArray[np.bool_]

SCREENED_ROWS = 3_000
"""Past rows, whole days of them, on which is tried what holds."""
PARTNERS = 3
"""Each column is held against so many others."""
HOLDS = 0.95
"""Share of past rows in which something must hold to be expected of today's."""
SURPLUS_MIN = 0.8
"""Part of the rows which the value that is usual on a day misses that must be told rightly by the group."""
ROWS_MIN = 30
"""Rows (or steps) that can tell, of the past and of today; less shows nothing."""
CAN_TELL_MIN = 0.1
"""Likewise, as a part of the day's rows."""
ALONE = 0.99
"""Distinct values a row, among a thousand, from which values count as never coming twice."""
RANKED_ROWS = 1_000
"""Past rows whose ranks say which pairs are worth a look."""
ALIKE_MIN = 0.8
"""Likeness of ranks from which one of a pair may stand in the order of the other."""
GROUPED_ROWS = 20
"""Rows a value that groups have inside which an order is looked for."""


@dataclass(frozen=True)
class Inside:
    """Shares of today's rows by column, and beside each the column that binds it best.

    `within`: rows that differ from the most usual value of their group. `order`: rows that go back where the other
    column goes on. `partners` by look, then column.
    """

    within: Mapping[str, float]
    order: Mapping[str, float]
    partners: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class _Rising:
    """What a column rises with (`sign` 1.0) or falls with (-1.0), inside the values of `group` if one is named."""

    strength: float
    leader: str
    group: str | None
    sign: float


def look_inside(both: pd.DataFrame, bounds: Sequence[int]) -> Inside:
    """What holds inside past days and how often it does not today.

    Args:
        both: rows of today, then of the past days, one column each.
        bounds: where each day begins, and the end.
    """
    days = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    codes = {str(name): codes_of(both[name]) for name in both.columns if _comes_again(both[name])}
    numbers = {str(name): found for name in both.columns if (found := numbers_of(both[name])) is not None}
    screened = _screened(days)
    agreeing, rising = _agreeing_pairs(codes, days, screened), _rising_pairs(numbers, codes, days, screened)
    today = days == 0
    return Inside(
        {name: _apart_from(codes[name], givers, codes, today) for name, givers in agreeing.items()},
        {name: _out_of_order(numbers[name], found, numbers, codes, today) for name, found in rising.items()},
        {
            "within": {name: givers[0][1] for name, givers in agreeing.items()},
            "order": {name: found[0].leader for name, found in rising.items()},
        },
    )


def _comes_again(values: pd.Series) -> bool:
    """Whether some values are there twice: of measurements that never are, no row has company."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return True
    places = np.random.default_rng(len(values)).permutation(len(values))[:RANKED_ROWS]
    some = values.iloc[places].dropna()
    return bool(some.nunique() < ALONE * len(some))


def _screened(days: Codes) -> Mask:
    """Rows of the newest past days, until there are SCREENED_ROWS."""
    sizes = np.bincount(days)
    enough = np.cumsum(sizes) - sizes[0]
    last = int(np.searchsorted(enough, min(SCREENED_ROWS, enough[-1])))
    return (days >= 1) & (days <= last)


# rows of one value agree ------------------------------------------------------------------------------------------


def _agreeing_pairs(codes: Mapping[str, Codes], days: Codes, screened: Mask) -> dict[str, list[tuple[float, str]]]:
    """By column, those whose groups of rows agree on it and how firmly, the firmest first."""
    of_day = days[screened]
    tried = {name: own[screened] for name, own in codes.items()}
    moving = [name for name, own in tried.items() if _moves(own, of_day)]
    held: dict[str, list[tuple[float, str]]] = {}
    for giver in (name for name, own in tried.items() if _groups_rows(own, of_day)):
        for taker in _perhaps_agreeing(tried[giver], {n: tried[n] for n in moving if n != giver}, of_day):
            strength = _agreement(tried[giver], tried[taker], of_day)
            if strength is not None:
                held.setdefault(taker, []).append((strength, giver))
    return {taker: sorted(givers, reverse=True)[:PARTNERS] for taker, givers in held.items()}


def _apart_from(own: Codes, givers: Sequence[tuple[float, str]], codes: Mapping[str, Codes], today: Mask) -> float:
    """Share of today's rows that differ from their group, in the mean of what groups them, by how firmly it does."""
    shares = [_apart(codes[giver][today], own[today]) for _, giver in givers]
    return float(np.average(shares, weights=[strength for strength, _ in givers]))


def _moves(own: Codes, days: Codes) -> bool:
    """Whether enough rows differ from the usual value of their day for agreement to mean something."""
    known = own >= 0
    return bool(known.any()) and int(known.sum()) - _agreeing(days[known], own[known]) >= ROWS_MIN / 3


def _perhaps_agreeing(giver: Codes, takers: Mapping[str, Codes], days: Codes) -> list[str]:
    """Those of which neighbours in a group mostly have one value; a quick look that spares counting the others."""
    known = np.flatnonzero(giver >= 0)
    joint = _joint(days[known], giver[known])
    order = np.argsort(joint, kind="stable")
    rows, joint = known[order], joint[order]
    same = joint[1:] == joint[:-1]
    allowed = 3.0 * (1.0 - HOLDS) * same.sum()
    return [name for name, own in takers.items() if (np.diff(own[rows]) != 0)[same].sum() <= allowed]


def _joint(days: Codes, codes: Codes) -> Codes:
    """Codes of (day, value) from 0 on."""
    joint = days * (int(codes.max(initial=0)) + 1) + codes
    return np.asarray(np.unique(joint, return_inverse=True)[1], dtype=np.int64)


def _groups_rows(giver: Codes, days: Codes) -> bool:
    """Whether values come again inside a day, in many groups."""
    known = giver >= 0
    if known.sum() < ROWS_MIN:
        return False
    sizes = np.bincount(_joint(days[known], giver[known]))
    return bool((sizes >= 2).sum() >= ROWS_MIN // 3 and sizes[sizes >= 2].sum() >= CAN_TELL_MIN * len(giver))


def _agreement(giver: Codes, taker: Codes, days: Codes) -> float | None:
    """How much better groups tell the other's value than the day does, times the part of the rows in groups.

    None where not well enough.
    """
    known = (giver >= 0) & (taker >= 0)
    if known.sum() < ROWS_MIN:
        return None
    group, value = _joint(days[known], giver[known]), taker[known]
    again = np.bincount(group)[group] >= 2
    if again.sum() < max(ROWS_MIN, CAN_TELL_MIN * len(giver)):
        return None
    group, value, day = group[again], value[again], days[known][again]
    wrong = 1.0 - _agreeing(group, value) / len(group)
    plain = 1.0 - _agreeing(day, value) / len(day)
    if wrong > 1.0 - HOLDS or plain - wrong < SURPLUS_MIN * plain or plain == 0.0:
        return None
    return float(again.sum()) / len(giver) * (1.0 - wrong / plain)


def _agreeing(group: Codes, value: Codes) -> int:
    """Rows that have the most usual value of their group."""
    size = int(value.max()) + 1
    cells, counts = np.unique(group * size + value, return_counts=True)
    starts = np.flatnonzero(np.r_[True, np.diff(cells // size) > 0])
    return int(np.maximum.reduceat(counts, starts).sum())


def _apart(giver: Codes, taker: Codes) -> float:
    """Share of all rows that disagree with their group."""
    known = (giver >= 0) & (taker >= 0)
    if not known.any():
        return 0.0
    return float(known.sum() - _agreeing(giver[known], taker[known])) / len(giver)


# columns that rise together ---------------------------------------------------------------------------------------


def _rising_pairs(
    numbers: Mapping[str, Array], codes: Mapping[str, Codes], days: Codes, screened: Mask
) -> dict[str, list[_Rising]]:
    """By column, what it rises or falls with, the surest first."""
    names = list(numbers)
    held: dict[str, list[_Rising]] = {}
    matrix = np.column_stack([numbers[n][screened] for n in names]) if names else np.zeros((0, 0))
    for group in (None, *_groupings(codes, numbers, screened)):
        own = days[screened] if group is None else _joint(days[screened], codes[group][screened])
        for place, other, sign in _perhaps_rising(matrix, own):
            steps, back = _steps(own, matrix[:, place], sign * matrix[:, other])
            if steps >= max(ROWS_MIN, CAN_TELL_MIN * len(own)) and back <= (1.0 - HOLDS) * steps:
                simple = 0.0 if group is None else 0.01  # the simpler tale first
                held.setdefault(names[other], []).append(
                    _Rising(1.0 - back / steps - simple, names[place], group, sign)
                )
    return {name: _best_of_each(found) for name, found in held.items()}


def _best_of_each(found: Sequence[_Rising]) -> list[_Rising]:
    best: dict[str, _Rising] = {}
    for one in sorted(found, key=lambda h: (-h.strength, h.leader)):
        best.setdefault(one.leader, one)
    return list(best.values())[:PARTNERS]


def _perhaps_rising(matrix: Array, group: Codes) -> Iterator[tuple[int, int, float]]:
    """Pairs of columns whose ranks inside groups go together, and their direction."""
    if not matrix.size:
        return
    some = np.sort(np.random.default_rng(len(matrix)).permutation(len(matrix))[:RANKED_ROWS])
    ranks = pd.DataFrame(matrix[some]).groupby(group[some]).rank()
    centred = np.nan_to_num((ranks - ranks.groupby(group[some]).transform("mean")).to_numpy())
    spread = np.sqrt((centred**2).sum(axis=0))
    likeness = centred.T @ centred / np.maximum(np.outer(spread, spread), 1e-12)
    np.fill_diagonal(likeness, 0.0)
    for place, other in np.argwhere(np.abs(likeness) >= ALIKE_MIN):
        yield int(place), int(other), float(np.sign(likeness[place, other]))


def _out_of_order(
    own: Array, held: Sequence[_Rising], numbers: Mapping[str, Array], codes: Mapping[str, Codes], today: Mask
) -> float:
    """Share of today's rows that step back, in the mean of what the column rises with."""
    shares = []
    for one in held:
        group = np.zeros(int(today.sum()), np.int64) if one.group is None else codes[one.group][today]
        steps, back = _steps(group, numbers[one.leader][today], one.sign * own[today])
        if steps >= ROWS_MIN:
            shares.append(back / len(group))
    return float(np.mean(shares)) if shares else 0.0


def _groupings(codes: Mapping[str, Codes], numbers: Mapping[str, Array], screened: Mask) -> Iterator[str]:
    """The columns of texts inside whose values an order may hold: each of many rows."""
    rows = int(screened.sum())
    kinds = {name: len(np.unique(own[screened])) for name, own in codes.items() if name not in numbers}
    fit = [name for name, count in kinds.items() if 2 <= count <= rows / GROUPED_ROWS]
    yield from sorted(fit, key=lambda name: -kinds[name])[:PARTNERS]


def _steps(group: Codes, leader: Array, other: Array) -> tuple[int, int]:
    """Steps from one value of `leader` to the next inside each group at which `other` changes, and those that go back.

    Rows of one value of `leader` have no order: a step is one at which all that come after lie on the same side.
    """
    known = np.isfinite(leader) & np.isfinite(other) & (group >= 0)
    if known.sum() < ROWS_MIN:
        return 0, 0
    group, leader, other = group[known], leader[known], other[known]
    order = np.lexsort((leader, group))
    group, leader, other = group[order], leader[order], other[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(group) != 0) | (np.diff(leader) != 0)])
    low, high = np.minimum.reduceat(other, starts), np.maximum.reduceat(other, starts)
    same = group[starts][1:] == group[starts][:-1]
    moved = same & ~((low[1:] == high[1:]) & (low[:-1] == high[:-1]) & (low[1:] == low[:-1]))
    return int(moved.sum()), int((moved & (low[1:] < high[:-1])).sum())
