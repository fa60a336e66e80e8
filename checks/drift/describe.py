"""What kind of change a column went through, told from its values before and after."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.categories import describe_categories
from checks.drift.description import VALUE_ROWS_MIN, Description
from checks.drift.numbers import CUT_MIN, NEGATIVE_MIN, SURE_GAIN, describe_numbers, moved, share_cut_off
from checks.drift.tales import SHARES
from checks.drift.values import seconds_of
from checks.frames import blank_mask, missing_mask, numbers_of
from monitor.types import Change, ColumnKind

Array = npt.NDArray[np.float64]
QUARTERS = 96
"""Of an hour, in a day."""
STUCK_ROWS_MIN = 8
STUCK = 12.0
"""So many rows of one time, and so many times their share of all past days' rows, are told as one value."""
FILLED_PART = 0.8
"""Part of the rows that miss a value no more from which one value, never seen before, was written there."""
NEWS_ROWS_MIN = 2
NEWS_CHANCE = 1e-3
"""Rows without a value that are news in a column that never had any, unless they could all be today's by chance."""


def describe_column(
    today: pd.Series, past: pd.Series, kind: ColumnKind, usual_missing: tuple[float, float] | None = None
) -> Description:
    """Tell what happened to a column; `relation` when its own values look as before.

    Args:
        today: its values in today's sample.
        past: its values in the past days' samples.
        kind: of the column.
        usual_missing: the lowest and highest share of missing values that a past day had; a share in between, or not
            far beyond, is no change, however sure it is that it differs from their mean.
    """
    missing = _describe_missing(today, past)
    if missing is not None and _stands_out(float(missing_mask(today).mean()), usual_missing, len(today)):
        return missing
    if kind is ColumnKind.NUMBER:
        return describe_numbers(numbers_of(today, kind), numbers_of(past, kind))
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        return _describe_times(today, past)
    return describe_categories(_as_category(today), _as_category(past))


def describe_clock(today: pd.Series, past: pd.Series, placed: pd.Series, placed_past: pd.Series) -> Description:
    """Tell what happened to numbers that grow from day to day (ids, versions).

    Args:
        today: its values in today's sample.
        past: its values in the past days' samples.
        placed: today's values by their place in their own day.
        placed_past: those of the past days by theirs.
    """
    missing = _describe_missing(today, past)
    if missing is not None:
        return missing
    values, before = numbers_of(today, ColumnKind.NUMBER), numbers_of(past, ColumnKind.NUMBER)
    if len(values) and len(before):
        turned = float((values < 0).mean())
        if turned > NEGATIVE_MIN and (before >= 0).all() and float(np.abs(values).max()) < 2.0 * before.max():
            return Description(Change.SHIFT_DOWN, turned)
        single, counts = np.unique(values, return_counts=True)
        share = float(counts.max()) / len(values)
        usual = float(np.unique(before, return_counts=True)[1].max()) / len(before)
        if counts.max() >= VALUE_ROWS_MIN and share > usual + 0.004:
            value = float(single[int(np.argmax(counts))])
            far = value < min(before.min(), np.quantile(values, 0.75) - 100.0 * np.ptp(before))
            change = Change.ZEROS_UP if value == 0 else Change.VALUES_NEW if far or value < 0 else Change.CONSTANT
            return Description(change, share - usual, {"value": value})
        again = float(np.isin(values, before).mean())
        if again > 0.004 and usual < 0.01:
            return Description(Change.REPLAY, again)
    told = describe_numbers(numbers_of(placed, ColumnKind.NUMBER), numbers_of(placed_past, ColumnKind.NUMBER))
    return Description(told.change, told.effect)


def _stands_out(share: float, usual: tuple[float, float] | None, rows: int) -> bool:
    """Whether a share lies further beyond those of past days than they lie apart, and further than chance."""
    if usual is None:
        return True
    low, high = usual
    room = max(high - low, 2.0 * float(np.sqrt(max(high, 1.0 / rows) / rows))) if high > 0 else 0.0
    return share > high + room or share < low - room


def _as_category(values: pd.Series) -> pd.Series:
    return values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("str").astype("category")


def _describe_missing(today: pd.Series, past: pd.Series) -> Description | None:
    after, before = float(missing_mask(today).mean()), float(missing_mask(past).mean())
    moved = after - before
    varying = max(before * (1.0 - before), after * (1.0 - after), 1.0 / len(today))
    noise = np.sqrt(varying * (1 / len(today) + 1 / len(past)))
    chance = (len(today) / (len(today) + len(past))) ** (after * len(today))
    never = before == 0 and after * len(today) >= NEWS_ROWS_MIN and chance < NEWS_CHANCE
    if not never and (abs(moved) < 4 * noise or abs(moved) < 0.004):
        return None
    facts = {"missing_before": before, "missing_after": after}
    if moved < 0:
        filled = _filled_with(today, past)
        if filled > FILLED_PART * -moved:
            return Description(Change.VALUES_NEW, filled, facts)
        return Description(Change.NULLS_DOWN, -moved, facts)
    if isinstance(today.dtype, pd.CategoricalDtype):
        blanks = float(blank_mask(today).mean()) - float(blank_mask(past).mean())
        if blanks > 0.5 * moved:
            return Description(Change.EMPTY_UP, moved, facts)
    return Description(Change.NULLS_UP, moved, facts)


def _filled_with(today: pd.Series, past: pd.Series) -> float:
    """Share of today's rows with the commonest of the values that no past row had."""
    known = today.dropna()
    new = known[~known.isin(past.dropna().unique())]
    counts = new.value_counts()
    return float(counts.max()) / len(today) if len(new) and counts.max() >= VALUE_ROWS_MIN else 0.0


def _describe_times(today: pd.Series, past: pd.Series) -> Description:
    before, after = seconds_of(past.dropna()), seconds_of(today.dropna())
    if len(before) == 0 or len(after) == 0:
        return Description(Change.OTHER, 0.0)
    value, stuck = _stuck_time(after, before)
    if stuck:
        others = after[after != value]
        inside = len(others) and np.quantile(others, 0.001) <= value <= np.quantile(others, 0.999)
        return Description(Change.CONSTANT if inside or not len(others) else Change.VALUES_NEW, stuck)
    clock_before, clock_after = np.mod(before, 86_400.0), np.mod(after, 86_400.0)
    far = moved(clock_after, clock_before)
    gap = share_cut_off(clock_after, clock_before)
    if gap:
        return Description(Change.ROWS_MISSING, gap)
    up = _hours_moved(clock_after, clock_before) or float(np.median(clock_after) - np.median(clock_before))
    return Description(Change.SHIFT_UP if up >= 0 else Change.SHIFT_DOWN, far, {})


def _stuck_time(after: Array, before: Array) -> tuple[float, float]:
    """The commonest of today's times, and its share of the rows where that is far more than on past days; else 0."""
    single, counts = np.unique(after, return_counts=True)
    usual = int(np.unique(before, return_counts=True)[1].max())
    most, share = int(counts.max()), float(counts.max()) / len(after)
    stuck = most >= STUCK_ROWS_MIN and share > max(CUT_MIN, STUCK * usual / len(before))
    return float(single[int(np.argmax(counts))]), share if stuck else 0.0


def _hours_moved(after: Array, before: Array) -> int:
    """By how many hours some of the times of day were moved, as a wrong time zone moves them; 0 if none says it better.

    Around midnight they come back at the other end, so that neither mean nor median tells the way.
    """
    counts = _by_quarter(after)
    usual = (_by_quarter(before) + 0.3) / (len(before) + 0.3 * QUARTERS)
    nothing = float((counts * np.log(usual)).sum())
    gains = {
        hours: max(
            float((counts * np.log((1.0 - share) * usual + share * np.roll(usual, 4 * hours))).sum()) - nothing
            for share in SHARES
        )
        for hours in range(-11, 13)
        if hours
    }
    best = max(gains, key=lambda hours: gains[hours])
    return best if gains[best] > SURE_GAIN else 0


def _by_quarter(clock: Array) -> Array:
    return np.bincount((clock // 900).astype(np.int64), minlength=QUARTERS).astype(np.float64)
