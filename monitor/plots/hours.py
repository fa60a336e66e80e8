"""Rows by the time of day: today as bars before what is usual, missing stretches marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.plots import style
from monitor.plots.kinds import HoursPicture
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

LOST = 0.2
"""A slot with less of its usual rows than this is missing."""
ROWS_MIN = 5.0
"""Slots that usually have fewer rows than this are not called missing."""


def draw(picture: HoursPicture, path: Path, *, dark: bool) -> str:
    """Draw the day from midnight to midnight; returns the alternative text."""
    slots = max(len(picture.usual), len(picture.today), 1)
    usual, today = _rows(picture.usual, slots), _rows(picture.today, slots)
    sheet = style.new_sheet(picture.title, dark=dark)
    colours = sheet.colours
    axes = style.add_axes(sheet.figure, 0.26, 0.26, sheet.top_in + 0.4, 0.36)
    axes.set_xlim(0, slots)
    axes.set_ylim(0, 1.08 * max(float(usual.max(initial=0.0)), float(today.max(initial=0.0)), 1e-300))
    axes.set_xticks([])
    axes.set_yticks([])
    at = np.arange(len(usual)) + 0.5
    axes.bar(at, usual, width=1.0, color=colours.before, alpha=0.28, lw=0)
    axes.bar(at, today, width=0.8, color=colours.today, lw=0)
    axes.axhline(0, color=colours.quiet, lw=1.0)
    stretches = _missing(usual, today)
    for first, last in stretches:
        axes.axvspan(first, last, color=colours.before, alpha=0.14, lw=0)
        if last - first > 0.08 * slots:
            middle = style.write(axes, (first + last) / 2, 0.93, "missing", colours.ink, bold=True, ha="center",
                                 va="top", transform=axes.get_xaxis_transform())  # fmt: skip
            middle.set_zorder(6)
    for hour in (0, 6, 12, 18, 24):
        side = {0: "left", 24: "right"}.get(hour, "center")
        place = axes.get_xaxis_transform()
        style.write(axes, slots * hour / 24, -0.04, f"{hour:02d}:00", colours.quiet, ha=side, va="top", transform=place)
    style.write_key(sheet, (("rows usually", colours.before), ("today", colours.today)))
    style.save(sheet.figure, path)
    return _describe(picture, usual, today, stretches)


def _rows(values: tuple[float, ...], slots: int) -> npt.NDArray[np.float64]:
    """Rows a slot; what is no number of rows is none."""
    told = np.array([*values, *([0.0] * (slots - len(values)))], dtype=np.float64)
    return np.clip(np.nan_to_num(told, nan=0.0, posinf=0.0, neginf=0.0), 0.0, 1e300)


def _missing(usual: npt.NDArray[np.float64], today: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Stretches of slots, half-open, without the rows they usually have."""
    size = min(len(usual), len(today))
    lost = (usual[:size] >= ROWS_MIN) & (today[:size] < LOST * usual[:size])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _describe(
    picture: HoursPicture, usual: npt.NDArray[np.float64], today: npt.NDArray[np.float64], lost: list[tuple[int, int]]
) -> str:
    slots = max(len(usual), 1)
    spans = ", ".join(f"{_clock(a, slots)} to {_clock(b, slots)}" for a, b in lost[:6])
    rows = f"{format_number(float(today.sum()), 'rows')} today, usually {format_number(float(usual.sum()), 'rows')}"
    missing = f"Missing from {spans}." if spans else "No stretch is missing."
    return f"{clean_text(picture.title, 160)}. {rows}. {missing}"


def _clock(slot: int, slots: int) -> str:
    minutes = round(slot * 24 * 60 / slots)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
