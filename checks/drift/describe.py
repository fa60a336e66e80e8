"""What kind of change a column went through, told from its values before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.features import shape_of
from checks.drift.tales import FACTORS, best_tale
from checks.frames import blank_mask, missing_mask, numbers_of
from monitor.types import Change, ColumnKind

Array = npt.NDArray[np.float64]
NEWS_ROWS_MIN = 2
NEWS_CHANCE = 1e-3
"""Rows without a value that are news in a column that never had any, unless they could all be today's by chance."""
SURE_GAIN = 8.0
"""Log-likelihood from which a change of scale is believed although it also leaves round numbers."""
FEW_NEW = 3
DEFAULT_ROWS_MIN = 4
CUT_MAX = 0.35
"""Largest share of rows in what counts as a tail."""
DAYS_USUAL = 7
"""Past days that are pooled: a value that comes on one of them alone has so much larger a share of its own day."""
NEAR_UNIQUE = 0.8
"""Different values a row from which texts are told by their looks."""
SHAPES_NEW = 0.01
"""Share of rows in shapes that no past row had from which a column is written differently."""
REWRITTEN_MIN = 0.004
REWRITTEN_ROWS_MIN = 3
"""So many rows of known values in another writing are told, whatever else is new."""
ALL_NEW = 0.8
"""Texts of which so many are new, and so many gone, are told by their looks."""
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
        usual_missing: the lowest and highest share of missing values that a past day had; a share in between, or not
            far beyond, is no change, however sure it is that it differs from their mean.
    """
    missing = _describe_missing(today, past)
    if missing is not None and _stands_out(float(missing_mask(today).mean()), usual_missing, len(today)):
        return missing
    if kind is ColumnKind.NUMBER:
        return _describe_numbers(numbers_of(today, kind), numbers_of(past, kind))
    if kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        return _describe_times(today, past)
    return _describe_categories(_as_category(today), _as_category(past))


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
        single, counts = np.unique(values, return_counts=True)
        share = float(counts.max()) / len(values)
        usual = float(np.unique(before, return_counts=True)[1].max()) / len(before)
        if counts.max() >= DEFAULT_ROWS_MIN and share > usual + 0.004:
            value = float(single[int(np.argmax(counts))])
            far = value < min(before.min(), np.quantile(values, 0.75) - 100.0 * np.ptp(before))
            change = Change.ZEROS_UP if value == 0 else Change.VALUES_NEW if far or value < 0 else Change.CONSTANT
            return Description(change, share - usual, {"value": value})
        again = float(np.isin(values, before).mean())
        if again > 0.004 and usual < 0.01:
            return Description(Change.REPLAY, again)
    told = _describe_numbers(numbers_of(placed, ColumnKind.NUMBER), numbers_of(placed_past, ColumnKind.NUMBER))
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
    sure_scale = tale is not None and tale.change is Change.SCALE and tale.gain > SURE_GAIN
    rounded = _share_rounded(today, past)
    default = _default(today, past)
    if default is not None and not (sure_scale and _multiplied(default[1], past)) and rounded < default[0]:
        change = Change.VALUES_NEW if default[1] else Change.ZEROS_UP
        return Description(change, default[0], {**facts, "value": default[1]})
    sure_spread = tale is not None and tale.change is Change.SPREAD and tale.gain > SURE_GAIN
    if rounded > 0.01 and not sure_scale and not sure_spread:
        return Description(Change.FORMAT, rounded, facts)
    discrete = len(np.unique(past)) <= DISCRETE_MAX
    listed = _describe_categories(_listed(today), _listed(past)) if discrete else None
    if listed is not None and not sure_scale and listed.change in _EXACT:
        return Description(listed.change, listed.effect, {**facts, **listed.facts})
    spike = _spike(today, past)
    if spike is not None:
        return Description(spike[0], spike[1], {**facts, "value": spike[2]})
    if listed is not None:
        few = len(np.setdiff1d(today, past)) <= FEW_NEW
        new = listed.change is Change.VALUES_NEW and (tale is None or (few and not sure_scale))
        if new or (listed.change is Change.CONSTANT and tale is None):
            return Description(listed.change, listed.effect, {**facts, **listed.facts})
    if tale is None:
        return Description(Change.RELATION, _moved(today, past), facts)
    return Description(tale.change, max(tale.share, _moved(today, past)), facts)


_EXACT = frozenset({Change.VALUES_GONE, Change.VALUES_MIXED})
"""Kinds that single values tell better than a distribution does."""


def _multiplied(value: float, past: Array) -> bool:
    """Whether a number is a frequent past one times a usual factor."""
    single, counts = np.unique(past, return_counts=True)
    frequent = single[counts >= 0.05 * len(past)]
    return any((np.abs(value - frequent * f) <= 0.5 + 1e-3 * np.abs(frequent * f)).any() for f in FACTORS)


def _default(today: Array, past: Array) -> tuple[float, float] | None:
    """The share and value of a number never seen before that stands for nearly all that is new beyond the past."""
    outside = today[(today < past.min()) | (today > past.max())]
    single, counts = np.unique(outside, return_counts=True)
    if not len(single):
        return None
    place = int(np.argmax(counts))
    share = counts[place] / len(today)
    if counts[place] < DEFAULT_ROWS_MIN or share < 0.004 or counts[place] < 0.9 * len(outside):
        return None
    return float(share), float(single[place])


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
    if rise < max(0.006, 4.5 * noise):
        return None
    outside = float(((today < past.min()) | (today > past.max())).mean())
    if _cut_off(today, past, best, rise) or (not past.min() <= best <= past.max() and outside > 1.2 * rise):
        return Change.SPREAD, rise, best
    if not _falls_evenly(today, past, best, rise):
        return None
    if best == 0:
        return Change.ZEROS_UP, rise, best
    inside = past.min() <= best <= past.max() and len(np.unique(past)) > DISCRETE_MAX
    return (Change.CONSTANT if usual > 0 or inside else Change.VALUES_NEW), rise, best


def _cut_off(today: Array, past: Array, value: float, rise: float) -> bool:
    """Whether rows that used to lie beyond the value, out in a tail, have taken it."""
    if value == 0:
        return False
    sides = ((past > value, today > value), (past < value, today < value))
    return any(before.mean() < CUT_MAX and before.mean() - after.mean() > 0.6 * rise for before, after in sides)


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
    if not today.notna().any() or not past.notna().any():
        return Description(Change.OTHER, 0.0)
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
    told = _rewritten(table)
    if told > REWRITTEN_MIN and told * len(today) >= REWRITTEN_ROWS_MIN:
        return Description(Change.FORMAT, told, facts)
    if new > ALL_NEW and (gone > 0.5 or past.nunique() > NEAR_UNIQUE * past.notna().sum()):
        return _describe_shapes(today, past, facts)
    if (table["after"] > 0).sum() == 1 and (table["before"] > 0).sum() > 1:
        return Description(Change.CONSTANT, moved, facts)
    news = new - usual_new
    fresh = table.loc[table["before"] == 0, "after"].nlargest(2).tolist()
    if fresh and fresh[0] > max(0.01, 3.0 * (fresh[1] if len(fresh) > 1 else 0.0)) and fresh[0] > 0.25 * moved:
        return Description(Change.VALUES_NEW, fresh[0], facts)
    if news > 0.004 and news > 0.3 * moved:
        change = Change.FORMAT if told > 0.4 * new else Change.VALUES_NEW
        if change is Change.VALUES_NEW and ("9" in _main_shape(table) or int((table["before"] == 0).sum()) > 5):
            looks = _shape_distance(today, past)
            change = Change.FORMAT if looks > min(0.4 * news, SHAPES_NEW + 3.0 * _usual_new(_shapes(past))) else change
        return Description(change, news, facts)
    if gone > 0.3 * moved and gone > 0.004:
        return Description(Change.VALUES_GONE, gone, facts)
    if _exchanged(gaps, table, len(today)):
        return Description(Change.VALUES_MIXED, moved, facts)
    noise = float(np.sqrt(len(table) / max(min(len(today), len(past)), 1)))
    if moved > 0.8 * noise:
        return Description(Change.CONSTANT if _one_risen(gaps, table) else Change.VALUES_MIXED, moved, facts)
    return Description(Change.RELATION, moved, facts)


def _describe_shapes(today: pd.Series, past: pd.Series, facts: Mapping[str, Any]) -> Description:
    """Texts that are new on every day, by how they look."""
    sides = []
    for values in (today, past):
        shapes = values.astype(object).dropna().map(lambda text: f"{shape_of(str(text))}|{len(str(text))}")
        sides.append(shapes.value_counts(normalize=True))
    table = pd.DataFrame({"after": sides[0], "before": sides[1]}).fillna(0.0)
    new = float(table.loc[table["before"] == 0, "after"].sum())
    counts = today.value_counts()
    usual = min(DAYS_USUAL * float(past.value_counts(normalize=True).max()), 1.0)
    crowded = float(counts.max()) / max(int(counts.sum()), 1) - usual
    if crowded > 0.004 and counts.max() >= DEFAULT_ROWS_MIN and crowded > 0.5 * new:
        looks = shape_of(str(counts.idxmax()))
        known = any(shape.rsplit("|", 1)[0] == looks for shape in table.index[table["before"] > 0])
        return Description(Change.CONSTANT if known else Change.VALUES_NEW, crowded, facts)
    if new > 0.004:
        return Description(Change.FORMAT, new, {**facts, "new": new})
    return Description(Change.RELATION, max(crowded, 0.0), facts)


def _exchanged(gaps: pd.Series, table: pd.DataFrame, rows: int) -> bool:
    """Whether two values have each taken the other's share of the rows."""
    up, down = gaps.idxmax(), gaps.idxmin()
    size = float(min(gaps[up], -gaps[down]))
    after, before = table["after"], table["before"]
    chance = 4.0 * float(np.sqrt(max(before[up], before[down], 1.0 / rows) / rows))
    return (
        before[up] > 0
        and after[down] > 0
        and size > max(chance, 0.02)
        and abs(after[up] - before[down]) < 0.35 * size
        and abs(after[down] - before[up]) < 0.35 * size
    )


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


def _shapes(values: pd.Series) -> pd.Series:
    return values.dropna().astype(object).map(lambda text: shape_of(str(text)))


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
