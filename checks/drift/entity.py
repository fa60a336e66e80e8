"""What names the rows of a table that come every day: a name, a number, or a few columns together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, islice

import numpy as np
import pandas as pd

from checks.drift.repeats import Hashes, column_hashes
from checks.drift.values import numbers_of
from monitor.types import Column, ColumnKind

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


def entity_of(newer: pd.DataFrame, older: pd.DataFrame, columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns that name rows: hardly two rows of a day share them, and most came on the day before.

    A text goes before a whole number, and one column before two or three; () where none do.

    Args:
        newer: rows of one past day.
        older: rows of the day before it.
        columns: to choose among.
    """
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
    hashes = dict(zip(kinds, column_hashes(some, list(kinds)).T, strict=True))
    for size in (2, 3):
        joined = [
            names
            for names in combinations(kinds, size)
            if math.prod(kinds[n] for n in names) >= NUMBERS_MIN * len(some)
            and len(np.unique(np.sum([hashes[n] for n in names], axis=0, dtype=np.uint64))) >= NUMBERS_MIN * len(some)
        ]
        for names in sorted(joined, key=lambda names: math.prod(kinds[n] for n in names))[:JOINED_MAX]:
            if _kept(newer, older, names, NUMBERS_MIN) >= JOINED_KEPT_MIN:
                return tuple(sorted(names, key=lambda n: -kinds[n]))
    return ()


def _kept(newer: pd.DataFrame, older: pd.DataFrame, names: Sequence[str], unique: float) -> float:
    """Part of the newer rows whose names the older had too, where hardly two rows have the same; else 0."""
    now = names_of(newer, names)
    if len(np.unique(now)) < unique * len(now):
        return 0.0
    kept = np.isin(now, names_of(older, names))
    return float(kept.mean()) if kept.sum() >= ROWS_MIN else 0.0


def names_of(frame: pd.DataFrame, names: Sequence[str]) -> Hashes:
    """(N,) one hash a row of what names it."""
    return np.asarray(column_hashes(frame, names).sum(axis=1, dtype=np.uint64))
