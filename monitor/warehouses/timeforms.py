"""Telling how a time column says when, from its type and values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.errors import UsageError
from monitor.types import Column, ColumnKind, TimeForm
from monitor.warehouses.frames import is_zoned
from monitor.warehouses.times import UNITS

SHARE_MIN = 0.95
_YEARS_S = (631_152_000, 4_102_444_800)  # 1990 to 2100


def form_of_type(column: Column, where: str) -> TimeForm | None:
    """The form that the type alone decides; None for numbers and texts, whose values decide.

    Raises:
        UsageError: a column of this type says no time.
    """
    if column.kind is ColumnKind.DATE:
        return TimeForm.DATE
    if column.kind is ColumnKind.TIMESTAMP:
        return TimeForm.TIMESTAMPTZ if is_zoned(column) else TimeForm.TIMESTAMP
    if column.kind in {ColumnKind.NUMBER, ColumnKind.TEXT}:
        return None
    raise UsageError(
        f"column `{column.name}` of type {column.type} cannot say when a row belongs to",
        where=where,
        mend="name a date, a time, a number or a text as time_column",
    )


def form_of_unit(column: Column, unit: str, where: str) -> TimeForm:
    """The form of numbers that count `unit` (`s`, `ms` or `us`) since 1970.

    Raises:
        UsageError: the unit is unknown, or the column has no numbers.
    """
    units = [form.value for form in UNITS]
    if unit not in units:
        raise UsageError(f"`{unit}` is no time_unit", where=where, mend=f"take one of {', '.join(units)}")
    if column.kind is not ColumnKind.NUMBER:
        what = f"time_unit is for numbers, and `{column.name}` is {column.type}"
        raise UsageError(what, where=where, mend="remove time_unit")
    return TimeForm(unit)


def form_of_numbers(values: npt.NDArray[np.float64]) -> TimeForm:
    """The epoch unit in which nearly all values are times from 1990 to 2100, or an id.

    Numbers that read as dates (20130208, 2013020805) are ids: they grow, but do not count anything.

    >>> form_of_numbers(np.array([1.36e12, 1.37e12])).name, form_of_numbers(np.array([20130208.0])).name
    ('EPOCH_MS', 'INTEGER_ID')
    """
    known = values[np.isfinite(values)]
    if len(known) == 0 or _share(_reads_as_hour(known)) >= SHARE_MIN:
        return TimeForm.INTEGER_ID
    for form, unit in UNITS.items():
        if _share((known >= _YEARS_S[0] * unit) & (known < _YEARS_S[1] * unit)) >= SHARE_MIN:
            return form
    return TimeForm.INTEGER_ID


def form_of_texts(parsed: int, known: int) -> TimeForm:
    """ISO_TEXT where at least 95% of the `known` texts were `parsed` as times (or none is known), else an id."""
    return TimeForm.ISO_TEXT if parsed >= SHARE_MIN * known else TimeForm.TEXT_ID


def _reads_as_hour(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which values read as yyyymmddhh; such numbers would also pass as seconds since 1970."""
    year, month = values // 1_000_000, values // 10_000 % 100
    day, hour = values // 100 % 100, values % 100
    dated = (year >= 1990) & (year < 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    whole: npt.NDArray[np.bool_] = dated & (hour < 24) & (values % 1 == 0)
    return whole


def _share(truths: npt.NDArray[np.bool_]) -> float:
    return float(truths.mean())
