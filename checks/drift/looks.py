"""Looks at single columns and whole rows beside the model, where no other column can mask them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.forms import form_codes
from checks.drift.marginal import (
    beyond,
    come_again,
    crowd,
    divergence,
    divergence_noise,
    novelty,
    seen_before,
    unseen,
)
from checks.drift.relations import Coded, by_column, odd_pairs
from checks.drift.repeats import column_hashes, nearly_twice, share_repeated
from checks.drift.tales import tale_gain
from checks.drift.values import codes_of
from monitor.types import Column, ColumnKind, SampleSet, Table


def look_at(
    values: pd.Series,
    coded: tuple[npt.NDArray[np.int64], int],
    kind: ColumnKind,
    is_today: npt.NDArray[np.bool_],
    bounds: Sequence[int],
    *,
    tells_the_day: bool = False,
) -> dict[str, tuple[float, float]]:
    """Scores of one column's values alone, each with what chance makes of it.

    `marginal` (nats of its histogram), `form` (nats of how values are written), `tale` (nats a row that the best simple
    tale gains), `beyond` (share of rows beyond all past days), `crowd` (share of rows that the most crowded value
    has), `novel` (share of rows whose value is new; texts, and numbers whose values come again), `old` (share of rows
    whose value past days had; texts that tell the day).

    Args:
        values: of both sides, as they are.
        coded: codes of the same as they are compared, and the number of codes (see `code_column`).
        kind: of the column.
        is_today: (N,) which rows are today's; they come first.
        bounds: where each day begins, and the end.
        tells_the_day: an id or a part of the date, of which only the place in its own day can be compared.
    """
    today, past = int(is_today.sum()), int((~is_today).sum())
    texts = isinstance(values.dtype, pd.CategoricalDtype)
    found: dict[str, tuple[float, float]] = {"crowd": (crowd(values[is_today]), 0.0)}
    if not tells_the_day or kind is ColumnKind.NUMBER:
        codes, bins = coded
        by_day = [codes[a:b] for a, b in pairwise(bounds)]
        chance = divergence_noise(len(np.unique(codes)), today, past)
        found["marginal"] = (divergence(codes[is_today], codes[~is_today], bins), chance)
        found["beyond"] = (beyond(by_day[0], by_day[1:], bins), 0.0)
    written = form_codes(values, kind)
    if written is not None:
        forms, size = written
        chance = divergence_noise(len(np.unique(forms)), today, past)
        found["form"] = (divergence(forms[is_today], forms[~is_today], size), chance)
    if tells_the_day:
        return {**found, "old": (seen_before(values, is_today), 0.0)} if texts else found
    if kind is ColumnKind.NUMBER:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
        found["tale"] = (tale_gain(numbers[is_today], numbers[~is_today]), 0.0)
        if come_again(numbers[~is_today]):
            found["novel"] = (unseen(numbers[is_today], numbers[~is_today]), 0.0)
    if texts:
        found["novel"] = (novelty(values, is_today), 0.0)
    return found


def relations_of(
    both: pd.DataFrame,
    columns: Sequence[Column],
    coded: Mapping[str, tuple[npt.NDArray[np.int64], int]],
    is_today: npt.NDArray[np.bool_],
    seed: int,
) -> dict[str, float]:
    """By column that goes together with others: the share of today's rows in which it does not."""
    binned = [_binned(*coded[c.name], c.kind) for c in columns]
    exact = [_exact(both[c.name], c.kind, is_today) for c in columns]
    told = by_column(odd_pairs(binned, exact, is_today, seed), len(columns))
    return {columns[place].name: share for place, share in told.items()}


def _binned(codes: npt.NDArray[np.int64], size: int, kind: ColumnKind) -> Coded:
    """The histogram's codes; NULL is the last of them, of texts after values that are new."""
    last = size - 2 if kind in (ColumnKind.TEXT, ColumnKind.JSON) else size - 1
    return Coded(codes, size, codes < last, codes < size - 1)


def _exact(values: pd.Series, kind: ColumnKind, is_today: npt.NDArray[np.bool_]) -> Coded | None:
    """Single values of texts and numbers; `known` are those that past days had."""
    if kind is not ColumnKind.NUMBER and not isinstance(values.dtype, pd.CategoricalDtype):
        return None
    codes = codes_of(values)
    size = int(codes.max(initial=0)) + 2
    codes = np.where(codes < 0, size - 1, codes)
    seen = np.bincount(codes[~is_today], minlength=size) > 0
    seen[-1] = False
    return Coded(codes, size, seen[codes], codes < size - 1)


def repeats_of(table: Table, samples: SampleSet, names: Sequence[str]) -> tuple[dict[str, float], str | None]:
    """Shares of rows that come again, and the column in which rows that nearly do differ.

    `names` are the columns that do not tell the day.
    """
    columns = [c for c in samples.today.columns if all(c in frame for _, frame in samples.past[:1])]
    if not samples.past or not columns:
        return {"replay": 0.0}, None
    today, yesterday = (column_hashes(frame, columns) for frame in (samples.today, samples.past[0][1]))
    steady = [place for place, name in enumerate(columns) if name in names]
    found = {"replay": share_repeated(today[:, steady], yesterday[:, steady])}
    own = table.time.name if table.time else None
    others = [place for place, name in enumerate(columns) if name != own]
    if not others:
        return found, None
    found["again"] = share_repeated(today[:, others], yesterday[:, others])
    found["nearly"], place = nearly_twice(today[:, others])
    return found, columns[others[place]]
