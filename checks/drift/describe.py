"""What kind of change a column went through, told from its values before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.features import shape_of
from checks.frames import blank_mask, missing_mask, numbers_of
from monitor.types import Change, ColumnKind

Array = npt.NDArray[np.float64]
NULL = "NULL"


@dataclass(frozen=True)
class Description:
    """A column before and after: the kind of change, its size (share of rows that moved), and numbers that say it."""

    change: Change
    effect: float
    facts: Mapping[str, Any] = field(default_factory=dict)


def describe_column(today: pd.Series, past: pd.Series, kind: ColumnKind) -> Description:
    """Tell what happened to a column; `relation` when its own values look as before.

    Args:
        today: its values in today's sample.
        past: its values in the past days' samples.
        kind: of the column.
    """
    missing = _describe_missing(today, past)
    if missing is not None:
        return missing
    if kind is ColumnKind.NUMBER:
        return _describe_numbers(numbers_of(today, kind), numbers_of(past, kind))
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        return _describe_times(today, past)
    return _describe_categories(_as_category(today), _as_category(past))


def _as_category(values: pd.Series) -> pd.Series:
    return values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("str").astype("category")


def _describe_missing(today: pd.Series, past: pd.Series) -> Description | None:
    after, before = float(missing_mask(today).mean()), float(missing_mask(past).mean())
    moved = after - before
    noise = np.sqrt(max(before, after, 1.0 / len(today)) * (1 / len(today) + 1 / len(past)))
    if abs(moved) < 4 * noise or abs(moved) < 0.004:
        return None
    facts = {"missing_before": before, "missing_after": after}
    if moved < 0:
        return Description(Change.NULLS_DOWN, -moved, facts)
    if isinstance(today.dtype, pd.CategoricalDtype):
        blanks = float(blank_mask(today).mean()) - float(blank_mask(past).mean())
        if blanks > 0.5 * moved:
            return Description(Change.EMPTY_UP, moved, facts)
    return Description(Change.NULLS_UP, moved, facts)


def _describe_numbers(today: Array, past: Array) -> Description:
    if len(today) == 0 or len(past) == 0:
        return Description(Change.OTHER, 0.0)
    facts = {
        "median_before": float(np.median(past)),
        "median_after": float(np.median(today)),
        "mean_before": float(past.mean()),
        "mean_after": float(today.mean()),
    }
    single, counts = np.unique(today, return_counts=True)
    if len(single) == 1 and len(np.unique(past)) > 1:
        return Description(Change.CONSTANT, 1.0, facts)
    spike = _spike(today, past, single, counts)
    if spike is not None:
        return Description(spike[0], spike[1], {**facts, "value": spike[2]})
    moved = _moved(today, past)
    if moved < _moved_noise(len(today), len(past)):
        return _describe_tails(today, past, facts)
    return Description(_shift_kind(today, past, single, facts), moved, facts)


def _spike(
    today: Array, past: Array, single: Array, counts: npt.NDArray[np.int64]
) -> tuple[Change, float, float] | None:
    """One value that many more rows have than before: zeros, a default, or a frozen sensor."""
    top = np.argsort(-counts)[:5]
    best, rise = 0.0, 0.0
    for i in top:
        gain = counts[i] / len(today) - float((past == single[i]).mean())
        if gain > rise:
            best, rise = float(single[i]), float(gain)
    if rise < max(0.006, 5.0 / np.sqrt(len(today)) * np.sqrt(rise + 1e-9)):
        return None
    if rise < 0.6 * _moved(today, past):
        return None
    if best == 0:
        return Change.ZEROS_UP, rise, best
    return (Change.CONSTANT if rise > 0.5 else Change.VALUES_NEW), rise, best


def _moved(today: Array, past: Array) -> float:
    """Kolmogorov-Smirnov distance: the share of rows that lie elsewhere."""
    grid = np.unique(np.concatenate([today, past]))
    after = np.searchsorted(np.sort(today), grid, side="right") / len(today)
    before = np.searchsorted(np.sort(past), grid, side="right") / len(past)
    return float(np.abs(after - before).max())


def _moved_noise(n1: int, n0: int) -> float:
    return 1.6 * float(np.sqrt(1.0 / n1 + 1.0 / n0))


def _describe_tails(today: Array, past: Array, facts: dict[str, float]) -> Description:
    low, high = float(past.min()), float(past.max())
    beyond = float(((today < low) | (today > high)).mean())
    if beyond > 0:
        reach = np.abs(past).max()
        scaled = reach > 0 and float(np.abs(today).max()) > 5 * reach
        return Description(Change.SCALE if scaled else Change.SPREAD, beyond, facts)
    return Description(Change.RELATION, _moved(today, past), facts)


def _shift_kind(today: Array, past: Array, single: Array, facts: dict[str, float]) -> Change:
    spread_before, spread_after = _spread(past), _spread(today)
    if _is_rounded(today, past):
        return Change.FORMAT
    beyond = (today > past.max()) | (today < past.min())
    if beyond.mean() > 0.003 and np.abs(today[beyond]).max() > 5 * max(np.abs(past).max(), 1e-300):
        return Change.SCALE
    signs = float((today < 0).mean()) - float((past < 0).mean())
    if abs(signs) > 0.01 and past.min() >= 0 and today.min() < 0:
        return Change.SCALE
    centre = facts["median_after"] - facts["median_before"]
    ratio = spread_after / spread_before if spread_before > 0 else np.inf
    if ratio > 3 and abs(facts["median_after"]) > 3 * abs(facts["median_before"]) > 0:
        return Change.SCALE
    if abs(centre) > 0.25 * max(spread_before, 1e-300):
        return Change.SHIFT_UP if centre > 0 else Change.SHIFT_DOWN
    if ratio > 1.25 or ratio < 0.8:
        return Change.SPREAD
    mean_gap = facts["mean_after"] - facts["mean_before"]
    return Change.SHIFT_UP if mean_gap > 0 else Change.SHIFT_DOWN


def _spread(values: Array) -> float:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low)


def _is_rounded(today: Array, past: Array) -> bool:
    """Fewer decimals than before in many rows."""
    before = float((past == np.round(past)).mean())
    after = float((today == np.round(today)).mean())
    return after - before > 0.02


def _describe_times(today: pd.Series, past: pd.Series) -> Description:
    before = past.dropna().to_numpy().astype("datetime64[us]").astype(np.float64) / 1e6
    after = today.dropna().to_numpy().astype("datetime64[us]").astype(np.float64) / 1e6
    if len(before) == 0 or len(after) == 0:
        return Description(Change.OTHER, 0.0)
    clock_before, clock_after = np.mod(before, 86_400.0), np.mod(after, 86_400.0)
    moved = _moved(clock_after, clock_before)
    change = Change.SHIFT_UP if np.median(clock_after) >= np.median(clock_before) else Change.SHIFT_DOWN
    return Description(change, moved, {})


def _describe_categories(today: pd.Series, past: pd.Series) -> Description:
    after = today.value_counts(normalize=True)
    before = past.value_counts(normalize=True)
    table = pd.DataFrame({"after": after, "before": before}).fillna(0.0)
    table.index = table.index.astype(str)
    table = table[(table["after"] > 0) | (table["before"] > 0)]
    new = float(table.loc[table["before"] == 0, "after"].sum())
    gone = float(table.loc[(table["after"] == 0) & (table["before"] > 3.0 / max(len(today), 1)), "before"].sum())
    gaps = (table["after"] - table["before"]).sort_values(key=np.abs, ascending=False)
    facts = {"new": new, "gone": gone, "values": _told(table, gaps)}
    moved = float(gaps.abs().sum()) / 2
    usual_new = _usual_new(past)
    if (table["after"] > 0).sum() == 1 and (table["before"] > 0).sum() > 1:
        return Description(Change.CONSTANT, moved, facts)
    shapes = _shape_distance(today, past)
    if shapes > 0.008 and shapes > 0.5 * max(new - usual_new, 0.0) and new - usual_new > 0.004:
        return Description(Change.FORMAT, shapes, facts)
    if new - usual_new > 0.004 and new - usual_new > 0.3 * moved:
        return Description(Change.VALUES_NEW, new - usual_new, facts)
    if gone > 0.3 * moved and gone > 0.004:
        return Description(Change.VALUES_GONE, gone, facts)
    noise = float(np.sqrt(len(table) / max(min(len(today), len(past)), 1)))
    if moved > 0.8 * noise:
        return Description(Change.VALUES_MIXED, moved, facts)
    return Description(Change.RELATION, moved, facts)


def _usual_new(past: pd.Series) -> float:
    """How many rows usually hold a value seen only once: what a new day brings anyway."""
    counts = past.value_counts()
    total = int(counts.sum())
    return float((counts == 1).sum()) / total if total else 0.0


def _shape_distance(today: pd.Series, past: pd.Series) -> float:
    """Share of today's rows whose shape no past row had."""
    shapes = {text: shape_of(str(text)) for text in {*today.cat.categories, *past.cat.categories}}
    known = {shapes[text] for text in past.dropna().unique()}
    counts = today.value_counts(normalize=True)
    return float(sum(share for text, share in counts.items() if share > 0 and shapes[text] not in known))


def _told(table: pd.DataFrame, gaps: pd.Series) -> list[dict[str, Any]]:
    """The values whose share moved most, with their shares before and after."""
    top = [v for v in gaps.index[:5] if abs(gaps[v]) > 0.002]
    return [{"value": v, "before": float(table.at[v, "before"]), "after": float(table.at[v, "after"])} for v in top]
