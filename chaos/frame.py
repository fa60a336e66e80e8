"""A day's rows as a data frame: what kind its columns are, and how some of their values are replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from chaos.fault import ChaosError

Kind = Literal["number", "text", "time", "boolean", "other"]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class FrameDay:
    """A day about to be damaged. `frame` is a shallow copy: whole columns may be put in, values never overwritten.

    `inside` marks the rows of the segment, `hit` those that the fault's choice picked; both are positional.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]
    inside: Mask
    hit: Mask
    rng: np.random.Generator
    rows: float
    intensity: float
    yesterday: pd.DataFrame | None = None
    time_column: str | None = None

    @property
    def past(self) -> pd.DataFrame:
        """Yesterday's rows; ChaosError if they were not handed in."""
        if self.yesterday is None or self.yesterday.empty:
            raise ChaosError("the fault needs the rows of the day before", mend="hand them in as `yesterday`")
        return self.yesterday

    @property
    def moment_column(self) -> str:
        """The column that orders the day: the last of those given, else the table's time column."""
        if self.columns:
            return self.columns[-1]
        return self.partition_column

    @property
    def partition_column(self) -> str:
        """The table's time column; ChaosError if there is none."""
        if self.time_column is None:
            raise ChaosError("the fault needs a time column", mend="hand it in as `time_column`")
        return self.time_column


def kind_of(column: pd.Series[Any]) -> Kind:
    """What a column's values are, by its dtype and, for objects, by the first value."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return kind_of(pd.Series(dtype.categories)) if len(dtype.categories) else "text"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "time"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    known = column.dropna()
    first = known.iloc[0] if len(known) else ""
    if isinstance(first, (bool, np.bool_)):
        return "boolean"
    return "text" if isinstance(first, str) else "other"


def numbers(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The column as floats, NULL as NaN."""
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64", na_value=np.nan))


def objects(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The column as Python objects in a new array, NULL as None."""
    values = column.astype(object).to_numpy(dtype=object, copy=True)
    values[np.asarray(column.isna())] = None
    return np.asarray(values)


def spread(column: pd.Series[Any]) -> float:
    """The sample standard deviation of the known values; 0.0 for fewer than two."""
    values = numbers(column)
    values = values[np.isfinite(values)]
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def is_whole(column: pd.Series[Any]) -> bool:
    """Whether all known numbers are whole: such a column stays whole when damaged, as a warehouse's type would."""
    values = numbers(column)
    values = values[np.isfinite(values)]
    return bool(np.all(values == np.floor(values)))


def replace_where(column: pd.Series[Any], hit: Mask, values: Any) -> pd.Series[Any]:
    """A new column with `values` (a scalar or one for each hit row) at the hit rows; the dtype stays if it can."""
    kind = kind_of(column)
    if kind == "number" and not isinstance(column.dtype, pd.CategoricalDtype):
        changed = numbers(column).copy()
        changed[hit] = values
        return _as_number(column, changed)
    if kind == "time":
        times = column.to_numpy(copy=True)
        times[hit] = _as_times(values, times.dtype)
        return pd.Series(times, index=column.index, name=column.name)
    changed_objects = objects(column)
    changed_objects[hit] = values
    return _as_before(column, changed_objects)


def _as_times(values: Any, dtype: Any) -> Any:
    if np.ndim(values) == 0:
        return np.datetime64("NaT") if values is None or values is pd.NaT else pd.Timestamp(values).to_datetime64()
    return pd.to_datetime(pd.Series(values, dtype=object)).to_numpy(dtype=dtype)


def _as_number(column: pd.Series[Any], values: np.ndarray[Any, Any]) -> pd.Series[Any]:
    whole = pd.api.types.is_integer_dtype(column.dtype) and np.isfinite(values).all()
    if whole and (values == np.floor(values)).all():
        return pd.Series(values.astype("int64"), index=column.index, name=column.name)
    return pd.Series(values, index=column.index, name=column.name)


def _as_before(column: pd.Series[Any], values: np.ndarray[Any, Any]) -> pd.Series[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical(values), index=column.index, name=column.name)
    dtype = column.dtype if isinstance(column.dtype, pd.StringDtype) else object
    return pd.Series(values, index=column.index, name=column.name, dtype=dtype)


def differing(before: pd.DataFrame, after: pd.DataFrame) -> Mask:
    """Which rows differ between two frames of the same rows; a column that only one has differs everywhere."""
    differs = np.zeros(len(before), dtype=bool)
    if set(before.columns) != set(after.columns):
        return ~differs
    for name in before.columns:
        if before[name] is not after[name]:
            differs |= _differing_values(before[name], after[name])
    return differs


def _differing_values(before: pd.Series[Any], after: pd.Series[Any]) -> Mask:
    if kind_of(before) == "number" and kind_of(after) == "number":
        a, b = numbers(before), numbers(after)
        return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))
    one, other = objects(before), objects(after)
    return np.fromiter((x != y for x, y in zip(one, other, strict=True)), dtype=bool, count=len(one))


def rewrite(values: Callable[[FrameDay, str, pd.Series[Any]], Any]) -> Callable[[FrameDay], pd.DataFrame]:
    """A frame twin that gives the hit rows of each column new values: `values(day, column, old values)`."""

    def damage(day: FrameDay) -> pd.DataFrame:
        frame = day.frame.copy(deep=False)
        for name in day.columns:
            old = day.frame[name]
            frame[name] = replace_where(old, day.hit, values(day, name, old[day.hit]))
        return frame

    return damage


def with_rows(frame: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """`frame` and after it `more`, with the columns and kinds of the first."""
    positions = {name: pd.concat([_plain(frame[name]), _plain(more[name])], ignore_index=True) for name in frame}
    joined = pd.DataFrame(positions)
    for name in frame:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            joined[name] = joined[name].astype("category")
    return joined


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
