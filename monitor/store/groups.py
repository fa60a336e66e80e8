"""Rows by group of past partitions: what the latest reading found, by table, partition and grouping.

They are readings of the warehouse and can be read again, so that a later one replaces an earlier one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, exists, select

from monitor.store import codec
from monitor.store.engine import insert_into
from monitor.store.models import groups, revisions
from monitor.store.past import chunks
from monitor.types import Grouped

Readings = Mapping[str, Mapping[str, Grouped]]
"""By partition order, then by the grouping's name."""


def write(connection: Connection, table: str, readings: Readings, at: dt.datetime) -> int:
    """Keep these readings, instead of earlier ones of the same partitions and groupings; how many there were."""
    rows = [
        {
            "table_name": table,
            "partition_order": order,
            "grouping": name,
            "document": _dump(found),
            "recorded_at": at,
        }
        for order, by_name in readings.items()
        for name, found in by_name.items()
    ]
    if rows:
        new = insert_into(connection, groups)
        replaced = {"document": new.excluded.document, "recorded_at": new.excluded.recorded_at}
        keys = ["table_name", "partition_order", "grouping"]
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=replaced), rows)
    return len(rows)


def read(
    connection: Connection, table: str, names: list[str], since: str, before: str
) -> dict[str, dict[str, Grouped]]:
    """The readings of these groupings, of partitions in [since, before): by grouping, then by partition order."""
    found: dict[str, dict[str, Grouped]] = {name: {} for name in names}
    for chunk in chunks(sorted(names)):
        wanted = select(groups.c.partition_order, groups.c.grouping, groups.c.document).where(
            groups.c.table_name == table,
            groups.c.grouping.in_(chunk),
            groups.c.partition_order >= since,
            groups.c.partition_order < before,
        )
        rows = connection.execute(wanted).all()
        for row, document in zip(rows, codec.load_all([row.document for row in rows]), strict=True):
            found[row.grouping][row.partition_order] = _load(document)
    return found


def forget(connection: Connection) -> int:
    """Remove readings of partitions that nothing else is kept of."""
    kept = exists().where(
        revisions.c.table_name == groups.c.table_name, revisions.c.partition_order == groups.c.partition_order
    )
    return connection.execute(delete(groups).where(~kept)).rowcount


def _dump(found: Grouped) -> str:
    listed = [[key if isinstance(key, str) else list(key), *told] for key, told in found.groups.items()]
    return json.dumps([found.total, *listed], separators=(",", ":"), allow_nan=False)


def _load(document: list[Any]) -> Grouped:
    total, *listed = document
    return Grouped(float(total), {key if isinstance(key, str) else tuple(key): tuple(told) for key, *told in listed})
