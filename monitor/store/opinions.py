"""What people say about incidents."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, func, insert, select

from monitor.errors import UsageError
from monitor.store.incidents import as_feedback
from monitor.store.models import events, feedback, incidents
from monitor.store.names import incident_name, incident_number
from monitor.store.records import Feedback, FeedbackAction

_NEAREST = 3


def say(
    connection: Connection,
    name: str,
    action: str,
    *,
    who: str | None,
    note: str | None,
    until: dt.datetime | None,
    now: dt.datetime,
) -> Feedback:
    """Record feedback on an incident.

    Raises:
        UsageError: there is no such incident, or no such action.
    """
    number = _existing(connection, name)
    said = _action(action)
    row = connection.execute(
        insert(feedback)
        .values(
            incident_id=number,
            partition_order=_last_order(connection, number),
            action=said.value,
            who=who,
            note=note,
            until=until,
            recorded_at=now,
        )
        .returning(feedback)
    ).one()
    return as_feedback(row)


def read_feedback(connection: Connection, name: str) -> list[Feedback]:
    """Everything said about an incident, oldest first; UsageError for an unknown one."""
    number = _existing(connection, name)
    wanted = select(feedback).where(feedback.c.incident_id == number).order_by(feedback.c.id)
    return [as_feedback(row) for row in connection.execute(wanted)]


def _action(action: str) -> FeedbackAction:
    try:
        return FeedbackAction(action)
    except ValueError:
        known = ", ".join(FeedbackAction)
        raise UsageError(f"there is no feedback called {action!r}", mend=f"use one of {known}") from None


def _existing(connection: Connection, name: str) -> int:
    number = incident_number(name)
    if number is not None and connection.execute(select(incidents.c.id).where(incidents.c.id == number)).scalar():
        return number
    nearest = [incident_name(other) for other in _nearest(connection, number)]
    mend = f"did you mean {' or '.join(nearest)}?" if nearest else "there are no incidents yet"
    raise UsageError(f"there is no incident {name!r}", mend=mend)


def _nearest(connection: Connection, number: int | None) -> list[int]:
    """Existing incidents whose numbers are nearest to this one; the newest ones where it is no number."""
    distance = -incidents.c.id if number is None else func.abs(incidents.c.id - number)
    return list(connection.execute(select(incidents.c.id).order_by(distance, incidents.c.id).limit(_NEAREST)).scalars())


def _last_order(connection: Connection, number: int) -> str:
    """The last partition the incident is known on; "" after retention took them all."""
    last: str | None = connection.execute(
        select(func.max(events.c.partition_order)).where(events.c.incident_id == number)
    ).scalar()
    return last or ""
