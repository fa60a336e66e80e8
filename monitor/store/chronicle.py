"""The lasting record of incidents: a line for each step, which retention leaves alone."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from monitor.store import codec
from monitor.store.engine import insert_into
from monitor.store.models import chronicle, events, outbox
from monitor.store.names import incident_name, incident_number
from monitor.store.records import ROOTS, Chronicled, RunRecord, Seen
from monitor.types import Incident

CORRECTED = "corrected"
"""A day was judged again and is well: what was found there before is taken back."""


def append(connection: Connection, run: RunRecord, incidents: Sequence[Incident]) -> None:
    """Write what happened on the run's partition, and what an earlier judging of it found and this one does not."""
    for incident in incidents:
        _write(connection, run, incident_number(incident.incident) or 0, incident.event, incident.title)
    for number, title in _taken_back(connection, run, {incident.incident for incident in incidents}):
        if _write(connection, run, number, CORRECTED, title):
            enqueue_refresh(connection, number, f"{CORRECTED}.{run.partition.order}", run.at)


def _write(connection: Connection, run: RunRecord, number: int, event: str, title: str) -> bool:
    row = insert_into(connection, chronicle).values(
        incident_id=number, table_name=run.table, partition_order=run.partition.order, label=run.partition.label,
        event=event, title=codec.dump(title), recorded_at=run.at,
    )  # fmt: skip
    once = row.on_conflict_do_nothing(index_elements=["incident_id", "partition_order", "event"])
    return connection.execute(once.returning(chronicle.c.id)).scalar() is not None


def _taken_back(connection: Connection, run: RunRecord, known: set[str]) -> list[tuple[int, str]]:
    """Incidents that an earlier revision of this partition found, as (number, title), and the latest does not."""
    wanted = (
        select(events.c.incident_id, chronicle.c.title)
        .join(
            chronicle,
            (chronicle.c.incident_id == events.c.incident_id)
            & (chronicle.c.partition_order == events.c.partition_order)
            & (chronicle.c.event == events.c.event),
        )
        .where(
            events.c.table_name == run.table,
            events.c.partition_order == run.partition.order,
            events.c.event != "recovered",
        )
        .order_by(events.c.incident_id)
    )
    found = {row.incident_id: json.loads(row.title) for row in connection.execute(wanted)}
    return [(number, title) for number, title in found.items() if incident_name(number) not in known]


def enqueue_refresh(connection: Connection, number: int, event: str, at: dt.datetime, payload: str = "{}") -> None:
    """Have the messages of an incident brought up to date, on every channel that has one or is to have one.

    A `payload` is a message besides, as JSON, that is told in their threads.
    """
    wanted = select(outbox).where(outbox.c.incident_id == number, outbox.c.event.in_(ROOTS)).order_by(outbox.c.id)
    roots = {row.channel: row for row in connection.execute(wanted)}
    for channel, root in roots.items():
        insert_follower(connection, root, channel, event, payload, at)


def insert_follower(connection: Connection, root: Any, channel: str, event: str, payload: str, at: dt.datetime) -> None:
    """Put what follows a message into the outbox, once."""
    row = insert_into(connection, outbox).values(
        alert=str(uuid.uuid4()), incident_id=root.incident_id, table_name=root.table_name,
        partition_order=root.partition_order, label=root.label, event=event, channel=channel, payload=payload,
        enqueued_at=at, due_at=at, attempts=0,
    )  # fmt: skip
    connection.execute(
        row.on_conflict_do_nothing(index_elements=["incident_id", "partition_order", "event", "channel"])
    )


def read(connection: Connection, name: str) -> list[Chronicled]:
    """Every step of an incident, in the order in which it was known; empty for an unknown one."""
    number = incident_number(name)
    wanted = select(chronicle).where(chronicle.c.incident_id == number).order_by(chronicle.c.id)
    return [_line(row) for row in connection.execute(wanted)]


def _line(row: Any) -> Chronicled:
    seen = Seen(row.label, row.partition_order)
    name, title = incident_name(row.incident_id), json.loads(row.title)
    return Chronicled(name, row.table_name, seen, row.event, title, row.recorded_at)
