"""What happened to a column of texts or of few values, told from their shares before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from checks.drift.description import VALUE_ROWS_MIN, Description
from checks.drift.features import shape_of
from monitor.types import Change

DAYS_USUAL = 7
"""Past days that are pooled: a value that comes on one of them alone has so much larger a share of its own day."""
CROWD_VALUES_MIN = 100
CROWD_MIN = 0.02
"""Values of a column with many, and share of today's rows, from which one that is crowded was written over others."""
NEAR_UNIQUE = 0.8
"""Different values a row from which texts are told by their looks."""
SHAPES_NEW = 0.01
"""Share of rows in shapes that no past row had from which a column is written differently."""
REWRITTEN_MIN = 0.004
REWRITTEN_ROWS_MIN = 3
"""So many rows of known values in another writing are told, whatever else is new."""
ALL_NEW = 0.8
"""Texts of which so many are new, and so many gone, are told by their looks."""


def describe_categories(today: pd.Series, past: pd.Series) -> Description:
    """Tell what happened to the values of a column of texts, or of few numbers; `relation` where they are as before.

    Args:
        today: today's values, categorical.
        past: those of past days, likewise.
    """
    if not today.notna().any() or not past.notna().any():
        return Description(Change.OTHER, 0.0)
    table = _shares(today, past)
    new = float(table.loc[table["before"] == 0, "after"].sum())
    gone = float(table.loc[(table["after"] == 0) & (table["before"] > 3.0 / max(len(today), 1)), "before"].sum())
    gaps = (table["after"] - table["before"]).sort_values(key=np.abs, ascending=False)
    moved = float(gaps.abs().sum()) / 2
    facts = {"new": new, "gone": gone, "moved": moved, "values": _told(table, gaps)}
    written = _rewritten(table)
    if written > REWRITTEN_MIN and written * len(today) >= REWRITTEN_ROWS_MIN:
        return Description(Change.FORMAT, written, facts)
    if new > ALL_NEW and (gone > 0.5 or past.nunique() > NEAR_UNIQUE * past.notna().sum()):
        return _describe_shapes(today, past, facts)
    if (table["after"] > 0).sum() == 1 and (table["before"] > 0).sum() > 1:
        return Description(Change.CONSTANT, moved, facts)
    crowded = _crowded(table, facts)
    if crowded is not None:
        return crowded
    news = _describe_news(today, past, table, facts)
    if news is not None:
        return news
    if gone > 0.3 * moved and gone > 0.004:
        return Description(Change.VALUES_GONE, gone, facts)
    return Description(_mixture(gaps, table, len(today), len(past)), moved, facts)


def _shares(today: pd.Series, past: pd.Series) -> pd.DataFrame:
    """Each value's share of the rows that have one, `after` and `before`."""
    sides = {"after": today.value_counts(normalize=True), "before": past.value_counts(normalize=True)}
    table = pd.DataFrame(sides).fillna(0.0)
    table.index = table.index.astype(str)
    return table[(table["after"] > 0) | (table["before"] > 0)]


def _crowded(table: pd.DataFrame, facts: Mapping[str, Any]) -> Description | None:
    """One value in many rows of a column that has many, none of them in many rows: it was written over them."""
    value, share = table["after"].idxmax(), float(table["after"].max())
    before = table["before"]
    usual = DAYS_USUAL * float(before.max())
    if (before > 0).sum() < CROWD_VALUES_MIN or share < CROWD_MIN or share <= usual:
        return None
    known = {shape_of(str(v)) for v in before.nlargest(CROWD_VALUES_MIN).index}
    alike = before[value] > 0 or shape_of(str(value)) in known
    return Description(Change.CONSTANT if alike else Change.VALUES_NEW, share - float(before[value]), facts)


def _describe_news(
    today: pd.Series, past: pd.Series, table: pd.DataFrame, facts: Mapping[str, Any]
) -> Description | None:
    """What is new, where more is new than a new day brings anyway: one value, many, or another way of writing."""
    moved, news = float(facts["moved"]), float(facts["new"]) - _usual_new(past)
    fresh = [*table.loc[table["before"] == 0, "after"].nlargest(2), 0.0, 0.0]
    if fresh[0] > max(0.01, 3.0 * fresh[1], 0.25 * moved):
        return Description(Change.VALUES_NEW, float(fresh[0]), facts)
    if news <= 0.004 or news <= 0.3 * moved:
        return None
    if "9" in _main_shape(table) or int((table["before"] == 0).sum()) > 5:
        usual = SHAPES_NEW + 3.0 * _usual_new(_shapes(past))
        if _shape_distance(today, past) > min(0.4 * news, usual):
            return Description(Change.FORMAT, news, facts)
    return Description(Change.VALUES_NEW, news, facts)


def _mixture(gaps: pd.Series, table: pd.DataFrame, rows: int, past_rows: int) -> Change:
    """What happened to the shares of values that all were there before."""
    if _exchanged(gaps, table, rows):
        return Change.VALUES_MIXED
    noise = float(np.sqrt(len(table) / max(min(rows, past_rows), 1)))
    if float(gaps.abs().sum()) / 2 <= 0.8 * noise:
        return Change.RELATION
    return Change.CONSTANT if _one_risen(gaps, table) else Change.VALUES_MIXED


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
    if crowded > 0.004 and counts.max() >= VALUE_ROWS_MIN and crowded > 0.5 * new:
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
