"""A second look at failing columns: the rows themselves say best what kind of change it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.judge import Verdict
from monitor.types import Change, Evidence, SampleSet, Status, Table

_SPECIFIC = frozenset({"freshness", "volume", "schema", "nulls", "zeros", "duplicates"})


def refine(table: Table, verdicts: Sequence[Verdict], samples: SampleSet | None) -> list[Verdict]:
    """Failing findings on statistics of a column get their kind of change and its facts from the rows."""
    if samples is None or not samples.past:
        return list(verdicts)
    wanted = {
        v.evidence.columns[0]
        for v in verdicts
        if v.status is Status.FAIL and v.evidence.kind == "stats" and v.evidence.columns
    }
    described = _describe(table, samples, wanted)
    excess = _excess(verdicts)
    return [
        replace(v, evidence=_with_rows(_with_kind(v.evidence, described), excess)) if v.status is Status.FAIL else v
        for v in verdicts
    ]


def _excess(verdicts: Sequence[Verdict]) -> float:
    """By which share the row count lies over (under, if negative) what was expected; 0 where nobody knows."""
    seen = next((v.evidence.observation for v in verdicts if v.evidence.kind == "volume"), None)
    if seen is None or seen.today is None or not seen.expected:
        return 0.0
    return seen.today / seen.expected - 1.0


def _with_rows(evidence: Evidence, excess: float) -> Evidence:
    """What the row count adds to the kind of change.

    Values that no longer come, in a day that is short by as many rows: the rows are missing, not the values.
    Yesterday's rows once more, in a day that is long by as many: they came on top, not instead of today's.
    """
    deficit = -excess
    if evidence.change is Change.REPLAY and evidence.effect > 0:
        added = excess / (1.0 + max(excess, 0.0))  # as a share of today's rows, as the effect is
        return replace(evidence, change=Change.ROWS_EXTRA) if added >= 0.5 * evidence.effect else evidence
    if evidence.change is not Change.VALUES_GONE or evidence.kind in _SPECIFIC:
        return evidence
    if 0.5 * evidence.effect <= deficit <= 2.0 * evidence.effect:
        return replace(evidence, change=Change.ROWS_MISSING)
    return evidence


def _describe(table: Table, samples: SampleSet, names: set[str]) -> dict[str, tuple[Change, float, dict[str, object]]]:
    from checks.drift.check import describe_leaders  # noqa: PLC0415 - loads pandas and SciPy

    there = [c.name for c in table.columns if c.name in names and c.name in samples.today.columns]
    if not there:
        return {}
    found = describe_leaders(table, samples, there)
    return {name: (d.change, d.effect, dict(d.facts)) for name, d in found.items()}


def _with_kind(evidence: Evidence, described: dict[str, tuple[Change, float, dict[str, object]]]) -> Evidence:
    if evidence.kind in _SPECIFIC or not evidence.columns or evidence.columns[0] not in described:
        return evidence
    change, effect, facts = described[evidence.columns[0]]
    if change in (Change.RELATION, Change.OTHER):
        return evidence
    name = evidence.columns[0]
    detail = {**evidence.detail, "columns": {name: {"change": change.value, "effect": effect, **facts}}}
    return replace(
        evidence, change=change, effect=max(evidence.effect if change is Change.SPREAD else 0.0, effect), detail=detail
    )
