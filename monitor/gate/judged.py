"""One partition of a table judged by production's checks, budget and past; nothing is recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor import incident as incidents
from monitor.check import evaluate
from monitor.groups import GroupReader
from monitor.judge import Verdict, judge, tail_of
from monitor.past import Past, caution_of
from monitor.read import Samples
from monitor.refine import refine
from monitor.run import Gate, Watch, collect_evidence, read_gate, read_groups
from monitor.story import Sources, tell
from monitor.types import Check, Evidence, Finding, Grouped, Groups, Partition, SchemaState, Status

if TYPE_CHECKING:
    import pandas as pd
PART_TAIL_MAX = 1e-3
"""A column of a finding over many is suspected from this tail probability on, whatever its share beside the others."""


@dataclass(frozen=True)
class Judged:
    """The verdicts on a partition with their findings, in the same order, and its row count."""

    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    rows: int

    def failing(self) -> list[tuple[Verdict, Finding]]:
        """What fails: the finding that tells each cause best before the others of that cause."""
        by_verdict = {id(v): f for v, f in zip(self.verdicts, self.findings, strict=True)}
        found: dict[int, tuple[Verdict, Finding]] = {}
        for cause in sorted(incidents.group(self.verdicts, []), key=lambda g: -g.surprise):
            others = sorted(cause.verdicts, key=lambda v: -(v.surprise or 0.0))
            for verdict in (cause.lead, *others):
                found.setdefault(id(verdict), (verdict, by_verdict[id(verdict)]))
        return list(found.values())


class _Samples(Samples):
    """Samples of production's past, and of staging for the partition that is judged."""

    def __init__(self, staged: Watch, production: Watch, partition: Partition) -> None:
        super().__init__(staged.warehouse, staged.table)
        self.production, self.partition = production, partition

    def of(self, partition: Partition, total: float | None) -> pd.DataFrame:
        """The seeded sample of a partition."""
        if partition.order == self.partition.order:
            return super().of(partition, total)
        return self.production.samples.of(partition, total)


@dataclass
class _Groups(GroupReader):
    """Rows by group of production's past, and of staging for the partition that is judged."""

    staged: GroupReader | None = None

    def _today(self, partition: Partition, wanted: Sequence[Groups], total: int) -> dict[Groups, Grouped | str]:
        if self.staged is None:
            return super()._today(partition, wanted, total)
        return self.staged._today(partition, wanted, total)  # noqa: SLF001 - its own kind


def stand_in(staged: Watch, production: Watch, partition: Partition) -> Watch:
    """Let a watch of staging read its past from production."""
    staged.samples = _Samples(staged, production, partition)
    own = GroupReader(staged.warehouse, staged.store, staged.table)
    staged.groups = _Groups(production.warehouse, production.store, production.table, staged=own)
    return staged


def judge_as(production: Watch, subject: Watch, partition: Partition, past: Past, now: dt.datetime) -> Judged:
    """Judge a partition of `subject`, which is production itself or stands in for it, as `run` would.

    Raises:
        UsageError: production's own settings are wrong for the table.
        SourceError: a warehouse failed.
    """
    gate = _complete(read_gate(subject, partition, past, now))
    grouped, _ = read_groups(subject, partition, past, gate, now)
    evidence, samples = collect_evidence(subject, partition, past, gate, grouped)
    evidence = [*(e for e in evidence if e.kind != "schema"), *schema_of(production, subject, partition)]
    careful = caution_of(subject.table, past, partition)
    verdicts = refine(subject.table, judge(subject.table, evidence, careful), samples)
    sources = Sources(subject.table, partition, subject.warehouse, past, gate.aggregates, samples, grouped)
    suspects = {c for v in verdicts if v.status is Status.FAIL for c in incidents.suspects(v.evidence)}
    told = [_with_good(tell(sources, verdict, suspects), sources, production) for verdict in verdicts]
    findings = tuple(replace(f, id=f"G-{place}") for place, f in enumerate(told, 1))
    return Judged(tuple(verdicts), findings, int(gate.rows))


def schema_of(production: Watch, subject: Watch, partition: Partition) -> list[Evidence]:
    """Whether the columns are production's as they are now; with `automatic: false` new ones are no matter."""
    from checks.schema import Schema  # noqa: PLC0415 - loaded with the other checks

    check: Check = Schema()
    found = evaluate(check, subject.table, partition, {SchemaState(): production.table.columns})
    if production.table.automatic:
        return list(found)
    return [e for e in found if e.error or e.detail.get("removed") or e.detail.get("retyped")]


def _complete(gate: Gate) -> Gate:
    """Staging is judged when it is asked for: what has not come yet is missing."""
    closed = None if gate.rows else "no rows to judge"
    return replace(gate, arrival=replace(gate.arrival, complete=True), closed=closed)


def _with_good(found: Finding, sources: Sources, production: Watch) -> Finding:
    """Comparable good rows lie in production's past, not in staging's."""
    before = sources.past.references(sources.partition)[:1]
    if not before or sources.table.time is None or found.sql_good is None:
        return found
    if found.sql_good != sources.warehouse.select_sql(sources.table, before[0], None):
        return found
    return replace(found, sql_good=production.warehouse.select_sql(production.table, before[0], None))


def carriers(verdict: Verdict) -> tuple[str, ...]:
    """The columns that a failing finding is about: all of them must be expected for it to be."""
    evidence = verdict.evidence
    if evidence.kind in {"schema", "rule", "relation"}:
        return evidence.columns
    alone = [
        c for p in evidence.parts for c in p.columns if len(p.columns) == 1 and (tail_of(p) or 1.0) <= PART_TAIL_MAX
    ]
    return tuple(dict.fromkeys((*incidents.suspects(evidence), *alone)))
