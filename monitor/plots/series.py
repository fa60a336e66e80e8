"""A number over time: the past as a line, what was expected as a band, today as a marked point with its number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from monitor.plots import SeriesPicture, style
from monitor.privacy.numbers import format_number, format_range
from monitor.privacy.shapes import clean_text

POINTS_MAX = 60
DECADES_MAX = 2.0
_DOTS_MAX = 15
_BESIDE_IN = 0.11


@dataclass(frozen=True)
class _Drawn:
    """The picture's numbers: x = 0, 1, ... for the past, then today; NaN where there is nothing to draw."""

    labels: tuple[str, ...]
    values: npt.NDArray[np.float64]
    good: npt.NDArray[np.bool_]
    today: float | None
    expected: float | None
    low: float | None
    high: float | None

    @property
    def known(self) -> npt.NDArray[np.float64]:
        """Every number that has to fit on the axis."""
        ends = [self.today, self.expected, self.low, self.high]
        numbers = np.concatenate([self.values, [v for v in ends if v is not None]])
        return np.asarray(numbers[np.isfinite(numbers)], dtype=np.float64)


def draw(picture: SeriesPicture, path: Path, *, dark: bool) -> str:
    """Draw a series; returns the alternative text."""
    numbers = _numbers(picture)
    sheet = style.new_sheet(picture.title, dark=dark)
    colours = sheet.colours
    axes = style.add_axes(sheet.figure, 0.62, 0.2, sheet.top_in + 0.36, 0.36)
    log = picture.unit != "share" and _wants_log(numbers)
    _set_scale(axes, numbers, picture, colours, log=log)
    _draw_band(axes, numbers, colours)
    _write_key(numbers, picture, sheet)
    _draw_past(axes, numbers, colours)
    _draw_today(axes, numbers, picture, colours)
    _label_days(axes, numbers, picture, sheet)
    style.save(sheet.figure, path)
    return _describe(picture, numbers)


def _numbers(picture: SeriesPicture) -> _Drawn:
    points = picture.points[-POINTS_MAX:]
    values = np.array([np.nan if style.finite(v) is None else v for _, v, _ in points], dtype=np.float64)
    return _Drawn(
        labels=tuple(label for label, _, _ in points),
        values=values,
        good=np.array([good for _, _, good in points], dtype=np.bool_),
        today=style.finite(picture.today),
        expected=style.finite(picture.expected),
        low=style.finite(picture.low),
        high=style.finite(picture.high),
    )


def _wants_log(numbers: _Drawn) -> bool:
    """Over two decades, and none of the values at or below zero; a band that reaches zero is cut, not obeyed."""
    seen = np.append(numbers.values, np.nan if numbers.today is None else numbers.today)
    seen = seen[np.isfinite(seen)]
    return bool(len(seen) > 1 and seen.min() > 0 and math.log10(seen.max()) - math.log10(seen.min()) > DECADES_MAX)


def _set_scale(axes: Axes, numbers: _Drawn, picture: SeriesPicture, colours: style.Palette, *, log: bool) -> None:
    known = numbers.known
    axes.set_xlim(-0.8, len(numbers.values) + max(0.8, 0.03 * len(numbers.values)))
    if log:
        axes.set_yscale("log")
        positive = np.clip(known[known > 0], 1e-300, 1e300)
        low, high = float(positive.min() / 2), float(positive.max() * 2)
        axes.set_ylim(low, high)
        ticks = _decades(low, high)
    else:
        low, high = _span(known, picture.unit)
        axes.set_ylim(low, high)
        ticks = [t for t in MaxNLocator(3).tick_values(low, high) if low <= t <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticklabels([])
    for tick in ticks:
        axes.axhline(tick, color=colours.faint, lw=0.8, zorder=0)
        text = _tick(tick, picture.unit)
        style.write(
            axes, -0.02, tick, text, colours.quiet, ha="right", va="center", transform=axes.get_yaxis_transform()
        )


def _tick(value: float, unit: str) -> str:
    if unit == "share" or abs(value) < 10_000:
        return format_number(value, "share" if unit == "share" else "")
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < size * 1000:
            return f"{format_number(value / size)}{letter}"
    return f"{value:.0e}"


def _span(known: npt.NDArray[np.float64], unit: str) -> tuple[float, float]:
    """Limits with air around the values; counts and shares that reach near zero show it."""
    if len(known) == 0:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    # Halves first: the distance of two numbers near the largest one is not finite.
    air = 0.24 * (high / 2 - low / 2) or 0.5 * abs(high) or 1.0
    bottom = low - air
    if low >= 0 and (unit in {"share", "rows", "nats"} or low < 0.4 * high) and (unit != "rows" or low < 0.7 * high):
        bottom = -0.04 * (high + air)
    ends = np.clip([bottom, high + 1.3 * air], -1e307, 1e307)
    return float(ends[0]), float(ends[1])


def _decades(low: float, high: float) -> list[float]:
    exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    step = max(1, math.ceil(len(exponents) / 4))
    return [10.0**e for e in exponents if e % step == 0]


def _draw_band(axes: Axes, numbers: _Drawn, colours: style.Palette) -> None:
    """What was expected of today."""
    bottom, top = axes.get_ylim()
    if numbers.low is not None or numbers.high is not None:
        low = bottom if numbers.low is None else max(numbers.low, bottom)
        high = top if numbers.high is None else min(numbers.high, top)
        axes.axhspan(low, high, color=colours.before, alpha=0.13, lw=0, zorder=1)
    if numbers.expected is not None and bottom < numbers.expected < top:
        axes.axhline(numbers.expected, color=colours.before, lw=1.0, ls=(0, (4, 3)), alpha=0.7, zorder=1)


def _write_key(numbers: _Drawn, picture: SeriesPicture, sheet: style.Sheet) -> None:
    """What was expected, in the band's colour; and what the marks mean, where there are any."""
    bad, gaps = np.isfinite(numbers.values) & ~numbers.good, ~np.isfinite(numbers.values)
    marks = [mark for mark, seen in (("x bad day", bad), ("| no data", gaps)) if seen.any()]
    remark = "   ".join(marks)
    room_in = style.WIDTH_IN - 0.5 - style.width_in(remark, sheet.canvas)
    words = style.fit(_expectation(numbers, picture), sheet.canvas, room_in)
    style.write_key(sheet, ((words, sheet.colours.before),), right=remark)


def _expectation(numbers: _Drawn, picture: SeriesPicture) -> str:
    span = format_range(numbers.low, numbers.high, picture.unit)
    if span and numbers.expected is not None:
        return f"expected {format_number(numbers.expected, 'share' if picture.unit == 'share' else '')} ({span})"
    if span or numbers.expected is not None:
        return f"expected {span or format_number(numbers.expected, picture.unit)}"
    return ""


def _draw_past(axes: Axes, numbers: _Drawn, colours: style.Palette) -> None:
    """The line is broken at gaps; days judged bad are crosses beside it, single points dots."""
    x = np.arange(len(numbers.values), dtype=np.float64)
    line = np.where(numbers.good, numbers.values, np.nan)
    axes.plot(x, line, color=colours.before, lw=1.7, solid_capstyle="round", zorder=3)
    known = np.isfinite(line)
    alone = known & ~np.roll(np.append(known, False), 1)[:-1] & ~np.append(known, False)[1:]
    dots = known if known.sum() <= _DOTS_MAX else alone
    axes.plot(x[dots], line[dots], "o", color=colours.before, ms=3.5, zorder=3)
    bad = np.isfinite(numbers.values) & ~numbers.good
    axes.plot(x[bad], numbers.values[bad], "x", color=colours.today, ms=6, mew=1.6, zorder=4)
    gaps = ~np.isfinite(numbers.values)
    floor = np.full(int(gaps.sum()), 0.0)
    axes.plot(
        x[gaps], floor, "|", color=colours.quiet, ms=6, mew=1.2, transform=axes.get_xaxis_transform(), clip_on=False
    )


def _draw_today(axes: Axes, numbers: _Drawn, picture: SeriesPicture, colours: style.Palette) -> None:
    x = float(len(numbers.values))
    if numbers.today is None:
        text = format_number(picture.today, picture.unit)
        style.write(axes, 0.99, 0.5, text, colours.today, size=14, bold=True, ha="right", transform=axes.transAxes)
        return
    last = np.flatnonzero(np.isfinite(numbers.values))
    if len(last) and last[-1] == len(numbers.values) - 1 and numbers.good[last[-1]]:
        axes.plot([x - 1, x], [numbers.values[-1], numbers.today], color=colours.today, lw=1.2, alpha=0.6, zorder=3)
    axes.plot([x], [numbers.today], "o", color=colours.today, ms=8, mec=colours.ground, mew=1.2, zorder=6)
    text = format_number(numbers.today, picture.unit)
    place = axes.transAxes + ScaledTranslation(-_BESIDE_IN, 0, axes.figure.dpi_scale_trans)
    right = float((axes.transData + axes.transAxes.inverted()).transform((x, numbers.today))[0])
    box = {"facecolor": colours.ground, "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    put = {"ha": "right", "va": "center", "transform": place, "zorder": 5, "bbox": box}
    style.write(
        axes, right, _label_height(axes, numbers, numbers.today), text, colours.today, size=14, bold=True, **put
    )


def _label_height(axes: Axes, numbers: _Drawn, today: float) -> float:
    """Beside today's point, above or below it: where the line leaves the number most room; as a share of the axes."""
    to_axes = axes.transData + axes.transAxes.inverted()
    count = len(numbers.values)
    near = np.flatnonzero(np.isfinite(numbers.values) & (np.arange(count) > 0.72 * count - 1))
    own = float(to_axes.transform((count, today))[1])
    heights = [float(to_axes.transform((i, numbers.values[i]))[1]) for i in near]
    places = [height for height in (own, own + 0.16, own - 0.16) if 0.06 < height < 0.96] or [0.9]
    return max(places, key=lambda place: min([0.16, *(abs(place - h) for h in heights)]))


def _label_days(axes: Axes, numbers: _Drawn, picture: SeriesPicture, sheet: style.Sheet) -> None:
    canvas, colours = sheet.canvas, sheet.colours
    axes.xaxis.set_major_locator(NullLocator())
    below = axes.get_xaxis_transform()
    today = style.fit(clean_text(picture.today_label, 40), canvas, 2.2, bold=True)
    if not numbers.labels:
        style.write(
            axes, len(numbers.values), -0.06, today, colours.today, bold=True, ha="right", va="top", transform=below
        )
        return
    style.write(axes, 1.0, -0.06, today, colours.today, bold=True, ha="right", va="top", transform=axes.transAxes)
    first = style.fit(clean_text(numbers.labels[0], 40), canvas, 1.5)
    style.write(axes, 0.0, -0.06, first, colours.quiet, ha="left", va="top", transform=axes.transAxes)


def _describe(picture: SeriesPicture, numbers: _Drawn) -> str:
    parts = [f"{clean_text(picture.title, 160)}. {clean_text(picture.today_label, 40)}:"]
    parts.append(f"{format_number(picture.today, picture.unit)}.")
    band = format_range(numbers.low, numbers.high, picture.unit)
    if numbers.expected is not None:
        parts.append(f"Expected {format_number(numbers.expected, picture.unit)}{f' ({band})' if band else ''}.")
    elif band:
        parts.append(f"Expected {band}.")
    good = numbers.values[np.isfinite(numbers.values) & numbers.good]
    if len(good):
        seen = format_range(float(good.min()), float(good.max()), picture.unit)
        parts.append(f"{len(good)} good {'point' if len(good) == 1 else 'points'} before: {seen}.")
    else:
        parts.append("No good points before.")
    bad, gaps = int((np.isfinite(numbers.values) & ~numbers.good).sum()), int((~np.isfinite(numbers.values)).sum())
    if bad:
        parts.append(f"{bad} judged bad.")
    if gaps:
        parts.append(f"{gaps} without a value.")
    return " ".join(parts)
