"""One picture a file: what is seen is decided by the caller, how it looks is decided here.

The values below are light; matplotlib is imported when the first picture is drawn.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from monitor.plots.kinds import (
    CopiesPicture,
    CorrelationPicture,
    FreshnessPicture,
    HeatPicture,
    HoursPicture,
    MissingPicture,
    PeersPicture,
    QuantilesPicture,
    SegmentsPicture,
    ValuesPicture,
    WaterfallPicture,
)
from monitor.plots.words import describe

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "BarsPicture",
    "BeeswarmPicture",
    "CopiesPicture",
    "CorrelationPicture",
    "DifferencesPicture",
    "DistributionPicture",
    "FreshnessPicture",
    "HeatPicture",
    "HoursPicture",
    "MissingPicture",
    "PeersPicture",
    "Picture",
    "QuantilesPicture",
    "SegmentsPicture",
    "SeriesPicture",
    "ValuesPicture",
    "WaterfallPicture",
    "draw",
]

Unit = Literal["", "share", "rows", "nats"]


@dataclass(frozen=True, slots=True)
class SeriesPicture:
    """A number over time with today marked.

    `points` are the past, oldest first, as (label, value, good): a value of None is a gap, `good` is False on days
    that were judged bad. `expected`, `low` and `high` are what was expected of today, in the series' own unit.
    """

    title: str
    unit: Unit
    points: tuple[tuple[str, float | None, bool], ...]
    today: float
    today_label: str
    expected: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class BarsPicture:
    """Shares of rows by value before and after: `items` are (name, before, after), shares of 0..1, ranked."""

    title: str
    items: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class DistributionPicture:
    """Where the numbers of a column lie before and after: two one-dimensional arrays; NaN is left out."""

    title: str
    column: str
    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]


@dataclass(frozen=True)
class BeeswarmPicture:
    """What tells today's rows from the past: SHAP values in log-odds of "today".

    `contributions` and the features' `values` are arrays of (rows, features); `names` name the features.
    """

    title: str
    contributions: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DifferencesPicture:
    """How two tables differ: `rows` are (kind, count), `columns` (name, size in `unit`), ranked."""

    title: str
    rows: tuple[tuple[str, float], ...]
    columns: tuple[tuple[str, float], ...]
    unit: str = "rows"


Picture = (
    SeriesPicture | BarsPicture | DistributionPicture | BeeswarmPicture | DifferencesPicture
    | QuantilesPicture | MissingPicture | HeatPicture | HoursPicture | ValuesPicture | CorrelationPicture
    | CopiesPicture | SegmentsPicture | PeersPicture | FreshnessPicture | WaterfallPicture
)  # fmt: skip

_DRAWN_BY: dict[type[Picture], str] = {
    SeriesPicture: "monitor.plots.series",
    BarsPicture: "monitor.plots.bars",
    DistributionPicture: "monitor.plots.distribution",
    BeeswarmPicture: "monitor.plots.beeswarm",
    DifferencesPicture: "monitor.plots.differences",
    CopiesPicture: "monitor.plots.copies",
    CorrelationPicture: "monitor.plots.correlation",
    FreshnessPicture: "monitor.plots.freshness",
    HeatPicture: "monitor.plots.heat",
    HoursPicture: "monitor.plots.hours",
    MissingPicture: "monitor.plots.missing",
    PeersPicture: "monitor.plots.peers",
    QuantilesPicture: "monitor.plots.quantiles",
    SegmentsPicture: "monitor.plots.segments",
    ValuesPicture: "monitor.plots.values",
    WaterfallPicture: "monitor.plots.waterfall",
}


def dark_beside(path: Path) -> Path:
    """The file of the same picture, light on dark."""
    return path.with_suffix(f".dark{path.suffix}")


def draw(picture: Picture, path: Path, *, dark: bool = False) -> str:
    """Draw a picture into a PNG file of 1440 pixels' width, legible on a telephone.

    Args:
        picture: what to draw; empty, constant and infinite series are drawn as what they are.
        path: the file; folders that are missing are made, a file there is replaced in one step.
        dark: light on dark.

    Returns:
        The alternative text: what is seen, with its numbers.

    Raises:
        OSError: when the file cannot be written.
    """
    module: Any = importlib.import_module(_DRAWN_BY[type(picture)])
    alt = str(module.draw(picture, path, dark=dark))
    describe(path, alt)
    return alt
