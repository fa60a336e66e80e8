"""Rows with a name at their left: what pictures of bars, dots and cells have in common."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from monitor.plots import style
from monitor.privacy.shapes import clean_text

NAME_IN = 1.7
NAME_MAX = 80


def new_rows(
    title: str,
    names: Sequence[str],
    *,
    dark: bool,
    row_in: float = 0.42,
    right_in: float = 0.75,
    bottom_in: float = 0.12,
    name_in: float = NAME_IN,
) -> tuple[style.Sheet, Axes]:
    """A sheet with one row a name, the first at the top: y = 0, 1, ...; x is for the caller to scale.

    Args:
        title: of the picture.
        names: of the rows, cut where they are wider than `name_in`.
        dark: light on dark.
        row_in: height of a row, in inches.
        right_in: room at the right, for numbers.
        bottom_in: room below, for an axis.
        name_in: the widest a name becomes, in inches.
    """
    count = max(len(names), 1)
    height_in = max(style.HEIGHT_IN * 0.62, 0.95 + bottom_in + row_in * count)
    sheet = style.new_sheet(title, dark=dark, height_in=height_in)
    fitted = [style.fit(clean_text(name, NAME_MAX) or "(blank)", sheet.canvas, name_in) for name in names]
    left_in = 0.26 + max((style.width_in(name, sheet.canvas) for name in fitted), default=0.0)
    axes = style.add_axes(sheet.figure, left_in, right_in, sheet.top_in + 0.34, bottom_in)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    place = axes.get_yaxis_transform()
    for row, name in enumerate(fitted):
        style.write(axes, -0.03, row, name, sheet.colours.ink, transform=place, ha="right", va="center")
    if not names:
        style.write(axes, 0.0, 0.0, "nothing to show", sheet.colours.quiet, ha="left", va="center")
    return sheet, axes


def pair(
    axes: Axes, row: int, before: float | None, after: float, words: tuple[str, str], colours: style.Palette
) -> None:
    """Two bars in a row on an axis of 0..1, before above today, each with its number at its end."""
    for share, at, colour, text, bold in (
        (before, row - 0.2, colours.quiet, words[0], False),
        (after, row + 0.2, colours.today, words[1], True),
    ):
        length = style.as_share(share)
        axes.barh(at, length, height=0.36, color=colour, alpha=1.0 if bold else 0.55, lw=0)
        style.write(axes, length + 0.015, at, text, colour, bold=bold, ha="left", va="center")


def told(title: str, parts: Sequence[str]) -> str:
    """The alternative text: the title, then its parts."""
    return f"{clean_text(title, 160)}. {'; '.join(parts) or 'Nothing to show'}."
