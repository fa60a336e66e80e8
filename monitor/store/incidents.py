"""Incidents: the projection of their events and of what people said about them.

No row says what state an incident is in. It follows from the events of the latest revisions, so that a day that is run
again, or replayed, sees its incidents as they were before that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from monitor.store import codec
from monitor.store.latest import is_latest
from monitor.store.models import events, feedback, revisions
from monitor.store.names import incident_name, incident_number
from monitor.store.records import Feedback, FeedbackAction, IncidentEvent, IncidentState, IncidentStatus, Seen
from monitor.types import Incident, Severity

LIVE = frozenset({IncidentStatus.OPEN, IncidentStatus.MUTED})
_RECOVERED = "recovered"
_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that happened to an incident: an event on a partition, or feedback."""

    seen: Seen
    event: Incident | None = None
    said: Feedback | None = None


@dataclass(slots=True)
class _Life:
    """What the steps so far add up to."""

    status: IncidentStatus = IncidentStatus.OPEN
    live: list[tuple[Seen, Incident]] = field(default_factory=list)
    closed: Seen | None = None
    muted: bool = False
    muted_until: dt.datetime | None = None
    owner: str | None = None
    acknowledged: bool = False


def read_incidents(
    connection: Connection, table: str | None, *, open_only: bool, at: str | None
) -> list[IncidentState]:
    """The incidents of a table (or of all), as they stood before partition `at`, in the order they were opened."""
    states = _project(_read_steps(connection, table, at))
    return [state for state in states if not open_only or state.status in LIVE]


def read_incident(connection: Connection, name: str) -> IncidentState | None:
    """One incident as it stands; None for an unknown one, and for one whose days were all judged well again."""
    number = incident_number(name)
    if number is None:
        return None
    happened = _latest_events().where(events.c.incident_id == number)
    said = _all_feedback().where(feedback.c.incident_id == number)
    return next(iter(_project(_sorted_steps(connection, happened, said))), None)


def read_events(connection: Connection, name: str) -> list[IncidentEvent]:
    """The events of one incident in the order of partitions; empty for an unknown one."""
    number = incident_number(name)
    if number is None:
        return []
    return [
        IncidentEvent(codec.load_incident(row.document), row.partition_order, row.revision, row.recorded_at)
        for row in connection.execute(_latest_events().where(events.c.incident_id == number))
    ]


def _latest_events() -> Select[Any]:
    return (
        select(
            events.c.incident_id,
            events.c.partition_order,
            events.c.document,
            revisions.c.label,
            revisions.c.revision,
            revisions.c.recorded_at,
        )
        .join(revisions, revisions.c.id == events.c.revision_id)
        .where(is_latest(judged=True))
        .order_by(events.c.incident_id, events.c.partition_order, events.c.id)
    )


def _read_steps(connection: Connection, table: str | None, at: str | None) -> list[tuple[int, _Step]]:
    """All steps by incident: in the order of partitions, what people said after the partition they had seen."""
    happened = _latest_events()
    said = _all_feedback()
    if table is not None:
        happened = happened.where(events.c.table_name == table)
        known = select(events.c.incident_id).where(events.c.table_name == table)
        said = said.where(feedback.c.incident_id.in_(known))
    if at is not None:
        happened = happened.where(events.c.partition_order < at)
        said = said.where(feedback.c.partition_order < at)
    return _sorted_steps(connection, happened, said)


def _sorted_steps(connection: Connection, happened: Select[Any], said: Select[Any]) -> list[tuple[int, _Step]]:
    steps = [_event_step(row) for row in connection.execute(happened)]
    steps += [_feedback_step(row) for row in stands(connection.execute(said).all())]
    return sorted(steps, key=lambda pair: (pair[0], pair[1].seen.order, pair[1].said is not None))


def stands(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """What was said, oldest first, without each "noise" that was taken back later."""
    cleared = {row.incident_id: row.id for row in rows if row.action == FeedbackAction.NOISE_CLEARED}
    return [r for r in rows if r.action != FeedbackAction.NOISE or r.id > cleared.get(r.incident_id, -1)]


def _event_step(row: Row[Any]) -> tuple[int, _Step]:
    return row.incident_id, _Step(Seen(row.label, row.partition_order), event=codec.load_incident(row.document))


def _all_feedback() -> Select[Any]:
    return select(feedback).order_by(feedback.c.id)


def _feedback_step(row: Row[Any]) -> tuple[int, _Step]:
    return row.incident_id, _Step(Seen("", row.partition_order), said=as_feedback(row))


def as_feedback(row: Row[Any]) -> Feedback:
    """The feedback in one row of its table."""
    return Feedback(
        incident=incident_name(row.incident_id),
        action=FeedbackAction(row.action),
        who=row.who,
        note=row.note,
        until=row.until,
        at=row.recorded_at,
        by=row.said_by or (None if row.action == FeedbackAction.ASSIGN else row.who),
        link=row.link,
    )


def _project(steps: Sequence[tuple[int, _Step]]) -> list[IncidentState]:
    states = (_state_of(number, [step for _, step in group]) for number, group in groupby(steps, lambda pair: pair[0]))
    return sorted((state for state in states if state is not None), key=lambda s: (s.opened.order, _number(s)))


def _number(state: IncidentState) -> int:
    return incident_number(state.id) or 0


def _state_of(number: int, steps: Iterable[_Step]) -> IncidentState | None:
    """The state after all steps; None where no event is left (the day that opened it was run again and is well)."""
    life = _Life()
    for step in steps:
        if step.event is not None:
            _live_on(life, step.seen, step.event)
        elif step.said is not None and life.live:
            _listen(life, step.said)
    return _summarise(number, life) if life.live else None


def _live_on(life: _Life, seen: Seen, incident: Incident) -> None:
    if incident.event == _RECOVERED:
        if life.status in LIVE:
            life.status, life.closed = IncidentStatus.RECOVERED, seen
        return
    life.live.append((seen, incident))
    # What a person closed as fixed and yet goes on is open again; what they called expected or muted stays so.
    if life.status in {IncidentStatus.RECOVERED, IncidentStatus.RESOLVED}:
        life.status = IncidentStatus.MUTED if life.muted else IncidentStatus.OPEN
        life.closed = None


def _listen(life: _Life, said: Feedback) -> None:
    match said.action:
        case FeedbackAction.ACKNOWLEDGE:
            life.acknowledged = True
        case FeedbackAction.ASSIGN:
            life.owner = said.who
        case FeedbackAction.RESOLVE:
            life.status, life.muted, life.muted_until = IncidentStatus.RESOLVED, False, None
        case FeedbackAction.EXPECTED | FeedbackAction.NOISE:
            life.status = IncidentStatus.EXPECTED
        case FeedbackAction.MUTE:
            life.muted, life.muted_until = True, said.until
            if life.status in LIVE:
                life.status = IncidentStatus.MUTED


def _summarise(number: int, life: _Life) -> IncidentState:
    happened = [incident for _, incident in life.live]
    newest = happened[-1]
    return IncidentState(
        id=incident_name(number),
        table=newest.table,
        opened=life.live[0][0],
        last_seen=life.live[-1][0],
        columns=_newest_first(incident.columns for incident in happened),
        checks=_newest_first(incident.checks for incident in happened),
        change=newest.change,
        title=newest.title,
        severity=max((incident.severity for incident in happened), key=_SEVERITIES.index),
        surprise=max(incident.surprise for incident in happened),
        status=life.status,
        alerted=any(incident.alerted for incident in happened),
        closed=life.closed,
        muted_until=life.muted_until,
        owner=life.owner,
        acknowledged=life.acknowledged,
        findings=newest.findings,
    )


def _newest_first(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in list(names)[::-1] for name in part))
