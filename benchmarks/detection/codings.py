"""Columns as small whole numbers, so that a day is a histogram: the oracle's view of values, forms and pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.forms import form_codes
from checks.frames import missing_mask
from monitor.types import Column, ColumnKind

Codes = npt.NDArray[np.int64]
VALUES_MAX = 60
SHARE_MIN = 0.004
"""A value that this part of past rows has gets a place of its own."""
EDGES = (0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
COARSE = 8


class Coding:
    """Codes for one column, learnt from past days: missing, frequent values, others by range or by being known.

    Times are read as seconds since their day began, numbers with `centred` as what they differ from their day's median.
    `outside` are the codes of what the past never had.
    """

    def __init__(
        self, column: Column, past: Sequence[tuple[pd.Timestamp, pd.Series]], *, centred: bool = False
    ) -> None:
        self.kind = column.kind
        self.centred = centred
        pooled = np.concatenate([self._plain(values, day) for day, values in past])
        known = pooled[~pd.isna(pooled)]
        counts = pd.Series(known).value_counts()
        frequent = counts[counts >= max(SHARE_MIN * len(known), 2)].index[:VALUES_MAX]
        self.values = {value: place + 1 for place, value in enumerate(frequent)}
        self.edges: npt.NDArray[np.float64] | None = None
        self.seen: set[object] = set()
        if self.kind in (ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.JSON, ColumnKind.OTHER):
            self.seen = set(counts.index)
            self.size = len(self.values) + 3
        else:
            numbers = known.astype(np.float64)
            self.edges = np.unique(np.quantile(numbers, EDGES)) if len(numbers) else np.zeros(1)
            self.size = len(self.values) + len(self.edges) + 2
        self.outside = (self.size - 1,) if self.edges is None else (len(self.values) + 1, self.size - 1)
        self.coarse = _coarse(counts.reindex(frequent), self.size, len(known), self.edges is not None)

    def _plain(self, values: pd.Series, day: pd.Timestamp) -> npt.NDArray[np.object_]:
        if self.kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
            return np.asarray((values - day).dt.total_seconds())
        if self.kind is ColumnKind.NUMBER:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            return np.asarray(numbers - (np.nanmedian(numbers) if self.centred and np.isfinite(numbers).any() else 0.0))
        plain = values.astype(object).to_numpy(copy=True)
        plain[missing_mask(values)] = None
        return np.asarray(plain)

    def of(self, values: pd.Series, day: pd.Timestamp) -> Codes:
        """(N,) a code below `size` for each row; 0 is missing."""
        plain = self._plain(values, day)
        if self.edges is None:
            places, uniques = pd.factorize(plain)
            rest = len(self.values) + 1
            codes = np.array([self.values.get(v, rest + (v not in self.seen)) for v in uniques] + [0], dtype=np.int64)
            return np.asarray(codes[places])
        ranged = np.searchsorted(self.edges, plain, side="right") + len(self.values) + 1
        frequent = pd.Series(plain).map(self.values).to_numpy(dtype=np.float64, na_value=np.nan)
        told = np.where(np.isnan(frequent), ranged, np.nan_to_num(frequent))
        return np.where(np.isnan(plain), 0, told).astype(np.int64)


class FormCoding:
    """The same for how values are written."""

    def __init__(self, column: Column, values: pd.Series) -> None:
        self.kind = column.kind
        found = form_codes(values, column.kind)
        self.size = found[1] if found else 0
        self.outside: tuple[int, ...] = ()
        self.coarse = np.arange(self.size)

    def of(self, values: pd.Series, _day: pd.Timestamp) -> Codes:
        """(N,) a code below `size` for each row."""
        if self.kind in (ColumnKind.TEXT, ColumnKind.JSON) and not isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype("category")
        found = form_codes(values, self.kind)
        return np.zeros(len(values), np.int64) if found is None else np.asarray(found[0])


class ShapeCoding:
    """The same for the shape of texts: letters and digits by their sort, so that `2013-02-08` is `9999-99-99`."""

    def __init__(self, past: Sequence[tuple[pd.Timestamp, pd.Series]]) -> None:
        shapes = pd.concat([_shapes(values) for _, values in past], ignore_index=True).value_counts()
        self.places = {shape: place for place, shape in enumerate(shapes.index[:VALUES_MAX])}
        self.size = len(self.places) + 1
        self.outside = (self.size - 1,)
        self.coarse = np.minimum(np.arange(self.size), COARSE)

    def of(self, values: pd.Series, _day: pd.Timestamp) -> Codes:
        """(N,) a code below `size` for each row; the last for shapes that are new or rare."""
        places: Codes = _shapes(values).map(self.places).fillna(self.size - 1).to_numpy(dtype=np.int64)
        return places


def _shapes(values: pd.Series) -> pd.Series:
    places, uniques = pd.factorize(values.astype(object))
    short = pd.Series(uniques, dtype=str).str.slice(0, 40)
    shapes = short.str.replace(r"[0-9]", "9", regex=True).str.replace(r"[a-z]", "a", regex=True)
    shapes = shapes.str.replace(r"[A-Z]", "A", regex=True).str.slice(0, 20)
    return pd.Series(np.array([*shapes, ""], dtype=object)[places])


def histogram(codes: Codes, size: int) -> npt.NDArray[np.float64]:
    """(size,) the share of rows with each code."""
    return np.bincount(np.clip(codes, 0, size - 1), minlength=size) / max(len(codes), 1)


def _coarse(frequent: pd.Series, size: int, rows: int, ranged: bool) -> Codes:
    """A few codes instead of many, for pairs of columns: the most frequent values, ranges joined by twos and more."""
    kept = len(frequent)
    told = np.full(size, COARSE - 1, dtype=np.int64)
    told[0] = 0
    own = min(kept, 3 if ranged and frequent.sum() < 0.8 * rows else COARSE - 3)
    told[1 : own + 1] = np.arange(1, own + 1)
    if ranged:
        ranges = np.arange(size - kept - 1)
        told[kept + 1 :] = own + 1 + ranges * (COARSE - own - 1) // max(len(ranges), 1)
    told[size - 1] = COARSE if not ranged else told[size - 1]
    return told
