"""The drift check: one finding a table-day, split by column without remainder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from checks.drift.describe import Description, describe_column
from checks.drift.features import Features, encode
from checks.drift.marginal import beyond, code_column, divergence, divergence_noise, novelty
from checks.drift.timelike import is_calendar, is_timelike
from checks.frames import missing_mask, row_hashes
from checks.series import calendar_of, forecast_panel
from checks.series.predictive import StudentT
from monitor.types import (
    Change,
    Column,
    ColumnKind,
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

if TYPE_CHECKING:
    from checks.drift.model import Attribution

Array = npt.NDArray[np.float64]

WEIGHT = 6.0
ROWS_MIN = 20
"""Rows on either side below which nothing is compared."""
PAST_ROWS_MIN = 3_000
"""Past rows to compare with when a day has fewer: more days steady the reference of a small table."""
TRIFLE_NATS = 0.004
TRIFLE_ROWS = 8.0
TRIFLE_TOTAL = 0.015
"""Of what the table's days usually differ by: credit wanders between columns that say the same."""
TRIFLE_SIGMAS = 2.5
"""Scores are judged as log(score + trifle): TRIFLE_NATS, plus TRIFLE_ROWS / rows for an attribution or TRIFLE_SIGMAS
standard deviations for a histogram, are what chance alone brings."""
TRIFLE_SHARE = 0.002
TRIFLE_BEYOND = 0.3
"""Likewise for the share beyond past days: a part fixed, a part shrinking with the root of the rows."""
TRIFLE_NOVEL = 0.0005
TRIFLE_NOVEL_ROWS = 2.0
SCALE_MIN = 0.25
"""Smallest one-step scale on that logarithm."""
POINTS_MIN = 4
WIDENED_POINTS_MIN = 14
WIDENED_FROM = 1.15
"""The second largest of so many past rises is compared with what Student-t expects of it; a little more is luck."""

_COMPARED = frozenset(
    {ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.JSON}
)


@dataclass(frozen=True, slots=True)
class NatsT:
    """A divergence whose logarithm, above a trifle, is Student-t distributed given the past."""

    log: StudentT
    trifle: float

    def tail(self, score: float) -> float:
        """P(next score >= score)."""
        return self.log.tail(math.log(max(score, 0.0) + self.trifle))

    def isf(self, probability: float) -> float:
        """The score in nats reached with this probability."""
        return max(0.0, math.exp(min(self.log.isf(probability), 50.0)) - self.trifle)


@dataclass(frozen=True)
class Comparison:
    """Two sets of rows told apart: nats by column from the model, and from each column's own histogram.

    `rows` are the explained rows, `contributions` (rows, features) their log-odds, for pictures.
    """

    attributed: Mapping[str, float]
    marginal: Mapping[str, float]
    beyond: Mapping[str, float]
    novel: Mapping[str, float]
    replayed: float
    noise: Mapping[str, float]
    left_out: tuple[str, ...]
    rows: int

    @property
    def total(self) -> float:
        """The divergence of the two sides over all compared columns, nats."""
        return float(sum(self.attributed.values()))


class Drift:
    """`drift`: what tells today's sample from samples of comparable past days, against its own past."""

    name = "drift"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Samples of today and of the past, and the scores that past days had."""
        return [Sample(), PastScores("drift")]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence; its parts are the table and, twice, each column."""
        samples: SampleSet = values[Sample()]
        past = trim_past(samples)
        if len(samples.today) < ROWS_MIN or sum(len(frame) for _, frame in past) < ROWS_MIN:
            return [Evidence("drift", "drift", None, weight=WEIGHT)]
        found = compare(table, partition, samples)
        parts = _parts(table, partition, found, values[PastScores("drift")])
        return [_lead(table, samples, found, parts)]


def compare(table: Table, partition: Partition, samples: SampleSet) -> Comparison:
    """Tell today's rows from past rows, by the cross-fitted model and by each column's histogram."""
    past = trim_past(samples)
    columns = comparable_columns(table, samples)
    both, is_today = stack(samples.today, past, columns)
    starts = _starts(partition, len(samples.today), past)
    compared, left_out = [], []
    for column in columns:
        if _tells_the_day(column, partition, samples):
            left_out.append(column.name)
        else:
            compared.append(column)
    names = [c.name for c in compared]
    marginal, outside, novel, noise = {}, {}, {}, {}
    bounds = np.cumsum([0, len(samples.today), *(len(frame) for _, frame in past)])
    sides = (int(is_today.sum()), int((~is_today).sum()))
    for column in compared:
        values = _lagged(both[column.name], column, starts)
        codes, bins = code_column(values, column.kind, ~is_today)
        marginal[column.name] = divergence(codes[is_today], codes[~is_today], bins)
        by_day = [codes[a:b] for a, b in pairwise(bounds)]
        outside[column.name] = beyond(by_day[0], by_day[1:], bins)
        if isinstance(both[column.name].dtype, pd.CategoricalDtype):
            novel[column.name] = novelty(both[column.name], is_today)
        noise[column.name] = divergence_noise(len(np.unique(codes)), *sides)
    attributed = dict.fromkeys(names, 0.0)
    features = encode(both[names], compared, starts, table.time.name if table.time else None)
    if features.names:
        found = _attribute(features, both[names], is_today, samples.seed)
        for name, nats in zip(features.columns, found.nats, strict=True):
            attributed[name] += float(nats)
    replayed = share_replayed(samples, names)
    return Comparison(attributed, marginal, outside, novel, replayed, noise, tuple(left_out), min(sides))


def share_replayed(samples: SampleSet, columns: Sequence[str]) -> float:
    """Share of today's rows that stand in the newest past sample too, over columns that do not tell the day."""
    if not samples.past or not columns or not len(samples.today):
        return 0.0
    today, yesterday = samples.today[list(columns)], samples.past[0][1][list(columns)]
    known = row_hashes(yesterday)
    return float(np.isin(row_hashes(today), known).mean())


def _attribute(features: Features, rows: pd.DataFrame, is_today: npt.NDArray[np.bool_], seed: int) -> Attribution:
    from checks.drift.model import FOLDS, attribute  # noqa: PLC0415 - LightGBM costs a second to import

    folds = (row_hashes(rows) % np.uint64(FOLDS)).astype(np.int64)
    return attribute(features, is_today, folds, seed)


def _tells_the_day(column: Column, partition: Partition, samples: SampleSet) -> bool:
    """Whether a column tells days apart as a matter of course, and so leaves the comparison."""
    days = [(partition, samples.today), *samples.past]
    return is_calendar(column, days) or is_timelike(column, samples.past)


def attribute_rows(
    table: Table, partition: Partition, samples: SampleSet
) -> tuple[Array, Array, tuple[str, ...]] | None:
    """Log-odds contributions of explained rows, for the picture of a failing incident.

    Returns:
        contributions (rows, features), the features' values (rows, features), and the features' names; None where
        nothing could be compared.
    """
    past = trim_past(samples)
    columns = [c for c in comparable_columns(table, samples) if not _tells_the_day(c, partition, samples)]
    both, is_today = stack(samples.today, past, columns)
    starts = _starts(partition, len(samples.today), past)
    features = encode(both, columns, starts, table.time.name if table.time else None)
    if not features.names or is_today.all() or not is_today.any():
        return None
    found = _attribute(features, both, is_today, samples.seed)
    if not len(found.rows):
        return None
    names = tuple(c if n == "value" else f"{c}: {n}" for c, n in zip(features.columns, features.names, strict=True))
    return found.contributions, features.matrix[found.rows].astype(np.float64), names


def scores_of(found: Comparison) -> dict[str, float]:
    """The scores that make this partition part of later ones' past.

    `drift` (nats), `replay` (share of rows that the newest past day had too), and by column `drift.<column>`
    (attributed nats), `marginal.<column>` (nats of its histogram), `beyond.<column>` (share of rows beyond all past
    days) and `novel.<column>` (share of rows whose value is new).
    """
    scores = {"drift": found.total, "replay": found.replayed}
    scores.update({f"drift.{name}": nats for name, nats in found.attributed.items()})
    scores.update({f"marginal.{name}": nats for name, nats in found.marginal.items()})
    scores.update({f"beyond.{name}": share for name, share in found.beyond.items()})
    scores.update({f"novel.{name}": share for name, share in found.novel.items()})
    return scores


def trim_past(samples: SampleSet) -> tuple[tuple[Partition, pd.DataFrame], ...]:
    """The newest past days that together have enough rows: as many as today, a few thousand for small tables."""
    wanted = max(len(samples.today), PAST_ROWS_MIN)
    days = [day for day in samples.past if len(day[1])]
    if not days:
        return ()
    share = max(math.ceil(wanted / len(days)), 1)
    return tuple((p, frame.iloc[:share] if len(frame) > share else frame) for p, frame in days)


def comparable_columns(table: Table, samples: SampleSet) -> list[Column]:
    """Columns that both sides have, of a kind that can be compared."""
    there = set(samples.today.columns)
    for _, frame in samples.past:
        there &= set(frame.columns)
    return [c for c in table.checked_columns if c.name in there and c.kind in _COMPARED]


def stack(
    today: pd.DataFrame, past: Sequence[tuple[Partition, pd.DataFrame]], columns: Sequence[Column]
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Both sides in one frame with common categories, and which rows are today's."""
    frames = [today, *(frame for _, frame in past)]
    both = {}
    for column in columns:
        pieces = [frame[column.name] for frame in frames]
        if any(isinstance(p.dtype, pd.CategoricalDtype) for p in pieces):
            both[column.name] = _union(pieces)
        else:
            both[column.name] = pd.concat(pieces, ignore_index=True)
    size = sum(len(f) for f in frames)
    return pd.DataFrame(both, index=range(size)), np.arange(size) < len(today)


def _union(pieces: Sequence[pd.Series]) -> pd.Series:
    plain = [p if isinstance(p.dtype, pd.CategoricalDtype) else p.astype("category") for p in pieces]
    united = pd.api.types.union_categoricals(plain, sort_categories=True)
    return pd.Series(united)


def _starts(partition: Partition, rows: int, past: Sequence[tuple[Partition, pd.DataFrame]]) -> Array:
    """The start of each row's partition as naive local seconds, the same clock as the frames' times."""
    sides = [(partition, rows), *((p, len(frame)) for p, frame in past)]
    seconds = [
        np.nan if p.start is None else (pd.Timestamp(p.start.replace(tzinfo=None)) - pd.Timestamp(0)).total_seconds()
        for p, _ in sides
    ]
    return np.repeat(np.array(seconds), [n for _, n in sides])


def _lagged(values: pd.Series, column: Column, starts: Array) -> pd.Series:
    """Times are compared by their distance from their own partition's start."""
    if column.kind not in (ColumnKind.DATE, ColumnKind.TIMESTAMP) or not np.isfinite(starts).all():
        return values
    return values - pd.to_timedelta(starts, unit="s")


def _parts(
    table: Table, partition: Partition, found: Comparison, past: Mapping[str, Sequence[Point]]
) -> list[Evidence]:
    """The table's and the columns' scores with their predictive distributions."""
    scores = scores_of(found)
    predictives = _predict(table, partition, found, list(scores), past)
    weights = {"drift": 1.0, "replay": 0.5}
    return [
        Evidence(
            check=name,
            kind="drift",
            score=max(score, 0.0),  # without change it scatters around zero, and 0 = nothing wrong
            past=predictives[name],
            columns=(name.split(".", 1)[1],) if "." in name else (),
            weight=weights.get(name, 4.0 / max(len(scores) - 1, 1)),
        )
        for name, score in scores.items()
    ]


def _predict(
    table: Table, partition: Partition, found: Comparison, names: Sequence[str], past: Mapping[str, Sequence[Point]]
) -> dict[str, NatsT | None]:
    totals = [p.value for p in past.get("drift", ()) if p.value is not None and p.good]
    usual = float(np.median(totals)) if totals else 0.0
    trifles = [_trifle(name, found, usual) for name in names]
    partitions = sorted({p.partition for points in past.values() for p in points}, key=lambda p: p.order)
    place = {p.order: i for i, p in enumerate(partitions)}
    panel = np.full((len(partitions), len(names)), np.nan)
    for j, name in enumerate(names):
        for point in past.get(name, ()):
            if point.value is not None and point.good:
                panel[place[point.partition.order], j] = math.log(max(point.value, 0.0) + trifles[j])
    calendar = calendar_of([*partitions, partition], table.cadence, table.country)
    forecast = forecast_panel(panel, calendar, None, np.full(len(names), SCALE_MIN))
    known = np.isfinite(forecast.errors).sum(axis=0)
    scale = forecast.scale * widening(forecast.errors, forecast.df)
    return {
        name: NatsT(StudentT(float(forecast.location[j]), float(scale[j]), float(forecast.df[j])), trifles[j])
        if known[j] >= POINTS_MIN - 1
        else None
        for j, name in enumerate(names)
    }


def widening(errors: Array, df: Array) -> Array:
    """By how much past scores rose further than Student-t says, >= 1: chaotic columns raise their own threshold.

    Args:
        errors: (T, M) past standardised one-step errors; only rises count.
        df: (M,) degrees of freedom.
    """
    if len(errors) < WIDENED_POINTS_MIN:
        return np.ones(errors.shape[1])
    known = np.isfinite(errors).sum(axis=0)
    second = np.sort(np.nan_to_num(errors, nan=-np.inf), axis=0)[-2]
    usual = -stdtrit(df, 2.0 / (known + 1.0))
    return np.asarray(np.maximum(1.0, second / usual / WIDENED_FROM))


def _trifle(name: str, found: Comparison, usual_total: float) -> float:
    """What a score may reach by chance: more with few rows, and with many bins."""
    if name == "replay" or name.startswith("novel."):
        return TRIFLE_NOVEL + TRIFLE_NOVEL_ROWS / max(found.rows, 1)
    if name.startswith("beyond."):
        return TRIFLE_SHARE + TRIFLE_BEYOND / math.sqrt(max(found.rows, 1))
    if name.startswith("marginal."):
        return TRIFLE_NATS + TRIFLE_SIGMAS * found.noise[name.removeprefix("marginal.")]
    return TRIFLE_NATS + TRIFLE_ROWS / max(found.rows, 1) + TRIFLE_TOTAL * max(usual_total, 0.0)


def _lead(table: Table, samples: SampleSet, found: Comparison, parts: list[Evidence]) -> Evidence:
    """The table's evidence: the most surprising part leads; columns are ranked by surprise, then by nats."""
    ranking = sorted(found.attributed, key=lambda name: _rank(name, parts, found), reverse=True)
    known = [p for p in parts if p.past is not None and p.score is not None]
    lead = min(known, key=lambda p: _tail(p) / p.weight) if known else parts[0]
    nats = np.array([max(found.attributed[name], found.marginal.get(name, 0.0), 0.0) for name in ranking])
    shares = nats / nats.sum() if nats.sum() > 0 else nats
    descriptions = describe_leaders(table, samples, ranking[:5])
    first = descriptions.get(ranking[0]) if ranking else None
    return Evidence(
        check="drift",
        kind="drift",
        score=lead.score,
        past=lead.past,
        columns=tuple(ranking[:10]),
        shares=tuple(float(s) for s in shares[:10]),
        change=Change.REPLAY if lead.check == "replay" else (first.change if first else Change.OTHER),
        effect=min(1.0, (lead.score or 0.0) if lead.check == "replay" else (first.effect if first else 0.0)),
        weight=WEIGHT,
        observation=Observation("divergence from past days", found.total, unit="nats"),
        detail={
            "left_out": list(found.left_out),
            "total": found.total,
            "rows_today": len(samples.today),
            "rows_past": sum(len(frame) for _, frame in trim_past(samples)),
            "columns": {n: {"change": d.change.value, "effect": d.effect, **d.facts} for n, d in descriptions.items()},
            "nats": {n: found.attributed[n] for n in ranking[:10]},
        },
        parts=tuple(parts),
    )


def _tail(part: Evidence) -> float:
    return part.past.tail(part.score) if part.past is not None and part.score is not None else 1.0


def _rank(name: str, parts: Sequence[Evidence], found: Comparison) -> tuple[float, float]:
    own = [p for p in parts if p.columns == (name,)]
    surprise = max((-math.log10(_tail(p)) for p in own), default=0.0)
    return surprise, max(found.attributed[name], found.marginal.get(name, 0.0))


def describe_leaders(table: Table, samples: SampleSet, names: Sequence[str]) -> dict[str, Description]:
    """What happened to the columns that lead."""
    past = trim_past(samples)
    columns = [table.column(name) for name in names]
    both, is_today = stack(samples.today, past, columns)
    told = {}
    for column in columns:
        values = both[column.name]
        missing = [float(missing_mask(frame[column.name]).mean()) for _, frame in past if len(frame)]
        usual = (min(missing), max(missing)) if missing else None
        told[column.name] = describe_column(values[is_today], values[~is_today], column.kind, usual)
    return told
