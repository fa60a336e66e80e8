"""Trouble of a source: a warehouse that cannot be used, or a table that cannot be read, is one incident while it lasts.

It lives beside the table-days, under a name of its own, at the moments at which it began and ended: a day that could
not be judged stays unjudged, and is judged when the source is back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from monitor.claim import claimed
from monitor.errors import ClaimError, DaywatchError, UnavailableError, mask_secrets
from monitor.failpoint import reach
from monitor.types import Change, Finding, Incident, Partition, Priority, Severity, Status

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import IncidentState, Store
    from monitor.types import Table

SOURCE = "source"
TITLE_MAX = 300
Stage = Literal["poll", "judge"]
"""What failed: looking at the table from afar, or judging it. Looking well does not mend what judging met."""


@dataclass(frozen=True)
class Source:
    """A warehouse as a whole, or one table of it.

    `name` is what people call it (`main`, `main.orders`), `key` its name in the store, `channels` are told.
    """

    name: str
    key: str
    channels: tuple[str, ...] = ()
    owner: str | None = None
    priority: Priority = Priority.NORMAL

    @property
    def is_warehouse(self) -> bool:
        """Whether it stands for all tables of a warehouse."""
        return self.name == self.key


@dataclass(frozen=True)
class Trouble:
    """What became of it: one finding, and the incident's event, as recorded or, where it goes on, as it stands."""

    source: Source
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]


def source_key(table: str) -> str:
    """The name under which a table's own source trouble is kept, beside its days."""
    return f"{table} ({SOURCE})"


def table_source(table: Table) -> Source:
    """The source that one table is."""
    from monitor.alerts.routing import channels_of  # noqa: PLC0415 - loads what alerts need

    return Source(table.name, source_key(table.name), channels_of(table), table.owner, table.priority)


def warehouse_source(config: Config, warehouse: str) -> Source:
    """A warehouse, told to everybody who is told of any of its tables; known without asking it."""
    from monitor.alerts.routing import DEFAULT_CHANNELS  # noqa: PLC0415 - as above
    from monitor.config.names import parse_table_name  # noqa: PLC0415 - as above

    told: dict[str, None] = {}
    for entry in config.tables:
        if parse_table_name(entry.name).warehouse == warehouse:
            own = config.defaults.channels if entry.channels is None else entry.channels
            told |= dict.fromkeys(own or DEFAULT_CHANNELS)
    for route in config.routes:
        if not route.tables or any(parse_table_name(name).warehouse == warehouse for name in route.tables):
            told |= dict.fromkeys(route.to)
    return Source(warehouse, warehouse, tuple(told) or DEFAULT_CHANNELS)


def source_of(config: Config, table: Table, error: DaywatchError) -> Source:
    """Whose trouble an error is: the whole warehouse's, or this table's alone."""
    return warehouse_source(config, table.warehouse) if isinstance(error, UnavailableError) else table_source(table)


def record_trouble(
    store: Store, source: Source, error: DaywatchError, now: dt.datetime, *, stage: Stage = "judge", alerts: bool = True
) -> Trouble:
    """Tell that a source cannot be used: an incident is opened, or goes on without a word.

    Several processes may see the same trouble at once: one of them opens the incident.
    """
    live = open_trouble(store, source.key)
    if live is not None:
        return _going_on(source, error, live, now)
    try:
        with claimed(store, source.key, SOURCE, now) as owner:
            live = open_trouble(store, source.key)
            if live is not None:
                return _going_on(source, error, live, now)
            return _open(store, source, error, now, stage, owner, alerts=alerts)
    except ClaimError:
        return Trouble(source, (_finding(source, error, _moment(now), None),), ())


def record_recovery(
    store: Store, source: Source, now: dt.datetime, *, stages: Sequence[Stage] = ("poll", "judge")
) -> Trouble | None:
    """Tell that a source can be used again; None where there was no trouble, or none that these stages can mend."""
    live = open_trouble(store, source.key)
    if live is None or _stage_of(store, live) not in stages:
        return None
    try:
        with claimed(store, source.key, SOURCE, now) as owner:
            live = open_trouble(store, source.key)
            return None if live is None else _close(store, source, live, now, owner)
    except ClaimError:
        return None


def open_trouble(store: Store, key: str) -> IncidentState | None:
    """The source incident that is open, whatever people said about it."""
    from monitor.store import IncidentStatus  # noqa: PLC0415 - loads SQLAlchemy

    states = [s for s in store.incidents(key) if s.status is not IncidentStatus.RECOVERED]
    return states[-1] if states else None


def _stage_of(store: Store, live: IncidentState) -> str:
    found = store.finding(live.findings[0]) if live.findings else None
    return str(found.detail.get("stage", "poll")) if found is not None else "poll"


def _moment(now: dt.datetime, after: str | None = None) -> Partition:
    """An instant as a place in time: later than the one before it, even if the clock was set back."""
    moment = now.astimezone(dt.UTC)
    last = dt.datetime.fromisoformat(after) if after is not None else None
    if last is not None and moment <= last:
        moment = last + dt.timedelta(microseconds=1)
    label = moment.replace(microsecond=0).isoformat() if moment.microsecond == 0 else moment.isoformat()
    return Partition(moment.isoformat(timespec="microseconds"), label, moment, moment)


def _last_order(store: Store, key: str) -> str | None:
    rows = store.history(key, None, 1)
    return rows[-1].partition.order if rows else None


def _finding(
    source: Source, error: DaywatchError, at: Partition, incident: str | None, stage: Stage = "judge"
) -> Finding:
    return Finding(
        id="new:0", table=source.name, partition=at.label, check=SOURCE, kind=SOURCE, status=Status.ERROR, score=None,
        threshold=None, surprise=None, severity=Severity.MINIMAL, priority=source.priority, columns=(), segments=(),
        summary=f"Cannot be {'used' if source.is_warehouse else 'read'}: {error}", change=Change.OTHER,
        incident=incident, detail={"stage": stage, "what": error.what, "mend": error.mend},
    )  # fmt: skip


def _open(
    store: Store, source: Source, error: DaywatchError, now: dt.datetime, stage: Stage, owner: str, *, alerts: bool
) -> Trouble:
    from monitor.store import Delivery, RunRecord  # noqa: PLC0415 - loads SQLAlchemy

    at = _moment(now, _last_order(store, source.key))
    finding = _finding(source, error, at, "new:0", stage)
    event = Incident(
        incident="new:0", table=source.name, partition=at.label, event="opened", title=_title(source, error),
        checks=(SOURCE,), columns=(), segments=(), change=Change.OTHER, surprise=0.0, alerted=True, opened=at.label,
        findings=(finding.id,), severity=Severity.STRONG,
    )  # fmt: skip
    payload = _message(source, event, finding)
    deliveries = [Delivery(event.incident, channel, payload) for channel in source.channels] if alerts else []
    reach("before the trouble's record")
    recorded = store.record(
        RunRecord(
            table=source.key, partition=at, at=now, findings=(finding,), incidents=(event,), deliveries=deliveries,
            owner=owner, claim=SOURCE,
        )
    )  # fmt: skip
    reach("after the trouble's record")
    return Trouble(source, recorded.findings, recorded.incidents)


def _close(store: Store, source: Source, live: IncidentState, now: dt.datetime, owner: str) -> Trouble:
    from monitor.store import Delivery, RunRecord  # noqa: PLC0415 - loads SQLAlchemy

    at = _moment(now, _last_order(store, source.key))
    event = Incident(
        incident=live.id, table=source.name, partition=at.label, event="recovered", title=f"Well again: {live.title}",
        checks=(SOURCE,), columns=(), segments=(), change=Change.OTHER, surprise=0.0, alerted=False,
        opened=live.opened.label,
    )  # fmt: skip
    follows = Delivery(live.id, "", {"priority": "normal"})
    recorded = store.record(
        RunRecord(
            table=source.key, partition=at, at=now, incidents=(event,), deliveries=(follows,), owner=owner, claim=SOURCE
        )
    )  # fmt: skip
    return Trouble(source, (), recorded.incidents)


def _going_on(source: Source, error: DaywatchError, live: IncidentState, now: dt.datetime) -> Trouble:
    """Nothing is recorded while it lasts; who asks is told the incident that is open."""
    at = _moment(now)
    finding = replace(_finding(source, error, at, live.id), id=live.findings[0] if live.findings else "F-0")
    event = Incident(
        incident=live.id, table=source.name, partition=at.label, event="continued", title=_title(source, error),
        checks=(SOURCE,), columns=(), segments=(), change=Change.OTHER, surprise=0.0, alerted=False,
        opened=live.opened.label, findings=live.findings,
    )  # fmt: skip
    return Trouble(source, (finding,), (event,))


def _title(source: Source, error: DaywatchError) -> str:
    what = "The warehouse" if source.is_warehouse else "The table"
    return mask_secrets(f"{what} {source.name} cannot be {'used' if source.is_warehouse else 'read'}: {error.what}")[
        :TITLE_MAX
    ]


def _message(source: Source, event: Incident, finding: Finding) -> Mapping[str, object]:
    from monitor.alerts.message import Story, compose  # noqa: PLC0415 - composing is only needed here
    from monitor.alerts.payload import to_payload  # noqa: PLC0415 - as above

    what = "None of its tables is" if source.is_warehouse else "It is not"
    story = Story(
        headline=event.title,
        sentence=f"{what} judged until then; days that are missed are judged afterwards.",
        owner=source.owner,
        next_steps=tuple(step for step in (str(finding.detail["mend"]),) if step),
    )
    return to_payload(compose(event, (finding,), story))
