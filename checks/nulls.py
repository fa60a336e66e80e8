"""Missing values by column: NULL, and for text also '' and blanks."""

from __future__ import annotations

from collections.abc import Sequence

from checks.shares import judge_shares
from monitor.types import (
    ROWS,
    Aggregate,
    Change,
    ColumnKind,
    Evidence,
    Input,
    Measure,
    Partition,
    Series,
    Table,
    Values,
)

WEIGHT = 3.0


class Nulls:
    """`nulls.<column>`: the share of rows without a value against its past."""

    name = "nulls"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, missing values of every column, and how many of them are '' in texts."""
        needed: list[Input] = [Aggregate(ROWS), *(Aggregate(m) for m in _measures(table))]
        needed += [Aggregate(Measure("empty", c.name)) for c in table.checked_columns if c.kind is ColumnKind.TEXT]
        return needed

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a column."""
        return judge_shares(
            table,
            partition,
            values,
            _measures(table),
            name=lambda m: f"nulls.{m.column}",
            change=lambda m, up: _change(values, m, up),
            what=lambda m: f"missing values of {m.column}",
            weight=WEIGHT,
        )


def _measures(table: Table) -> list[Measure]:
    time = table.time.name if table.time else None
    return [Measure("nulls", c.name) for c in table.checked_columns if c.name != time]


def _change(values: Values, measure: Measure, up: bool) -> Change:
    if not up:
        return Change.NULLS_DOWN
    nulls: Series = values[Aggregate(measure)]
    empty: Series | None = values.get(Aggregate(Measure("empty", measure.column)))
    if empty is None or not empty.today:
        return Change.NULLS_UP
    return Change.EMPTY_UP if _rise(empty) > 0.5 * _rise(nulls) else Change.NULLS_UP


def _rise(series: Series) -> float:
    past = [p.value for p in series.past[-14:] if p.value is not None and p.good]
    return (series.today or 0.0) - (sum(past) / len(past) if past else 0.0)
