"""What kind of change a column went through, told from its values before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.features import shape_of
from checks.drift.tales import best_tale
from checks.frames import blank_mask, missing_mask, numbers_of
from monitor.types import Change, ColumnKind

Array = npt.NDArray[np.float64]
NEWS_ROWS_MIN = 2
NEWS_CHANCE = 1e-3
"""Rows without a value that are news in a column that never had any, unless they could all be today's by chance."""
SURE_GAIN = 8.0
"""Log-likelihood from which a change of scale is believed although it also leaves round numbers."""
FEW_NEW = 3
DISCRETE_MAX = 30
"""Numbers with so few different values are looked at as categories too."""


@dataclass(frozen=True)
class Description:
    """A column before and after: the kind of change, its size (share of rows that moved), and numbers that say it."""

    change: Change
    effect: float
    facts: Mapping[str, Any] = field(default_factory=dict)


def describe_column(
    today: pd.Series, past: pd.Series, kind: ColumnKind, usual_missing: tuple[float, float] | None = None
) -> Description:
    """Tell what happened to a column; `relation` when its own values look as before.

    Args:
        today: its values in today's sample.
        past: its values in the past days' samples.
        kind: of the column.
        usual_missing: the lowest and highest share of missing values that a past day had; a share in between is no
            change, however sure it is that it differs from their mean.
    """
    missing = _describe_missing(today, past)
    low, high = usual_missing or (1.0, 0.0)
    if missing is not None and not low <= float(missing_mask(today).mean()) <= high:
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
    chance = (len(today) / (len(today) + len(past))) ** (after * len(today))
    never = before == 0 and after * len(today) >= NEWS_ROWS_MIN and chance < NEWS_CHANCE
    if not never and (abs(moved) < 4 * noise or abs(moved) < 0.004):
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
    if len(np.unique(today)) == 1 and len(np.unique(past)) > 1:
        return Description(Change.CONSTANT, 1.0, facts)
    tale = best_tale(today, past)
    rounded = _share_rounded(today, past)
    if rounded > 0.01 and not (tale is not None and tale.change is Change.SCALE and tale.gain > SURE_GAIN):
        return Description(Change.FORMAT, rounded, facts)
    spike = _spike(today, past)
    if spike is not None:
        return Description(spike[0], spike[1], {**facts, "value": spike[2]})
    if len(np.unique(past)) <= DISCRETE_MAX:
        listed = _describe_categories(_listed(today), _listed(past))
        if listed.change in (Change.VALUES_MIXED, Change.VALUES_GONE):
            return Description(listed.change, listed.effect, {**facts, **listed.facts})
        few = len(np.setdiff1d(today, past)) <= FEW_NEW
        if listed.change is Change.VALUES_NEW and (tale is None or (few and tale.change is Change.SPREAD)):
            return Description(listed.change, listed.effect, {**facts, **listed.facts})
    if tale is None:
        return Description(Change.RELATION, _moved(today, past), facts)
    return Description(tale.change, max(tale.share, _moved(today, past)), facts)


def _listed(values: Array) -> pd.Series:
    return pd.Series([f"{v:.12g}" for v in values]).astype("category")


def _spike(today: Array, past: Array) -> tuple[Change, float, float] | None:
    """One value that many more rows have than before: zeros, a default that was never there, a stuck value."""
    single, counts = np.unique(today, return_counts=True)
    best, rise, usual = 0.0, 0.0, 0.0
    for i in np.argsort(-counts)[:5]:
        before = float((past == single[i]).mean())
        gain = counts[i] / len(today) - before
        if gain > rise:
            best, rise, usual = float(single[i]), float(gain), before
    noise = np.sqrt(max(rise, 1.0 / len(today)) * (1.0 / len(today) + 1.0 / len(past)))
    if rise < max(0.006, 4.5 * noise) or not _falls_evenly(today, past, best, rise):
        return None
    if best == 0:
        return Change.ZEROS_UP, rise, best
    return (Change.CONSTANT if usual > 0 else Change.VALUES_NEW), rise, best


def _falls_evenly(today: Array, past: Array, value: float, rise: float) -> bool:
    """Whether the rows that took the value came from everywhere: the rest is distributed as before."""
    rest, before = today[today != value], past[past != value]
    if len(rest) < 20 or len(before) < 20:
        return True
    return _moved(rest, before) < max(0.7 * _moved_noise(len(rest), len(before)), 0.5 * rise)


def _moved(today: Array, past: Array) -> float:
    """Kolmogorov-Smirnov distance: the share of rows that lie elsewhere."""
    grid = np.unique(np.concatenate([today, past]))
    after = np.searchsorted(np.sort(today), grid, side="right") / len(today)
    before = np.searchsorted(np.sort(past), grid, side="right") / len(past)
    return float(np.abs(after - before).max())


def _moved_noise(n1: int, n0: int) -> float:
    return 1.6 * float(np.sqrt(1.0 / n1 + 1.0 / n0))


def _share_rounded(today: Array, past: Array) -> float:
    """How many more rows than before are whole numbers, or whole tens where all are whole; 0 if that is chance."""
    for grain in (1.0, 10.0, 100.0):
        before = float(np.mean(np.isclose(past / grain, np.round(past / grain))))
        after = float(np.mean(np.isclose(today / grain, np.round(today / grain))))
        zeros = max(float(np.mean(today == 0)) - float(np.mean(past == 0)), 0.0)
        noise = 4.0 * np.sqrt(max(after, 0.01) * (1.0 - min(after, 0.99)) * (1.0 / len(today) + 1.0 / len(past)))
        single = np.unique(today[np.isclose(today / grain, np.round(today / grain))])
        if before < 0.98 and after - before - zeros > max(noise, 0.005) and len(single) > 3:
            return after - before
    return 0.0


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
    news = new - usual_new
    if news > 0.004 and news > 0.3 * moved:
        told = _rewritten(table)
        change = Change.FORMAT if told > 0.4 * new else Change.VALUES_NEW
        if change is Change.VALUES_NEW and ("9" in _main_shape(table) or int((table["before"] == 0).sum()) > 5):
            change = Change.FORMAT if _shape_distance(today, past) > 0.4 * news else change
        return Description(change, news, facts)
    if gone > 0.3 * moved and gone > 0.004:
        return Description(Change.VALUES_GONE, gone, facts)
    noise = float(np.sqrt(len(table) / max(min(len(today), len(past)), 1)))
    if moved > 0.8 * noise:
        return Description(Change.CONSTANT if _one_risen(gaps, table) else Change.VALUES_MIXED, moved, facts)
    return Description(Change.RELATION, moved, facts)


def _main_shape(table: pd.DataFrame) -> str:
    """The shape of most past rows."""
    before = table["before"]
    shapes = before.groupby([shape_of(str(value)) for value in before.index]).sum()
    return str(shapes.idxmax()) if len(shapes) else ""


def _one_risen(gaps: pd.Series, table: pd.DataFrame) -> bool:
    """Whether one value took rows from all others in proportion to what they had: it was written over them."""
    risen = gaps.idxmax()
    rise, before = float(gaps[risen]), table["before"].drop(index=risen)
    if len(before) < 3 or rise < 0.03 or before.sum() <= 0:
        return False
    expected = before * (1.0 - rise / before.sum())
    left = float((table["after"].drop(index=risen) - expected).abs().sum()) / 2
    return left < 0.35 * rise


def _rewritten(table: pd.DataFrame) -> float:
    """Share of today's rows whose new value is a known one written differently: case, blanks, cut, encoding."""
    known = [str(v) for v in table.index[table["before"] > 0]]
    folded = {_fold(v) for v in known}
    starts = {v[:n] for v in known for n in range(1, min(len(v), 40))}
    total = 0.0
    for value, share in table.loc[table["before"] == 0, "after"].items():
        text = str(value)
        if _fold(text) in folded or text in starts or _unmangled(text) in known:
            total += float(share)
    return total


def _fold(text: str) -> str:
    return "".join(text.split()).casefold()


def _unmangled(text: str) -> str | None:
    """The text before its UTF-8 bytes were read as Latin-1 or Windows-1252; None where it cannot have been."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8") if not text.isascii() else None
        except UnicodeError:
            continue
    return None


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
