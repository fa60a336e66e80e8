"""Days of a table as frames, judged in order with only the past known: the detector without a warehouse."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

os.environ.setdefault("OMP_NUM_THREADS", "1")

import duckdb
import pandas as pd

from checks.drift import Drift
from checks.drift.check import compare, scores_of
from checks.duplicates import Duplicates
from checks.frames import measure_frame
from checks.nulls import Nulls
from checks.stats import Stats
from checks.volume import Volume
from checks.zeros import Zeros
from monitor.judge import judge
from monitor.refine import refine
from monitor.types import (
    Aggregate,
    Column,
    ColumnKind,
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

CHECKS = [Volume(), Nulls(), Zeros(), Stats(), Duplicates(), Drift()]
LAGS = (1, 2, 3, 7, 14, 21, 28)


def kind_of(values: pd.Series) -> ColumnKind:
    if pd.api.types.is_bool_dtype(values):
        return ColumnKind.BOOLEAN
    if pd.api.types.is_numeric_dtype(values):
        return ColumnKind.NUMBER
    if pd.api.types.is_datetime64_any_dtype(values):
        return ColumnKind.TIMESTAMP
    return ColumnKind.TEXT


def normalise(frame: pd.DataFrame) -> pd.DataFrame:
    out = {}
    for name in frame.columns:
        values = frame[name]
        match kind_of(values):
            case ColumnKind.NUMBER:
                out[name] = values.astype("float64")
            case ColumnKind.TIMESTAMP:
                out[name] = values.astype("datetime64[us]")
            case ColumnKind.BOOLEAN:
                out[name] = values.astype(object)
            case _:
                out[name] = values.astype(object).where(values.notna(), None).astype("category")
    return pd.DataFrame(out)


class Replay:
    def __init__(self, name: str, path: Path, time_column: str, **settings):
        raw = duckdb.sql(f"SELECT * FROM '{path}' ORDER BY {time_column}").df()
        self.frame = normalise(raw)
        days = self.frame[time_column].dt.normalize()
        cols = tuple(Column(name, self._kind(raw[name]), "") for name in raw.columns)
        self.table = Table(name, "main", (name,), cols, TimeColumn(time_column, TimeForm.DATE), **settings)
        self.days = {d.date(): g.reset_index(drop=True) for d, g in self.frame.groupby(days, sort=True)}
        for g in self.days.values():
            for c in g.columns:
                if isinstance(g[c].dtype, pd.CategoricalDtype):
                    g[c] = g[c].cat.remove_unused_categories()
        self.dates = sorted(self.days)
        self.inputs = {i for c in CHECKS for i in c.inputs(self.table)}
        self.measures = [i.measure for i in self.inputs if isinstance(i, Aggregate)]
        self._agg: dict[dt.date, dict[Measure, float | None]] = {}
        self._scores: dict[dt.date, dict[str, float]] = {}
        self.bad: set[dt.date] = set()

    @staticmethod
    def _kind(values: pd.Series) -> ColumnKind:
        kind = kind_of(values)
        known = values.dropna()
        return ColumnKind.DATE if kind is ColumnKind.TIMESTAMP and (known == known.dt.normalize()).all() else kind

    def partition(self, d: dt.date) -> Partition:
        start = dt.datetime(d.year, d.month, d.day, tzinfo=ZoneInfo("UTC"))
        return Partition(start.isoformat(), d.isoformat(), start, start + dt.timedelta(days=1))

    def sampled(self, d: dt.date) -> pd.DataFrame:
        g = self.days[d]
        n = self.table.sample_rows
        return g if len(g) <= n else g.sample(n, random_state=7).reset_index(drop=True)

    def measured(self, frame: pd.DataFrame, d: dt.date) -> dict[Measure, float | None]:
        return measure_frame(frame, self.measures, self.table.columns, self.table.time.name, self.partition(d).start)

    def agg(self, d):
        if d not in self._agg:
            self._agg[d] = self.measured(self.days[d], d)
        return self._agg[d]

    def references(self, d: dt.date):
        past = [x for x in self.dates if x < d and x not in self.bad]
        want = [d - dt.timedelta(days=k) for k in LAGS]
        chosen = [x for x in want if x in self.days and x not in self.bad]
        for x in reversed(past[-28:]):
            if len(chosen) >= 7:
                break
            if x not in chosen:
                chosen.append(x)
        chosen.sort(reverse=True)
        return tuple((self.partition(x), self.sampled(x)) for x in chosen)

    def sample_set(self, d, frame=None):
        today = (
            self.sampled(d)
            if frame is None
            else (
                frame
                if len(frame) <= self.table.sample_rows
                else frame.sample(self.table.sample_rows, random_state=7).reset_index(drop=True)
            )
        )
        return SampleSet(today, self.references(d), seed=1)

    def scores(self, d):
        if d not in self._scores:
            ss = self.sample_set(d)
            if not ss.past:
                self._scores[d] = {}
            else:
                c = compare(self.table, self.partition(d), ss)
                s = scores_of(c)
                self._scores[d] = s
        return self._scores[d]

    def values(self, d, frame=None, drift_days=28, history=400):
        past = [x for x in self.dates if x < d][-history:]
        today = self.agg(d) if frame is None else self.measured(frame, d)
        values = {}
        for m in self.measures:
            values[Aggregate(m)] = Series(
                today[m], tuple(Point(self.partition(x), self.agg(x)[m], x not in self.bad) for x in past)
            )
        values[Sample()] = self.sample_set(d, frame)
        by = {}
        for x in past[-drift_days:]:
            for k, v in self.scores(x).items():
                by.setdefault(k, []).append(Point(self.partition(x), v, x not in self.bad))
        values[PastScores("drift")] = by
        return values

    def judge(self, d, frame=None, **kw):
        v = self.values(d, frame, **kw)
        ev = [e for c in CHECKS for e in c.evaluate(self.table, self.partition(d), v)]
        return refine(self.table, judge(self.table, ev), v[Sample()])


DATA = Path(os.environ.get("DAYWATCH_DATA", "benchmarks/detection/data"))
TABLES = {
    "flights": ("flights_nyc_2013.parquet", "flight_date"),
    "retail": ("online_retail.parquet", "file_date"),
    "github": ("github_ranking_2021_2022.parquet", "snapshot_date"),
    "taxi": ("nyc_taxi_samples.parquet", "pickup_date"),
    "beijing": ("beijing_air_quality.parquet", "obs_date"),
    "jhu": ("jhu_covid_daily_raw.parquet", "report_date"),
}


def load(name, **kw):
    f, t = TABLES[name]
    return Replay(name, DATA / f, t, **kw)
