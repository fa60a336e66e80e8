"""The drift check: one finding a table-day, split by column without remainder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from checks.drift.blame import kind_of, nats_of, shares_of, surprises_by_column, told_by_bond
from checks.drift.compare import Comparison, compare, scores_of
from checks.drift.known import unknown_values
from checks.drift.leaders import describe_leaders
from checks.drift.repeats import REPEATED
from checks.drift.thresholds import predict
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
    look, _, column = name.partition(".")
    if look == "equation":
        return (found.unequal[column].culprit,)
    return (column,) if column else ()


def _lead(table: Table, samples: SampleSet, found: Comparison, parts: list[Evidence]) -> Evidence:
    """The table's evidence: the most surprising part leads; columns are ranked by surprise, then by nats."""
    seen = {*found.attributed, *(name for by_column in found.looks.values() for name in by_column)}
    order = [c.name for c in table.columns if c.name in seen]
    surprises = surprises_by_column(parts, found)
    ranking = sorted(order, key=lambda name: (surprises.get(name, 0.0), nats_of(name, found)), reverse=True)
    known = [p for p in parts if p.past is not None and p.score is not None]
    lead = min(known, key=lambda p: tail_alone(p) / p.weight) if known else parts[0]
    shares = shares_of(ranking, parts, surprises)
    descriptions = describe_leaders(table, samples, ranking[:5])
    descriptions |= told_by_bond(lead, ranking[0], parts, found, samples, descriptions) if ranking else {}
    first = descriptions.get(ranking[0]) if ranking else None
    repeat = _sure_repeat(lead, known)
    return Evidence(
        check="drift",
        kind="drift",
        score=lead.score,
        past=lead.past,
        columns=tuple(ranking[:10]),
        shares=tuple(float(s) for s in shares[:10]),
        change=REPEATED[repeat.check] if repeat else kind_of(lead, first),
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


def _sure_repeat(lead: Evidence, known: Sequence[Evidence]) -> Evidence | None:
    """The look at rows that come again, where it leads or is sure: it then explains what columns show of it."""
    sure = [p for p in known if REPEATED.get(p.check) is Change.REPLAY and tail_alone(p) < REPEAT_TAIL]
    if lead.check in REPEATED:
        # a row of the day before beside today's of the same entity nearly equals that
        return max((lead, *sure), key=lambda p: (p.score or 0.0, p is lead))
    # rows that nearly equal others may do so because a column went wrong in them
    return min(sure, key=tail_alone, default=None)
