"""Means of columns of real tables as metrics: shifted by a multiple of their own residuals, and as they were."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.detection.replay import Replay
from checks.evidence import read_panel
from checks.metrics import Metrics, measure_of
from checks.series import forecast_panel
from monitor.judge import judge
from monitor.types import ROWS, Aggregate, ColumnKind, Evidence, Point, Series, Status

COLUMNS_MAX, DAYS, HISTORY, SHIFT = 3, 10, 150, 3.0
CLEAN_DAYS = 30
CALENDAR = frozenset({"year", "month", "day", "hour", "minute", "no", "order_id"})
"""Columns whose mean nobody watches."""


def moved(replay: Replay, others: Evidence, draw: random.Random) -> dict[str, tuple[int, int]]:
    """Shifted days that fail, of all; and days as they were that fail, of all, by sensitivity."""
    kept = {*CALENDAR, *replay.table.key}
    names = [c.name for c in replay.table.columns if c.kind is ColumnKind.NUMBER and c.name.lower() not in kept]
    names = draw.sample(names, min(COLUMNS_MAX, len(names)))
    means = {name: [_mean(replay.days[day][name]) for day in replay.dates] for name in names}
    rows = [float(len(replay.days[day])) for day in replay.dates]
    places = range(max(30, len(replay.dates) - CLEAN_DAYS), len(replay.dates))
    chosen = draw.sample(list(places), min(DAYS, len(places)))
    told: dict[str, tuple[int, int]] = {}
    for sensitivity in ("normal", "high"):
        found, clean = [], []
        for name in names:
            metric = {"name": name, "sql": f"avg({name})", "sensitivity": sensitivity}
            course = _Course(replay, metric, rows, means[name], others)
            clean += [course.fails(place) for place in places]
            found += [course.fails(place, SHIFT * draw.choice((-1, 1))) for place in chosen]
        told[f"metric {sensitivity}"] = (sum(found), len(found))
        told[f"clean metric {sensitivity}"] = (sum(clean), len(clean))
    return told


def _mean(values: Any) -> float | None:
    mean = values.astype(float).replace([np.inf, -np.inf], np.nan).mean()
    return float(mean) if np.isfinite(mean) else None


class _Course:
    """One metric's course over a table's days."""

    def __init__(self, replay: Replay, metric: Any, rows: Any, means: Any, others: Evidence) -> None:
        self.table = replace(replay.table, metrics=(metric,))
        self.partitions = [replay.partition(day) for day in replay.dates]
        self.rows, self.means, self.others = rows, means, others
        self.measure = measure_of(metric)

    def fails(self, place: int, shift: float = 0.0) -> bool:
        """Whether a day fails whose mean is so many residual standard deviations from what it was."""
        values = self._values(place, self.means[place])
        if shift and self.means[place] is not None:
            panel = read_panel(self.table, self.partitions[place], values, [self.measure])
            unit = float(np.nanmedian(np.abs(panel.values))) or 1.0
            forecast = forecast_panel(panel.values / unit, panel.calendar, None, np.array([0.005]))
            residual = unit * float(np.nanstd(forecast.errors[-90:]) * forecast.scale[0])
            values = self._values(place, self.means[place] + shift * residual)
        evidence = Metrics().evaluate(self.table, self.partitions[place], values)
        return judge(self.table, [*evidence, self.others])[0].status is Status.FAIL

    def _values(self, place: int, today: float | None) -> dict[Any, Any]:
        since = max(0, place - HISTORY)
        past = self.partitions[since:place]
        rows = [Point(p, n) for p, n in zip(past, self.rows[since:place], strict=True)]
        means = [Point(p, m) for p, m in zip(past, self.means[since:place], strict=True)]
        return {
            Aggregate(ROWS): Series(self.rows[place], tuple(rows)),
            Aggregate(self.measure): Series(today, tuple(means)),
        }
