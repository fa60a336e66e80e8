"""Days of a table one after the other as the service takes them: what is judged bad leaves the past, incidents live on.

The steps are those of `monitor.run`, with frames in place of a warehouse and nothing recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from benchmarks.detection.replay import CHECKS, HISTORY_DAYS, SEED, Replay
from checks.drift.compare import compare, scores_of
from checks.freshness import Freshness
from monitor import incident as incidents
from monitor.check import evaluate
from monitor.incident import Group
from monitor.judge import Verdict, judge, surprise_of
from monitor.partitions import previous
from monitor.past import Day, Past, caution_of
from monitor.read import read_arrival, read_values
from monitor.refine import refine
from monitor.run import INCIDENT_REACH
from monitor.store import IncidentState, IncidentStatus
from monitor.store.records import Seen
from monitor.types import Evidence, Input, Measure, Partition, SampleSet, Severity, Status

ALERTS = frozenset({"opened", "worsened"})
_SEVERITIES = list(Severity)


@dataclass(frozen=True)
class Step:
    """One day as the service saw it: every incident on it with its event, and the ids of those that recovered."""

    day: dt.date
    verdicts: Sequence[Verdict]
    events: Sequence[tuple[str, Group]]
    recovered: Sequence[str] = ()

    @property
    def alerts(self) -> list[Group]:
        """Incidents that were opened or worsened: each is an alert."""
        return [group for event, group in self.events if event in ALERTS]

    def names(self, columns: Sequence[str], most: int = 3) -> bool:
        """Whether an alert has one of `columns` among its first."""
        return any(set(group.columns[:most]) & set(columns) for group in self.alerts)


class Watched:
    """A table under watch from a day on.

    Args:
        replay: its days as they were.
        first: the first day that is watched.
        backfill: whether what lies before was read then, as the service does; a young table has nothing there.
    """

    def __init__(self, replay: Replay, first: dt.date, *, backfill: bool = True) -> None:
        self.replay = replay
        self.checks = (Freshness(), *CHECKS)
        self.past = Past(replay.table, ())
        self.open: list[IncidentState] = []
        self._changed: dict[str, pd.DataFrame] = {}
        self._opened = 0
        if backfill:
            self._backfill(replay.before(first)[-HISTORY_DAYS:])

    def _backfill(self, days: Sequence[dt.date]) -> None:
        for day in days:
            self.past.add(Day(self.replay.partition(day), _by_key(self.replay.known(day))))
        for day in days[-self.replay.table.drift_backfill_days :]:
            partition = self.replay.partition(day)
            known = next(d for d in self.past.known(_after(partition)) if d.partition.order == partition.order)
            self.past.add(replace(known, scores=self._scores(day, partition)))

    def _scores(self, day: dt.date, partition: Partition) -> Mapping[str, float]:
        samples = self._samples(partition, self.replay.days[day])
        usual = [p.order for p, _ in self.replay.references(day)]
        if [p.order for p, _ in samples.past] == usual:
            return self.replay.scored(day)
        return scores_of(compare(self.replay.table, partition, samples)) if samples.past else {}

    def step(self, day: dt.date, frame: pd.DataFrame | None = None, *, learn: bool = True) -> Step:
        """Judge a day, as it was or with `frame` in its place; `learn` makes it part of the past."""
        partition = self.replay.partition(day)
        rows = self.replay.days.get(day) if frame is None else frame
        evidence, samples = self._evidence(day, partition, rows, known=frame is None)
        careful = caution_of(self.replay.table, self.past, partition)
        verdicts = refine(self.replay.table, judge(self.replay.table, evidence, careful), samples)
        groups = incidents.group(verdicts, self._live(partition))
        events = tuple((incidents.event_of(found), found) for found in groups)
        count = 0 if rows is None else len(rows)
        over = incidents.ended(self.open, groups, verdicts, rows=count, judged=count > 0)
        recovered = [state.id for state in over]
        if learn:
            self._learn(partition, day, rows if frame is not None else None, evidence, verdicts)
            self._live_on(partition, groups, recovered)
        return Step(day, verdicts, events, recovered)

    def walk(self, first: dt.date, last: dt.date) -> Iterator[Step]:
        """Every calendar day from `first` to `last`, those without rows too."""
        for number in range((last - first).days + 1):
            yield self.step(first + dt.timedelta(days=number))

    def _evidence(
        self, day: dt.date, partition: Partition, rows: pd.DataFrame | None, *, known: bool
    ) -> tuple[list[Evidence], SampleSet | None]:
        table, past = self.replay.table, self.past
        values = {} if rows is None else self.replay.known(day) if known else self.replay.measure(rows, day)
        count = 0 if rows is None else len(rows)
        now = (partition.end or dt.datetime.now(dt.UTC)) + dt.timedelta(days=1)
        arrival = read_arrival(table, partition, past, count, now, None)
        samples = None if rows is None else self._samples(partition, rows)
        groups = {} if rows is None else self._groups(day, partition, None if known else rows)
        evidence: list[Evidence] = []
        for check in self.checks if rows is not None else self.checks[:1]:
            read = read_values(check.inputs(table), partition, past, values, arrival, samples, check.name, groups)
            evidence += evaluate(check, table, partition, read)
        return evidence, samples

    def _groups(self, day: dt.date, partition: Partition, rows: pd.DataFrame | None) -> dict[Input, object]:
        """Segments of the days that the table's past knows, those without rows left out."""
        days = [d for d in self.past.days(partition) if d.partition.start is not None and d.rows > 0]
        past = [(d.partition.start.date(), d.failed) for d in days if d.partition.start is not None]
        changed = {
            p.date(): self._changed[d.partition.order]
            for d in days
            if (p := d.partition.start) and d.partition.order in self._changed
        }
        return self.replay.segmented.values(day, rows, past, changed)

    def _samples(self, partition: Partition, rows: pd.DataFrame) -> SampleSet:
        past = tuple((p, self.replay.sampled(self._rows(p))) for p in self.past.references(partition))
        return SampleSet(self.replay.sampled(rows), past, SEED, skipped=self.past.skipped(partition))

    def _rows(self, partition: Partition) -> pd.DataFrame:
        changed = self._changed.get(partition.order)
        if changed is not None or partition.start is None:
            return pd.DataFrame() if changed is None else changed
        return self.replay.days[partition.start.date()]

    def _live(self, partition: Partition) -> list[IncidentState]:
        table = self.replay.table
        oldest = previous(partition, table.cadence, table.timezone, INCIDENT_REACH).order
        return [state for state in self.open if state.last_seen.order >= oldest]

    def _learn(
        self, partition: Partition, day: dt.date, changed: pd.DataFrame | None, evidence: Sequence[Evidence],
        verdicts: Sequence[Verdict],
    ) -> None:  # fmt: skip
        if changed is not None:
            self._changed[partition.order] = changed
            values = _by_key(self.replay.measure(changed, day))
        else:
            values = _by_key(self.replay.known(day)) if day in self.replay.days else {"rows": 0.0}
        scores = {p.check: p.score for e in evidence if e.kind == "drift" for p in e.parts if p.score is not None}
        failed = frozenset(v.evidence.check for v in verdicts if v.status is Status.FAIL)
        surprise = surprise_of(verdicts) if values.get("rows") else None
        self.past.add(Day(partition, values, scores, failed, surprise=surprise))

    def _live_on(self, partition: Partition, groups: Sequence[Group], recovered: Sequence[str]) -> None:
        """Incidents after this day: the ones that recovered gone, the others as the day leaves them."""
        left = {state.id: state for state in self.open if state.id not in recovered}
        for group in groups:
            state = self._state(partition, group)
            left[state.id] = state
        self.open = list(left.values())

    def _state(self, partition: Partition, group: Group) -> IncidentState:
        seen = Seen(partition.label, partition.order)
        before = group.continued
        if before is None:
            self._opened += 1
            return IncidentState(
                str(self._opened), self.replay.table.name, seen, seen, group.columns, group.checks, group.change, "",
                group.severity, group.surprise, IncidentStatus.OPEN,
            )  # fmt: skip
        return replace(
            before,
            last_seen=seen,
            columns=tuple(dict.fromkeys((*group.columns, *before.columns))),
            checks=tuple(dict.fromkeys((*group.checks, *before.checks))),
            change=group.change,
            severity=max(before.severity, group.severity, key=_SEVERITIES.index),
            surprise=max(before.surprise, group.surprise),
        )


def _by_key(values: Mapping[Measure, float | None]) -> dict[str, float | None]:
    return {measure.key: value for measure, value in values.items()}


def _after(partition: Partition) -> Partition:
    """A place in time right after the partition."""
    return replace(partition, order=partition.order + "~")
