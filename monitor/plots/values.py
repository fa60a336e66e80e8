"""Values that are new today, to the right, and values that no longer come, to the left."""

from __future__ import annotations

from pathlib import Path

from monitor.plots import rows, style
from monitor.plots.kinds import ValuesPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

ITEMS_MAX = 9


def draw(picture: ValuesPicture, path: Path, *, dark: bool) -> str:
    """Draw one bar a value, by its share of rows; returns the alternative text."""
    items = [(n, style.as_share(b), style.as_share(a)) for n, b, a in picture.items[:ITEMS_MAX]]
    names = [name for name, _, _ in items]
    sheet, axes = rows.new_rows(picture.title, names, dark=dark, row_in=0.34, right_in=0.2)
    colours = sheet.colours
    longest = max((max(b, a) for _, b, a in items), default=0.0) or 1.0
    axes.set_xlim(-1.45, 1.45)
    axes.axvline(0, color=colours.quiet, lw=1.0)
    for row, (_, before, after) in enumerate(items):
        new = after >= before
        length, colour = max(before, after) / longest, colours.today if new else colours.before
        axes.barh(row, length if new else -length, height=0.62, color=colour, lw=0)
        at, text = (length + 0.04, "left") if new else (-length - 0.04, "right")
        style.write(axes, at, row, format_number(max(before, after), "share"), colour, bold=new, ha=text, va="center")
    more = len(picture.items) - len(items)
    key = ("gone, share before", colours.before), ("new, share today", colours.today)
    style.write_key(sheet, key, right=f"and {more} more" if more > 0 else "")
    style.save(sheet.figure, path)
    return rows.told(picture.title, [_tell(*item) for item in items])


def _tell(name: str, before: float, after: float) -> str:
    if after >= before:
        return f"{clean_text(name, 60) or '(blank)'}: new, {format_number(after, 'share')} of rows today"
    return f"{clean_text(name, 60) or '(blank)'}: gone, {format_number(before, 'share')} of rows before"
