"""A metric by the values of columns: which of them moved it, which are out of line, which are new or gone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.aggregates import Parts
from checks.evidence import damped, tail_alone, usual_size
from checks.groups import course, teaching
from checks.series import Forecast, calendar_of, forecast_panel
from checks.shares import angle, share_at
from monitor.types import Change, Evidence, GroupSeries, Key, Observation, Partition, Series, Table

Array = npt.NDArray[np.float64]

FLOOR = 0.01
"""Smallest scale relative to a segment's usual size."""
ROWS_MIN = 20.0
"""Rows below which a segment has no value of its own: it is one of the others."""
TAIL_TOLD = 0.01
"""Segments less surprising than this leave no finding."""
EVIDENCE_MAX = 20
TOLD_MAX = 5
BASE_PARTITIONS = 14
"""Good partitions that a move is compared with."""
KNOWN_PARTITIONS = 14
"""A segment is new that none of so many partitions had, and gone if nearly all of them had it."""
CAME_MIN = 0.9
CHURN_FLOOR = 0.03
"""Smallest scale of new and vanished segments' share, on the angular scale."""
OTHERS = "others"
_NAME_MAX = 60


@dataclass(frozen=True)
class Found:
    """Evidence of the segments that are out of the ordinary, and the part of the budget that the others leave."""

    evidence: tuple[Evidence, ...]
    weight_left: float


def judge_segments(
    table: Table,
    partition: Partition,
    metric: Mapping[str, Any],
    series: GroupSeries,
    parts: Parts | None,
    totals: Sequence[Series],
    weight: float,
) -> Found:
    """Every segment against its own past, in one panel; new and vanished ones as shares of the rows.

    Args:
        table: for its cadence and holidays.
        partition: the one judged.
        metric: in its normal form.
        series: its groups; statistics are the value, then the sums it is made of.
        parts: those sums, None where the metric is not made of sums.
        totals: their series over all rows, for the segments that are not named.
        weight: of all segments together.
    """
    name = str(metric["name"])
    known = np.isfinite(series.totals[:-1])
    if not known.any() or series.totals[-1] <= 0:
        return Found((), 0.0)
    segments = _segments(metric, series, parts, totals)
    calendar = calendar_of([*series.partitions, partition], table.cadence, table.country)
    past = np.column_stack(
        [s.past(series.failed, f"metric.{name}.{s.label}") for s in segments] or [np.zeros((len(known), 0))]
    )
    today = np.array([s.values[-1] for s in segments])
    unit = np.array([usual_size(past[:, j]) for j in range(past.shape[1])])
    noise = np.vstack([s.noise for s in segments]).T if segments else np.zeros((len(known) + 1, 0))
    forecast = forecast_panel(past / unit, calendar, noise, np.full(len(unit), FLOOR))
    scores = forecast.standardise(today / unit)
    share = weight / (len(segments) + 2)
    evidence = [
        _evidence(metric, segment, j, forecast, float(scores[j]), float(unit[j]), share)
        for j, segment in enumerate(segments)
        if np.isfinite(scores[j]) and abs(scores[j]) > 2.0
    ]
    evidence += _churn(table, partition, metric, series, share)
    told = sorted((e for e in evidence if tail_alone(e) < TAIL_TOLD), key=tail_alone)[:EVIDENCE_MAX]
    return Found(tuple(told), weight - share * len(told))


@dataclass(frozen=True)
class Segment:
    """One segment's values (T + 1, today last) with their sampling noise relative to their usual size."""

    label: str
    key: Key | None
    columns: tuple[str, ...]
    values: Array
    rows: Array
    noise: Array

    def past(self, failed: Sequence[frozenset[str]], check: str) -> Array:
        """Past values; those of partitions on which this segment was judged bad teach nothing."""
        return np.where(teaching(failed, {check}), self.values[:-1], np.nan)


def _segments(
    metric: Mapping[str, Any], series: GroupSeries, parts: Parts | None, totals: Sequence[Series]
) -> list[Segment]:
    """The largest segments, and all others together where the metric is made of sums."""
    most = int(metric.get("segments_max") or 20)
    read = np.isfinite(series.totals)
    chosen = [j for j, key in enumerate(series.keys) if key is not None and np.nanmax(series.rows[:, j]) >= ROWS_MIN]
    adds_up = parts is not None and not parts.denominator
    found: list[Segment] = []
    labels: set[str] = set()
    for j in chosen[:most]:
        rows = series.rows[:, j]
        values = series.values[:, j, 0].copy()
        if adds_up:
            values = np.where(read & ~np.isfinite(values), 0.0, values)
        else:
            values = np.where(rows >= ROWS_MIN, values, np.nan)
        label = _label(series.keys[j] or (), labels)
        found.append(Segment(label, series.keys[j], series.groups.columns, values, rows, _noise(rows, adds_up)))
    if parts is not None and len(series.keys) > most:
        found += _others(series, parts, totals, chosen[:most])
    return found


def _noise(rows: Array, adds_up: bool) -> Array:
    """What fewer rows than usual add to the scatter of a mean; a sum's own scatter says it all."""
    known = rows[:-1][rows[:-1] > 0]
    usual = float(np.median(known)) if len(known) else 1.0
    if adds_up:
        return np.zeros(len(rows))
    return np.asarray(0.5 * np.sqrt(np.maximum(1.0 / np.maximum(rows, 1.0) - 1.0 / max(usual, 1.0), 0.0)))


def _others(series: GroupSeries, parts: Parts, totals: Sequence[Series], chosen: Sequence[int]) -> list[Segment]:
    """What is left of all rows' sums when the named segments' are taken away."""
    steps = len(series.rows)
    order = series.groups.statistics
    sums = [s for s in (parts.numerator, parts.denominator) if s]
    left = []
    for sql, total in zip(sums, totals, strict=True):
        by_order = {p.partition.order: p.value for p in total.past}
        whole = [by_order.get(p.order) for p in series.partitions] + [total.today]
        mine = np.nansum(series.values[:, list(chosen), order.index(sql)], axis=1)
        left.append(np.array([np.nan if v is None else v for v in whole]) - mine)
    rows = series.totals - series.rows[:, list(chosen)].sum(axis=1)
    enough = np.nan_to_num(rows) >= ROWS_MIN
    with np.errstate(divide="ignore", invalid="ignore"):
        values = left[0] if len(left) == 1 else left[0] / left[1]
    values = np.where(np.isfinite(values) & (enough | (len(left) == 1)), values, np.nan)
    if np.isfinite(values[:-1]).sum() < steps // 2:
        return []
    rows = np.nan_to_num(rows)
    return [Segment(OTHERS, None, (), values, rows, _noise(rows, len(left) == 1))]


def _label(key: Key, taken: set[str]) -> str:
    """The segment as a part of a finding's name: letters, digits and dashes, no two alike."""
    text = ",".join("null" if v is None else str(v) for v in key)
    label = re.sub(r"[^\w,-]+", "_", text)[:_NAME_MAX].strip("_") or "empty"
    number = 2
    while label in taken or label == OTHERS:
        label, number = f"{label.split('~')[0]}~{number}", number + 1
    taken.add(label)
    return label


def _evidence(
    metric: Mapping[str, Any], segment: Segment, j: int, forecast: Forecast, score: float, unit: float, weight: float
) -> Evidence:
    past = damped(forecast, j)
    location, scale = float(forecast.location[j]), float(forecast.scale[j])
    expected, low, high = (float((location + k * scale) * unit) if past else None for k in (0.0, -3.0, 3.0))
    value = float(segment.values[-1])
    rows = float(segment.rows[-1])
    usual_rows = float(np.median(segment.rows[:-1][-BASE_PARTITIONS:])) if len(segment.rows) > 1 else 0.0
    listed = [_told(segment.columns, segment.key, rows, max(usual_rows, rows), 1.0, 1.0)] if segment.key else []
    return Evidence(
        check=f"metric.{metric['name']}.{segment.label}",
        kind="metric",
        score=wanted(metric, score, value, expected) if past else None,
        past=past,
        columns=segment.columns,
        shares=tuple(1.0 / len(segment.columns) for _ in segment.columns),
        change=Change.SHIFT_UP if score > 0 else Change.SHIFT_DOWN,
        effect=relative_move(value, expected),
        weight=weight,
        observation=Observation(f"{metric['name']}, {segment.label}", value, expected, low, high),
        detail={"priority": metric.get("priority"), "segments": listed, "course": course(segment.values[:-1])},
    )


def wanted(metric: Mapping[str, Any], score: float, today: float | None, expected: float | None) -> float:
    """The score as far as the owner wants to hear of it: in the metric's direction, and of the least size."""
    direction = metric.get("direction") or "both"
    signed = {"up": max(score, 0.0), "down": max(-score, 0.0)}.get(direction, abs(score))
    least = float(metric.get("min_change") or 0.0)
    if least and today is not None and expected is not None and abs(today - expected) < least * abs(expected):
        return 0.0
    return signed


def relative_move(today: float | None, expected: float | None) -> float:
    """How far a value lies from what was expected, as a part of the larger of both."""
    if today is None or expected is None:
        return 0.0
    return min(1.0, abs(today - expected) / max(abs(today), abs(expected), 1e-12))


def _told(
    columns: Sequence[str], key: Key, rows: float, usual: float, precision: float, recall: float
) -> dict[str, Any]:
    return {
        "columns": list(columns),
        "key": list(key),
        "quarters": None,
        "rows": rows,
        "expected_rows": usual,
        "precision": precision,
        "recall": recall,
    }


def _churn(
    table: Table, partition: Partition, metric: Mapping[str, Any], series: GroupSeries, weight: float
) -> list[Evidence]:
    """New segments and vanished ones, by their share of the rows, against how segments come and go here."""
    shares = series.rows / np.maximum(series.totals, 1.0)[:, None]
    read = np.isfinite(series.totals)
    steps = len(shares)
    come, go = np.full(steps, np.nan), np.full(steps, np.nan)
    for t in range(KNOWN_PARTITIONS, steps):
        window = np.flatnonzero(read[t - KNOWN_PARTITIONS : t]) + t - KNOWN_PARTITIONS
        if not read[t] or len(window) < KNOWN_PARTITIONS // 2:
            continue
        before = shares[window] > 0
        come[t] = shares[t][~before.any(axis=0)].sum()
        go[t] = shares[window].mean(axis=0)[(before.mean(axis=0) >= CAME_MIN) & (shares[t] == 0)].sum()
    calendar = calendar_of([*series.partitions, partition], table.cadence, table.country)
    found = []
    for label, change, course_of, there in (
        ("segments_new", Change.VALUES_NEW, come, shares[-1] > 0),
        ("segments_gone", Change.VALUES_GONE, go, shares[-1] == 0),
    ):
        check = f"metric.{metric['name']}.{label}"
        if not np.isfinite(course_of[-1]) or course_of[-1] <= 0:
            continue
        angles = angle(course_of)
        past_angles = np.where(teaching(series.failed, {check}), angles[:-1], np.nan)
        forecast = forecast_panel(past_angles[:, None], calendar, None, np.array([CHURN_FLOOR]))
        past = damped(forecast, 0)
        if past is None:
            continue
        score = float(forecast.standardise(angles[-1:])[0])
        recent = shares[-1 - KNOWN_PARTITIONS : -1].mean(axis=0)
        size = (
            np.where(there & (recent == 0), shares[-1], 0.0)
            if label == "segments_new"
            else np.where(there, recent, 0.0)
        )
        found.append(
            Evidence(
                check=check,
                kind="metric",
                score=max(score, 0.0),
                past=past,
                columns=series.groups.columns,
                shares=tuple(1.0 / len(series.groups.columns) for _ in series.groups.columns),
                change=change,
                effect=float(course_of[-1]),
                weight=weight,
                observation=Observation(
                    f"rows of {'new' if change is Change.VALUES_NEW else 'vanished'} segments of {metric['name']}",
                    float(course_of[-1]), share_at(forecast.location[0]), unit="share",
                ),
                detail={"priority": metric.get("priority"), "segments": _largest(series, size)},
            )
        )  # fmt: skip
    return found


def _largest(series: GroupSeries, size: Array) -> list[dict[str, Any]]:
    order = np.argsort(-size, kind="stable")[:TOLD_MAX]
    usual = np.median(series.rows[-1 - BASE_PARTITIONS : -1], axis=0) if len(series.rows) > 1 else series.rows[-1]
    return [
        _told(series.groups.columns, key, float(series.rows[-1, j]), float(usual[j]), 1.0, float(size[j] / size.sum()))
        for j in order
        if size[j] > 0 and (key := series.keys[j]) is not None
    ]


def contributions(series: GroupSeries, parts: Parts | None) -> list[dict[str, Any]]:
    """The segments that moved a metric made of sums, the one that moved it most first.

    A ratio moves as its segments' own ratios move (rate) and as rows shift between segments that differ (mix); both
    are counted, with weights of the mean of before and today, so that the parts add up to the whole move. `recall` is a
    segment's part of the move, `precision` which part of that is its own rate's; `rate` and `mix` are in the metric's
    unit.
    """
    if parts is None:
        return []
    known = np.flatnonzero(np.isfinite(series.totals[:-1]) & (series.totals[:-1] > 0))[-BASE_PARTITIONS:]
    if not len(known) or not series.totals[-1] > 0:
        return []
    order = series.groups.statistics
    above = np.nan_to_num(series.values[:, :, order.index(parts.numerator)])
    if not parts.denominator:
        rate, mix = above[-1] - above[known].mean(axis=0), np.zeros(above.shape[1])
    else:
        rate, mix = _mix_and_rate(above, np.nan_to_num(series.values[:, :, order.index(parts.denominator)]), known)
    whole = float((rate + mix).sum())
    if whole == 0.0 or not np.isfinite(whole):
        return []
    usual = np.median(series.rows[known], axis=0)
    moved = (rate + mix) / whole
    told = []
    for j in np.argsort(-moved, kind="stable")[:TOLD_MAX]:
        key = series.keys[j]
        if key is None or moved[j] < 0.1:
            continue
        own = abs(rate[j]) / max(abs(rate[j]) + abs(mix[j]), 1e-300)
        entry = _told(
            series.groups.columns,
            key,
            float(series.rows[-1, j]),
            float(usual[j]),
            float(own),
            min(1.0, float(moved[j])),
        )
        told.append({**entry, "rate": float(rate[j]), "mix": float(mix[j])})
    return told


def _mix_and_rate(above: Array, below: Array, known: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """The move of a ratio by segment: through their own ratios, and through their parts of the whole."""
    sums = (above[known].sum(axis=0), above[-1]), (below[known].sum(axis=0), below[-1])
    (before_above, now_above), (before_below, now_below) = sums
    weights = before_below / max(before_below.sum(), 1e-300), now_below / max(now_below.sum(), 1e-300)
    before = np.divide(before_above, before_below, out=np.full_like(before_above, np.nan), where=before_below != 0)
    now = np.divide(now_above, now_below, out=np.full_like(now_above, np.nan), where=now_below != 0)
    before, now = np.where(np.isnan(before), now, before), np.where(np.isnan(now), before, now)  # new, gone
    before, now = np.nan_to_num(before), np.nan_to_num(now)
    middle = 0.5 * (weights[0] @ before + weights[1] @ now)
    rate = 0.5 * (weights[0] + weights[1]) * (now - before)
    mix = (weights[1] - weights[0]) * (0.5 * (now + before) - middle)
    return rate, mix
