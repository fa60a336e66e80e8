"""What people say about incidents."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, func, insert, select

from monitor.errors import UsageError
from monitor.store import chronicle, codec
from monitor.store.engine import insert_into
from monitor.store.incidents import as_feedback, read_incident
from monitor.store.models import cautions, events, feedback, incidents
from monitor.store.names import incident_name, incident_number
from monitor.store.records import SAID, Feedback, FeedbackAction, NoiseCaution, Reply

NOISE_DECADES = 1.0
"""What one "noise" asks of a check: a tenth of its share of the table's budget of false alerts."""
NOISE_COLUMNS = 2
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
    by: str | None = None,
    link: str | None = None,
    press: str | None = None,
    reply: Reply | None = None,
) -> Feedback:
    """Record feedback on an incident, once for each press of a button, and have its messages and threads say so.

    Raises:
        UsageError: there is no such incident, or no such action.
    """
    number = _existing(connection, name)
    said = _action(action)
    if said is FeedbackAction.NOISE_CLEARED:
        _be_as_before(connection, number)
    if press is not None:
        earlier = connection.execute(select(feedback).where(feedback.c.press == press)).first()
        if earlier is not None:
            return as_feedback(earlier)
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
            said_by=by,
            link=link,
            press=press,
        )
        .returning(feedback)
    ).one()
    if said is FeedbackAction.NOISE:
        _be_cautious(connection, number, by or who, now)
    chronicle.enqueue_refresh(
        connection, number, f"{SAID}{row.id}", now, codec.dump(dict(reply.payload)) if reply else "{}"
    )
    return as_feedback(row)


def read_cautions(connection: Connection, table: str) -> list[NoiseCaution]:
    """What was called noise on a table, oldest first."""
    wanted = select(cautions).where(cautions.c.table_name == table).order_by(cautions.c.id)
    return [
        NoiseCaution(row.check_name, row.decades, incident_name(row.incident_id), row.said_by, row.recorded_at)
        for row in connection.execute(wanted)
    ]


def _be_cautious(connection: Connection, number: int, by: str | None, now: dt.datetime) -> None:
    """Ask more of the checks that found the incident, and of its first column where the drift check did."""
    state = read_incident(connection, incident_name(number))
    if state is None:
        return
    leading = state.columns[:NOISE_COLUMNS] if "drift" in state.checks else ()
    for check in dict.fromkeys([*state.checks, *(f"drift.{column}" for column in leading)]):
        row = insert_into(connection, cautions).values(
            table_name=state.table, check_name=check, decades=NOISE_DECADES, incident_id=number, said_by=by,
            recorded_at=now,
        )  # fmt: skip
        connection.execute(row.on_conflict_do_nothing(index_elements=["incident_id", "check_name"]))


def _be_as_before(connection: Connection, number: int) -> None:
    """Ask no more of the checks that found the incident than of others.

    Raises:
        UsageError: it was never called noise.
    """
    gone = connection.execute(delete(cautions).where(cautions.c.incident_id == number).returning(cautions.c.id)).all()
    if not gone:
        name = incident_name(number)
        raise UsageError(f"{name} was not called noise", mend="`daywatch plan` shows the incidents that were")


def read_feedback(connection: Connection, name: str) -> list[Feedback]:
    """Everything said about an incident, oldest first; UsageError for an unknown one."""
    number = _existing(connection, name)
    wanted = select(feedback).where(feedback.c.incident_id == number).order_by(feedback.c.id)
    return [as_feedback(row) for row in connection.execute(wanted)]


def _action(action: str) -> FeedbackAction:
    try:
        return FeedbackAction(action)
    except ValueError:
        known = ", ".join(one for one in FeedbackAction if one is not FeedbackAction.NOISE_CLEARED)
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
