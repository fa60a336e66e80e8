"""How far one column's values alone have moved: the symmetric divergence of two histograms, in nats.

The estimate is Jeffreys' divergence of smoothed bin shares less its expectation without any change, so that it
scatters around 0 when nothing happened (Miller, 1955, for the bias of entropies).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.features import shape_of
from monitor.types import ColumnKind

BINS = 20
CATEGORIES = 40
NOVEL_VALUES_MAX = 300
"""Up to so many different past values a new value is news; beyond, only a new shape is."""
NEAR_HOURS = (-24, 48)
"""Hours around the beginning of a row's own day in which times are told apart by the hour."""
REPEATED_MIN = 0.5
"""Share of past rows whose number comes again from which a new number is news."""
Codes = npt.NDArray[np.int64]


def divergence(today: Codes, past: Codes, bins: int) -> float:
    """Jeffreys' divergence of two samples of bin codes, bias removed.

    Args:
        today: codes in [0, bins), shape (N1,).
        past: likewise, shape (N0,).
        bins: number of codes.

    >>> import numpy as np
    >>> same = np.arange(1000) % 10
    >>> divergence(same, same, 10) < 0
    True
    >>> divergence(same, same // 2, 10) > 1
    True
    """
    n1, n0 = len(today), len(past)
    if n1 == 0 or n0 == 0:
        return 0.0
    c1 = np.bincount(today, minlength=bins).astype(np.float64)
    c0 = np.bincount(past, minlength=bins).astype(np.float64)
    used = (c1 + c0) > 0
    k = int(used.sum())
    p = (c1[used] + 0.5) / (n1 + 0.5 * k)
    q = (c0[used] + 0.5) / (n0 + 0.5 * k)
    raw = float(((p - q) * np.log(p / q)).sum())
    return raw - (k - 1) * (1.0 / n1 + 1.0 / n0)


def divergence_noise(bins: int, n1: int, n0: int) -> float:
    """Standard deviation of `divergence` when nothing changed: that of chi-square with bins - 1 degrees, in nats.

    >>> round(divergence_noise(19, 1000, 1000), 4)
    0.012
    """
    return float(np.sqrt(2.0 * max(bins - 1, 1)) * (1.0 / max(n1, 1) + 1.0 / max(n0, 1)))


def beyond(today: Codes, past: Sequence[Codes], bins: int) -> float:
    """Share of rows that lie beyond everything the past days had, bin by bin.

    The larger of the excess over the highest past day and the shortfall under the lowest past day. A value that comes
    and goes from day to day has a wide envelope and adds nothing; one that never came, or always came, adds all.

    Args:
        today: codes in [0, bins).
        past: codes of each past day.
        bins: number of codes.

    >>> import numpy as np
    >>> usual = [np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])]
    >>> beyond(np.array([0, 0, 1, 2]), usual, 3)
    0.25
    """
    days = [np.bincount(codes, minlength=bins) / len(codes) for codes in past if len(codes)]
    if not days or not len(today):
        return 0.0
    now = np.bincount(today, minlength=bins) / len(today)
    highest, lowest = np.max(days, axis=0), np.min(days, axis=0)
    return float(max(np.maximum(now - highest, 0.0).sum(), np.maximum(lowest - now, 0.0).sum()))


def crowd(values: pd.Series) -> float:
    """Share of rows that the most crowded value has; NULL is none.

    >>> crowd(pd.Series([7.0, 7.0, 7.0, 1.0]))
    0.75
    """
    codes = pd.factorize(values)[0]
    known = codes[codes >= 0]
    return float(np.bincount(known).max()) / len(codes) if len(known) else 0.0


def novelty(values: pd.Series, today: npt.NDArray[np.bool_]) -> float:
    """Share of today's rows with a value that no past row has; texts that are nearly all different by their shape.

    Args:
        values: a categorical column of both sides.
        today: (N,) which rows are today's.
    """
    codes = values.cat.codes.to_numpy().astype(np.int64)
    texts = values.cat.categories.astype(str).to_numpy()
    if len(np.unique(codes[~today])) > NOVEL_VALUES_MAX:
        texts, codes = _by_shape(texts, codes)
    known = np.zeros(len(texts) + 1, dtype=bool)
    known[codes[~today]] = True
    known[-1] = True
    return float((~known[codes[today]]).mean()) if today.any() else 0.0


def seen_before(values: pd.Series, today: npt.NDArray[np.bool_]) -> float:
    """Share of today's rows with a value that a past row has; NULL is none.

    Args:
        values: a categorical column of both sides.
        today: (N,) which rows are today's.
    """
    codes = values.cat.codes.to_numpy()
    there = codes[today][codes[today] >= 0]
    return float(np.isin(there, codes[~today]).sum()) / max(int(today.sum()), 1)


def come_again(past: npt.NDArray[np.float64]) -> bool:
    """Whether most past numbers came more than once, as prices and codes do and measurements do not.

    >>> come_again(np.array([1.5, 1.5, 2.0, 2.0, 7.0])), come_again(np.arange(5.0))
    (True, False)
    """
    known = past[np.isfinite(past)]
    _, place, counts = np.unique(known, return_inverse=True, return_counts=True)
    return len(known) > 0 and float((counts[place] > 1).mean()) >= REPEATED_MIN


def unseen(today: npt.NDArray[np.float64], past: npt.NDArray[np.float64]) -> float:
    """Share of today's rows whose number no past row has; NULL is none."""
    known = today[np.isfinite(today)]
    return float((~np.isin(known, past)).sum()) / len(today) if len(today) else 0.0


def code_column(values: pd.Series, kind: ColumnKind, past: npt.NDArray[np.bool_]) -> tuple[Codes, int]:
    """Bin a column by its past rows: quantile bins and frequent single values of numbers, frequent categories.

    Returns:
        codes (N,) with NULL as a code of its own, and how many codes there are.
    """
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        stamps = values.to_numpy().astype("datetime64[us]")
        return _code_times(np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 3.6e9), past)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _code_texts(values, past)
    return _code_numbers(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64), past)


def _code_times(hours: npt.NDArray[np.float64], past: npt.NDArray[np.bool_]) -> tuple[Codes, int]:
    """Times near their own day by the hour: rows written together (an invoice, a batch) are one moment, not a value."""
    old = hours[np.isfinite(hours) & past]
    if len(old) == 0 or np.mean((old >= NEAR_HOURS[0]) & (old < NEAR_HOURS[1])) < 0.5 or not np.any(old % 24):
        return _code_numbers(hours, past)
    codes = np.floor(np.clip(np.nan_to_num(hours), NEAR_HOURS[0] - 1, NEAR_HOURS[1])) - NEAR_HOURS[0] + 1
    size = NEAR_HOURS[1] - NEAR_HOURS[0] + 2
    return np.where(np.isfinite(hours), codes, size).astype(np.int64), size + 1


def _code_numbers(values: npt.NDArray[np.float64], past: npt.NDArray[np.bool_]) -> tuple[Codes, int]:
    known = np.isfinite(values)
    old = values[known & past]
    if len(old) == 0:
        return known.astype(np.int64), 2
    single, counts = np.unique(old, return_counts=True)
    atoms = single[counts >= max(0.02 * len(old), 3)] if len(single) > BINS else single
    rest = old[~np.isin(old, atoms)]
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, BINS + 1))) if len(rest) else np.zeros(0)
    codes = np.searchsorted(edges, values, side="right").astype(np.int64)
    size = len(edges) + 1
    if len(atoms):
        place = np.clip(np.searchsorted(atoms, values), 0, len(atoms) - 1)
        codes = np.where(known & (atoms[place] == values), size + place, codes)
    codes[~known] = size + len(atoms)
    return codes, size + len(atoms) + 1


def _code_texts(values: pd.Series, past: npt.NDArray[np.bool_]) -> tuple[Codes, int]:
    codes = values.cat.codes.to_numpy().astype(np.int64)
    texts = values.cat.categories.astype(str).to_numpy()
    counts = np.bincount(codes[past & (codes >= 0)], minlength=len(texts))
    if len(texts) > CATEGORIES and np.sort(counts)[::-1][:CATEGORIES].sum() < 0.5 * max(counts.sum(), 1):
        texts, codes = _by_shape(texts, codes)
        counts = np.bincount(codes[past & (codes >= 0)], minlength=len(texts))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    lookup = np.minimum(rank, CATEGORIES)
    lookup[counts == 0] = CATEGORIES + 1
    return np.append(lookup, CATEGORIES + 2)[codes], CATEGORIES + 3


def _by_shape(texts: npt.NDArray[np.object_], codes: Codes) -> tuple[npt.NDArray[np.object_], Codes]:
    """Near-unique texts are compared by their shape and length: single values say nothing."""
    shapes = np.array([f"{shape_of(t)}|{min(len(t), 40)}" for t in texts], dtype=object)
    unique, place = np.unique(shapes, return_inverse=True)
    return unique, np.append(place, -1)[codes]
