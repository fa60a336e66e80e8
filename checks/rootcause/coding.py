"""Columns as small integers, so that the rows of every condition are counted by one pass over a matrix."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.conditions import Condition
from checks.rootcause.numbers import between
from checks.rootcause.texts import patterns
from monitor.types import Column, ColumnKind

Codes = npt.NDArray[np.int32]
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

VALUES_MAX = 200
"""Values of a column that are looked at singly, the most frequent ones."""
NUMBERS_MAX = 60
"""Up to so many different numbers, each is a value; of more, the ten most frequent are."""
FREQUENT = 10
BINS = 24
"""Parts of a range at first; the edges of what is found are then looked for among all values."""
QUARTERS = 96
KINDS = ("values", "nulls", "numbers", "times", "clock", "prefix", "suffix", "lengths")
TEXTS_MAX = 20_000
"""Different texts, of all columns together, whose beginnings and endings are looked at."""
_TIMES = (ColumnKind.TIMESTAMP, ColumnKind.DATE)


@dataclass(frozen=True)
class Block:
    """One way of dividing the rows by a column.

    `kind` is `values`, `nulls`, `numbers`, `times`, `clock`, `lengths`, `prefix` or `suffix`. `labels` are the values
    by code, or for ordered kinds the greatest of each part. A code of `len(labels)` is none of them. `raw` are the
    numbers of ordered kinds, by row.
    """

    column: str
    kind: str
    codes: Codes
    labels: Sequence[Any] | Array
    raw: Array | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether spans of codes are conditions too."""
        return self.raw is not None

    @property
    def rank(self) -> int:
        """How readily a condition of this kind is understood, the best first."""
        return KINDS.index(self.kind)


@dataclass(frozen=True)
class Atom:
    """A condition as codes [low, high] of a block, or as numbers in (low, high] where `exact`."""

    block: int
    low: float
    high: float
    exact: bool = False


class Coding:
    """All blocks of a frame's columns beside each other.

    Args:
        frame: rows.
        columns: those to be used.
        exclude: names of those not to be used.
        clocks: names of columns of which the time of day alone is used.
        kinds: the kinds of blocks that are made.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        exclude: Collection[str],
        clocks: Collection[str] = (),
        kinds: Collection[str] = KINDS,
    ) -> None:
        self.blocks: list[Block] = []
        budget = TEXTS_MAX
        for column in columns:
            if column.name in exclude or column.name not in frame.columns:
                continue
            values = frame[column.name]
            if column.name in clocks:
                self.blocks += _clock(column.name, values)
                continue
            self.blocks += _blocks(column, values)
            if column.kind is ColumnKind.TEXT and "prefix" in kinds and isinstance(values.dtype, pd.CategoricalDtype):
                budget -= len(values.cat.categories)
                self.blocks += [Block(column.name, *pattern) for pattern in patterns(values)] if budget >= 0 else []
        self._lay(
            [b for b in self.blocks if b.kind in kinds and len(b.labels) and b.codes.min() < b.codes.max()], len(frame)
        )

    def _lay(self, blocks: list[Block], rows: int) -> None:
        self.blocks = blocks
        self.offsets = np.cumsum([0, *(len(b.labels) + 1 for b in blocks)])
        self.matrix = np.zeros((rows, len(blocks)), dtype=np.int32)
        for place, block in enumerate(blocks):
            self.matrix[:, place] = block.codes + self.offsets[place]

    def only(self, blocks: Sequence[Block]) -> Coding:
        """The same rows by some of the blocks."""
        made = object.__new__(Coding)
        made._lay(list(blocks), len(self.matrix))
        return made

    @cached_property
    def block_of(self) -> npt.NDArray[np.intp]:
        """(size,) the block of each code in the matrix."""
        return np.repeat(np.arange(len(self.blocks)), np.diff(self.offsets))

    @cached_property
    def is_point(self) -> Mask:
        """(size,) which codes are conditions by themselves."""
        last = np.zeros(self.offsets[-1], dtype=bool)
        last[self.offsets[1:] - 1] = True
        return ~last

    @cached_property
    def ordered(self) -> npt.NDArray[np.intp]:
        """Blocks whose spans are conditions."""
        return np.array([i for i, b in enumerate(self.blocks) if b.is_ordered and len(b.labels) > 1], dtype=np.intp)

    @cached_property
    def atoms(self) -> float:
        """How many conditions there are to choose from."""
        spans = sum(len(self.blocks[i].labels) * (len(self.blocks[i].labels) - 1) / 2 for i in self.ordered)
        return float(self.is_point.sum() + spans)

    def tally(self, rows: npt.NDArray[np.intp], mass: Array | None) -> Array:
        """(size,) the mass of these rows (None: 1 each) by code."""
        codes = self.matrix[rows].ravel()
        weights = None if mass is None else np.repeat(mass[rows], len(self.blocks))
        return np.bincount(codes, weights, minlength=int(self.offsets[-1])).astype(np.float64)

    def mask(self, atom: Atom) -> Mask:
        """(N,) the rows that meet a condition."""
        block = self.blocks[atom.block]
        if atom.exact and block.raw is not None:
            with np.errstate(invalid="ignore"):
                return np.asarray((block.raw > atom.low) & (block.raw <= atom.high))
        return np.asarray((block.codes >= atom.low) & (block.codes <= atom.high))

    def meets(self, atoms: Iterable[Atom]) -> Mask:
        """(N,) the rows that meet all conditions."""
        found = np.ones(len(self.matrix), dtype=bool)
        for atom in atoms:
            found &= self.mask(atom)
        return found

    def condition(self, atom: Atom) -> Condition:
        """The condition as it is told."""
        block = self.blocks[atom.block]
        low, high = int(atom.low) if not atom.exact else 0, int(atom.high) if not atom.exact else 0
        if not block.is_ordered or block.raw is None:
            value = block.labels[low]
            if block.kind == "nulls":
                return Condition(block.column, "is not null" if value else "is null")
            return Condition(block.column, "=" if block.kind == "values" else block.kind, value)
        known = np.unique(block.raw[np.isfinite(block.raw)])
        if not atom.exact:
            atom = Atom(atom.block, block.labels[low - 1] if low else -np.inf, block.labels[high], exact=True)
        inside = known[(known > atom.low) & (known <= atom.high)]
        first, last = float(inside[0]), float(inside[-1])
        if block.kind == "lengths":
            return Condition(block.column, "length", (int(first), int(last)))
        if block.kind == "clock":
            return Condition(block.column, "clock", (int(first), int(last) + 1))
        return _range(block, known, first, last)


def _range(block: Block, known: Array, first: float, last: float) -> Condition:
    """Bounds between the values inside and those outside, as plain as they can be."""
    before, after = known[known < first], known[known > last]
    if first == last and len(known) <= NUMBERS_MAX:
        return Condition(block.column, "=", _told(block, first))
    low = _told(block, between(float(before[-1]), first, plain=block.kind == "numbers")) if len(before) else None
    high = _told(block, between(last, float(after[0]), plain=block.kind == "numbers")) if len(after) else None
    if low is None:
        return Condition(block.column, "<=", high)
    return Condition(block.column, ">", low) if high is None else Condition(block.column, "range", (low, high))


def _told(block: Block, number: float) -> Any:
    if block.kind == "times":
        return pd.Timestamp(np.datetime64(int(number), "us")).to_pydatetime()
    return float(number)


def _blocks(column: Column, values: pd.Series) -> list[Block]:
    name = column.name
    missing = values.isna().to_numpy()
    found = [Block(name, "nulls", (~missing).astype(np.int32), (False, True))] if missing.any() else []
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, labels = values.cat.codes.to_numpy(), values.cat.categories
        return [*found, _common(name, "values", codes, [str(label) for label in labels])]
    if column.kind is ColumnKind.BOOLEAN:
        codes = np.where(missing, -1, values.to_numpy() == True)  # noqa: E712 - objects, of which some are None
        return [*found, _common(name, "values", codes.astype(np.intp), [False, True])]
    if column.kind in _TIMES and values.dtype.kind == "M":
        micros = values.to_numpy().astype("datetime64[us]").astype(np.int64).astype(np.float64)
        numbers = np.where(missing, np.nan, micros)
        return [*found, *_ordered(name, "times", numbers), *_clock(name, values)]
    if column.kind is not ColumnKind.NUMBER:
        return found
    numbers = values.to_numpy(dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return [*found, *_single(name, numbers), *_ordered(name, "numbers", numbers)]


def _common(name: str, kind: str, codes: npt.NDArray[Any], labels: Sequence[Any]) -> Block:
    """A block of the most frequent values; all others are one."""
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    kept = np.argsort(-counts, kind="stable")[:VALUES_MAX]
    kept = kept[counts[kept] > 0]
    place = np.full(len(labels) + 1, len(kept), dtype=np.int32)  # the last one, -1, is missing
    place[kept] = np.arange(len(kept))
    return Block(name, kind, place[codes], [labels[k] for k in kept])


def _single(name: str, numbers: Array) -> list[Block]:
    """Numbers as values: all of them where they are few, else those that come often."""
    known = np.isfinite(numbers)
    single, places, counts = np.unique(numbers[known], return_inverse=True, return_counts=True)
    if not len(single):
        return []
    if len(single) > NUMBERS_MAX:
        often = np.argsort(-counts, kind="stable")[:FREQUENT]
        keep = often[counts[often] >= max(5, 0.002 * len(numbers))]
    else:
        keep = np.arange(len(single))
    place = np.full(len(single), len(keep), dtype=np.int32)
    place[keep] = np.arange(len(keep))
    codes = np.full(len(numbers), len(keep), dtype=np.int32)
    codes[known] = place[places]
    return [Block(name, "values", codes, [float(single[k]) for k in keep])]


def _ordered(name: str, kind: str, numbers: Array) -> list[Block]:
    """Numbers as parts of a range with about as many rows each."""
    known = np.isfinite(numbers)
    if not known.any():
        return []
    ranked = np.sort(numbers[known])
    edges = np.unique(ranked[(np.arange(1, BINS + 1) * len(ranked)) // BINS - 1])
    edges = edges if len(edges) >= BINS // 3 else _few(ranked)
    if len(edges) < 2:
        return []
    codes = np.full(len(numbers), len(edges), dtype=np.int32)
    codes[known] = np.searchsorted(edges, numbers[known], side="left")
    return [Block(name, kind, codes, edges, numbers)]


def _few(ranked: Array) -> Array:
    """Edges of numbers of which some come very often: of the different ones."""
    single = np.unique(ranked)
    return np.unique(single[(np.arange(1, BINS + 1) * len(single)) // BINS - 1]) if len(single) > BINS else single


def _clock(name: str, values: pd.Series) -> list[Block]:
    """The quarter of an hour of the day; nothing where all are at midnight."""
    if values.dtype.kind != "M":
        return []
    times = values.to_numpy().astype("datetime64[us]")
    minutes = (times - times.astype("datetime64[D]")).astype("timedelta64[m]").astype(np.float64)
    quarters = np.where(np.isnat(times), np.nan, np.floor(minutes / (1440 // QUARTERS)))
    return _ordered(name, "clock", quarters)
