"""Where each table stands, and what watching it cost."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from monitor.store.incidents import read_incidents
from monitor.store.latest import is_latest
from monitor.store.models import findings, revisions
from monitor.store.records import CostSum, IncidentState, Seen, TableStatus
from monitor.store.spending import read_by_table
from monitor.types import Status

_NOT_WELL = (Status.FAIL.value, Status.ERROR.value, Status.SKIPPED.value)


def read_status(connection: Connection, since: dt.datetime | None) -> list[TableStatus]:
    """Every table that was ever judged, by name; costs are those recorded since `since` (None: ever)."""
    live: dict[str, list[IncidentState]] = defaultdict(list)
    for state in read_incidents(connection, None, open_only=True, at=None):
        live[state.table].append(state)
    costs = read_by_table(connection, since)
    return [
        _status(connection, row, tuple(live[row.table_name]), costs.get(row.table_name, CostSum()))
        for row in connection.execute(_last_judged()).all()
    ]


def read_costs(connection: Connection, table: str | None, since: dt.datetime | None) -> CostSum:
    """What one table (None: all together) cost since a moment's hour."""
    costs = [cost for name, cost in read_by_table(connection, since).items() if table in {None, name}]
    told = [cost.bytes for cost in costs if cost.bytes is not None]
    return CostSum(
        runs=sum(cost.runs for cost in costs),
        queries=sum(cost.queries for cost in costs),
        rows=sum(cost.rows for cost in costs),
        bytes=sum(told) if told else None,
        seconds=sum(cost.seconds for cost in costs),
    )


def _last_judged() -> Select[Any]:
    last = (
        select(revisions.c.table_name, func.max(revisions.c.partition_order).label("partition_order"))
        .where(revisions.c.judged.is_(True))
        .group_by(revisions.c.table_name)
        .subquery()
    )
    same = (last.c.table_name == revisions.c.table_name) & (last.c.partition_order == revisions.c.partition_order)
    return select(revisions).join(last, same).where(is_latest(judged=True)).order_by(revisions.c.table_name)


def _status(connection: Connection, row: Row[Any], incidents: tuple[IncidentState, ...], cost: CostSum) -> TableStatus:
    wanted = (
        select(findings.c.check_name, findings.c.status)
        .where(findings.c.revision_id == row.id, findings.c.status.in_(_NOT_WELL))
        .order_by(findings.c.id)
    )
    checks = connection.execute(wanted).all()
    return TableStatus(
        table=row.table_name,
        partition=Seen(row.label, row.partition_order),
        judged_at=row.recorded_at,
        failing=tuple(check for check, status in checks if status == Status.FAIL.value),
        errored=tuple(check for check, status in checks if status == Status.ERROR.value),
        skipped=tuple(check for check, status in checks if status == Status.SKIPPED.value),
        incidents=incidents,
        cost=cost,
    )
