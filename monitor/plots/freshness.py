"""Which partitions came, as tiles, and how long it is since the newest row."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from monitor.plots import style
from monitor.plots.kinds import FreshnessPicture
from monitor.privacy.shapes import clean_text

DAYS_MAX = 30
MARKS_MAX = 4


def draw(picture: FreshnessPicture, path: Path, *, dark: bool) -> str:
    """Draw the tiles and, where moments are known, the way from the first to the last; returns the alternative text."""
    days, marks = picture.days[-DAYS_MAX:], picture.marks[:MARKS_MAX]
    sheet = style.new_sheet(picture.title, dark=dark)
    colours = sheet.colours
    below = 1.2 if marks else 0.5
    axes = style.add_axes(sheet.figure, 0.26, 0.26, sheet.top_in + 0.42, below)
    axes.set_xlim(0, max(len(days), 1))
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    for place, (_, came) in enumerate(days):
        last = place == len(days) - 1
        face = colours.before if came else "none"
        edge = colours.today if last and not came else colours.before if came else colours.quiet
        width = 2.4 if last and not came else 1.0
        axes.add_patch(Rectangle((place + 0.1, 0.05), 0.8, 0.9, facecolor=face, edgecolor=edge, lw=width))
    if days:
        _label(axes, days, sheet)
    key = ("■ came", colours.before), ("□ did not", colours.today if days and not days[-1][1] else colours.quiet)
    style.write_key(sheet, key)
    if marks:
        _draw_marks(marks, sheet)
    style.save(sheet.figure, path)
    return _describe(picture, days)


def _label(axes: Axes, days: tuple[tuple[str, bool], ...], sheet: style.Sheet) -> None:
    first = style.fit(clean_text(days[0][0], 40), sheet.canvas, 1.8)
    last = style.fit(clean_text(days[-1][0], 40), sheet.canvas, 2.2, bold=True)
    place = axes.transAxes
    colours = sheet.colours
    style.write(axes, 0.0, -0.06, first, colours.quiet, va="top", transform=place)
    style.write(axes, 1.0, -0.06, last, colours.today, bold=True, ha="right", va="top", transform=place)


def _draw_marks(marks: tuple[tuple[str, float], ...], sheet: style.Sheet) -> None:
    """A line of time with its moments; the words stand above and below in turn, so that neighbours do not meet."""
    colours = sheet.colours
    axes = style.add_axes(sheet.figure, 0.36, 0.36, float(sheet.figure.get_figheight()) - 0.72, 0.34)
    hours = [style.finite(at) or 0.0 for _, at in marks]
    span = max(hours) - min(hours) or 1.0
    axes.set_xlim(min(hours), min(hours) + span)
    axes.set_ylim(-1, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axhline(0, color=colours.quiet, lw=1.4)
    for place, ((words, _), at) in enumerate(zip(marks, hours, strict=True)):
        last = place == len(marks) - 1
        colour = colours.today if last else colours.before if place == 0 else colours.ink
        axes.plot([at], [0], "o", color=colour, ms=7, zorder=3, clip_on=False)
        share = (at - min(hours)) / span
        side = "left" if share < 0.34 else "right" if share > 0.66 else "center"
        up = place % 2 == 0
        text = style.fit(clean_text(words, 60), sheet.canvas, 2.9)
        style.write(axes, at, 0.5 if up else -0.5, text, colour, bold=last, ha=side, va="bottom" if up else "top")


def _describe(picture: FreshnessPicture, days: tuple[tuple[str, bool], ...]) -> str:
    came = sum(flag for _, flag in days[:-1])
    parts = [f"{came} of {len(days[:-1])} partitions before came" if days[:-1] else "No partitions before"]
    if days:
        parts.append(f"{clean_text(days[-1][0], 40)} {'came' if days[-1][1] else 'did not'}")
    parts += [clean_text(words, 80) for words, _ in picture.marks[:MARKS_MAX]]
    return f"{clean_text(picture.title, 160)}. {'; '.join(parts)}."
