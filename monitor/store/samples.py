"""Samples of tables that are rewritten in place: the latest look of each partition, the newest few of each table.

The store knows nothing of what is in them: whoever hands one in has made sure that it may be kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, select

from monitor.store.engine import insert_into
from monitor.store.models import revisions, samples
from monitor.store.records import KeptSample


def write(connection: Connection, table: str, order: str, kept: KeptSample, at: dt.datetime) -> None:
    """Keep the sample of a partition instead of an earlier one of it, and let go of those beyond its `looks_max`."""
    new = insert_into(connection, samples).values(
        table_name=table, partition_order=order, rows_kept=kept.rows, document=kept.document, recorded_at=at
    )
    replaced = {name: getattr(new.excluded, name) for name in ("rows_kept", "document", "recorded_at")}
    connection.execute(new.on_conflict_do_update(index_elements=["table_name", "partition_order"], set_=replaced))
    newest = select(samples.c.partition_order).where(samples.c.table_name == table)
    newest = newest.order_by(samples.c.partition_order.desc()).offset(kept.looks_max - 1).limit(1)
    oldest = connection.execute(newest).scalar()
    if oldest is not None:
        mine = samples.c.table_name == table
        connection.execute(delete(samples).where(mine, samples.c.partition_order < oldest))


def orders(connection: Connection, table: str) -> list[str]:
    """The partitions of a table of which a sample is kept, oldest first."""
    mine = select(samples.c.partition_order).where(samples.c.table_name == table)
    return list(connection.execute(mine.order_by(samples.c.partition_order)).scalars())


def read(connection: Connection, table: str, wanted: Collection[str]) -> dict[str, bytes]:
    """The samples of these partitions, by order; those that are not kept are left out."""
    found = select(samples.c.partition_order, samples.c.document).where(
        samples.c.table_name == table, samples.c.partition_order.in_(sorted(wanted))
    )
    return {order: bytes(document) for order, document in connection.execute(found)}


def forget(connection: Connection) -> int:
    """Remove samples of partitions that nothing else is kept of."""
    kept = exists().where(
        revisions.c.table_name == samples.c.table_name, revisions.c.partition_order == samples.c.partition_order
    )
    return connection.execute(delete(samples).where(~kept)).rowcount
