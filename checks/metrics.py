"""Metrics that engineers name: any aggregate against its own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from checks.evidence import damped, read_panel
from checks.series import forecast_panel
from monitor.types import ROWS, Aggregate, Change, Evidence, Input, Measure, Observation, Partition, Table, Values

WEIGHT = 3.0
FLOOR = 0.005
"""Smallest scale relative to the metric's usual size."""


class Metrics:
    """`metric.<name>`: the metric's value over the whole partition against its past."""

    name = "metric"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, and every metric."""
        return [Aggregate(ROWS), *(Aggregate(measure_of(metric)) for metric in table.metrics)]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a metric."""
        if not table.metrics:
            return []
        panel = read_panel(table, partition, values, [measure_of(m) for m in table.metrics])
        usual = np.array([_usual(panel.values[:, j]) for j in range(panel.values.shape[1])])
        forecast = forecast_panel(panel.values / usual, panel.calendar, None, np.full(len(usual), FLOOR))
        scores = forecast.standardise(panel.today / usual)
        evidence = []
        for j, metric in enumerate(table.metrics):
            known = bool(np.isfinite(scores[j]))
            past = damped(forecast, j) if known else None
            location, scale = float(forecast.location[j]), float(forecast.scale[j])
            band = [float((location + k * scale) * usual[j]) if past else None for k in (0.0, -3.0, 3.0)]
            today = float(panel.today[j]) if np.isfinite(panel.today[j]) else None
            evidence.append(
                Evidence(
                    check=f"metric.{metric['name']}",
                    kind="metric",
                    score=abs(float(scores[j])) if past else None,
                    past=past,
                    change=Change.SHIFT_UP if scores[j] > 0 else Change.SHIFT_DOWN,
                    effect=_effect(today, band[0]),
                    weight=WEIGHT,
                    observation=Observation(str(metric["name"]), today, band[0], band[1], band[2]),
                    detail={"priority": metric.get("priority")},
                )
            )
        return evidence


def measure_of(metric: Mapping[str, Any]) -> Measure:
    """The aggregate of a metric; its `where` goes into every aggregate function of the expression."""
    where = metric.get("where")
    return Measure("expression", "", _filtered(str(metric["sql"]), str(where)) if where else str(metric["sql"]))


def _filtered(sql: str, where: str) -> str:
    """`avg(x)` under `y > 0` as `avg(x) FILTER (WHERE y > 0)`.

    >>> _filtered("sum(a) / count(*)", "b > 0")
    'SUM(a) FILTER(WHERE b > 0) / COUNT(*) FILTER(WHERE b > 0)'
    """
    import sqlglot  # noqa: PLC0415 - costs 0.1 s, and most tables have no such metric
    from sqlglot import exp  # noqa: PLC0415 - as above

    def narrow(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Filter):
            return exp.Filter(this=node.copy(), expression=exp.Where(this=sqlglot.parse_one(where, read="duckdb")))
        return node

    return sqlglot.parse_one(sql, read="duckdb").transform(narrow).sql(dialect="duckdb")


def _usual(past: np.ndarray) -> float:
    known = np.abs(past[np.isfinite(past)])
    return float(np.median(known)) if len(known) and np.median(known) > 0 else 1.0


def _effect(today: float | None, expected: float | None) -> float:
    if today is None or expected is None:
        return 0.0
    return min(1.0, abs(today - expected) / max(abs(today), abs(expected), 1e-12))
