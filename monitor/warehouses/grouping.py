"""Rows by group as SQL: all groupings of a table that share their rows in one statement, the largest groups alone."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.errors import UsageError
from monitor.types import Column, ColumnKind, Grouped, Groups, Key, Partition, Table
from monitor.warehouses.constructs import EpochSeconds, Expression, Finite, LocalTime, TypedColumn, columns_of, raw
from monitor.warehouses.frames import is_zoned
from monitor.warehouses.measures import is_float, text_of
from monitor.warehouses.times import Clock

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

QUARTER_S = 900
DAY_S = 86_400
_PREFIX = "daywatch_"
_NATIVE = frozenset({ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.DATE})
Counts = dict[Groups, Grouped]
Found = dict[Groups, tuple[dict[Key | str, Any], float]]


@dataclass
class Plan:
    """One statement for several groupings that look at the same rows.

    Args:
        warehouse: whose SQL it is.
        table: whose columns they name.
        groups: with the same `where`, and ranked alike.
    """

    warehouse: Warehouse
    table: Table
    groups: Sequence[Groups]
    keys: dict[str, Expression] = field(default_factory=dict)
    statistics: list[str] = field(default_factory=list)
    names: dict[Groups, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect what is grouped by, and what is computed of each group."""
        for asked in self.groups:
            keys = self._keys_of(asked)
            self.names[asked] = tuple(keys)
            for name, key in keys.items():
                self.keys.setdefault(name, key)
            self.statistics += [s for s in asked.statistics if s not in self.statistics]

    def statement(self, rows: sa.Select[Any], clock: Clock | None) -> sa.Select[Any]:
        """The statement over these rows, by partition where a clock is given."""
        names = list(self.keys)
        places = {name: f"{_PREFIX}g{i}" for i, name in enumerate(names)}
        inner = rows.subquery(sa.quoted_name(self.table.path[-1], quote=True))  # statistics may name their table
        by = [inner.c[f"{_PREFIX}p{i}"] for i in range(len(clock.keys()) if clock else 0)]
        sets = list(dict.fromkeys(self.names.values()))
        wanted: list[Any] = [sa.func.grouping(inner.c[places[n]]).label(f"{_PREFIX}f{i}") for i, n in enumerate(names)]
        wanted += [inner.c[places[n]] for n in names]
        wanted += [sa.func.count().label(f"{_PREFIX}n")]
        wanted += [sa.cast(raw(s), sa.Double).label(f"{_PREFIX}s{i}") for i, s in enumerate(self.statistics)]
        if clock is not None:
            wanted = [sa.func.min(inner.c[f"{_PREFIX}m"]).label(f"{_PREFIX}moment"), *by, *wanted]
        tuples = [sa.tuple_(*by, *(inner.c[places[n]] for n in chosen)) for chosen in sets]
        grouped = sa.select(*wanted).select_from(inner).group_by(sa.func.grouping_sets(*tuples)).subquery("grouped")
        return self._ranked(grouped, len(by), len(names))

    def _ranked(self, grouped: sa.Subquery, by: int, keys: int) -> sa.Select[Any]:
        """The largest groups of each grouping and partition, with the rows of all."""
        column = grouped.c
        within = [column[f"{_PREFIX}p{i}"] for i in range(by)] + [column[f"{_PREFIX}f{i}"] for i in range(keys)]
        count = column[f"{_PREFIX}n"]
        size = column[f"{_PREFIX}s0"] if self.groups[0].by_statistic else count
        ties = [column[f"{_PREFIX}g{i}"] for i in range(keys)]
        place = sa.func.row_number().over(partition_by=within, order_by=[size.desc().nulls_last(), *ties])
        total = sa.func.sum(count).over(partition_by=within)
        ranked = sa.select(*column, total.label(f"{_PREFIX}t"), place.label(f"{_PREFIX}o")).subquery("ranked")
        most = max(asked.groups_max for asked in self.groups)
        shown = [c for name, c in ranked.c.items() if name != f"{_PREFIX}o"]
        return sa.select(*shown).where(ranked.c[f"{_PREFIX}o"] <= most)

    def rows(self, source: sa.FromClause, conditions: Sequence[Expression], clock: Clock | None) -> sa.Select[Any]:
        """The rows that are grouped: all their columns, so that statistics find theirs, and what is grouped by."""
        wanted: list[Any] = [sa.literal_column("*")] if self.statistics else []
        if clock is not None:
            wanted += [clock.moment().label(f"{_PREFIX}m")]
            wanted += [key.label(f"{_PREFIX}p{i}") for i, key in enumerate(clock.keys())]
        wanted += [key.label(f"{_PREFIX}g{i}") for i, key in enumerate(self.keys.values())]
        where = [raw(self.groups[0].where)] if self.groups[0].where else []
        return sa.select(*wanted).select_from(source).where(*conditions, *where)

    def read(self, row: Sequence[Any], found: Found) -> None:
        """Add one row of the answer, without what says its partition, to what was found."""
        size = len(self.keys)
        absent, values = row[:size], row[size : 2 * size]
        count, statistics, total = row[2 * size], row[2 * size + 1 : -1], float(row[-1])
        by_name = {n: v for n, v, gone in zip(self.keys, values, absent, strict=True) if not int(gone)}
        for asked, names in self.names.items():
            if len(names) != len(by_name) or not by_name.keys() >= set(names):
                continue
            key = tuple(plain(by_name[name]) for name in names)
            told = [_number(statistics[self.statistics.index(s)]) for s in asked.statistics]
            found.setdefault(asked, ({}, total))[0][key] = (float(count), *told)

    def _keys_of(self, asked: Groups) -> dict[str, Expression]:
        if asked.clock:
            return {f"clock {asked.clock}": quarter_of(self.table, asked.clock)}
        return {f"column {name}": self._value(name) for name in asked.columns}

    def _value(self, name: str) -> Expression:
        column = column_of(self.table, name)
        plain_column = columns_of([name])[0]
        if column.kind is ColumnKind.NUMBER:
            return Finite(TypedColumn(column)) if is_float(column) else plain_column
        if column.kind in _NATIVE:
            return plain_column
        return text_of(column)


def quarter_of(table: Table, name: str) -> Expression:
    """The quarter of an hour of the day (0 to 95) of a column of times, on the wall clock of the table's zone."""
    column, clock = column_of(table, name), Clock.of(table)
    if clock is not None and clock.name == name:
        local: Expression = clock.local()
    else:
        plain_column = columns_of([name])[0]
        local = LocalTime(plain_column, sa.literal(table.timezone)) if is_zoned(column) else plain_column
    seconds = EpochSeconds(local)
    return sa.func.floor((seconds - DAY_S * sa.func.floor(seconds / DAY_S)) / QUARTER_S)


def column_of(table: Table, name: str) -> Column:
    """The table's column of that name; UsageError if there is none."""
    try:
        return table.column(name)
    except KeyError:
        raise UsageError(f"no column `{name}`", where=table.name, mend="look at its columns") from None


def clock_condition(table: Table, column: str, low: int, high: int) -> Expression:
    """The condition of rows whose quarter of an hour of the day lies in [low, high)."""
    quarter = quarter_of(table, column)
    return sa.and_(quarter >= low, quarter < high)


def plans_of(warehouse: Warehouse, table: Table, groups: Sequence[Groups]) -> Iterator[Plan]:
    """As few statements as answer all groupings: those over the same rows, ranked alike, share one."""
    shared: dict[tuple[Any, ...], list[Groups]] = {}
    for asked in dict.fromkeys(groups):
        alone = (asked.columns, asked.statistics) if asked.by_statistic else ()
        shared.setdefault((asked.where, asked.by_statistic, alone), []).append(asked)
    for together in shared.values():
        for start in range(0, len(together), SETS_MAX):
            yield Plan(warehouse, table, together[start : start + SETS_MAX])


SETS_MAX = 60
"""Groupings of one statement: engines bound their number."""


def collect(found: Found, groups: Sequence[Groups]) -> Counts:
    """The answer by grouping, each cut to its own size; one without rows is empty."""
    told: Counts = {}
    for asked in groups:
        by_key, total = found.get(asked, ({}, 0.0))
        first = 1 if asked.by_statistic else 0
        order = sorted(by_key, key=lambda k: -(by_key[k][first] if by_key[k][first] is not None else -math.inf))
        told[asked] = Grouped(total, {key: by_key[key] for key in order[: asked.groups_max]})
    return told


def plain(value: Any) -> str | float | bool | None:
    """A value that rows share, as it is kept: numbers as int or float, dates and times as ISO text."""
    item = value.item() if hasattr(value, "item") else value
    if item is None or isinstance(item, (bool, str)):
        return item
    if isinstance(item, (int, float, Decimal)):
        number = float(item)
        return None if math.isnan(number) else int(number) if number.is_integer() else number
    return item.isoformat() if isinstance(item, (dt.date, dt.time)) else str(item)


def _number(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None


def by_partition(
    plan: Plan, answer: Sequence[Sequence[Any]], clock: Clock
) -> tuple[dict[Partition, Found], set[Partition]]:
    """The answer by partition, and the partitions that came in two pieces, which have to be asked alone."""
    found: dict[Partition, Found] = {}
    pieces: dict[Partition, set[tuple[Any, ...]]] = {}
    keys = len(clock.keys())
    partition_of = cache(clock.partition)  # groups of a partition mostly begin at the same moments
    for moment, *row in answer:
        partition = partition_of(moment)
        if partition is not None:
            pieces.setdefault(partition, set()).add(tuple(row[:keys]))
            plan.read(row[keys:], found.setdefault(partition, {}))
    return found, {partition for partition, seen in pieces.items() if len(seen) > 1}
