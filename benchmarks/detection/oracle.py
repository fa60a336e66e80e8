"""What could be found at all: the ceiling that a detector's recall is told beside.

For each case the oracle is told the fault, its columns and its share, and may say in advance which one number of the
day it will look at: the row count; the share of repeated rows, of repeated keys, of rows of yesterday; the share of
values that are missing, never seen, or out of range; or the log-likelihood ratio between the day as it was and as the
fault leaves it, of a histogram: of a column's values, of how they are written, of a damaged column together with
another. That number is compared with the steadiest of three simple forecasts (mean of all past days, of the last week,
of the same weekday), and the oracle alarms where it lies beyond the errors of all clean days before, in the direction
that it knows. That is one false alarm in as many days as there are, about 60: half of one a month. It makes one test; a
detector must watch everything, share its budget among all, and not know what comes.

What it is not: the most powerful test of all. It sees pairs of columns and not three of them, and histograms of a few
dozen places; what it cannot tell is not proved untellable, and a detector may be ahead of it here and there. And it
chooses the best of its numbers by what the damage does to them, which is a little luck where the damage does nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import chaos
from benchmarks.detection.case import Case
from benchmarks.detection.codings import COARSE, Coding, FormCoding, ShapeCoding, histogram
from benchmarks.detection.replay import Replay
from checks.frames import row_hashes
from monitor.types import ColumnKind

Array = npt.NDArray[np.float64]
DAYS = 60
WARM = 7
"""Days before those, so that the first of them has a forecast."""
PAIRED = frozenset({"relation"})
RANDOM = "random"


class Oracle:
    """The ceiling of one table's cases; what past days hold is counted once."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self._day: dt.date | None = None
        self._kept: dict[Any, Any] = {}

    def power(self, case: Case) -> float:
        """The chance that the oracle finds the case, 0 to 1; one in the days and one more where nothing moves."""
        if case.day != self._day:
            self._day, self._kept = case.day, {}
        self.days = [*self.replay.before(case.day)[-(DAYS + WARM) :], case.day]
        return max(
            (_power(series, damage, self._weekdays()) for series, damage in self._numbers(case)),
            default=1.0 / (DAYS + 1),
        )

    def _weekdays(self) -> npt.NDArray[np.int64]:
        return np.array([day.weekday() for day in self.days])

    def _numbers(self, case: Case) -> Iterator[tuple[Array, float]]:
        """Each number over the days (the last is the case's, as it was), and by how much the fault moves it."""
        if case.fault is None:
            return
        rows = np.log([len(self.replay.days[day]) for day in self.days])
        moves = chaos.FAULTS[case.fault].moves
        if len(case.frame) != len(self.replay.days[case.day]):
            yield rows, float(np.log(max(len(case.frame), 1)) - rows[-1])
        if moves == "rows" or len(case.frame) != len(self.replay.days[case.day]):
            yield from self._repeats(case)
        time = self.replay.table.time
        own = [
            c.name for c in self.replay.table.columns if time is None or c.name != time.name or c.name in case.columns
        ]
        names = list(case.columns) if case.columns and moves != "rows" else own
        if moves == "rows" and not case.columns and chaos.FAULTS[case.fault].choice.name == RANDOM:
            names = []  # which rows chance takes is not told: their values say nothing
        for name in names:
            yield from self._column(case, name)
        if moves in PAIRED:
            for name in case.columns or names:
                for other in own:
                    if other != name:
                        yield from self._pair(case, name, other)

    def _repeats(self, case: Case) -> Iterator[tuple[Array, float]]:
        table = self.replay.table
        numbers = tuple(c.name for c in table.columns if c.kind is ColumnKind.NUMBER)
        others = tuple(c.name for c in table.columns if c.kind is not ColumnKind.NUMBER)
        for key in dict.fromkeys((None, table.key or None, numbers or None, others or None)):
            series = self._keep(("repeats", key), lambda d, k=key: _repeated(self.replay.days[d], k))
            yield series, _repeated(case.frame, key) - series[-1]
        series = self._keep("again", lambda d: self._again(d, self.replay.days[d]))
        yield series, self._again(case.day, case.frame) - series[-1]

    def _keep(self, name: Any, of: Any) -> Array:
        if name not in self._kept:
            self._kept[name] = np.array([of(day) for day in self.days])
        return np.asarray(self._kept[name])

    def _again(self, day: dt.date, frame: pd.DataFrame) -> float:
        """The share of rows that the day before had too, the time column apart."""
        before = self.replay.before(day)[-1:]
        if not before:
            return 0.0
        time = self.replay.table.time
        kept = [c.name for c in self.replay.table.columns if time is None or c.name != time.name]
        kept = [c for c in kept if not pd.api.types.is_datetime64_any_dtype(frame[c].dtype)]
        return float(np.isin(_hashes(frame[kept]), _hashes(self.replay.days[before[0]][kept])).mean())

    def _codings(self, name: str) -> list[Any]:
        key = ("codings", name)
        if key not in self._kept:
            column = self.replay.table.column(name)
            past = [(pd.Timestamp(d), self.replay.days[d][name]) for d in self.days[:-1]]
            made: list[Any] = [Coding(column, past), FormCoding(column, past[-1][1])]
            if column.kind is ColumnKind.NUMBER:
                made.append(Coding(column, past, centred=True))
            if column.kind is ColumnKind.TEXT:
                made.append(ShapeCoding(past))
            self._kept[key] = [coding for coding in made if coding.size]
        return list(self._kept[key])

    def _codes(self, name: str, place: int, day: dt.date) -> npt.NDArray[np.int64]:
        key = ("codes", name, place, day)
        if key not in self._kept:
            self._kept[key] = self._codings(name)[place].of(self.replay.days[day][name], pd.Timestamp(day))
        return np.asarray(self._kept[key])

    def _column(self, case: Case, name: str) -> Iterator[tuple[Array, float]]:
        for place, coding in enumerate(self._codings(name)):
            key = ("days", name, place)
            if key not in self._kept:
                self._kept[key] = np.array([histogram(self._codes(name, place, d), coding.size) for d in self.days])
            before = self._codes(name, place, case.day)
            after = coding.of(case.frame[name], pd.Timestamp(case.day))
            for rare in dict.fromkeys((0, *coding.outside)):
                share = self._kept[key][:, rare]
                yield share, float(np.mean(after == rare)) - share[-1]
            yield from _ratios(self._kept[key], before, after, coding.size)

    def _pair(self, case: Case, name: str, other: str) -> Iterator[tuple[Array, float]]:
        """Both columns' coarse codes as one."""
        width = COARSE + 1
        one, two = self._codings(name)[0], self._codings(other)[0]

        def joint(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
            return np.asarray(one.coarse[first] * width + two.coarse[second])

        key = ("pair", name, other)
        if key not in self._kept:
            self._kept[key] = np.array(
                [histogram(joint(self._codes(name, 0, d), self._codes(other, 0, d)), width**2) for d in self.days]
            )
        day = pd.Timestamp(case.day)
        before = joint(self._codes(name, 0, case.day), self._codes(other, 0, case.day))
        after = joint(one.of(case.frame[name], day), two.of(case.frame[other], day))
        yield from _ratios(self._kept[key], before, after, width**2)


def _ratios(
    days: Array, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], size: int
) -> Iterator[tuple[Array, float]]:
    """The log-likelihood ratio of the damage over the days, and its move.

    Where rows stay in place the ratio is learnt on one half of them and the move taken on the other.
    """
    if np.array_equal(before, after):
        return
    halves = [(slice(None), slice(None))]
    if len(before) == len(after):
        halves = [(slice(0, None, 2), slice(1, None, 2))]
    rows = len(before)
    usual = days[:-1].mean(axis=0)
    for learn, tell in halves:
        moved = histogram(after[learn], size) - histogram(before[learn], size)
        blank = 0.5 / rows
        ratio = np.log((np.maximum(usual + moved, 0.0) + blank) / (usual + blank))
        told = histogram(after[tell], size) - histogram(before[tell], size)
        yield days @ ratio, float(told @ ratio)


def _power(series: Array, damage: float, weekdays: npt.NDArray[np.int64]) -> float:
    """How often the damaged number lies beyond all errors of the other days, whichever day it is put on."""
    errors = _errors(series, weekdays) * np.sign(damage)
    if damage == 0:
        return 1.0 / len(errors)
    ordered = np.sort(errors)
    highest, second = ordered[-1], ordered[-2]
    others = np.where(errors == highest, second if (errors == highest).sum() == 1 else highest, highest)
    return float(np.mean(errors + abs(damage) > others + 1e-12 * max(abs(damage), 1.0)))


def _errors(series: Array, weekdays: npt.NDArray[np.int64]) -> Array:
    """Errors of the steadiest of three simple forecasts, from the first day with a week before it."""
    forecasts = []
    for i in range(WARM, len(series)):
        alike = [j for j in range(i) if weekdays[j] == weekdays[i]][-4:]
        week = series[i - WARM : i].mean()
        forecasts.append((series[:i].mean(), week, series[alike].mean() if alike else week))
    errors = series[WARM:, None] - np.array(forecasts)
    best = int(np.argmin(np.mean(np.abs(errors[:-1]), axis=0)))
    return np.asarray(errors[:, best])


def _repeated(frame: pd.DataFrame, key: tuple[str, ...] | None) -> float:
    """The share of rows beyond the first of each group of equal ones, by the key where one is given."""
    hashes = _hashes(frame[list(key)] if key else frame)
    return 1.0 - len(np.unique(hashes)) / max(len(hashes), 1)


def _hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    plain = pd.DataFrame(
        {c: v.astype(object) if isinstance(v.dtype, pd.CategoricalDtype) else v for c, v in frame.items()}
    )
    return row_hashes(plain)
