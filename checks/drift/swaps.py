"""Whether two columns have exchanged their values on some rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.features import shape_of

Array = npt.NDArray[np.float64]

SURE = 1.5
"""Log-likelihood from which a value is believed to be the other column's; both values of a row must be."""
BINS = 40
FREQUENT = 0.05
"""Share of a column's past rows from which a number has a bin of its own."""


def share_swapped(one: tuple[pd.Series, pd.Series], other: tuple[pd.Series, pd.Series]) -> float:
    """Share of today's rows in which each of two columns holds what the other usually does, beyond past days' share.

    Args:
        one: values of today and of past days, row by row beside those of the other column.
        other: likewise.

    >>> random = np.random.default_rng(0)
    >>> low, high = pd.Series(random.normal(0, 1, 1000)), pd.Series(random.normal(9, 1, 1000))
    >>> hit = np.arange(1000) < 100
    >>> share_swapped((low.where(~hit, high), low), (high.where(~hit, low), high))
    0.1
    """
    texts = [isinstance(side.dtype, pd.CategoricalDtype) for side in (one[0], other[0])]
    if texts[0] != texts[1]:
        return 0.0
    told = _text_gains(one, other) if texts[0] else _number_gains(one, other)
    today, past = (float((gains > SURE).mean()) if len(gains) else 0.0 for gains in told)
    return max(today - past, 0.0)


def _number_gains(one: tuple[pd.Series, pd.Series], other: tuple[pd.Series, pd.Series]) -> tuple[Array, Array]:
    sides = [[pd.to_numeric(v, errors="coerce").to_numpy(dtype=np.float64) for v in pair] for pair in (one, other)]
    known = np.concatenate([v[np.isfinite(v)] for pair in sides for v in pair])
    if len(known) < BINS:
        return np.zeros(0), np.zeros(0)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    single = np.unique(np.concatenate([_frequent(pair[1]) for pair in sides]))
    codes = [[_codes(v, edges, single) for v in pair] for pair in sides]
    return _gains(codes, len(edges) + len(single) + 1)


def _frequent(past: Array) -> Array:
    """Numbers that many rows have: a bin of them and their neighbours would hide that they came elsewhere."""
    values, counts = np.unique(past[np.isfinite(past)], return_counts=True)
    return np.asarray(values[counts >= FREQUENT * max(len(past), 1)])


def _codes(values: Array, edges: Array, single: Array) -> npt.NDArray[np.int64]:
    """Bins, those beyond either end with the last one there; frequent numbers by themselves; -1 where none is."""
    bins = np.clip(np.searchsorted(edges, values, side="right"), 1, max(len(edges) - 1, 1))
    place = np.clip(np.searchsorted(single, values), 0, max(len(single) - 1, 0))
    alone = single[place] == values if len(single) else np.zeros(len(values), dtype=bool)
    return np.where(np.isfinite(values), np.where(alone, len(edges) + place, bins), -1)


def _text_gains(one: tuple[pd.Series, pd.Series], other: tuple[pd.Series, pd.Series]) -> tuple[Array, Array]:
    """By single values where they come again, by their looks where they do not."""
    plain = [[v.astype(object) for v in pair] for pair in (one, other)]
    if max(pair[1].nunique() / max(len(pair[1]), 1) for pair in plain) > 0.3:
        plain = [[v.map(lambda t: shape_of(str(t)), na_action="ignore") for v in pair] for pair in plain]
    joined = pd.concat([v for pair in plain for v in pair], ignore_index=True)
    places = pd.factorize(joined)[0]
    cuts = np.cumsum([len(v) for pair in plain for v in pair])[:-1]
    pieces = np.split(places, cuts)
    return _gains([[pieces[0], pieces[1]], [pieces[2], pieces[3]]], int(places.max(initial=0)) + 1)


def _gains(codes: list[list[npt.NDArray[np.int64]]], size: int) -> tuple[Array, Array]:
    """By row of today and of the past: how much likelier the less sure of the two values is the other way round."""
    logs = []
    for _, past in codes:
        counts = np.bincount(past + 1, minlength=size + 1) + 0.3  # the first is that there is none, which also moves
        logs.append(np.log(counts / counts.sum()))
    told = []
    for a, b in zip(codes[0], codes[1], strict=True):
        told.append(np.minimum(logs[0][b + 1] - logs[0][a + 1], logs[1][a + 1] - logs[1][b + 1]))
    return told[0], told[1]
