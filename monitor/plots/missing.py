"""The share of rows without a value, by segment, before and today."""

from __future__ import annotations

from pathlib import Path

from monitor.plots import rows, style
from monitor.plots.kinds import MissingPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

ITEMS_MAX = 7


def draw(picture: MissingPicture, path: Path, *, dark: bool) -> str:
    """Draw a pair of bars a segment on a scale of 0 to 100%; returns the alternative text."""
    items = picture.items[:ITEMS_MAX]
    sheet, axes = rows.new_rows(picture.title, [name for name, _, _ in items], dark=dark)
    colours = sheet.colours
    for row, (_, before, after) in enumerate(items):
        axes.barh(row + 0.2, 1.0, height=0.36, color=colours.faint, lw=0, zorder=0)
        rows.pair(axes, row, before, after, (_share(before), _share(after)), colours)
    more = len(picture.items) - len(items)
    key = ("missing before", colours.quiet), ("missing today", colours.today)
    style.write_key(sheet, key, right=f"and {more} more" if more > 0 else "")
    style.save(sheet.figure, path)
    return rows.told(
        picture.title,
        [f"{clean_text(n, 60)}: {_share(a)} missing today, {_share(b) or 'unknown'} before" for n, b, a in items],
    )


def _share(value: float | None) -> str:
    return "" if value is None else format_number(value, "share")
