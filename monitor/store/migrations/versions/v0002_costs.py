"""Receipts summed by table, purpose and hour: of polls, of backfill and of runs that failed too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WANTED = """SELECT table_name, partition_order, partition, recorded_at, queries, rows_read, bytes_read, seconds
    FROM daywatch_revisions WHERE judged ORDER BY id"""


def upgrade() -> None:
    """Create the table, and fill it with what the runs so far cost."""
    costs = op.create_table(
        "daywatch_costs",
        sa.Column("at", TIME, nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("covered_s", sa.Float(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("at", "warehouse", "table_name", "purpose", name="daywatch_costs_pk"),
    )
    statement = sa.text(WANTED).columns(recorded_at=TIME)
    rows = list(_summed(op.get_bind().execute(statement)))
    if rows:
        op.bulk_insert(costs, rows)


def _summed(revisions: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """One row an hour and table; a partition that was judged again is covered once."""
    sums: dict[tuple[dt.datetime, str], dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for row in revisions:
        hour = row.recorded_at.replace(tzinfo=row.recorded_at.tzinfo or dt.UTC).astimezone(dt.UTC)
        hour = hour.replace(minute=0, second=0, microsecond=0)
        sum_ = sums.setdefault((hour, row.table_name), _nothing(hour, row.table_name))
        if (row.table_name, row.partition_order) not in seen:
            sum_["covered_s"] += _length_s(json.loads(row.partition))
        seen.add((row.table_name, row.partition_order))
        sum_["runs"] += 1
        for name in ("queries", "rows_read", "seconds"):
            sum_[name] += getattr(row, name)
        if row.bytes_read is not None:
            sum_["bytes_read"] = (sum_["bytes_read"] or 0) + row.bytes_read
    yield from sums.values()


def _nothing(hour: dt.datetime, table: str) -> dict[str, Any]:
    quoted = table.startswith('"')
    warehouse = table[1:].split('".', 1)[0].replace('""', '"') if quoted else table.split(".", 1)[0]
    return {
        "at": hour, "warehouse": warehouse, "table_name": table, "purpose": "judge", "runs": 0, "covered_s": 0.0,
        "queries": 0, "rows_read": 0, "bytes_read": None, "seconds": 0.0,
    }  # fmt: skip


def _length_s(partition: dict[str, str]) -> float:
    if "start" not in partition or "end" not in partition:
        return 0.0
    bounds = [dt.datetime.fromisoformat(partition[name]) for name in ("start", "end")]
    return max((bounds[1] - bounds[0]).total_seconds(), 0.0)
