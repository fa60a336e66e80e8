"""Status from score and past: who gets how much of the table's false-alert budget, and what is a surprise.

A table may send `false_alerts_per_month` false alerts; daywatch aims at a third of it. One partition's part of that is
shared among the table's checks by their weights, so a wider table has higher thresholds and the same budget. Tail
probabilities are combined by their weighted harmonic mean (Wilson, 2019, "The harmonic mean p-value for combining
dependent tests"): it needs no independence, is never weaker than a weighted Bonferroni bound, and lets many columns
that moved a little at once say so together. Exact checks (rules, schema, a partition that did not come) stand outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.types import Evidence, Predictive, Severity, Status, Table

AIM = 0.35
"""Part of the stated budget that is aimed at, so that bad luck, and days wilder than any distribution, stay inside."""
SURPRISE_MAX = 300.0
LEFT_MIN = 0.5
"""Part of the points that the leading check must bring by itself, however many the others bring."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A piece of evidence with its status.

    `surprise` is -log10 of the tail probability, corrected for how many parts the check looked at; `margin` is
    surprise less what was needed (>= 0 fails); `threshold` is the score from which the check fails.
    """

    evidence: Evidence
    status: Status
    surprise: float | None
    margin: float | None
    threshold: float | None
    severity: Severity


def judge(table: Table, evidence: Sequence[Evidence], caution: float = 0.0) -> list[Verdict]:
    """Judge all evidence of one partition under one budget.

    Args:
        table: for its budget and cadence.
        evidence: of every check of the partition.
        caution: added to the surprise that is needed.
    """
    needed = needed_surprise(table) + caution
    total = sum(e.weight for e in evidence if not e.exact) or 1.0
    tails = [_own_tail(e) for e in evidence]
    points = [e.weight / total / tail if tail else 0.0 for e, tail in zip(evidence, tails, strict=True)]
    leader = max(range(len(points)), key=lambda i: points[i], default=0)
    return [
        _verdict(e, tail, _left(needed, sum(points) - points[i]) if i == leader else needed, total)
        for i, (e, tail) in enumerate(zip(evidence, tails, strict=True))
    ]


def needed_surprise(table: Table) -> float:
    """The surprise of a whole partition from which it is an alert, were all probabilities right.

    >>> round(needed_surprise(Table("t", "main", ("t",), (), None)), 2)
    1.94
    """
    alpha = AIM * table.false_alerts_per_month / table.cadence.partitions_per_month
    return -math.log10(min(alpha, 0.5))


def surprise_of(verdicts: Sequence[Verdict]) -> float:
    """How surprising a partition is as a whole: all checks that are not exact together, by the weights they had.

    >>> surprise_of([])
    0.0
    """
    told = [v for v in verdicts if not v.evidence.exact]
    total = sum(v.evidence.weight for v in told) or 1.0
    points = sum(v.evidence.weight / total * 10.0**v.surprise for v in told if v.surprise is not None)
    return min(math.log10(max(points, 1.0)), SURPRISE_MAX)


def _own_tail(evidence: Evidence) -> float | None:
    """The tail probability by which a piece of evidence is judged; None where it is not judged by one."""
    is_silent = evidence.exact or evidence.error is not None or evidence.score is None
    return None if is_silent else tail_of(evidence)


def _left(needed: float, others: float) -> float:
    """The surprise that the leading check must still bring, where the others bring so many points together."""
    return math.log10(max(10.0**needed - others, LEFT_MIN * 10.0**needed))


def _verdict(evidence: Evidence, tail: float | None, needed: float, total: float) -> Verdict:
    severity = severity_of(evidence.effect)
    if evidence.error is not None:
        return Verdict(evidence, Status.ERROR, None, None, None, severity)
    if evidence.score is None:
        return Verdict(evidence, Status.LEARNING, None, None, None, severity)
    if evidence.exact:
        failed = evidence.score > 0
        return Verdict(
            evidence, Status.FAIL if failed else Status.PASS, SURPRISE_MAX if failed else 0.0, 1.0 if failed else -1.0,
            0.0, severity,
        )  # fmt: skip
    if tail is None or evidence.past is None:
        return Verdict(evidence, Status.LEARNING, None, None, None, severity)
    surprise = min(-math.log10(tail), SURPRISE_MAX)
    own = needed - math.log10(evidence.weight / total)
    margin = surprise - own
    threshold = _threshold(evidence, evidence.past, own)
    status = Status.FAIL if margin >= 0 else Status.PASS
    return Verdict(evidence, status, surprise, margin, threshold, severity)


def tail_of(evidence: Evidence) -> float | None:
    """The tail probability of a piece of evidence, over its parts where it has some; None while learning.

    >>> from checks.series.predictive import AbsoluteT
    >>> part = Evidence("a", "a", 3.25, AbsoluteT(9.0))
    >>> round(tail_of(Evidence("whole", "whole", 3.25, parts=(part, part))) or 0, 4)
    0.01
    """
    if not evidence.parts:
        if evidence.past is None or evidence.score is None:
            return None
        return evidence.past.tail(evidence.score)
    total = sum(part.weight for part in evidence.parts)
    tails = [(tail_of(part), part.weight / total) for part in evidence.parts]
    points = [share / tail for tail, share in tails if tail is not None]
    return min(1.0, 1.0 / sum(points)) if points else None


def _threshold(evidence: Evidence, past: Predictive, needed: float) -> float:
    """The score of the leading part from which the whole fails, the other parts being as they are."""
    points, share = 10.0**needed, 1.0
    if evidence.parts:
        total = sum(part.weight for part in evidence.parts)
        leads = [p for p in evidence.parts if p.score == evidence.score and p.past == evidence.past][:1]
        tails = [(tail_of(p), p.weight / total) for p in evidence.parts if not leads or p is not leads[0]]
        points -= sum(share / tail for tail, share in tails if tail is not None)
        share = leads[0].weight / total if leads else 1.0
    return past.isf(share / points) if points > share else 0.0


_BANDS = (
    (0.01, Severity.MINIMAL),
    (0.05, Severity.WEAK),
    (0.15, Severity.MODERATE),
    (0.35, Severity.STRONG),
    (0.70, Severity.SEVERE),
)


def severity_of(effect: float) -> Severity:
    """The band of an effect, the share of rows (or of the value) that moved.

    >>> severity_of(0.5).value
    'severe'
    """
    for bound, band in _BANDS:
        if effect < bound:
            return band
    return Severity.EXTREME
