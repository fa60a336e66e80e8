"""Recording what judging a partition brought to light: one transaction, all or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.errors import ClaimError
from monitor.store import chronicle, claims, codec, groups, past, samples, spending
from monitor.store.engine import insert_into
from monitor.store.models import counters, events, findings, incidents, outbox, revisions
from monitor.store.names import finding_name, incident_name, incident_number
from monitor.store.records import ROOTS, Delivery, Measured, Receipt, Recorded, RunRecord
from monitor.types import Finding, Incident, Status

_INCIDENT_KEYS = frozenset({"incident", "incidents"})
_FINDING_KEYS = frozenset({"finding", "findings", "id"})


@dataclass(frozen=True, slots=True)
class _Names:
    """Which name each key of a record got."""

    findings: Mapping[str, str]
    incidents: Mapping[str, str]


def record(connection: Connection, run: RunRecord) -> Recorded:
    """Append the run to the store within the connection's transaction.

    Raises:
        ValueError: a key that names nothing, or a score that is not finite.
        ClaimError: the claim is no longer the record's owner's.
    """
    _check_keys(run)
    if run.owner is not None and not claims.is_held(connection, run.table, run.claim or run.partition.order, run.owner):
        raise ClaimError(
            f"{run.partition.label} was taken over by another process, so this result is not recorded",
            where=run.table,
            mend="see what the other one found",
        )
    # First of all, because on PostgreSQL the counter's row lock makes writers take turns.
    first = _allocate(connection, "finding", len(run.findings))
    names = _Names(
        {finding.id: finding_name(first + place) for place, finding in enumerate(run.findings)},
        _name_incidents(connection, run),
    )
    covered_s = _newly_covered_s(connection, run)
    revision_id, revision = past.append(
        connection,
        run.table,
        _measured(run),
        at=run.at,
        judged=True,
        source=run.source,
        cost=run.cost,
        seconds=run.seconds,
    )
    named_findings = tuple(_name_finding(finding, names) for finding in run.findings)
    named_incidents = tuple(_name_incident(incident, names) for incident in run.incidents)
    _append_findings(connection, run, revision_id, named_findings)
    _append_events(connection, run, revision_id, named_incidents)
    groups.write(connection, run.table, {run.partition.order: run.groups}, run.at)
    if run.sample is not None:
        samples.write(connection, run.table, run.partition.order, run.sample, run.at)
    alerts = _enqueue(connection, run, names)
    chronicle.append(connection, run, named_incidents)
    receipt = Receipt(spending.warehouse_of(run.table), run.table, "judge", run.cost, run.seconds, covered_s)
    spending.spend(connection, receipt, run.at)
    return Recorded(revision, named_findings, named_incidents, alerts)


def _measured(run: RunRecord) -> Measured:
    failed = frozenset(finding.check for finding in run.findings if finding.status is Status.FAIL)
    return Measured(run.partition, run.values, run.scores, run.surprises, failed, run.schema)


def _newly_covered_s(connection: Connection, run: RunRecord) -> float:
    """The partition's length where nobody judged it before; 0 for an id."""
    start, end = run.partition.start, run.partition.end
    if start is None or end is None:
        return 0.0
    before = select(revisions.c.id).where(
        revisions.c.table_name == run.table,
        revisions.c.partition_order == run.partition.order,
        revisions.c.judged.is_(True),
    )
    return 0.0 if connection.execute(before.limit(1)).first() else max((end - start).total_seconds(), 0.0)


def _check_keys(run: RunRecord) -> None:
    keys = [finding.id for finding in run.findings]
    if len(keys) != len(set(keys)):
        raise ValueError(f"two findings of {run.table} {run.partition.label} have the same id")
    known = {incident.incident for incident in run.incidents}
    if len(known) != len(run.incidents):
        raise ValueError(f"two incident events of {run.table} {run.partition.label} have the same incident")
    _check_known({f.incident for f in run.findings if f.incident is not None}, known, "findings")
    _check_known({delivery.incident for delivery in run.deliveries}, known, "deliveries")
    _check_known({key for incident in run.incidents for key in incident.findings}, set(keys), "incidents")


def _check_known(used: set[str], known: set[str], where: str) -> None:
    if missing := sorted(used - known):
        raise ValueError(f"{where} of a record refer to {', '.join(missing)}, which the record does not hold")


def _allocate(connection: Connection, counter: str, amount: int) -> int:
    """Take `amount` numbers that nobody had before; the first of them."""
    after: int = connection.execute(
        update(counters)
        .where(counters.c.name == counter)
        .values(next=counters.c.next + amount)
        .returning(counters.c.next)
    ).scalar_one()
    return after - amount


def _name_incidents(connection: Connection, run: RunRecord) -> dict[str, str]:
    """A name for each incident key: kept, recognised from an earlier revision of this partition, or new."""
    numbers = {incident.incident: incident_number(incident.incident) for incident in run.incidents}
    _check_existing(connection, run.table, {number for number in numbers.values() if number is not None})
    fresh = [incident for incident in run.incidents if numbers[incident.incident] is None]
    taken = {number for number in numbers.values() if number is not None}
    numbers |= _recognise(fresh, _opened_before(connection, run, taken)) if fresh else {}
    new = [incident for incident in fresh if numbers[incident.incident] is None]
    first = _allocate(connection, "incident", len(new))
    for number, incident in enumerate(new, start=first):
        numbers[incident.incident] = number
        connection.execute(insert(incidents).values(id=number, table_name=run.table))
    return {key: incident_name(number) for key, number in numbers.items() if number is not None}


def _check_existing(connection: Connection, table: str, numbers: set[int]) -> None:
    wanted = select(incidents.c.id).where(incidents.c.table_name == table, incidents.c.id.in_(numbers))
    missing = numbers - set(connection.execute(wanted).scalars())
    if missing:
        raise ValueError(f"{table} has no incident {', '.join(incident_name(number) for number in sorted(missing))}")


def _opened_before(connection: Connection, run: RunRecord, taken: set[int]) -> dict[int, Incident]:
    """The incidents that earlier revisions of this partition opened, as they last said, save those `taken`."""
    wanted = (
        select(events.c.incident_id, events.c.document)
        .where(
            events.c.table_name == run.table,
            events.c.partition_order == run.partition.order,
            events.c.event == "opened",
            events.c.incident_id.not_in(taken),
        )
        .order_by(events.c.id)
    )
    return {number: codec.load_incident(document) for number, document in connection.execute(wanted)}


def _recognise(fresh: Sequence[Incident], earlier: Mapping[int, Incident]) -> dict[str, int | None]:
    """Match incidents of a re-run with those of the runs before, most alike first: ids stay when a day is run again."""
    pairs = sorted(
        (-_likeness(new, old), number, new.incident)
        for new in fresh
        if new.event == "opened"
        for number, old in earlier.items()
    )
    matched: dict[str, int | None] = {}
    for likeness, number, key in pairs:
        if likeness < 0 and key not in matched and number not in matched.values():
            matched[key] = number
    return matched


def _likeness(one: Incident, other: Incident) -> float:
    """From 0 (nothing in common) to 3: shared columns, shared checks, the same kind of change."""
    shared = _overlap(one.columns, other.columns) + _overlap(one.checks, other.checks)
    return shared + (one.change == other.change) if shared else 0.0


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    union = {*one, *other}
    return len({*one} & {*other}) / len(union) if union else 0.0


def _name_finding(finding: Finding, names: _Names) -> Finding:
    incident = None if finding.incident is None else names.incidents[finding.incident]
    return replace(finding, id=names.findings[finding.id], incident=incident)


def _name_incident(incident: Incident, names: _Names) -> Incident:
    members = tuple(names.findings[key] for key in incident.findings)
    return replace(incident, incident=names.incidents[incident.incident], findings=members)


def _append_findings(connection: Connection, run: RunRecord, revision_id: int, named: Sequence[Finding]) -> None:
    rows = [
        {
            "id": int(finding.id.removeprefix("F-")),
            "revision_id": revision_id,
            "table_name": run.table,
            "partition_order": run.partition.order,
            "check_name": finding.check,
            "status": finding.status.value,
            "document": codec.dump(finding),
        }
        for finding in named
    ]
    if rows:
        connection.execute(insert(findings), rows)


def _append_events(connection: Connection, run: RunRecord, revision_id: int, named: Sequence[Incident]) -> None:
    rows = [
        {
            "revision_id": revision_id,
            "incident_id": incident_number(incident.incident),
            "table_name": run.table,
            "partition_order": run.partition.order,
            "event": incident.event,
            "document": codec.dump(incident),
        }
        for incident in named
    ]
    if rows:
        connection.execute(insert(events), rows)


def _enqueue(connection: Connection, run: RunRecord, names: _Names) -> tuple[str, ...]:
    """Put the deliveries into the outbox that were never there; the ids of those."""
    happened = {incident.incident: incident.event for incident in run.incidents}
    sent = [part for delivery in run.deliveries for part in _addressed(connection, names, delivery)]
    alerts = (_enqueue_one(connection, run, names, delivery, happened[delivery.incident]) for delivery in sent)
    return tuple(alert for alert in alerts if alert is not None)


def _addressed(connection: Connection, names: _Names, delivery: Delivery) -> list[Delivery]:
    """The delivery; one that follows its incident, for each channel that the incident was ever sent to."""
    if delivery.channel:
        return [delivery]
    number = incident_number(names.incidents[delivery.incident])
    wanted = select(outbox.c.channel).where(outbox.c.incident_id == number, outbox.c.event.in_(ROOTS)).distinct()
    return [replace(delivery, channel=channel) for channel in sorted(connection.execute(wanted).scalars())]


def _enqueue_one(
    connection: Connection, run: RunRecord, names: _Names, delivery: Delivery, happened: str
) -> str | None:
    new = insert_into(connection, outbox).values(
        alert=str(uuid.uuid4()),
        incident_id=incident_number(names.incidents[delivery.incident]),
        table_name=run.table,
        partition_order=run.partition.order,
        label=run.partition.label,
        event=happened,
        channel=delivery.channel,
        payload=codec.dump(_name_payload(codec.plain(delivery.payload), names, under="")),
        enqueued_at=run.at,
        due_at=run.at,
        attempts=0,
    )
    once = new.on_conflict_do_nothing(index_elements=["incident_id", "partition_order", "event", "channel"])
    alert: str | None = connection.execute(once.returning(outbox.c.alert)).scalar()
    return alert


def _name_payload(part: Any, names: _Names, under: str) -> Any:
    """Replace temporary keys by names; where a key stands says whether it is a finding's or an incident's."""
    if isinstance(part, dict):
        return {name: _name_payload(value, names, name) for name, value in part.items()}
    if isinstance(part, list):
        return [_name_payload(value, names, under) for value in part]
    if isinstance(part, str) and under in _INCIDENT_KEYS:
        return names.incidents.get(part, part)
    if isinstance(part, str) and under in _FINDING_KEYS:
        return names.findings.get(part, part)
    return part
