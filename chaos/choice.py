"""Which rows a fault hits: at random, all of a segment, of some values, or at one end of an order."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from chaos.frame import FrameDay, Mask
from chaos.query import Pick, SqlDay
from chaos.where import equals_any


@dataclass(frozen=True)
class Choice:
    """How hit rows are chosen, on a frame and in SQL.

    `frame` gives the rows and, where the choice itself makes a segment, its condition; `sql` the same as pieces of
    a query. `by_value` choices take all rows of some values of the first column.
    """

    name: str
    frame: Callable[[FrameDay], tuple[Mask, str | None]]
    sql: Callable[[SqlDay], Pick]
    by_value: bool = False


def _random(day: FrameDay) -> tuple[Mask, str | None]:
    candidates = np.flatnonzero(day.inside)
    return _mask(day, day.rng.permutation(candidates)[: round(day.rows * len(candidates))]), None


def _random_sql(day: SqlDay) -> Pick:
    return Pick(eligible="chaos_inside", limit=day.share_of("chaos_n"))


def _everything(day: FrameDay) -> tuple[Mask, str | None]:
    return day.inside.copy(), None


def _everything_sql(_: SqlDay) -> Pick:
    return Pick(eligible="chaos_inside", limit="chaos_n")


def _entities(day: FrameDay) -> tuple[Mask, str | None]:
    column = day.frame[day.columns[0]]
    values = column[day.inside].dropna().unique()
    order = day.rng.permutation(len(values))[: max(1, round(day.rows * len(values)))]
    chosen = [values[i] for i in order]
    hit = day.inside & np.asarray(column.isin(chosen))
    return hit, equals_any(day.columns[0], chosen)


def _entities_sql(day: SqlDay) -> Pick:
    column = day.quote(day.columns[0])
    distinct = f"(SELECT COUNT(DISTINCT {column}) FROM chaos_day WHERE chaos_inside)"
    return Pick(
        eligible=f"chaos_inside AND {column} IS NOT NULL",
        order=(day.hash_of(f"CAST({column} AS VARCHAR)"),),
        dense=True,
        limit=f"GREATEST(1, {day.share_of(distinct)})",
    )


def _one_value(day: FrameDay) -> tuple[Mask, str | None]:
    return _rows_of_value(day, nearest_value(day.frame[day.columns[0]][day.inside], day.rows))


def _mode(day: FrameDay) -> tuple[Mask, str | None]:
    return _rows_of_value(day, nearest_value(day.frame[day.columns[0]][day.inside], 1.0))


def _rows_of_value(day: FrameDay, value: Any) -> tuple[Mask, str | None]:
    if value is None:
        return np.zeros(len(day.frame), dtype=bool), None
    hit = day.inside & np.asarray(day.frame[day.columns[0]] == value)
    return hit, equals_any(day.columns[0], [value])


def nearest_value(column: pd.Series[Any], share: float) -> Any:
    """The value whose share of the rows is nearest to `share` (1.0: the most common); None without values."""
    counts = column.value_counts()
    counts = counts[counts > 0]
    if counts.empty:
        return None
    gaps = (counts - share * len(column)).abs()
    # Two counts equally near differ in floating point only by noise; the value itself decides then.
    return min(counts.index, key=lambda value: (round(float(gaps[value]), 6), value))


def _one_value_sql(day: SqlDay) -> Pick:
    return _value_sql(day, day.nearest_value(day.columns[0], day.rows))


def _mode_sql(day: SqlDay) -> Pick:
    return _value_sql(day, day.nearest_value(day.columns[0], 1.0))


def _value_sql(day: SqlDay, value: str) -> Pick:
    return Pick(eligible=f"chaos_inside AND {day.quote(day.columns[0])} = {value}", limit="chaos_n")


def _end(day: FrameDay, end: Literal["first", "last"]) -> tuple[Mask, str | None]:
    column = day.frame[day.moment_column]
    known = np.flatnonzero(day.inside & np.asarray(column.notna()))
    # A shuffle before a stable sort: ties fall by the seed, not by the order of the frame.
    shuffled = day.rng.permutation(known)
    ordered = shuffled[np.argsort(column.to_numpy()[shuffled], kind="stable")]
    count = round(day.rows * len(ordered))
    return _mask(day, ordered[:count] if end == "first" else ordered[len(ordered) - count :]), None


def _first(day: FrameDay) -> tuple[Mask, str | None]:
    return _end(day, "first")


def _last(day: FrameDay) -> tuple[Mask, str | None]:
    return _end(day, "last")


def _end_sql(day: SqlDay, direction: str) -> Pick:
    column = day.quote(day.moment_column)
    eligible = f"chaos_inside AND {column} IS NOT NULL"
    return Pick(eligible=eligible, order=(f"{column} {direction}",), limit=day.share_of("chaos_n"))


def _first_sql(day: SqlDay) -> Pick:
    return _end_sql(day, "ASC")


def _last_sql(day: SqlDay) -> Pick:
    return _end_sql(day, "DESC")


def _tail_of_groups(day: FrameDay) -> tuple[Mask, str | None]:
    order, *groups = day.columns
    known = day.inside & np.asarray(day.frame[order].notna())
    part = day.frame.loc[:, [order, *groups]].reset_index(drop=True)[known]
    part = part.iloc[day.rng.permutation(len(part))].sort_values(order, kind="stable", ascending=False)
    if not groups:
        return _mask(day, part.index.to_numpy()[: round(day.rows * len(part))]), None
    grouped = part.groupby(groups, dropna=False, observed=True, sort=False)
    sizes = grouped[order].transform("size").to_numpy()
    place = grouped.cumcount().to_numpy()
    return _mask(day, part.index.to_numpy()[place < np.rint(day.rows * sizes)]), None


def _tail_of_groups_sql(day: SqlDay) -> Pick:
    order, *groups = (day.quote(name) for name in day.columns)
    return Pick(
        eligible=f"chaos_inside AND {order} IS NOT NULL",
        groups=tuple(groups),
        order=(f"{order} DESC",),
        limit=day.share_of("chaos_n"),
    )


def _mask(day: FrameDay, positions: Any) -> Mask:
    mask = np.zeros(len(day.frame), dtype=bool)
    mask[np.asarray(positions, dtype=int)] = True
    return mask


RANDOM = Choice("random", _random, _random_sql)
EVERYTHING = Choice("everything", _everything, _everything_sql)
ENTITIES = Choice("entities", _entities, _entities_sql, by_value=True)
ONE_VALUE = Choice("one_value", _one_value, _one_value_sql, by_value=True)
MODE = Choice("mode", _mode, _mode_sql, by_value=True)
FIRST = Choice("first", _first, _first_sql)
LAST = Choice("last", _last, _last_sql)
TAIL_OF_GROUPS = Choice("tail_of_groups", _tail_of_groups, _tail_of_groups_sql)
