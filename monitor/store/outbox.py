"""Alerts on their way out: written with the incident, taken by senders, and kept until a channel has them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from monitor.store.models import outbox
from monitor.store.names import incident_name, incident_number
from monitor.store.records import ROOTS, ChannelStatus, OutboxItem


def read_pending(connection: Connection, limit: int, now: dt.datetime) -> list[OutboxItem]:
    """The alerts that are due, oldest first; nothing is changed."""
    wanted = select(outbox).where(outbox.c.due_at <= now).order_by(outbox.c.id).limit(limit)
    return [_item(row) for row in connection.execute(wanted)]


def take(connection: Connection, limit: int, now: dt.datetime, lease_s: float) -> list[OutboxItem]:
    """The same, for one of several senders: nobody else is given them before the lease ends."""
    due = (
        select(outbox)
        .where(outbox.c.due_at <= now)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; on SQLite the write lock is held already
    )
    rows = connection.execute(due).all()
    leased = update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
    connection.execute(leased.values(due_at=now + dt.timedelta(seconds=lease_s), taken_at=now))
    return [_item(row) for row in rows]


def _item(row: Row[Any]) -> OutboxItem:
    return OutboxItem(
        alert=row.alert,
        incident=incident_name(row.incident_id),
        table=row.table_name,
        partition=row.label,
        event=row.event,
        channel=row.channel,
        payload=json.loads(row.payload),
        attempts=row.attempts,
        uncertain=row.taken_at is not None,
        enqueued_at=row.enqueued_at,
        error=row.error,
        order=row.partition_order,
        not_before=row.not_before,
        bundle=row.bundle,
        due_at=row.due_at,
        delivered_at=row.delivered_at,
        receipt=row.receipt,
    )


def read_roots(connection: Connection, incident: str, channel: str) -> list[OutboxItem]:
    """The messages of an incident on a channel, sent or not, oldest first."""
    mine = (outbox.c.incident_id == incident_number(incident)) & (outbox.c.channel == channel)
    wanted = select(outbox).where(mine, outbox.c.event.in_(ROOTS)).order_by(outbox.c.id)
    return [_item(row) for row in connection.execute(wanted)]


def was_told(connection: Connection, incident: str, prefix: str) -> bool:
    """Whether a message of an incident has a receipt that begins so."""
    mine = (outbox.c.incident_id == incident_number(incident)) & outbox.c.receipt.startswith(prefix, autoescape=True)
    return connection.execute(select(outbox.c.id).where(mine).limit(1)).first() is not None


def read_bundle(connection: Connection, bundle: str) -> list[OutboxItem]:
    """All alerts that are one message, oldest first."""
    return [
        _item(row) for row in connection.execute(select(outbox).where(outbox.c.bundle == bundle).order_by(outbox.c.id))
    ]


def read_last_bundle(connection: Connection, channel: str, prefix: str, since: dt.datetime) -> str | None:
    """The newest bundle that begins with `prefix` and reached a channel after `since`."""
    wanted = (
        select(outbox.c.bundle)
        .where(
            outbox.c.channel == channel,
            outbox.c.bundle.startswith(prefix, autoescape=True),
            outbox.c.delivered_at >= since,
        )
        .order_by(outbox.c.id.desc())
        .limit(1)
    )
    found: str | None = connection.execute(wanted).scalar()
    return found


def bundle(connection: Connection, alerts: Sequence[str], name: str) -> None:
    """Make alerts that are still to be sent one message."""
    unsettled = outbox.c.alert.in_(alerts) & outbox.c.due_at.is_not(None)
    connection.execute(update(outbox).where(unsettled).values(bundle=name))


def put_off(connection: Connection, alert: str, until: dt.datetime) -> bool:
    """It is not wanted before `until`; later ones need not wait for it."""
    return _settle(connection, alert, due_at=until, not_before=until, taken_at=None)


def mark_delivered(connection: Connection, alert: str, now: dt.datetime, receipt: str | None) -> bool:
    """The channel has it. False for an unknown alert, and for one already settled."""
    return _settle(
        connection,
        alert,
        due_at=None,
        taken_at=None,
        delivered_at=now,
        receipt=receipt,
        attempts=outbox.c.attempts + 1,
        error=None,
    )


def mark_failed(connection: Connection, alert: str, error: str, retry_at: dt.datetime) -> bool:
    """The channel refused it, or could not be reached: it is due again at `retry_at`."""
    return _settle(connection, alert, due_at=retry_at, taken_at=None, attempts=outbox.c.attempts + 1, error=error)


def mark_given_up(connection: Connection, alert: str, error: str) -> bool:
    """Nobody tries again. The row stays, so that a re-run of the day does not send it after all."""
    return _settle(connection, alert, due_at=None, taken_at=None, attempts=outbox.c.attempts + 1, error=error)


def read_channels_due(connection: Connection, now: dt.datetime) -> list[str]:
    """The channels that alerts are due for, by name."""
    wanted = select(outbox.c.channel).where(outbox.c.due_at <= now).distinct().order_by(outbox.c.channel)
    return list(connection.execute(wanted).scalars())


def put_back(connection: Connection, alert: str, due: dt.datetime) -> bool:
    """Nobody tried: it is due again at `due`, and its attempts and its error stay what they were."""
    return _settle(connection, alert, due_at=due, taken_at=None)


def read_undelivered(connection: Connection, since: dt.datetime) -> list[ChannelStatus]:
    """What waits for each channel, and what was written since `since` and given up."""
    given_up = outbox.c.due_at.is_(None) & (outbox.c.enqueued_at >= since)
    columns = (outbox.c.channel, outbox.c.due_at, outbox.c.enqueued_at, outbox.c.attempts, outbox.c.error)
    untried = outbox.c.due_at.is_not(None) & (outbox.c.attempts == 0) & outbox.c.taken_at.is_(None)
    planned = untried & (outbox.c.not_before.is_not(None) | outbox.c.event.not_in(ROOTS))  # nobody misses these yet
    wanted = select(*columns).where(outbox.c.delivered_at.is_(None), outbox.c.due_at.is_not(None) | given_up, ~planned)
    by_channel: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(wanted.order_by(outbox.c.id)):
        by_channel[row.channel].append(row)
    return [_undelivered(channel, rows) for channel, rows in sorted(by_channel.items())]


def _undelivered(channel: str, rows: Sequence[Any]) -> ChannelStatus:
    waiting = [row for row in rows if row.due_at is not None]
    lost = [row for row in rows if row.due_at is None]
    tried = [row for row in waiting if row.attempts]
    return ChannelStatus(
        channel=channel,
        waiting=len(waiting),
        since=waiting[0].enqueued_at if waiting else None,
        tried=bool(tried),
        error=tried[0].error if tried else None,
        given_up=len(lost),
        given_up_error=lost[-1].error if lost else None,
    )


def _settle(connection: Connection, alert: str, **changes: Any) -> bool:
    unsettled: ColumnElement[bool] = (outbox.c.alert == alert) & outbox.c.due_at.is_not(None)
    settled = update(outbox).where(unsettled).values(**changes).returning(outbox.c.id)
    return connection.execute(settled).scalar() is not None
