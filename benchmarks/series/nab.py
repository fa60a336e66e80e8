"""The outside check: real series of the Numenta Anomaly Benchmark, by the hour; read where they lie, never copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.series.sets import DISTINCT_MIN, Set
from monitor.types import Cadence

HOURS_MIN = 100


def load(folder: Path) -> list[Set]:
    """One set a file: hourly means on the scale asinh(value / its usual size).

    `calm` are the hours outside of the labelled windows, and not within the day after one.
    """
    windows = json.loads((folder / "combined_windows.json").read_text())
    found = []
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, parse_dates=["timestamp"])
        hourly = frame.set_index("timestamp")["value"].resample("1h").mean().iloc[1:-1]
        values = np.arcsinh(hourly.to_numpy() / (float(np.nanmedian(np.abs(hourly))) or 1.0))
        if len(values) < HOURS_MIN or len(np.unique(values)) < DISTINCT_MIN:
            continue
        calm = _outside(hourly.index, windows.get(path.name.replace("__", "/"), []))
        column = values[:, None]
        days = [stamp.to_pydatetime() for stamp in hourly.index]
        found.append(
            Set("nab", days, column, np.zeros_like(column), [path.stem], ["nab"], calm[:, None], Cadence.HOUR, 24)
        )
    return found


def _outside(index: pd.DatetimeIndex, windows: list[Any]) -> np.ndarray:
    calm = np.ones(len(index), dtype=bool)
    for start, end in windows:
        calm &= ~((index >= pd.Timestamp(start)) & (index <= pd.Timestamp(end) + pd.Timedelta(days=1)))
    return calm
