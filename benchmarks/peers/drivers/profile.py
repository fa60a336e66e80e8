"""Daily metrics of a table's columns, for the peers that judge series of them; computed once a file and kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from benchmarks.peers.protocol import read_day

Profile = dict[tuple[str, str], float]
"""Values by (column, metric); the table's row count is ("", "row_count")."""


@lru_cache(maxsize=400)
def _of_day(path: str, kinds: tuple[tuple[str, str], ...]) -> Profile:
    return profile(read_day(path, dict(kinds)), dict(kinds))


def profile_of_day(path: str, kinds: Mapping[str, str]) -> Profile:
    """The profile of an earlier day's file."""
    return _of_day(path, tuple(kinds.items()))


def profile(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Profile:
    """Row count, and what is measured of each column by its kind (NaN where there is nothing to measure)."""
    told: Profile = {("", "row_count"): float(len(frame))}
    for name in kinds:
        values = frame[name]
        found = numbers(values) if pd.api.types.is_numeric_dtype(values) else texts(values)
        told.update({(name, metric): value for metric, value in found.items()})
    return told


def common(values: pd.Series) -> dict[str, float]:
    """What every kind of column has: NULLs, distinct values, the share of the most frequent one."""
    known = values.dropna()
    often = known.value_counts(normalize=True, sort=True)
    return {
        "null_count": float(values.isna().sum()),
        "null_percent": float(values.isna().mean() * 100),
        "distinct": float(len(often)),
        "top_share": float(often.iloc[0]) if len(often) else np.nan,
    }


def numbers(values: pd.Series) -> dict[str, float]:
    """Of a column of numbers."""
    known = values.dropna()
    zero = float((known == 0).sum())
    return common(values) | {
        "min": float(known.min()),
        "max": float(known.max()),
        "average": float(known.mean()),
        "zero_count": zero,
        "zero_percent": zero / max(len(values), 1) * 100,
        "standard_deviation": float(known.std()),
        "variance": float(known.var()),
    }


def texts(values: pd.Series) -> dict[str, float]:
    """Of a column of texts; missing counts NULLs, blanks and the word null."""
    known = values.dropna()
    lengths = known.str.len()
    missing = float(values.isna().sum() + known.str.strip().str.lower().isin(["", "null"]).sum())
    return common(values) | {
        "min_length": float(lengths.min()),
        "max_length": float(lengths.max()),
        "average_length": float(lengths.mean()),
        "missing_count": missing,
        "missing_percent": missing / max(len(values), 1) * 100,
        "peculiarity": peculiarity(known),
    }


def peculiarity(known: pd.Series) -> float:
    """How unusual the letter pairs of a column's texts are among its own: mean of -log share, over the values."""
    often = known.value_counts()
    pairs: dict[str, float] = {}
    for text, count in often.items():
        for i in range(len(str(text)) - 1):
            pair = str(text)[i : i + 2]
            pairs[pair] = pairs.get(pair, 0.0) + count
    total = sum(pairs.values())
    if not total:
        return 0.0
    return float(-sum(n / total * np.log(n / total) for n in pairs.values()))
