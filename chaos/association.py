"""Whether damage to a relation can show at all: do columns tell of each other, do two columns differ?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.frame import kind_of, numbers, objects

ROWS_MAX = 5_000
BINS = 8
ASSOCIATION_MIN = 0.25
DISTANCE_MIN = 0.1

Codes = np.ndarray[Any, np.dtype[np.intp]]


def is_related(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether the first column tells something of any column not among `columns` (Cramer's V of at least 0.25)."""
    few = frame.head(ROWS_MAX)
    own = _codes(few[columns[0]])
    return any(_cramers_v(own, _codes(few[name])) >= ASSOCIATION_MIN for name in few.columns if name not in columns)


def is_exchange_visible(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether two columns differ in distribution, or one nearly always exceeds the other."""
    a, b = frame[columns[0]], frame[columns[1]]
    if kind_of(a) == "number":
        x, y = numbers(a), numbers(b)
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            return False
        return max(np.mean(x[known] < y[known]), np.mean(x[known] > y[known])) > 0.9 or _distance(x, y)
    shares = [column.astype(object).value_counts(normalize=True) for column in (a, b)]
    joined = pd.concat(shares, axis=1).fillna(0.0).to_numpy(dtype=float)
    return bool(np.abs(joined[:, 0] - joined[:, 1]).sum() / 2 > DISTANCE_MIN)


def _distance(x: Any, y: Any) -> bool:
    x, y = np.sort(x[np.isfinite(x)]), np.sort(y[np.isfinite(y)])
    grid = np.concatenate([x, y])
    ranks_x, ranks_y = (np.searchsorted(side, grid, side="right") / len(side) for side in (x, y))
    return bool(np.abs(ranks_x - ranks_y).max() > DISTANCE_MIN)


def _codes(column: pd.Series[Any]) -> Codes:
    """Values as at most BINS + 1 groups: quantiles of numbers and times, the commonest of others; 0 is NULL."""
    kind = kind_of(column)
    if kind in ("number", "time"):
        ranks = column.rank(method="dense") if column.nunique() <= BINS else column.rank(pct=True) * BINS
        return np.asarray(np.ceil(ranks.fillna(0).to_numpy(dtype=float)).astype(np.intp))
    values = pd.Series(objects(column), dtype=object)
    common = values.value_counts().index[: BINS - 1]
    places = pd.Index(common).get_indexer(pd.Index(values))
    return np.asarray(np.where(values.isna(), 0, np.where(places < 0, BINS, places + 1)).astype(np.intp))


def _cramers_v(a: Codes, b: Codes) -> float:
    """Cramer's V with the correction for chance (Bergsma 2013), 0 to 1."""
    table = np.bincount(a * (BINS + 1) + b, minlength=(BINS + 1) ** 2).reshape(BINS + 1, BINS + 1).astype(float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    r, k = table.shape
    if min(r, k) < 2 or n < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi2 = max(0.0, ((table - expected) ** 2 / expected).sum() / n - (r - 1) * (k - 1) / (n - 1))
    rows, cols = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi2 / max(min(rows, cols) - 1, 1e-9)))
