"""Where the numbers of a column lie before and after: two histograms with shared bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from monitor.plots import DistributionPicture, style
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

Array = npt.NDArray[np.float64]
CLIP = (0.005, 0.995)
BINS_MAX = 48
TAIL_RATIO = 30.0
"""The top percentile over the median from which positive numbers get a logarithmic axis."""


@dataclass(frozen=True)
class _Binned:
    """Shares of rows by bin; `outside` is how many numbers lie beyond the bins, before and after."""

    edges: Array
    before: Array
    after: Array
    outside: tuple[int, int]
    log: bool


def draw(picture: DistributionPicture, path: Path, *, dark: bool) -> str:
    """Draw both histograms; returns the alternative text."""
    before, after = _finite(picture.before), _finite(picture.after)
    sheet = style.new_sheet(picture.title, dark=dark)
    binned = _bin(before, after)
    axes = style.add_axes(sheet.figure, 0.24, 0.24, sheet.top_in + 0.42, 0.62)
    _draw_bins(axes, binned, sheet.colours)
    _label_axis(axes, binned, sheet)
    colours = sheet.colours
    key = (f"before: {_middle(before)}", colours.quiet), (f"today: {_middle(after)}", colours.today)
    style.write_key(sheet, key)
    remark = _remark(clean_text(picture.column, 60), binned)
    height = float(sheet.figure.get_figheight())
    fitted = style.fit(remark, sheet.canvas, style.WIDTH_IN - 0.5)
    style.write(sheet.figure, 0.5, 0.1 / height, fitted, sheet.colours.quiet, ha="center", va="bottom")
    style.save(sheet.figure, path)
    return _describe(picture, before, after, binned)


def _finite(values: Array) -> Array:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    # Bins are differences: the halves of the range of doubles are the most that stays finite.
    return np.clip(numbers[np.isfinite(numbers)], -1e307, 1e307)


def _bin(before: Array, after: Array) -> _Binned:
    low, high = _limits(before, after)
    both = np.concatenate([before, after])
    log = _wants_log(both, low)
    edges = np.geomspace(low, high, BINS_MAX + 1) if log else _edges(both, low, high)
    edges[0], edges[-1] = min(low, edges[0]), max(high, edges[-1])
    outside = tuple(int(((side < low) | (side > high)).sum()) for side in (before, after))
    return _Binned(edges, _shares(before, edges), _shares(after, edges), (outside[0], outside[1]), log)


def _limits(before: Array, after: Array) -> tuple[float, float]:
    """The range that holds the middle 99% of both sides."""
    known = [np.quantile(side, CLIP, method="inverted_cdf") for side in (before, after) if len(side)]
    if not known:
        return 0.0, 1.0
    low, high = float(min(k[0] for k in known)), float(max(k[1] for k in known))
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    air = abs(low) * 0.5 or 1.0
    return low - air, high + air


def _wants_log(both: Array, low: float) -> bool:
    if len(both) == 0 or both.min() <= 0 or low <= 0:
        return False
    middle, top = np.quantile(both, [0.5, 0.99])
    return bool(math.log(top) - math.log(middle) > math.log(TAIL_RATIO))


def _edges(both: Array, low: float, high: float) -> Array:
    """Few rows, few bins; whole numbers get bins of a whole width around them, or the picture shows a comb."""
    count = int(np.clip(2 * np.cbrt(len(both)), 8, BINS_MAX))
    inside = both[(both >= low) & (both <= high)]
    if len(inside) and high - low < 1e9 and np.all(inside == np.round(inside)):
        width = max(1, math.ceil((high - low + 1) / BINS_MAX))
        bins = math.ceil((math.floor(high) - math.floor(low) + 1) / width)
        return np.arange(bins + 1, dtype=np.float64) * width + math.floor(low) - 0.5
    return np.linspace(low, high, count + 1)


def _shares(side: Array, edges: Array) -> Array:
    counts, _ = np.histogram(side, bins=edges)
    return np.asarray(counts / max(len(side), 1), dtype=np.float64)


def _draw_bins(axes: Axes, binned: _Binned, colours: style.Palette) -> None:
    if binned.log:
        axes.set_xscale("log")
    axes.set_xlim(binned.edges[0], binned.edges[-1])
    axes.set_ylim(0, max(float(binned.before.max()), float(binned.after.max()), 1e-9) * 1.06)
    axes.stairs(binned.before, binned.edges, fill=True, color=colours.quiet, alpha=0.35, lw=0)
    axes.stairs(binned.after, binned.edges, fill=True, color=colours.today, alpha=0.22, lw=0)
    axes.stairs(binned.after, binned.edges, color=colours.today, lw=1.8)
    axes.axhline(0, color=colours.quiet, lw=1.0)
    axes.set_yticks([])


def _label_axis(axes: Axes, binned: _Binned, sheet: style.Sheet) -> None:
    low, high = float(binned.edges[0]), float(binned.edges[-1])
    if binned.log:
        ticks = list(np.geomspace(low, high, 4))
    else:
        ticks = [t for t in MaxNLocator(4, integer=high - low > 4).tick_values(low, high) if low <= t <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([])
    place = axes.get_xaxis_transform()
    for tick in ticks:
        at = _log_place(tick, low, high) if binned.log else (tick - low) / (high - low)
        side = "left" if at < 0.06 else "right" if at > 0.94 else "center"
        text = format_number(float(f"{tick:.2g}") if binned.log else tick)
        style.write(axes, tick, -0.05, text, sheet.colours.quiet, ha=side, va="top", transform=place)


def _log_place(tick: float, low: float, high: float) -> float:
    """Where a tick lies on a logarithmic axis, 0 to 1; by differences of logarithms, as ratios may overflow."""
    return (math.log(tick) - math.log(low)) / (math.log(high) - math.log(low))


def _middle(side: Array) -> str:
    return f"median {format_number(float(np.median(side)))}" if len(side) else "no numbers"


def _remark(column: str, binned: _Binned) -> str:
    before, after = binned.outside
    beyond = f"; beyond the edges {before:,} before, {after:,} today" if before or after else ""
    return f"{column}{beyond}"


def _describe(picture: DistributionPicture, before: Array, after: Array, binned: _Binned) -> str:
    sides = f"before: {_told(before)}; today: {_told(after)}"
    told = f"{clean_text(picture.title, 160)}. {clean_text(picture.column, 60)} {sides}."
    if any(binned.outside):
        told += f" Not shown: {binned.outside[0]:,} numbers before and {binned.outside[1]:,} today beyond the edges."
    return told


def _told(side: Array) -> str:
    if len(side) == 0:
        return "no numbers"
    low, middle, high = (format_number(float(q)) for q in np.quantile(side, [0.05, 0.5, 0.95]))
    return f"{len(side):,} numbers, median {middle}, 5% to 95% {low} to {high}"
