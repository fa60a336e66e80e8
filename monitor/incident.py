"""Findings of one cause are one incident; it opens, worsens, continues, recovers, and keeps its id.

On one table-day the failing automatic checks are taken to have one cause (two independent faults on the same table
and day are rarer than one fault that many checks see). An incident that is already open keeps the findings that
touch its own columns or checks; what is left opens a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.judge import Verdict, tail_of
from monitor.store import IncidentState
from monitor.types import Change, Evidence, Finding, Incident, Severity, Status

COLUMNS_MAX = 10
SURPRISE_CAP = 40.0
"""Surprises beyond this are all "certain" and rank alike."""

LEAD_SURPRISE_CAP = 8.0
"""From here on a finding is sure, and the kind that explains best leads: a share with its past before a mixture."""

ASIDE = 4.0
"""How many times as many rows another finding on a column tells of for the zeros among them to be told after it."""

SUSPECT_SHARE = 0.2
"""Part of a change from which a column beside the leading one is itself suspected."""

BYSTANDER_SHARE = 0.1
"""Part of the leading column's share below which a column stands by: it says nothing, and holds nothing new back."""

SURE_TAIL = 1e-4
"""Tail probability from which a column of `drift` is wrong by itself, beside others of whatever share."""

NEWS_TAIL = 1e-6
"""The same for a column that would be news in an open incident: less, so that what was nearly named is not."""

_SEVERITIES = list(Severity)
_ROW_KINDS = frozenset({"volume", "freshness", "duplicates", "missing"})
_REPEATS = frozenset({Change.REPLAY, Change.ROWS_EXTRA})
_MORE_ROWS = frozenset({Change.ROWS_EXTRA, Change.DUPLICATES})
_THINNED = frozenset({Change.VALUES_GONE, Change.VALUES_MIXED})
"""What repeated rows do to the shares of other values."""
_VALUE_KINDS = frozenset({"nulls", "zeros", "stats"})
_OWN_INCIDENT = frozenset({"schema", "rule", "relation"})
_SPECIFIC = {
    "schema": 6,
    "freshness": 5,
    "duplicates": 4,
    "volume": 3,
    "missing": 3,
    "nulls": 2,
    "zeros": 2,
    "drift": 1,
    "stats": 0,
}


@dataclass(frozen=True)
class Group:
    """Failing verdicts of one cause, and the open incident that they continue (None: a new one).

    `elsewhere` are columns of other incidents that go on: what a sample shows of them is theirs.
    """

    verdicts: tuple[Verdict, ...]
    continued: IncidentState | None = None
    elsewhere: frozenset[str] = frozenset()

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the checks, the leading one first."""
        lead = self.lead.evidence.check
        return (lead, *sorted({v.evidence.check for v in self.verdicts} - {lead}))

    @property
    def lead(self) -> Verdict:
        """The verdict that tells the story: the most specific of the surest."""
        wrong = _written_over(self.verdicts)
        told = [v for v in self.verdicts if v.evidence.kind != "duplicates" or not wrong & set(v.evidence.columns)]
        told = [v for v in told if not _is_aside(v, told)]
        return max(told or self.verdicts, key=_leadership)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that carry the change, ranked by how surely and how much; bystanders of a sample left out."""
        carrying = {c for v in self.verdicts for c in _carrying(v.evidence)}
        own = carrying - self.elsewhere
        return tuple(c for c in rank_columns(self.verdicts) if c in (own or carrying))

    @property
    def change(self) -> Change:
        """The kind of change, by the leading verdict; more rows that repeat others are duplicates."""
        return self.lead.evidence.change

    @property
    def surprise(self) -> float:
        """The highest surprise in the group."""
        return max(v.surprise or 0.0 for v in self.verdicts)

    @property
    def severity(self) -> Severity:
        """The largest change in the group."""
        return max((v.severity for v in self.verdicts), key=_SEVERITIES.index)


def _written_over(verdicts: Sequence[Verdict]) -> set[str]:
    """Columns whose values made rows equal: keys that repeat because they are missing, or all the same.

    None where more rows came: then those are the repeats, and what single columns show comes of them.
    """
    if any(v.evidence.kind == "volume" and v.evidence.change in _MORE_ROWS for v in verdicts):
        return set()
    values = [v.evidence for v in verdicts if v.evidence.kind in _VALUE_KINDS and v.evidence.columns]
    return {e.columns[0] for e in values if e.change not in _THINNED}


def _is_aside(verdict: Verdict, others: Sequence[Verdict]) -> bool:
    """Whether zeros are but a part of what befell their column.

    Of numbers that were shifted some are 0; and that zeros are gone says less than what they have become.
    """
    evidence = verdict.evidence
    gone = evidence.change is Change.VALUES_GONE
    return evidence.kind == "zeros" and any(
        o.evidence.kind in ("drift", "stats")
        and o.evidence.columns[:1] == evidence.columns[:1]
        and o.evidence.change not in (Change.ZEROS_UP, Change.VALUES_GONE, Change.OTHER, Change.RELATION)
        and (gone or o.evidence.effect >= ASIDE * evidence.effect)
        for o in others
    )


def _leadership(verdict: Verdict) -> tuple[float, float]:
    """Sure findings first; among those the kind that explains best, and the largest."""
    surprise = min(verdict.surprise or 0.0, LEAD_SURPRISE_CAP)
    specific = _SPECIFIC.get(verdict.evidence.kind, 1)
    # rows that come again explain what single columns show of them
    told = 9.0 if verdict.evidence.kind == "drift" and verdict.evidence.change in _REPEATS else 0.0
    return (surprise + 4.0 * specific + 6.0 * verdict.evidence.effect + told, verdict.evidence.effect)


def rank_columns(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """All columns that the verdicts name, the likeliest first; last the one that only dates the rows."""
    points: dict[str, float] = {}
    for verdict in verdicts:
        evidence = verdict.evidence
        surprise = 0.0 if evidence.only_dates else min(verdict.surprise or 0.0, SURPRISE_CAP)
        for rank, column in enumerate(evidence.columns):
            share = evidence.shares[rank] if rank < len(evidence.shares) else 0.0
            points[column] = points.get(column, 0.0) + surprise * (0.4 / (1 + rank) + 0.6 * share)
    ranked = sorted(points, key=lambda c: points[c], reverse=True)
    return tuple(ranked[:COLUMNS_MAX])


def suspects(evidence: Evidence) -> tuple[str, ...]:
    """The columns that are wrong themselves, of those that a failing check ranks: the first, and who shares with it."""
    return tuple(c for place, (c, share) in enumerate(_shared(evidence)) if place == 0 or share >= SUSPECT_SHARE)


def _carrying(evidence: Evidence) -> set[str]:
    """The columns of a piece of evidence with a part in the change that is worth naming."""
    shared = _shared(evidence)
    least = BYSTANDER_SHARE * max((share for _, share in shared), default=0.0)
    return {c for c, share in shared if share >= least} | sure_columns(evidence)


def _shared(evidence: Evidence) -> list[tuple[str, float]]:
    """The ranked columns with their shares of the change; where none are told, each is all of it."""
    return list(zip(evidence.columns, evidence.shares or (1.0,) * len(evidence.columns), strict=False))


def group(verdicts: Sequence[Verdict], open_incidents: Sequence[IncidentState]) -> list[Group]:
    """Sort the failing verdicts of one table-day into causes."""
    newest_first = sorted(open_incidents, key=lambda i: i.last_seen.order, reverse=True)
    owned = [(v, _owner(v, newest_first)) for v in verdicts if v.status is Status.FAIL]
    going_on = ((incident, tuple(v for v, owner in owned if owner is incident)) for incident in newest_first)
    groups = [Group(mine, incident) for incident, mine in going_on if mine]
    left, joined = _join_rules([v for v, owner in owned if owner is None])
    for kind in sorted(_OWN_INCIDENT):
        own = [v for v in left if v.evidence.kind == kind]
        groups += [
            Group(tuple(v for v in own if v.evidence.check == name)) for name in sorted({v.evidence.check for v in own})
        ]
        left = [v for v in left if v not in own]
    if left or joined:
        groups.append(Group((*left, *joined)))
    return [replace(g, elsewhere=_of_others(g, groups)) for g in groups]


def _of_others(found: Group, groups: Sequence[Group]) -> frozenset[str]:
    """The columns of the day's other incidents, but those that are its own too.

    Of a new one only those that checks of their own tell: what `drift` ranks beside them may be anybody's.
    """
    own = found.continued.columns if found.continued else _told_alone(found)
    others = (g.continued.columns if g.continued else _told_alone(g) for g in groups if g is not found)
    return frozenset(c for columns in others for c in columns) - set(own)


def _told_alone(found: Group) -> set[str]:
    """The columns that single checks of a group lead with."""
    return {v.evidence.columns[0] for v in found.verdicts if v.evidence.kind in _VALUE_KINDS and v.evidence.columns}


def _join_rules(verdicts: list[Verdict]) -> tuple[list[Verdict], list[Verdict]]:
    """Take out rules, and changes of the columns, about what other automatic checks also name: one cause."""
    named = {c for v in verdicts if v.evidence.kind not in _OWN_INCIDENT for c in v.evidence.columns[:3]}
    repeated = any(v.evidence.kind == "duplicates" for v in verdicts)
    joined = [
        v
        for v in verdicts
        if v.evidence.kind in _OWN_INCIDENT
        and (named & set(v.evidence.columns) or (repeated and v.evidence.change is Change.DUPLICATES))
    ]
    return [v for v in verdicts if v not in joined], joined


def _owner(verdict: Verdict, newest_first: Sequence[IncidentState]) -> IncidentState | None:
    """The open incident that a failing check goes on with: the one that has it, before any that has its column."""
    asked = ((belongs, incident) for belongs in (_is_known_to, _belongs) for incident in newest_first)
    return next((incident for belongs, incident in asked if belongs(verdict, incident)), None)


def _is_known_to(verdict: Verdict, incident: IncidentState) -> bool:
    """Whether an open incident has this very check; `drift`, which sees every column, is any incident's."""
    return verdict.evidence.check in incident.checks and verdict.evidence.kind != "drift"


def _belongs(verdict: Verdict, incident: IncidentState) -> bool:
    """Whether a failing check is the same trouble as an open incident."""
    evidence = verdict.evidence
    if evidence.kind in _ROW_KINDS:
        return any(check.split(".")[0] in _ROW_KINDS for check in incident.checks)
    if evidence.kind in _OWN_INCIDENT:
        return False
    if evidence.kind == "drift" and set(evidence.columns[:1]) & sure_columns(evidence) - set(incident.columns):
        return False
    return bool(set(evidence.columns[:2]) & set(incident.columns)) or (
        evidence.kind == "drift" and bool(set(evidence.columns[:4]) & set(incident.columns[:4]))
    )


def sure_columns(evidence: Evidence, tail: float = SURE_TAIL) -> set[str]:
    """The columns that surprise by themselves, whatever share of the change others have.

    What the model attributes to a column does not say so: of a change as large as another's it has its bit.
    """
    own = [part for part in evidence.parts if len(part.columns) == 1 and not part.check.startswith("drift.")]
    parts = [(part, tail_of(part)) for part in own]
    return {part.columns[0] for part, seen in parts if seen is not None and seen < tail}


def event_of(found: Group) -> str:
    """`opened`, `worsened` (another column, or two bands more severe), or `continued`."""
    before = found.continued
    if before is None:
        return "opened"
    if news_of(found):
        return "worsened"
    worse = _SEVERITIES.index(found.severity) - _SEVERITIES.index(before.severity)
    severe = _SEVERITIES.index(found.severity) >= _SEVERITIES.index(Severity.STRONG)
    return "worsened" if worse >= 2 and severe else "continued"


def news_of(found: Group) -> tuple[str, ...]:
    """Columns surely wrong that the incident which goes on did not know, by name or by a check of their own."""
    before = found.continued
    if before is None:
        return ()
    wrong: set[str] = set()
    for evidence in (v.evidence for v in found.verdicts):
        # an incident with as many columns as one lists may know of more
        if evidence.kind == "drift" and len(before.columns) < COLUMNS_MAX:
            wrong |= sure_columns(evidence, NEWS_TAIL)
        elif evidence.kind in ("nulls", "zeros") and evidence.check not in before.checks:
            wrong |= set(evidence.columns[:1])
    new = wrong - set(before.columns) - found.elsewhere
    return (*(c for c in found.columns if c in new), *sorted(new - set(found.columns)))


def ended(
    live: Iterable[IncidentState], groups: Sequence[Group], verdicts: Sequence[Verdict], *, rows: float, judged: bool
) -> list[IncidentState]:
    """Live incidents whose checks all ran and found nothing.

    Args:
        live: incidents that are open.
        groups: causes found on this partition.
        verdicts: of all its checks.
        rows: of the partition; one without any says nothing of what was wrong.
        judged: whether the deep checks ran; otherwise only incidents of those that did can end.
    """
    if rows == 0:
        return []
    going_on = {g.continued.id for g in groups if g.continued}
    ran = {v.evidence.check for v in verdicts if v.status in (Status.PASS, Status.LEARNING)}
    errored = {v.evidence.kind for v in verdicts if v.status is Status.ERROR}
    return [
        state
        for state in live
        if state.id not in going_on
        and not any(check.split(".")[0] in errored for check in state.checks)
        and (judged or set(state.checks) <= ran)
    ]


def ranked(event: Incident, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of an incident, the leading one first, then by surprise."""
    mine = [f for f in findings if f.incident == event.incident]
    return sorted(mine, key=lambda f: (f.check != event.checks[0], -(f.surprise or 0.0)))
