"""Values that are right by themselves and wrong beside the others: shuffled, swapped, frozen."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.association import is_exchange_visible, is_related
from chaos.choice import EVERYTHING, LAST, RANDOM, nearest_value
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay, objects, replace_where, rewrite
from chaos.query import IN_TURN, Damage, SqlDay, in_turn, rewrite_sql
from monitor.types import Change


def _shuffled(day: FrameDay, name: str, old: pd.Series[Any]) -> Any:  # noqa: ARG001 - the shape of a rewrite
    values = objects(old)
    return values[day.rng.permutation(len(values))]


def _shuffled_sql(day: SqlDay) -> Damage:
    names = day.columns
    columns = ", ".join(f"{day.quote(name)} AS chaos_value_{i}" for i, name in enumerate(names))
    donors = f"SELECT {columns}, chaos_second AS chaos_place FROM chaos_marked WHERE chaos_hit"
    return Damage(
        values={name: f"chaos_value_{i}" for i, name in enumerate(names)},
        steps=(("chaos_donors", donors),),
        joins="LEFT JOIN chaos_donors ON chaos_hit AND chaos_place = chaos_first",
    )


def _pair(columns: Sequence[str]) -> tuple[str, str]:
    if len(columns) != 2:
        raise ChaosError(f"two columns are swapped, {len(columns)} given", mend="give exactly two columns")
    return columns[0], columns[1]


def _swapped(day: FrameDay) -> pd.DataFrame:
    a, b = _pair(day.columns)
    frame = day.frame.copy(deep=False)
    frame[a] = replace_where(day.frame[a], day.hit, _values(day.frame[b], day))
    frame[b] = replace_where(day.frame[b], day.hit, _values(day.frame[a], day))
    return frame


def _values(column: pd.Series[Any], day: FrameDay) -> Any:
    hit = column[day.hit]
    return objects(hit) if not pd.api.types.is_datetime64_any_dtype(hit.dtype) else hit.to_numpy()


def _swapped_sql(day: SqlDay) -> Damage:
    a, b = _pair(day.columns)
    return Damage(values={a: day.typed(a, day.quote(b)), b: day.typed(b, day.quote(a))})


def _constant(day: FrameDay, name: str, old: pd.Series[Any]) -> Any:  # noqa: ARG001 - the shape of a rewrite
    return nearest_value(day.frame[name], 1.0)


def _constant_sql(day: SqlDay, name: str) -> str:
    return day.nearest_value(name, 1.0, "TRUE")


def _frozen(day: FrameDay) -> pd.DataFrame:
    name, moment = _frozen_columns(day.columns, day.time_column)
    frame = day.frame.copy(deep=False)
    before, after = (
        frame[[name, moment]][rows].dropna().sort_values(moment, kind="stable")
        for rows in (day.inside & ~day.hit, day.hit)
    )
    last = before[name].iloc[-1:] if len(before) else after[name].iloc[:1]
    if len(last):
        frame[name] = replace_where(frame[name], day.hit, last.iloc[0])
    return frame


def _frozen_sql(day: SqlDay) -> Damage:
    name, moment = _frozen_columns(day.columns, day.time_column)
    column, order = day.quote(name), day.quote(moment)
    known = f"{column} IS NOT NULL AND {order} IS NOT NULL"
    before = (
        f"(SELECT {column} FROM chaos_marked WHERE chaos_inside AND NOT chaos_hit AND {known} "
        f"ORDER BY {order} DESC, chaos_key LIMIT 1)"
    )
    first = f"(SELECT {column} FROM chaos_marked WHERE chaos_hit AND {known} ORDER BY {order}, chaos_key LIMIT 1)"
    return Damage(values={name: f"COALESCE({before}, {first})"})


def _frozen_columns(columns: Sequence[str], time_column: str | None) -> tuple[str, str]:
    moment = columns[1] if len(columns) > 1 else time_column
    if moment is None:
        raise ChaosError("the fault needs a time column", mend="give the column of the moment as the second column")
    if moment == columns[0]:
        raise ChaosError(f"{moment!r} cannot be frozen by itself", mend="choose another column to freeze")
    return columns[0], moment


def _stale(day: FrameDay) -> pd.DataFrame:
    name, *keys = day.columns
    frame = day.frame.copy(deep=False)
    if keys:
        past = day.past.drop_duplicates(keys).set_index(keys)[name]
        wanted = pd.MultiIndex.from_frame(frame[keys]) if len(keys) > 1 else pd.Index(frame[keys[0]])
        places = past.index.get_indexer(wanted)
        hit = day.hit & (places >= 0)
        values = past.to_numpy()[places[hit]]
    else:
        hit = day.hit
        donors = day.past[name].to_numpy()[day.rng.permutation(len(day.past))]
        values = donors[np.arange(int(hit.sum())) % len(donors)]
    frame[name] = replace_where(frame[name], hit, values)
    return frame


def _stale_sql(day: SqlDay) -> Damage:
    name, *keys = day.columns
    value = f"{day.quote(name)} AS chaos_value"
    if not keys:
        donors = f"SELECT {value}, chaos_place FROM chaos_yesterday"
        return Damage(
            values={name: "chaos_value"}, steps=(("chaos_donors", donors), in_turn("chaos_donors")), **IN_TURN
        )
    named = ", ".join(f"{day.quote(key)} AS chaos_key_{i}" for i, key in enumerate(keys))
    per_key = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(map(day.quote, keys))} ORDER BY chaos_place) AS chaos_copy"
    donors = f"SELECT {value}, TRUE AS chaos_found, {named}, {per_key} FROM chaos_yesterday"
    matches = " AND ".join(f"{day.quote(key)} = chaos_key_{i}" for i, key in enumerate(keys))
    return Damage(
        values={name: f"CASE WHEN chaos_found THEN chaos_value ELSE {day.quote(name)} END"},
        steps=(("chaos_donors", donors),),
        joins=f"LEFT JOIN chaos_donors ON chaos_hit AND chaos_copy = 1 AND {matches}",
    )


FAULTS = (
    Fault(
        name="shuffle",
        change=Change.RELATION,
        needs=("column",),
        moves="relation",
        about="A column's values change places among the rows: each is right, beside the wrong others.",
        choice=RANDOM,
        frame=rewrite(_shuffled),
        sql=_shuffled_sql,
        options=options(rows=1.0),
        traceless_when="the column is independent of all others",
        trace=is_related,
    ),
    Fault(
        name="swap_columns",
        change=Change.RELATION,
        needs=("two_columns",),
        moves="relation",
        about="Two columns exchange their values on a share of the rows.",
        choice=RANDOM,
        frame=_swapped,
        sql=_swapped_sql,
        traceless_when="both columns have the same distribution and order",
        trace=is_exchange_visible,
    ),
    Fault(
        name="swap_in_segment",
        change=Change.RELATION,
        needs=("two_columns", "segment"),
        moves="relation",
        about="Two columns exchange their values in all rows of one segment.",
        choice=EVERYTHING,
        frame=_swapped,
        sql=_swapped_sql,
        traceless_when="both columns have the same distribution and order",
        trace=is_exchange_visible,
    ),
    Fault(
        name="constant_column",
        change=Change.CONSTANT,
        needs=("column",),
        moves="column",
        about="All rows have the column's most common value.",
        choice=RANDOM,
        frame=rewrite(_constant),
        sql=rewrite_sql(_constant_sql),
        options=options(rows=1.0),
        traceless_when="the column has a single value",
    ),
    Fault(
        name="frozen_values",
        change=Change.CONSTANT,
        needs=("column", "time_column"),
        moves="column",
        about="From some moment of the day on, the column keeps the last value seen; the second column is the moment.",
        choice=LAST,
        frame=_frozen,
        sql=_frozen_sql,
        options=options(rows=0.3),
        traceless_when="the column hardly varies",
    ),
    Fault(
        name="stale_values",
        change=Change.REPLAY,
        needs=("column", "yesterday"),
        moves="relation",
        about="A column holds yesterday's values: of the same key if columns follow it, else of any row.",
        choice=RANDOM,
        frame=_stale,
        sql=_stale_sql,
        options=options(rows=1.0),
        traceless_when="the values do not move from day to day, or are independent of all other columns",
        trace=is_related,
    ),
)
