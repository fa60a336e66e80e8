"""Entities that come every day (a name, a code, a station and an hour) and what their figures were the day before.

Of snapshots and of daily figures by entity, most rows have a twin in the day before. Against it a fault shows that no
distribution tells: one row in a hundred with the language of another repository, or a thousand times its stars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from checks.drift.entity import ROWS_MIN, entity_of
from checks.drift.twins import Mask, Twins
from checks.drift.values import Array, numbers_of
from monitor.types import Column, ColumnKind


@dataclass(frozen=True)
class Carried:
    """What entities carried over from the day before; of no column where none names entities.

    `carried`: share of today's rows whose entity has the very number of the day before. `strayed`: share whose value is
    another (of numbers: further away than they go in a day, and where several columns name an entity, only of numbers
    that hardly ever move); rows in which most columns strayed count against the entity's own (first) column alone.
    `newcomers`: share of rows whose entity was not there. All but the last are of the rows whose entity was.
    """

    entity: tuple[str, ...] = ()
    carried: Mapping[str, float] = field(default_factory=dict)
    strayed: Mapping[str, float] = field(default_factory=dict)
    newcomers: Mapping[str, float] = field(default_factory=dict)


def carry_over(today: pd.DataFrame, past: Sequence[pd.DataFrame], columns: Sequence[Column]) -> Carried:
    """Hold today's rows against those of the same entities in the newest past day.

    Entities are named by the text that hardly two rows of a day share and that most comes again, else by such a number,
    else by the fewest columns that do so together (a carrier and its flight).

    Args:
        today: today's rows.
        past: those of past days, newest first; how far numbers go in a day is known from two.
        columns: to be looked at.

    >>> users = pd.DataFrame({"user": pd.Categorical([f"u{i}" for i in range(50)]), "points": np.arange(50.0)})
    >>> moved = users.assign(points=users["points"] + np.where(users.index < 10, 0, 1))
    >>> kinds = [Column("user", ColumnKind.TEXT, ""), Column("points", ColumnKind.NUMBER, "")]
    >>> found = carry_over(moved, [users], kinds)
    >>> found.entity, found.carried, found.newcomers
    (('user',), {'points': 0.2}, {'user': 0.0})
    """
    newer, older = (past[0], past[1]) if len(past) > 1 else (today, past[0])  # a fault of today is not to choose
    entity = entity_of(newer, older, columns)
    if not entity:
        return Carried()
    twins = Twins(today, past, entity)
    others = [c.name for c in columns if c.name not in entity and c.name in past[0]]
    figures = [c.name for c in columns if c.name in others and c.kind is ColumnKind.NUMBER]
    newcomers = {} if np.isnan(twins.newcomers) else {entity[0]: twins.newcomers}
    if len(twins.pairs.new) < ROWS_MIN:
        return Carried(entity, newcomers=newcomers)
    return Carried(
        entity,
        {name: float(twins.unmoved(name).mean()) for name in figures},
        _strayed_shares(twins, others),
        newcomers,
    )


def strayed_rows(today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str) -> Mask:
    """(N,) which of today's rows strayed."""
    twins = Twins(today, past, entity)
    rows = np.zeros(len(today), dtype=bool)
    rows[twins.pairs.new[twins.strayed(name)]] = True
    return rows


def day_by_day(today: pd.DataFrame, past: Sequence[pd.DataFrame], entity: Sequence[str], name: str) -> Array | None:
    """(rows, 2) numbers of entities that both days have, the day before first; None of a column without numbers."""
    new, old = Twins(today, past, entity).sides(name)
    after, before = numbers_of(new), numbers_of(old)
    return np.column_stack([before, after]) if after is not None and before is not None else None


def _strayed_shares(twins: Twins, names: Sequence[str]) -> dict[str, float]:
    """Shares by column; where most columns of a row strayed together, it is the entity that is another."""
    if not names:
        return {}
    strays = np.column_stack([twins.strayed(name) for name in names])
    told = np.column_stack([twins.sides(name)[0].notna().to_numpy() for name in names])
    mistaken = (strays & told).sum(axis=1) > max(1.0, len(names) / 2)
    own = (strays & ~mistaken[:, None]).mean(axis=0)
    return {twins.entity[0]: float(mistaken.mean()), **{n: float(s) for n, s in zip(names, own, strict=True)}}
