"""Many tables at a glance: what the engine's metadata says of them, and how many rows their newest partitions have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from monitor.errors import DaywatchError, UnavailableError
from monitor.types import Partition, Table, TimeForm
from monitor.warehouses.times import Clock

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

TABLES_A_STATEMENT = 50
"""Tables whose counts one statement brings; engines plan a union of hundreds slowly."""

Asked = tuple[Table, Partition]
Counts = list[tuple[Partition, int]]


@dataclass(frozen=True, slots=True)
class TableState:
    """What an engine knows of a table without reading its rows; None where it does not tell.

    `rows` may be an estimate; `mark` is a text that stays the same as long as the table's rows do, so that an equal
    mark means that nothing needs to be asked.
    """

    rows: int | None = None
    bytes: int | None = None
    altered: dt.datetime | None = None
    mark: str | None = None


def recent_counts(warehouse: Warehouse, asked: Sequence[Asked]) -> dict[str, Counts | DaywatchError]:
    """Row counts of each table's partitions from the given one on, oldest first; see `Warehouse.recent`.

    Raises:
        UnavailableError: the warehouse cannot be asked at all.
    """
    found: dict[str, Counts | DaywatchError] = {}
    for form in dict.fromkeys(table.time.form for table, _ in asked if table.time is not None):
        alike = [(table, first) for table, first in asked if table.time is not None and table.time.form is form]
        for start in range(0, len(alike), TABLES_A_STATEMENT):
            found |= _counted(warehouse, alike[start : start + TABLES_A_STATEMENT])
    return found


def _counted(warehouse: Warehouse, asked: Sequence[Asked]) -> Mapping[str, Counts | DaywatchError]:
    """The counts of tables that say their time alike; where the statement is refused, halves find who is at fault."""
    try:
        return _read(asked, warehouse.fetch(_union(warehouse, asked)).to_pylist())
    except UnavailableError:
        raise
    except DaywatchError as error:
        if len(asked) == 1:
            return {asked[0][0].name: error}
        half = len(asked) // 2
        return {**_counted(warehouse, asked[:half]), **_counted(warehouse, asked[half:])}


def _union(warehouse: Warehouse, asked: Sequence[Asked]) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """One row a table and group of its clock: the table's place in `asked`, a moment of the group, its rows."""
    selects = [
        warehouse.grouped_counts(table, first, sa.literal(place).label("place"))
        for place, (table, first) in enumerate(asked)
    ]
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]


def _read(asked: Sequence[Asked], rows: Sequence[Mapping[str, Any]]) -> dict[str, Counts | DaywatchError]:
    counts: list[dict[Partition, int]] = [{} for _ in asked]
    clocks = [Clock.of(table) for table, _ in asked]
    for row in rows:
        clock = clocks[int(row["place"])]
        partition = clock.partition(row["moment"]) if clock is not None else None
        if partition is not None:
            mine = counts[int(row["place"])]
            mine[partition] = mine.get(partition, 0) + int(row["n"])
    return {table.name: sorted(mine.items()) for (table, _), mine in zip(asked, counts, strict=True)}


def is_pollable(table: Table) -> bool:
    """Whether the table's partitions can be counted from one on: it has a time column that orders them."""
    return table.time is not None and table.time.form is not TimeForm.TEXT_ID
