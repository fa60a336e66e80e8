"""Two columns against each other: how they went together before, and how they go together today."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.plots import style
from monitor.plots.kinds import CorrelationPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

Array = npt.NDArray[np.float64]
DOTS_MAX = 600
CLIP = (0.01, 0.99)


def draw(picture: CorrelationPicture, path: Path, *, dark: bool) -> str:
    """Draw two clouds on the same axes' limits, side by side; returns the alternative text."""
    before, after = _finite(picture.before), _finite(picture.after)
    sheet = style.new_sheet(picture.title, dark=dark, height_in=3.1)
    colours = sheet.colours
    limits = _limits(np.vstack([before, after]))
    gap, edge = 0.2, 0.3
    wide = (style.WIDTH_IN - 2 * edge - gap) / 2
    names = [clean_text(picture.x, 40), clean_text(picture.y, 40)]
    what, fits = _fits(picture, before, after)
    for side, (cloud, colour, word) in enumerate(((before, colours.before, "before"), (after, colours.today, "today"))):
        left = edge + side * (wide + gap)
        axes = style.add_axes(sheet.figure, left, style.WIDTH_IN - left - wide, sheet.top_in + 0.4, 0.4)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlim(*limits[0])
        axes.set_ylim(*limits[1])
        axes.set_facecolor(colours.faint)
        axes.patch.set_alpha(0.5)
        taken = np.linspace(0, max(len(cloud) - 1, 0), min(len(cloud), DOTS_MAX)).astype(np.intp)
        shown = cloud[taken]
        axes.plot(shown[:, 0], shown[:, 1], "o", color=colour, ms=3.2, alpha=0.5, mew=0)
        told = f"{word}: {what} {fits[side]}"
        style.write(axes, 0.0, 1.03, told, colour, bold=bool(side), transform=axes.transAxes, va="bottom")
    below = style.fit(f"{names[0]} →   ↑ {names[1]}", sheet.canvas, style.WIDTH_IN - 0.5)
    height = float(sheet.figure.get_figheight())
    style.write(sheet.figure, 0.5, 0.11 / height, below, colours.quiet, ha="center", va="bottom")
    style.save(sheet.figure, path)
    if picture.equal is None:
        together = f"Correlation of {names[0]} with {names[1]}"
    else:
        together = f"{names[0]} and {names[1]} are equal"
    return (
        f"{clean_text(picture.title, 160)}. {together}: {fits[1]} today over"
        f" {len(after):,} rows, {fits[0]} before over {len(before):,}."
    )


def _fits(picture: CorrelationPicture, before: Array, after: Array) -> tuple[str, tuple[str, str]]:
    """What says how well the columns go together, and its figures before and now."""
    if picture.equal is None:
        return "r =", (correlation(before), correlation(after))
    was, now = (format_number(share, "share") for share in picture.equal)
    return "equal", (f"in {was}", f"in {now}")


def correlation(pairs: Array) -> str:
    """Spearman's correlation in words: 0.97, or "none" where one side stands still."""
    if len(pairs) < 3:
        return "none"
    ranks = [np.argsort(np.argsort(pairs[:, i], kind="stable"), kind="stable").astype(float) for i in (0, 1)]
    for i in (0, 1):  # ties share their mean rank
        _, inverse = np.unique(pairs[:, i], return_inverse=True)
        ranks[i] = (np.bincount(inverse, ranks[i]) / np.bincount(inverse))[inverse]
    if ranks[0].std() == 0 or ranks[1].std() == 0:
        return "none"
    return format_number(round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 2))


def _finite(pairs: Array) -> Array:
    numbers = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    return np.clip(numbers[np.isfinite(numbers).all(axis=1)], -1e300, 1e300)


def _limits(pairs: Array) -> list[tuple[float, float]]:
    found = []
    for i in (0, 1):
        low, high = np.quantile(pairs[:, i], CLIP) if len(pairs) else (0.0, 1.0)
        air = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        found.append((float(low - air), float(high + air)))
    return found
