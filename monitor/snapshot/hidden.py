"""A sample as it may be kept: what few rows share is drawn anew, so that no row's own value reaches the store.

Texts that at least twenty rows of the sample share stay; others become their shape in brackets. A number or time that
so many rows share stays too; the others are put in groups of at least twenty neighbours, and each row of a group gets a
value drawn between neighbours of the group: distributions and the dependence between columns stay, whose value it was
does not. The key's columns and those that the table ignores are left out. `show_values: true` keeps everything.

Both sides of a comparison go through this, so that it tells them apart by nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.privacy.redact import ROWS_MIN, Gate
from monitor.privacy.shapes import hidden_text, is_hidden
from monitor.types import Table

CERTAIN = 3 * ROWS_MIN
"""Rows of a text from which it is no matter of chance that another sample does not show it."""
DECIMALS_MAX = 6
_UNITS_US = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)

Numbers = npt.NDArray[np.float64]


def kept_columns(table: Table, names: Sequence[str]) -> list[str]:
    """Those of the columns that a sample keeps, in their order."""
    return [name for name in names if name not in table.ignore_columns and (table.show_values or name not in table.key)]


def hide(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as it may be kept; the same for the same frame.

    Args:
        table: whose privacy settings hold.
        frame: as `monitor.warehouses.frames.to_frame` describes it.
    """
    shown = frame[kept_columns(table, list(frame.columns))]
    if table.show_values:
        return shown
    gate = Gate(table)
    hidden = {name: _hide(shown[name], gate, f"{table.name}/{name}") for name in shown.columns}
    return pd.DataFrame(hidden, index=shown.index, columns=shown.columns)


def _hide(values: pd.Series[Any], gate: Gate, name: str) -> Any:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _hide_texts(values.array, gate)
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if pd.api.types.is_float_dtype(values.dtype):
        return _hide_numbers(values.to_numpy(), gate, random)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return _hide_times(values.to_numpy(), gate, random)
    return values  # booleans: two values, whose counts are told anyway


def _hide_texts(values: Any, gate: Gate) -> pd.Categorical:
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.categories))
    shown = [
        text if gate.passes(float(count)) and not is_hidden(text) else hidden_text(text)
        for text, count in zip(values.categories, counts, strict=True)
    ]
    return renamed(values, shown)


def renamed(values: Any, texts: Sequence[str]) -> pd.Categorical:
    """A categorical with another text for each category; categories that are now the same are one."""
    places: dict[str, int] = {}
    lookup = np.array([places.setdefault(text, len(places)) for text in texts] + [-1], dtype="int64")
    return pd.Categorical.from_codes(lookup[values.codes], categories=pd.Index(list(places), dtype="str"))


def _hide_numbers(values: Numbers, gate: Gate, random: np.random.Generator) -> Numbers:
    finite = np.isfinite(values)
    result = values.copy()
    result[finite] = _redraw(values[finite], gate.rows_min, random, _step_of(values[finite]))
    return result


def _hide_times(values: npt.NDArray[Any], gate: Gate, random: np.random.Generator) -> npt.NDArray[np.datetime64]:
    micros = values.astype("datetime64[us]")
    known = ~np.isnat(micros)
    ticks = micros[known].astype("int64")
    unit = next((u for u in _UNITS_US if not np.any(ticks % u)), 1)
    drawn = _redraw(ticks.astype("float64") / unit, gate.rows_min, random, 1.0)
    micros[known] = (np.round(drawn) * unit).astype("int64").astype("datetime64[us]")
    return micros


def _step_of(values: Numbers) -> float | None:
    """The power of ten that all values are multiples of: 0.01 for prices; None where they are as fine as floats are."""
    if not len(values) or np.abs(values).max() > 2.0**52:
        return None
    for decimals in range(DECIMALS_MAX + 1):
        scaled = values * 10.0**decimals
        if np.all(np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0)):
            return float(10.0**-decimals)
    return None


def _redraw(values: Numbers, rows_min: int, random: np.random.Generator, step: float | None) -> Numbers:
    """Each value that few rows share drawn between neighbours of its group; rows of a group change places."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    rare = np.flatnonzero(counts[place] < rows_min)
    if not len(rare):
        return values
    order = rare[np.argsort(values[rare], kind="stable")]
    ranked = values[order]
    upper = np.append(ranked[1:], ranked[-1])
    smooth = ranked + (upper - ranked) * random.random(len(ranked))
    group = np.minimum(np.arange(len(order)) // rows_min, max(len(order) // rows_min - 1, 0))
    shuffled = np.lexsort((random.random(len(order)), group))
    result = values.copy()
    result[order] = _rounded(smooth[shuffled], step)
    return result


def _rounded(values: Numbers, step: float | None) -> Numbers:
    if step is None:
        return values.astype("float32").astype("float64") if np.abs(values).max() < 1e38 else values
    scale = round(1.0 / step)
    return np.asarray(np.round(values * scale) / scale)


def reconcile(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Samples beside each other: a text that is shown in some of them by chance alone is hidden in all."""
    names = [n for n in frames[0].columns if all(n in f and _is_text(f[n]) for f in frames)]
    frames = [frame.copy(deep=False) for frame in frames]
    for name in names:
        counts = [_counts(frame[name].array) for frame in frames]
        doubtful = {
            text
            for told in counts
            for text in told
            if not is_hidden(text)
            and any(text not in other for other in counts)
            and max(other.get(text, 0) for other in counts) < CERTAIN
        }
        if doubtful:
            for frame in frames:
                texts = frame[name].array
                frame[name] = renamed(texts, [hidden_text(t) if t in doubtful else t for t in texts.categories])
    return frames


def _is_text(values: pd.Series[Any]) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _counts(values: Any) -> dict[str, int]:
    counted = np.bincount(values.codes[values.codes >= 0], minlength=len(values.categories))
    return {text: int(n) for text, n in zip(values.categories, counted, strict=True) if n}
