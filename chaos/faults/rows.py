"""Rows that are gone, or come in addition without being copies of the day's own."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from chaos.choice import EVERYTHING, FIRST, LAST, MODE, RANDOM, TAIL_OF_GROUPS
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay, with_rows
from chaos.query import Damage, SqlDay, in_turn
from monitor.types import Change, ColumnKind


def _dropped(day: FrameDay) -> pd.DataFrame:
    return day.frame[~day.hit]


def _dropped_sql(_: SqlDay) -> Damage:
    return Damage(keep="NOT chaos_hit")


def moved_to_today(day: FrameDay) -> pd.DataFrame:
    """Yesterday's rows, in an order by chance, with today's date in the table's time column."""
    past = day.past.iloc[day.rng.permutation(len(day.past))]
    if day.time_column is None or not pd.api.types.is_datetime64_any_dtype(day.frame[day.time_column].dtype):
        return past
    gap = day.frame[day.time_column].dt.normalize().min() - past[day.time_column].dt.normalize().min()
    if gap is pd.NaT:
        return past
    return past.assign(**{day.time_column: past[day.time_column] + gap})


def _grown(day: FrameDay) -> pd.DataFrame:
    past = moved_to_today(day)
    return with_rows(day.frame, past.iloc[np.arange(int(day.hit.sum())) % len(past)])


def _refuse_unmovable(day: SqlDay) -> None:
    """Yesterday's rows can be dated today only where the table's time column holds times."""
    name = day.time_column
    if name is not None and day.kind(name) not in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        raise ChaosError(f"the time column {name!r} holds no dates or timestamps", mend="choose another fault")


def _grown_sql(day: SqlDay) -> Damage:
    _refuse_unmovable(day)
    rows = ", ".join(f"chaos_yesterday.{day.quote(name)}" for name in day.table_columns)
    joined = "chaos_turned INNER JOIN chaos_yesterday ON chaos_yesterday.chaos_place = chaos_turned.chaos_turn"
    more = f"SELECT {rows} FROM {joined} WHERE chaos_hit"
    return Damage(steps=(in_turn("chaos_yesterday"),), extra=(more,))


def _replayed(day: FrameDay) -> pd.DataFrame:
    past = moved_to_today(day)
    return with_rows(day.frame[~day.hit], past.iloc[: round(day.rows * len(past))])


def _replayed_sql(day: SqlDay) -> Damage:
    _refuse_unmovable(day)
    count = day.share_of("(SELECT COUNT(*) FROM chaos_yesterday)")
    more = f"SELECT {day.all_columns} FROM chaos_yesterday WHERE chaos_place <= {count}"
    return Damage(keep="NOT chaos_hit", extra=(more,))


def _many_values(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether the first column orders the rows of each group, as a page's rank does."""
    order, *groups = columns
    if frame[order].nunique() < 10:
        return False
    return not groups or bool(frame.dropna(subset=order).duplicated([order, *groups]).mean() < 0.01)


FAULTS = (
    Fault(
        name="volume_drop",
        change=Change.ROWS_MISSING,
        needs=(),
        moves="rows",
        about="A share of the rows, at random, is gone.",
        choice=RANDOM,
        frame=_dropped,
        sql=_dropped_sql,
        options=options(rows=0.3),
        count="hit",
        traceless_when="the table's volume varies more than that",
    ),
    Fault(
        name="volume_growth",
        change=Change.ROWS_EXTRA,
        needs=("yesterday",),
        moves="rows",
        about="More rows come: rows of the day before, dated today, are added.",
        choice=RANDOM,
        frame=_grown,
        sql=_grown_sql,
        options=options(rows=0.5),
        count="added",
        traceless_when="the table's volume varies more than that",
    ),
    Fault(
        name="segment_drop",
        change=Change.ROWS_MISSING,
        needs=("segment",),
        moves="rows",
        about="All rows of one segment are gone.",
        choice=EVERYTHING,
        frame=_dropped,
        sql=_dropped_sql,
        count="hit",
    ),
    Fault(
        name="mode_drop",
        change=Change.ROWS_MISSING,
        needs=("category_column",),
        moves="rows",
        about="The rows of a column's most common value are gone.",
        choice=MODE,
        frame=_dropped,
        sql=_dropped_sql,
        options={"where": None, "seed": 0},
        count="hit",
        trace=lambda frame, columns: bool(frame[columns[0]].nunique() >= 2),
    ),
    Fault(
        name="last_hours_missing",
        change=Change.ROWS_MISSING,
        needs=("time_column",),
        moves="rows",
        about="The day's last rows by time are gone, as when the load ran too early.",
        choice=LAST,
        frame=_dropped,
        sql=_dropped_sql,
        options=options(rows=0.2),
        count="hit",
    ),
    Fault(
        name="first_hours_missing",
        change=Change.ROWS_MISSING,
        needs=("time_column",),
        moves="rows",
        about="The day's first rows by time are gone.",
        choice=FIRST,
        frame=_dropped,
        sql=_dropped_sql,
        options=options(rows=0.2),
        count="hit",
    ),
    Fault(
        name="page_cut",
        change=Change.ROWS_MISSING,
        needs=("number_column",),
        moves="rows",
        about="The rows with the highest numbers are gone, in each group of the columns after it: pages not fetched.",
        choice=TAIL_OF_GROUPS,
        frame=_dropped,
        sql=_dropped_sql,
        options=options(rows=0.4),
        count="hit",
        trace=_many_values,
    ),
    Fault(
        name="replay_yesterday",
        change=Change.REPLAY,
        needs=("yesterday",),
        moves="rows",
        about="Rows of the day before come again, dated today, in place of today's own.",
        choice=RANDOM,
        frame=_replayed,
        sql=_replayed_sql,
        options=options(rows=1.0),
        count="hit",
        traceless_when="the rows do not change from day to day",
    ),
)
