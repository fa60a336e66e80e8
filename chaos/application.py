"""A fault into a copy of a watched table: what to ask, what is true, what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from chaos.catalogue import fault_named
from chaos.injection import columns_changed
from chaos.statement import DIALECTS, statement
from chaos.where import equals_any
from monitor.errors import UsageError
from monitor.types import Change, Partition, Table

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

VALUES_READ_MAX = 20
_SQLGLOT_NAMES = {"postgresql": "postgres"}


@dataclass(frozen=True)
class Order:
    """What damage is asked for; `rows` None is the fault's own default."""

    fault: str
    columns: tuple[str, ...] = ()
    rows: float | None = None
    where: str | None = None
    seed: int = 0
    intensity: float = 1.0


@dataclass(frozen=True)
class Prepared:
    """A damaged table as a SELECT, and the truth about it."""

    select: str
    truth: Mapping[str, Any]


def prepare(warehouse: Warehouse, table: Table, partition: Partition, order: Order, into: str) -> Prepared:
    """The SELECT of a damaged copy and its truth; reads the warehouse, writes nothing.

    Raises:
        UsageError: the fault cannot be applied as asked, or the day has no rows (inside `where`).
        SourceError: the warehouse cannot answer.
    """
    _refuse_empty(warehouse, table, partition, order.where)
    fault = fault_named(order.fault)
    dialect = _dialect(warehouse)
    relation, day = _rows_of(warehouse, table, partition, dialect)
    past, gap_days = _before(warehouse, table, partition, dialect) if "yesterday" in fault.needs else (None, 1)
    time_column = table.time.name if table.time is not None else None
    built = statement(
        order.fault,
        (relation, table.columns),
        dialect,
        columns=order.columns,
        rows=order.rows,
        where=order.where,
        seed=order.seed,
        intensity=order.intensity,
        partition=day,
        yesterday=past,
        gap_days=gap_days,
        time_column=time_column,
    )
    chosen = _values(warehouse, built.values)
    rises = built.moved_up is not None and bool(_one(warehouse, built.moved_up))
    change = (Change.SHIFT_UP if rises else Change.SHIFT_DOWN) if fault.signed else fault.change
    truth = {
        "into": into,
        "fault": fault.name,
        "columns": list(columns_changed(fault, order.columns, time_column)),
        "where": _where(order, equals_any(order.columns[0], chosen) if chosen else None),
        "rows_changed": int(_one(warehouse, built.changed) or 0),
        "change": change.value,
        "table": table.name,
        "partition": partition.label,
        "rows": fault.options.get("rows") if order.rows is None else order.rows,
        "seed": order.seed,
        "intensity": order.intensity,
    }
    return Prepared(built.select, truth)


def _refuse_empty(warehouse: Warehouse, table: Table, partition: Partition, where: str | None) -> None:
    if not warehouse.count(table, partition, where):
        inside = f" where {where}" if where else ""
        raise UsageError(
            f"no rows on {partition.label}{inside}", where=table.name, mend="choose a --date (and --where) with rows"
        )


def _dialect(warehouse: Warehouse) -> str:
    name = _SQLGLOT_NAMES.get(warehouse.dialect, warehouse.dialect)
    if name not in DIALECTS:
        mend = f"it can in {', '.join(DIALECTS)}"
        raise UsageError(f"chaos cannot write {name} yet", where=f"warehouse {warehouse.name}", mend=mend)
    return name


def _rows_of(
    warehouse: Warehouse, table: Table, partition: Partition, dialect: str
) -> tuple[exp.Expression, str | None]:
    """What the table is read from, and the condition of the partition's rows, as the warehouse writes them.

    A table without a time column is one day.
    """
    day = partition if table.time is not None else None
    select = sqlglot.parse_one(warehouse.select_sql(table, day, limit=None), read=dialect)
    source, condition = select.find(exp.From), select.find(exp.Where)
    if source is None:
        raise UsageError("the table cannot be read", where=table.name, mend="check its name")
    return source.this, condition.this.sql(dialect=dialect) if condition is not None else None


def _before(warehouse: Warehouse, table: Table, partition: Partition, dialect: str) -> tuple[str, int]:
    """The condition of the last partition before this one that has rows, and the days between them."""
    found = warehouse.partitions(table, before=partition, last=1) if table.time is not None else []
    if not found:
        raise UsageError(f"no day before {partition.label} has rows", where=table.name, mend="choose a later --date")
    earlier = found[0][0]
    condition = _rows_of(warehouse, table, earlier, dialect)[1]
    gap = (partition.start - earlier.start).days if partition.start and earlier.start else 1
    return str(condition), gap


def _one(warehouse: Warehouse, query: str) -> Any:
    return warehouse.fetch(query).column(0)[0].as_py()


def _values(warehouse: Warehouse, query: str | None) -> Sequence[Any]:
    found = warehouse.fetch(query).column(0).to_pylist() if query is not None else []
    return found if len(found) <= VALUES_READ_MAX else []


def _where(order: Order, segment: str | None) -> str | None:
    if order.where is None or segment is None:
        return order.where or segment
    return f"({order.where}) AND {segment}"
