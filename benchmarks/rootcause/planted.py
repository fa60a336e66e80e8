"""Segments of one, two and three conditions planted into rows of real tables: which rows are bad is known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.detection import tables
from monitor.types import Column, ColumnKind

Mask = npt.NDArray[np.bool_]
TABLES = ("flights", "taxi", "retail", "beijing", "github")
ROWS = 10_000
CASES = 20
"""Of each table and number of conditions."""
SHARES = (0.2, 0.4, 0.7, 1.0)
"""Of the segment's rows that are bad."""
NOISE = (0.0, 0.005, 0.02)
"""Of the other rows that are bad."""
SIZES = {1: (0.01, 0.4), 2: (0.008, 0.25), 3: (0.006, 0.2)}
CUTS = 8


@dataclass(frozen=True)
class Case:
    """Rows of a table of which those inside `inside` were made bad, and some others."""

    table: str
    conditions: int
    share: float
    noise: float
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    bad: Mask
    inside: Mask


def rows_of(name: str) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Rows of a table drawn from all of its days, and what its columns are; without columns that are nearly unique."""
    frame = pd.read_parquet(tables.entry_named(name).path)
    frame = frame.sample(min(ROWS, len(frame)), random_state=0).reset_index(drop=True)
    made: dict[str, Any] = {}
    columns = []
    for label in map(str, frame.columns):
        values = frame[label]
        if pd.api.types.is_bool_dtype(values):
            kind, made[label] = ColumnKind.BOOLEAN, values.astype(object)
        elif pd.api.types.is_numeric_dtype(values):
            kind, made[label] = ColumnKind.NUMBER, values.astype(np.float64)
        elif pd.api.types.is_datetime64_any_dtype(values):
            kind, made[label] = ColumnKind.TIMESTAMP, values.dt.tz_localize(None).astype("datetime64[us]")
        else:
            kind, made[label] = ColumnKind.TEXT, values.map(lambda v: None if v is None else str(v)).astype("category")
        columns.append(Column(label, kind, kind.value))
    return pd.DataFrame(made), tuple(columns)


def cases(seed: int = 7, most: int = CASES) -> Iterator[Case]:
    """Planted segments of all tables."""
    for name in TABLES:
        frame, columns = rows_of(name)
        for conditions in SIZES:
            draw = np.random.default_rng([seed, conditions, *name.encode()])
            for _ in range(most):
                inside = _segment(draw, frame, columns, conditions)
                share, noise = float(draw.choice(SHARES)), float(draw.choice(NOISE))
                dice = draw.random(len(frame))
                bad = np.where(inside, dice < share, dice < noise)
                yield Case(name, conditions, share, noise, frame, columns, bad, inside)


def _segment(draw: np.random.Generator, frame: pd.DataFrame, columns: tuple[Column, ...], conditions: int) -> Mask:
    """A conjunction each of whose conditions leaves out a fifth of the rows that the others leave, and more."""
    low, high = SIZES[conditions]
    while True:
        inside = np.ones(len(frame), dtype=bool)
        for place in draw.permutation(len(columns))[:conditions]:
            mask = _condition(draw, frame, columns[place], inside)
            if mask is None or (inside & mask).sum() > 0.8 * inside.sum():
                break
            inside &= mask
        else:
            if low <= inside.mean() <= high:
                return inside


def _condition(draw: np.random.Generator, frame: pd.DataFrame, column: Column, inside: Mask) -> Mask | None:
    values = frame[column.name]
    missing: Mask = values.isna().to_numpy()
    if missing.any() and draw.random() < 0.15:
        return missing
    if column.kind is ColumnKind.TIMESTAMP:
        hours = values.dt.hour.to_numpy()
        if len(np.unique(hours)) < 6:
            return None
        start = draw.integers(0, 20)
        return np.asarray((hours >= start) & (hours < start + draw.integers(2, 8)))
    if column.kind is ColumnKind.NUMBER and values.nunique() > CUTS:
        numbers = values.to_numpy()
        a, b = np.sort(draw.choice(np.nanquantile(numbers, np.linspace(0, 1, CUTS + 1)), 2, replace=False))
        with np.errstate(invalid="ignore"):
            return np.asarray((numbers > a) & (numbers <= b)) if draw.random() < 0.5 else np.asarray(numbers > b)
    known = values[inside].dropna()
    if known.empty or (column.kind is ColumnKind.TEXT and values.nunique() > 0.3 * len(values)):
        return None
    chosen: Mask = (values.astype(object) == draw.choice(known.to_numpy(object))).to_numpy(bool)
    return chosen
