"""Columns that refer to other tables' keys, found by names, types and values, and confirmed in the warehouse.

A person reads what is found, so a doubtful pair is left out: values alone prove little where numbers count from one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from monitor.discover.alike import Name, alike, is_person, points_home, shared_prefix
from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.types import Column, ColumnKind, Measure, Table
from monitor.warehouses.constructs import columns_of

if TYPE_CHECKING:
    from monitor.warehouses.base import Path, Warehouse

SAMPLE_ROWS = 2_000
ROWS_MAX = 5_000_000
"""Rows of a table beyond which counting its different values is not cheap: it is not referred to."""
CONFIRM_ROWS_MAX = 20_000_000
"""Rows of a table beyond which it is not confirmed in the warehouse, and nothing of it is proposed."""
KEY_ROWS_MIN = 2
DISTINCT_NEARLY = 0.7
"""Of the rows, different values by the engine's estimate from which on they are counted exactly."""
ESTIMATED = 1.35
"""How far an estimate of different values may lie above them."""
CODES_MIN = 3
"""Different values that a column without a telling name must have."""
KEY_CODES_MIN = 10
LENGTH_MAX = 64
NEARLY = 0.97
"""Part of a sample's values that a table must hold where only the values speak for it."""
HELD_BY_NAME = 0.75
"""Part of the values that must be found where the names are the same; the others are orphans, told as such."""
HELD_WEAKLY = 0.999
SURE, LIKELY = 0.9, 0.6
_KINDS = (ColumnKind.NUMBER, ColumnKind.TEXT)


@dataclass(frozen=True, slots=True)
class Relation:
    """A column that refers to another table's key; `values` are those known, `orphans` those not found there.

    `declared` where the database says so. `why` is what speaks for it besides the values.
    """

    path: Path
    column: str
    to: Path
    key: str
    values: int = 0
    orphans: int = 0
    why: str = ""
    declared: bool = False

    @property
    def evidence(self) -> str:
        """What speaks for it, in words."""
        if self.declared:
            return "declared in the database"
        share = self.orphans / max(self.values, 1)
        held = "every one is found" if not self.orphans else f"{self.orphans:,} ({share:.1%}) are not found"
        return f"{self.why}; of {self.values:,} values {held} there"


@dataclass(frozen=True)
class _Looked:
    """One table as it was looked at: its names without what all share, and the columns that may refer or be a key."""

    table: Table
    rows: int
    sample: pd.DataFrame
    names: Mapping[str, Name]
    distinct: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]
    keys: frozenset[str]

    def column(self, name: str) -> Column:
        return self.table.column(name)


@dataclass(frozen=True)
class _Pair:
    child: _Looked
    column: str
    parent: _Looked
    key: str
    score: float
    why: str


def find_relations(warehouse: Warehouse, tables: Sequence[Table]) -> list[Relation]:
    """The relations among tables of one warehouse: those declared, then those found; one a column.

    Tables that cannot be read are left out.

    Raises:
        UnavailableError: the warehouse cannot be used.
    """
    found: dict[tuple[Path, str], Relation] = {}
    looked: list[_Looked] = []
    for table in tables:
        try:
            for key in warehouse.foreign_keys(table.path):
                if len(key.columns) == 1:
                    declared = Relation(table.path, key.columns[0], key.path, key.referred[0], declared=True)
                    found[table.path, key.columns[0]] = declared
            looked.append(_look(warehouse, table))
        except UnavailableError:
            raise
        except (SourceError, UsageError):
            continue
    for pairs in _pairs(looked, frozenset(found)):
        for pair in pairs:
            confirmed = _confirm(warehouse, pair)
            if confirmed is not None:
                found[confirmed.path, confirmed.column] = confirmed
                break
    return list(found.values())


def _look(warehouse: Warehouse, table: Table) -> _Looked:
    plain = replace(table, where=None, time=None, ignore_columns=frozenset())
    rows = warehouse.count(plain)
    usable = [c for c in plain.columns if c.kind in _KINDS]
    sample = warehouse.sample(replace(plain, columns=tuple(usable)), None, SAMPLE_ROWS, 0, rows) if usable else None
    frame = pd.DataFrame() if sample is None else sample
    columns = [c for c in usable if _is_plain(c, frame[c.name])]
    distinct, bounds = _measured(warehouse, plain, columns) if rows <= ROWS_MAX else ({}, {})
    nulls = {c.name for c in columns if bool(frame[c.name].isna().any())}
    likely = [c for c in columns if c.name not in nulls and distinct.get(c.name, 0.0) >= DISTINCT_NEARLY * rows >= 1]
    likely = [c for c in likely if frame[c.name].is_unique]
    exact = warehouse.aggregates(plain, None, [Measure("distinct_exact", c.name) for c in likely]) if likely else {}
    keys = frozenset(m.column for m, value in exact.items() if value == rows >= KEY_ROWS_MIN)
    prefix = shared_prefix([c.name for c in plain.columns])
    names = {c.name: Name.of(c.name, prefix) for c in columns}
    return _Looked(plain, rows, frame, names, distinct, bounds, keys)


def _is_plain(column: Column, values: pd.Series[Any]) -> bool:
    present = values.dropna()
    if not len(present):
        return False
    if column.kind is ColumnKind.NUMBER:
        return bool((present == present.round()).all())
    return int(present.astype(str).str.len().max()) <= LENGTH_MAX


def _measured(
    warehouse: Warehouse, table: Table, columns: Sequence[Column]
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Different values of each column, and the bounds of numbers, by one scan."""
    kinds = {c.name: ["distinct", *(["min", "max"] if c.kind is ColumnKind.NUMBER else [])] for c in columns}
    measures = [Measure(kind, name) for name, wanted in kinds.items() for kind in wanted]
    values = warehouse.aggregates(table, None, measures) if measures else {}
    distinct = {c.name: values[Measure("distinct", c.name)] or 0.0 for c in columns}
    bounds: dict[str, tuple[float, float]] = {}
    for column in columns:
        low, high = values.get(Measure("min", column.name)), values.get(Measure("max", column.name))
        if low is not None and high is not None:
            bounds[column.name] = (low, high)
    return distinct, bounds


def _pairs(looked: Sequence[_Looked], known: frozenset[tuple[Path, str]]) -> list[list[_Pair]]:
    """For each column the keys it may refer to, the likeliest first."""
    told = []
    people = [t for t in looked if is_person(Name.of(t.table.path[-1]))]
    for child in looked:
        for column in child.names:
            if (child.table.path, column) in known:
                continue
            mine = [pair for parent in looked for pair in _to(child, column, parent, people)]
            mine.sort(key=lambda pair: -pair.score)
            if mine and not _is_ambiguous(mine):
                told.append(mine[:3])
    return told


def _is_ambiguous(pairs: Sequence[_Pair]) -> bool:
    """Whether values alone speak, and for several tables alike."""
    return pairs[0].score < LIKELY and len(pairs) > 1 and len({id(p.parent) for p in pairs}) > 1


def _to(child: _Looked, column: str, parent: _Looked, people: Sequence[_Looked]) -> list[_Pair]:
    found = []
    own, home = child.names[column], Name.of(parent.table.path[-1])
    for key in parent.keys:
        itself = child is parent
        if (itself and key == column) or child.column(column).kind is not parent.column(key).kind:
            continue
        if column in child.keys and points_home(own, Name.of(child.table.path[-1])):
            continue  # a table's own key refers to nothing
        score, why = alike(own, parent.names[key], home, itself=itself)
        if score == 0 and is_person(own) and len(people) == 1 and people[0] is parent:
            score, why = 0.65, "its name says who"
        if score == 0 and not itself and _is_code_of(child, column, parent, key):
            score, why = 0.5, "its values are codes of that table"
        if score and _may_hold(child, column, parent, key, sure=score >= SURE):
            found.append(_Pair(child, column, parent, key, score, why))
    return found


def _may_hold(child: _Looked, column: str, parent: _Looked, key: str, *, sure: bool) -> bool:
    """Whether the values seen so far allow it."""
    mine, theirs = child.bounds.get(column), parent.bounds.get(key)
    if mine is not None and theirs is not None and not sure and (mine[0] < theirs[0] or mine[1] > theirs[1]):
        return False
    if mine is not None and theirs is not None and (mine[0] > theirs[1] or mine[1] < theirs[0]):
        return False
    return child.distinct.get(column, 0.0) <= ESTIMATED * parent.rows / (HELD_BY_NAME if sure else 1.0) + 5


def _is_code_of(child: _Looked, column: str, parent: _Looked, key: str) -> bool:
    """Whether texts of one column are nearly all among the keys of a table that was sampled whole."""
    if child.column(column).kind is not ColumnKind.TEXT or parent.rows > SAMPLE_ROWS or parent.rows < KEY_CODES_MIN:
        return False
    if column in child.keys:
        return False
    values = child.sample[column].dropna().astype(str)
    different = set(values.unique())
    if len(different) < CODES_MIN:
        return False
    there = set(parent.sample[key].dropna().astype(str).unique())
    return bool(values.isin(there).mean() >= NEARLY)


def _confirm(warehouse: Warehouse, pair: _Pair) -> Relation | None:
    """Count the values that the key's table does not hold: an anti-join in the warehouse."""
    child, parent = pair.child.table, pair.parent.table
    if pair.child.rows > CONFIRM_ROWS_MAX:
        return None
    value, key = columns_of([pair.column])[0], columns_of([pair.key])[0]
    keys = warehouse.rows_of(parent, [key.label("key")]).subquery("keys")
    values = warehouse.rows_of(child, [value.label("value")]).where(value.is_not(None)).subquery("refers")
    joined = values.outerjoin(keys, keys.c.key == values.c.value)
    wanted: list[Any] = [sa.func.count().label("known"), sa.func.count(keys.c.key).label("held")]
    try:
        (row,) = warehouse.ask(sa.select(*wanted).select_from(joined), [child, parent]).to_pylist()
    except UnavailableError:
        raise
    except (SourceError, UsageError):
        return None  # types that do not compare, or a limit
    known, held = int(row["known"]), int(row["held"])
    least = HELD_BY_NAME if pair.score >= SURE else NEARLY if pair.score == 0.5 else HELD_WEAKLY
    if not known or held < least * known:
        return None
    return Relation(child.path, pair.column, parent.path, pair.key, known, known - held, pair.why)
