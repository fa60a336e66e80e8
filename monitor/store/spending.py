"""What was asked of the warehouses, and what for: receipts summed by table, purpose and hour."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from monitor.store.engine import insert_into
from monitor.store.models import costs
from monitor.store.records import CostSum, Receipt, Spent

NO_TABLE = ""
"""Stands for the table where a statement was about many."""
_FIRST_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')
_KEY = ("at", "warehouse", "table_name", "purpose")


def warehouse_of(table: str) -> str:
    """The first part of a table's name.

    >>> warehouse_of("main.flights"), warehouse_of('"my.lake".raw."a.b"')
    ('main', 'my.lake')
    """
    match = _FIRST_PART.match(table)
    if match is None:
        return table
    quoted, bare = match.groups()
    return quoted.replace('""', '"') if quoted else bare


def spend(connection: Connection, receipt: Receipt, at: dt.datetime) -> None:
    """Add a receipt to the sums of its hour."""
    new = insert_into(connection, costs).values(
        at=hour_of(at),
        warehouse=receipt.warehouse,
        table_name=receipt.table or NO_TABLE,
        purpose=receipt.purpose,
        runs=1,
        covered_s=receipt.covered_s,
        queries=receipt.cost.queries,
        rows_read=receipt.cost.rows,
        bytes_read=receipt.cost.bytes,
        seconds=receipt.seconds,
    )
    sums = {
        name: costs.c[name] + new.excluded[name] for name in ("runs", "covered_s", "queries", "rows_read", "seconds")
    }
    told = _both(costs.c.bytes_read, new.excluded.bytes_read)
    connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_={**sums, "bytes_read": told}))


def _both(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum of two counts of which either may be unknown."""
    return case((left.is_(None), right), (right.is_(None), left), else_=left + right)


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The beginning of the moment's hour."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def read_spent(connection: Connection, since: dt.datetime | None) -> list[Spent]:
    """The sums by warehouse, table and purpose since a moment's hour (None: ever)."""
    columns = [costs.c.warehouse, costs.c.table_name, costs.c.purpose]
    wanted = _since(_sums(columns), since).order_by(*columns)
    return [
        Spent(
            warehouse=row.warehouse,
            table=row.table_name or None,
            purpose=row.purpose,
            cost=_cost(row),
            covered_s=float(row.covered_s),
            first=row.first,
            last=row.last,
        )
        for row in connection.execute(wanted)
    ]


def read_by_table(connection: Connection, since: dt.datetime | None) -> dict[str, CostSum]:
    """What each table cost since a moment's hour, whatever for."""
    wanted = _since(_sums([costs.c.table_name]), since)
    return {row.table_name: _cost(row) for row in connection.execute(wanted)}


def _sums(columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    return select(
        *columns,
        func.sum(costs.c.runs).label("runs"),
        func.sum(costs.c.covered_s).label("covered_s"),
        func.sum(costs.c.queries).label("queries"),
        func.sum(costs.c.rows_read).label("rows_read"),
        func.sum(costs.c.bytes_read).label("bytes_read"),
        func.sum(costs.c.seconds).label("seconds"),
        func.min(costs.c.at).label("first"),
        func.max(costs.c.at).label("last"),
    ).group_by(*columns)


def _since(wanted: Select[Any], since: dt.datetime | None) -> Select[Any]:
    return wanted if since is None else wanted.where(costs.c.at >= hour_of(since))


def _cost(row: Row[Any]) -> CostSum:
    bytes_read = None if row.bytes_read is None else int(row.bytes_read)  # PostgreSQL sums big integers as NUMERIC
    return CostSum(int(row.runs), int(row.queries), int(row.rows_read), bytes_read, float(row.seconds))
