"""Segments of rows, as a person reads them and as SQL that runs: values of columns, times of day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitor.errors import SourceError
from monitor.privacy.redact import Gate
from monitor.types import ROWS, ColumnKind, Measure, Partition, Segment, Table
from monitor.words import names, number, share

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

Told = Mapping[str, Any]
"""One segment of an evidence's detail: columns, key, quarters (or None), rows, expected_rows, precision, recall."""


def condition_of(warehouse: Warehouse, table: Table, told: Told) -> str | None:
    """The segment as a condition of the engine's SQL; None where its values may not be shown."""
    if told.get("quarters"):
        low, high = told["quarters"]
        return warehouse.clock_condition(table, told["columns"][0], int(low), int(high))
    if not _may_be_shown(table, told):
        return None
    pairs = zip(told["columns"], told["key"], strict=True)
    return " AND ".join(_equals(warehouse, table, name, value) for name, value in pairs)


def _equals(warehouse: Warehouse, table: Table, name: str, value: object) -> str:
    quoted = warehouse.identifier(name)
    if value is None:
        return f"{quoted} IS NULL"
    if isinstance(value, bool):
        return quoted if value else f"NOT {quoted}"
    if table.column(name).kind is ColumnKind.DATE and isinstance(value, str):
        return f"{quoted} = {warehouse.literal(dt.date.fromisoformat(value[:10]))}"
    return f"{quoted} = {warehouse.literal(value)}"


def _may_be_shown(table: Table, told: Told) -> bool:
    return Gate(table).passes(max(told["rows"], told["expected_rows"])) and not table.ignore_columns & set(
        told["columns"]
    )


def segments_of(warehouse: Warehouse, table: Table, listed: Sequence[Told]) -> tuple[Segment, ...]:
    """The segments that may be shown, in their order."""
    found = ((condition_of(warehouse, table, told), told) for told in listed)
    return tuple(
        Segment(where, round(told["precision"], 3), round(told["recall"], 3), int(told["rows"]))
        for where, told in found
        if where is not None
    )


def confirm(
    warehouse: Warehouse, table: Table, partition: Partition, found: Sequence[Segment], bad: str
) -> tuple[Segment, ...]:
    """The segments with their shares counted on every row, by one statement; without those that prove no worse.

    Where the engine does not answer, they stay as the sample says. `bad` is the condition of the bad rows.
    """
    if not found:
        return ()
    inside = [Measure("count_where", argument=s.where) for s in found]
    both = [Measure("count_where", argument=f"({s.where}) AND ({bad})") for s in found]
    whole = Measure("count_where", argument=bad)
    where = partition if table.time is not None else None
    try:
        counted = warehouse.aggregates(table, where, [ROWS, whole, *inside, *both], blame=False)
    except SourceError:
        return tuple(found)
    rows, broken = counted[ROWS] or 0.0, counted[whole] or 0.0
    told = []
    for segment, i, b in zip(found, inside, both, strict=True):
        size, hit = counted[i] or 0.0, counted[b] or 0.0
        if hit * rows > size * broken:
            told.append(replace(segment, precision=round(hit / size, 3), recall=round(hit / broken, 3), rows=int(size)))
    return tuple(told)


def segment_words(table: Table, told: Told) -> str:
    """The segment in a few words: `carrier UA`, `origin JFK with carrier UA`, `created_at from 12:00 to 13:30`."""
    if told.get("quarters"):
        low, high = (f"{int(q) // 4:02d}:{int(q) % 4 * 15:02d}" for q in told["quarters"])
        return f"{told['columns'][0]} from {low} to {high}"
    gate = Gate(table)
    rows = max(told["rows"], told["expected_rows"])
    pairs = zip(told["columns"], told["key"], strict=True)
    return " with ".join(f"{name} {gate.value(name, value, rows)}" for name, value in pairs)


def tell_missing(table: Table, listed: Sequence[Told]) -> str:
    """One sentence for the segments that are short."""
    if not listed:
        return "All segments and times of day came as usual."
    lead = listed[0]
    rows = f"{number(lead['rows'])} rows of {segment_words(table, lead)} came"
    if lead["rows"] == 0:
        rows = f"No rows of {segment_words(table, lead)} came"
    usual = f"expected about {number(round(lead['expected_rows']))} ({share(lead['precision'])} missing)"
    others = [segment_words(table, told) for told in listed[1:]]
    return f"{rows}; {usual}{'; also short: ' + names(others) if others else ''}."
