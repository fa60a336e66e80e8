"""What differs between two tables: rows added, removed and changed, and the columns that changed most."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from monitor.plots import DifferencesPicture, style
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

COLUMNS_MAX = 8
_ROW_IN = 0.34
_NAME_IN = 1.7


def draw(picture: DifferencesPicture, path: Path, *, dark: bool) -> str:
    """Draw a bar a kind of row, and one a column; returns the alternative text."""
    columns = picture.columns[:COLUMNS_MAX]
    bars = [*picture.rows, *columns]
    height_in = max(style.HEIGHT_IN * 0.62, 1.15 + _ROW_IN * (len(bars) + (1 if columns else 0)))
    sheet = style.new_sheet(picture.title, dark=dark, height_in=height_in)
    names = [style.fit(clean_text(name, 60) or "(blank)", sheet.canvas, _NAME_IN) for name, _ in bars]
    left_in = 0.26 + max((style.width_in(name, sheet.canvas) for name in names), default=0.0)
    axes = style.add_axes(sheet.figure, left_in, 0.95, sheet.top_in + 0.34, 0.12)
    _draw_bars(axes, picture, columns, names, sheet.colours)
    more = len(picture.columns) - len(columns)
    key = (("rows", sheet.colours.quiet), (f"by column, {picture.unit}", sheet.colours.today))
    style.write_key(sheet, key[: 2 if columns else 1], right=f"and {more} more columns" if more > 0 else "")
    style.save(sheet.figure, path)
    return _describe(picture, columns)


def _draw_bars(
    axes: Axes,
    picture: DifferencesPicture,
    columns: tuple[tuple[str, float], ...],
    names: list[str],
    colours: style.Palette,
) -> None:
    gap = 1 if columns else 0
    total = len(picture.rows) + gap + len(columns)
    axes.set_xlim(0, 1)
    axes.set_ylim(max(total, 1) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for group, colour, first in ((picture.rows, colours.quiet, 0), (columns, colours.today, len(picture.rows) + gap)):
        longest = max((style.finite(size) or 0.0 for _, size in group), default=0.0) or 1.0
        for place, (_, size) in enumerate(group):
            row, length = first + place, max(style.finite(size) or 0.0, 0.0) / longest
            name = names[place if first == 0 else len(picture.rows) + place]
            style.write(
                axes, -0.03, row, name, colours.ink, transform=axes.get_yaxis_transform(), ha="right", va="center"
            )
            axes.barh(row, length, height=0.62, color=colour, lw=0)
            style.write(axes, length + 0.015, row, format_number(size), colour, bold=first > 0, ha="left", va="center")


def _describe(picture: DifferencesPicture, columns: tuple[tuple[str, float], ...]) -> str:
    rows = ", ".join(f"{format_number(size)} {name}" for name, size in picture.rows)
    told = "; ".join(f"{name}: {format_number(size)} {picture.unit}" for name, size in columns)
    return f"{clean_text(picture.title, 160)}. Rows: {rows}.{f' By column: {told}.' if told else ''}"
