"""Rows as numbers that a person can be told: values, missingness, frequency, length and shape, time of day.

Every feature belongs to one column and can be said in a sentence ("how long the text of `tailnum` is"). No embeddings,
no projections: what the model uses is what the alert says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.values import seconds_of
from monitor.types import Column, ColumnKind

CATEGORIES_MAX = 60
"""Categories that get a code of their own; the rest share one."""
SHAPES_MAX = 30
DAY_S = 86_400.0
_LARGEST = float(np.finfo(np.float32).max)

_SIGNS = str.maketrans(ascii_uppercase + ascii_lowercase + digits, 26 * "A" + 26 * "a" + 10 * "9")
_RUNS = tuple((re.compile(f"{symbol}{symbol}+"), symbol) for symbol in "Aa9")


@dataclass(frozen=True)
class Features:
    """A matrix of F features over N rows: `matrix` (N, F) float32 with NaN for NULL.

    `names` and `columns` have one entry a feature: what it is, and the table's column it was made of; `categorical`
    are the indices whose values are codes without order.
    """

    matrix: npt.NDArray[np.float32]
    names: tuple[str, ...]
    columns: tuple[str, ...]
    categorical: tuple[int, ...]


@dataclass(frozen=True)
class _Feature:
    name: str
    values: npt.NDArray[np.float32]
    categorical: bool = False


def encode(
    frame: pd.DataFrame, columns: Sequence[Column], starts: npt.NDArray[np.float64], time_column: str | None = None
) -> Features:
    """Encode today's and past rows together, so that both sides share codes and frequencies.

    Args:
        frame: rows of both sides, one after the other.
        columns: which columns, and of which kind.
        starts: the start of each row's own partition in seconds since 1970, shape (N,); NaN for id partitions.
        time_column: the column that makes the partition; only its time of day may speak.
    """
    features: list[tuple[str, _Feature]] = []
    for column in columns:
        own = column.name == time_column
        features += [(column.name, f) for f in _encode_column(frame[column.name], column.kind, starts, own)]
    if not features:
        return Features(np.zeros((len(frame), 0), np.float32), (), (), ())
    return Features(
        np.column_stack([f.values for _, f in features]),
        tuple(f.name for _, f in features),
        tuple(column for column, _ in features),
        tuple(i for i, (_, f) in enumerate(features) if f.categorical),
    )


def _encode_column(values: pd.Series, kind: ColumnKind, starts: npt.NDArray[np.float64], own: bool) -> list[_Feature]:
    match kind:
        case ColumnKind.DATE | ColumnKind.TIMESTAMP:
            return _times(values, starts, own)
        case ColumnKind.NUMBER if own:
            return []
        case ColumnKind.NUMBER:
            return [_Feature("value", _single(values.to_numpy(dtype=np.float64, na_value=np.nan)))]
        case ColumnKind.BOOLEAN:
            return [_Feature("value", pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float32))]
        case _:
            return _texts(values) if isinstance(values.dtype, pd.CategoricalDtype) else []


def _single(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """In single precision; what lies beyond it, infinities included, becomes its largest number."""
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)


def _times(values: pd.Series, starts: npt.NDArray[np.float64], own: bool) -> list[_Feature]:
    seconds = seconds_of(values)
    clock = np.mod(seconds, DAY_S)
    features = []
    if np.nanmax(clock, initial=0.0) > 0:
        features.append(_Feature("time of day", clock.astype(np.float32)))
    if not own:
        lag = (seconds - starts) / DAY_S if np.isfinite(starts).all() else seconds / DAY_S
        features.append(_Feature("distance from the row's day", lag.astype(np.float32)))
    return features


def _texts(values: pd.Series) -> list[_Feature]:
    codes = values.cat.codes.to_numpy()
    texts = values.cat.categories.astype(str).to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(texts)) if len(texts) else np.zeros(0, np.int64)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    features = [_Feature("value", _take(np.minimum(rank, CATEGORIES_MAX), codes), categorical=True)]
    if int((counts > 0).sum()) <= CATEGORIES_MAX:
        return features
    lengths = np.array([len(t) for t in texts], dtype=np.float32)
    return [
        *features,
        _Feature("frequency", _take(np.log1p(counts), codes)),
        _Feature("length", _take(lengths, codes)),
        _Feature("shape", _take(_shape_codes(texts, counts), codes), categorical=True),
    ]


def _take(by_category: npt.NDArray[np.number], codes: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
    padded = np.append(np.asarray(by_category, dtype=np.float32), np.float32(np.nan))
    return np.asarray(padded[codes], dtype=np.float32)


def _shape_codes(texts: npt.NDArray[np.object_], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    shapes = pd.Series([shape_of(t) for t in texts])
    totals = pd.Series(counts).groupby(shapes.to_numpy()).sum().sort_values(ascending=False, kind="stable")
    rank = {shape: min(i, SHAPES_MAX) for i, shape in enumerate(totals.index)}
    return np.array([rank[s] for s in shapes], dtype=np.int64)


def shape_of(text: str) -> str:
    """The pattern of a text: runs of capitals, small letters and digits become one character each.

    >>> shape_of("N14228"), shape_of("Sãos Paulo, 22")
    ('A9', 'Aãa Aa, 9')
    """
    shaped = text[:60].translate(_SIGNS)
    for run, symbol in _RUNS:
        shaped = run.sub(symbol, shaped)
    return shaped[:24]
