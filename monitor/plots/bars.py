"""Shares of rows by value, before and after, as pairs of horizontal bars."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from monitor.plots import BarsPicture, style
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

ITEMS_MAX = 8
_ROW_IN = 0.43
_BAR_IN = 0.17
_NAME_IN = 1.6


def draw(picture: BarsPicture, path: Path, *, dark: bool) -> str:
    """Draw the pairs; returns the alternative text."""
    items = _shown(picture)
    height_in = max(style.HEIGHT_IN * 0.62, 1.05 + _ROW_IN * len(items))
    sheet = style.new_sheet(picture.title, dark=dark, height_in=height_in)
    names = [style.fit(name, sheet.canvas, _NAME_IN) for name, _, _ in items]
    left_in = 0.26 + max((style.width_in(name, sheet.canvas) for name in names), default=0.0)
    axes = style.add_axes(sheet.figure, left_in, 0.75, sheet.top_in + 0.34, 0.12)
    _draw_bars(axes, items, names, sheet.colours)
    more = len(picture.items) - len(items)
    key = ("before", sheet.colours.quiet), ("today", sheet.colours.today)
    style.write_key(sheet, key, right=f"and {more} more" if more > 0 else "")
    style.save(sheet.figure, path)
    return _describe(picture, items)


def _shown(picture: BarsPicture) -> list[tuple[str, float, float]]:
    items = picture.items[:ITEMS_MAX]
    return [(clean_text(name, 60) or "(blank)", style.finite(b) or 0.0, style.finite(a) or 0.0) for name, b, a in items]


def _draw_bars(axes: Axes, items: list[tuple[str, float, float]], names: list[str], colours: style.Palette) -> None:
    longest = max((max(before, after) for _, before, after in items), default=0.0) or 1.0
    half = _BAR_IN / _ROW_IN / 2
    axes.set_xlim(0, longest)
    axes.set_ylim(max(len(items), 1) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for row, ((_, before, after), name) in enumerate(zip(items, names, strict=True)):
        style.write(axes, -0.03, row, name, colours.ink, transform=axes.get_yaxis_transform(), ha="right", va="center")
        for share, at, colour, bold in (
            (before, row - half, colours.quiet, False),
            (after, row + half, colours.today, True),
        ):
            axes.barh(at, max(share, 0.0), height=2 * half * 0.92, color=colour, alpha=1.0 if bold else 0.55, lw=0)
            text = format_number(share, "share")
            style.write(axes, max(share, 0.0) + 0.015 * longest, at, text, colour, bold=bold, ha="left", va="center")
    if not items:
        style.write(axes, 0.0, 0.0, "no values to show", colours.quiet, ha="left", va="center")


def _describe(picture: BarsPicture, items: list[tuple[str, float, float]]) -> str:
    told = [f"{n}: {format_number(b, 'share')} before, {format_number(a, 'share')} today" for n, b, a in items]
    return f"{clean_text(picture.title, 160)}. {'; '.join(told) or 'No values to show'}."
