"""Shares of rows (NULL, zero, duplicated) against their past.

A share is judged on the angular scale asin(sqrt(share)), where its sampling error is 1 / (2 sqrt(rows)) whatever the
share (Anscombe, 1948): a column that never had a NULL and now has some stands out, one NULL more among many does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from checks.evidence import Array, Panel, damped, read_panel
from checks.series import forecast_panel
from monitor.types import Change, Evidence, Measure, Observation, Partition, Table, Values

FLOOR = 0.004
"""Smallest scale on the angular scale: from none, 0.03% of rows is the least that can be told; from 50%, 2 points."""


def angle(share: Array) -> Array:
    """The variance-stabilising transform of a share."""
    return np.asarray(np.arcsin(np.sqrt(np.clip(share, 0.0, 1.0))))


def share_at(angle_of: float) -> float:
    """The share at an angle, the inverse of `angle`; what lies beyond is none or all.

    >>> round(share_at(float(angle(np.array(0.3)))), 6), share_at(-1.0)
    (0.3, 0.0)
    """
    return float(np.sin(np.clip(angle_of, 0, np.pi / 2)) ** 2)


def judge_shares(
    table: Table,
    partition: Partition,
    values: Values,
    measures: Sequence[Measure],
    name: Callable[[Measure], str],
    change: Callable[[Measure, bool], Change],
    what: Callable[[Measure], str],
    weight: float,
    floor: float = FLOOR,
) -> list[Evidence]:
    """Evidence for each measure's share of rows; `weight` is the family's, spread over the measures."""
    if not measures:
        return []
    panel = read_panel(table, partition, values, measures)
    if panel.rows[-1] <= 0:
        return []
    shares, today, noise = angular(panel)
    forecast = forecast_panel(shares, panel.calendar, noise, np.full(len(measures), floor))
    scores = forecast.standardise(today)
    evidence = []
    for j, measure in enumerate(measures):
        share = float(panel.today[j] / panel.rows[-1])
        past = damped(forecast, j) if np.isfinite(scores[j]) else None
        expected = share_at(forecast.location[j]) if past else None
        band = _band(forecast.location[j], forecast.scale[j]) if past else (None, None)
        evidence.append(
            Evidence(
                check=name(measure),
                kind=name(measure).split(".", 1)[0],
                score=abs(float(scores[j])) if past else None,
                past=past,
                columns=(measure.column,) if measure.column else (),
                shares=(1.0,) if measure.column else (),
                change=change(measure, bool(scores[j] > 0)),
                effect=abs(share - (expected or 0.0)),
                weight=weight / len(measures),
                observation=Observation(what(measure), share, expected, band[0], band[1], "share"),
            )
        )
    return evidence


def angular(panel: Panel) -> tuple[Array, Array, Array]:
    """The panel's counts as angles: past (T, M), today (M,), and sampling errors (T + 1, M)."""
    rows = np.where(panel.rows > 0, panel.rows, np.nan)
    shares = angle(panel.values / rows[:-1, None])
    noise = np.repeat((0.5 / np.sqrt(np.maximum(panel.rows, 1.0)))[:, None], shares.shape[1], axis=1)
    return shares, angle(panel.today / panel.rows[-1]), noise


def _band(location: float, scale: float) -> tuple[float, float]:
    return share_at(location - 3 * scale), share_at(location + 3 * scale)
