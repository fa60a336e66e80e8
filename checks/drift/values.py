"""Columns as plain arrays, for what compares rows: equal values as codes, numbers and times as numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def codes_of(values: pd.Series) -> Codes:
    """Equal values have equal codes; -1 is NULL."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes.to_numpy(), dtype=np.int64)
    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def numbers_of(values: pd.Series) -> Array | None:
    """Numbers, and times as seconds, NaN for NULL; None of other kinds."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return seconds_of(values)
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return None
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def seconds_of(values: pd.Series) -> Array:
    """Times as seconds since 1970, NaN for NULL."""
    stamps = values.to_numpy().astype("datetime64[us]")
    return np.asarray(np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6))
