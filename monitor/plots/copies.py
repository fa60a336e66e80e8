"""How often the same row or key comes: the share of rows by the number of copies, before and today."""

from __future__ import annotations

from pathlib import Path

from monitor.plots import rows, style
from monitor.plots.kinds import CopiesPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

ITEMS_MAX = 7


def draw(picture: CopiesPicture, path: Path, *, dark: bool) -> str:
    """Draw a pair of bars a number of copies; returns the alternative text."""
    items = picture.items[:ITEMS_MAX]
    sheet, axes = rows.new_rows(picture.title, [times for times, _, _ in items], dark=dark)
    colours = sheet.colours
    for row, (_, before, after) in enumerate(items):
        rows.pair(axes, row, before, after, (_share(before), _share(after)), colours)
    style.write_key(sheet, (("share of rows before", colours.quiet), ("today", colours.today)))
    style.save(sheet.figure, path)
    parts = [
        f"{clean_text(times, 40)}: {_share(a)} of rows today, {_share(b) or 'unknown'} before" for times, b, a in items
    ]
    return rows.told(picture.title, parts)


def _share(value: float | None) -> str:
    return "" if value is None else format_number(value, "share")
