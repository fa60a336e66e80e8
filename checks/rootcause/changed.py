"""Segments whose rows have other values than the same segment's rows had before: for changes that no single row shows.

A value that is well by itself can be new where it stands: long flights of a short line, prices of one country in
cents. So each column's values are put into bins, and a bin is suspicious in a segment as far as more of its rows lie in
it today than used to. What is looked for is the segment that holds the excess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import Array, Block, Coding, Mask
from checks.rootcause.conditions import FoundSegment
from checks.rootcause.deficits import joined
from checks.rootcause.likelihood import bernoulli
from checks.rootcause.search import DEARER, Candidate, Search
from monitor.types import Column, ColumnKind

SURPLUS = 7.0
BINS_MAX = 32
"""Bins of a column that are looked at singly, those with the largest change."""
PAIR_BINS = 12
STARTS = 4
"""Sets of suspicious bins that are searched for, of one way to divide a column."""
PAST_PART = 3
"""Rows of the past that are looked at, as a multiple of today's."""
CELLS_MAX = 1_000_000
"""Rows of all days by columns, beyond which rows are drawn by chance."""
BEYOND = 2.0
"""Standard errors by which a bin has to have grown in a segment to be suspicious there."""
RANKED = 12
"""Segments of each search that are compared by all of their bins."""
F1_MIN = 0.3
LIFT_MIN = 1.3
EXCESS_MIN = 0.1
GAIN_MIN = 0.03
ROWS_MIN = 5
TODAY_MAX = 0.2
"""Part of today's rows that may have a value, or lie in a part of a range, which the past does not have."""
_SHAPES = str.maketrans(
    {**dict.fromkeys("0123456789", "9"), **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "a"),
     **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A")}
)  # fmt: skip
SHAPE_LENGTH = 24

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Days:
    """Rows of today and of the past below each other; the past's weigh as much as today's together.

    `each` is how many rows of today one of them stands for.
    """

    frame: pd.DataFrame
    is_today: Mask
    weight: Array
    each: float


def find_changed(
    today: pd.DataFrame,
    past: Sequence[pd.DataFrame],
    columns: Sequence[Column],
    changed: Sequence[Column],
    exclude: Collection[str] = (),
    clocks: Collection[str] = (),
    *,
    pairs: bool = False,
) -> list[FoundSegment]:
    """The segment where the values of changed columns are not what they were there; none where all rows changed alike.

    Precision is the excess of suspicious values by the segment's rows, recall its part of the whole excess.

    Args:
        today: today's sample.
        past: samples of comparable past days.
        columns: what conditions may be on.
        changed: the columns whose values changed, the likeliest first; each is looked at by itself.
        exclude: columns on which there must be no condition.
        clocks: columns of which the time of day alone may be used.
        pairs: whether two of the changed columns are looked at together: what no longer goes with what.
    """
    frames = [frame for frame in past if len(frame)]
    if not len(today) or not frames:
        return []
    days = _days(today, frames, [*columns, *changed])
    told: list[tuple[float, FoundSegment]] = []
    whole = Coding(days.frame, columns, exclude, clocks)
    known = [block for block in whole.blocks if not _is_of_today(block, days.is_today)]
    for names, bins in _targets(days, [c for c in changed if c.name in days.frame.columns], pairs=pairs):
        coding = whole.only([block for block in known if block.column not in names])
        found = _best(days, coding, bins) if coding.blocks else None
        told += [found] if found is not None else []
    ranked = sorted(told, key=lambda t: -t[0])
    return [segment for _, segment in ranked[:1]]


def _is_of_today(block: Block, is_today: Mask) -> bool:
    """Whether much of today lies where the past has nothing, as it does in a column that grows with time."""
    count = len(block.labels) + 1
    now, then = (np.bincount(block.codes[rows], minlength=count) for rows in (is_today, ~is_today))
    return bool(now[then == 0].sum() > TODAY_MAX * now.sum())


def _days(today: pd.DataFrame, past: Sequence[pd.DataFrame], columns: Sequence[Column]) -> Days:
    unique = list({c.name: c for c in columns}.values())
    draw = np.random.default_rng(0)  # by chance: every nth row would be of one and the same place in a table in order
    now = _drawn(today, CELLS_MAX // ((1 + PAST_PART) * len(unique)), draw)
    kept = [_drawn(frame, max(1, PAST_PART * len(now) // len(past)), draw) for frame in past]
    frame = joined([now, *kept], unique)
    sizes = [len(now), *(len(part) for part in kept)]
    weight = np.repeat([1.0, *(len(now) / (len(kept) * size) for size in sizes[1:])], sizes)
    return Days(frame, np.arange(len(frame)) < len(now), weight, len(today) / len(now))


def _drawn(frame: pd.DataFrame, most: int, draw: np.random.Generator) -> pd.DataFrame:
    return frame if len(frame) <= most else frame.iloc[np.sort(draw.permutation(len(frame))[:most])]


def _targets(days: Days, changed: Sequence[Column], *, pairs: bool) -> Iterator[tuple[set[str], Codes]]:
    """The ways of dividing the rows by what they hold in changed columns: the columns, and a bin by row."""
    coarse: dict[str, Codes] = {}
    for column in changed:
        blocks = Coding(days.frame, [column], ()).blocks
        for block in blocks:
            yield {column.name}, _largest(days, block.codes.astype(np.intp), BINS_MAX)
        for codes in _written(days, column):
            yield {column.name}, _largest(days, codes, BINS_MAX)
        lead = next((b for b in blocks if b.kind == "numbers"), next((b for b in blocks if b.kind == "values"), None))
        if lead is not None:
            coarse[column.name] = _coarse(lead)
    if pairs:
        for one, two in combinations(coarse, 2):
            yield {one, two}, coarse[one] * (coarse[two].max() + 1) + coarse[two]


def _written(days: Days, column: Column) -> Iterator[Codes]:
    """Whether a value was seen before; and of texts, how they are written."""
    values = days.frame[column.name]
    known = values[~days.is_today].dropna().unique()
    is_new = ~values.isin(known) & values.notna()
    yield is_new.to_numpy().astype(np.intp)
    if column.kind is ColumnKind.TEXT and isinstance(values.dtype, pd.CategoricalDtype):
        shapes = [str(text)[:SHAPE_LENGTH].translate(_SHAPES) for text in values.cat.categories]
        _, places = np.unique(np.array([*shapes, ""], dtype=object).astype(str), return_inverse=True)
        yield np.asarray(places[values.cat.codes.to_numpy()], dtype=np.intp)


def _largest(days: Days, codes: Codes, most: int) -> Codes:
    """Codes from 0; beyond so many, those that changed least are one."""
    _, codes = np.unique(codes, return_inverse=True)
    grown = np.bincount(codes, np.where(days.is_today, days.weight, -days.weight))
    if len(grown) <= most:
        return np.asarray(codes, dtype=np.intp)
    place = np.full(len(grown), most - 1, dtype=np.intp)
    place[np.argsort(-np.abs(grown), kind="stable")[: most - 1]] = np.arange(most - 1)
    return place[codes]


def _coarse(block: Block) -> Codes:
    if block.is_ordered:
        return np.asarray(block.codes * PAIR_BINS // (len(block.labels) + 1), dtype=np.intp)
    _, codes, rows = np.unique(block.codes, return_inverse=True, return_counts=True)
    place = np.full(len(rows), PAIR_BINS - 1, dtype=np.intp)
    often = np.argsort(-rows, kind="stable")[: PAIR_BINS - 1]
    place[often] = np.arange(len(often))
    return place[codes]


def _best(days: Days, coding: Coding, bins: Codes) -> tuple[float, FoundSegment] | None:
    """The worthiest segment of one way to divide the rows, with its worth."""
    best: tuple[float, FoundSegment] | None = None
    for suspicious in _starts(days, coding, bins):
        excess = np.where(suspicious[bins], np.where(days.is_today, days.weight, -days.weight), 0.0)
        whole = float(excess.sum())
        noise = float(np.abs(excess).sum())
        if whole < ROWS_MIN:
            continue
        rows = days.is_today.astype(np.float64)
        likelihood = bernoulli(whole, float(rows.sum()), scale=min(1.0, whole / noise))
        search = Search(coding, excess, rows, likelihood, SURPLUS)
        for candidate in search.best()[:RANKED]:
            segment = _told(days, coding, candidate, excess, whole)
            if segment is not None:
                worth = _worth(days, coding, candidate, bins, search.price)
                best = max(best or (worth, segment), (worth, segment), key=lambda b: b[0])
    return best


def _worth(days: Days, coding: Coding, candidate: Candidate, bins: Codes, price: float) -> float:
    """How much better all bins' change is explained by the segment and the rest than by one change of all rows.

    Less what it takes to say it. The suspicious bins alone would favour the part of a segment that lies in them.
    """
    inside, count = coding.meets(candidate.atoms), int(bins.max()) + 1
    everywhere = np.ones(len(inside), dtype=bool)
    now, then = (
        np.array(
            [
                np.bincount(bins[part & rows], days.weight[part & rows], minlength=count)
                for part in (inside, ~inside, everywhere)
            ]
        )
        for rows in (days.is_today, ~days.is_today)
    )
    within, outside, whole = _homogeneity(now, then)
    more = len(candidate.atoms) - 1
    return float(within + outside - whole) * (1.0 - DEARER * more) - price * (more + 1)


def _starts(days: Days, coding: Coding, bins: Codes) -> list[Mask]:
    """Sets of suspicious bins: those that grew among all rows, and in the conditions whose rows changed most."""
    size, count = int(coding.offsets[-1]), int(bins.max()) + 1
    now, then = (_table(days, coding, bins, rows, size, count) for rows in (days.is_today, ~days.is_today))
    whole = [
        np.bincount(bins[r], days.weight[r], minlength=count).astype(np.float64)
        for r in (days.is_today, ~days.is_today)
    ]
    found = [_grown(*whole)]
    change = np.where(coding.is_point, _homogeneity(now, then), 0.0)
    for code in np.argsort(-change, kind="stable")[: 3 * STARTS]:
        if change[code] <= 0.0 or len(found) > STARTS:
            break
        grown = _grown(now[code], then[code])
        if grown.any() and not any(np.array_equal(grown, known) for known in found):
            found.append(grown)
    return [grown for grown in found if grown.any()]


def _table(days: Days, coding: Coding, bins: Codes, rows: Mask, size: int, count: int) -> Array:
    """(size, count) the mass of rows by condition and bin."""
    codes = coding.matrix[rows].astype(np.int64) * count + bins[rows, None]
    weights = np.repeat(days.weight[rows], coding.matrix.shape[1])
    return np.bincount(codes.ravel(), weights, minlength=size * count).astype(np.float64).reshape(size, count)


def _grown(now: Array, then: Array) -> Mask:
    """The bins of which there is more now, by more than chance, than there was among as many rows."""
    usual = then * (now.sum() / max(float(then.sum()), 1e-9))
    return np.asarray(now - usual > BEYOND * np.sqrt(now + usual))


def _homogeneity(now: Array, then: Array) -> Array:
    """(size,) nats by which two distributions explain each condition's rows better than one, less what bins cost."""
    both = now + then
    nats = _entropy(now) + _entropy(then) - _entropy(both)
    filled = (both > 0).sum(axis=1)
    return np.asarray(nats - 0.5 * filled * np.log(np.maximum(both.sum(axis=1), 2.0)))


def _entropy(masses: Array) -> Array:
    total = masses.sum(axis=1)
    parts = masses * np.log(np.where(masses > 0.0, masses, 1.0))
    return np.asarray(parts.sum(axis=1) - total * np.log(np.where(total > 0.0, total, 1.0)))


def _told(days: Days, coding: Coding, candidate: Candidate, excess: Array, whole: float) -> FoundSegment | None:
    """The segment, if to name it tells more than to name all rows."""
    inside = coding.meets(candidate.atoms)
    size, hit = float((inside & days.is_today).sum()), float(excess[inside].sum())
    if size <= 0.0 or hit <= 0.0:
        return None
    total = float(days.is_today.sum())
    rate, share = whole / total, size / total
    conditions = tuple(coding.condition(atom) for atom in candidate.atoms)
    found = FoundSegment(conditions, min(hit / size, 1.0), min(hit / whole, 1.0), round(size * days.each))
    if found.f1 < F1_MIN or found.precision < LIFT_MIN * rate or found.recall - share < EXCESS_MIN:
        return None
    return found if found.f1 >= 2 * rate / (1 + rate) + GAIN_MIN else None
