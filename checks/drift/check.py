"""The drift check: one finding a table-day, split by column without remainder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from checks.drift.apart import way_apart
from checks.drift.compare import Comparison, compare, scores_of
from checks.drift.description import Description
from checks.drift.known import unknown_values
from checks.drift.leaders import describe_leaders
from checks.drift.repeats import REPEATED
from checks.drift.thresholds import RootT, predict
from checks.evidence import tail_alone
from checks.missing import Missing
from monitor.types import (
    Change,
    Evidence,
    Input,
    Observation,
    Partition,
    PastScores,
    Point,
    Sample,
    SampleSet,
    Table,
    Values,
)

WEIGHT = 6.0
COLUMNS_WEIGHT = 4.5
"""Of all looks at columns; the table as a whole weighs 1."""
ROWS_MIN = 20
"""Rows on either side below which nothing is compared."""
REPEAT_TAIL = 1e-5
"""Tail probability from which rows that come again are sure, whatever else leads."""
BLAMED = 1.0
"""Decades by which the values of one of two columns must surprise more than the other's to be blamed for both."""
BROKEN_MORE = 1.5
"""Likewise, how many times as many of its rows must disagree."""
BY_FAR = 3.0
"""Decades by which what bound a column must surprise more than its values alone to be told instead of them."""
OUTSTANDING = 2.0
"""Decades of surprise behind the first column that leave a tenth of its part."""
_VAGUE = (Change.RELATION, Change.OTHER)
_LOOKS_LIKE = {
    "together": Change.RELATION,
    "within": Change.RELATION,
    "order": Change.RELATION,
    "carried": Change.REPLAY,
    "old": Change.REPLAY,
    "form": Change.FORMAT,
    "crowd": Change.CONSTANT,
    "novel": Change.VALUES_NEW,
    "unknown": Change.VALUES_NEW,
}


class Drift:
    """`drift`: what tells today's sample from samples of comparable past days, against its own past."""

    name = "drift"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Samples of today and of the past, the scores that past days had, and the values of columns that have few."""
        return [Sample(), PastScores("drift"), *Missing().inputs(table)]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence; its parts are the table and, twice, each column."""
        samples: SampleSet = values[Sample()]
        past_rows = sum(len(frame) for _, frame in samples.past)
        if len(samples.today) < ROWS_MIN or past_rows < ROWS_MIN:
            return [Evidence("drift", "drift", None, weight=WEIGHT)]
        found = compare(table, partition, samples)
        groupings = [series for needed in Missing().inputs(table) for series in values.get(needed, ())]
        unknown = unknown_values(groupings, tuple(found.attributed))
        parts = _parts(table, partition, found, values[PastScores("drift")], unknown)
        return [_lead(table, samples, found, parts)]


def _parts(
    table: Table, partition: Partition, found: Comparison, past: Mapping[str, Sequence[Point]],
    unknown: Sequence[Evidence],
) -> list[Evidence]:  # fmt: skip
    """The table's and the columns' scores with their predictive distributions; those of unknown values have theirs."""
    scores = scores_of(found)
    predictives = predict(table, partition, found, list(scores), past)
    weights = {"drift": 1.0, **dict.fromkeys(REPEATED, 0.4)}
    each = COLUMNS_WEIGHT / max(len(scores) + len(unknown) - 1, 1)
    told = [
        Evidence(
            check=name,
            kind="drift",
            score=max(score, 0.0),  # without change it scatters around zero, and 0 = nothing wrong
            past=predictives[name],
            columns=_columns_of(name, found),
            weight=weights.get(name, each),
        )
        for name, score in scores.items()
    ]
    return [*told, *(replace(part, weight=each) for part in unknown)]


def _columns_of(name: str, found: Comparison) -> tuple[str, ...]:
    if name == "nearly":
        return (found.nearly,) if found.nearly else ()
    return (name.split(".", 1)[1],) if "." in name else ()


def _lead(table: Table, samples: SampleSet, found: Comparison, parts: list[Evidence]) -> Evidence:
    """The table's evidence: the most surprising part leads; columns are ranked by surprise, then by nats."""
    seen = {*found.attributed, *(name for by_column in found.looks.values() for name in by_column)}
    order = [c.name for c in table.columns if c.name in seen]
    surprises = _surprises(parts, found)
    ranking = sorted(order, key=lambda name: (surprises.get(name, 0.0), _nats(name, found)), reverse=True)
    known = [p for p in parts if p.past is not None and p.score is not None]
    lead = min(known, key=lambda p: tail_alone(p) / p.weight) if known else parts[0]
    shares = _shares(ranking, parts, surprises)
    descriptions = describe_leaders(table, samples, ranking[:5])
    descriptions |= _bound(lead, ranking[0], parts, found, samples, descriptions) if ranking else {}
    first = descriptions.get(ranking[0]) if ranking else None
    repeat = _sure_repeat(lead, known)
    return Evidence(
        check="drift",
        kind="drift",
        score=lead.score,
        past=lead.past,
        columns=tuple(ranking[:10]),
        shares=tuple(float(s) for s in shares[:10]),
        change=REPEATED[repeat.check] if repeat else _kind(lead, first),
        effect=min(1.0, (repeat.score or 0.0) if repeat else (first.effect if first else 0.0)),
        weight=WEIGHT,
        observation=Observation("divergence from past days", found.total, unit="nats"),
        detail={
            "left_out": list(found.left_out),
            "total": found.total,
            "rows_today": len(samples.today),
            "rows_past": found.rows_past,
            "columns": {n: {"change": d.change.value, "effect": d.effect, **d.facts} for n, d in descriptions.items()},
            "nats": {n: found.attributed[n] for n in ranking[:10] if n in found.attributed},
        },
        parts=tuple(parts),
    )


def _shares(
    ranking: Sequence[str], parts: Sequence[Evidence], surprises: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """How much of the change each column has: half by its nats, half by how far it stands out among the columns.

    A column whose rows no longer follow another's order has hardly a nat of its own, and is what went wrong.
    """
    decades = np.array([surprises.get(name, 0.0) for name in ranking])
    most = max(decades.max(initial=0.0), 1e-9)
    nats = np.array([_excess(name, parts) for name in ranking])
    by_nats = nats / max(nats.sum(), 1e-12) * (decades / most) ** 2  # nats that a column usually has are no change
    outstanding = 10.0 ** ((decades - most) / OUTSTANDING)
    return np.asarray(by_nats / 2 + outstanding / max(outstanding.sum(), 1.0) * (1.0 - by_nats.sum() / 2))


def _surprises(parts: Sequence[Evidence], found: Comparison) -> dict[str, float]:
    """By column, the surprise of the look that sees it best, decades.

    What no longer holds between two columns speaks against the one that breaks with others as well, or whose own values
    have changed.
    """
    own: dict[str, float] = {}
    between: list[tuple[str, str, float]] = []
    for part in parts:
        if len(part.columns) != 1:
            continue
        (name,), surprise = part.columns, -math.log10(tail_alone(part))
        look = _look(part)
        if look in ("within", "order"):
            between.append((look, name, surprise))
        else:
            own[name] = max(own.get(name, 0.0), surprise)
    told = dict(own)
    for look, name, surprise in between:
        partner = found.partners[look][name]
        share, other = (found.looks["within"].get(n, 0.0) for n in (name, partner))
        changed = own.get(partner, 0.0) > own.get(name, 0.0) + BLAMED
        blamed = partner if changed or (look == "within" and other > BROKEN_MORE * share) else name
        told[blamed] = max(told.get(blamed, 0.0), surprise)
    return told


def _excess(name: str, parts: Sequence[Evidence]) -> float:
    """Nats of a column beyond what it usually has: chaotic columns always have many."""
    own = [p for p in parts if p.check in (f"drift.{name}", f"marginal.{name}") and isinstance(p.past, RootT)]
    return max((max((p.score or 0.0) - p.past.isf(0.5), 0.0) for p in own if p.past), default=0.0)


def _sure_repeat(lead: Evidence, known: Sequence[Evidence]) -> Evidence | None:
    """The look at rows that come again, where it leads or is sure: it then explains what columns show of it."""
    if lead.check in REPEATED:
        return lead
    # rows that nearly equal others may do so because a column went wrong in them
    sure = [p for p in known if REPEATED.get(p.check) is Change.REPLAY and tail_alone(p) < REPEAT_TAIL]
    return min(sure, key=tail_alone, default=None)


def _kind(lead: Evidence, described: Description | None) -> Change:
    """The kind of change as the column's values say it; where they look as before, as the leading look does."""
    said = described.change if described is not None else Change.OTHER
    if described is not None and ("swapped_with" in described.facts or "bound" in described.facts):
        return said
    look = _look(lead)
    vague = (*_VAGUE, *((Change.VALUES_MIXED,) if look in ("novel", "unknown") else ()))
    return _LOOKS_LIKE.get(look, said) if said in vague else said


def _bound(
    lead: Evidence, first: str, parts: Sequence[Evidence], found: Comparison, samples: SampleSet,
    described: Mapping[str, Description],
) -> dict[str, Description]:  # fmt: skip
    """The first column in the words of what bound it, where its values by themselves look about as before."""
    look, _, name = lead.check.partition(".")
    partner = found.partners.get(look, {}).get(name)
    if look in ("within", "order") and partner == first:
        name, partner = first, name
    said = described.get(name)
    if partner is None or name != first or said is None:
        return {}
    alone = max(
        (-math.log10(tail_alone(p)) for p in parts if p.columns == (name,) and _look(p) not in ("within", "order")),
        default=0.0,
    )
    if said.change not in _VAGUE and -math.log10(tail_alone(lead)) < alone + BY_FAR:
        return {}
    group = found.partners["within"].get(name)
    way = way_apart(samples.today[name], samples.today[group]) if group is not None else None
    facts = {**said.facts, "bound": look, "partner": partner}
    return {name: Description(way or _LOOKS_LIKE[look], found.looks[look].get(name, lead.score or 0.0), facts)}


def _look(part: Evidence) -> str:
    return part.check.partition(".")[0]


def _nats(name: str, found: Comparison) -> float:
    return max(found.attributed.get(name, 0.0), found.marginal.get(name, 0.0))
