"""Rows that come more than once, as a whole or by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from checks.shares import judge_shares
from monitor.types import ROWS, Aggregate, Change, Evidence, Input, Measure, Partition, Table, Values

WEIGHT = 1.5


class Duplicates:
    """`duplicates`: the share of rows beyond the first of each identical group, or of each key."""

    name = "duplicates"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, repeated rows, and repeated keys where a key is known."""
        return [Aggregate(ROWS), *(Aggregate(m) for m in _measures(table))]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence; its parts are rows and key, the worse one leads."""
        parts = judge_shares(
            table,
            partition,
            values,
            _measures(table),
            name=lambda _: "duplicates",
            change=lambda _, up: Change.DUPLICATES if up else Change.OTHER,
            what=_what,
            weight=WEIGHT,
        )
        if not parts:
            return []
        parts = [_with_key(table, part, m) for part, m in zip(parts, _measures(table), strict=True)]
        worst = max(parts, key=lambda e: e.score or 0.0)
        return [replace(worst, weight=WEIGHT, parts=tuple(parts) if len(parts) > 1 else ())]


def _with_key(table: Table, part: Evidence, measure: Measure) -> Evidence:
    if measure.kind != "duplicate_keys":
        return part
    return replace(part, columns=table.key, shares=tuple(1.0 / len(table.key) for _ in table.key))


def _measures(table: Table) -> list[Measure]:
    measures = [Measure("duplicate_rows")]
    if table.key:
        measures.append(Measure("duplicate_keys", "", "\t".join(table.key)))
    return measures


def _what(measure: Measure) -> str:
    if measure.kind == "duplicate_rows":
        return "rows that repeat another row"
    return f"rows that repeat a key ({', '.join(measure.argument.split(chr(9)))})"
