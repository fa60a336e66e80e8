"""The kinds of picture beyond the plain ones: values only, light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class QuantilesPicture:
    """How far each part of a column's values moved: two one-dimensional arrays; NaN is left out.

    `key` says what either side is.
    """

    title: str
    column: str
    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    key: tuple[str, str] = ("before", "today")


@dataclass(frozen=True, slots=True)
class MissingPicture:
    """The share of rows without a value by segment: `items` are (name, before, after), shares of 0..1, worst first.

    A `before` of None is not known.
    """

    title: str
    items: tuple[tuple[str, float | None, float], ...]


@dataclass(frozen=True, slots=True)
class HeatPicture:
    """What went wrong when: `rows` are (name, levels), one level a day: 0 well, 1 mildest, 6 worst, None not judged.

    `days` are the labels of the columns, oldest first, today last.
    """

    title: str
    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class HoursPicture:
    """Rows by the time of day: `usual` and `today` hold the same number of equal slots, from midnight to midnight."""

    title: str
    usual: tuple[float, ...]
    today: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ValuesPicture:
    """Values that are new or gone: `items` are (name, before, after), shares of rows of 0..1, one of them near 0."""

    title: str
    items: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class CorrelationPicture:
    """How two columns went together before, and go together now: arrays of (rows, 2), x first.

    `equal` are the shares of rows in which they are one number, before and now, where that is what bound them.
    """

    title: str
    x: str
    y: str
    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    equal: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CopiesPicture:
    """How often the same row or key comes: `items` are (times, share of rows before, share today), by times."""

    title: str
    items: tuple[tuple[str, float | None, float], ...]


@dataclass(frozen=True, slots=True)
class SegmentsPicture:
    """Conditions of the bad rows: `items` are (condition, precision, recall), shares of 0..1, the best first."""

    title: str
    items: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class PeersPicture:
    """One entity among all others today, and against its own past.

    `value` is the entity's today, `own` its past values, `peers` the values of the others today.
    """

    title: str
    name: str
    value: float
    own: tuple[float, ...]
    peers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FreshnessPicture:
    """Which partitions came: `days` are (label, whether it came), oldest first, today last.

    `marks` are moments on the way to now, (words, hours since the first of them), in order.
    """

    title: str
    days: tuple[tuple[str, bool], ...]
    marks: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class WaterfallPicture:
    """How segments moved a number from `before` to `after`: `parts` are (name, change), the largest first."""

    title: str
    before: float
    after: float
    parts: tuple[tuple[str, float], ...]
    unit: str = ""
