"""Entities (accounts, addresses, devices) out of line with their own past, or with what newcomers usually are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.aggregates import parts_of, safe
from checks.evidence import damped, size_seen, tail_alone
from checks.groups import course, teaching
from checks.metric_segments import wanted
from checks.series import Forecast, calendar_of, forecast_panel
from monitor.types import (
    Change,
    Evidence,
    Groups,
    GroupSeries,
    Input,
    Key,
    Observation,
    Partition,
    Table,
    Values,
)

Array = npt.NDArray[np.float64]

WEIGHT = 6.0
SENSITIVITY = {"low": 0.25, "normal": 1.0, "high": 5.0}
FLOOR = 0.06
"""Smallest scale of the root of an entity's statistic, relative to its usual size: 12% of the statistic."""
NEWCOMER_ROWS = 4.0
"""Rows that the largest newcomer of a partition is thought to have at least, for the scatter of such counts."""
ROWS_MIN = 30.0
"""Rows below which an entity is not looked at."""
SHARE_MIN = 0.003
"""Likewise of the partition's rows."""
KNOWN_PARTITIONS = 14
CAME_MIN = 0.5
"""An entity is known that so many of the last `KNOWN_PARTITIONS` had among their largest; others are newcomers."""
POINTS_MIN = 6
MOVED_MIN = 1.5
"""Widths that an entity's own statistic must have moved before its part of the rows is believed."""
TOLD_MAX = 5
TAIL_TOLD = 1e-3
"""Entities less surprising than this are not told beside the leading one."""


class Entities:
    """`entity.<name>`: one finding for all entities of a statistic, the one most out of line leading."""

    name = "entity"

    def inputs(self, table: Table) -> Sequence[Input]:
        """The entities with the largest statistic."""
        return list(dict.fromkeys(groups_of(entity, table) for entity in table.entities))

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence for each entry, whose parts are known entities and the largest newcomer."""
        return [_judge(table, partition, entity, values[groups_of(entity, table)]) for entity in table.entities]


def groups_of(entity: Mapping[str, Any], table: Table) -> Groups:
    """The heavy hitters, found where the data is."""
    return Groups(
        (str(entity["entity"]),),
        statistics=(safe(str(entity["statistic"]), "", table.dialect),),
        where=str(entity.get("where") or ""),
        groups_max=int(entity.get("entities_max") or 200),
        by_statistic=True,
    )


def _judge(table: Table, partition: Partition, entity: Mapping[str, Any], series: GroupSeries) -> Evidence:
    name = f"entity.{entity['name']}"
    weight = WEIGHT * SENSITIVITY[str(entity.get("sensitivity") or "normal")]
    detail = {"priority": entity.get("priority")}
    blank = Evidence(name, "entity", None, weight=weight, columns=series.groups.columns, shares=(1.0,), detail=detail)
    if series.error:
        return replace(blank, error=series.error)
    good = teaching(series.failed, {name}) & np.isfinite(series.totals[:-1])
    recent = np.flatnonzero(good)[-KNOWN_PARTITIONS:]
    if len(recent) < POINTS_MIN or not series.totals[-1] > 0:
        return blank
    values = _filled(series)
    usual = (series.rows[recent] > 0).mean(axis=0) >= CAME_MIN
    somebody = np.array([key != (None,) for key in series.keys], dtype=bool)  # rows of nobody are for `nulls`
    known = np.flatnonzero(usual & somebody & _is_large(series, recent))
    stranger = _largest(values[-1], ~usual & somebody & (series.rows[-1] >= _least_rows(series)))
    courses = [Course(series.keys[j], values[:, j], series.rows[:, j]) for j in known]
    newcomers = np.array([_newcomer(series, values, good, t) for t in range(len(values))])
    newcomers[-1] = values[-1, stranger] if stranger is not None else 0.0
    rows = np.full(len(values), float(np.nanmax(series.rows[-1])) if stranger is None else series.rows[-1, stranger])
    courses.append(Course(series.keys[stranger] if stranger is not None else None, newcomers, rows, is_new=True))
    parts = _parts(table, partition, entity, series, courses, good, blank)
    return _lead(blank, parts, courses, series)


@dataclass(frozen=True)
class Course:
    """A statistic over partitions, (T + 1, today last): of one entity, or of each partition's largest newcomer."""

    key: Key | None
    values: Array
    rows: Array
    is_new: bool = False


def _filled(series: GroupSeries) -> Array:
    """The statistic of each entity, (T + 1, G); where it was not among the largest, half of the least of those."""
    values = series.values[:, :, 0]
    least = np.array([row[np.isfinite(row)].min(initial=np.inf) for row in values])
    cut = np.count_nonzero(series.rows > 0, axis=1) >= series.groups.groups_max
    absent = np.where(cut & np.isfinite(least), np.maximum(least, 0.0) / 2.0, 0.0)
    filled = np.where(np.isfinite(values), values, absent[:, None])
    return np.where(np.isfinite(series.totals)[:, None], filled, np.nan)


def _least_rows(series: GroupSeries) -> float:
    return max(ROWS_MIN, SHARE_MIN * float(series.totals[-1]))


def _is_large(series: GroupSeries, recent: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Entities that have, or usually had, enough rows to matter."""
    usual = np.median(series.rows[recent], axis=0)
    return np.asarray(np.maximum(usual, series.rows[-1]) >= _least_rows(series))


def _newcomer(series: GroupSeries, values: Array, good: npt.NDArray[np.bool_], t: int) -> float:
    """The statistic of the partition's largest entity that was not usual before; NaN where too little was known."""
    window = [s for s in range(max(0, t - KNOWN_PARTITIONS), min(t, len(good))) if good[s]]
    if len(window) < POINTS_MIN or not np.isfinite(series.totals[t]):
        return float("nan")
    strangers = (series.rows[window] > 0).mean(axis=0) < CAME_MIN
    return float(values[t, strangers & (series.rows[t] > 0)].max(initial=0.0))


def _largest(values: Array, among: npt.NDArray[np.bool_]) -> int | None:
    return int(np.argmax(np.where(among, values, -np.inf))) if among.any() else None


def _parts(
    table: Table,
    partition: Partition,
    entity: Mapping[str, Any],
    series: GroupSeries,
    courses: Sequence[Course],
    good: npt.NDArray[np.bool_],
    blank: Evidence,
) -> list[Evidence]:
    """Each course as its root, on which counts scatter alike; a sum also as a part of the partition's rows."""
    values = np.column_stack([c.values for c in courses])
    known = np.where(good[:, None], values[:-1], np.nan)
    unit = np.array([size_seen(known[:, j], values[-1, j]) for j in range(len(courses))])
    roots = np.sign(values) * np.sqrt(np.abs(values) / unit)
    sum_like = parts_of(str(entity["statistic"]), table.dialect)
    adds_up = sum_like is not None and not sum_like.denominator
    usual_total = max(float(np.nanmedian(series.totals)), 1.0)
    busy = np.sqrt(np.maximum(series.totals, 1.0) / usual_total) if adds_up else np.ones(len(values))
    shares = roots / busy[:, None]
    rows = np.array([np.median(c.rows[:-1]) if not c.is_new else NEWCOMER_ROWS for c in courses])
    noise = 0.5 / np.sqrt(np.maximum(rows, 1.0))
    past = np.where(good[:, None], np.hstack([roots, shares])[:-1], np.nan)
    calendar = calendar_of([*series.partitions, partition], table.cadence, table.country)
    both = np.broadcast_to(np.concatenate([noise, noise]), (len(values), 2 * len(courses)))
    forecast = forecast_panel(past, calendar, np.asarray(both), np.full(2 * len(courses), FLOOR))
    scores = forecast.standardise(np.concatenate([roots[-1], shares[-1]]))
    return [
        _part(entity, course_, j, len(courses), forecast, scores, float(unit[j]), float(busy[-1]), blank)
        for j, course_ in enumerate(courses)
    ]


def _part(
    entity: Mapping[str, Any], of: Course, j: int, count: int, forecast: Forecast, scores: Array, unit: float,
    busy: float, blank: Evidence,
) -> Evidence:  # fmt: skip
    pair = scores[[j, count + j]]
    direction = "up" if of.is_new else str(entity.get("direction") or "up")
    score = float(_agreed(pair[:1], pair[1:])[0]) if np.isfinite(pair).all() else 0.0
    past = damped(_alone(forecast, j, count, direction), 0)
    location, scale = float(forecast.location[count + j]), float(forecast.scale[count + j])
    expected, low, high = (
        float(np.copysign((location + k * scale) ** 2, location + k * scale) * unit * busy**2) if past else None
        for k in (0.0, -3.0, 3.0)
    )
    today = float(of.values[-1]) if np.isfinite(of.values[-1]) else None
    told = {**entity, "direction": direction}
    if of.key is None:  # there is nothing strange in a day without strangers
        score = 0.0
    least = max(0.0, low) if low is not None and not (of.values < 0).any() else low
    return replace(
        blank,
        score=wanted(told, score, today, expected) if past else None,
        past=past,
        change=Change.VALUES_NEW if of.is_new else Change.SHIFT_UP if score > 0 else Change.SHIFT_DOWN,
        observation=Observation(str(entity["statistic"]), today, expected, least, high),
    )


def _alone(forecast: Forecast, j: int, count: int, direction: str) -> Forecast:
    """One entity's past errors as its score would have been: those of moves that nobody wants to hear of are none."""
    errors = _agreed(forecast.errors[:, j], forecast.errors[:, count + j])
    sided = {"up": np.maximum(errors, 0.0), "down": np.maximum(-errors, 0.0)}.get(direction, errors)
    place = [count + j]
    return Forecast(forecast.location[place], forecast.scale[place], forecast.df[place], sided[:, None])


def _agreed(itself: Array, share: Array) -> Array:
    """How far the entity's part of the rows is out of line, where its own statistic moved the same way.

    On a day when all others are missing every part rises, and no entity did anything.
    """
    smaller = np.where(np.abs(itself) < np.abs(share), itself, share)
    agreed = np.where(np.abs(itself) >= MOVED_MIN, share, smaller)
    return np.asarray(np.where(itself * share <= 0, 0.0, agreed))  # NaN where either is not known


def _lead(blank: Evidence, parts: Sequence[Evidence], courses: Sequence[Course], series: GroupSeries) -> Evidence:
    """The most surprising entity leads; those that are out of line beside it are told with it."""
    known = [j for j, part in enumerate(parts) if part.past is not None and part.score is not None]
    if not known:
        return blank
    ranked = sorted(known, key=lambda j: tail_alone(parts[j]))
    lead = parts[ranked[0]]
    total = max(float(series.totals[-1]), 1.0)
    named = [j for j in ranked if courses[j].key is not None and parts[j].score]
    told = [j for j in named if j == ranked[0] or tail_alone(parts[j]) < TAIL_TOLD][:TOLD_MAX]
    first = courses[ranked[0]]
    detail = {
        **blank.detail,
        "segments": [_told(courses[j], parts[j], series) for j in told],
        "course": course(first.values[:-1]),
        "is_new": first.is_new,
        "looked_at": len(parts),
    }
    effect = min(1.0, float(first.rows[-1]) / total) if lead.score else 0.0
    return replace(lead, effect=effect, detail=detail, parts=tuple(parts))


def _told(of: Course, part: Evidence, series: GroupSeries) -> dict[str, Any]:
    seen = part.observation
    excess = max(0.0, (seen.today or 0.0) - (seen.expected or 0.0)) if seen else 0.0
    return {
        "columns": list(series.groups.columns),
        "key": list(of.key or ()),
        "quarters": None,
        "rows": float(of.rows[-1]),
        "expected_rows": 0.0 if of.is_new else float(np.median(of.rows[:-1])),
        "precision": min(1.0, excess / max(abs((seen.today or 0.0) if seen else 0.0), 1e-12)),
        "recall": min(1.0, float(of.rows[-1]) / max(float(series.totals[-1]), 1.0)),
    }
