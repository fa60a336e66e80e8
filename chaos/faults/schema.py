"""Columns that have another type, another name, or are gone."""

from __future__ import annotations

import pandas as pd

from chaos.choice import EVERYTHING
from chaos.fault import ChaosError, Fault
from chaos.frame import FrameDay, kind_of, objects
from chaos.query import Damage, SqlDay
from monitor.types import Change

_OPTIONS = {"seed": 0}
_WHOLE_TABLE = "A column has one type and one name for all days: the copy's other days change with it."


def _as_text(day: FrameDay) -> pd.DataFrame:
    frame = day.frame.copy(deep=False)
    for name in day.columns:
        texts = [None if value is None else str(value) for value in objects(frame[name])]
        frame[name] = pd.Series(texts, index=frame.index, dtype=object)
    return frame


def _as_text_sql(day: SqlDay) -> Damage:
    return Damage(everywhere={name: f"CAST({day.quote(name)} AS VARCHAR)" for name in day.columns})


def _lost(day: FrameDay) -> pd.DataFrame:
    return day.frame.drop(columns=list(day.columns))


def _lost_sql(day: SqlDay) -> Damage:
    return Damage(lost=day.columns)


def _other_name(name: str, taken: tuple[str, ...]) -> str:
    new = f"{name}_new"
    if new in taken:
        raise ChaosError(f"the column {new!r} exists", mend=f"choose another column than {name!r}")
    return new


def _renamed(day: FrameDay) -> pd.DataFrame:
    taken = tuple(map(str, day.frame.columns))
    return day.frame.rename(columns={name: _other_name(name, taken) for name in day.columns})


def _renamed_sql(day: SqlDay) -> Damage:
    return Damage(renamed={name: _other_name(name, day.table_columns) for name in day.columns})


FAULTS = (
    Fault(
        name="type_change",
        change=Change.SCHEMA,
        needs=("column",),
        moves="column",
        about=f"A column of numbers or times comes as text. {_WHOLE_TABLE}",
        choice=EVERYTHING,
        frame=_as_text,
        sql=_as_text_sql,
        options=_OPTIONS,
        count="hit",
        traceless_when="the column is text anyway",
        trace=lambda frame, columns: kind_of(frame[columns[0]]) in ("number", "time"),
    ),
    Fault(
        name="column_lost",
        change=Change.SCHEMA,
        needs=("column",),
        moves="column",
        about=f"A column is gone. {_WHOLE_TABLE}",
        choice=EVERYTHING,
        frame=_lost,
        sql=_lost_sql,
        options=_OPTIONS,
        count="hit",
    ),
    Fault(
        name="column_renamed",
        change=Change.SCHEMA,
        needs=("column",),
        moves="column",
        about=f"A column has another name. {_WHOLE_TABLE}",
        choice=EVERYTHING,
        frame=_renamed,
        sql=_renamed_sql,
        options=_OPTIONS,
        count="hit",
    ),
)
