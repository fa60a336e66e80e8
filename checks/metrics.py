"""Metrics that engineers name: any aggregate against its own past, as a whole and by the values of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.aggregates import Parts, parts_of, safe
from checks.evidence import damped, read_panel, usual_size
from checks.metric_segments import contributions, judge_segments, relative_move, wanted
from checks.series import Forecast, forecast_panel
from monitor.types import (
    ROWS,
    Aggregate,
    Cadence,
    Change,
    Evidence,
    Groups,
    GroupSeries,
    Input,
    Measure,
    Observation,
    Partition,
    Series,
    Table,
    Values,
)

Array = npt.NDArray[np.float64]

WEIGHT = 12.0
"""A metric that somebody cared to name has more of the budget than a whole automatic check."""
WEIGHT_OF_ALL = 48.0
"""Many metrics share this much, so that automatic checks keep a part of the budget."""
SENSITIVITY = {"low": 0.25, "normal": 1.0, "high": 5.0}
"""Part of the budget relative to another metric."""
FLOOR = 0.005
"""Smallest scale relative to the metric's usual size."""
SEGMENTS_MAX = 20
WEEK = {Cadence.HOUR: 168, Cadence.DAY: 7, Cadence.WEEK: 1}
ABSENT_USUAL = 0.2
"""A metric that had no value on so many of the last partitions may have none today."""
ABSENT_PARTITIONS = 28


class Metrics:
    """`metric.<name>`: the metric over the whole partition; `metric.<name>.<segment>`: over one value of its `by`."""

    name = "metric"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, every metric, and by segments its value with the sums that it is made of."""
        needed: list[Input] = [Aggregate(ROWS)]
        for metric in table.metrics:
            needed.append(Aggregate(measure_of(metric, table.dialect)))
            if metric.get("by"):
                needed.append(groups_of(metric, table))
                needed += [Aggregate(m) for m in _measures_of_parts(metric, table)]
        return list(dict.fromkeys(needed))

    def findings(self, table: Table) -> Mapping[Measure, str]:
        """Which finding says that a measure's value was bad."""
        return {measure_of(m, table.dialect): f"metric.{m['name']}" for m in table.metrics}

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a metric, and one for each segment that is out of the ordinary."""
        if not table.metrics:
            return []
        panel = read_panel(table, partition, values, [measure_of(m, table.dialect) for m in table.metrics])
        lag = WEEK[table.cadence]
        past, today, base = _compared(panel.values, panel.today, table.metrics, lag)
        forecast = forecast_panel(past, panel.calendar, None, np.full(past.shape[1], FLOOR))
        scores = forecast.standardise(today)
        evidence: list[Evidence] = []
        for j, metric in enumerate(table.metrics):
            series: Series = values[Aggregate(measure_of(metric, table.dialect))]
            weight = weight_of(metric, len(table.metrics))
            whole = _whole(metric, j, forecast, scores, panel.today, base, weight)
            failed = _failure(metric, series, panel.values[:, j], panel.rows[-1])
            if failed is not None:
                whole = replace(whole, error=failed, score=None, past=None)
            evidence += _with_segments(table, partition, metric, whole, values)
        return evidence


def _failure(metric: Mapping[str, Any], series: Series, past: Array, rows: float) -> str | None:
    """Why there is no value today; None where there is one, or need be none."""
    if series.error:
        return series.error
    if series.today is not None or rows <= 0:
        return None
    recent = past[-ABSENT_PARTITIONS:]
    if np.isfinite(recent).any() and np.mean(~np.isfinite(recent)) >= ABSENT_USUAL:
        return None
    scope = "no row meets its `where`, " if metric.get("where") else ""
    return f"the metric {metric['name']} has no value: {scope}it divides by zero, or all its values are NULL"


@dataclass(frozen=True)
class Base:
    """How values became what is forecast, and the way back: value = (x + shift) * unit."""

    unit: Array
    shift: Array

    def value(self, j: int, x: float) -> float:
        """The value that x stands for."""
        return float((x + self.shift[j]) * self.unit[j])


def _compared(past: Array, today: Array, metrics: Sequence[Mapping[str, Any]], lag: int) -> tuple[Array, Array, Base]:
    """Values in units of their usual size; where the metric says so, less what they were a week before."""
    unit = np.array([usual_size(past[:, j]) for j in range(past.shape[1])])
    scaled, now, shift = past / unit, today / unit, np.zeros(past.shape[1])
    for j, metric in enumerate(metrics):
        if metric.get("compare") != "week":
            continue
        whole = np.concatenate([scaled[:, j], [now[j]]])
        before = np.concatenate([np.full(min(lag, len(whole)), np.nan), whole[:-lag]])
        scaled[:, j], now[j] = (whole - before)[:-1], (whole - before)[-1]
        shift[j] = before[-1] if np.isfinite(before[-1]) else 0.0
    return scaled, now, Base(unit, shift)


def _whole(
    metric: Mapping[str, Any], j: int, forecast: Forecast, scores: Array, today: Array, base: Base, weight: float
) -> Evidence:
    past = damped(forecast, j) if np.isfinite(scores[j]) else None
    location, scale = float(forecast.location[j]), float(forecast.scale[j])
    expected, low, high = (base.value(j, location + k * scale) if past else None for k in (0.0, -3.0, 3.0))
    value = float(today[j]) if np.isfinite(today[j]) else None
    return Evidence(
        check=f"metric.{metric['name']}",
        kind="metric",
        score=wanted(metric, float(scores[j]), value, expected) if past else None,
        past=past,
        change=Change.SHIFT_UP if scores[j] > 0 else Change.SHIFT_DOWN,
        effect=relative_move(value, expected),
        weight=weight,
        observation=Observation(str(metric["name"]), value, expected, low, high),
        detail={"priority": metric.get("priority")},
    )


def _with_segments(
    table: Table, partition: Partition, metric: Mapping[str, Any], whole: Evidence, values: Values
) -> list[Evidence]:
    """The metric's evidence with what its segments add to the move, and that of segments out of the ordinary."""
    if not metric.get("by"):
        return [whole]
    series: GroupSeries = values[groups_of(metric, table)]
    if series.error:
        by = ", ".join(metric["by"])
        broken = replace(
            whole, check=f"{whole.check}.segments", error=f"by {by}: {series.error}", score=None, past=None
        )
        return [whole, broken]
    parts = _parts(metric, table)
    moved = contributions(series, parts)
    whole = replace(whole, detail={**whole.detail, "segments": moved}) if moved else whole
    weight = whole.weight
    totals = _totals(metric, table, values)
    found = judge_segments(table, partition, metric, series, parts, totals, weight)
    # segments that are not worth a finding leave their part of the budget to the whole
    return [replace(whole, weight=weight + found.weight_left), *found.evidence]


def _totals(metric: Mapping[str, Any], table: Table, values: Values) -> list[Series]:
    return [values[Aggregate(measure)] for measure in _measures_of_parts(metric, table)]


def weight_of(metric: Mapping[str, Any], count: int = 1) -> float:
    """The part of the budget of one of so many metrics."""
    return min(WEIGHT, WEIGHT_OF_ALL / max(count, 1)) * SENSITIVITY[str(metric.get("sensitivity") or "normal")]


def measure_of(metric: Mapping[str, Any], dialect: str = "duckdb") -> Measure:
    """The aggregate of a metric over the rows that meet its `where`; NULL where it would divide by zero."""
    return Measure("expression", "", safe(str(metric["sql"]), str(metric.get("where") or ""), dialect))


def groups_of(metric: Mapping[str, Any], table: Table) -> Groups:
    """The metric's groups: its value, then the sums that it is made of."""
    parts = _parts(metric, table)
    sums = [parts.numerator, parts.denominator] if parts is not None else []
    sql = safe(str(metric["sql"]), "", table.dialect)
    return Groups(
        tuple(metric["by"]),
        statistics=tuple(dict.fromkeys([sql, *(s for s in sums if s)])),
        where=str(metric.get("where") or ""),
        groups_max=2 * int(metric.get("segments_max") or SEGMENTS_MAX),
    )


def _parts(metric: Mapping[str, Any], table: Table) -> Parts | None:
    return parts_of(str(metric["sql"]), table.dialect)


def _measures_of_parts(metric: Mapping[str, Any], table: Table) -> list[Measure]:
    """The sums over all rows, from which those of the segments that are not named follow."""
    parts = _parts(metric, table)
    if parts is None:
        return []
    where = str(metric.get("where") or "")
    sums = [s for s in (parts.numerator, parts.denominator) if s]
    return [Measure("expression", "", safe(s, where, table.dialect)) for s in sums]
