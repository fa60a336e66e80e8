"""Which column of A is compared with which of B, and as what."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import sqlalchemy as sa

from monitor.diff.options import EXACT, Options, Tolerance
from monitor.errors import UsageError
from monitor.types import Column, Table
from monitor.warehouses.canonical import (
    NUMBERS,
    TIMES,
    Exactly,
    Form,
    Spaced,
    aligned,
    canonical,
    form_of,
    is_exact,
    known_value,
    zoned_once,
)
from monitor.warehouses.catalog import did_you_mean
from monitor.warehouses.constructs import AsDouble, EpochSeconds, Expression

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

ALIKE_MIN = 0.55
"""How alike two names are (0 to 1) to be proposed as one column that was renamed."""


@dataclass(frozen=True)
class Side:
    """One of the two tables, in its warehouse; the table's `where` is the whole condition on its rows."""

    warehouse: Warehouse
    table: Table

    @property
    def dialect(self) -> str:
        """The name of the SQLAlchemy dialect."""
        return self.warehouse.dialect


@dataclass(frozen=True)
class Pair:
    """A column of A and its counterpart in B, compared as `form`; called by A's name."""

    name: str
    a: Column
    b: Column
    form: Form
    tolerance: Tolerance = EXACT
    fold_case: bool = False
    fold_space: bool = False
    timezone: str = "UTC"

    def value(self, side: str, dialect: str) -> Expression:
        """The SQL of the value, natively comparable with the other side's where both are of one engine."""
        column, other = (self.a, self.b) if side == "a" else (self.b, self.a)
        value = aligned(column, other, self.form, self.timezone, dialect)
        if self.form is Form.TEXT and self.fold_case:
            value = sa.func.lower(value)
        return Spaced(value) if self.form is Form.TEXT and self.fold_space else value

    def exactly(self, value: Expression, dialect: str) -> Expression:
        """A value out of a subquery, compared by its characters where it is a text."""
        return Exactly(value) if is_exact(self.form, dialect) else value

    def text(self, side: str, dialect: str) -> Expression:
        """The SQL of the value's text, the same on all engines."""
        return self.text_of(self.value(side, dialect), side)

    def text_of(self, value: Expression, side: str) -> Expression:
        """The same for a value that `value` gave."""
        return canonical(value, self.form, self.a if side == "a" else self.b)

    def differs(self, a: Expression, b: Expression) -> Expression:
        """Whether two values of this pair differ, on one engine; NULL equals NULL, NaN equals NaN."""
        distinct = a.is_distinct_from(b)
        close = self._close(a, b)
        return distinct if close is None else sa.and_(distinct, sa.not_(sa.func.coalesce(close, sa.false())))

    def _close(self, a: Expression, b: Expression) -> Expression | None:
        near = self.tolerance
        if self.form in TIMES and near.time_s > 0:
            return sa.func.abs(EpochSeconds(a) - EpochSeconds(b)) <= near.time_s
        if self.form not in NUMBERS or not (near.absolute > 0 or near.relative > 0):
            return None
        a, b = AsDouble(a), AsDouble(b)
        apart, size = sa.func.abs(a - b), sa.func.greatest(sa.func.abs(a), sa.func.abs(b))
        bounds = [apart <= near.absolute] if near.absolute > 0 else []
        bounds += [apart <= near.relative * size] if near.relative > 0 else []
        return sa.and_(size <= 1.7e308, sa.or_(*bounds))  # of infinities and NaN nothing is near

    @property
    def is_tolerant(self) -> bool:
        """Whether values that are not the same may count as equal."""
        near = self.tolerance
        numbers = self.form in NUMBERS and (near.absolute > 0 or near.relative > 0)
        return numbers or (self.form in TIMES and near.time_s > 0)

    @property
    def known(self) -> Expression:
        """Some value that is not NULL."""
        return known_value(self.form)


@dataclass(frozen=True)
class Alignment:
    """How the columns of both tables belong together; `only_a` and `only_b` have no counterpart.

    `renamed` proposes names in A to names in B for columns that look like one that was renamed; `notes` say what is
    taken for granted.
    """

    keys: tuple[Pair, ...]
    values: tuple[Pair, ...]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Keys, then the others."""
        return (*self.keys, *self.values)


def align(a: Side, b: Side, options: Options) -> Alignment:
    """Find the counterpart of every column.

    Raises:
        UsageError: a column named does not exist, a key column is missing on a side, or values cannot be compared.
    """
    names_a, names_b = [[c.name for c in side.table.columns] for side in (a, b)]
    counterpart = _counterparts(a, b, options, names_a, names_b)
    for name in (*options.key, *options.tolerances):
        if name not in names_a:
            raise UsageError(f"no column `{name}` in A", where=a.table.name, mend=did_you_mean(name, names_a))
        if name not in counterpart and name in options.key:
            mend = f"{did_you_mean(name, names_b)}; a renamed one is told by --map {name}=COLUMN"
            raise UsageError(f"the key column `{name}` is missing in B", where=b.table.name, mend=mend)
    ignored = _ignored(a, b, options, names_a, names_b)
    taken = [name for name in names_a if name in counterpart and (name not in ignored or name in options.key)]
    pairs = {name: _pair(a, b, name, counterpart[name], options) for name in taken}
    only_a = tuple(n for n in names_a if n not in counterpart and n not in ignored)
    only_b = tuple(n for n in names_b if n not in counterpart.values() and n not in ignored)
    keys = tuple(replace(pairs.pop(n), tolerance=EXACT, fold_case=False, fold_space=False) for n in options.key)
    if not pairs and not keys:
        raise UsageError(
            "no column is in both tables", where=f"{a.table.name}, {b.table.name}", mend="name pairs: --map A=B"
        )
    notes = _notes([*keys, *pairs.values()], options)
    return Alignment(keys, tuple(pairs.values()), only_a, only_b, _renamed(a, b, only_a, only_b), notes)


def _counterparts(a: Side, b: Side, options: Options, names_a: Sequence[str], names_b: Sequence[str]) -> dict[str, str]:
    for name, other in options.columns.items():
        if name not in names_a:
            raise UsageError(f"no column `{name}` in A", where=a.table.name, mend=did_you_mean(name, names_a))
        if other not in names_b:
            raise UsageError(f"no column `{other}` in B", where=b.table.name, mend=did_you_mean(other, names_b))
    free = [name for name in names_b if name not in options.columns.values()]
    folded = {name.casefold(): name for name in free if sum(n.casefold() == name.casefold() for n in free) == 1}
    found: dict[str, str] = {}
    for name in names_a:
        if name in options.columns:
            found[name] = options.columns[name]
        elif name in free:
            found[name] = name
    for name in names_a:
        alike = folded.get(name.casefold())
        if name not in found and alike is not None and alike not in found.values():
            found[name] = alike
    return found


def _ignored(a: Side, b: Side, options: Options, names_a: Sequence[str], names_b: Sequence[str]) -> set[str]:
    for name in options.ignore:
        if name not in names_a and name not in names_b:
            mend = did_you_mean(name, [*names_a, *names_b])
            raise UsageError(f"no column `{name}` to ignore", where=f"{a.table.name}, {b.table.name}", mend=mend)
    return {*options.ignore, *a.table.ignore_columns}


def _pair(a: Side, b: Side, name: str, other: str, options: Options) -> Pair:
    first, second = a.table.column(name), b.table.column(other)
    form = form_of(first, second, (a.dialect, b.dialect))
    if form is None:
        what = f"column `{name}` is {first.type} in A and {second.type} in B, which cannot be compared"
        mend = f"leave it out with --ignore {name}, or cast it in a view"
        raise UsageError(what, where=f"{a.table.name}, {b.table.name}", mend=mend)
    tolerance = options.tolerance_of(name)
    return Pair(name, first, second, form, tolerance, options.ignore_case, options.ignore_whitespace, options.timezone)


def _notes(pairs: Sequence[Pair], options: Options) -> tuple[str, ...]:
    mixed = [p.name for p in pairs if p.form is Form.TIMESTAMP and zoned_once(p.a, p.b)]
    if not mixed:
        return ()
    named = ", ".join(mixed)
    return (f"{named}: with time zone on one side only; times without are read in {options.timezone} (--timezone)",)


def _renamed(a: Side, b: Side, only_a: Sequence[str], only_b: Sequence[str]) -> dict[str, str]:
    """The likeliest pairs of columns that are on one side only: comparable, and called alike or left over alone."""
    scored = []
    for name, other in product(only_a, only_b):
        if form_of(a.table.column(name), b.table.column(other), (a.dialect, b.dialect)) is None:
            continue
        alike = difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio()
        alone = len(only_a) == len(only_b) == 1
        if alike >= ALIKE_MIN or alone:
            scored.append((alike, name, other))
    found: dict[str, str] = {}
    for _, name, other in sorted(scored, reverse=True):
        if name not in found and other not in found.values():
            found[name] = other
    return found
