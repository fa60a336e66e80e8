"""One table-day, from the warehouse to the record: gate -> read -> evaluate -> judge -> explain -> record -> alert."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import incident as incidents
from monitor.answers import Answers, Open
from monitor.backfill import Progress, backfill, backfill_drift, silent
from monitor.badrows import with_bad_rows
from monitor.check import evaluate, findings_of
from monitor.claim import claimed
from monitor.errors import DaywatchError, SourceError, UnavailableError, mask_secrets
from monitor.explain import headline
from monitor.failpoint import reach
from monitor.groups import GroupReader, Readings
from monitor.judge import Verdict, judge, severity_of, surprise_of
from monitor.looking import NO_LOOK, Look, follow_paths, take_look
from monitor.noise import decades_of, quieten
from monitor.partitions import previous
from monitor.past import CHECKED, LAG, WHOLE, Day, Past, caution_of
from monitor.paths import Paths
from monitor.read import (
    Request,
    Samples,
    check_of,
    latest_of,
    newest_schema,
    read_aggregates,
    read_arrival,
    read_samples,
    read_values,
)
from monitor.receipts import spending
from monitor.refine import refine
from monitor.signing import sign
from monitor.snapshot.looks import Looks, with_kept_key
from monitor.snapshot.recall import as_then, looked_at, recall_aggregates
from monitor.store import IncidentState, IncidentStatus, KeptSample, PastPartition, RunRecord, Store
from monitor.story import Sources, tell
from monitor.types import (
    ROWS,
    Aggregate,
    ArrivalState,
    Change,
    Check,
    Column,
    Cost,
    Evidence,
    Finding,
    Incident,
    Input,
    Partition,
    SampleSet,
    SchemaState,
    Severity,
    Status,
    Table,
)

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

_log = logging.getLogger(__name__)
Pictures = Mapping[str, Sequence[tuple[str, str]]]
"""By incident key: (path, alternative text) of each picture, the one for the message first."""
Compose = Callable[["Outcome", Sources, Pictures], Sequence[tuple[str, str, Mapping[str, object]]]]
"""From an outcome and its pictures to its deliveries: (incident key, channel, payload)."""
LIVE = frozenset({IncidentStatus.OPEN, IncidentStatus.MUTED})
INCIDENT_REACH = 7
"""Partitions after which an incident that was not seen again is another one's business, even if nobody judged them."""
ARRIVAL_WATCHED = dt.timedelta(days=7)
"""How long after its end a look at a partition still says when it came."""
NO_READINGS: Readings = {}
HISTORY_PARTITIONS = {"hour": 2_400, "day": 430, "week": 160}


@dataclass(frozen=True)
class Outcome:
    """What judging one partition brought: findings and incidents as recorded, and what it cost.

    `muted` are the ids of the table's incidents that a person does not want to hear of.
    """

    table: Table
    partition: Partition
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    cost: Cost
    seconds: float
    recorded: bool = True
    muted: frozenset[str] = frozenset()


@dataclass
class Watch:
    """One table under watch: what is kept between its partitions while the process lives.

    `lags`: how long after their end partitions (by order) were seen to grow, in seconds, where somebody watched.
    `others`: opens another warehouse, for rules that compare with it. `kept`: what is known of a look that is over, by
    which a table is judged that is rewritten in place.
    """

    table: Table
    warehouse: Warehouse
    store: Store
    checks: Sequence[Check]
    alerts: Compose | None = None
    progress: Progress = silent
    pictures: Path | None = None
    past: Past | None = None
    judged: Partition | None = None
    lags: Mapping[str, float] = field(default_factory=dict)
    others: Open | None = None
    kept: PastPartition | None = None
    request: Request = field(init=False)
    samples: Samples = field(init=False)
    groups: GroupReader = field(init=False)
    looks: Looks = field(init=False)
    paths: Paths = field(init=False)
    seen: tuple[Column, ...] = field(init=False)
    usual: tuple[Column, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Say once what the checks need."""
        self.paths = Paths(self.warehouse, tuple(c for c in self.table.columns if c.within))
        self.seen = self.table.columns
        self.adopt(with_kept_key(self.table, self.store))

    def adopt(self, table: Table) -> None:
        """Watch the table with these columns from now on."""
        self.table = table
        self.looks = Looks(self.warehouse, self.store, self.table)
        self.request = Request.of(self.checks, self.table)
        self.samples = Samples(self.warehouse, self.table)
        self.groups = GroupReader(self.warehouse, self.store, self.table)


def judge_partition(watch: Watch, partition: Partition, now: dt.datetime) -> Outcome:
    """Judge one partition and record what was found; run again, it appends a revision.

    Raises:
        UnavailableError: the warehouse as a whole cannot be used.
        StoreError: the store failed.
        ClaimError: another process is judging this partition, or has taken it over meanwhile.
        SourceError: anything else that the warehouse has against it.
    """
    with claimed(watch.store, watch.table.name, partition.order, now) as owner:
        return judge_claimed(watch, partition, now, owner)


def judge_claimed(watch: Watch, partition: Partition, now: dt.datetime, owner: str) -> Outcome:
    """The same for a partition that `owner` has claimed."""
    reach("claimed")
    look_kept = looked_at(watch.store, watch.table, partition, now)
    if look_kept is not None:
        watch = replace(watch, table=as_then(watch.table, look_kept), kept=look_kept)
    else:
        follow_paths(watch, partition, now)
    past = prepare_past(watch, partition, now)
    started = time.perf_counter()
    with spending(watch.store, watch.warehouse, watch.table.name, "judge", now) as receipt:
        gate = read_gate(watch, partition, past, now)
        gate, look = take_look(watch, partition, past, gate)
        grouped, readings = read_groups(watch, partition, past, gate, now)
        evidence, samples = collect_evidence(watch, partition, past, gate, grouped, look)
        heard = quieten(evidence, decades_of(watch.store.cautions(watch.table.name)))
        verdicts = refine(watch.table, judge(watch.table, heard, caution_of(watch.table, past, partition)), samples)
        sources = Sources(watch.table, partition, watch.warehouse, past, gate.aggregates, samples, grouped)
        groups = incidents.group(verdicts, open_incidents(watch, partition))
        quiet = muted_incidents(watch, now)
        outcome = tell_outcome(watch, sources, verdicts, groups, gate, quiet)
    outcome = _with_cost(outcome, receipt.cost, time.perf_counter() - started)
    return record(watch, past, gate, outcome, verdicts, sources, now, owner, readings, look.kept)


def _with_cost(outcome: Outcome, cost: Cost, seconds: float) -> Outcome:
    """Findings share one scan and one sample, so each carries what the whole partition cost."""
    findings = tuple(replace(f, cost=cost, seconds=round(seconds, 3)) for f in outcome.findings)
    return replace(outcome, findings=findings, cost=cost, seconds=seconds)


def prepare_past(watch: Watch, partition: Partition, now: dt.datetime) -> Past:
    """What is known of earlier partitions; what the store lacks is read from the warehouse."""
    if watch.past is None or watch.judged is None or not _follows(watch, partition):
        limit = HISTORY_PARTITIONS[watch.table.cadence.value]
        watch.past = Past(watch.table, watch.store.history(watch.table.name, partition.order, limit))
        watch.groups = GroupReader(watch.warehouse, watch.store, watch.table)
    if watch.table.time is not None:
        with spending(watch.store, watch.warehouse, watch.table.name, "backfill", now):
            _fill_past(watch, partition, watch.past, now)
    return watch.past


def _fill_past(watch: Watch, partition: Partition, past: Past, now: dt.datetime) -> None:
    backfill(watch.warehouse, watch.store, watch.table, partition, past, watch.request, now, watch.progress)
    if watch.request.samples:
        backfill_drift(watch.store, watch.samples, partition, past, now, watch.progress)


def _follows(watch: Watch, partition: Partition) -> bool:
    """Whether this partition comes right after the one judged last, so that the past in memory is whole."""
    if watch.judged is None or partition.start is None:
        return watch.judged is not None and watch.judged.order < partition.order
    return previous(partition, watch.table.cadence, watch.table.timezone).order == watch.judged.order


@dataclass(frozen=True)
class Gate:
    """What came first: the aggregates, how the partition arrived, and why it is not judged yet (None: it is)."""

    aggregates: Answers
    arrival: ArrivalState
    closed: str | None

    @property
    def rows(self) -> float:
        """Rows of the partition."""
        return self.aggregates.get(ROWS) or 0.0


def read_gate(watch: Watch, partition: Partition, past: Past, now: dt.datetime) -> Gate:
    """Read the partition's aggregates and see whether it is there and complete."""
    if watch.kept is not None:
        aggregates = recall_aggregates(watch.kept, watch.request)
    else:
        aggregates = read_aggregates(watch.warehouse, watch.table, partition, past, watch.request, watch.others)
    rows = aggregates.get(ROWS) or 0.0
    latest = latest_of(watch.warehouse, watch.table, partition) if rows == 0 else None
    arrival = read_arrival(watch.table, partition, past, rows, now, latest)
    closed: str | None
    if not arrival.complete:
        closed = f"still arriving: {int(rows):,} rows so far, due {arrival.due:%Y-%m-%d %H:%M %Z}"
    else:
        closed = "no rows to judge" if rows == 0 else None
    return Gate(aggregates, arrival, closed)


def read_groups(
    watch: Watch, partition: Partition, past: Past, gate: Gate, now: dt.datetime
) -> tuple[dict[Input, object], Readings]:
    """Rows by group as the checks ask for them, and what of it is kept; nothing behind a closed gate."""
    if gate.closed is not None or not watch.request.groups:
        return {}, {}
    kept = watch.kept is not None
    return watch.groups.read(partition, past, watch.request.groups, gate.aggregates, now, kept=kept)


def collect_evidence(
    watch: Watch, partition: Partition, past: Past, gate: Gate, grouped: Mapping[Input, object], look: Look = NO_LOOK
) -> tuple[list[Evidence], SampleSet | None]:
    """The evidence of every check; behind a closed gate only freshness speaks."""
    checks = [c for c in watch.checks if gate.closed is None or c.name == "freshness"]
    samples, failure = look.samples, look.failure
    if watch.request.samples and gate.closed is None and watch.table.time is not None:
        try:
            samples = read_samples(watch.samples, partition, past, gate.rows)
        except UnavailableError:
            raise
        except SourceError as error:
            failure = str(error)
    evidence: list[Evidence] = []
    for check in checks:
        inputs = watch.request.by_check[check.name]
        names = findings_of(check, watch.table)
        values = read_values(
            inputs, partition, past, gate.aggregates, gate.arrival, samples, check.name, grouped, names
        )
        if SchemaState() in values:
            values[SchemaState()] = newest_schema(past.schemas(partition)) or watch.usual
        table = replace(watch.table, columns=watch.seen) if check.name == "schema" else watch.table
        if check.name == "drift" and samples is None:
            evidence.append(Evidence("drift", "drift", None, error=failure))
        else:
            evidence.extend(evaluate(check, table, partition, values))
    return evidence, samples


def open_incidents(watch: Watch, partition: Partition) -> list[IncidentState]:
    """Incidents of the table that were live before this partition, and those called expected that go on."""
    states = watch.store.incidents(watch.table.name, at=partition.order)
    known = watch.past.known(partition) if watch.past is not None else []
    before = max((day.partition.order for day in known if day.rows > 0), default=partition.order)
    live = [
        s for s in states
        if s.status in LIVE or (s.status is IncidentStatus.EXPECTED and s.last_seen.order >= before)
    ]  # fmt: skip
    if partition.start is None:
        return live
    oldest = previous(partition, watch.table.cadence, watch.table.timezone, INCIDENT_REACH).order
    return [state for state in live if state.last_seen.order >= oldest]


def muted_incidents(watch: Watch, now: dt.datetime) -> list[IncidentState]:
    """Incidents of the table that a person has muted, and whose mute has not run out."""
    states = watch.store.incidents(watch.table.name, open_only=True)
    return [
        s for s in states if s.status is IncidentStatus.MUTED and (s.muted_until is None or now < _aware(s.muted_until))
    ]


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def tell_outcome(
    watch: Watch, sources: Sources, verdicts: Sequence[Verdict], groups: Sequence[incidents.Group], gate: Gate,
    quiet: Sequence[IncidentState] = (),
) -> Outcome:  # fmt: skip
    """Findings and incident events, with temporary ids."""
    findings: list[Finding] = []
    keys = _incident_keys(groups)
    suspects = {c for v in verdicts if v.status is Status.FAIL for c in incidents.suspects(v.evidence)}
    for verdict in verdicts:
        mine = next((i for i, g in enumerate(groups) if verdict in g.verdicts), None)
        told = tell(sources, verdict, suspects)
        findings.append(replace(told, id=f"new:{len(findings)}", incident=None if mine is None else keys[mine]))
    if watch.kept is None:
        findings = with_bad_rows(sources, findings)
    if gate.closed is not None:
        findings += _skipped(watch, sources.partition, gate.closed, len(findings), {f.check for f in findings})
    events = [_event(sources, g, key, findings, quiet) for g, key in zip(groups, keys, strict=True)]
    events += _recovered(watch, sources.partition, groups, verdicts, gate)
    muted = frozenset(state.id for state in quiet)
    return Outcome(watch.table, sources.partition, tuple(findings), tuple(events), Cost(), 0.0, muted=muted)


def _incident_keys(groups: Sequence[incidents.Group]) -> list[str]:
    return [g.continued.id if g.continued else f"new:{i}" for i, g in enumerate(groups)]


def _is_muted(found: incidents.Group, partition: Partition, quiet: Sequence[IncidentState]) -> bool:
    """Whether it goes on with a muted incident, or opens one again that was muted since (a day judged again)."""
    if found.continued is not None:
        return any(state.id == found.continued.id for state in quiet)
    return any(s.opened.order == partition.order and set(s.checks) & set(found.checks) for s in quiet)


def _event(
    sources: Sources, found: incidents.Group, key: str, findings: Sequence[Finding], quiet: Sequence[IncidentState]
) -> Incident:
    """The step that an incident takes on this partition."""
    event = incidents.event_of(found)
    before = found.continued
    muted = _is_muted(found, sources.partition, quiet)
    mine = [f for f in findings if f.incident == key]
    lead = next(f for f in mine if f.check == found.lead.evidence.check)
    return Incident(
        incident=key,
        table=sources.table.name,
        partition=sources.partition.label,
        event=event,
        title=headline(lead, mine, incidents.news_of(found)),
        checks=found.checks,
        columns=found.columns,
        segments=lead.segments,
        change=found.change,
        surprise=round(found.surprise, 2),
        alerted=event in ("opened", "worsened") and not muted,
        severity=found.severity,
        opened=before.opened.label if before else sources.partition.label,
        findings=tuple(f.id for f in mine),
    )


def _recovered(
    watch: Watch, partition: Partition, groups: Sequence[incidents.Group], verdicts: Sequence[Verdict], gate: Gate
) -> list[Incident]:
    """The end of live incidents that are over."""
    live = watch.store.incidents(watch.table.name, open_only=True, at=partition.order)
    return [
        Incident(
            incident=state.id, table=watch.table.name, partition=partition.label, event="recovered",
            title=f"Well again: {state.title}", checks=tuple(state.checks), columns=tuple(state.columns),
            segments=(), change=state.change, surprise=0.0, alerted=False, severity=Severity.MINIMAL,
            opened=state.opened.label,
        )
        for state in incidents.ended(live, groups, verdicts, rows=gate.rows, judged=gate.closed is None)
    ]  # fmt: skip


def _skipped(watch: Watch, partition: Partition, why: str, start: int, there: set[str]) -> list[Finding]:
    """Findings that say what was not judged, and why."""
    names = dict.fromkeys(name for check in watch.checks for name in _names_of(watch, check))
    return [
        Finding(
            id=f"new:{start + i}", table=watch.table.name, partition=partition.label, check=name,
            kind=name.split(".")[0], status=Status.SKIPPED, score=None, threshold=None, surprise=None,
            severity=severity_of(0.0), priority=watch.table.priority, columns=(), segments=(),
            summary=f"Not judged: {why}.", change=Change.OTHER,
        )
        for i, name in enumerate(n for n in names if n not in there)
    ]  # fmt: skip


def _names_of(watch: Watch, check: Check) -> Iterator[str]:
    """The findings that a check would have had, by what it asks for."""
    if check.name == "entity":
        yield from (f"entity.{entity['name']}" for entity in watch.table.entities)
        return
    named = findings_of(check, watch.table)
    for needed in sorted(watch.request.by_check[check.name], key=str):
        if not isinstance(needed, Aggregate):
            yield from [] if named else [check.name]
        elif needed.measure != ROWS or check.name == "volume":
            yield from [named[needed.measure]] if needed.measure in named else []
            yield from [] if named else [check_of(check.name, needed.measure)]


def record(
    watch: Watch, past: Past, gate: Gate, outcome: Outcome, verdicts: Sequence[Verdict], sources: Sources,
    now: dt.datetime, owner: str | None = None, readings: Readings = NO_READINGS, kept: KeptSample | None = None,
) -> Outcome:  # fmt: skip
    """Write everything in one transaction, alerts on their way out included, unless the claim was lost."""
    values = {m.key: v for m, v in gate.aggregates.items()} | _arrival(watch, outcome.partition, gate, now)
    drift = [part for v in verdicts if v.evidence.kind == "drift" for part in v.evidence.parts]
    scores = {part.check: part.score for part in drift if part.score is not None}
    whole = None if gate.closed is not None else surprise_of(verdicts)
    outcome = replace(outcome, incidents=sign(watch.store, outcome.table.name, outcome.incidents))
    outcome, pictures = _illustrated(watch, outcome, sources)
    deliveries = watch.alerts(outcome, sources, pictures) if watch.alerts is not None else ()
    from monitor.store import Delivery  # noqa: PLC0415 - loads SQLAlchemy

    reach("before the record")
    stored = watch.store.record(
        RunRecord(
            owner=owner,
            table=watch.table.name,
            partition=outcome.partition,
            at=now,
            values=values,
            scores=scores,
            surprises=_surprises(outcome, whole),
            schema=watch.seen,
            findings=outcome.findings,
            incidents=outcome.incidents,
            deliveries=tuple(Delivery(*d) for d in deliveries),
            cost=outcome.cost,
            seconds=outcome.seconds,
            groups=readings,
            sample=kept,
        )
    )
    reach("after the record")
    failed = frozenset(f.check for f in outcome.findings if f.status is Status.FAIL)
    fine: frozenset[str] = frozenset()
    watch.judged = outcome.partition
    if failed and _is_expected(watch, outcome):
        failed, fine, whole = frozenset(), failed, None
    past.add(Day(outcome.partition, values, scores, failed, fine=fine, schema=watch.seen, surprise=whole))
    return replace(outcome, findings=stored.findings, incidents=stored.incidents)


def _is_expected(watch: Watch, outcome: Outcome) -> bool:
    """Whether a person called what goes on here expected: the partition teaches, as when read from the store."""
    going_on = {event.incident for event in outcome.incidents if event.event in ("continued", "worsened")}
    states = watch.store.incidents(watch.table.name) if going_on else []
    return any(state.id in going_on and state.status is IncidentStatus.EXPECTED for state in states)


def _surprises(outcome: Outcome, whole: float | None) -> dict[str, float]:
    told = {f.check: f.surprise for f in outcome.findings if f.surprise is not None}
    return told if whole is None else {**told, WHOLE: whole}


def _illustrated(watch: Watch, outcome: Outcome, sources: Sources) -> tuple[Outcome, Pictures]:
    """Draw the incidents that are worth an alert; the leading finding of each carries its pictures."""
    if watch.pictures is None or not any(event.alerted for event in outcome.incidents):
        return outcome, {}
    from monitor.illustrate import illustrate  # noqa: PLC0415 - loads matplotlib
    from monitor.incident import ranked  # noqa: PLC0415 - beside it

    drawn: dict[str, Sequence[tuple[str, str]]] = {}
    findings = list(outcome.findings)
    for event in outcome.incidents:
        if not event.alerted:
            continue
        mine = ranked(event, outcome.findings)
        try:
            swarm = watch.alerts is not None
            drawn[event.incident] = tuple(illustrate(event, mine, sources, watch.pictures, swarm=swarm))
        except Exception as error:  # noqa: BLE001 - a finding is never lost for want of its picture
            _log.warning("%s %s: no pictures: %s", event.table, event.partition, mask_secrets(str(error)))
            continue
        place = next(i for i, f in enumerate(findings) if f.id == mine[0].id)
        findings[place] = replace(findings[place], pictures=tuple(path for path, _ in drawn[event.incident]))
    return replace(outcome, findings=tuple(findings)), drawn


def _arrival(watch: Watch, partition: Partition, gate: Gate, now: dt.datetime) -> dict[str, float]:
    """When, after its end, the partition was looked at, and how late it came if an earlier look found it empty."""
    if partition.end is None or now - partition.end > ARRIVAL_WATCHED:
        return {}
    seen = {CHECKED: (now - partition.end).total_seconds()}
    watched = watch.lags.get(partition.order, 0.0)
    if gate.rows > 0 and watched > 0:
        return seen | {LAG: watched}
    earlier = watch.store.history(watch.table.name, f"{partition.order}~", 1)
    if gate.rows > 0 and earlier and earlier[0].partition.order == partition.order:
        before = earlier[0].values
        lag = before.get(LAG) if before.get(ROWS.key) else before.get(CHECKED)
        return seen | ({LAG: lag} if lag is not None and lag > 0 else {})
    return seen


def judge_source_failure(watch: Watch, partition: Partition, error: DaywatchError) -> Outcome:
    """A table-day that could not be judged at all: one finding with status error, nothing recorded."""
    finding = Finding(
        id="F-0", table=watch.table.name, partition=partition.label, check="source", kind="source",
        status=Status.ERROR, score=None, threshold=None, surprise=None, severity=Severity.MINIMAL,
        priority=watch.table.priority, columns=(), segments=(), summary=f"Could not be judged: {error}",
        change=Change.OTHER,
    )  # fmt: skip
    return Outcome(watch.table, partition, (finding,), (), Cost(), 0.0, recorded=False)
