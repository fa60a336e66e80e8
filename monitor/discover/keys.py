"""Columns that tell the rows of a partition apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitor.discover.names import TIME_WORDS, is_calendar, is_key_like, words_of
from monitor.discover.times import partitions_of
from monitor.types import ColumnKind, Measure, Table

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

SAMPLE_ROWS = 5_000
PARTITIONS = 7
ROWS_MIN = 20  # fewer rows are told apart by anything
ROWS_MAX = 5_000_000  # an exact count beyond this is not cheap
HOLDING_SHARE = 0.8  # a key may fail on a bad day: its failing is what is to be noticed
LENGTH_MAX = 64
PAIRED_COLUMNS = 12
_KINDS = (ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.OTHER)


def find_keys(warehouse: Warehouse, table: Table) -> list[tuple[str, ...]]:
    """Single columns named like a key that are one: no NULL, no value twice, on most recent partitions.

    Raises:
        SourceError: the warehouse cannot answer.
    """
    return _search(warehouse, table, singles_named=True, pairs=False)


def suggest_keys(warehouse: Warehouse, table: Table) -> list[tuple[str, ...]]:
    """Columns and pairs of columns that may be meant as a key, likeliest first, for a person to choose from."""
    return _search(warehouse, table, singles_named=False, pairs=True)


def _search(warehouse: Warehouse, table: Table, *, singles_named: bool, pairs: bool) -> list[tuple[str, ...]]:
    if table.time is None:
        return _search_whole(warehouse, table, singles_named=singles_named, pairs=pairs)
    partitions = partitions_of(warehouse, table, PARTITIONS)
    while len(partitions) > 1 and sum(rows for _, rows in partitions) > ROWS_MAX:
        partitions = partitions[1:]
    if not partitions or not ROWS_MIN <= partitions[-1][1] <= ROWS_MAX:
        return []
    partition, rows = partitions[-1]
    sample = warehouse.sample(table, partition, SAMPLE_ROWS, seed=0, total=rows)
    found = _candidates(sample, table, singles_named=singles_named, pairs=pairs)
    return _confirm(warehouse, table, [partition for partition, _ in partitions], found)


def _search_whole(warehouse: Warehouse, table: Table, *, singles_named: bool, pairs: bool) -> list[tuple[str, ...]]:
    rows = warehouse.count(table)
    if not ROWS_MIN <= rows <= ROWS_MAX:
        return []
    sample = warehouse.sample(table, None, SAMPLE_ROWS, seed=0, total=rows)
    return _confirm(warehouse, table, [None], _candidates(sample, table, singles_named=singles_named, pairs=pairs))


def _candidates(sample: pd.DataFrame, table: Table, *, singles_named: bool, pairs: bool) -> list[tuple[str, ...]]:
    time = table.time.name if table.time else ""
    usable = [
        column.name
        for column in table.checked_columns
        if column.kind in _KINDS and column.name != time and column.name in sample and _is_plain(sample[column.name])
    ]
    single: list[tuple[str, ...]] = [(name,) for name in usable if sample[name].is_unique]
    single.sort(key=lambda key: not is_key_like(key[0]))
    if singles_named:
        return [key for key in single if is_key_like(key[0])][:3]
    return single[:3] or (_pairs(sample, usable) if pairs else [])


def _pairs(sample: pd.DataFrame, usable: Sequence[str]) -> list[tuple[str, ...]]:
    """Pairs that are unique together: first those with an id, then those with the fewest values to spare.

    A true key wastes little: rank and list name 3,600 rows with 100 x 36 values.
    """
    varied = [name for name in usable if sample[name].nunique() > 1 and not is_calendar(name)]
    varied = sorted(varied, key=lambda name: -int(sample[name].nunique()))[:PAIRED_COLUMNS]
    order = {name: place for place, name in enumerate(usable)}
    found = [
        tuple(sorted(pair, key=order.__getitem__))
        for pair in combinations(varied, 2)
        if not sample.duplicated(list(pair)).any()
    ]

    def badness(pair: tuple[str, ...]) -> tuple[int, int]:
        timely = sum(bool(set(words_of(name)) & TIME_WORDS) for name in pair)
        return timely - sum(map(is_key_like, pair)), math.prod(int(sample[name].nunique()) for name in pair)

    return sorted(found, key=badness)[:3]


def _is_plain(values: pd.Series[Any]) -> bool:
    """Without NULL; whole numbers or short texts: a measurement that never repeats is no key."""
    if len(values) == 0 or values.isna().any():
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return bool((values == values.round()).all())
    return float(values.astype(str).str.len().mean()) <= LENGTH_MAX


def _confirm(
    warehouse: Warehouse, table: Table, partitions: Sequence[Any], found: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Those of `found` that hold on most of the partitions, by one exact count."""
    if not found:
        return []
    repeats = {key: Measure("duplicate_keys", argument="\t".join(key)) for key in found}
    nulls = {name: Measure("nulls", name) for key in found for name in key}
    measures = [*repeats.values(), *nulls.values()]
    counted = [warehouse.aggregates(table, partition, measures) for partition in partitions]

    def holds(key: tuple[str, ...]) -> bool:
        clean = [not values[repeats[key]] and not any(values[nulls[name]] for name in key) for values in counted]
        return sum(clean) >= HOLDING_SHARE * len(clean)

    return [key for key in found if holds(key)]
