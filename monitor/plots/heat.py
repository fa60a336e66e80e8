"""What went wrong when: a cell a column and day, darker where it was worse."""

from __future__ import annotations

from pathlib import Path

from matplotlib.patches import Rectangle

from monitor.plots import rows, style
from monitor.plots.kinds import HeatPicture
from monitor.privacy.shapes import clean_text

ROWS_MAX = 10
DAYS_MAX = 30
WORST = 6
WORDS = ("well", "minimal", "weak", "moderate", "strong", "severe", "extreme")


def draw(picture: HeatPicture, path: Path, *, dark: bool) -> str:
    """Draw the cells of the last 30 days; returns the alternative text."""
    listed = picture.rows[:ROWS_MAX]
    days = picture.days[-DAYS_MAX:]
    names = [name for name, _ in listed]
    sheet, axes = rows.new_rows(picture.title, names, dark=dark, row_in=0.32, right_in=0.2, bottom_in=0.36)
    colours = sheet.colours
    axes.set_xlim(0, max(len(days), 1))
    for row, (_, levels) in enumerate(listed):
        for place, level in enumerate(levels[-len(days) :] if days else ()):
            axes.add_patch(_cell(place, row, level, colours))
    if days:
        below = axes.transAxes
        height = float(axes.get_position().height * sheet.figure.get_figheight())
        first = style.fit(clean_text(days[0], 40), sheet.canvas, 1.5)
        style.write(axes, 0.0, -0.07 / height, first, colours.quiet, va="top", transform=below)
        last = style.fit(clean_text(days[-1], 40), sheet.canvas, 1.8, bold=True)
        style.write(axes, 1.0, -0.07 / height, last, colours.today, bold=True, ha="right", va="top", transform=below)
    more = len(picture.rows) - len(listed)
    remark = f"and {more} more" if more > 0 else ""
    style.write_key(sheet, (("darker: worse" if not dark else "brighter: worse", colours.today),), right=remark)
    style.save(sheet.figure, path)
    return rows.told(picture.title, [_tell(name, levels, days) for name, levels in listed])


def _cell(place: int, row: int, level: int | None, colours: style.Palette) -> Rectangle:
    box = ((place + 0.06, row - 0.42), 0.88, 0.84)
    if level is None:
        return Rectangle(*box, facecolor="none", edgecolor=colours.faint, lw=0.8)
    if level <= 0:
        return Rectangle(*box, facecolor=colours.faint, lw=0)
    return Rectangle(*box, facecolor=colours.today, alpha=0.3 + 0.7 * min(level, WORST) / WORST, lw=0)


def _tell(name: str, levels: tuple[int | None, ...], days: tuple[str, ...]) -> str:
    shown = levels[-len(days) :] if days else ()
    bad = [(day, level) for day, level in zip(days, shown, strict=False) if level]
    told = f"{clean_text(name, 60) or '(blank)'}: bad on {len(bad)} of {len(shown)} days"
    return f"{told}, last {clean_text(bad[-1][0], 40)} ({WORDS[min(bad[-1][1], WORST)]})" if bad else told
