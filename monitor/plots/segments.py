"""How well each condition says which rows are bad: precision and recall as a pair of bars."""

from __future__ import annotations

from pathlib import Path

from monitor.plots import rows, style
from monitor.plots.kinds import SegmentsPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

ITEMS_MAX = 5
_NAME_IN = 2.3


def draw(picture: SegmentsPicture, path: Path, *, dark: bool) -> str:
    """Draw the pairs on a scale of 0 to 100%; returns the alternative text."""
    items = picture.items[:ITEMS_MAX]
    sheet, axes = rows.new_rows(picture.title, [where for where, _, _ in items], dark=dark, name_in=_NAME_IN)
    for row, (_, precision, recall) in enumerate(items):
        for at in (row - 0.2, row + 0.2):
            axes.barh(at, 1.0, height=0.36, color=sheet.colours.faint, lw=0, zorder=0)
        rows.pair(axes, row, precision, recall, (_share(precision), _share(recall)), sheet.colours)
    key = ("of its rows are bad", sheet.colours.quiet), ("of all bad rows lie there", sheet.colours.today)
    style.write_key(sheet, key)
    style.save(sheet.figure, path)
    parts = [
        f"{clean_text(w, 120)}: {_share(p)} of its rows are bad, {_share(r)} of all bad rows lie there"
        for w, p, r in items
    ]
    return rows.told(picture.title, parts)


def _share(value: float) -> str:
    return format_number(round(value, 3) if value == value else value, "share")  # noqa: PLR0124 - NaN
