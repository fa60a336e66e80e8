"""One entity among the others today, and against its own past: two strips of dots on one axis."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from monitor.plots import rows, style
from monitor.plots.kinds import PeersPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

DOTS_MAX = 400
DECADES_MAX = 2.0


def draw(picture: PeersPicture, path: Path, *, dark: bool) -> str:
    """Draw the strips; returns the alternative text."""
    name = clean_text(picture.name, 60) or "(blank)"
    own, peers = _finite(picture.own), _finite(picture.peers)
    value = style.finite(picture.value)
    sheet, axes = rows.new_rows(
        picture.title, ["others today", "its own past"], dark=dark, row_in=0.62, right_in=0.3, bottom_in=0.36
    )
    colours = sheet.colours
    known = np.concatenate([own, peers, [] if value is None else [value]])
    log = bool(len(known)) and known.min() > 0 and math.log10(known.max()) - math.log10(known.min()) > DECADES_MAX
    low, high = _span(known, log=log)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    for row, (dots, colour) in enumerate(((peers, colours.quiet), (own, colours.before))):
        axes.axhline(row, color=colours.faint, lw=0.8, zorder=0)
        height = row + 0.2 * np.sin(np.arange(len(dots)) * 2.399)  # spread so that equal dots stay apart
        axes.plot(dots, height, "o", color=colour, ms=4.5, alpha=0.45, mew=0, zorder=2)
    _axis(axes, sheet, low, high, log=log)
    if value is not None:
        axes.plot([value, value], [-0.4, 1.4], color=colours.today, lw=1.6, zorder=3)
        axes.plot([value, value], [0, 1], "D", color=colours.today, ms=8, mec=colours.ground, zorder=4)
    words = f"◆ {name} today: {format_number(picture.value)}"
    style.write_key(sheet, ((style.fit(words, sheet.canvas, style.WIDTH_IN - 0.4, bold=True), colours.today),))
    style.save(sheet.figure, path)
    return rows.told(picture.title, [f"{name} today: {format_number(picture.value)}", _range(own, "its own past"),
                                     _range(peers, f"{len(peers)} others today")])  # fmt: skip


def _finite(values: tuple[float, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    numbers = np.array(values[:100_000], dtype=np.float64)
    numbers = np.clip(numbers[np.isfinite(numbers)], -1e300, 1e300)
    if len(numbers) <= DOTS_MAX:
        return numbers
    ranked = np.sort(numbers)
    return ranked[np.linspace(0, len(ranked) - 1, DOTS_MAX).astype(np.intp)]


def _span(known: np.ndarray[tuple[int], np.dtype[np.float64]], *, log: bool) -> tuple[float, float]:
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if log:
        return low / 1.4, min(high * 1.4, 1e305)
    air = 0.07 * (high - low) or 0.5 * abs(high) or 1.0
    return low - air, high + air


def _axis(axes: Axes, sheet: style.Sheet, low: float, high: float, *, log: bool) -> None:
    if log:
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        step = max(1, math.ceil((last - first + 1) / 4))
        ticks = [10.0**e for e in range(first, last + 1, step)]
    else:
        ticks = [t for t in MaxNLocator(4).tick_values(low, high) if low <= t <= high]
    axes.set_xticks([])
    axes.minorticks_off()
    for tick in ticks:
        axes.axvline(tick, color=sheet.colours.faint, lw=0.8, zorder=0)
        place = axes.get_xaxis_transform()
        style.write(axes, tick, -0.05, format_number(tick), sheet.colours.quiet, ha="center", va="top", transform=place)


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]], what: str) -> str:
    if not len(values):
        return f"{what}: none"
    return f"{what}: {format_number(float(values.min()))} to {format_number(float(values.max()))}"
