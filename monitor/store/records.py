"""What goes into the store and what comes out of it. Frozen values; none of them holds rows of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from monitor.types import Change, Column, Cost, Finding, Grouped, Incident, Partition, Severity

Source = Literal["run", "backfill"]
ROOTS = frozenset({"opened", "worsened"})
"""Events that are messages of their own; others follow these."""
SAID = "said."
"""What the name of an event begins with that is a person's word."""
JsonObject = Mapping[str, Any]
"""An object in JSON's own types."""


class FeedbackAction(StrEnum):
    """What a person can say about an incident; `noise_cleared` takes every `noise` before it back."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    RESOLVE = "resolve"
    EXPECTED = "expected"
    MUTE = "mute"
    NOISE = "noise"
    NOISE_CLEARED = "noise_cleared"


class IncidentStatus(StrEnum):
    """Where in its life an incident stands."""

    OPEN = "open"
    RECOVERED = "recovered"
    RESOLVED = "resolved"
    EXPECTED = "expected"
    MUTED = "muted"


class Seen(NamedTuple):
    """A partition by name: how it is written, and the text that sorts it in time."""

    label: str
    order: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one partition: one row of the table's past.

    `values` are aggregates by `Measure.key` (NaN and infinities are stored as None), `scores` and `surprises` are by
    check name and must be finite, `failed` names the checks that judged the partition bad.
    """

    partition: Partition
    values: Mapping[str, float | None] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    surprises: Mapping[str, float] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    schema: tuple[Column, ...] | None = None


@dataclass(frozen=True, slots=True)
class PastPartition:
    """A past partition as its latest revision has it; `expected`: a person said that this partition is fine."""

    partition: Partition
    values: Mapping[str, float | None]
    scores: Mapping[str, float]
    surprises: Mapping[str, float]
    failed: frozenset[str]
    expected: bool
    schema: tuple[Column, ...] | None
    source: Source
    revision: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that must reach a channel because of an incident of the same record.

    Without a `channel` it follows the incident: to every channel that its opening went, or is going, to.
    `incident` is the incident's key in the record (`INC-17` or temporary). In `payload`, texts under the names
    `incident` and `incidents` that equal a temporary incident key, and texts under `finding`, `findings` and `id` that
    equal a temporary finding key, become the allocated ids, at any depth.
    """

    incident: str
    channel: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptSample:
    """A sample of a table as it was seen, packed; of its table, the newest `looks_max` are kept."""

    document: bytes
    rows: int
    looks_max: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that judging one partition brought to light, recorded in one transaction.

    `findings` and `incidents` may carry temporary keys as ids (anything but `F-n` and `INC-n`, such as `new:0`);
    `Finding.incident`, `Incident.findings` and `Delivery.incident` refer to the same keys. `at` is the moment of
    recording, an aware datetime; `seconds` is how long the run took. With an `owner` it is recorded only while the
    claim (on the partition, or on what `claim` names instead) is theirs.
    """

    table: str
    partition: Partition
    at: dt.datetime
    values: Mapping[str, float | None] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    surprises: Mapping[str, float] = field(default_factory=dict)
    schema: tuple[Column, ...] | None = None
    source: Source = "run"
    findings: Sequence[Finding] = ()
    incidents: Sequence[Incident] = ()
    deliveries: Sequence[Delivery] = ()
    cost: Cost = field(default_factory=Cost)
    seconds: float = 0.0
    owner: str | None = None
    claim: str | None = None
    groups: Mapping[str, Grouped] = field(default_factory=dict)
    sample: KeptSample | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record as stored: ids filled in; `alerts` are the ids of the alerts that entered the outbox just now."""

    revision: int
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One step in an incident's life, with the order of the partition it happened on."""

    incident: Incident
    order: str
    revision: int
    recorded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class IncidentState:
    """An incident as its events and the feedback on it leave it.

    `opened` and `last_seen` are the first and the last partition it lived on, `closed` the one it recovered on.
    `columns` and `checks` are those of all its partitions, the latest first; `title`, `change` and `findings` are of
    the latest; `severity` and `surprise` the highest so far. `alerted`: at least one alert went out. A mute whose
    `muted_until` has passed is the reader's to ignore: the store has no clock.
    """

    id: str
    table: str
    opened: Seen
    last_seen: Seen
    columns: tuple[str, ...]
    checks: tuple[str, ...]
    change: Change
    title: str
    severity: Severity
    surprise: float
    status: IncidentStatus
    alerted: bool = False
    closed: Seen | None = None
    muted_until: dt.datetime | None = None
    owner: str | None = None
    acknowledged: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A message for the threads of an incident, as its payload."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """An alert on its way out.

    `alert` is a UUID that stays the same over all attempts: put it into the message's metadata. `uncertain`: an
    earlier sender took it and never said how it ended, so ask the channel for the id before sending again.
    `not_before`: it was put off until then; items of one `bundle` are sent as one message. `due_at` is None, and
    `delivered_at` and `receipt` are there, once the channel has it.
    """

    alert: str
    incident: str
    table: str
    partition: str
    event: str
    channel: str
    payload: Mapping[str, Any]
    attempts: int
    uncertain: bool
    enqueued_at: dt.datetime
    error: str | None = None
    order: str = ""
    not_before: dt.datetime | None = None
    bundle: str | None = None
    due_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    receipt: str | None = None

    @property
    def is_root(self) -> bool:
        """Whether it is a message of its own, and not what follows one."""
        return self.event in ROOTS


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """The alerts of one channel that have not arrived.

    `waiting` are still to be sent, the oldest since `since`; `tried`: at least one attempt failed, with `error` as the
    last reason. `given_up` are those that nobody sends any more, with `given_up_error` as the last reason.
    """

    channel: str
    waiting: int = 0
    since: dt.datetime | None = None
    tried: bool = False
    error: str | None = None
    given_up: int = 0
    given_up_error: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said about an incident, and when.

    `who` is the assignee where the action is `assign`, else who said it; `by` is who said it, in either case; `link`
    leads to where it was said or discussed.
    """

    incident: str
    action: FeedbackAction
    who: str | None
    note: str | None
    until: dt.datetime | None
    at: dt.datetime
    by: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class NoiseCaution:
    """How many decades less likely than usual a check's scores must be, because an incident was called noise."""

    check: str
    decades: float
    incident: str
    by: str | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Chronicled:
    """One line in the lasting record of an incident: what happened, on which partition, and when it was known."""

    incident: str
    table: str
    partition: Seen
    event: str
    title: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CostSum:
    """What recorded runs cost together; `bytes` is None where no engine told."""

    runs: int = 0
    queries: int = 0
    rows: int = 0
    bytes: int | None = None
    seconds: float = 0.0

    @property
    def asked(self) -> Cost:
        """What the warehouse was asked, whatever time it took."""
        return Cost(self.queries, self.rows, self.bytes)


Purpose = Literal["judge", "backfill", "poll", "failed"]
"""What was asked for: judging, reading the past, seeing what is there (polls included), or a run that failed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was asked of a warehouse for one purpose.

    `table` is None for statements about many tables; `covered_s` the length, in seconds, of a partition that was
    judged for the first time.
    """

    warehouse: str
    table: str | None
    purpose: Purpose
    cost: Cost
    seconds: float = 0.0
    covered_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Receipts of one warehouse, table and purpose together; `first` and `last` are the hours of the outermost."""

    warehouse: str
    table: str | None
    purpose: Purpose
    cost: CostSum
    covered_s: float
    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True, slots=True)
class TableStatus:
    """Where a table stands: its last judged partition, what was not well there, and its live incidents."""

    table: str
    partition: Seen
    judged_at: dt.datetime
    failing: tuple[str, ...]
    errored: tuple[str, ...]
    skipped: tuple[str, ...]
    incidents: tuple[IncidentState, ...]
    cost: CostSum


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows retention removed."""

    partitions: int
    findings: int
    events: int
    incidents: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """A table (`check` is "") or a check of it, as the configuration that was applied last declares it.

    `created_by` is who applied it first, `edited_by` who changed it last; None where nobody did.
    """

    id: str
    table: str
    check: str
    document: JsonObject
    created_by: str
    created_at: dt.datetime
    edited_by: str | None = None
    edited_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """A table or check to be declared: `before` is the id that it had (None: it is new), `edited` if it changed."""

    id: str
    table: str
    check: str
    document: JsonObject
    before: str | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """One application of a configuration, with what it changed."""

    number: int
    author: str
    at: dt.datetime
    changes: tuple[JsonObject, ...] = ()
