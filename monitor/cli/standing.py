"""Where tables and warehouses stand, trouble of their sources included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.source import SOURCE, source_key

if TYPE_CHECKING:
    from monitor.cli.common import Opened
    from monitor.store import Store, TableStatus
    from monitor.types import Table

LEARNING_LOOKS = 7
"""Looks at a table without a past of its own in which only the gross is told."""


def standing(store: Store) -> dict[str, TableStatus]:
    """By name, where each table stands that was ever looked at; one that cannot be read now has errored."""
    rows = {row.table: row for row in store.status_rows()}
    suffix = source_key("")
    for key in [key for key in rows if key.endswith(suffix)]:
        own = rows.pop(key)
        table = key.removesuffix(suffix)
        row = rows.get(table, replace(own, table=table, errored=()))
        if own.errored:
            row = replace(row, errored=(*row.errored, SOURCE))
        if table in rows or own.errored:
            rows[table] = row
    return rows


def names_of(found: Opened, rows: Mapping[str, TableStatus]) -> list[str]:
    """What `status` tells of: warehouses that cannot be used, the tables, and those of one that is out."""
    from monitor.config import warehouse_of  # noqa: PLC0415 - heavy

    down = [name for name in found.config.warehouses if name in found.outages or is_down(rows, name)]
    unreached = [name for name in rows if name not in down and warehouse_of(name) in found.outages]
    return [*down, *(table.name for table in found.tables), *unreached]


def learning(store: Store, tables: Sequence[Table]) -> dict[str, int]:
    """By name, how many looks there were at tables whose past began with the first one, while these are few."""
    looks = {
        table.name: sum(row.source == "run" for row in store.history(table.name, limit=LEARNING_LOOKS + 1))
        for table in tables
        if table.time is None
    }
    return {name: count for name, count in looks.items() if 0 < count <= LEARNING_LOOKS}


def is_down(rows: Mapping[str, TableStatus], warehouse: str) -> bool:
    """Whether the last that is known of a warehouse is that it could not be used."""
    return warehouse in rows and bool(rows[warehouse].errored)
