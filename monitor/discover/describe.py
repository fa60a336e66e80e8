"""What a table is like, at first sight."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from monitor.config.names import write_table_name
from monitor.discover.keys import find_keys, suggest_keys
from monitor.discover.names import is_calendar
from monitor.discover.times import PEEK_ROWS, TimeCandidate, search_time
from monitor.types import Cadence, Column, ColumnKind, Table, TimeColumn

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.warehouses.base import Warehouse

SEGMENTS_MAX = 10
SEGMENT_VALUES_MAX = 50
CODE_VALUES_MAX = 12  # of a number, fewer distinct values are codes and more are amounts
CONSTANT_SHARE = 0.999


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as discovered.

    `time` is None where no column says what day a row belongs to, and `reason` says why. `keys` holds confirmed
    single-column keys under key-like names; `key_suggestions` other columns or pairs that are unique. `segments`
    are columns with few values, `full_columns` those without NULL, `constants` those with one value in nearly all
    rows (candidates for leaving out). `rows` is counted where there is no time column: each look reads all of them.
    """

    path: tuple[str, ...]
    columns: tuple[Column, ...]
    rows_peeked: int
    time: TimeColumn | None
    cadence: Cadence
    reason: str
    candidates: tuple[TimeCandidate, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    key_suggestions: tuple[tuple[str, ...], ...] = ()
    segments: tuple[str, ...] = ()
    full_columns: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    rows: int | None = None


def describe(
    warehouse: Warehouse, path: tuple[str, ...], timezone: str = "UTC", now: dt.datetime | None = None
) -> TableDescription:
    """Look at one table: some thousand rows of it, and counts by partition of its likeliest time columns.

    Raises:
        UsageError: there is no such table.
        SourceError: the warehouse cannot answer.
    """
    columns = warehouse.columns(path)
    table = Table(write_table_name(warehouse.name, path), warehouse.name, path, columns, None, timezone=timezone)
    peek = warehouse.peek(path, PEEK_ROWS)
    search = search_time(warehouse, table, peek, now)
    best = search.best
    keys: list[tuple[str, ...]] = []
    suggested: list[tuple[str, ...]] = []
    if best is not None:
        table = replace(table, time=TimeColumn(best.column, best.form))
        keys = find_keys(warehouse, table)
        suggested = [] if keys else suggest_keys(warehouse, table)
    rows = warehouse.count(table) if best is None else None
    looks = {column.name: _look(column, peek) for column in columns if column.name in peek.column_names}
    return TableDescription(
        path=path,
        columns=columns,
        rows_peeked=peek.num_rows,
        time=table.time,
        cadence=best.cadence if best else Cadence.DAY,
        reason=best.reason if best else _why_none(peek.num_rows, search.refused),
        candidates=search.candidates,
        keys=tuple(keys),
        key_suggestions=tuple(suggested),
        segments=tuple(name for name, look in looks.items() if look.is_segment)[:SEGMENTS_MAX],
        full_columns=tuple(name for name, look in looks.items() if look.is_full),
        constants=tuple(name for name, look in looks.items() if look.is_constant),
        rows=rows,
    )


@dataclass(frozen=True)
class _ColumnLook:
    is_segment: bool = False
    is_full: bool = False
    is_constant: bool = False


def _look(column: Column, peek: pa.Table) -> _ColumnLook:
    arrow = peek.column(column.name)
    if arrow.type.num_fields:  # lists, structs, maps: pandas counts them in quadratic time
        return _ColumnLook(is_full=arrow.null_count == 0)
    try:
        values = pd.Series(arrow.to_pandas())
        counts = values.value_counts()
    except (ValueError, OverflowError, TypeError):  # dates beyond the calendar; values without a hash
        return _ColumnLook()
    if len(values) == 0 or len(counts) == 0:
        return _ColumnLook()
    present = int(counts.sum())
    blank = int(counts.get("", 0)) if column.kind is ColumnKind.TEXT else 0
    most = {ColumnKind.TEXT: SEGMENT_VALUES_MAX, ColumnKind.BOOLEAN: 2, ColumnKind.NUMBER: CODE_VALUES_MAX}
    few = 2 <= len(counts) <= min(most.get(column.kind, 0), present / 5)
    return _ColumnLook(
        is_segment=few and present >= len(values) / 2 and not is_calendar(column.name),
        is_full=present == len(values) and not blank,
        is_constant=present == len(values) and counts.iloc[0] >= CONSTANT_SHARE * len(values),
    )


def _why_none(rows: int, refused: tuple[tuple[str, str], ...]) -> str:
    if rows == 0:
        return "the table is empty"
    if not refused:
        return "no column that looks like a date, a time or a partition"
    return "; ".join(f"{column}: {reason}" for column, reason in refused[:3])
