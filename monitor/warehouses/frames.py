"""Columns as samples bring them: which SQL reads them, and Arrow to pandas without a loop over rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from monitor.types import Column, ColumnKind, Table, TimeForm
from monitor.warehouses.constructs import (
    AsDouble,
    AsTimestamp,
    Expression,
    JsonText,
    LocalTime,
    ShortHash,
    TypedColumn,
    columns_of,
)
from monitor.warehouses.measures import text_of
from monitor.warehouses.times import IDS, Clock

TEXT_LENGTH_MAX = 4_096
_TIMES = frozenset({ColumnKind.TIMESTAMP, ColumnKind.DATE})
_ZONED = re.compile(r"TIMESTAMP(\(\d+\))? WITH (LOCAL )?TIME ZONE|TIMESTAMPTZ|TIMESTAMP_L?TZ", re.IGNORECASE)
_YEAR_1, _YEAR_10000 = (np.datetime64(year, "us").astype("int64") for year in ("0001-01-01", "10000-01-01"))


def is_zoned(column: Column) -> bool:
    """Whether the column's engine type is a time with zone."""
    return _ZONED.match(column.type) is not None


def reading_kind(table: Table, column: Column) -> ColumnKind:
    """What the column is in a frame: its kind, but a time where it is the table's time column in disguise."""
    time = table.time
    if time is not None and time.name == column.name and time.form not in IDS:
        return ColumnKind.TIMESTAMP
    return column.kind


def readable(table: Table, column: Column) -> Expression:
    """The SQL that reads `column` for a frame, under the column's own name."""
    return _read(table, column).label(sa.quoted_name(column.name, quote=True))


def _read(table: Table, column: Column) -> Expression:
    plain = columns_of([column.name])[0]
    kind = reading_kind(table, column)
    clock = Clock.of(table)
    if kind in _TIMES:
        if clock is not None and clock.name == column.name and clock.form is not TimeForm.DATE:
            return AsTimestamp(clock.local())
        zoned = LocalTime(plain, sa.literal(table.timezone)) if is_zoned(column) else plain
        return AsTimestamp(zoned)
    if kind is ColumnKind.NUMBER:
        return AsDouble(TypedColumn(column))
    if kind is ColumnKind.BOOLEAN:
        return plain
    if kind is ColumnKind.BINARY:
        return ShortHash(plain)
    if kind is ColumnKind.TEXT:
        text = text_of(column)
    else:
        text = JsonText(plain) if kind is ColumnKind.JSON else sa.cast(plain, sa.Text)
    return sa.func.left(text, sa.literal(TEXT_LENGTH_MAX))


def to_frame(arrow: pa.Table, kinds: Mapping[str, ColumnKind]) -> pd.DataFrame:
    """A frame of `arrow`'s columns.

    Args:
        arrow: columns as `readable` selects them.
        kinds: what each column is, by name (see `reading_kind`).

    Returns:
        NUMBER as float64 with NaN, BOOLEAN as object of True, False and None, times as datetime64[us] with NaT (also
        for infinity and outside of the years 1 to 9999), all else as Categorical of str.
    """
    values = {
        name: _values(column, kinds[name]) for name, column in zip(arrow.column_names, arrow.columns, strict=True)
    }
    return pd.DataFrame(values, index=pd.RangeIndex(arrow.num_rows), columns=list(arrow.column_names))


def kinds_of(table: Table, columns: Sequence[Column]) -> dict[str, ColumnKind]:
    """What each of `columns` is in a frame of `table`, by name."""
    return {column.name: reading_kind(table, column) for column in columns}


def _values(column: pa.ChunkedArray, kind: ColumnKind) -> npt.NDArray[Any] | pd.Categorical:
    if kind is ColumnKind.NUMBER:
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype="float64")
    if kind is ColumnKind.BOOLEAN:
        return np.asarray(column.cast(pa.bool_()).to_numpy(), dtype=object)
    if kind in _TIMES:
        return _times(column)
    return _categorical(column)


def _times(column: pa.ChunkedArray) -> npt.NDArray[np.datetime64]:
    micros = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    known = np.asarray(pc.is_valid(micros))
    values = np.asarray(pc.fill_null(micros, 0), dtype="int64")
    known &= (values >= _YEAR_1) & (values < _YEAR_10000)
    return np.where(known, values.astype("datetime64[us]"), np.datetime64("NaT", "us"))


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    categories = pd.Index(encoded.dictionary.to_pylist(), dtype="str")
    return pd.Categorical.from_codes(codes, categories=categories, validate=False)
