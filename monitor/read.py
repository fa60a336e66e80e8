"""From declared inputs to values: equal inputs once, all aggregates of a partition in one scan, one seeded sample."""

from __future__ import annotations

import datetime as dt
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.answers import Answers, Open
from monitor.partitions import following, wall_time
from monitor.past import Past, is_timed
from monitor.types import (
    ROWS,
    Aggregate,
    Arrival,
    ArrivalState,
    Check,
    Column,
    Groups,
    Input,
    Measure,
    Partition,
    PastScores,
    Point,
    Sample,
    SampleSet,
    SchemaState,
    Segments,
    Series,
    Table,
)

if TYPE_CHECKING:
    import pandas as pd

    from monitor.warehouses.base import Warehouse

CELLS_MAX = 2_000_000
"""Cells of one day's sample: a table of a thousand columns is sampled by fewer rows."""
SAMPLE_ROWS_MIN = 1_000
CACHE_BYTES_MAX = 300_000_000
BATCH = 25
"""Questions of rules that one statement answers."""
OWN = frozenset({"asked", "repeats", "told"})
"""Measures that need statements of their own; what they were on past days is known from judging those alone."""
SEEN = frozenset({"followed", "changed"})
"""Measures of tables rewritten in place that no SQL asks for: they compare this look with the one before."""
_NO_GROUPS: Mapping[Input, object] = {}
_NO_FINDINGS: Mapping[Measure, str] = {}


@dataclass(frozen=True)
class Request:
    """Everything that the checks of one table need, said once."""

    by_check: Mapping[str, frozenset[Input]]
    measures: tuple[Measure, ...]
    samples: bool
    groups: tuple[Input, ...] = ()
    of_past: tuple[Measure, ...] = ()

    @classmethod
    def of(cls, checks: Iterable[Check], table: Table) -> Request:
        """Collect the inputs of `checks`; equal ones are read once."""
        by_check = {check.name: frozenset(check.inputs(table)) for check in checks}
        every = {needed for inputs in by_check.values() for needed in inputs}
        measures = {needed.measure for needed in every if isinstance(needed, Aggregate)} | {ROWS}
        measures = {measure for measure in measures if measure.kind not in SEEN}
        for needed in every:
            if isinstance(needed, Segments):  # how many values a column has says whether it has segments
                measures |= {Measure("distinct", name) for name in needed.columns}
        groups = tuple(sorted((n for n in every if isinstance(n, Groups | Segments)), key=str))
        today = {n.measure for n in every if isinstance(n, Aggregate) and not n.past}
        wanted = {n.measure for n in every if isinstance(n, Aggregate) and n.past}
        of_past = (m for m in sorted(measures - (today - wanted)) if m.kind not in OWN and "@@" not in m.argument)
        return cls(by_check, tuple(sorted(measures)), any(isinstance(n, Sample) for n in every), groups, tuple(of_past))


class Samples:
    """Samples of a table's partitions, the newest kept in memory: a replay reads each day once."""

    def __init__(self, warehouse: Warehouse, table: Table) -> None:
        self.warehouse = warehouse
        self.table = table
        self.rows = sample_rows(table)
        self._kept: OrderedDict[tuple[str, float | None], pd.DataFrame] = OrderedDict()
        self._bytes = 0

    def of(self, partition: Partition, total: float | None) -> pd.DataFrame:
        """The seeded sample of a partition that is known to have `total` rows."""
        key = (partition.order, total)
        if key not in self._kept:
            rows = None if total is None else int(total)
            frame = self.warehouse.sample(self.table, partition, self.rows, seed_of(self.table, partition), rows)
            self._kept[key] = frame
            self._bytes += _size(frame)
            while self._bytes > CACHE_BYTES_MAX and len(self._kept) > 1:
                _, old = self._kept.popitem(last=False)
                self._bytes -= _size(old)
        self._kept.move_to_end(key)
        return self._kept[key]


def sample_rows(table: Table) -> int:
    """Rows of one day's sample: as configured, fewer for very wide tables."""
    fitting = max(CELLS_MAX // max(len(table.checked_columns), 1), SAMPLE_ROWS_MIN)
    return min(table.sample_rows, fitting)


def _size(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage(index=False, deep=False).sum()) + 60 * sum(
        len(frame[c].cat.categories) for c in frame.columns if hasattr(frame[c], "cat")
    )


def seed_of(table: Table, partition: Partition) -> int:
    """The seed of everything random about a partition: the same on every run and machine."""
    return zlib.crc32(f"{table.name}/{partition.label}".encode())


def seed_of_table(table: Table) -> int:
    """The seed of looks at a table as a whole: an unchanged table is sampled the same each day."""
    return zlib.crc32(table.name.encode())


def read_aggregates(
    warehouse: Warehouse, table: Table, partition: Partition, past: Past, request: Request, others: Open | None = None
) -> Answers:
    """All measures of a partition, in one scan and what rules ask beside it; of the whole table without a time column.

    SQL of the owner's that fails is an error of its measure, and of no other.
    """
    from monitor.asking import measure_all  # noqa: PLC0415 - rules load sqlglot

    usual = sorted(day.rows for day in past.known(partition)[-28:])
    total = int(usual[len(usual) // 2]) if usual else None
    return measure_all(warehouse, table, partition, request.measures, total, others)


def read_arrival(
    table: Table, partition: Partition, past: Past, rows: float, now: dt.datetime, latest: dt.datetime | None
) -> ArrivalState:
    """What is known of the partition's arrival at `now`."""
    due = due_of(table, partition, past.arrival_lag_s(partition)) if table.time is not None else None
    looked = [day for day in past.days(partition) if day.known or table.time is not None]
    counts = tuple(Point(d.partition, d.rows) for d in looked)
    return ArrivalState(now, int(rows), due is None or now >= due, due, latest, counts)


def due_of(table: Table, partition: Partition, lag_s: float = 0.0) -> dt.datetime | None:
    """When the partition should be there.

    The table's due time of the day after where one is set; otherwise its end, and as much later as earlier
    partitions were seen to come (`lag_s`). None for ids.
    """
    if partition.end is None:
        return None
    if table.due is None:
        return partition.end + dt.timedelta(seconds=lag_s)
    next_day = following(partition, table.cadence, table.timezone).start or partition.end
    return wall_time(next_day, table.due, table.timezone)


def read_values(
    inputs: Iterable[Input],
    partition: Partition,
    past: Past,
    aggregates: Mapping[Measure, float | None],
    arrival: ArrivalState,
    samples: SampleSet | None,
    check: str,
    groups: Mapping[Input, object] = _NO_GROUPS,
    findings: Mapping[Measure, str] = _NO_FINDINGS,
) -> dict[Input, object]:
    """The values of one check's inputs."""
    values: dict[Input, object] = {}
    for needed in inputs:
        match needed:
            case Aggregate(measure, of_past):
                name = findings.get(measure) or check_of(check, measure)
                failed = aggregates.errors.get(measure) if isinstance(aggregates, Answers) else None
                if not of_past:
                    values[needed] = Series(aggregates.get(measure), error=failed)
                    continue
                series = past.series(measure, name, aggregates.get(measure), partition)
                values[needed] = replace(series, error=failed) if failed else series
            case Sample():
                values[needed] = samples
            case SchemaState():
                values[needed] = None  # filled by the loop, which knows the store
            case Arrival():
                values[needed] = arrival
            case PastScores():
                values[needed] = past.scores(partition)
            case Groups() | Segments():
                values[needed] = groups[needed]
    return values


def check_of(check: str, measure: Measure) -> str:
    """The finding that a measure of a check ends in: `nulls.dep_time` for `nulls` of dep_time."""
    return f"{check}.{measure.column}" if measure.column else check


def read_samples(samples: Samples, partition: Partition, past: Past, rows: float) -> SampleSet:
    """Today's sample beside those of comparable past partitions."""
    totals = {day.partition.order: day.rows for day in past.known(partition)}
    references = past.references(partition)
    days = [(p, samples.of(p, totals.get(p.order))) for p in references]
    seed = seed_of(samples.table, partition)
    return SampleSet(samples.of(partition, rows), tuple(days), seed, skipped=past.skipped(partition))


def newest_schema(states: Sequence[tuple[Column, ...] | None]) -> tuple[Column, ...] | None:
    """The columns last seen; `states` are oldest first."""
    return next((state for state in reversed(states) if state is not None), None)


def latest_of(warehouse: Warehouse, table: Table, partition: Partition) -> dt.datetime | None:
    """The newest time in the table up to the partition's end; None for ids and empty tables."""
    if not is_timed(table):
        return None
    latest = warehouse.latest(table, partition)
    return latest if isinstance(latest, dt.datetime) else None
