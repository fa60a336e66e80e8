"""Status from score and past: who gets how much of the table's false-alert budget, and what is a surprise.

A table may send `false_alerts_per_month` false alerts; daywatch aims at half of it. One partition's part of that is
shared among the table's checks by their weights (a weighted Bonferroni bound), so a wider table has higher thresholds
and the same budget. Exact checks (rules, schema, a partition that did not come) stand outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.types import Evidence, Severity, Status, Table

AIM = 0.5
"""Part of the stated budget that is aimed at, so that bad luck stays inside it."""
SURPRISE_MAX = 300.0


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
    alpha = AIM * table.false_alerts_per_month / table.cadence.partitions_per_month
    needed = -math.log10(min(alpha, 0.5)) + caution
    total = sum(e.weight for e in evidence if not e.exact) or 1.0
    return [_verdict(e, needed, total) for e in evidence]


def _verdict(evidence: Evidence, needed: float, total: float) -> Verdict:
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
    tail = tail_of(evidence)
    if tail is None or evidence.past is None:
        return Verdict(evidence, Status.LEARNING, None, None, None, severity)
    surprise = min(-math.log10(tail), SURPRISE_MAX)
    own = needed - math.log10(evidence.weight / total)
    margin = surprise - own
    threshold = evidence.past.isf(10.0 ** -(own + _parts_penalty(evidence)))
    status = Status.FAIL if margin >= 0 else Status.PASS
    return Verdict(evidence, status, surprise, margin, threshold, severity)


def tail_of(evidence: Evidence) -> float | None:
    """The tail probability of a piece of evidence, over its parts where it has some; None while learning."""
    if not evidence.parts:
        if evidence.past is None or evidence.score is None:
            return None
        return evidence.past.tail(evidence.score)
    total = sum(part.weight for part in evidence.parts)
    tails = [(tail_of(part), part.weight / total) for part in evidence.parts]
    known = [tail / share for tail, share in tails if tail is not None]
    return min(1.0, *known) if known else None


def _parts_penalty(evidence: Evidence) -> float:
    """What the leading part must reach beyond the whole: it was the most surprising of several."""
    if not evidence.parts:
        return 0.0
    total = sum(part.weight for part in evidence.parts)
    leads = [p for p in evidence.parts if p.score == evidence.score and p.past == evidence.past]
    return -math.log10(leads[0].weight / total) if leads else 0.0


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
