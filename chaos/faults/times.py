"""Rows that say the wrong time, and so may belong to the wrong day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import RANDOM
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay
from chaos.query import Damage, SqlDay
from monitor.types import Change, ColumnKind

HOURS = 5


def _moved(day: FrameDay, columns: Sequence[str], gap: pd.Timedelta) -> pd.DataFrame:
    """The rows hit with other times; those that leave the day by the table's time column leave the frame."""
    frame = day.frame.copy(deep=False)
    for name in columns:
        if not pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            raise ChaosError(f"{name!r} holds no times", mend="choose a date or timestamp column")
        frame[name] = frame[name].where(~day.hit, frame[name] + gap)
    if day.time_column not in columns:
        return frame
    own = day.frame[day.time_column]
    return frame[_within(frame[day.time_column], own)]


def _within(times: pd.Series[Any], own: pd.Series[Any]) -> Any:
    days = own.dt.normalize()
    start, end = days.min(), days.max() + pd.Timedelta(days=1)
    return np.asarray(times.isna() | ((times >= start) & (times < end)))


def _moved_sql(day: SqlDay, columns: Sequence[str], amount: str) -> Damage:
    for name in columns:
        if day.kind(name) not in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
            raise ChaosError(f"{name!r} holds no times", mend="choose a date or timestamp column")
    return Damage(values={name: day.typed(name, f"({day.quote(name)} {amount})") for name in columns})


def _hours(intensity: float) -> int:
    return max(1, round(HOURS * intensity))


def _other_zone(day: FrameDay) -> pd.DataFrame:
    return _moved(day, day.columns, pd.Timedelta(hours=_hours(day.intensity)))


def _other_zone_sql(day: SqlDay) -> Damage:
    return _moved_sql(day, day.columns, f"+ INTERVAL {_hours(day.intensity)} HOUR")


def _late(day: FrameDay) -> pd.DataFrame:
    return _moved(day, (day.partition_column,), pd.Timedelta(days=1))


def _late_sql(day: SqlDay) -> Damage:
    return _moved_sql(day, (day.partition_column,), "+ INTERVAL 1 DAY")


def _early(day: FrameDay) -> pd.DataFrame:
    return _moved(day, (day.partition_column,), -pd.Timedelta(days=1))


def _early_sql(day: SqlDay) -> Damage:
    return _moved_sql(day, (day.partition_column,), "- INTERVAL 1 DAY")


FAULTS = (
    Fault(
        name="timezone_shift",
        change=Change.SHIFT_UP,
        needs=("time_column",),
        moves="column",
        about=f"Times come in another zone: {HOURS} hours (times intensity) later.",
        choice=RANDOM,
        frame=_other_zone,
        sql=_other_zone_sql,
        options=options(rows=1.0, intensity=1.0),
        count="hit",
        traceless_when="the rows are spread evenly over the day",
    ),
    Fault(
        name="late_rows",
        change=Change.ROWS_MISSING,
        needs=("partition_column",),
        moves="rows",
        about="A share of the rows comes a day late and is dated so.",
        choice=RANDOM,
        frame=_late,
        sql=_late_sql,
        options=options(rows=0.2),
        count="hit",
        traceless_when="the table's volume varies more than that",
    ),
    Fault(
        name="wrong_day",
        change=Change.ROWS_MISSING,
        needs=("partition_column",),
        moves="rows",
        about="A share of the rows is dated a day too early.",
        choice=RANDOM,
        frame=_early,
        sql=_early_sql,
        options=options(rows=0.2),
        count="hit",
        traceless_when="the table's volume varies more than that",
    ),
)
