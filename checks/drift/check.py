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

from checks.drift.describe import Description, describe_clock, describe_column
from checks.drift.features import Features, encode
from checks.drift.forms import form_codes
from checks.drift.marginal import (
    beyond,
    code_column,
    come_again,
    crowd,
    divergence,
    divergence_noise,
    novelty,
    seen_before,
    unseen,
)
from checks.drift.relations import Coded, by_column, odd_pairs
from checks.drift.repeats import column_hashes, nearly_twice, share_repeated
from checks.drift.swaps import share_swapped
from checks.drift.tales import ROWS_TOLD, tale_gain
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
"""Scores are judged as the cube root of score + trifle: TRIFLE_NATS, plus TRIFLE_ROWS / rows for an attribution or
TRIFLE_SIGMAS standard deviations for a histogram, are what chance alone brings."""
TRIFLE_SHARE = 0.002
TRIFLE_BEYOND = 0.3
"""Likewise for the share beyond past days: a part fixed, a part shrinking with the root of the rows."""
TRIFLE_NOVEL = 0.0005
TRIFLE_NOVEL_ROWS = 2.0
TRIFLE_TALE = 0.001
TRIFLE_TALE_ROWS = 6.0
"""The best of many tales gains about this much in all where nothing happened."""
SCALE_MIN = 0.08
"""Smallest one-step scale of a score's cube root, as a part of what it usually is."""
SWAPS_TRIED = 3
SWAPPED_MIN = 0.01
SWAPPED_PART = 0.4
"""Share of what moved in a column that an exchange with another must tell to be told."""
REPEAT_TAIL = 1e-5
"""Tail probability from which rows that come again are sure, whatever else leads."""
POINTS_MIN = 4
WIDENED_POINTS_MIN = 14
WIDENED_FROM = 1.15
"""The second largest of so many past rises is compared with what Student-t expects of it; a little more is luck."""

_REPEATED = {"replay": Change.REPLAY, "again": Change.REPLAY, "nearly": Change.DUPLICATES}
_LOOKS_LIKE = {
    "together": Change.RELATION,
    "old": Change.REPLAY,
    "form": Change.FORMAT,
    "crowd": Change.CONSTANT,
    "novel": Change.VALUES_NEW,
}
_COMPARED = frozenset(
    {ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.JSON}
)


@dataclass(frozen=True, slots=True)
class RootT:
    """A score whose cube root, above a trifle, is Student-t distributed given the past.

    Divergences and tale gains scatter as chi-square does, whose cube root is nearly normal (Wilson & Hilferty, 1931). A
    logarithm makes the scatter of next to nothing count as much as that of something, and so hides large changes of
    quiet columns; the square root found a little more and cried twice as often on the days of chaotic tables.
    """

    root: StudentT
    trifle: float

    def tail(self, score: float) -> float:
        """P(next score >= score)."""
        return self.root.tail(math.cbrt(max(score, 0.0) + self.trifle))

    def isf(self, probability: float) -> float:
        """The score reached with this probability."""
        return max(0.0, max(self.root.isf(probability), 0.0) ** 3 - self.trifle)


@dataclass(frozen=True)
class Comparison:
    """Two sets of rows told apart: nats by column from the model, and from each column's own histogram.

    `looks` are further looks at single columns, by name of the look, then column (see `look_at`); `repeats` are shares
    of rows that come again, `nearly` the column in which they differ; `noise` is, by score, what chance alone makes of
    a divergence; `rows_today` and `rows_past` are the sizes of the sides.
    """

    attributed: Mapping[str, float]
    marginal: Mapping[str, float]
    looks: Mapping[str, Mapping[str, float]]
    repeats: Mapping[str, float]
    nearly: str | None
    noise: Mapping[str, float]
    left_out: tuple[str, ...]
    rows_today: int
    rows_past: int

    @property
    def rows(self) -> int:
        """Rows of the smaller side."""
        return min(self.rows_today, self.rows_past)

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
        past_rows = sum(len(frame) for _, frame in samples.past)
        if len(samples.today) < ROWS_MIN or past_rows < ROWS_MIN:
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
    bounds = tuple(np.cumsum([0, len(samples.today), *(len(frame) for _, frame in past)]).tolist())
    looks: dict[str, dict[str, float]] = {}
    noise: dict[str, float] = {}
    coded: dict[str, tuple[npt.NDArray[np.int64], int]] = {}
    for column in columns:
        values, told = both[column.name], column.name in left_out
        place = place_in_day(values, bounds) if told else _lagged(values, column, starts)
        coded[column.name] = code_column(place, column.kind, ~is_today)
        seen = look_at(values, coded[column.name], column.kind, is_today, bounds, tells_the_day=told)
        for look, (score, chance) in seen.items():
            looks.setdefault(look, {})[column.name] = score
            noise[f"{look}.{column.name}"] = chance
    looks["together"] = _relations(both, compared, coded, is_today, samples.seed)
    attributed = dict.fromkeys(names, 0.0)
    features = encode(both[names], compared, starts, table.time.name if table.time else None)
    if features.names:
        found = _attribute(features, both[names], is_today, samples.seed)
        for name, nats in zip(features.columns, found.nats, strict=True):
            attributed[name] += float(nats)
    repeats, nearly = _repeats(table, samples, names)
    marginal = looks.pop("marginal", {})
    return Comparison(
        attributed,
        marginal,
        looks,
        repeats,
        nearly,
        noise,
        tuple(left_out),
        int(is_today.sum()),
        int((~is_today).sum()),
    )


def look_at(
    values: pd.Series,
    coded: tuple[npt.NDArray[np.int64], int],
    kind: ColumnKind,
    is_today: npt.NDArray[np.bool_],
    bounds: Sequence[int],
    *,
    tells_the_day: bool = False,
) -> dict[str, tuple[float, float]]:
    """Scores of one column's values alone, each with what chance makes of it.

    `marginal` (nats of its histogram), `form` (nats of how values are written), `tale` (nats a row that the best simple
    tale gains), `beyond` (share of rows beyond all past days), `crowd` (share of rows that the most crowded value
    has), `novel` (share of rows whose value is new; texts, and numbers whose values come again), `old` (share of rows
    whose value past days had; texts that tell the day).

    Args:
        values: of both sides, as they are.
        coded: codes of the same as they are compared, and the number of codes (see `code_column`).
        kind: of the column.
        is_today: (N,) which rows are today's; they come first.
        bounds: where each day begins, and the end.
        tells_the_day: an id or a part of the date, of which only the place in its own day can be compared.
    """
    today, past = int(is_today.sum()), int((~is_today).sum())
    texts = isinstance(values.dtype, pd.CategoricalDtype)
    found: dict[str, tuple[float, float]] = {"crowd": (crowd(values[is_today]), 0.0)}
    if not tells_the_day or kind is ColumnKind.NUMBER:
        codes, bins = coded
        by_day = [codes[a:b] for a, b in pairwise(bounds)]
        chance = divergence_noise(len(np.unique(codes)), today, past)
        found["marginal"] = (divergence(codes[is_today], codes[~is_today], bins), chance)
        found["beyond"] = (beyond(by_day[0], by_day[1:], bins), 0.0)
    written = form_codes(values, kind)
    if written is not None:
        forms, size = written
        chance = divergence_noise(len(np.unique(forms)), today, past)
        found["form"] = (divergence(forms[is_today], forms[~is_today], size), chance)
    if tells_the_day:
        return {**found, "old": (seen_before(values, is_today), 0.0)} if texts else found
    if kind is ColumnKind.NUMBER:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
        found["tale"] = (tale_gain(numbers[is_today], numbers[~is_today]), 0.0)
        if come_again(numbers[~is_today]):
            found["novel"] = (unseen(numbers[is_today], numbers[~is_today]), 0.0)
    if texts:
        found["novel"] = (novelty(values, is_today), 0.0)
    return found


def _relations(
    both: pd.DataFrame,
    columns: Sequence[Column],
    coded: Mapping[str, tuple[npt.NDArray[np.int64], int]],
    is_today: npt.NDArray[np.bool_],
    seed: int,
) -> dict[str, float]:
    """By column that goes together with others: the share of today's rows in which it does not."""
    binned = [_binned(*coded[c.name], c.kind) for c in columns]
    exact = [_exact(both[c.name], c.kind, is_today) for c in columns]
    told = by_column(odd_pairs(binned, exact, is_today, seed), len(columns))
    return {columns[place].name: share for place, share in told.items()}


def _binned(codes: npt.NDArray[np.int64], size: int, kind: ColumnKind) -> Coded:
    """The histogram's codes; NULL is the last of them, of texts after values that are new."""
    last = size - 2 if kind in (ColumnKind.TEXT, ColumnKind.JSON) else size - 1
    return Coded(codes, size, codes < last, codes < size - 1)


def _exact(values: pd.Series, kind: ColumnKind, is_today: npt.NDArray[np.bool_]) -> Coded | None:
    """Single values of texts and numbers; `known` are those that past days had."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy().astype(np.int64)
    elif kind is ColumnKind.NUMBER:
        codes = pd.factorize(values)[0].astype(np.int64)
    else:
        return None
    size = int(codes.max(initial=0)) + 2
    codes = np.where(codes < 0, size - 1, codes)
    seen = np.bincount(codes[~is_today], minlength=size) > 0
    seen[-1] = False
    return Coded(codes, size, seen[codes], codes < size - 1)


def _repeats(table: Table, samples: SampleSet, names: Sequence[str]) -> tuple[dict[str, float], str | None]:
    """Shares of rows that come again, and the column in which rows that nearly do differ.

    `names` are the columns that do not tell the day.
    """
    columns = [c for c in samples.today.columns if all(c in frame for _, frame in samples.past[:1])]
    if not samples.past or not columns:
        return {"replay": 0.0}, None
    today, yesterday = (column_hashes(frame, columns) for frame in (samples.today, samples.past[0][1]))
    steady = [place for place, name in enumerate(columns) if name in names]
    found = {"replay": share_repeated(today[:, steady], yesterday[:, steady])}
    own = table.time.name if table.time else None
    others = [place for place, name in enumerate(columns) if name != own]
    if not others:
        return found, None
    found["again"] = share_repeated(today[:, others], yesterday[:, others])
    found["nearly"], place = nearly_twice(today[:, others])
    return found, columns[others[place]]


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

    `drift` (nats), shares of rows that come again: `replay` (yesterday's, by columns that do not tell the day), `again`
    (yesterday's, by all columns) and `nearly` (another row of today, but for one column); and by column
    `drift.<column>` (attributed nats) and the looks that `look_at` tells of.
    """
    scores = {"drift": found.total, **found.repeats}
    scores.update({f"drift.{name}": nats for name, nats in found.attributed.items()})
    scores.update({f"marginal.{name}": nats for name, nats in found.marginal.items()})
    for look, told in found.looks.items():
        scores.update({f"{look}.{name}": score for name, score in told.items()})
    return scores


def trim_past(samples: SampleSet) -> tuple[tuple[Partition, pd.DataFrame], ...]:
    """The past days, each cut so that together they have enough rows: as many as today, or a few thousand.

    A day that comes whole comes as it is stored, often by time: what is kept is drawn from all over it.
    """
    wanted = max(len(samples.today), PAST_ROWS_MIN)
    days = [day for day in samples.past if len(day[1])]
    if not days:
        return ()
    share = max(math.ceil(wanted / len(days)), 1)
    return tuple((p, _drawn(frame, share, samples.seed) if len(frame) > share else frame) for p, frame in days)


def _drawn(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """So many rows in their order, the same ones for the same seed and number of rows."""
    places = np.random.default_rng((seed, len(frame))).choice(len(frame), rows, replace=False)
    return frame.iloc[np.sort(places)]


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


def place_in_day(values: pd.Series, bounds: Sequence[int]) -> pd.Series:
    """Numbers that tell the day as their distance from their own day's median, in its interquartile ranges.

    Args:
        values: of both sides; other kinds come back as they are.
        bounds: where each day begins, and the end.
    """
    if not pd.api.types.is_numeric_dtype(values):
        return values
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    placed = np.full(len(numbers), np.nan)
    for start, end in pairwise(bounds):
        day = numbers[start:end]
        known = day[np.isfinite(day)]
        if len(known):
            low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
            placed[start:end] = (day - middle) / (high - low) if high > low else np.sign(day - middle)
    return pd.Series(placed)


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
    weights = {"drift": 1.0, **dict.fromkeys(_REPEATED, 0.4)}
    return [
        Evidence(
            check=name,
            kind="drift",
            score=max(score, 0.0),  # without change it scatters around zero, and 0 = nothing wrong
            past=predictives[name],
            columns=_columns_of(name, found),
            weight=weights.get(name, 4.0 / max(len(scores) - 1, 1)),
        )
        for name, score in scores.items()
    ]


def _columns_of(name: str, found: Comparison) -> tuple[str, ...]:
    if name == "nearly":
        return (found.nearly,) if found.nearly else ()
    return (name.split(".", 1)[1],) if "." in name else ()


def _predict(
    table: Table, partition: Partition, found: Comparison, names: Sequence[str], past: Mapping[str, Sequence[Point]]
) -> dict[str, RootT | None]:
    totals = [p.value for p in past.get("drift", ()) if p.value is not None and p.good]
    usual = float(np.median(totals)) if totals else 0.0
    trifles = [_trifle(name, found, usual) for name in names]
    partitions = sorted({p.partition for points in past.values() for p in points}, key=lambda p: p.order)
    place = {p.order: i for i, p in enumerate(partitions)}
    panel = np.full((len(partitions), len(names)), np.nan)
    for j, name in enumerate(names):
        for point in past.get(name, ()):
            if point.value is not None and point.good:
                panel[place[point.partition.order], j] = math.cbrt(max(point.value, 0.0) + trifles[j])
    calendar = calendar_of([*partitions, partition], table.cadence, table.country)
    usual_roots = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 1.0 for c in panel.T])
    forecast = forecast_panel(panel, calendar, None, SCALE_MIN * usual_roots)
    known = np.isfinite(forecast.errors).sum(axis=0)
    scale = forecast.scale * widening(forecast.errors, forecast.df)
    return {
        name: RootT(StudentT(float(forecast.location[j]), float(scale[j]), float(forecast.df[j])), trifles[j])
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
    look = name.split(".", 1)[0]
    if look in _REPEATED or look in ("novel", "old", "together"):
        return TRIFLE_NOVEL + TRIFLE_NOVEL_ROWS / max(found.rows, 1)
    if look in ("beyond", "crowd"):
        return TRIFLE_SHARE + TRIFLE_BEYOND / math.sqrt(max(found.rows, 1))
    if look in ("marginal", "form"):
        return TRIFLE_NATS + TRIFLE_SIGMAS * found.noise[name]
    if look == "tale":
        return TRIFLE_TALE + TRIFLE_TALE_ROWS / max(min(found.rows, ROWS_TOLD), 1)
    return TRIFLE_NATS + TRIFLE_ROWS / max(found.rows, 1) + TRIFLE_TOTAL * max(usual_total, 0.0)


def _lead(table: Table, samples: SampleSet, found: Comparison, parts: list[Evidence]) -> Evidence:
    """The table's evidence: the most surprising part leads; columns are ranked by surprise, then by nats."""
    seen = {*found.attributed, *(name for by_column in found.looks.values() for name in by_column)}
    order = [c.name for c in table.columns if c.name in seen]
    ranking = sorted(order, key=lambda name: _rank(name, parts, found), reverse=True)
    known = [p for p in parts if p.past is not None and p.score is not None]
    lead = min(known, key=lambda p: _tail(p) / p.weight) if known else parts[0]
    nats = np.array([_excess(name, parts) for name in ranking])
    shares = nats / nats.sum() if nats.sum() > 0 else nats
    descriptions = describe_leaders(table, samples, ranking[:5])
    first = descriptions.get(ranking[0]) if ranking else None
    repeat = _sure_repeat(lead, known)
    return Evidence(
        check="drift",
        kind="drift",
        score=lead.score,
        past=lead.past,
        columns=tuple(ranking[:10]),
        shares=tuple(float(s) for s in shares[:10]),
        change=_REPEATED[repeat.check] if repeat else _kind(lead, first),
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


def _excess(name: str, parts: Sequence[Evidence]) -> float:
    """Nats of a column beyond what it usually has: chaotic columns always have many."""
    own = [p for p in parts if p.check in (f"drift.{name}", f"marginal.{name}") and isinstance(p.past, RootT)]
    return max((max((p.score or 0.0) - p.past.isf(0.5), 0.0) for p in own if p.past), default=0.0)


def _sure_repeat(lead: Evidence, known: Sequence[Evidence]) -> Evidence | None:
    """The look at rows that come again, where it leads or is sure: it then explains what columns show of it."""
    if lead.check in _REPEATED:
        return lead
    sure = [p for p in known if p.check in _REPEATED and _tail(p) < REPEAT_TAIL]
    return min(sure, key=_tail, default=None)


def _kind(lead: Evidence, described: Description | None) -> Change:
    """The kind of change as the column's values say it; where they look as before, as the leading look does."""
    said = described.change if described is not None else Change.OTHER
    if described is not None and "swapped_with" in described.facts:
        return said
    return _LOOKS_LIKE.get(lead.check.split(".", 1)[0], said) if said in (Change.RELATION, Change.OTHER) else said


def _tail(part: Evidence) -> float:
    return part.past.tail(part.score) if part.past is not None and part.score is not None else 1.0


def _rank(name: str, parts: Sequence[Evidence], found: Comparison) -> tuple[float, float]:
    own = [p for p in parts if p.columns == (name,)]
    surprise = max((-math.log10(_tail(p)) for p in own), default=0.0)
    return surprise, max(found.attributed.get(name, 0.0), found.marginal.get(name, 0.0))


def describe_leaders(table: Table, samples: SampleSet, names: Sequence[str]) -> dict[str, Description]:
    """What happened to the columns that lead, the first of them first."""
    past = trim_past(samples)
    columns = [table.column(name) for name in names]
    both, is_today = stack(samples.today, past, columns)
    bounds = np.cumsum([0, len(samples.today), *(len(frame) for _, frame in past)]).tolist()
    told = {}
    for column in columns:
        values = both[column.name]
        missing = [float(missing_mask(frame[column.name]).mean()) for _, frame in past if len(frame)]
        usual = (min(missing), max(missing)) if missing else None
        if column.kind is ColumnKind.NUMBER and is_timelike(column, samples.past):
            placed = place_in_day(values, bounds)
            told[column.name] = describe_clock(values[is_today], values[~is_today], placed[is_today], placed[~is_today])
        else:
            told[column.name] = describe_column(values[is_today], values[~is_today], column.kind, usual)
    return {**told, **_swapped(told, both, is_today)}


def _swapped(
    told: Mapping[str, Description], both: pd.DataFrame, is_today: npt.NDArray[np.bool_]
) -> dict[str, Description]:
    """The first column and the one with which it has exchanged most of what moved in it, if there is one."""
    if not told or next(iter(told.values())).change in (Change.NULLS_UP, Change.EMPTY_UP):
        return {}
    first, *others = told
    sides = {name: (both[name][is_today], both[name][~is_today]) for name in told}
    shares = {name: share_swapped(sides[first], sides[name]) for name in others[:SWAPS_TRIED]}
    partner = max(shares, key=lambda name: shares[name], default=None)
    if partner is None or shares[partner] < max(SWAPPED_PART * told[first].effect, SWAPPED_MIN):
        return {}
    share = shares[partner]
    return {
        name: Description(Change.RELATION, share, {**told[name].facts, "swapped_with": other})
        for name, other in ((first, partner), (partner, first))
    }
