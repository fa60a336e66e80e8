"""How far each part of a column's values moved: a line from before to today for each of five quantiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.plots import rows, style
from monitor.plots.kinds import QuantilesPicture
from monitor.privacy.numbers import format_number

AT = (("lowest 5%", 0.05), ("lower quarter", 0.25), ("median", 0.5), ("upper quarter", 0.75), ("highest 5%", 0.95))
TAIL_RATIO = 100.0
"""The largest quantile over the smallest from which positive numbers get a logarithmic axis."""


def draw(picture: QuantilesPicture, path: Path, *, dark: bool) -> str:
    """Draw a pair of dots a quantile; returns the alternative text."""
    before, after = _quantiles(picture.before), _quantiles(picture.after)
    usable = len(before) and len(after)
    names = [name for name, _ in AT] if usable else []
    sheet, axes = rows.new_rows(picture.title, names, dark=dark, row_in=0.4, right_in=1.55)
    colours = sheet.colours
    if usable:
        low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
        if low > 0 and high / low > TAIL_RATIO:
            axes.set_xscale("log")
            axes.set_xlim(low / 1.3, high * 1.3)
        else:
            air = 0.08 * (high / 2 - low / 2) * 2 or 0.5 * abs(high) or 1.0
            axes.set_xlim(max(low - air, -1e308), min(high + air, 1e308))
        axes.set_xticks([])
        axes.minorticks_off()
    place = axes.get_yaxis_transform()
    for row, (b, a) in enumerate(zip(before, after, strict=False) if usable else ()):
        axes.axhline(row, color=colours.faint, lw=0.8, zorder=0)
        axes.plot([b, a], [row, row], color=colours.today, lw=2.2, alpha=0.6, zorder=2)
        axes.plot([b], [row], "o", color=colours.before, ms=7, zorder=3)
        axes.plot([a], [row], "D", color=colours.today, ms=7, zorder=4)
        text = style.fit(f"{format_number(b)} → {format_number(a)}", sheet.canvas, 1.45, bold=True)
        style.write(axes, 1.03, row, text, colours.ink, transform=place, ha="left", va="center")
    one, other = picture.key
    style.write_key(sheet, ((f"● {one}", colours.before), (f"◆ {other}", colours.today)))
    style.save(sheet.figure, path)
    pairs = zip(names, before, after, strict=False)
    return rows.told(picture.title, [f"{n}: {format_number(b)} {one}, {format_number(a)} {other}" for n, b, a in pairs])


def _quantiles(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = np.clip(numbers[np.isfinite(numbers)], -1e307, 1e307)
    return np.quantile(numbers, [at for _, at in AT]) if len(numbers) else np.zeros(0)
