"""Whether columns still go together: values that hardly ever came side by side, although both are usual by themselves.

Two columns that say much of each other make a table of combinations, most of which never come. Rows whose values were
exchanged, frozen, shifted or mixed up land in those. Every pair can be told in a sentence: "in 4% of the rows
`arr_time` does not go with `dep_time`".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SCREENED_ROWS = 2_000
SCREENED_EXACT_ROWS = 4_000
"""Past rows from which pairs are chosen; more where single values must come again."""
NEIGHBOURS = 40
"""In wide tables a column is paired with so many that follow it: what belongs together stands together."""
PARTNERS = 3
"""Each column is held against so many others: the one that broke is the one that broke with most of them."""
INFORMATION_MIN = 0.08
"""Nats that one column must say of another, beyond chance, for their combinations to be worth a look."""
EXPECTED_MIN = 5.0
"""Rows that two values must have led to expect of a combination, for its absence to mean something."""
RARE = 0.1
"""A combination is odd that came less than this part of what was expected of it."""
DETERMINED = 0.95
"""Share of rows with the most usual partner from which one value is taken to determine the other."""
KNOWN_ROWS = 3
"""Past rows of a value that show what it determines."""
AGAIN_MIN = 0.1
"""Least share of rows whose values come again so often."""
GIVER_PART = 0.5
"""Part of the contradictions held against the column that determines: more often it is the other that is wrong."""
SURPLUS_MIN = 0.3
"""Part of the doubt about a column that another must remove to determine it."""


@dataclass(frozen=True)
class Coded:
    """A column as codes in [0, size); `there` are rows that have a value, `known` those whose value past days had."""

    codes: Codes
    size: int
    known: Mask
    there: Mask


@dataclass(frozen=True)
class Pair:
    """Two columns, by place, and how firmly they go together (0..1).

    `oddness` is the share of today's rows that speak against the first column, `other_oddness` against the second.
    """

    one: int
    other: int
    strength: float
    oddness: float
    other_oddness: float


def odd_pairs(binned: Sequence[Coded | None], exact: Sequence[Coded | None], is_today: Mask, seed: int) -> list[Pair]:
    """The firmest pairs of columns, each with the share of today's rows whose two values do not go together.

    Args:
        binned: by column, values in at most some dozens of bins; None leaves the column out.
        exact: by column, single values where many come again; None where they do not.
        is_today: (N,) which rows are today's.
        seed: of the choice of rows that pairs are screened on.

    >>> x = np.arange(4000) % 8
    >>> y = np.where(np.arange(4000) < 100, (x + 3) % 8, x)
    >>> all_rows = np.ones(4000, bool)
    >>> both = [Coded(c, 8, all_rows, all_rows) for c in (x, y)]
    >>> odd_pairs(both, [None, None], np.arange(4000) < 1000, 0)[0].oddness
    0.1
    """
    past = np.flatnonzero(~is_today)
    screened = np.random.default_rng(seed).permutation(past)[:SCREENED_EXACT_ROWS]
    found: dict[tuple[int, int], Pair] = {}
    for one, other, strength in _firmest(_informative(binned, screened[:SCREENED_ROWS]), len(binned)):
        a, b = binned[one], binned[other]
        if a is not None and b is not None:
            share = _odd_share(a, b, is_today)
            found[one, other] = Pair(one, other, strength, share, share)
    for one, other, strength in _firmest(_determining(exact, screened), len(exact)):
        a, b = exact[one], exact[other]
        if a is not None and b is not None:
            share, known = _contradicting(a, b, is_today)
            pair = Pair(one, other, strength, GIVER_PART * known, share)
            before = found.get((min(one, other), max(one, other)))
            if before is None or share > max(before.oddness, before.other_oddness):
                found[min(one, other), max(one, other)] = pair
    return list(found.values())


def by_column(pairs: Sequence[Pair], count: int) -> Mapping[int, float]:
    """For each column that is paired, the mean oddness with its partners, weighted by how firm they are.

    The culprit breaks with all its partners, each of them with the culprit alone.
    """
    told = {}
    for place in range(count):
        own = [p for p in pairs if place in (p.one, p.other)]
        if own:
            total = sum(p.strength for p in own)
            told[place] = sum(p.strength * (p.oddness if p.one == place else p.other_oddness) for p in own) / total
    return told


def _candidates(columns: Sequence[Coded | None]) -> Iterator[tuple[int, int]]:
    there = [place for place, column in enumerate(columns) if column is not None]
    for rank, one in enumerate(there):
        for other in there[rank + 1 : rank + 1 + NEIGHBOURS]:
            yield one, other


def _informative(columns: Sequence[Coded | None], rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
    """Pairs with the mutual information of their bins, as a part of the smaller entropy of the two."""
    sampled = {p: (c.codes[rows], c.known[rows]) for p, c in enumerate(columns) if c is not None}
    for one, other in _candidates(columns):
        a, b = columns[one], columns[other]
        if a is None or b is None:
            continue
        both = sampled[one][1] & sampled[other][1]
        if both.sum() < 0.1 * len(rows) or both.sum() < KNOWN_ROWS * 10:
            continue
        joint = _joint(sampled[one][0][both], sampled[other][0][both], a.size, b.size)
        nats, least = _information(joint)
        if nats > INFORMATION_MIN and least > 0:
            yield one, other, min(nats / least, 1.0)


def _joint(one: Codes, other: Codes, size: int, other_size: int) -> npt.NDArray[np.float64]:
    flat = np.bincount(one * other_size + other, minlength=size * other_size)
    return flat.reshape(size, other_size).astype(np.float64)


def _information(joint: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mutual information less what chance makes of it (Miller, 1955), and the smaller entropy, nats."""
    total = joint.sum()
    rows, columns = joint.sum(axis=1) / total, joint.sum(axis=0) / total
    share = joint / total
    cells = share > 0
    nats = float((share[cells] * np.log(share[cells] / np.outer(rows, columns)[cells])).sum())
    bias = (int((rows > 0).sum()) - 1) * (int((columns > 0).sum()) - 1) / (2.0 * total)
    return nats - float(bias), min(_entropy(rows), _entropy(columns))


def _entropy(shares: npt.NDArray[np.float64]) -> float:
    there = shares[shares > 0]
    return float(-(there * np.log(there)).sum())


def _firmest(pairs: Iterator[tuple[int, int, float]], count: int) -> list[tuple[int, int, float]]:
    """Of all pairs those that are among the PARTNERS firmest of one of their columns."""
    ranked = sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))
    taken = np.zeros(count, dtype=np.int64)
    chosen = []
    for one, other, strength in ranked:
        if taken[one] < PARTNERS or taken[other] < PARTNERS:
            chosen.append((one, other, strength))
            taken[one] += 1
            taken[other] += 1
    return chosen


def _odd_share(a: Coded, b: Coded, is_today: Mask) -> float:
    """Share of today's rows in combinations that hardly came, of values that would have led to expect them."""
    both = a.known & b.known
    past, today = both & ~is_today, both & is_today
    if not past.any() or not today.any():
        return 0.0
    joint = _joint(a.codes[past], b.codes[past], a.size, b.size)
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0)) / joint.sum()
    odd = (expected >= EXPECTED_MIN) & (joint <= RARE * expected)
    return float(odd[a.codes[today], b.codes[today]].sum()) / int(is_today.sum())


def _determining(columns: Sequence[Coded | None], rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
    """Pairs (determining, determined): single values of one that nearly always come with the same one of the other."""
    for one, other in _candidates([c if _come_again(c, rows) else None for c in columns]):
        for giver, taker in ((one, other), (other, one)):
            a, b = columns[giver], columns[taker]
            if a is None or b is None:
                continue
            both = a.known[rows] & b.known[rows]
            strength = _determination(a.codes[rows][both], b.codes[rows][both], b.size)
            if strength is not None:
                yield giver, taker, strength


def _come_again(column: Coded | None, rows: npt.NDArray[np.int64]) -> bool:
    """Whether single values come often enough to show what they go with."""
    if column is None:
        return False
    codes = column.codes[rows][column.known[rows]]
    return len(codes) >= KNOWN_ROWS * 10 and float((np.bincount(codes)[codes] >= KNOWN_ROWS).mean()) >= AGAIN_MIN


def _determination(giver: Codes, taker: Codes, size: int) -> float | None:
    """How much of the doubt about `taker` single values of `giver` remove, times the part of the rows that have such.

    None where that is too little to use. A name that came once tells nothing of what goes with it.
    """
    if len(giver) < KNOWN_ROWS * 10:
        return None
    again = np.bincount(giver)[giver] >= KNOWN_ROWS
    told = float(again.mean())
    if told < AGAIN_MIN:
        return None
    giver, taker = giver[again], taker[again]
    _, right = modes_of(giver, taker, size)
    plain = np.bincount(taker).max() / len(taker)
    sure = right.mean()
    if sure < DETERMINED or sure - plain < SURPLUS_MIN * (1.0 - plain) or plain > 1.0 - 1.0 / KNOWN_ROWS**2:
        return None
    return told * float((sure - plain) / (1.0 - plain))


def modes_of(giver: Codes, taker: Codes, size: int) -> tuple[dict[str, Codes], Mask]:
    """The most usual partner of each value (`values`, `modes`, `rows`, `agreeing`), and which rows have it."""
    cells, counts = np.unique(giver * size + taker, return_counts=True)
    order = np.lexsort((-counts, cells // size))
    values, first = np.unique((cells // size)[order], return_index=True)
    modes = (cells % size)[order][first]
    agreeing = counts[order][first]
    rows = np.bincount(giver, minlength=int(values.max()) + 1)[values]
    right = modes[np.searchsorted(values, giver)] == taker
    return {"values": values, "modes": modes, "rows": rows, "agreeing": agreeing}, right


def _contradicting(a: Coded, b: Coded, is_today: Mask) -> tuple[float, float]:
    """Share of today's rows whose value of `b` is another than the one that their value of `a` determines.

    Returns:
        the share of all such rows, and of those whose value of `b` past days had: there `a` may be the wrong one.
    """
    both = a.known & b.there
    past, today = both & ~is_today, both & is_today
    if not past.any() or not today.any():
        return 0.0, 0.0
    told, _ = modes_of(a.codes[past], b.codes[past], b.size)
    sure = (told["rows"] >= KNOWN_ROWS) & (told["agreeing"] >= DETERMINED * told["rows"])
    values, modes = told["values"][sure], told["modes"][sure]
    if not len(values):
        return 0.0, 0.0
    place = np.clip(np.searchsorted(values, a.codes[today]), 0, len(values) - 1)
    wrong = (values[place] == a.codes[today]) & (modes[place] != b.codes[today])
    rows = int(is_today.sum())
    return float(wrong.sum()) / rows, float((wrong & b.known[today]).sum()) / rows
