"""Tables, days and pasts that a check may meet, made up from a table's columns: what conformance tries checks on."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.frames import group_frame, measure_frame
from checks.groups import series_of
from monitor.types import (
    ROWS,
    Aggregate,
    Arrival,
    ArrivalState,
    Cadence,
    Column,
    ColumnKind,
    Grouped,
    Groups,
    GroupSeries,
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
    TimeColumn,
    TimeForm,
    Values,
)

DAY_ROWS = 40
NONE: frozenset[str] = frozenset()
PAST_DAYS = 12
FIRST = dt.datetime(2024, 1, 29, tzinfo=dt.UTC)
_STEPS = {Cadence.HOUR: dt.timedelta(hours=1), Cadence.DAY: dt.timedelta(days=1), Cadence.WEEK: dt.timedelta(weeks=1)}
_TIMES = (ColumnKind.DATE, ColumnKind.TIMESTAMP)
_IDS = (TimeForm.INTEGER_ID, TimeForm.TEXT_ID)
_OF_NUMBERS = frozenset({"zeros", "mean", "stddev", "min", "max", "quantile", "nonfinite"})
_OF_SQL = frozenset({"count_where", "expression"})
_FOLLOWED = frozenset({"followed", "changed"})
_OF_TEXTS = frozenset({"empty", "length_mean"})

Make = Callable[[np.random.Generator, Column, int], "pd.Series | pd.Categorical"]


@dataclass(frozen=True)
class Situation:
    """One day of a table with its past; `values` hands a check what it asks for.

    `schema_before` are the columns last seen, `days` the past partitions with their rows, oldest first (None where
    there were none).
    """

    name: str
    table: Table
    partition: Partition
    today: pd.DataFrame
    days: tuple[tuple[Partition, pd.DataFrame | None], ...]
    schema_before: tuple[Column, ...]
    bad: frozenset[str] = frozenset()
    _measured: dict[str, Mapping[Measure, float | None]] = field(default_factory=dict, init=False, compare=False)
    _grouped_today: dict[Groups, Grouped] = field(default_factory=dict, init=False, compare=False)
    _grouped_past: dict[tuple[str, Groups], Grouped] = field(default_factory=dict, compare=False)
    """By partition; situations that are made of one another share it with their `days`."""

    def values(self, inputs: Sequence[Input], scored: Sequence[str] = ()) -> Values:
        """Fresh values of these inputs (the same ones on every call); `scored` are the names of the check's scores."""
        measures = [needed.measure for needed in inputs if isinstance(needed, Aggregate)]
        today = self._measure(self.partition, self.today, measures)
        past = [(p, self._measure(p, frame, measures)) for p, frame in self.days]
        return {needed: self._value(needed, today, past, scored) for needed in inputs}

    def _value(
        self,
        needed: Input,
        today: Mapping[Measure, float | None],
        past: Sequence[tuple[Partition, Mapping[Measure, float | None]]],
        scored: Sequence[str],
    ) -> object:
        match needed:
            case Aggregate(measure):
                points = tuple(Point(p, values[measure], p.order not in self.bad) for p, values in past)
                return Series(today[measure], points)
            case Sample():
                frames = [(p, f) for p, f in self.days if f is not None and p.order not in self.bad]
                kept = tuple((p, f.copy()) for p, f in reversed(frames[-7:]))
                return SampleSet(self.today.copy(), kept, _seed(self.name))
            case SchemaState():
                return self.schema_before or None
            case Arrival():
                counts = tuple(Point(p, 0.0 if f is None else float(len(f))) for p, f in self.days)
                due = self.partition.end
                now = due or FIRST + dt.timedelta(days=400)
                return ArrivalState(now, len(self.today), True, due, None, counts)
            case PastScores():
                return {name: self._scores(name) for name in scored}
            case Groups():
                return self._grouped(needed)
            case Segments():
                asked = [Groups((c,)) for c in needed.columns[:4]] + [Groups(clock=c) for c in needed.clocks]
                return tuple(self._grouped(groups) for groups in asked)

    def _grouped(self, groups: Groups) -> GroupSeries:
        """As the warehouse answers; statistics are numbers made up."""
        failed = frozenset({"missing", "metric", "entity"})
        past = [
            (p, None if f is None else self._group(p, f, groups), failed if p.order in self.bad else NONE)
            for p, f in self.days
        ]
        if groups not in self._grouped_today:
            self._grouped_today[groups] = group_frame(self.today, groups, _seed(self.partition.order))
        return series_of(groups, past, self._grouped_today[groups])

    def _group(self, partition: Partition, frame: pd.DataFrame, groups: Groups) -> Grouped:
        key = partition.order, groups
        if key not in self._grouped_past:
            self._grouped_past[key] = group_frame(frame, groups, _seed(partition.order))
        return self._grouped_past[key]

    def _scores(self, name: str) -> tuple[Point, ...]:
        random = np.random.default_rng(_seed(name))
        return tuple(Point(p, float(random.exponential(0.02)), p.order not in self.bad) for p, _ in self.days)

    def _measure(
        self, partition: Partition, frame: pd.DataFrame | None, measures: Sequence[Measure]
    ) -> Mapping[Measure, float | None]:
        if partition.order not in self._measured:
            self._measured[partition.order] = _measure(self.table, partition, frame, measures)
        return self._measured[partition.order]


def _measure(
    table: Table, partition: Partition, frame: pd.DataFrame | None, measures: Sequence[Measure]
) -> dict[Measure, float | None]:
    """As the warehouse answers: None where a measure means nothing for its column, or has no value."""
    if frame is None:
        return {m: 0.0 if m == ROWS else None for m in measures}
    own = table.time.name if table.time and table.time.form is not TimeForm.DATE else None
    fit = [m for m in measures if _is_fit(table, m)]
    found = measure_frame(frame, fit, table.columns, own, partition.start)
    values: dict[Measure, float | None] = {m: v if v is not None and np.isfinite(v) else None for m, v in found.items()}
    for m in measures:
        if m.kind in _OF_SQL:
            random = np.random.default_rng(_seed(m.key + partition.order))
            values[m] = float(random.integers(0, len(frame) + 1))
        if m.kind in _FOLLOWED:
            values[m] = float(len(frame)) if m.kind == "followed" else float(len(frame) // 3)
    return {m: values.get(m) for m in measures}


def _is_fit(table: Table, m: Measure) -> bool:
    if m.kind in _OF_SQL | _FOLLOWED:
        return False
    kind = table.column(m.column).kind if m.column else None
    if m.kind in _OF_NUMBERS:
        return kind is ColumnKind.NUMBER or (m.kind == "quantile" and kind in _TIMES)
    if m.kind in _OF_TEXTS:
        return kind is ColumnKind.TEXT
    return m.kind != "true" or kind is ColumnKind.BOOLEAN


def situations_of(table: Table) -> Iterator[Situation]:
    """Everything that may happen to this table."""
    ordinary = _situation("ordinary days", table)
    yield ordinary
    yield replace(ordinary, name="an empty day", today=ordinary.today.iloc[:0].reset_index(drop=True))
    yield replace(ordinary, name="one row", today=ordinary.today.iloc[:1])
    for name, make in _DAYS.items():
        yield _situation(f"{name} today", table, today=make)
        yield _situation(f"{name} always", table, today=make, past=make)
    for points in range(6):
        yield replace(ordinary, name=f"a past of {points}", days=ordinary.days[PAST_DAYS - points :])
    gaps = tuple((p, None if i % 3 == 1 else f) for i, (p, f) in enumerate(ordinary.days))
    yield replace(ordinary, name="a past with gaps", days=gaps)
    yield replace(ordinary, name="a past without rows", days=tuple((p, None) for p, _ in ordinary.days))
    bad = frozenset(p.order for p, _ in ordinary.days[2:])
    yield replace(ordinary, name="a past judged bad", bad=bad)
    yield replace(ordinary, name="columns seen for the first time", schema_before=())
    gone = Column("daywatch gone", ColumnKind.TEXT, "VARCHAR")
    yield replace(ordinary, name="other columns before", schema_before=(gone, *table.columns[1:]))
    if table.time is not None:
        named = replace(table, time=TimeColumn(table.time.name, TimeForm.INTEGER_ID))
        yield _situation("ids instead of times", named)


def _situation(name: str, table: Table, today: Make | None = None, past: Make | None = None) -> Situation:
    partitions = [_partition(table, step) for step in range(PAST_DAYS + 1)]
    days = tuple((p, _frame(table, p, past or _make)) for p in partitions[:-1])
    return Situation(name, table, partitions[-1], _frame(table, partitions[-1], today or _make), days, table.columns)


def _partition(table: Table, step: int) -> Partition:
    if table.time is not None and table.time.form in _IDS:
        return Partition(order=f"1{step:040d}", label=str(step), value=step)
    start = FIRST + step * _STEPS[table.cadence]
    return Partition(start.isoformat(), start.date().isoformat(), start, start + _STEPS[table.cadence])


def _frame(table: Table, partition: Partition, make: Make) -> pd.DataFrame:
    return _rows(table.name, table.columns, table.time, table.cadence, partition, make)


@lru_cache(maxsize=2_000)  # a table is tried by one check after the other; values hand out copies
def _rows(
    name: str, columns: tuple[Column, ...], time: TimeColumn | None, cadence: Cadence, partition: Partition, make: Make
) -> pd.DataFrame:
    random = np.random.default_rng(_seed(name + partition.order))
    own = time.name if time else None
    made = {
        c.name: _own_times(random, time, cadence, partition) if c.name == own else make(random, c, DAY_ROWS)
        for c in columns
    }
    return pd.DataFrame(made, index=pd.RangeIndex(DAY_ROWS))


def _own_times(
    random: np.random.Generator, time: TimeColumn | None, cadence: Cadence, partition: Partition
) -> pd.Series:
    """The table's own time column: within its partition, or its id."""
    if partition.start is None:
        return pd.Series(np.full(DAY_ROWS, float(partition.value or 0)))
    start = np.datetime64(partition.start.replace(tzinfo=None), "us")
    if time is not None and time.form is TimeForm.DATE:
        return pd.Series(np.full(DAY_ROWS, start))
    span = int(_STEPS[cadence].total_seconds())
    return pd.Series(start + random.integers(0, span, DAY_ROWS).astype("timedelta64[s]"))


def _make(random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    """Ordinary values of a column of this kind, some of them missing, in the types that samples have."""
    missing = random.random(rows) < 0.1
    match column.kind:
        case ColumnKind.NUMBER:
            return pd.Series(np.where(missing, np.nan, np.round(random.gamma(2.0, 10.0, rows), 2)))
        case ColumnKind.BOOLEAN:
            flags = pd.Series(random.random(rows) < 0.3, dtype=object)
            return flags.mask(missing, None)
        case ColumnKind.DATE | ColumnKind.TIMESTAMP:
            step = 86_400 if column.kind is ColumnKind.DATE else 1
            seconds = random.integers(0, 40 * 86_400 // step, rows) * step
            stamps = np.datetime64("2024-01-01", "us") + seconds.astype("timedelta64[s]")
            return pd.Series(np.where(missing, np.datetime64("NaT", "us"), stamps))
        case _:
            texts = random.choice(["a", "bb", "", "Ccc 1", "ä"], rows).astype(object)
            texts[missing] = None
            return _texts(texts)


def _nulls(_random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    match column.kind:
        case ColumnKind.NUMBER:
            return pd.Series(np.full(rows, np.nan))
        case ColumnKind.BOOLEAN:
            return pd.Series([None] * rows, dtype=object)
        case ColumnKind.DATE | ColumnKind.TIMESTAMP:
            return pd.Series(np.full(rows, np.datetime64("NaT", "us")))
        case _:
            return _texts(np.full(rows, None))


def _constant(_random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    one = _make(np.random.default_rng(3), column, 20)
    known = pd.Series(one).dropna()
    repeated = pd.Series([known.iloc[0]] * rows)
    if isinstance(one, pd.Categorical):
        return _texts(repeated.to_numpy(dtype=object))
    return repeated.astype(one.dtype)


def _unique(random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    """Texts that never come twice; of other kinds the ordinary values."""
    made = _make(random, column, rows)
    if isinstance(made, pd.Categorical):
        return _texts(np.array([f"{random.integers(2**40):x} é 表 {i}" for i in range(rows)], dtype=object))
    return made


def _infinite(random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    if column.kind is not ColumnKind.NUMBER:
        return _make(random, column, rows)
    return pd.Series(random.choice([np.inf, -np.inf, np.nan, 0.0, 1.0], rows))


def _extreme(random: np.random.Generator, column: Column, rows: int) -> pd.Series | pd.Categorical:
    match column.kind:
        case ColumnKind.NUMBER:
            # beyond 1e150 engines' squares overflow; the warehouse leaves such values out of means
            return pd.Series(random.choice([1e140, -1e140, 1e-300, 0.0, 2.0**63, -5.0], rows))
        case ColumnKind.DATE | ColumnKind.TIMESTAMP:
            ends = np.array(["0001-01-01", "9999-12-31", "1969-12-31"], dtype="datetime64[us]")
            return pd.Series(random.choice(ends, rows))
        case ColumnKind.BOOLEAN:
            return pd.Series(random.random(rows) < 0.5, dtype=object)
        case _:
            return _texts(random.choice(["x" * 4_000, "\x00", "\t", "'; --", "🤦🏼"], rows))


def _texts(values: npt.NDArray[np.object_] | npt.NDArray[np.str_]) -> pd.Categorical:
    categories = pd.Index(sorted({v for v in values if v is not None}), dtype="str")
    place = {text: code for code, text in enumerate(categories)}
    return pd.Categorical.from_codes([place.get(v, -1) for v in values], categories=categories)


def _seed(text: str) -> int:
    return zlib.crc32(text.encode())


_DAYS: dict[str, Make] = {
    "all NULL": _nulls,
    "constants": _constant,
    "unique texts": _unique,
    "infinities": _infinite,
    "extremes": _extreme,
}
