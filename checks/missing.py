"""Rows that used to come and no longer do, although the totals look well: a value, a pair of values, a time of day.

Each segment's count, and its share of the partition's rows, is forecast on the log scale; it is short only as far as
both say so. A busy day does not make a steady segment look short, nor a quiet day one that is as quiet as all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from checks.evidence import damped, tail_alone
from checks.groups import course, teaching
from checks.series import Forecast, calendar_of, forecast_panel
from monitor.types import (
    Change,
    ColumnKind,
    Evidence,
    GroupSeries,
    Input,
    Key,
    Observation,
    Partition,
    Segments,
    Table,
    TimeForm,
    Values,
)

Array = npt.NDArray[np.float64]

WEIGHT = 4.0
ROWS_MIN = 30.0
"""Expected rows below which a segment is not looked at."""
SHARE_MIN = 0.004
"""Likewise of the partition's rows."""
LEFT_MAX = 0.6
"""A segment of which more is left than this has not gone missing."""
OFFSET = 3.0
"""Added to counts before their logarithm is taken: none and a handful are much the same."""
FLOOR = 0.12
"""Smallest scale of a segment's log count."""
CAME_MIN = 0.5
"""Of the last `CAME_PARTITIONS` good partitions, so many had the segment."""
CAME_PARTITIONS = 28
CANDIDATES_MAX = 600
QUARTER_ROWS_MIN = 100.0
"""Expected rows below which the quarters of an hour are not told apart."""
RELABELLED = 0.6
"""Where one other value of the column gained so much of what is missing, rows were relabelled and not lost."""
POINTS_MIN = 6
TOLD_MAX = 5
BESIDE = frozenset({"missing", "volume", "duplicates"})
"""Checks that have to be content with a partition before it teaches what is usual."""
_TEXTS = (ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.NUMBER)
_TIMED = frozenset(
    {
        TimeForm.TIMESTAMP,
        TimeForm.TIMESTAMPTZ,
        TimeForm.EPOCH_S,
        TimeForm.EPOCH_MS,
        TimeForm.EPOCH_US,
        TimeForm.ISO_TEXT,
    }
)


class Missing:
    """`missing`: segments and times of day with far fewer rows than usual; one finding for all of a table's."""

    name = "missing"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Rows by the values of low-cardinality columns, pairs of them, and the time of day."""
        own = {table.time.name} if table.time else set()
        if len(table.key) == 1:
            own |= set(table.key)
        columns = tuple(c.name for c in table.checked_columns if c.kind in _TEXTS and c.name not in own)
        asked = Segments(columns, clocks_of(table))
        return [asked] if asked.columns or asked.clocks else []

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence, whose parts are the segments; none where the table has none."""
        series: list[GroupSeries] = [s for needed in self.inputs(table) for s in values[needed]]
        broken = next((s.error for s in series if s.error), None)
        if broken is not None and all(s.error for s in series):
            return [Evidence("missing", "missing", None, weight=WEIGHT, error=broken)]
        candidates = [c for s in series if s.error is None and s.totals[-1] > 0 for c in _candidates(s)]
        candidates = sorted(candidates, key=lambda c: -c.share)[:CANDIDATES_MAX]
        if not candidates:
            return [Evidence("missing", "missing", None, weight=WEIGHT)] if series else []
        return [_lead(_judge(table, partition, candidates))]


def clocks_of(table: Table) -> tuple[str, ...]:
    """The columns whose time of day is looked at: the table's own, or the first two of those it has besides."""
    if table.time is not None and table.time.form in _TIMED:
        return (table.time.name,)
    return tuple(c.name for c in table.checked_columns if c.kind is ColumnKind.TIMESTAMP)[:2]


@dataclass(frozen=True)
class Candidate:
    """One segment: counts (T + 1, today last), totals of its grouping likewise, and which partitions teach.

    `quarters` are the quarters of an hour that a time of day spans; `others` the shares of the grouping's other groups,
    (usual, today), for telling relabelled rows from lost ones.
    """

    columns: tuple[str, ...]
    key: Key
    rows: Array
    totals: Array
    good: npt.NDArray[np.bool_]
    share: float
    partitions: tuple[Partition, ...]
    quarters: tuple[int, int] | None = None
    relabelled: float = 0.0


def _candidates(series: GroupSeries) -> list[Candidate]:
    """The groups that come often enough to be missed."""
    good = teaching(series.failed, BESIDE) & np.isfinite(series.totals[:-1])
    recent = np.flatnonzero(good)[-CAME_PARTITIONS:]
    if len(recent) < POINTS_MIN:
        return []
    if series.groups.clock:
        return _times(series, good, recent)
    found = []
    shares = series.rows / np.maximum(series.totals, 1.0)[:, None]
    usual = np.median(shares[recent], axis=0)
    gains = shares[-1] - usual
    if _says_the_partition(shares[recent]):
        return []
    for j, key in enumerate(series.keys):
        if key is None or not _came(series.rows[:, j], series.totals, recent):
            continue
        best = max((gains[i] for i in range(len(gains)) if i != j and gains[i] > usual[i] * 0.3), default=0.0)
        lost = max(-gains[j], 1e-12)
        proportional = max((usual[i] for i in range(len(gains)) if i != j and gains[i] == best), default=0.0)
        relabelled = best / lost if best / lost > 2.0 * proportional else 0.0
        found.append(_candidate(series, series.groups.columns, key, series.rows[:, j], good, recent, None, relabelled))
    return found


def _says_the_partition(shares: Array) -> bool:
    """Whether most partitions have one value alone: a month, a batch, a load date."""
    return bool(np.median(shares.max(axis=1, initial=0.0)) > 0.999)


def _came(rows: Array, totals: Array, recent: npt.NDArray[np.intp]) -> bool:
    known = rows[recent]
    return bool(
        np.mean(known > 0) >= CAME_MIN
        and np.max(known) >= ROWS_MIN
        and np.mean(known / np.maximum(totals[recent], 1.0)) >= SHARE_MIN
    )


def _times(series: GroupSeries, good: npt.NDArray[np.bool_], recent: npt.NDArray[np.intp]) -> list[Candidate]:
    """Hours, and where there are rows enough their quarters."""
    quarters = np.zeros((len(series.rows), 96))
    for j, key in enumerate(series.keys):
        place = key[0] if key is not None else None
        if isinstance(place, (int, float)) and 0 <= place < 96:
            quarters[:, int(place)] = series.rows[:, j]
    spans = [(4 * hour, 4 * hour + 4) for hour in range(24)]
    used = max(int(np.count_nonzero(quarters[recent].sum(axis=0))), 1)
    if float(np.median(quarters[recent].sum(axis=1))) / used >= QUARTER_ROWS_MIN:
        spans += [(quarter, quarter + 1) for quarter in range(96)]
    columns = (series.groups.clock,)
    return [
        _candidate(series, columns, (low, high), rows, good, recent, (low, high))
        for low, high in spans
        if _came(rows := quarters[:, low:high].sum(axis=1), series.totals, recent)
        and np.median(rows[recent] / np.maximum(series.totals[recent], 1.0)) < 0.999
    ]


def _candidate(
    series: GroupSeries,
    columns: tuple[str, ...],
    key: Key,
    rows: Array,
    good: npt.NDArray[np.bool_],
    recent: npt.NDArray[np.intp],
    quarters: tuple[int, int] | None,
    relabelled: float = 0.0,
) -> Candidate:
    share = float(np.mean(rows[recent] / np.maximum(series.totals[recent], 1.0)))
    return Candidate(columns, key, rows, series.totals, good, share, series.partitions, quarters, relabelled)


@dataclass(frozen=True)
class Judged:
    """A candidate with its evidence, and what was expected of it."""

    candidate: Candidate
    evidence: Evidence
    expected: float

    @property
    def deficit(self) -> float:
        """Rows missing."""
        return max(0.0, self.expected - float(self.candidate.rows[-1]))


def _judge(table: Table, partition: Partition, candidates: Sequence[Candidate]) -> list[Judged]:
    """All candidates against their pasts at once; they cover the same partitions."""
    longest = max((c.partitions for c in candidates), key=len)
    steps = len(longest)
    calendar = calendar_of([*longest, partition], table.cadence, table.country)
    rows = np.column_stack([_padded(c.rows, steps + 1) for c in candidates])
    totals = np.column_stack([_padded(c.totals, steps + 1) for c in candidates])
    good = np.column_stack([np.pad(c.good, (steps - len(c.good), 0)) for c in candidates])
    logs = np.log(rows + OFFSET)
    shares = logs - np.log(totals + OFFSET)
    usual = np.array([c.share for c in candidates])
    with np.errstate(invalid="ignore"):
        noise = 1.0 / np.sqrt(np.nan_to_num(totals) * usual + OFFSET)
    past = np.hstack([np.where(good, logs[:-1], np.nan), np.where(good, shares[:-1], np.nan)])
    forecast = forecast_panel(past, calendar, np.hstack([noise, noise]), np.full(2 * len(candidates), FLOOR))
    scores = forecast.standardise(np.concatenate([logs[-1], shares[-1]]))
    return [_judged(c, j, len(candidates), forecast, scores) for j, c in enumerate(candidates)]


def _padded(values: Array, size: int) -> Array:
    return np.concatenate([np.full(size - len(values), np.nan), values])


def _judged(candidate: Candidate, j: int, count: int, forecast: Forecast, scores: Array) -> Judged:
    both = [j, count + j]
    short = np.maximum(-forecast.errors[:, both].max(axis=1), 0.0)  # NaN where either is unknown
    lower = float(np.min(-scores[both]))
    rows, total = float(candidate.rows[-1]), float(candidate.totals[-1])
    logs = (float(forecast.location[j]), float(forecast.location[count + j]) + np.log(total + OFFSET))
    expected, low = (
        max(0.0, float(np.exp(np.clip(min(logs) + k * float(forecast.scale[both].max()), -50, 50))) - OFFSET)
        if np.isfinite(logs).all() and np.isfinite(forecast.scale[both]).all()
        else 0.0
        for k in (0.0, -3.0)
    )
    alone = Forecast(forecast.location[[j]], forecast.scale[[j]], forecast.df[both].min(keepdims=True), short[:, None])
    past = damped(alone, 0) if np.isfinite(lower) else None
    missed = expected >= ROWS_MIN and rows <= LEFT_MAX * expected and candidate.relabelled < RELABELLED
    evidence = Evidence(
        check="missing",
        kind="missing",
        score=(max(lower, 0.0) if missed else 0.0) if past else None,
        past=past,
        columns=candidate.columns,
        change=Change.ROWS_MISSING,
        effect=min(1.0, max(0.0, expected - rows) / max(total, expected, 1.0)) if missed else 0.0,
        observation=Observation("rows", rows, expected, low, None, "rows"),
    )
    return Judged(candidate, evidence, expected)


def _lead(judged: Sequence[Judged]) -> Evidence:
    """The table's evidence: the most surprising segment leads, the others that are short stand behind it."""
    parts = tuple(j.evidence for j in judged)
    known = [j for j in judged if j.evidence.past is not None]
    if not known:
        return Evidence("missing", "missing", None, weight=WEIGHT)
    ranked = _distinct(sorted((j for j in known if j.evidence.score), key=_rank))
    lead = min(known, key=_rank)
    told = ranked[:TOLD_MAX] if lead.evidence.score else []
    lost = max((j.deficit for j in ranked), default=0.0)
    columns = tuple(dict.fromkeys(c for j in told for c in j.candidate.columns))
    weights = np.array([max((j.deficit for j in told if c in j.candidate.columns), default=0.0) for c in columns])
    return replace(
        lead.evidence,
        columns=columns,
        shares=tuple(float(w) for w in weights / weights.sum()) if columns else (),
        weight=WEIGHT,
        observation=lead.evidence.observation if told else None,
        detail={
            "segments": [_told(j, lost) for j in told],
            "looked_at": len(judged),
            "course": course(told[0].candidate.rows[:-1]) if told else [],
        },
        parts=parts,
    )


def _told(judged: Judged, lost: float) -> dict[str, object]:
    candidate = judged.candidate
    return {
        "columns": list(candidate.columns),
        "key": list(candidate.key),
        "quarters": list(candidate.quarters) if candidate.quarters else None,
        "rows": float(candidate.rows[-1]),
        "expected_rows": judged.expected,
        "precision": min(1.0, judged.deficit / max(judged.expected, 1.0)),
        "recall": min(1.0, judged.deficit / max(lost, 1.0)),
    }


def _rank(judged: Judged) -> tuple[float, int, float]:
    """By surprise; of equals the shorter condition, then the one that lost more."""
    return (tail_alone(judged.evidence), len(judged.candidate.columns), -judged.deficit)


def _distinct(ranked: Sequence[Judged]) -> list[Judged]:
    """The same rows told once.

    A pair of values tells them where it has nearly all that one of the two lost, that value otherwise.
    """
    joined = _joined(ranked)
    singles = [j for j in joined if len(j.candidate.columns) == 1]
    pairs = [j for j in joined if len(j.candidate.columns) > 1]
    covered = {id(single) for single in singles for pair in pairs if _says_better(pair, single)}
    singles = [single for single in singles if id(single) not in covered]
    pairs = [pair for pair in pairs if not any(_is_within(pair, single) for single in singles)]
    kept = [j for j in joined if any(j is other for other in (*singles, *_apart(pairs)))]
    return sorted(kept, key=lambda j: (j is not kept[0], -j.deficit)) if kept else []


def _is_within(pair: Judged, single: Judged) -> bool:
    values = zip(pair.candidate.columns, pair.candidate.key, strict=True)
    return single.candidate.quarters is None and (single.candidate.columns[0], single.candidate.key[0]) in values


def _says_better(pair: Judged, single: Judged) -> bool:
    left = [float(j.candidate.rows[-1]) / max(j.expected, 1.0) for j in (pair, single)]
    return _is_within(pair, single) and pair.deficit > 0.7 * single.deficit and left[0] < left[1] - 0.15


def _apart(pairs: Sequence[Judged]) -> list[Judged]:
    """Pairs without those that share a value with a more surprising one."""
    kept: list[Judged] = []
    for pair in pairs:
        values = set(zip(pair.candidate.columns, pair.candidate.key, strict=True))
        if all(not values & set(zip(k.candidate.columns, k.candidate.key, strict=True)) for k in kept):
            kept.append(pair)
    return kept


def _joined(ranked: Sequence[Judged]) -> list[Judged]:
    """Times of day that follow each other become one."""
    times = [j for j in ranked if j.candidate.quarters]
    hours = [j for j in times if j.candidate.quarters and j.candidate.quarters[1] - j.candidate.quarters[0] == 4]
    chosen = sorted(hours or times, key=lambda j: (j.candidate.columns, j.candidate.quarters or (0, 0)))
    runs: list[list[Judged]] = []
    for before, now in pairwise([None, *chosen]):
        if now is None:
            continue
        if before is not None and _follows(before.candidate, now.candidate):
            runs[-1].append(now)
        else:
            runs.append([now])
    spans = [_span(run) for run in runs]
    rest = [j for j in ranked if not j.candidate.quarters]
    order = {id(j): place for place, j in enumerate(ranked)}
    first = {id(span): min(order[id(j)] for j in run) for span, run in zip(spans, runs, strict=True)}
    return sorted([*rest, *spans], key=lambda j: first.get(id(j), order.get(id(j), 0)))


def _follows(before: Candidate, now: Candidate) -> bool:
    return bool(
        before.columns == now.columns and before.quarters and now.quarters and before.quarters[1] == now.quarters[0]
    )


def _span(run: Sequence[Judged]) -> Judged:
    if len(run) == 1:
        return run[0]
    first, last = run[0].candidate.quarters or (0, 0), run[-1].candidate.quarters or (0, 0)
    rows = np.sum([j.candidate.rows for j in run], axis=0)
    whole = replace(run[0].candidate, key=(first[0], last[1]), quarters=(first[0], last[1]), rows=rows)
    best = min(run, key=_rank)
    return Judged(whole, best.evidence, sum(j.expected for j in run))
