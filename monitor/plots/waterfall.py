"""How segments moved a metric: from what was expected, step by step, to what it is."""

from __future__ import annotations

from pathlib import Path

from monitor.plots import rows, style
from monitor.plots.kinds import WaterfallPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

PARTS_MAX = 6
_CLIP = 1e300


def draw(picture: WaterfallPicture, path: Path, *, dark: bool) -> str:
    """Draw the steps from top to bottom, what is left over as one of them; returns the alternative text."""
    before, after = _bounded(picture.before), _bounded(picture.after)
    parts = [(name, _bounded(change)) for name, change in picture.parts[:PARTS_MAX]]
    rest = after - before - sum(change for _, change in parts)
    if abs(rest) > 1e-3 * max(abs(after - before), 1e-300):
        parts.append(("all others", rest))
    bars = _bars(before, after, parts)
    sheet, axes = rows.new_rows(picture.title, [name for name, *_ in bars], dark=dark, row_in=0.34, right_in=0.95)
    colours = sheet.colours
    low, high = _scale(bars)
    axes.set_xlim(low, high)
    for row, (_, start, end, whole) in enumerate(bars):
        colour = colours.quiet if whole and row == 0 else colours.today if end >= start else colours.before
        left, right = (max(low, min(start, end)), max(start, end))
        axes.barh(row, right - left, left=left, height=0.62, color=colour, lw=0)
        text = format_number(end, picture.unit) if whole else _signed(end - start, picture.unit)
        style.write(
            axes, right + 0.015 * (high - low), row, text, colour, bold=row == len(bars) - 1, ha="left", va="center"
        )
        if row + 1 < len(bars):
            axes.plot([end, end], [row, row + 1], color=colours.quiet, lw=0.8, zorder=0)
    style.write_key(sheet, (("raised it", colours.today), ("lowered it", colours.before)))
    style.save(sheet.figure, path)
    told = [f"expected {format_number(before, picture.unit)}"]
    told += [f"{clean_text(name, 60)} {_signed(change, picture.unit)}" for name, change in parts]
    return rows.told(picture.title, [*told, f"today {format_number(after, picture.unit)}"])


def _bounded(value: float) -> float:
    return min(max(style.finite(value) or 0.0, -_CLIP), _CLIP)


def _bars(before: float, after: float, parts: list[tuple[str, float]]) -> list[tuple[str, float, float, bool]]:
    """(name, start, end, whether it is a level and no step)."""
    bars, level = [("expected", 0.0, before, True)], before
    for name, change in parts:
        bars.append((name, level, level + change, False))
        level += change
    return [*bars, ("today", 0.0, after, True)]


def _scale(bars: list[tuple[str, float, float, bool]]) -> tuple[float, float]:
    """From 0, unless the steps would then be too small to be seen: the levels' feet are cut off instead."""
    ends = [v for _, start, end, whole in bars for v in ((end,) if whole else (start, end))]
    low, high = min(ends), max(ends)
    span = high - low
    bottom = low - 0.25 * span if low > 0 and span < 0.6 * high else min(low, 0.0)
    top = max(high, 0.0)
    return bottom, top if top > bottom else bottom + 1.0


def _signed(change: float, unit: str) -> str:
    return f"{'+' if change >= 0 else '-'}{format_number(abs(change), unit)}"
