"""From bounds to figures: coverage with its interval, Winkler score, both by history length and kind of series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.series.cases import Block, group_of
from benchmarks.series.methods import LEVELS, Bounds

ALPHA = 0.01
"""The Winkler score is that of the 99% band."""
DRAWS = 400


def rows_of(block: Block, name: str, bounds: Bounds) -> Iterator[dict[str, Any]]:
    """One row a forecast that was answered."""
    low, high = bounds
    spread = block.of.spread
    for place, j in enumerate(block.asked):
        yield from row_of(block, int(j), name, low[:, place], high[:, place], float(spread[j]))


def row_of(
    block: Block, j: int, name: str, low: np.ndarray, high: np.ndarray, spread: float
) -> Iterator[dict[str, Any]]:
    """The row of one forecast, or none where a bound is missing."""
    value = float(block.of.values[block.target, j])
    if not (np.isfinite(low[1]) and np.isfinite(high[1])):
        return
    row: dict[str, Any] = {
        "id": block.key(j),
        "method": name,
        "group": group_of(block.of),
        "set": block.of.name,
        "series": f"{block.of.name}|{block.of.names[j]}",
        "kind": block.of.kinds[j],
        "history": block.history,
        "calm": bool(block.of.calm[block.target, j]),
        "winkler": winkler(value, float(low[1]), float(high[1])) / spread,
        "width": float(high[1] - low[1]) / spread,
    }
    for i, level in enumerate(LEVELS):
        row[f"in {level}"] = bool(low[i] <= value <= high[i])
    yield row


def winkler(value: float, low: float, high: float) -> float:
    """Width of the band, and 2 / alpha times what the value lies outside of it; less is better.

    >>> winkler(5.0, 0.0, 10.0), winkler(11.0, 0.0, 10.0)
    (10.0, 210.0)
    """
    return high - low + 2.0 / ALPHA * max(low - value, value - high, 0.0)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share.

    >>> [round(x, 3) for x in wilson(99, 100)]
    [0.946, 0.998]
    """
    z = 1.96
    centre = (hits + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * math.sqrt(hits * (count - hits) / count + z * z / 4)
    return centre - half, centre + half


def summary(frame: pd.DataFrame) -> dict[str, Any]:
    """Coverage at each level with its interval, and the mean Winkler score with an interval over series."""
    told: dict[str, Any] = {"forecasts": len(frame)}
    for level in LEVELS:
        hits = int(frame[f"in {level}"].sum())
        low, high = wilson(hits, len(frame))
        told[f"coverage {level}"] = {
            "share": round(hits / len(frame), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    mean, low, high = mean_over_series(frame, "winkler")
    told["winkler"] = {"mean": mean, "low": low, "high": high, "median": round(float(frame["winkler"].median()), 3)}
    return told


def mean_over_series(frame: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """The mean with its 95% bootstrap interval; whole series are drawn, as the forecasts of one go together."""
    sums = frame.groupby("series")[column].agg(["sum", "count"]).to_numpy()
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(sums), (DRAWS, len(sums)))
    means = sums[drawn, 0].sum(axis=1) / sums[drawn, 1].sum(axis=1)
    found = (float(frame[column].mean()), *(float(x) for x in np.quantile(means, [0.025, 0.975])))
    return round(found[0], 3), round(found[1], 3), round(found[2], 3)


def by(frame: pd.DataFrame, told: Callable[[pd.DataFrame], Any], *names: str) -> dict[str, Any]:
    """`told` of the whole and of each value of the named columns."""
    found: dict[str, Any] = {"all": told(frame)}
    for name in names:
        found[name] = {str(value): told(part) for value, part in frame.groupby(name)}
    return found


def duels(frame: pd.DataFrame, hero: str = "daywatch") -> dict[str, Any]:
    """The hero against each other method on the forecasts that both answered: mean Winkler scores, their difference."""
    mine = frame[frame["method"] == hero].set_index("id")
    found = {}
    for name, theirs in frame[frame["method"] != hero].groupby("method"):
        both = theirs.join(mine[["winkler"]].rename(columns={"winkler": "mine"}), on="id", how="inner")
        both["behind"] = both["winkler"] - both["mine"]
        found[str(name)] = by(both, _duel, "history", "set")
    return found


def _duel(both: pd.DataFrame) -> Mapping[str, Any]:
    behind, low, high = mean_over_series(both, "behind")
    return {
        "forecasts": len(both),
        "winkler": round(float(both["winkler"].mean()), 3),
        "daywatch": round(float(both["mine"].mean()), 3),
        "behind by": {"mean": behind, "low": low, "high": high},
    }
