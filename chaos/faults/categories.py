"""Categories that are new, renamed, merged, lost or taken for each other."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import ONE_VALUE, RANDOM, nearest_value
from chaos.fault import Fault, options
from chaos.frame import FrameDay, kind_of, numbers, objects, replace_where, rewrite
from chaos.query import IN_TURN, Damage, SqlDay, in_turn, rewrite_sql
from monitor.types import Change, ColumnKind

NEW_TEXT = "NEW_CATEGORY"
SUFFIX = "_v2"


def _unseen(day: FrameDay, name: str, old: pd.Series[Any]) -> Any:
    if kind_of(old) == "number":
        return float(np.nanmax(numbers(day.frame[name]), initial=0.0)) + 1.0
    return NEW_TEXT


def _unseen_sql(day: SqlDay, name: str) -> str:
    if day.kind(name) == ColumnKind.NUMBER:
        return day.typed(name, f"(SELECT GREATEST(0.0, MAX({day.number(name)})) + 1.0 FROM chaos_day)")
    return f"'{NEW_TEXT}'"


def _renamed(day: FrameDay, name: str, old: pd.Series[Any]) -> Any:
    if kind_of(old) == "number":
        return _unseen(day, name, old)
    return np.array([f"{value}{SUFFIX}" for value in objects(old)], dtype=object)


def _renamed_sql(day: SqlDay, name: str) -> str:
    if day.kind(name) == ColumnKind.NUMBER:
        return _unseen_sql(day, name)
    return f"({day.quote(name)} || '{SUFFIX}')"


def _commonest_other(day: FrameDay, name: str) -> Any:
    """The most common value of the day among the rows not hit."""
    return nearest_value(day.frame[name][~day.hit], 1.0)


def _commonest_other_sql(day: SqlDay, name: str) -> str:
    column = day.quote(name)
    return (
        f"(SELECT {column} FROM chaos_marked WHERE NOT chaos_hit AND {column} IS NOT NULL "
        f"GROUP BY {column} ORDER BY COUNT(*) DESC, {column} LIMIT 1)"
    )


def _merged(day: FrameDay) -> pd.DataFrame:
    frame = day.frame.copy(deep=False)
    name = day.columns[0]
    frame[name] = replace_where(frame[name], day.hit, _commonest_other(day, name))
    return frame


def _merged_sql(day: SqlDay) -> Damage:
    name = day.columns[0]
    return Damage(values={name: _commonest_other_sql(day, name)})


def _spread_out(day: FrameDay) -> pd.DataFrame:
    """The rows hit get values of other rows, drawn without preference: the category is gone, the rest keep shares."""
    frame = day.frame.copy(deep=False)
    name = day.columns[0]
    donors = day.rng.permutation(np.flatnonzero(~day.hit & np.asarray(frame[name].notna())))
    if not len(donors):
        return frame
    places = np.arange(int(day.hit.sum())) % len(donors)
    frame[name] = replace_where(frame[name], day.hit, objects(frame[name])[donors[places]])
    return frame


def _spread_out_sql(day: SqlDay) -> Damage:
    name = day.columns[0]
    column = day.quote(name)
    donors = (
        f"SELECT {column} AS chaos_value, ROW_NUMBER() OVER (ORDER BY chaos_second) AS chaos_place "
        f"FROM chaos_marked WHERE NOT chaos_hit AND {column} IS NOT NULL"
    )
    return Damage(values={name: "chaos_value"}, steps=(("chaos_donors", donors), in_turn("chaos_donors")), **IN_TURN)


def _exchanged(day: FrameDay) -> pd.DataFrame:
    frame = day.frame.copy(deep=False)
    name = day.columns[0]
    values = objects(frame[name])
    other = _commonest_other(day, name)
    if other is None or not day.hit.any():
        return frame
    changed = values.copy()
    changed[day.hit] = other
    partners = ~day.hit & day.inside & np.asarray(frame[name] == other)
    changed[partners] = values[day.hit][0]
    frame[name] = replace_where(frame[name], np.ones(len(frame), dtype=bool), changed)
    return frame


def _exchanged_sql(day: SqlDay) -> Damage:
    name = day.columns[0]
    column = day.quote(name)
    other = _commonest_other_sql(day, name)
    victim = f"(SELECT MIN({column}) FROM chaos_marked WHERE chaos_hit)"
    # Both sides change, so the partner's rows are hit as well: the value is written for every row of the segment.
    swapped = (
        f"CASE WHEN chaos_hit THEN {other} WHEN chaos_inside AND {column} = {other} THEN {victim} ELSE {column} END"
    )
    return Damage(values={name: swapped}, hit="TRUE")


def _two_values(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
    return bool(frame[columns[0]].nunique() >= 2)


FAULTS = (
    Fault(
        name="new_category",
        change=Change.VALUES_NEW,
        needs=("category_column",),
        moves="column",
        about="A share of the rows gets a value never seen before.",
        choice=RANDOM,
        frame=rewrite(_unseen),
        sql=rewrite_sql(_unseen_sql),
    ),
    Fault(
        name="rename_value",
        change=Change.VALUES_NEW,
        needs=("category_column",),
        moves="column",
        about="The value whose share is nearest to rows is written differently from now on.",
        choice=ONE_VALUE,
        frame=rewrite(_renamed),
        sql=rewrite_sql(_renamed_sql),
    ),
    Fault(
        name="merge_categories",
        change=Change.VALUES_GONE,
        needs=("category_column",),
        moves="column",
        about="The value whose share is nearest to rows is recorded as the most common other value.",
        choice=ONE_VALUE,
        frame=_merged,
        sql=_merged_sql,
        traceless_when="the column has a single value",
        trace=_two_values,
    ),
    Fault(
        name="lose_category",
        change=Change.VALUES_GONE,
        needs=("category_column",),
        moves="column",
        about="The value whose share is nearest to rows is gone; its rows get other rows' values.",
        choice=ONE_VALUE,
        frame=_spread_out,
        sql=_spread_out_sql,
        traceless_when="the column has a single value",
        trace=_two_values,
    ),
    Fault(
        name="swap_labels",
        change=Change.VALUES_MIXED,
        needs=("category_column",),
        moves="relation",
        about="Two values are taken for each other: the one whose share is nearest to rows, and the most common other.",
        choice=ONE_VALUE,
        frame=_exchanged,
        sql=_exchanged_sql,
        options=options(rows=0.3),
        traceless_when="both are equally common and nothing depends on them",
        trace=_two_values,
    ),
)
