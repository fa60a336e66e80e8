"""Rows by group, today and in the past: read in as few statements as can be, kept in the store, laid side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from monitor.errors import DaywatchError, UnavailableError, mask_secrets
from monitor.past import Day, Past
from monitor.privacy.redact import Gate
from monitor.types import (
    ROWS,
    Cadence,
    ColumnKind,
    Grouped,
    Groups,
    GroupSeries,
    Input,
    Key,
    Measure,
    Partition,
    Segments,
    Table,
)

if TYPE_CHECKING:
    import datetime as dt

    from monitor.store import Store
    from monitor.warehouses.base import Warehouse

DISTINCT_MAX = 60
"""A column with more values than this has no segments."""
COLUMNS_MAX = 16
PAIR_DISTINCT_MAX = 30
PAIR_GROUPS_MAX = 120
PAIRS_MAX = 8
CHOICE_PARTITIONS = 28
"""Past partitions that say how many values a column has."""
HISTORY = {Cadence.HOUR: 720, Cadence.DAY: 150, Cadence.WEEK: 104}
HISTORY_OF_STATISTICS = {Cadence.HOUR: 720, Cadence.DAY: 400, Cadence.WEEK: 104}
_ERROR_LENGTH_MAX = 300
Readings = dict[str, Grouped]
T = TypeVar("T")


@dataclass
class GroupReader:
    """Reads the groups that the checks of one table ask for, and remembers those of past partitions."""

    warehouse: Warehouse
    store: Store
    table: Table
    _kept: dict[str, dict[str, Grouped]] = field(default_factory=dict)

    def read(
        self,
        partition: Partition,
        past: Past,
        asked: Sequence[Input],
        aggregates: Mapping[Measure, float | None],
        now: dt.datetime,
        *,
        kept: bool = False,
    ) -> tuple[dict[Input, object], Readings]:
        """The values of `Groups` and `Segments` inputs, and today's readings as they may be stored.

        With `kept` the partition itself is read from the store: the warehouse no longer has it.

        What cannot be read, because its SQL does not run or runs too long, is a series with an error.

        Raises:
            UnavailableError: the warehouse as a whole cannot be used.
        """
        chosen = {needed: choose(self.table, needed, past, partition, aggregates) for needed in _segments(asked)}
        wanted = list(dict.fromkeys([*(n for n in asked if isinstance(n, Groups)), *_flat(chosen.values())]))
        total = int(aggregates.get(ROWS) or 0)
        errors = self._fill(partition, past, wanted, now)
        found: dict[Groups, Grouped] = {}
        asked_now = [g for g in wanted if g not in errors]
        today = self._recalled(partition, asked_now) if kept else self._today(partition, asked_now, total)
        for groups, answer in today.items():
            if isinstance(answer, str):
                errors[groups] = answer
            else:
                found[groups] = answer
        series = {groups: self._series(groups, partition, past, found.get(groups), errors) for groups in wanted}
        values: dict[Input, object] = dict(series.items())
        values.update({needed: tuple(series[groups] for groups in groups_of) for needed, groups_of in chosen.items()})
        readings = {name_of(groups): shown(grouped, groups, self.table) for groups, grouped in found.items()}
        for name, grouped in readings.items():
            self._kept.setdefault(name, {})[partition.order] = grouped
        return values, readings

    def _recalled(self, partition: Partition, wanted: Sequence[Groups]) -> dict[Groups, Grouped | str]:
        names = [name_of(groups) for groups in wanted]
        told = self.store.groups(self.table.name, names, partition.order, f"{partition.order}~")
        return {
            groups: told[name].get(partition.order, "it was not read then")
            for groups, name in zip(wanted, names, strict=True)
        }

    def _today(self, partition: Partition, wanted: Sequence[Groups], total: int) -> dict[Groups, Grouped | str]:
        where = partition if self.table.time is not None else None
        return self._apart(wanted, lambda some: self.warehouse.grouped(self.table, where, some, total=total))

    def _apart(
        self, wanted: Sequence[Groups], ask: Callable[[Sequence[Groups]], Mapping[Groups, T]]
    ) -> dict[Groups, T | str]:
        """All at once; where that fails each by itself, so that one broken statistic spoils no other."""
        if not wanted:
            return {}
        try:
            return dict(ask(wanted))
        except UnavailableError:
            raise
        except DaywatchError as error:
            if len(wanted) == 1:
                return {wanted[0]: mask_secrets(str(error))[:_ERROR_LENGTH_MAX]}
        answers: dict[Groups, T | str] = {}
        for groups in wanted:
            answers.update(self._apart([groups], ask))
        return answers

    def _series(
        self, groups: Groups, partition: Partition, past: Past, today: Grouped | None, errors: Mapping[Groups, str]
    ) -> GroupSeries:
        from checks.groups import empty_series, series_of  # noqa: PLC0415 - loads numpy

        if today is None:
            return empty_series(groups, errors.get(groups, "it could not be read"))
        kept = self._kept.get(name_of(groups), {})
        days = past.days(partition)[-history_of(groups, self.table) :]
        return series_of(groups, [(d.partition, kept.get(d.partition.order), d.failed) for d in days], today)

    def _fill(self, partition: Partition, past: Past, wanted: Sequence[Groups], now: dt.datetime) -> dict[Groups, str]:
        """Bring what the store has and read what it lacks, by one GROUP BY; groupings that cannot be read, and why."""
        days = {groups: self._days(groups, partition, past) for groups in wanted}
        first = min((some[0].partition.order for some in days.values() if some), default=partition.order)
        unknown = [name for groups in wanted if (name := name_of(groups)) not in self._kept]
        if unknown:
            self._kept.update(self.store.groups(self.table.name, unknown, first, partition.order))
        if self.table.time is None or self.table.backfill_days <= 0:
            return {}
        lacking = {g: [d for d in some if d.partition.order not in self._kept[name_of(g)]] for g, some in days.items()}
        return self._backfill(partition, {g: some for g, some in lacking.items() if some}, now)

    def _days(self, groups: Groups, partition: Partition, past: Past) -> list[Day]:
        return [d for d in past.known(partition)[-history_of(groups, self.table) :] if d.rows > 0]

    def _backfill(
        self, partition: Partition, lacking: Mapping[Groups, Sequence[Day]], now: dt.datetime
    ) -> dict[Groups, str]:
        """Read past partitions; what the warehouse no longer has is kept as empty, so that it is asked once."""
        errors: dict[Groups, str] = {}
        by_first: dict[str, list[Groups]] = {}
        for groups, days in lacking.items():
            by_first.setdefault(days[0].partition.order, []).append(groups)
        readings: dict[str, Readings] = {}
        for some in by_first.values():
            first = lacking[some[0]][0].partition
            for groups, answer in self._past(some, first, partition).items():
                if isinstance(answer, str):
                    errors[groups] = answer
                    continue
                for day in lacking[groups]:
                    grouped = answer.get(day.partition.order, Grouped(0.0, {}))
                    told = shown(grouped, groups, self.table)
                    readings.setdefault(day.partition.order, {})[name_of(groups)] = told
                    self._kept[name_of(groups)][day.partition.order] = told
        self.store.record_groups(self.table.name, readings, now)
        return errors

    def _past(
        self, wanted: Sequence[Groups], first: Partition, before: Partition
    ) -> dict[Groups, dict[str, Grouped] | str]:
        def ask(some: Sequence[Groups]) -> dict[Groups, dict[str, Grouped]]:
            found = self.warehouse.grouped_by_partition(self.table, some, first, before)
            return {groups: {p.order: by_group[groups] for p, by_group in found} for groups in some}

        return self._apart(wanted, ask)


@lru_cache(maxsize=4096)  # asked for each partition of a long past
def name_of(groups: Groups) -> str:
    """What a grouping is called in the store."""
    text = json.dumps(astuple(groups), separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def history_of(groups: Groups, table: Table) -> int:
    """How many past partitions a grouping's series has."""
    return (HISTORY_OF_STATISTICS if groups.statistics else HISTORY)[table.cadence]


def shown(grouped: Grouped, groups: Groups, table: Table) -> Grouped:
    """The groups as they may be stored: values that few rows share get a name that tells nothing of them."""
    from checks.groups import rare_name  # noqa: PLC0415 - loads numpy

    gate = Gate(table)
    hidden = bool(set(groups.columns) & table.ignore_columns)

    def named(key: Key | str, rows: float | None) -> Key | str:
        if isinstance(key, str) or groups.clock or (gate.passes(rows) and not hidden):
            return key
        return rare_name(key)

    return Grouped(grouped.total, {named(key, told[0]): told for key, told in grouped.groups.items()})


def choose(
    table: Table, segments: Segments, past: Past, partition: Partition, aggregates: Mapping[Measure, float | None]
) -> list[Groups]:
    """The groupings of a table's segments: columns with few values that come every day, their pairs, times of day."""
    known = past.known(partition)[-CHOICE_PARTITIONS:]
    sizes = {name: _usual_distinct(name, known, aggregates) for name in segments.columns}
    few = [name for name, size in sizes.items() if 2 <= size <= DISTINCT_MAX]
    texts = {c.name for c in table.columns if c.kind is not ColumnKind.NUMBER}
    few = sorted(few, key=lambda name: name not in texts)[:COLUMNS_MAX]
    small = [name for name in few if sizes[name] <= PAIR_DISTINCT_MAX]
    pairs = [pair for pair in combinations(small, 2) if sizes[pair[0]] * sizes[pair[1]] <= PAIR_GROUPS_MAX]
    return [
        *(Groups((name,)) for name in few),
        *(Groups(pair, groups_max=2 * PAIR_GROUPS_MAX) for pair in pairs[:PAIRS_MAX]),
        *(Groups(clock=name) for name in segments.clocks),
    ]


def _usual_distinct(name: str, known: Sequence[Day], aggregates: Mapping[Measure, float | None]) -> float:
    """The median count of a column's values on past partitions; today's where there are none."""
    measure = Measure("distinct", name)
    counts = sorted(v for day in known if (v := day.values.get(measure.key)) is not None and day.rows > 0)
    return counts[len(counts) // 2] if counts else aggregates.get(measure) or 0.0


def _segments(asked: Sequence[Input]) -> list[Segments]:
    return [needed for needed in asked if isinstance(needed, Segments)]


def _flat(lists: Iterable[Sequence[Groups]]) -> list[Groups]:
    return [groups for some in lists for groups in some]
