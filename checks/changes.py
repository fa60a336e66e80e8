"""Rows changed in place: of the keyed rows followed from one look at a table to the next, how many have other values.

Only tables that are looked at as a whole and have a key are followed. An update that touched far more rows than usual,
or none of those it usually touches, stands out on the angular scale of `checks.shares`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checks.evidence import damped, read_panel
from checks.series import Forecast, forecast_panel
from checks.shares import angle, share_at
from monitor.types import ROWS, Aggregate, Evidence, Input, Measure, Observation, Partition, Predictive, Table, Values

WEIGHT = 2.0
FLOOR = 0.01
"""Smallest scale on the angular scale: where nothing ever changed, a few corrected rows are no storm."""
FOLLOWED = Measure("followed")


class Changes:
    """`changes` and `changes.<column>`: the share of rows changed since the last look, against its past."""

    name = "changes"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Rows followed, and how many of them changed, in any column and in each."""
        return [Aggregate(m) for m in (ROWS, FOLLOWED, *_measures(table))] if _measures(table) else []

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence for the row and one a column; none where no look before has the same rows."""
        measures = _measures(table)
        if not measures or not values[Aggregate(FOLLOWED)].today:
            return []
        panel = read_panel(table, partition, values, [FOLLOWED, *measures])
        followed = np.append(panel.values[:, 0], panel.today[0])
        followed[followed <= 0] = np.nan
        shares = angle(panel.values[:, 1:] / followed[:-1, None])
        today = angle(panel.today[1:] / followed[-1])
        noise = np.repeat((0.5 / np.sqrt(np.nan_to_num(followed, nan=1.0)))[:, None], len(measures), axis=1)
        forecast = forecast_panel(shares, panel.calendar, noise, np.full(len(measures), FLOOR))
        scores = forecast.standardise(today)
        told = []
        for j, measure in enumerate(measures):
            share = float(panel.today[j + 1] / followed[-1])
            if np.isfinite(share):
                past = damped(forecast, j) if np.isfinite(scores[j]) else None
                told.append(_tell(measure, share, float(scores[j]), past, _expected(forecast, j), len(measures)))
        return told


def _measures(table: Table) -> list[Measure]:
    if table.time is not None or not table.key:
        return []
    columns = [c.name for c in table.checked_columns if c.name not in table.key]
    return [Measure("changed"), *(Measure("changed", name) for name in columns)]


def _expected(forecast: Forecast, j: int) -> tuple[float, float, float]:
    """The share that is expected, and the bounds it usually keeps."""
    location, scale = float(forecast.location[j]), float(forecast.scale[j])
    return share_at(location), share_at(location - 3 * scale), share_at(location + 3 * scale)


def _tell(
    measure: Measure, share: float, score: float, past: Predictive | None, usual: tuple[float, float, float], count: int
) -> Evidence:
    column = measure.column
    what = f"rows with another {column} than at the last look" if column else "rows changed since the last look"
    expected, low, high = usual if past else (None, None, None)
    return Evidence(
        check=f"changes.{column}" if column else "changes",
        kind="changes",
        score=abs(score) if past else None,
        past=past,
        columns=(column,) if column else (),
        shares=(1.0,) if column else (),
        effect=min(abs(share - (expected or 0.0)), 1.0),
        weight=WEIGHT / (2 * max(count - 1, 1)) if column else WEIGHT / 2,
        observation=Observation(what, share, expected, low, high, "share"),
    )
