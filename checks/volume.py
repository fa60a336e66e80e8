"""How many rows came, against the past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checks.evidence import damped, read_panel
from checks.series import forecast_panel
from monitor.types import ROWS, Aggregate, Change, Evidence, Input, Observation, Partition, Table, Values

WEIGHT = 6.0
FLOOR = 0.008
"""Smallest scale of log(rows): changes of a percent are nobody's morning."""
YOUNG_POINTS = 10
"""Until so many errors are known, the scatter of independent arrivals (Poisson) is assumed at least."""


class Volume:
    """`volume`: the row count on the log scale against its past, days without any rows left to `freshness`.

    The column it names is the one that dates the rows: what is missing may be dated otherwise. It has no share in the
    change, and stands after every column that has one.
    """

    name = "volume"

    def inputs(self, table: Table) -> Sequence[Input]:
        """The row count."""
        return [Aggregate(ROWS)]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence; none for a partition without rows."""
        panel = read_panel(table, partition, values, [ROWS])
        rows = float(panel.today[0])
        if not rows > 0:
            return []
        logs = np.log(np.where(panel.values > 0, panel.values, np.nan))
        # schedules and feeds are often far steadier than Poisson, so the row count sets no floor for long
        young = int(np.isfinite(logs).sum()) <= YOUNG_POINTS
        floor = np.hypot(FLOOR, 1.0 / np.sqrt(rows)) if young else FLOOR
        forecast = forecast_panel(logs, panel.calendar, None, np.array([floor]))
        past = damped(forecast, 0)
        if past is None:
            return [
                Evidence("volume", "volume", None, weight=WEIGHT, observation=Observation("rows", rows, unit="rows"))
            ]
        score = float(forecast.standardise(np.log(np.array([rows])))[0])
        location, scale = float(forecast.location[0]), float(forecast.scale[0])
        expected, low, high = (float(np.exp(np.clip(location + k * scale, -50, 50))) for k in (0.0, -3.0, 3.0))
        return [
            Evidence(
                check="volume",
                kind="volume",
                score=abs(score),
                past=past,
                columns=(table.time.name,) if table.time else (),
                change=Change.ROWS_EXTRA if score > 0 else Change.ROWS_MISSING,
                effect=min(1.0, abs(rows - expected) / max(expected, 1.0)),
                weight=WEIGHT,
                observation=Observation("rows", rows, expected, low, high, "rows"),
                detail={"deficit": expected - rows},
            )
        ]
