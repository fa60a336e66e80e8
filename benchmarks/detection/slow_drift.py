"""Chapter: values that creep, a tenth of a standard deviation more each day. How many days until somebody says so?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import chaos
from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry

FAULT = "slow_drift"
DAYS_MAX = 21
DECIMALS_MAX = 6


def run(replay: Replay, entry: Entry, columns: int, seed: int = 8) -> Iterator[dict[str, Any]]:
    """One row for each of some columns: the day of the drift on which it was told, None for never.

    Told is the first alert with the column among its first three; alerts about others meanwhile are counted beside.

    Args:
        replay: the table's days.
        entry: the table.
        columns: how many columns, drawn with the seed, each from a day of its own.
        seed: of columns and days.
    """
    draw = random.Random(seed)  # noqa: S311 - a benchmark draws, it keeps no secret
    can = sorted({str(c) for c in chaos.suitable(FAULT, replay.days[replay.dates[entry.first]], entry.time_column)})
    for column in draw.sample(can, min(columns, len(can))):
        start = draw.randrange(entry.first, len(replay.dates) - DAYS_MAX - 1)
        told, others, kind = _told(replay, column, start, draw.randrange(10**6))
        row = {"table": entry.name, "tuned": entry.tuned, "day": str(replay.dates[start]), "column": column}
        yield {**row, "told_after": told, "other_alerts": others, "said": kind}


def _told(replay: Replay, column: str, start: int, seed: int) -> tuple[int | None, int, str | None]:
    """The day of the drift that told it, alerts about other columns until then, the kind of change said."""
    watched = Watched(replay, replay.dates[start])
    others = 0
    for number, day in enumerate(replay.dates[start : start + DAYS_MAX], start=1):
        step = watched.step(day, _drifted(replay.days[day], column, number, seed))
        if step.names((column,)):
            return number, others, step.alerts[0].change.value
        others += len(step.alerts)
    return None, others, None


def _drifted(frame: pd.DataFrame, column: str, number: int, seed: int) -> pd.DataFrame:
    """The day with its drift, written as finely as before: more decimals would tell it on the first day."""
    moved = chaos.inject(FAULT, frame, columns=(column,), rows=1.0, seed=seed, intensity=float(number)).frame
    values = frame[column].dropna()
    decimals = next((d for d in range(DECIMALS_MAX) if np.isclose(values, values.round(d)).mean() > 0.99), None)
    return moved if decimals is None else moved.assign(**{column: moved[column].round(decimals)})
