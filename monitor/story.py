"""From a verdict to a finding that a person can act on: sentence, SQL for bad and good rows, segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.broken import find_broken
from monitor.conditions import conjunction_sql
from monitor.explain import bad_condition, summarise
from monitor.judge import Verdict
from monitor.moved import Moved, find_moved
from monitor.past import Past
from monitor.privacy.redact import Gate, redact_detail
from monitor.segments import condition_of, confirm, segments_of
from monitor.types import (
    Change,
    Cost,
    Evidence,
    Finding,
    Groups,
    GroupSeries,
    Input,
    Measure,
    Partition,
    SampleSet,
    Segment,
    Status,
    Table,
)
from monitor.where import find_where
from monitor.words import share

if TYPE_CHECKING:
    from checks.rootcause import FoundSegment
    from monitor.warehouses.base import Warehouse


MOVES = "moves"
"""The entry of a finding's detail that says which segments moved a metric, and by how much."""
WRITTEN_MAX = 5
"""Failing rules and relations of one partition whose bad rows are searched for what they share: each costs queries."""
_WRITTEN = frozenset({"rule", "relation"})
_NOT_STORED = frozenset({"segments"})
"""Entries of a detail that hold values of rows, and leave as conditions or words alone."""


@dataclass(frozen=True)
class Sources:
    """Where the explanation of one partition's findings comes from."""

    table: Table
    partition: Partition
    warehouse: Warehouse
    past: Past
    aggregates: Mapping[Measure, float | None]
    samples: SampleSet | None
    groups: Mapping[Input, object] = field(default_factory=dict)
    searched: list[str] = field(default_factory=list)

    def series_of(self, groups: Groups) -> GroupSeries | None:
        """The series of a grouping that some check asked for."""
        found = self.groups.get(groups)
        if found is None:
            every = (s for some in self.groups.values() if isinstance(some, tuple) for s in some)
            found = next((series for series in every if series.groups == groups), None)
        return found if isinstance(found, GroupSeries) else None


def tell(sources: Sources, verdict: Verdict, suspects: Collection[str] = ()) -> Finding:
    """The finding of a verdict; only failing ones are explained in full.

    `suspects` are columns that fail beside it: that one is missing where another is says nothing of where to look.
    """
    evidence, table = verdict.evidence, sources.table
    failed = verdict.status is Status.FAIL
    sql_bad, sql_good = None, None
    segments: tuple[Segment, ...] = ()
    moved = Moved()
    if failed:
        condition = bad_condition(table, evidence, sources.warehouse.identifier, sources.warehouse.literal)
        sql_bad, sql_good = _sql(sources, evidence, condition)
        segments = _segments(sources, evidence, suspects, condition)
        if evidence.kind in _WRITTEN and len(sources.searched) < WRITTEN_MAX:
            sources.searched.append(evidence.check)
            segments = find_broken(sources.warehouse, table, sources.partition, evidence, suspects)
        moved = find_moved(sources, evidence) if evidence.kind == "metric" else Moved()
        if moved.segments:
            segments = moved.segments
            sql_bad, sql_good = _sql_where(sources, segments[0].where)
        if "segments" in evidence.detail:
            segments = segments_of(sources.warehouse, table, evidence.detail["segments"])
    return Finding(
        id="",
        table=table.name,
        partition=sources.partition.label,
        check=evidence.check,
        kind=evidence.kind,
        status=verdict.status,
        score=_rounded(evidence.score),
        threshold=_rounded(verdict.threshold),
        surprise=_rounded(verdict.surprise),
        severity=verdict.severity,
        priority=evidence.detail.get("priority") or table.priority,
        columns=evidence.columns,
        segments=segments,
        summary=_with_move(summarise(table, sources.partition, verdict), moved),
        change=evidence.change,
        sql_bad=sql_bad,
        sql_good=sql_good,
        cost=Cost(),
        observation=evidence.observation,
        detail={**_detail(sources, evidence), **_moves(moved)} if failed else {},
    )


def _with_move(summary: str, moved: Moved) -> str:
    """The sentence with the segment that moved a metric."""
    if not moved.segments:
        return summary
    lead = moved.segments[0]
    return f"{summary.removesuffix('.')}; {lead.where} makes {share(lead.recall)} of the move."


def _moves(moved: Moved) -> Mapping[str, Any]:
    """What pictures are drawn from: conditions that may be shown, with their parts of the move."""
    pairs = zip(moved.segments, moved.changes, strict=True)
    return {MOVES: [{"where": one.where, "change": change} for one, change in pairs]} if moved.segments else {}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.4g}")


def _detail(sources: Sources, evidence: Evidence) -> Mapping[str, Any]:
    detail = {name: part for name, part in evidence.detail.items() if name not in _NOT_STORED}
    if evidence.shares:
        detail["shares"] = dict(zip(evidence.columns, (round(s, 4) for s in evidence.shares), strict=False))
    return redact_detail(detail, sources.table)


def _sql(sources: Sources, evidence: Evidence, condition: str | None) -> tuple[str, str | None]:
    """Statements for the bad rows and for comparable good ones, as they run here; None where none are left."""
    warehouse, table, partition = sources.warehouse, sources.table, sources.partition
    where = partition if table.time is not None else None
    if evidence.kind == "duplicates" or evidence.detail.get("rule") == "unique":
        return _sql_duplicates(sources, evidence), warehouse.select_sql(table, where, None)
    if "segments" in evidence.detail:
        return _sql_of_segment(sources, evidence.detail["segments"][:1])
    if evidence.kind in ("rule", "relation") and condition is None:
        return _sql_rule(sources, evidence), warehouse.select_sql(table, where, None)
    if condition is not None:
        good = f"NOT ({condition})"
        return warehouse.select_sql(table, where, condition), warehouse.select_sql(table, where, good)
    if table.time is None:
        return warehouse.select_sql(table), None  # the rows of earlier looks are no longer in the table
    before = sources.past.references(partition)
    return warehouse.select_sql(table, where, None), warehouse.select_sql(table, before[0] if before else where, None)


def _sql_of_segment(sources: Sources, listed: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """The rows of the leading segment today, and on the newest comparable day."""
    return _sql_where(sources, condition_of(sources.warehouse, sources.table, listed[0]) if listed else None)


def _sql_where(sources: Sources, condition: str | None) -> tuple[str, str | None]:
    """The rows that meet a condition today, and on the newest comparable day."""
    table, warehouse = sources.table, sources.warehouse
    where = sources.partition if table.time is not None else None
    if table.time is None:
        return warehouse.select_sql(table, None, condition), None
    before = sources.past.references(sources.partition)[:1]
    good = warehouse.select_sql(table, before[0] if before else where, condition)
    return warehouse.select_sql(table, where, condition), good


def _sql_rule(sources: Sources, evidence: Evidence) -> str:
    """What a rule over several rows, or relative to the partition's time, selects as bad; else the rows it is about."""
    from checks.rules import bad_condition, bad_statement, written_of  # noqa: PLC0415 - only where a rule failed
    from monitor.warehouses.questions import fill  # noqa: PLC0415 - beside it

    warehouse, table = sources.warehouse, sources.table
    where = sources.partition if table.time is not None else None
    rule = written_of(table, evidence.check) or {}
    condition, statement = bad_condition(rule, table), bad_statement(rule, table)
    if condition is not None:
        return warehouse.select_sql(table, where, fill(warehouse, table, sources.partition, condition))
    if statement is None:
        return warehouse.select_sql(table, where, rule.get("where"))
    filled = fill(warehouse, table, sources.partition, statement)
    return f"SELECT * FROM ({filled}) AS bad LIMIT 100"  # noqa: S608 - the rule's own statement


def _sql_duplicates(sources: Sources, evidence: Evidence) -> str:
    """Groups of rows that are the same, the largest first."""
    table = sources.table
    where = sources.partition if table.time is not None else None
    columns = list(evidence.columns or [c.name for c in table.checked_columns])
    quoted = ", ".join(sources.warehouse.identifier(name) for name in columns)
    inner = sources.warehouse.select_sql(table, where, None, columns, limit=None)
    grouped = f"GROUP BY {quoted} HAVING COUNT(*) > 1 ORDER BY copies DESC LIMIT 100"
    return f"SELECT {quoted}, COUNT(*) AS copies FROM ({inner}) AS day {grouped}"  # noqa: S608 - quoted identifiers


def _segments(
    sources: Sources, evidence: Evidence, suspects: Collection[str], condition: str | None
) -> tuple[Segment, ...]:
    """Where in the data the bad rows are, or the missing ones were.

    They are found in the sample; where the bad rows are a condition, their shares are counted on all of the partition.
    """
    if sources.samples is None:
        return ()
    table, found = sources.table, find_where(sources.table, sources.samples, evidence, suspects)
    if evidence.change is Change.ROWS_MISSING:
        condition = None
    gate = Gate(table)
    told = [
        Segment(where, round(s.precision, 3), round(s.recall, 3), s.rows, _synonyms(sources, s, gate))
        for s in found
        if (where := conjunction_sql(sources.warehouse, table, s.conditions, s.rows + s.shared, gate))
    ]
    return confirm(sources.warehouse, table, sources.partition, told, condition) if condition else tuple(told)


def _synonyms(sources: Sources, segment: FoundSegment, gate: Gate) -> tuple[str, ...]:
    """Other conditions that the same sampled rows meet."""
    rows = segment.rows + segment.shared
    told = (conjunction_sql(sources.warehouse, sources.table, s, rows, gate) for s in segment.synonyms)
    return tuple(where for where in told if where)
