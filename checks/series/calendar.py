"""Which partitions resemble each other by the calendar: weekday, place in the month, holidays, hour."""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitor.types import Cadence, Partition

MONTH_EDGE_DAYS = 3
"""How many days at the start and at the end of a month are told apart from the middle."""


@dataclass(frozen=True)
class Calendar:
    """Group numbers by partition: `groups[name]` is an int array of one entry a partition, the judged one last.

    Group 0 of every group but `weekday` and `hour` means "an ordinary day" and has no effect of its own.
    """

    groups: dict[str, npt.NDArray[np.int64]]
    sizes: dict[str, int]

    def __len__(self) -> int:
        return len(next(iter(self.groups.values()))) if self.groups else 0


def calendar_of(partitions: Sequence[Partition], cadence: Cadence, country: str | None = None) -> Calendar:
    """The calendar of these partitions; ids that are not times have none.

    Args:
        partitions: past ones oldest first, the judged one last.
        cadence: hour adds the hour of the day, week drops the weekday.
        country: ISO 3166 code whose public holidays are told apart, or None.
    """
    starts = [p.start for p in partitions]
    if any(start is None for start in starts):
        return Calendar({}, {})
    days = [start.date() for start in starts if start is not None]
    groups: dict[str, npt.NDArray[np.int64]] = {}
    sizes: dict[str, int] = {}
    if cadence is Cadence.HOUR:
        groups["hour"] = np.array([start.hour for start in starts if start is not None])
        sizes["hour"] = 24
    if cadence is not Cadence.WEEK:
        groups["weekday"] = np.array([day.weekday() for day in days])
        sizes["weekday"] = 7
    if cadence is Cadence.DAY:
        groups["month"] = np.array([_month_edge(day) for day in days])
        sizes["month"] = 2 * MONTH_EDGE_DAYS + 1
    if country:
        groups["holiday"] = np.array([_holiday(day, country) for day in days])
        sizes["holiday"] = 3
    return Calendar(groups, sizes)


def _month_edge(day: dt.date) -> int:
    if day.day <= MONTH_EDGE_DAYS:
        return day.day
    from_end = gregorian.monthrange(day.year, day.month)[1] - day.day
    return 2 * MONTH_EDGE_DAYS - from_end if from_end < MONTH_EDGE_DAYS else 0


@lru_cache(maxsize=4096)
def _holiday(day: dt.date, country: str) -> int:
    """1 on a public holiday, 2 on the day after one, else 0."""
    dates = _holidays(country)
    if day in dates:
        return 1
    return 2 if day - dt.timedelta(days=1) in dates else 0


@lru_cache(maxsize=64)
def _holidays(country: str) -> dict[dt.date, str]:
    import holidays  # noqa: PLC0415 - costs 0.2 s, needed only where a country is set

    return holidays.country_holidays(country)
