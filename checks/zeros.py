"""Zeros by numeric column: what a failed default or a lost unit leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from checks.shares import judge_shares
from monitor.types import ROWS, Aggregate, Change, ColumnKind, Evidence, Input, Measure, Partition, Table, Values

WEIGHT = 1.5


class Zeros:
    """`zeros.<column>`: the share of rows whose value is 0 against its past."""

    name = "zeros"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, and zeros of every numeric column."""
        return [Aggregate(ROWS), *(Aggregate(m) for m in _measures(table))]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a numeric column."""
        return judge_shares(
            table,
            partition,
            values,
            _measures(table),
            name=lambda m: f"zeros.{m.column}",
            change=lambda _, up: Change.ZEROS_UP if up else Change.VALUES_GONE,
            what=lambda m: f"zeros of {m.column}",
            weight=WEIGHT,
        )


def _measures(table: Table) -> list[Measure]:
    time = table.time.name if table.time else None
    return [Measure("zeros", c.name) for c in table.checked_columns if c.kind is ColumnKind.NUMBER and c.name != time]
