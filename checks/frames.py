"""The measures of a partition computed on a frame: the twin of the warehouse's fused SELECT.

Used where rows are at hand and no warehouse is: day-versus-day on two frames, benchmarks, and as the oracle that the
SQL of every engine is tested against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.types import Column, ColumnKind, Grouped, Groups, Key, Measure


def missing_mask(values: pd.Series) -> npt.NDArray[np.bool_]:
    """NULLs, and for text also '' and blanks."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        blank = np.append(_are_blank(values), True)
        return np.asarray(blank[values.cat.codes.to_numpy()])
    return np.asarray(values.isna().to_numpy(), dtype=bool)


def blank_mask(values: pd.Series) -> npt.NDArray[np.bool_]:
    """'' and blanks of a text column, not its NULLs; none where its texts are read as times."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return np.zeros(len(values), dtype=bool)
    return np.asarray(np.append(_are_blank(values), False)[values.cat.codes.to_numpy()])


def _are_blank(values: pd.Series) -> npt.NDArray[np.bool_]:
    """By category, whether it is '' or blanks."""
    return np.asarray(values.cat.categories.astype("str").str.strip() == "", dtype=bool)


def numbers_of(values: pd.Series, kind: ColumnKind) -> npt.NDArray[np.float64]:
    """Finite numbers of a column: values, or seconds since 1970 of times; NULLs, NaN and infinities are left out."""
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        stamps = values.dropna().to_numpy().astype("datetime64[us]").astype(np.float64) / 1e6
        return np.asarray(stamps)
    array = np.asarray(pd.to_numeric(values, errors="coerce"), dtype=np.float64)
    return array[np.isfinite(array)]


def row_hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """One hash a row over all columns; equal rows have equal hashes."""
    return np.asarray(pd.util.hash_pandas_object(frame, index=False).to_numpy())


def measure_frame(
    frame: pd.DataFrame,
    measures: Sequence[Measure],
    columns: Sequence[Column],
    time_column: str | None = None,
    start: dt.datetime | None = None,
) -> dict[Measure, float | None]:
    """Values of `measures` over the rows of `frame`; None where SQL would give NULL.

    Args:
        frame: rows of one partition, in the types that a warehouse's sample has.
        measures: which aggregates; `count_where` and `expression` need SQL and are not computed here (KeyError).
        columns: the catalog, for the kind of each column.
        time_column: for `time_min` and `time_max`.
        start: the partition's start, likewise.
    """
    kinds = {c.name: c.kind for c in columns}
    cache: dict[str, npt.NDArray[np.float64]] = {}

    def numbers(name: str) -> npt.NDArray[np.float64]:
        if name not in cache:
            cache[name] = numbers_of(frame[name], kinds[name])
        return cache[name]

    return {m: _measure(frame, m, numbers, time_column, start) for m in measures}


def _measure(  # noqa: C901 - one case a measure
    frame: pd.DataFrame,
    m: Measure,
    numbers: Callable[[str], npt.NDArray[np.float64]],
    time_column: str | None,
    start: dt.datetime | None,
) -> float | None:
    match m.kind:
        case "rows":
            return float(len(frame))
        case "nulls":
            return float(missing_mask(frame[m.column]).sum())
        case "empty":
            return float(blank_mask(frame[m.column]).sum())
        case "zeros":
            return float((numbers(m.column) == 0).sum())
        case "true":
            return float((frame[m.column] == True).sum())  # noqa: E712 - an object column: NULL is neither
        case "nonfinite":
            return float(np.isinf(frame[m.column].to_numpy(dtype=np.float64)).sum())
        case "mean" | "stddev" | "min" | "max" | "quantile":
            return _number(numbers(m.column), m)
        case "length_mean":
            return _length_mean(frame[m.column])
        case "distinct" | "distinct_exact":
            return float(frame[m.column].nunique())
        case "duplicate_rows":
            return float(len(frame) - len(np.unique(row_hashes(frame))))
        case "duplicate_keys":
            return float(frame.duplicated(subset=m.argument.split("\t")).sum())
        case "time_min" | "time_max":
            return _time_edge(frame, m.kind, time_column, start)
    raise KeyError(m.kind)


def _number(values: npt.NDArray[np.float64], m: Measure) -> float | None:
    if len(values) == 0 or (m.kind == "stddev" and len(values) < 2):
        return None
    match m.kind:
        case "mean":
            return float(values.mean())
        case "stddev":
            return float(values.std(ddof=1))
        case "min":
            return float(values.min())
        case "max":
            return float(values.max())
        case _:
            return float(np.quantile(values, float(m.argument)))


def _length_mean(values: pd.Series) -> float | None:
    lengths = np.array([len(str(v)) for v in values.cat.categories] + [0], dtype=np.float64)
    codes = values.cat.codes.to_numpy()
    return float(lengths[codes[codes >= 0]].mean()) if (codes >= 0).any() else None


def _time_edge(frame: pd.DataFrame, edge: str, time_column: str | None, start: dt.datetime | None) -> float | None:
    if time_column is None or start is None or len(frame) == 0:
        return None
    stamps = frame[time_column].dropna()
    if len(stamps) == 0:
        return None
    moment = stamps.min() if edge == "time_min" else stamps.max()
    return float((moment - pd.Timestamp(start.replace(tzinfo=None))).total_seconds())


def group_frame(frame: pd.DataFrame, groups: Groups, seed: int = 0) -> Grouped:
    """Rows of a frame by group, as a warehouse counts them; statistics, which need SQL, are random numbers."""
    if groups.clock:
        times = pd.to_datetime(frame[groups.clock], errors="coerce")
        by = [(times.dt.hour * 4 + times.dt.minute // 15).rename(groups.clock)]
    else:
        by = [frame[name].astype(object) for name in groups.columns]
    random = np.random.default_rng(seed)
    counted = frame.groupby(by, dropna=False, sort=False).size().sort_values(ascending=False, kind="stable")
    found: dict[Key | str, tuple[float | None, ...]] = {}
    for values, rows in counted.iloc[: groups.groups_max].items():
        key = tuple(_plain(v) for v in (values if isinstance(values, tuple) else (values,)))
        found[key] = (float(rows), *(float(random.normal(10.0, 1.0)) for _ in groups.statistics))
    return Grouped(float(len(frame)), found)


def _plain(value: object) -> str | float | bool | None:
    if pd.isna(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        return int(number) if number.is_integer() else number
    return value.isoformat() if isinstance(value, dt.date) else str(value)
