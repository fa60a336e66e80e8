"""How values are written, apart from what they are: decimals of numbers, letters and blanks of texts, grain of times.

On most tables the way of writing is far steadier from day to day than the values, so a share of rounded numbers, of
texts in capitals or of times without their minutes stands out where the values themselves vary.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.types import ColumnKind

Codes = npt.NDArray[np.int64]
NULL_FORM = 0
DECIMALS_MAX = 4
_MARKS = (
    re.compile(r"[a-z]"),
    re.compile(r"[A-Z]"),
    re.compile(r"[0-9]"),
    re.compile(r"[^\x00-\x7f]"),
    re.compile(r"^\s|\s$|\s\s|[\x00-\x1f\x7f]"),
    re.compile(r"[-/:.,;_]"),
)
TEXT_FORMS = 2 ** len(_MARKS) + 2
NUMBER_FORMS = 2 * (DECIMALS_MAX + 5) + 1
TIME_FORMS = 7


def form_codes(values: pd.Series, kind: ColumnKind) -> tuple[Codes, int] | None:
    """The form of each value as a code, 0 for NULL, and how many codes there are; None for kinds without forms.

    Numbers: how many decimals, or by which power of ten they can be divided, and their sign. Texts: which sorts of
    characters they hold. Times: whole days, hours, minutes, seconds, or finer.
    """
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        return _time_forms(values), TIME_FORMS
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _text_forms(values), TEXT_FORMS
    if kind is ColumnKind.NUMBER:
        return _number_forms(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)), NUMBER_FORMS
    return None


def _number_forms(values: npt.NDArray[np.float64]) -> Codes:
    known = np.isfinite(values)
    size = np.abs(np.where(known, values, 0.0))
    grains = [100.0, 10.0, 1.0, *(10.0**-d for d in range(1, DECIMALS_MAX + 1))]
    form = np.full(len(values), len(grains) + 1, dtype=np.int64)  # finer than all
    for place in range(len(grains) - 1, -1, -1):
        scaled = size / grains[place]
        whole = np.round(scaled)
        form[(whole > 0) & (np.abs(scaled - whole) <= 1e-9 * whole)] = place + 1
    form[size == 0] = len(grains) + 2
    signed = np.where(values < 0, form + DECIMALS_MAX + 5, form)
    return np.asarray(np.where(known, np.minimum(signed, NUMBER_FORMS - 1), NULL_FORM))


def _text_forms(values: pd.Series) -> Codes:
    forms = [form_of_text(str(text)) for text in values.cat.categories]
    return np.asarray(np.array([*forms, NULL_FORM], dtype=np.int64)[values.cat.codes.to_numpy()])


def form_of_text(text: str) -> int:
    """Which sorts of characters a text holds, as a number from 1 on; 1 is the empty text.

    >>> form_of_text("JFK") == form_of_text("LGA"), form_of_text("JFK") == form_of_text("jfk")
    (True, False)
    """
    return 1 + sum(1 << place for place, mark in enumerate(_MARKS) if mark.search(text))


def _time_forms(values: pd.Series) -> Codes:
    stamps = values.to_numpy().astype("datetime64[us]")
    missing = np.isnat(stamps)
    micros = np.where(missing, 0, stamps.astype(np.int64))
    form = np.full(len(micros), TIME_FORMS - 1, dtype=np.int64)
    for place, grain in ((5, 1_000), (4, 1_000_000), (3, 60_000_000), (2, 3_600_000_000), (1, 86_400_000_000)):
        form[micros % grain == 0] = place
    form[missing] = NULL_FORM
    return form
