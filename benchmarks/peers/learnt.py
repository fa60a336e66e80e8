"""daywatch's own thresholds on a peer's values: learnt from the peer's past clean days, under the same budget.

So a peer's detector can be compared with daywatch's, and not only the threshold that it comes with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from checks.drift.thresholds import widening
from checks.series import StudentT, calendar_of, forecast_panel
from monitor.judge import Verdict, judge, tail_of
from monitor.types import Evidence, Partition, Status, Table

TABLE = ""
POINTS_MIN = 3
FLOOR = 0.05
"""Smallest one-step scale, relative: distances and p-values move less than nats, so it is below the drift check's."""
Values = Mapping[str, float]


def values_of(answer: Mapping[str, Any]) -> dict[str, float]:
    """A peer's values by column, the table's under ""."""
    return {TABLE: float(answer["table"]), **{name: float(value) for name, value in answer["columns"].items()}}


def judge_values(
    table: Table, partition: Partition, today: Values, past: Sequence[tuple[Partition, Values]]
) -> tuple[float, bool, list[str]]:
    """Judge today's values against those of past days.

    Args:
        table: for its budget and calendar.
        partition: the judged one.
        today: by column, the table's under "".
        past: likewise of past clean days, oldest first.

    Returns:
        the margin in decades (>= 0 fails; -9 where nothing is known), whether it fails, and the columns, the most
        surprising one first.
    """
    parts = _evidence(table, partition, today, past)
    if not parts:
        return -9.0, False, []
    known = [part for part in parts if part.past is not None]
    if not known:
        return -9.0, False, []
    lead = min(known, key=lambda part: (tail_of(part) or 1.0) / part.weight)
    verdict: Verdict = judge(table, [Evidence("peer", "drift", lead.score, past=lead.past, parts=tuple(parts))])[0]
    ranked = sorted((part for part in known if part.columns), key=lambda part: tail_of(part) or 1.0)
    margin = -9.0 if verdict.margin is None else verdict.margin
    return margin, verdict.status is Status.FAIL, [part.columns[0] for part in ranked]


def _evidence(
    table: Table, partition: Partition, today: Values, past: Sequence[tuple[Partition, Values]]
) -> list[Evidence]:
    names = list(today)
    raw = np.array([[values.get(name, np.nan) for name in names] for _, values in past], dtype=float)
    if len(raw) < POINTS_MIN:
        return []
    size = _usual(raw)
    panel, now = np.arcsinh(raw / size), np.arcsinh(np.array([today[name] for name in names]) / size)
    calendar = calendar_of([*(p for p, _ in past), partition], table.cadence, table.country)
    forecast = forecast_panel(panel, calendar, None, np.full(len(names), FLOOR))
    scale = forecast.scale * widening(forecast.errors, forecast.df)
    known = np.isfinite(forecast.errors).sum(axis=0) >= POINTS_MIN
    return [
        Evidence(
            check=f"peer.{name}" if name else "peer",
            kind="drift",
            score=float(now[j]),
            past=StudentT(float(forecast.location[j]), float(scale[j]), float(forecast.df[j])) if known[j] else None,
            columns=(name,) if name else (),
            weight=4.0 / max(len(names) - 1, 1) if name else 1.0,
        )
        for j, name in enumerate(names)
    ]


def _usual(raw: np.ndarray) -> np.ndarray:
    """The usual size of each value; of one that was always 0, that of the others, so that trifles stay trifles."""
    sizes = []
    for column in np.abs(raw).T:
        known = column[np.isfinite(column) & (column > 0)]
        sizes.append(float(np.median(known)) if len(known) else math.nan)
    found = np.array(sizes)
    common = float(np.nanmedian(found)) if np.isfinite(found).any() else 1.0
    return np.where(np.isfinite(found), np.maximum(found, 1e-6 * common), common)
