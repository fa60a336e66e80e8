"""Values that go missing, or are made up where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import ENTITIES, EVERYTHING, RANDOM, nearest_value
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay, kind_of, numbers, objects, replace_where, rewrite
from chaos.query import Damage, SqlDay, rewrite_sql
from monitor.types import Change, ColumnKind

DEFAULT_NUMBER = -999
DEFAULT_TEXT = "UNKNOWN"
DEFAULT_DATE = "1900-01-01"


def _null_columns(day: FrameDay, columns: Sequence[str]) -> pd.DataFrame:
    frame = day.frame.copy(deep=False)
    for name in columns:
        frame[name] = replace_where(day.frame[name], day.hit, None)
    return frame


def _nulls(day: FrameDay) -> pd.DataFrame:
    return _null_columns(day, day.columns)


def _nulls_sql(day: SqlDay) -> Damage:
    return Damage(values=dict.fromkeys(day.columns, "NULL"))


def _lost_join(day: FrameDay) -> pd.DataFrame:
    return _null_columns(day, day.columns[1:])


def _lost_join_sql(day: SqlDay) -> Damage:
    return Damage(values=dict.fromkeys(day.columns[1:], "NULL"))


_DEFAULTS = {
    "number": (DEFAULT_NUMBER, str(DEFAULT_NUMBER)),
    "text": (DEFAULT_TEXT, f"'{DEFAULT_TEXT}'"),
    "time": (pd.Timestamp(DEFAULT_DATE), f"CAST('{DEFAULT_DATE}' AS TIMESTAMP)"),
    "boolean": (False, "FALSE"),
}
_KINDS = {
    ColumnKind.NUMBER: "number",
    ColumnKind.TEXT: "text",
    ColumnKind.DATE: "time",
    ColumnKind.TIMESTAMP: "time",
    ColumnKind.BOOLEAN: "boolean",
}


def _default_of(kind: str, name: str) -> tuple[Any, str]:
    if kind not in _DEFAULTS:
        raise ChaosError(f"no default value for {name!r}", mend="choose a number, text, time or boolean column")
    return _DEFAULTS[kind]


def _default(_: FrameDay, name: str, old: pd.Series[Any]) -> Any:
    return _default_of(kind_of(old), name)[0]


def _default_sql(day: SqlDay, name: str) -> str:
    return day.typed(name, _default_of(_KINDS.get(day.kind(name), "other"), name)[1])


def _filled(day: FrameDay, name: str, old: pd.Series[Any]) -> Any:
    value = nearest_value(day.frame[name], 1.0)
    if kind_of(old) == "number":
        known = numbers(old)
        return np.where(np.isnan(known), np.nan if value is None else value, known)
    if kind_of(old) == "time":
        return old.fillna(value)
    filled = objects(old)
    filled[np.asarray(old.isna())] = value
    return filled


def _filled_sql(day: SqlDay, name: str) -> str:
    return f"COALESCE({day.quote(name)}, {day.nearest_value(name, 1.0, 'TRUE')})"


FAULTS = (
    Fault(
        name="null_increase",
        change=Change.NULLS_UP,
        needs=("column",),
        moves="column",
        about="A share of a column's values, at random, becomes NULL.",
        choice=RANDOM,
        frame=_nulls,
        sql=_nulls_sql,
    ),
    Fault(
        name="null_segment",
        change=Change.NULLS_UP,
        needs=("column", "segment"),
        moves="column",
        about="A column becomes NULL in all rows of one segment.",
        choice=EVERYTHING,
        frame=_nulls,
        sql=_nulls_sql,
    ),
    Fault(
        name="null_block",
        change=Change.NULLS_UP,
        needs=("column", "column"),
        moves="column",
        about="Several columns become NULL together, on the same rows.",
        choice=RANDOM,
        frame=_nulls,
        sql=_nulls_sql,
    ),
    Fault(
        name="lost_join",
        change=Change.NULLS_UP,
        needs=("category_column", "column"),
        moves="column",
        about="For some values of the first column the joined columns after it find no partner and are NULL together.",
        choice=ENTITIES,
        frame=_lost_join,
        sql=_lost_join_sql,
        options=options(rows=0.2),
    ),
    Fault(
        name="null_fill",
        change=Change.NULLS_DOWN,
        needs=("column",),
        moves="column",
        about="Missing values are filled with the most common one.",
        choice=RANDOM,
        frame=rewrite(_filled),
        sql=rewrite_sql(_filled_sql),
        options=options(rows=1.0),
        traceless_when="the column has few NULLs",
        trace=lambda frame, columns: bool(frame[columns[0]].isna().mean() > 0.01),
    ),
    Fault(
        name="default_value",
        change=Change.VALUES_NEW,
        needs=("column",),
        moves="column",
        about=f"Values are replaced by a default: {DEFAULT_NUMBER}, '{DEFAULT_TEXT}', {DEFAULT_DATE} or FALSE.",
        choice=RANDOM,
        frame=rewrite(_default),
        sql=rewrite_sql(_default_sql),
    ),
)
