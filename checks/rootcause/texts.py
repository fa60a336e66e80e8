"""What texts have in common: how they begin, how they end, how long they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

PARTS_MAX = 60
"""Beginnings or endings that are looked at, the most frequent ones."""
ROWS_MIN = 20
TEXTS_MIN = 8
SHORT_MAX = 3
_WORD = re.compile(r"^[^\W\d_]+[\W_]|^[^\W\d_]+(?=\d)")
_END = re.compile(r"[\W_][^\W_]{1,8}$")

Pattern = tuple[str, npt.NDArray[np.int32], Sequence[Any] | npt.NDArray[np.float64], npt.NDArray[np.float64] | None]
"""Kind, code by row, labels, and raw numbers of an ordered kind."""


def patterns(values: pd.Series) -> Iterator[Pattern]:
    """Beginnings, endings and lengths of a categorical's texts, where several values share them."""
    texts = [str(text) for text in values.cat.categories]
    if len(texts) < TEXTS_MIN:
        return
    codes = values.cat.codes.to_numpy()
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    known, places = np.unique(lengths, return_inverse=True)
    if 1 < len(known) <= PARTS_MAX:
        raw = np.where(codes >= 0, lengths[codes], np.nan)
        yield "lengths", np.where(codes >= 0, places[codes], len(known)).astype(np.int32), known, raw
    rows = np.bincount(codes[codes >= 0], minlength=len(texts))
    yield from _shared("prefix", _beginnings(texts), codes, rows)
    yield from _shared("suffix", _endings(texts), codes, rows)


def _beginnings(texts: Sequence[str]) -> Iterator[list[str]]:
    yield [m.group() if (m := _WORD.match(text)) else "" for text in texts]
    for size in range(1, SHORT_MAX + 1):
        yield [text[:size] if len(text) > size else "" for text in texts]


def _endings(texts: Sequence[str]) -> Iterator[list[str]]:
    yield [m.group() if (m := _END.search(text)) else "" for text in texts]
    for size in range(1, SHORT_MAX + 1):
        yield [text[-size:] if len(text) > size else "" for text in texts]


def _shared(
    kind: str, cuts: Iterator[list[str]], codes: npt.NDArray[Any], rows: npt.NDArray[np.intp]
) -> Iterator[Pattern]:
    """Parts that several values have; the same one is told once."""
    seen: set[str] = set()
    for cut in cuts:
        names, places = np.unique(np.array(cut, dtype=object).astype(str), return_inverse=True)
        values, weights = np.bincount(places), np.bincount(places, rows)
        kept = [
            k
            for k in np.argsort(-weights, kind="stable")[:PARTS_MAX]
            if names[k] and names[k] not in seen and values[k] > 1 and weights[k] >= ROWS_MIN and len(values) > 1
        ]
        seen |= {str(names[k]) for k in kept}
        if not kept:
            continue
        place = np.full(len(names), len(kept), dtype=np.int32)
        place[kept] = np.arange(len(kept))
        by_value = np.append(place[places], len(kept)).astype(np.int32)  # the last one, -1, is missing
        yield kind, by_value[codes], [str(names[k]) for k in kept], None
