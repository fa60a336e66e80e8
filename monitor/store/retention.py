"""Removing what is older than anybody needs."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Column, Connection, Delete, Table, delete, exists, func, or_, select

from monitor.store import groups, samples
from monitor.store.incidents import read_incidents
from monitor.store.models import claims, costs, events, feedback, findings, incidents, outbox, revisions, schemas
from monitor.store.names import incident_number
from monitor.store.past import chunks
from monitor.store.records import Pruned


def prune(connection: Connection, before: dt.datetime) -> Pruned:
    """Remove partitions that began before `before` (or, without a time, were recorded before it).

    What an open incident happened on stays whole, and so do feedback, the incidents it is about, and alerts that are
    still to be sent.
    """
    old = _old_revisions(connection, before)
    removed = Pruned(
        findings=_delete_by(connection, findings.c.revision_id, old),
        events=_delete_by(connection, events.c.revision_id, old),
        partitions=_delete_by(connection, revisions.c.id, old),
        alerts=_delete(connection, _settled_alerts()),
        incidents=_delete(connection, _forgotten(incidents, events, outbox, feedback)),
    )
    unused = ~exists().where(revisions.c.schema_digest == schemas.c.digest)
    _delete(connection, delete(schemas).where(unused))
    _delete(connection, delete(costs).where(costs.c.at < before))
    groups.forget(connection)
    samples.forget(connection)
    ended = or_(claims.c.leased_until.is_(None), claims.c.leased_until < before)
    _delete(connection, delete(claims).where(ended, claims.c.claimed_at < before))
    return removed


def _kept_incidents(connection: Connection) -> set[int]:
    states = read_incidents(connection, None, open_only=True, at=None)
    return {number for state in states if (number := incident_number(state.id)) is not None}


def _old_revisions(connection: Connection, before: dt.datetime) -> list[int]:
    began = func.coalesce(revisions.c.started_at, revisions.c.recorded_at)
    old = set(connection.execute(select(revisions.c.id).where(began < before)).scalars())
    for chunk in chunks(sorted(_kept_incidents(connection))):
        needed = select(events.c.revision_id).where(events.c.incident_id.in_(chunk))
        old -= set(connection.execute(needed).scalars())
    return sorted(old)


def _settled_alerts() -> Delete:
    """Alerts that nobody waits for, of incidents nothing is left of; one still known must not be alerted again."""
    past = ~exists().where(events.c.incident_id == outbox.c.incident_id)
    return delete(outbox).where(outbox.c.due_at.is_(None), past)


def _forgotten(parent: Table, *children: Table) -> Delete:
    """Incidents that nothing refers to any more."""
    return delete(parent).where(*(~exists().where(child.c.incident_id == parent.c.id) for child in children))


def _delete_by(connection: Connection, column: Column[int], numbers: list[int]) -> int:
    """Delete the rows whose `column` is one of `numbers`, in statements of bounded length; how many they were."""
    return sum(_delete(connection, delete(column.table).where(column.in_(chunk))) for chunk in chunks(numbers))


def _delete(connection: Connection, statement: Delete) -> int:
    return connection.execute(statement).rowcount
