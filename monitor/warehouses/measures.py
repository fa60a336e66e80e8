"""Measures as SQL: many of them fused into the columns of one statement, and read back.

Equal expressions are asked for once; all quantiles of a column share one digest. A measure that means nothing for a
column's kind (the mean of a text) is None without costing anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from monitor.errors import UsageError
from monitor.types import Column, ColumnKind, Measure, Table
from monitor.warehouses.constructs import (
    ApproxDistinct,
    Comparable,
    CountIf,
    EpochSeconds,
    Expression,
    Finite,
    IsBlank,
    IsMissing,
    IsNonfinite,
    Quantiles,
    RowHash,
    Tame,
    TypedColumn,
    columns_of,
    raw,
)
from monitor.warehouses.times import Clock

Values = Sequence[Any]
Read = Callable[[Values], float | None]
KEY_SEPARATOR = "\t"
EXACT_ROWS_MAX = 2_000_000
CLASS_ROWS = 500_000
_TEMPORAL = frozenset({ColumnKind.DATE, ColumnKind.TIMESTAMP})
_FLOATS = ("FLOAT", "DOUBLE", "REAL", "NUMERIC")  # PostgreSQL's numeric, alone of the exact types, has NaN
_PLAIN_TEXTS = ("VARCHAR", "TEXT", "STRING", "CHARACTER VARYING")


def residue_classes(rows: float | None) -> int:
    """In how many classes to split the row hashes so that counting one of them stays cheap; 1 where few or unknown."""
    if rows is None or rows <= EXACT_ROWS_MAX:
        return 1
    return math.ceil(rows / CLASS_ROWS)


def text_of(column: Column) -> Expression:
    """A text column as text, whatever its engine type (an ENUM, a UUID)."""
    plain = columns_of([column.name])[0]
    return plain if column.type.upper().startswith(_PLAIN_TEXTS) else sa.cast(plain, sa.Text)


def is_float(column: Column) -> bool:
    """Whether the column's engine type has NaN and infinities."""
    return column.type.upper().startswith(_FLOATS)


@dataclass
class Fused:
    """The measures of one statement: `columns` to select, `read` to turn a row of them into values.

    Args:
        table: whose columns the measures name.
        sql: turns an expression into the engine's text; equal texts are one column.
        classes: how many residue classes the row hashes are split in; only the first is counted.
    """

    table: Table
    sql: Callable[[Expression], str]
    classes: int = 1
    columns: list[Expression] = field(default_factory=list)
    _positions: dict[str, int] = field(default_factory=dict)
    _fractions: dict[str, list[float]] = field(default_factory=dict)
    _reads: dict[Measure, Read] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, measures: Sequence[Measure], sql: Callable[[Expression], str], classes: int = 1) -> Fused:
        """The fused statement of `measures`.

        Raises:
            UsageError: a measure is of no known kind or names a column that the table does not have.
        """
        fused = cls(table, sql, classes)
        for measure in measures:
            if measure.kind == "quantile":
                fractions = fused._fractions.setdefault(measure.column, [])
                fractions.extend({float(measure.argument)} - set(fractions))
        for measure in measures:
            fused._reads[measure] = fused._plan(measure)
        return fused

    def read(self, row: Values) -> dict[Measure, float | None]:
        """The values of the measures; times as the clock's moments (see `Clock.read`)."""
        return {measure: read(row) for measure, read in self._reads.items()}

    def _plan(self, measure: Measure) -> Read:
        kind = measure.kind
        if kind in _ROW_MEASURES:
            return self._one(_ROW_MEASURES[kind](measure))
        if kind in {"time_min", "time_max"}:
            return self._time(kind)
        if kind == "duplicate_rows":
            return self._duplicates([c for c in self.table.checked_columns if not c.within])
        if kind == "duplicate_keys":
            keys = measure.argument or measure.column
            return self._duplicates([self._column(name) for name in keys.split(KEY_SEPARATOR)])
        if kind == "quantile":
            return self._quantile(self._column(measure.column), float(measure.argument))
        if kind not in _COLUMN_MEASURES:
            raise UsageError(f"`{kind}` is no measure", where=self.table.name)
        expression = _COLUMN_MEASURES[kind](self._column(measure.column))
        return _nothing if expression is None else self._one(expression)

    def _column(self, name: str) -> Column:
        try:
            return self.table.column(name)
        except KeyError:
            raise UsageError(f"no column `{name}`", where=self.table.name, mend="look at its columns") from None

    def _position(self, expression: Expression) -> int:
        text = self.sql(expression)
        if text not in self._positions:
            self._positions[text] = len(self.columns)
            self.columns.append(expression.label(f"m{len(self.columns)}"))
        return self._positions[text]

    def _one(self, expression: Expression) -> Read:
        position = self._position(expression)
        return lambda row: _number(row[position])

    def _time(self, kind: str) -> Read:
        clock = Clock.of(self.table)
        if clock is None or clock.is_id or clock.is_date:
            return _nothing
        function = sa.func.min if kind == "time_min" else sa.func.max
        return self._one(function(clock.moment()))

    def _quantile(self, column: Column, fraction: float) -> Read:
        number = numeric(column)
        if number is None:
            return _nothing
        fractions = self._fractions[column.name]
        digest = Quantiles(sa.cast(number, sa.Double), *map(sa.literal, fractions))
        position, place = self._position(digest), fractions.index(fraction)
        return lambda row: _number(_list(row[position])[place]) if row[position] is not None else None

    def _duplicates(self, columns: Sequence[Column]) -> Read:
        if not columns:
            return _nothing
        rows = self._position(sa.func.count())
        hashed = RowHash(*map(TypedColumn, columns))
        if self.classes == 1:
            distinct = self._position(sa.func.count(sa.distinct(hashed)))
            return lambda row: float(row[rows] - row[distinct])
        first = hashed % sa.literal(self.classes) == 0
        seen = self._position(CountIf(first))
        kept = self._position(sa.func.count(sa.distinct(sa.case((first, hashed)))))

        def scaled(row: Values) -> float | None:
            # The class's share of duplicates times all rows: equal rows share their class, so the share is unbiased.
            return round(float(row[rows] * (row[seen] - row[kept]) / row[seen])) if row[seen] else 0.0

        return scaled


def numeric(column: Column) -> Expression | None:
    """The column as finite numbers (times as epoch seconds); None where its kind has none."""
    plain = TypedColumn(column)
    if column.kind in _TEMPORAL:
        return EpochSeconds(plain)
    if column.kind is not ColumnKind.NUMBER:
        return None
    return Finite(plain) if is_float(column) else plain


def _extreme(column: Column, function: Callable[[Expression], Expression]) -> Expression | None:
    plain = TypedColumn(column)
    if column.kind in _TEMPORAL:  # the raw extreme first: engines answer it from their statistics
        return EpochSeconds(function(Finite(plain)))
    number = numeric(column)
    return None if number is None else sa.cast(function(number), sa.Double)


def _moment(column: Column, function: Callable[[Expression], Expression]) -> Expression | None:
    number = numeric(column)
    if number is None:
        return None
    return function(Tame(TypedColumn(column)) if is_float(column) else sa.cast(number, sa.Double))


def _mean(column: Column) -> Expression | None:
    return _moment(column, sa.func.avg)


def _stddev(column: Column) -> Expression | None:
    return _moment(column, sa.func.stddev_samp)


def _nulls(column: Column) -> Expression:
    if column.kind is ColumnKind.TEXT:
        return CountIf(IsMissing(text_of(column)))
    return sa.func.count() - sa.func.count(columns_of([column.name])[0])


def _empty(column: Column) -> Expression | None:
    return CountIf(IsBlank(text_of(column))) if column.kind is ColumnKind.TEXT else None


def _zeros(column: Column) -> Expression | None:
    return CountIf(columns_of([column.name])[0] == 0) if column.kind is ColumnKind.NUMBER else None


def _length_mean(column: Column) -> Expression | None:
    return sa.func.avg(sa.func.length(text_of(column))) if column.kind is ColumnKind.TEXT else None


def _true(column: Column) -> Expression | None:
    return CountIf(columns_of([column.name])[0]) if column.kind is ColumnKind.BOOLEAN else None


def _nonfinite(column: Column) -> Expression | None:
    if column.kind is not ColumnKind.NUMBER:
        return None
    return CountIf(IsNonfinite(columns_of([column.name])[0])) if is_float(column) else sa.literal(0)


_COLUMN_MEASURES: dict[str, Callable[[Column], Expression | None]] = {
    "nulls": _nulls,
    "empty": _empty,
    "zeros": _zeros,
    "mean": _mean,
    "stddev": _stddev,
    "min": lambda column: _extreme(column, sa.func.min),
    "max": lambda column: _extreme(column, sa.func.max),
    "length_mean": _length_mean,
    "true": _true,
    "distinct": lambda column: ApproxDistinct(TypedColumn(column)),
    "distinct_exact": lambda column: sa.func.count(sa.distinct(Comparable(TypedColumn(column)))),
    "nonfinite": _nonfinite,
}
_ROW_MEASURES: dict[str, Callable[[Measure], Expression]] = {
    "rows": lambda _measure: sa.func.count(),
    "count_where": lambda measure: CountIf(raw(measure.argument)),
    "expression": lambda measure: sa.cast(raw(measure.argument), sa.Double),
}


def _list(digest: Any) -> Sequence[Any]:
    """A digest's numbers; engines whose results have no lists bring them as JSON."""
    numbers: Sequence[Any] = json.loads(digest) if isinstance(digest, str) else digest
    return numbers


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _nothing(_row: Values) -> None:
    return None
