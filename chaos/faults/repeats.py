"""Rows and keys that come more than once."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import ENTITIES, EVERYTHING, RANDOM
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay, kind_of, numbers, objects, replace_where, with_rows
from chaos.query import IN_TURN, Damage, SqlDay, in_turn
from monitor.types import Change, ColumnKind


def _copies(intensity: float) -> int:
    return max(1, round(intensity))


def _repeated(day: FrameDay) -> pd.DataFrame:
    more = pd.concat([day.frame[day.hit]] * _copies(day.intensity))
    return with_rows(day.frame, more)


def _repeated_sql(day: SqlDay) -> Damage:
    again = f"SELECT {day.all_columns} FROM chaos_marked WHERE chaos_hit"
    return Damage(extra=(again,) * _copies(day.intensity))


def _nudged(column: pd.Series[Any]) -> pd.Series[Any]:
    """The values a little different: a number by 1 %, at least by one; a time by a second; a text by a full stop."""
    everywhere = np.ones(len(column), dtype=bool)
    kind = kind_of(column)
    if kind == "number":
        old = numbers(column)
        return replace_where(column, everywhere, old + np.maximum(1.0, np.floor(np.abs(old) / 100.0)))
    if kind == "time":
        return column + pd.Timedelta(seconds=1)
    if kind != "text":
        raise ChaosError(f"{column.name!r} cannot be nudged", mend="choose a number, time or text column")
    return replace_where(column, everywhere, [None if text is None else f"{text}." for text in objects(column)])


def _nudged_sql(day: SqlDay, name: str) -> str:
    column, number = day.quote(name), day.number(name)
    pieces: dict[ColumnKind, Callable[[], str]] = {
        ColumnKind.NUMBER: lambda: f"({number} + GREATEST(1.0, FLOOR(ABS({number}) / 100.0)))",
        ColumnKind.TIMESTAMP: lambda: f"({column} + INTERVAL 1 SECOND)",
        ColumnKind.TEXT: lambda: f"({column} || '.')",
    }
    if day.kind(name) not in pieces:
        raise ChaosError(f"{name!r} cannot be nudged", mend="choose a number, timestamp or text column")
    return pieces[day.kind(name)]()


def _nearly_repeated(day: FrameDay) -> pd.DataFrame:
    more = day.frame[day.hit].copy(deep=False)
    for name in day.columns:
        more[name] = _nudged(more[name])
    return with_rows(day.frame, more)


def _nearly_repeated_sql(day: SqlDay) -> Damage:
    values = ", ".join(
        f"{day.typed(name, _nudged_sql(day, name))} AS {day.quote(name)}" if name in day.columns else day.quote(name)
        for name in day.table_columns
    )
    return Damage(extra=(f"SELECT {values} FROM chaos_marked WHERE chaos_hit",))


def _shared_keys(day: FrameDay) -> pd.DataFrame:
    """Rows hit take the key of a row that is not, all its columns together."""
    frame = day.frame.copy(deep=False)
    donors = day.rng.permutation(np.flatnonzero(~day.hit))
    if not len(donors):
        return frame
    chosen = donors[np.arange(int(day.hit.sum())) % len(donors)]
    for name in day.columns:
        frame[name] = replace_where(day.frame[name], day.hit, day.frame[name].to_numpy()[chosen])
    return frame


def _shared_keys_sql(day: SqlDay) -> Damage:
    named = ", ".join(f"{day.quote(name)} AS chaos_value_{i}" for i, name in enumerate(day.columns))
    donors = f"SELECT {named}, chaos_second AS chaos_place FROM chaos_marked WHERE NOT chaos_hit"
    values = {
        # Without any row that is not hit there is no other key to take.
        name: f"CASE WHEN chaos_place IS NULL THEN {day.quote(name)} ELSE chaos_value_{i} END"
        for i, name in enumerate(day.columns)
    }
    return Damage(values=values, steps=(("chaos_donors", donors), in_turn("chaos_donors")), **IN_TURN)


FAULTS = (
    Fault(
        name="duplicate_rows",
        change=Change.DUPLICATES,
        needs=(),
        moves="rows",
        about="A share of the rows comes again, unchanged, intensity times.",
        choice=RANDOM,
        frame=_repeated,
        sql=_repeated_sql,
        options=options(intensity=1.0),
        count="added",
    ),
    Fault(
        name="segment_duplicated",
        change=Change.DUPLICATES,
        needs=("segment",),
        moves="rows",
        about="All rows of one segment come again, intensity times.",
        choice=EVERYTHING,
        frame=_repeated,
        sql=_repeated_sql,
        options=options(intensity=1.0),
        count="added",
    ),
    Fault(
        name="join_fan_out",
        change=Change.DUPLICATES,
        needs=("category_column",),
        moves="rows",
        about="A share of a column's values finds several partners in a join: all their rows come again.",
        choice=ENTITIES,
        frame=_repeated,
        sql=_repeated_sql,
        options=options(rows=0.2, intensity=1.0),
        count="added",
    ),
    Fault(
        name="near_duplicates",
        change=Change.DUPLICATES,
        needs=("column",),
        moves="rows",
        about="A share of the rows comes again with a column a little different.",
        choice=RANDOM,
        frame=_nearly_repeated,
        sql=_nearly_repeated_sql,
        count="added",
        traceless_when="nothing in the table is unique, and its volume varies more than that",
    ),
    Fault(
        name="duplicate_keys",
        change=Change.DUPLICATES,
        needs=("key",),
        moves="column",
        about="A share of the rows has the key of another row.",
        choice=RANDOM,
        frame=_shared_keys,
        sql=_shared_keys_sql,
    ),
)
