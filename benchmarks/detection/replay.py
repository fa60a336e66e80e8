"""Days of a table judged in order with only the past known, by the same checks and judge as the service, on frames."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import duckdb
import pandas as pd

from benchmarks.detection.segmented import Segmented
from checks.drift import Drift
from checks.drift.compare import compare, scores_of
from checks.duplicates import Duplicates
from checks.frames import measure_frame
from checks.missing import Missing
from checks.nulls import Nulls
from checks.stats import Stats
from checks.volume import Volume
from checks.zeros import Zeros
from monitor.incident import Group, group
from monitor.judge import Verdict, judge
from monitor.partitions import partition_at
from monitor.past import REFERENCE_LAGS, REFERENCES_MAX
from monitor.refine import refine
from monitor.types import (
    Aggregate,
    Cadence,
    Column,
    ColumnKind,
    Input,
    Measure,
    Partition,
    PastScores,
    Point,
    Sample,
    SampleSet,
    Series,
    Table,
    TimeColumn,
    TimeForm,
)

CHECKS = (Volume(), Nulls(), Zeros(), Stats(), Duplicates(), Drift(), Missing())
HISTORY_DAYS = 150
DRIFT_DAYS = 28
SEED = 7


class Replay:
    """A table whose days are judged on frames; what clean days measured and scored is kept."""

    def __init__(self, name: str, path: Path, time_column: str, key: tuple[str, ...] = ()) -> None:
        # rows of a day in the order of the file, which threads that sort do not keep by themselves
        stored = f"read_parquet('{path}', file_row_number = true)"
        order = f"ORDER BY {time_column}, file_row_number"
        raw = duckdb.sql(f"SELECT * EXCLUDE (file_row_number) FROM {stored} {order}").df()
        columns = tuple(Column(c, _kind(raw[c]), "") for c in raw.columns)
        self.table = Table(name, "main", (name,), columns, TimeColumn(time_column, TimeForm.DATE), key=key)
        frame = _normalise(raw, columns)
        self.days: dict[dt.date, pd.DataFrame] = {}
        for day, rows in frame.groupby(frame[time_column].dt.normalize(), sort=True):
            self.days[day.date()] = _trim(rows.reset_index(drop=True))
        self.dates = list(self.days)
        inputs = {needed for check in CHECKS for needed in check.inputs(self.table)}
        self.measures = [needed.measure for needed in inputs if isinstance(needed, Aggregate)]
        self._measured: dict[dt.date, dict[Measure, float | None]] = {}
        self._scores: dict[dt.date, dict[str, float]] = {}
        self.segmented = Segmented(self)

    def partition(self, day: dt.date) -> Partition:
        """The partition that starts on that day."""
        return partition_at(Cadence.DAY, "UTC", day)

    def before(self, day: dt.date) -> list[dt.date]:
        """Days with rows before that one, oldest first."""
        return [d for d in self.dates if d < day]

    def judge(self, day: dt.date, frame: pd.DataFrame | None = None) -> tuple[list[Verdict], list[Group]]:
        """Verdicts and causes of a day, as it was or with `frame` in its place."""
        values = self._values(day, self.days[day] if frame is None else frame)
        evidence = [e for check in CHECKS for e in check.evaluate(self.table, self.partition(day), values)]
        verdicts = refine(self.table, judge(self.table, evidence), values[Sample()])
        return verdicts, group(verdicts, [])

    def warm(self, day: dt.date) -> None:
        """Measure and score the past of a day, so that judging it costs what it costs a service that ran before."""
        self._values(day, self.days[day])

    def _values(self, day: dt.date, frame: pd.DataFrame) -> dict[Input, Any]:
        past = self.before(day)[-HISTORY_DAYS:]
        today = self.measure(frame, day)
        values: dict[Input, Any] = {
            Aggregate(m): Series(today[m], tuple(Point(self.partition(d), self.known(d)[m]) for d in past))
            for m in self.measures
        }
        values[Sample()] = SampleSet(self.sampled(frame), self.references(day), SEED)
        scores: dict[str, list[Point]] = {}
        for d in past[-DRIFT_DAYS:]:
            for name, score in self.scored(d).items():
                scores.setdefault(name, []).append(Point(self.partition(d), score))
        values[PastScores("drift")] = scores
        return {**values, **self.segmented.values(day, frame, [(d, frozenset()) for d in past])}

    def measure(self, frame: pd.DataFrame, day: dt.date) -> dict[Measure, float | None]:
        """The aggregates of `frame` as rows of that day."""
        time = self.table.time
        return measure_frame(
            frame, self.measures, self.table.columns, time.name if time else None, self.partition(day).start
        )

    def known(self, day: dt.date) -> dict[Measure, float | None]:
        """The aggregates of a day as it was; kept."""
        if day not in self._measured:
            self._measured[day] = self.measure(self.days[day], day)
        return self._measured[day]

    def scored(self, day: dt.date) -> dict[str, float]:
        """What the drift check says of a day as it was, by the days before it; kept."""
        if day not in self._scores:
            samples = SampleSet(self.sampled(self.days[day]), self.references(day), SEED)
            self._scores[day] = scores_of(compare(self.table, self.partition(day), samples)) if samples.past else {}
        return self._scores[day]

    def sampled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a day that are compared with those of others."""
        rows = self.table.sample_rows
        return frame if len(frame) <= rows else frame.sample(rows, random_state=SEED).reset_index(drop=True)

    def references(self, day: dt.date) -> tuple[tuple[Partition, pd.DataFrame], ...]:
        """The past days that a day is compared with, newest first."""
        chosen = [d for k in REFERENCE_LAGS[Cadence.DAY] if (d := day - dt.timedelta(days=k)) in self.days]
        for d in reversed(self.before(day)[-DRIFT_DAYS:]):
            if len(chosen) >= REFERENCES_MAX:
                break
            if d not in chosen:
                chosen.append(d)
        return tuple((self.partition(d), self.sampled(self.days[d])) for d in sorted(chosen, reverse=True))


def _kind(values: pd.Series) -> ColumnKind:
    if pd.api.types.is_bool_dtype(values):
        return ColumnKind.BOOLEAN
    if pd.api.types.is_numeric_dtype(values):
        return ColumnKind.NUMBER
    if pd.api.types.is_datetime64_any_dtype(values):
        known = values.dropna()
        return ColumnKind.DATE if (known == known.dt.normalize()).all() else ColumnKind.TIMESTAMP
    return ColumnKind.TEXT


def _normalise(raw: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """The types that a warehouse's sample has."""
    told = {}
    for column in columns:
        values = raw[column.name]
        match column.kind:
            case ColumnKind.NUMBER:
                told[column.name] = values.astype("float64")
            case ColumnKind.TIMESTAMP | ColumnKind.DATE:
                told[column.name] = values.astype("datetime64[us]")
            case ColumnKind.BOOLEAN:
                told[column.name] = values.astype(object)
            case _:
                told[column.name] = values.astype(object).where(values.notna(), None).astype("category")
    return pd.DataFrame(told)


def _trim(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame
