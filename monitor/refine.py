"""A second look at failing columns: the rows themselves say best what kind of change it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.judge import Verdict, tail_of
from monitor.types import Change, Evidence, SampleSet, Status, Table

NEARLY = -1.6
"""Margin, in decades, from which the leading column of drift may say which rows are missing."""
REPEATED_TAIL = 1e-3
"""How rare the share of rows that nearly repeat others must be for added rows to be called duplicates."""
_TOLD = frozenset({"change", "effect"})
RATHER_PART = 0.8
"""Part of the rows that a share of NULLs or zeros tells of, from which the rows themselves say what befell them."""
_SPECIFIC = frozenset({"freshness", "volume", "schema", "nulls", "zeros", "duplicates"})


def refine(table: Table, verdicts: Sequence[Verdict], samples: SampleSet | None) -> list[Verdict]:
    """Failing findings on statistics of a column get their kind of change and its facts from the rows."""
    if samples is None or not samples.past:
        return list(verdicts)
    wanted = {
        v.evidence.columns[0]
        for v in verdicts
        if v.status is Status.FAIL and v.evidence.kind in ("stats", "zeros") and v.evidence.columns
    }
    drift = next((v for v in verdicts if v.evidence.kind == "drift"), None)
    known = _told_by(drift)
    described = {**_describe(table, samples, wanted - set(known)), **known}
    excess = _excess(verdicts)
    told = [
        replace(v, evidence=_beside(_with_rows(_with_kind(v.evidence, described), excess, samples), drift, excess))
        if v.status is Status.FAIL
        else v
        for v in verdicts
    ]
    return [_with_cause(table, v, samples) if _repeats_without_column(v) else v for v in told]


def _repeats_without_column(verdict: Verdict) -> bool:
    evidence = verdict.evidence
    return verdict.status is Status.FAIL and evidence.kind == "duplicates" and not evidence.columns


def _with_cause(table: Table, verdict: Verdict, samples: SampleSet) -> Verdict:
    """Repeated rows name the column whose values decide which rows are repeated, as a join on it would."""
    from checks.fanout import deciding_column  # noqa: PLC0415 - loads pandas

    own = {table.time.name} if table.time else set()
    column = deciding_column(samples.today, [c.name for c in table.checked_columns if c.name not in own])
    if column is None:
        return verdict
    return replace(verdict, evidence=replace(verdict.evidence, columns=(column,), shares=(1.0,)))


def _excess(verdicts: Sequence[Verdict]) -> float:
    """By which share the row count lies over (under, if negative) what was expected; 0 where nobody knows."""
    seen = next((v.evidence.observation for v in verdicts if v.evidence.kind == "volume"), None)
    if seen is None or seen.today is None or not seen.expected:
        return 0.0
    return seen.today / seen.expected - 1.0


def _with_rows(evidence: Evidence, excess: float, samples: SampleSet) -> Evidence:
    """What the row count adds to the kind of change.

    Values that no longer come, in a day that is short by as many rows: the rows are missing, not the values.
    A segment that no longer comes, in a day that is as long as ever, or has what else its rows would have: its rows
    came, under other values.
    Yesterday's rows once more, in a day that is long by as many: they came on top, not instead of today's.
    """
    deficit = -excess
    if evidence.change is Change.REPLAY and evidence.effect > 0:
        added = excess / (1.0 + max(excess, 0.0))  # as a share of today's rows, as the effect is
        return replace(evidence, change=Change.ROWS_EXTRA) if added >= 0.5 * evidence.effect else evidence
    if evidence.kind == "missing" and _is_of_one_value(evidence):
        gone = _rows_are_gone(evidence, samples)
        there = deficit < 0.5 * evidence.effect if gone is None else not gone
        return replace(evidence, change=Change.VALUES_GONE) if there else evidence
    if evidence.change is not Change.VALUES_GONE or evidence.kind in _SPECIFIC:
        return evidence
    if 0.5 * evidence.effect <= deficit <= 2.0 * evidence.effect:
        return replace(evidence, change=Change.ROWS_MISSING)
    return evidence


def _rows_are_gone(evidence: Evidence, samples: SampleSet) -> bool | None:
    from checks.companions import rows_are_gone  # noqa: PLC0415 - loads pandas

    segment = evidence.detail["segments"][0]
    return rows_are_gone(samples.today, [frame for _, frame in samples.past], segment["columns"][0], segment["key"][0])


def _is_of_one_value(evidence: Evidence) -> bool:
    """Whether what is missing is one value of one column, not a pair of values or a time of day."""
    segments = evidence.detail.get("segments") or [{}]
    return len(segments[0].get("columns", ())) == 1 and not segments[0].get("quarters")


def _beside(evidence: Evidence, drift: Verdict | None, excess: float) -> Evidence:
    """What a row count learns from the rows: more of them that nearly repeat others; fewer, by one column's values."""
    if evidence.kind != "volume" or drift is None or drift.margin is None:
        return evidence
    seen = drift.evidence
    added = excess / (1.0 + max(excess, 0.0))
    nearly = next((p for p in seen.parts if p.check == "nearly"), None)
    repeated = (nearly.score or 0.0) if nearly is not None and (tail_of(nearly) or 1.0) < REPEATED_TAIL else 0.0
    if repeated >= 0.5 * added > 0:
        return replace(evidence, change=Change.DUPLICATES)
    if evidence.change is Change.ROWS_MISSING and evidence.only_dates and drift.margin >= NEARLY:
        return replace(evidence, columns=seen.columns[:1], shares=(1.0,) * len(seen.columns[:1]))
    return evidence


Described = dict[str, tuple[Change, float, dict[str, object]]]


def _told_by(drift: Verdict | None) -> Described:
    """What drift says of its leading columns: it has seen them beside each other."""
    told = drift.evidence.detail.get("columns", {}) if drift is not None else {}
    return {
        name: (Change(facts["change"]), float(facts["effect"]), {k: v for k, v in facts.items() if k not in _TOLD})
        for name, facts in told.items()
    }


def _describe(table: Table, samples: SampleSet, names: set[str]) -> Described:
    from checks.drift.leaders import describe_leaders  # noqa: PLC0415 - loads pandas and SciPy

    there = [c.name for c in table.columns if c.name in names and c.name in samples.today.columns]
    if not there:
        return {}
    found = describe_leaders(table, samples, there)
    return {name: (d.change, d.effect, dict(d.facts)) for name, d in found.items()}


def _with_kind(evidence: Evidence, described: Described) -> Evidence:
    if evidence.kind in ("zeros", "nulls") and evidence.columns and evidence.columns[0] in described:
        change, effect, facts = described[evidence.columns[0]]
        cut = evidence.kind == "zeros" and change is Change.FORMAT  # numbers below 1, cut to 0
        filled = evidence.change is Change.NULLS_DOWN and change is Change.VALUES_NEW
        other = cut or filled or "swapped_with" in facts
        return replace(evidence, change=change) if other and effect > RATHER_PART * evidence.effect else evidence
    if evidence.kind != "stats" or not evidence.columns or evidence.columns[0] not in described:
        return evidence
    change, effect, facts = described[evidence.columns[0]]
    if change in (Change.RELATION, Change.OTHER) and "swapped_with" not in facts:
        return evidence
    name = evidence.columns[0]
    detail = {**evidence.detail, "columns": {name: {"change": change.value, "effect": effect, **facts}}}
    return replace(
        evidence, change=change, effect=max(evidence.effect if change is Change.SPREAD else 0.0, effect), detail=detail
    )
