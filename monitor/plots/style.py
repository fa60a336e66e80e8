"""What all pictures share: size, colours, fonts, the title, and the way into a file."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from monitor.plots.fonts import font, writable
from monitor.privacy.shapes import clean_text

WIDTH_IN: Final = 5.0
HEIGHT_IN: Final = 2.8125
DPI: Final = 288  # 1440 x 810 pixels: at the 360 of a telephone, 11 points are 11 pixels
SIZE: Final = 11.0
TITLE_SIZE: Final = 13.0
TITLE_LINES: Final = 2
_LINE_IN: Final = 0.235
_MARGIN_IN: Final = 0.14


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours after Okabe and Ito, which colour-blind people can tell apart."""

    ground: str
    ink: str
    quiet: str
    faint: str
    before: str
    today: str


LIGHT = Palette("#FFFFFF", "#1A1A1A", "#5F6670", "#E3E7EC", "#0072B2", "#C24A00")
DARK = Palette("#14181D", "#F1F3F5", "#A6AEB8", "#2E353D", "#56B4E9", "#F0A030")


@dataclass(frozen=True)
class Sheet:
    """A figure with its title; `top_in` is how much of it, in inches from the top, the title takes."""

    figure: Figure
    canvas: FigureCanvasAgg
    colours: Palette
    top_in: float


def new_sheet(title: str, *, dark: bool, height_in: float = HEIGHT_IN) -> Sheet:
    """A sheet with its title. No pyplot: figures of several threads never meet."""
    colours = DARK if dark else LIGHT
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor=colours.ground)
    canvas = FigureCanvasAgg(figure)
    lines = wrap(title, canvas, WIDTH_IN - 2 * _MARGIN_IN)
    for row, line in enumerate(lines):
        top = 1 - (_MARGIN_IN * 0.7 + row * _LINE_IN) / height_in
        write(figure, _MARGIN_IN / WIDTH_IN, top, line, colours.ink, size=TITLE_SIZE, bold=True, va="top")
    return Sheet(figure, canvas, colours, _MARGIN_IN + len(lines) * _LINE_IN)


def write(
    on: Figure | Axes,
    x: float,
    y: float,
    text: str,
    colour: str,
    *,
    size: float = SIZE,
    bold: bool = False,
    **more: Any,
) -> Text:
    """Put a text on a figure or axes as it is: `$` starts no formula, missing signs warn nobody."""
    return on.text(x, y, writable(text), color=colour, fontproperties=font(size, bold=bold), parse_math=False, **more)


def write_key(sheet: Sheet, words: Sequence[tuple[str, str]], *, right: str = "") -> None:
    """The legend as (words, colour) on the line below the title; a quiet remark at its right."""
    width, height = sheet.figure.get_size_inches()
    x, y = _MARGIN_IN, 1 - (sheet.top_in + 0.01) / height
    for text, colour in words:
        bold = colour == sheet.colours.today
        write(sheet.figure, x / width, y, text, colour, bold=bold, va="top")
        x += width_in(text, sheet.canvas, bold=bold) + 0.18
    write(sheet.figure, 1 - _MARGIN_IN / width, y, right, sheet.colours.quiet, va="top", ha="right")


def width_in(text: str, canvas: FigureCanvasAgg, *, size: float = SIZE, bold: bool = False) -> float:
    """How wide a text will be, in inches."""
    width, _, _ = canvas.get_renderer().get_text_width_height_descent(  # type: ignore[no-untyped-call]
        writable(text), font(size, bold=bold), ismath=False
    )
    return float(width) / DPI


def wrap(text: str, canvas: FigureCanvasAgg, room_in: float) -> list[str]:
    """A title in at most two lines that fit; what does not is cut."""
    words = clean_text(text, 160).split(" ")
    lines: list[str] = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or width_in(longer, canvas, size=TITLE_SIZE, bold=True) <= room_in:
            lines[-1] = longer
        elif len(lines) < TITLE_LINES:
            lines.append(word)
        else:
            lines[-1] += " …"
            break
    return [fit(line, canvas, room_in, size=TITLE_SIZE, bold=True) for line in lines if line]


def fit(text: str, canvas: FigureCanvasAgg, room_in: float, *, size: float = SIZE, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than the room."""
    if width_in(text, canvas, size=size, bold=bold) <= room_in:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_in(text[:middle] + "…", canvas, size=size, bold=bold) <= room_in:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def add_axes(figure: Figure, left_in: float, right_in: float, top_in: float, bottom_in: float) -> Axes:
    """Axes with margins in inches, with nothing drawn around them."""
    width, height = figure.get_size_inches()
    box = (
        left_in / width,
        bottom_in / height,
        (width - left_in - right_in) / width,
        (height - top_in - bottom_in) / height,
    )
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    return axes


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG; a reader sees the old file or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, facecolor=figure.get_facecolor())


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=".picture-", suffix=".png", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def finite(value: float | None) -> float | None:
    """The number as a float, or None where there is none: None, NaN, infinite."""
    return float(value) if value is not None and math.isfinite(value) else None


def as_share(value: float | None) -> float:
    """The number held to 0..1; 0 where there is none.

    >>> as_share(0.25), as_share(-1e269), as_share(3.0), as_share(None)
    (0.25, 0.0, 1.0, 0.0)
    """
    return min(max(finite(value) or 0.0, 0.0), 1.0)
