"""Conditions of found segments as the engine's SQL: they run as they stand, and show no value that may not be seen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from monitor.privacy.redact import Gate
from monitor.privacy.shapes import is_hidden
from monitor.types import Column, ColumnKind, Table

if TYPE_CHECKING:
    from checks.rootcause import Condition
    from monitor.warehouses.base import Warehouse

_MARKS = (70_001, 70_002)
"""Two numbers that no condition has, in the place of the bounds of a time of day."""


def conjunction_sql(
    warehouse: Warehouse, table: Table, conditions: Sequence[Condition], rows: int, gate: Gate
) -> str | None:
    """All conditions as one of the engine's SQL; None where a value in them may not be shown."""
    told = [condition_sql(warehouse, table, part, rows, gate) for whole in conditions for part in whole.parts()]
    parts = [text for text in told if text is not None]
    return " AND ".join(parts) if parts and len(parts) == len(told) else None


def condition_sql(warehouse: Warehouse, table: Table, condition: Condition, rows: int, gate: Gate) -> str | None:
    """One condition, of a segment of so many rows; bounds, lengths and times of day may always be shown."""
    quoted, value = warehouse.identifier(condition.column), condition.value
    match condition.operator:
        case "is null" | "is not null":
            return f"{quoted} {condition.operator.upper()}"
        case "clock":
            return warehouse.clock_condition(table, condition.column, *value)
        case "length" | "prefix" | "suffix":
            return text_condition(warehouse, table.column(condition.column), condition, rows, gate)
    if isinstance(value, bool):
        return quoted if value else f"NOT {quoted}"
    if isinstance(value, float):
        return f"{quoted} {condition.operator} {value:.17g}" if value != round(value, 9) else _plain(quoted, condition)
    if isinstance(value, dt.date):
        return f"{quoted} {condition.operator} {_moment(warehouse, table, table.column(condition.column), value)}"
    if not gate.passes(rows) or is_hidden(value):
        return None
    return f"{quoted} {condition.operator} {warehouse.literal(value)}"


def _plain(quoted: str, condition: Condition) -> str:
    return f"{quoted} {condition.operator} {condition.value:.15g}"


def _moment(warehouse: Warehouse, table: Table, column: Column, value: dt.date) -> str:
    from monitor.warehouses.frames import is_zoned  # noqa: PLC0415 - loads pandas

    if column.kind is ColumnKind.DATE:
        return warehouse.literal(value.date() if isinstance(value, dt.datetime) else value)
    if isinstance(value, dt.datetime) and is_zoned(column):
        return warehouse.literal(value.replace(tzinfo=ZoneInfo(str(table.timezone))))
    return warehouse.literal(value)


def text_condition(warehouse: Warehouse, column: Column, condition: Condition, rows: int, gate: Gate) -> str | None:
    """How a text begins or ends, or how long it is."""
    import sqlalchemy as sa  # noqa: PLC0415 - heavy

    from monitor.warehouses.measures import text_of  # noqa: PLC0415 - beside it

    text, value = text_of(column), condition.value
    if condition.operator == "length":
        low, high = value
        length: Any = sa.func.length(text)
        return warehouse.sql(length == low if low == high else length.between(low, high))
    if not gate.passes(rows) or is_hidden(value):
        return None
    if not any(sign in value for sign in "%_\\"):
        return warehouse.sql(text.like(f"{value}%" if condition.operator == "prefix" else f"%{value}"))
    side = sa.func.left if condition.operator == "prefix" else sa.func.right
    return warehouse.sql(side(text, len(value)) == value)


def in_words(warehouse: Warehouse, table: Table, where: str) -> str:
    """A condition as a person reads it: times of day as such, all else as it runs."""
    from checks.missing import clocks_of  # noqa: PLC0415 - loads NumPy

    own = table.time.name if table.time is not None else None  # a date or an id has no time of day
    others = (c.name for c in table.columns if c.kind is ColumnKind.TIMESTAMP and c.name != own)
    for name in dict.fromkeys([*clocks_of(table), *others]):
        pattern = re.escape(warehouse.clock_condition(table, name, *_MARKS))
        for mark in _MARKS:
            pattern = pattern.replace(str(mark), r"(\d+)", 1)
        if pattern.count(r"(\d+)") == len(_MARKS):
            for found in re.finditer(pattern, where):
                where = where.replace(found[0], _hours(name, int(found[1]), int(found[2])))
    return where


def _hours(name: str, low: int, high: int) -> str:
    """Quarters of an hour as times of day.

    >>> _hours("at", 32, 48)
    'at from 08:00 to 12:00'
    """
    begin, end = (f"{quarter // 4:02d}:{quarter % 4 * 15:02d}" for quarter in (low, high))
    return f"{name} from {begin} to {end}"
