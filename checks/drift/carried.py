"""Entities that come every day (a name, a code, a station and an hour) and what their figures were the day before.

Of snapshots and of daily figures by entity, most rows have a twin in the day before. Against it a fault shows that no
distribution tells: one row in a hundred with the language of another repository, or a thousand times its stars.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.values import numbers_of
from monitor.types import Change, Column, ColumnKind

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

KEPT_MIN = 0.2
"""Part of a day's entities that the sample of the day before must have had too."""
NAMES_MIN = 0.85
NUMBERS_MIN = 0.98
"""Distinct values a row of a text, or of a whole number, that names entities."""
JOINED_MAX = 4
"""Texts, and whole numbers, of the most values that may name entities together, and sets of them that are tried."""
JOINED_KEPT_MIN = 0.5
"""The same part as KEPT_MIN where several columns name entities together."""
SCREENED_ROWS = 1_000
"""Rows among which hardly two must be named alike before all are looked at."""
ROWS_MIN = 30
"""Entities of both days below which nothing is compared."""
PAIRS_MAX = 2
"""Pairs of past days that say how far numbers go; the second may lie further apart, and so forgives a calm day."""
USUAL_STEPS = 0.99
REACH = 4.0
"""A number strays where its step is REACH times as wide as this quantile of the steps of past days."""
STRAYED_ROWS_MIN = 8
"""Rows that strayed from which their way is told."""
ALIKE = 0.1
"""Scatter of factors (of their logarithm) or of differences, as a part of their middle, that makes them one."""
SIMILAR = 0.7
"""Part of the rows that strayed in one way that tells it."""
FACTOR_MIN = 0.4
"""Logarithm of the least factor that is told as one."""
AMONG = 0.8
"""How usual values of strayed rows are, as a part of how usual the column's are, where they are in the wrong rows."""
ALL_AMONG = 0.98
"""Part of the strayed rows whose value the day before had anywhere, where values are of the day before."""
USUALLY_AMONG = 0.9
"""Part of all rows for which that is so, from which it says nothing of the day that values are of."""
SAME_PLACE = 1.0
"""Kolmogorov's distance, in its standard widths, up to which numbers lie alike."""
IN_ORDER = 0.5
"""Rank correlation from which numbers kept the order that they had."""
ONE_SIDED = 0.9
"""Part of the strayed rows that went up (or down) for it to be said."""


@dataclass(frozen=True)
class Carried:
    """What entities carried over from the day before; of no column where none names entities.

    `carried`: share of today's rows whose entity has the very number of the day before. `strayed`: share whose value is
    another (of numbers: further away than they go in a day, and where several columns name an entity, only of numbers
    that hardly ever move); rows in which most columns strayed count against the
    entity's own (first) column alone. `newcomers`: share of rows whose entity was not there. All but the last are of
    the rows whose entity was.
    """

    entity: tuple[str, ...] = ()
    carried: Mapping[str, float] = field(default_factory=dict)
    strayed: Mapping[str, float] = field(default_factory=dict)
    newcomers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Pairs:
    """Rows of two days that are of the same entities: `new` and `old` are places in the newer and the older frame."""

    new: Places
    old: Places


def carry_over(today: pd.DataFrame, past: Sequence[pd.DataFrame], columns: Sequence[Column]) -> Carried:
    """Hold today's rows against those of the same entities in the newest past day.

    Entities are named by the text that hardly two rows of a day share and that most comes again, else by such a number,
    else by the fewest columns that do so together (a carrier and its flight).

    Args:
        today: today's rows.
        past: those of past days, newest first; how far numbers go in a day is known from two.
        columns: to be looked at.

    >>> users = pd.DataFrame({"user": pd.Categorical([f"u{i}" for i in range(50)]), "points": np.arange(50.0)})
    >>> moved = users.assign(points=users["points"] + np.where(users.index < 10, 0, 1))
    >>> kinds = [Column("user", ColumnKind.TEXT, ""), Column("points", ColumnKind.NUMBER, "")]
    >>> found = carry_over(moved, [users], kinds)
    >>> found.entity, found.carried, found.newcomers
    (('user',), {'points': 0.2}, {'user': 0.0})
    """
    newer, older = (past[0], past[1]) if len(past) > 1 else (today, past[0])  # a fault of today is not to choose
    entity = _entity_of(newer, older, columns)
    if not entity:
        return Carried()
    twins = _Twins(today, past, entity)
    others = [c.name for c in columns if c.name not in entity and c.name in past[0]]
    figures = [c.name for c in columns if c.name in others and c.kind is ColumnKind.NUMBER]
    newcomers = {} if np.isnan(twins.newcomers) else {entity[0]: twins.newcomers}
    if len(twins.pairs.new) < ROWS_MIN:
        return Carried(entity, newcomers=newcomers)
    return Carried(
        entity,
        {name: float(twins.unmoved(name).mean()) for name in figures},
        _strayed_shares(twins, others),
        newcomers,
    )


def way_strayed(
    today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str
) -> tuple[Change, bool] | None:
    """How the values went that strayed from those of the day before, and whether it is sure; None if not one way.

    Sure are values of the day before (`replay`) or of other rows (`relation`), two that changed places
    (`values_mixed`), one factor (`scale`), one difference, or another sign. Numbers that went many ways are said to be
    noisier, or higher, or lower, where nothing says it better.
    """
    twins = _Twins(today, past, entity)
    new, old = (side[twins.strayed(name)] for side in twins.sides(name))
    known = new.notna().to_numpy() & old.notna().to_numpy()
    new, old = new[known], old[known]
    if len(new) < STRAYED_ROWS_MIN:
        return None
    known = past[0][name].dropna().unique()
    among, usually = float(new.isin(known).mean()), float(today[name].dropna().isin(known).mean())
    if among >= ALL_AMONG and usually < USUALLY_AMONG:
        return Change.REPLAY, True
    one_value = float((new == new.mode()[0]).mean()) >= SIMILAR
    after, before = numbers_of(new), numbers_of(old)
    if after is not None and before is not None:
        return None if one_value else _way_of_numbers(after, before)  # of one number its own share tells
    if one_value:
        return (Change.VALUES_NEW, False) if among == 0.0 else None
    told = _way_of_texts(new.astype(str), old.astype(str), among >= AMONG * usually)
    return (told, True) if told is not None else None


def strayed_rows(today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str) -> Mask:
    """(N,) which of today's rows strayed."""
    twins = _Twins(today, past, entity)
    rows = np.zeros(len(today), dtype=bool)
    rows[twins.pairs.new[twins.strayed(name)]] = True
    return rows


def day_by_day(today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str) -> Array | None:
    """(rows, 2) numbers of entities that both days have, the day before first; None of a column without numbers."""
    new, old = _Twins(today, past, entity).sides(name)
    after, before = numbers_of(new), numbers_of(old)
    return np.column_stack([before, after]) if after is not None and before is not None else None


def _way_of_texts(after: pd.Series, before: pd.Series, known: bool) -> Change | None:
    """How texts changed places; `known` says whether other rows had them."""
    ways = pd.Series(list(zip(after, before, strict=True))).value_counts(normalize=True)
    (one, other), share = ways.index[0], float(ways.iloc[0])
    back = float(ways.get((other, one), 0.0))
    if back > 0 and share + back >= SIMILAR:
        return Change.VALUES_MIXED
    return Change.RELATION if known and share < 1.0 - SIMILAR else None


def _way_of_numbers(after: Array, before: Array) -> tuple[Change, bool]:
    steps = after - before
    if _is_one(steps):
        return (Change.SHIFT_UP if np.median(steps) > 0 else Change.SHIFT_DOWN), True
    if np.mean(np.isclose(after, -before, rtol=ALIKE)) >= SIMILAR:
        return (Change.SHIFT_DOWN if np.median(before) > 0 else Change.SHIFT_UP), True
    sized = (before != 0) & (after / np.where(before == 0, 1.0, before) > 0)
    if sized.mean() >= SIMILAR:
        factors = np.log(after[sized] / before[sized])
        if _is_one(factors) and abs(float(np.median(factors))) > FACTOR_MIN:
            return Change.SCALE, True
    if _changed_places(after, before):
        return Change.RELATION, True
    up = float((steps > 0).mean())
    return (Change.SHIFT_UP if up > ONE_SIDED else Change.SHIFT_DOWN if up < 1 - ONE_SIDED else Change.SPREAD), False


def _changed_places(after: Array, before: Array) -> bool:
    """Whether numbers lie as they did, but not in the order that they had."""
    from scipy.stats import ks_2samp, spearmanr  # noqa: PLC0415 - a second of every process, and few columns stray

    apart = float(ks_2samp(after, before, method="asymp").statistic)
    if apart > SAME_PLACE * np.sqrt(2.0 / len(after)):
        return False
    return len(np.unique(before)) > 1 and not float(spearmanr(after, before).statistic) > IN_ORDER


def _is_one(values: Array) -> bool:
    """Whether most numbers are about the same."""
    middle = float(np.median(values))
    return middle != 0 and float((np.abs(values - middle) <= ALIKE * abs(middle)).mean()) >= SIMILAR


def _entity_of(newer: pd.DataFrame, older: pd.DataFrame, columns: Sequence[Column]) -> tuple[str, ...]:
    there = [c for c in columns if c.name in newer and c.name in older and len(newer)]
    for kind, unique in ((ColumnKind.TEXT, NAMES_MIN), (ColumnKind.NUMBER, NUMBERS_MIN)):
        kept = {c.name: _kept(newer, older, (c.name,), unique) for c in there if _may_name(newer, c, kind, unique)}
        entity = max(kept, key=lambda name: kept[name], default="")
        if entity and kept[entity] >= KEPT_MIN:
            return (entity,)
    return _together(newer, older, there)


def _may_name(frame: pd.DataFrame, column: Column, kind: ColumnKind, unique: float) -> bool:
    """Whether a column is a text, or a whole number, of which hardly two rows have the same."""
    if column.kind is not kind:
        return False
    some = frame[column.name].iloc[:SCREENED_ROWS]
    return some.notna().sum() >= ROWS_MIN and some.nunique() >= unique * len(some) and _is_whole(some.dropna())


def _is_whole(values: pd.Series) -> bool:
    numbers = numbers_of(values)
    return numbers is None or bool(np.all(numbers == np.floor(numbers)))


def _together(newer: pd.DataFrame, older: pd.DataFrame, columns: Sequence[Column]) -> tuple[str, ...]:
    """Two or three columns that name entities together: those of the fewest values; () where none do."""
    some = newer.iloc[:SCREENED_ROWS]
    kinds: dict[str, int] = {}
    for kind in (ColumnKind.TEXT, ColumnKind.NUMBER):
        found = {c.name: some[c.name].nunique() for c in columns if c.kind is kind and some[c.name].notna().all()}
        fit = sorted((name for name, count in found.items() if count >= 2), key=lambda name: -found[name])
        whole = islice((name for name in fit if _is_whole(some[name])), JOINED_MAX)
        kinds |= {name: found[name] for name in whole}
    hashes = {name: pd.util.hash_pandas_object(some[name], index=False).to_numpy() for name in kinds}
    for size in (2, 3):
        joined = [
            names
            for names in combinations(kinds, size)
            if math.prod(kinds[n] for n in names) >= NUMBERS_MIN * len(some)
            and len(np.unique(_mixed([hashes[n] for n in names]))) >= NUMBERS_MIN * len(some)
        ]
        for names in sorted(joined, key=lambda names: math.prod(kinds[n] for n in names))[:JOINED_MAX]:
            if _kept(newer, older, names, NUMBERS_MIN) >= JOINED_KEPT_MIN:
                return tuple(sorted(names, key=lambda n: -kinds[n]))
    return ()


def _kept(newer: pd.DataFrame, older: pd.DataFrame, names: Sequence[str], unique: float) -> float:
    """Part of the newer rows whose names the older had too, where hardly two rows have the same; else 0."""
    now = _names_of(newer, names)
    if len(np.unique(now)) < unique * len(now):
        return 0.0
    kept = np.isin(now, _names_of(older, names))
    return float(kept.mean()) if kept.sum() >= ROWS_MIN else 0.0


def _names_of(frame: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """(N,) one hash a row of what names it."""
    return _mixed([pd.util.hash_pandas_object(frame[name], index=False).to_numpy() for name in names])


def _mixed(hashes: Sequence[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    mixed = hashes[0]
    for other in hashes[1:]:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + other  # wraps around, as hashes may
    return mixed


class _Twins:
    """Today's rows beside those of the same entities the day before, and those beside the day before that."""

    def __init__(self, today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str]) -> None:
        self.today, self.past, self.entity = today, past, tuple(entity)
        self._sides: dict[str, tuple[pd.Series, pd.Series]] = {}
        known = today[list(entity)].notna().all(axis=1).to_numpy()
        now, before = _names_of(today, entity), _names_of(past[0], entity)
        self.newcomers = 1.0 - float(np.isin(now[known], before).mean()) if known.any() else math.nan
        self.pairs = _pairs(now, before, known)
        self.earlier = list(_pairs_of_past(past, entity))

    def sides(self, name: str) -> tuple[pd.Series, pd.Series]:
        """A column's values today and the day before, of the same entities."""
        if name not in self._sides:
            self._sides[name] = (self.today[name].iloc[self.pairs.new], self.past[0][name].iloc[self.pairs.old])
        return self._sides[name]

    def unmoved(self, name: str) -> Mask:
        """Rows with the very value of the day before."""
        new, old = self.sides(name)
        return np.asarray(~_differs(new, old) & new.notna().to_numpy())

    def strayed(self, name: str) -> Mask:
        """Rows with another value; of numbers one that is further away than they go in a day."""
        new, old = self.sides(name)
        differs = _differs(new, old)
        after, before = numbers_of(new), numbers_of(old)
        if after is None or before is None:
            return differs
        reach = self._reach(name)
        if reach is None:
            return np.zeros(len(new), dtype=bool)
        unit, most = reach
        if most > 0 and len(self.entity) > 1:
            return np.zeros(len(new), dtype=bool)  # what a station measures at an hour goes as the weather will
        return np.asarray(differs & ~(_step_sizes(after, before, unit) <= most))  # from or to NULL is far

    def _reach(self, name: str) -> tuple[float, float] | None:
        """The unit in which steps are told and how far they go from a day to the next; None where that is not known."""
        steps: list[Array] = []
        unit = math.nan
        for newer, older, pairs in self.earlier:
            if name not in newer or name not in older:
                continue
            after, before = numbers_of(newer[name].iloc[pairs.new]), numbers_of(older[name].iloc[pairs.old])
            if after is None or before is None:
                return None
            unit = unit if math.isfinite(unit) else _usual_size(before)
            own = _step_sizes(after, before, unit)
            steps += [own[np.isfinite(own)]]
        reached = [REACH * float(np.quantile(own, USUAL_STEPS)) for own in steps if len(own) >= ROWS_MIN]
        return (unit, max(reached)) if reached else None


def _pairs_of_past(
    past: Sequence[pd.DataFrame], entity: Sequence[str]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, _Pairs]]:
    """Each of the newest past days beside the one before it."""
    for newer, older in pairwise(past[: PAIRS_MAX + 1]):
        if all(name in frame for name in entity for frame in (newer, older)):
            known = newer[list(entity)].notna().all(axis=1).to_numpy()
            yield newer, older, _pairs(_names_of(newer, entity), _names_of(older, entity), known)


def _usual_size(numbers: Array) -> float:
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    return float(np.median(sizes)) if len(sizes) else 1.0


def _pairs(wanted: npt.NDArray[np.uint64], found: npt.NDArray[np.uint64], known: Mask) -> _Pairs:
    """Rows of the same entity, of those that each day names once: of namesakes nobody knows which is which."""
    names, first, counts = np.unique(found, return_index=True, return_counts=True)
    if not len(names):
        return _Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    _, back, again = np.unique(wanted, return_inverse=True, return_counts=True)
    there = (names[place] == wanted) & (counts[place] == 1) & (again[back] == 1) & known
    return _Pairs(np.flatnonzero(there), first[place[there]])


def _differs(new: pd.Series, old: pd.Series) -> Mask:
    after, before = numbers_of(new), numbers_of(old)
    if after is not None and before is not None:
        return np.asarray((after != before) & ~(np.isnan(after) & np.isnan(before)))
    one, other = (pd.util.hash_pandas_object(side, index=False).to_numpy() for side in (new, old))
    return np.asarray(one != other)


def _step_sizes(after: Array, before: Array, unit: float) -> Array:
    """Steps as parts of what steps: relative for large numbers, in units for small ones; NaN where one is missing."""
    return np.asarray(np.abs(np.arcsinh(after / unit) - np.arcsinh(before / unit)))


def _strayed_shares(twins: _Twins, names: Sequence[str]) -> dict[str, float]:
    """Shares by column; where most columns of a row strayed together, it is the entity that is another."""
    if not names:
        return {}
    strays = np.column_stack([twins.strayed(name) for name in names])
    told = np.column_stack([twins.sides(name)[0].notna().to_numpy() for name in names])
    mistaken = (strays & told).sum(axis=1) > max(1.0, len(names) / 2)
    own = (strays & ~mistaken[:, None]).mean(axis=0)
    return {twins.entity[0]: float(mistaken.mean()), **{n: float(s) for n, s in zip(names, own, strict=True)}}
