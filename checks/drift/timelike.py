"""Columns that tell the day on every day (ids, versions, months): found from the past alone, they leave the model."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.marginal import code_column, divergence
from checks.frames import numbers_of
from monitor.types import Column, ColumnKind, Partition

SEPARATED_NATS = 1.0
"""Median divergence between neighbouring past days from which a column counts as time-like."""

COMES_AGAIN = 0.2
"""A text whose rows have, by this share or more, a value of the day before is no mark of the day."""
ROWS_MAX = 1_000
"""Rows of each day that are enough to see whether days barely overlap."""

OWN_MIN = 0.7
"""Part of each day's rows, at least, that say their own date in a column that says the date."""
_FORMS = ("%A", "%a", "%B", "%b", "%Y-%m", "%Y-%m-%d", "%Y%m%d", "%m", "%d", "%Y", "%d.%m.%Y", "%m/%d/%Y")

_PARTS: tuple[Callable[[dt.datetime], int], ...] = (
    lambda d: d.year,
    lambda d: d.month,
    lambda d: d.day,
    lambda d: d.isoweekday(),
    lambda d: d.weekday(),
    lambda d: d.isoweekday() % 7,
    lambda d: d.isoweekday() % 7 + 1,
    lambda d: d.isocalendar().week,
    lambda d: (d.month - 1) // 3 + 1,
    lambda d: d.timetuple().tm_yday,
    lambda d: d.year * 100 + d.month,
    lambda d: d.year * 10_000 + d.month * 100 + d.day,
)


def is_calendar(column: Column, days: Sequence[tuple[Partition, pd.DataFrame]]) -> bool:
    """Whether a column says nothing but a part of its own partition's date (month, weekday, yyyymm, ...).

    `days` are today and the past ones: a column that says its date on past days and something else today stays. Some
    rows of another date (of the month after, on its eve) are no more of an oddity than they were on past days. A column
    that some day has no sample of (it is new, or hidden) is none.
    """
    if any(column.name not in frame for _, frame in days):
        return False
    starts = [p.start for p, _ in days]
    if column.kind is ColumnKind.DATE and all(start is not None for start in starts):
        return all(_is_own_date(frame[column.name], p.start) for p, frame in days if p.start is not None)
    known_starts = [start for start in starts if start is not None]
    if not days or len(known_starts) < len(days):
        return False
    values = [frame[column.name] for _, frame in days]
    if column.kind is ColumnKind.TEXT and all(isinstance(v.dtype, pd.CategoricalDtype) for v in values):
        shares = [_ShareOfText(v) for v in values]
        return any(_says(shares, [start.strftime(form).lower() for start in known_starts]) for form in _FORMS)
    if column.kind is not ColumnKind.NUMBER:
        return False
    numbers = [_ShareOfNumber(v) for v in values]
    return any(_says(numbers, [part(start) for start in known_starts]) for part in _PARTS)


def _says(days: Sequence[Callable[[Any], float]], own: Sequence[Any]) -> bool:
    """Whether most rows of each day say its own date; today's (the first) no fewer than those of some past day.

    Args:
        days: of each day, what tells the share of its rows that have a value.
        own: each day's own value.
    """
    today = days[0](own[0])
    if today < OWN_MIN:
        return False
    past = [share(date) for share, date in zip(days[1:], own[1:], strict=True)]
    return OWN_MIN <= min(past, default=1.0) <= today


class _ShareOfNumber:
    """The share of a day's rows that have a number; the day is looked through when first asked."""

    def __init__(self, values: pd.Series) -> None:
        self._values = values

    def __call__(self, own: int) -> float:
        return float(np.count_nonzero(self._known == own)) / len(self._known) if len(self._known) else 0.0

    @cached_property
    def _known(self) -> npt.NDArray[np.float64]:
        numbers: npt.NDArray[np.float64] = self._values.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers[~np.isnan(numbers)]


class _ShareOfText:
    """The share of a day's rows that have a text, whatever its case; the day is looked through when first asked."""

    def __init__(self, values: pd.Series) -> None:
        self._values = values

    def __call__(self, own: str) -> float:
        known = self._rows.total()
        return self._rows[own] / known if known else 0.0

    @cached_property
    def _rows(self) -> Counter[str]:
        rows: Counter[str] = Counter()
        for text, count in _rows_of_text(self._values).items():
            rows[str(text).lower()] += count
        return rows


def says_date(values: Sequence[float], starts: Sequence[dt.datetime]) -> bool:
    """Whether numbers, one a day, are one and the same part of each day's date (its month, its weekday, yyyymmdd).

    >>> days = [dt.datetime(2013, 1, 31, tzinfo=dt.UTC), dt.datetime(2013, 2, 1, tzinfo=dt.UTC)]
    >>> says_date([1.0, 2.0], days), says_date([31.0, 1.0], days), says_date([5.0, 7.0], days)
    (True, True, False)
    """
    return bool(values) and any(all(v == part(s) for v, s in zip(values, starts, strict=True)) for part in _PARTS)


def _is_own_date(values: pd.Series, start: dt.datetime) -> bool:
    known = values.dropna()
    return len(known) == 0 or bool((known.dt.date == start.date()).all())


def is_timelike(column: Column, days: Sequence[tuple[Partition, pd.DataFrame]]) -> bool:
    """Whether past days are told apart by this column as a matter of course.

    Args:
        column: to look at.
        days: samples of past days, at least three for a verdict.

    Neighbours in the list are compared; numbers and times count when most pairs barely overlap, texts when their
    values hardly come again but are frequent within their day.
    """
    if len(days) < 3:
        return False
    drawn = [(partition, frame[column.name].iloc[:: max(len(frame) // ROWS_MAX, 1)]) for partition, frame in days]
    if not _moves_on(drawn):  # the cheaper question first: few columns pass it
        return False
    gaps = []
    for (here, one), (there, other) in pairwise(drawn):
        both = pd.concat([_plain(one, here), _plain(other, there)], ignore_index=True)
        if isinstance(one.dtype, pd.CategoricalDtype):
            both = both.astype("category")
        past = np.arange(len(both)) >= len(one)
        codes, bins = code_column(both, column.kind, past)
        gaps.append(divergence(codes[~past], codes[past], bins))
    return float(np.median(gaps)) > SEPARATED_NATS


def _plain(values: pd.Series, partition: Partition) -> pd.Series:
    """Texts as objects, times as their distance from their own partition's start: that is how they are compared."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(object)
    if pd.api.types.is_datetime64_any_dtype(values) and partition.start is not None:
        return values - pd.Timestamp(partition.start.replace(tzinfo=None))
    return values


def _moves_on(days: Sequence[tuple[Partition, pd.Series]]) -> bool:
    """Whether days differ as time does: numbers and times (beside their own day) go one way, texts hardly come again.

    What merely varies a lot from day to day is chaotic, not time-like: it stays, and its own past judges it.
    """
    ordered = sorted(days, key=lambda day: day[0].order)
    if isinstance(ordered[0][1].dtype, pd.CategoricalDtype):
        return _hardly_come_again([values for _, values in ordered])
    medians = []
    for partition, values in ordered:
        known = numbers_of(_plain_numbers(values, partition), ColumnKind.NUMBER)
        medians += [float(np.median(known))] if len(known) else []
    steps = np.sign(np.diff(medians))
    return len(steps) > 0 and bool(abs(steps.sum()) >= 0.8 * len(steps))


def _hardly_come_again(days: Sequence[pd.Series]) -> bool:
    rows = [_rows_of_text(values) for values in days]
    again = [
        sum(count for text, count in other.items() if text in one) / other.total()
        for one, other in pairwise(rows)
        if other
    ]
    return bool(again) and float(np.median(again)) < COMES_AGAIN


def _rows_of_text(values: pd.Series) -> Counter[Any]:
    """How many rows have each value; NULLs left out."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return Counter(values.dropna().tolist())
    codes = values.cat.codes.to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(values.cat.categories))
    there = np.flatnonzero(counts)
    return Counter(dict(zip(values.cat.categories[there].tolist(), counts[there].tolist(), strict=True)))


def _plain_numbers(values: pd.Series, partition: Partition) -> pd.Series:
    plain = _plain(values, partition)
    if pd.api.types.is_timedelta64_dtype(plain):
        return plain.dt.total_seconds()
    return plain.astype("int64") / 1e6 if pd.api.types.is_datetime64_any_dtype(plain) else plain
