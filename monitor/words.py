"""Numbers and names as people read them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from monitor.types import Cadence, Observation, Partition

_LARGE = 1e15


def number(value: float | None) -> str:
    """Three significant digits, thousands separated, no exponent up to 15 digits.

    >>> number(1234567.0), number(0.04567), number(12.5), number(199.9999), number(None)
    ('1,234,567', '0.0457', '12.5', '200', 'nothing')
    """
    if value is None or math.isnan(value):
        return "nothing"
    if math.isinf(value) or abs(value) >= _LARGE:
        return f"{value:.3g}"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{min(digits, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: float | None) -> str:
    """A share of rows as percent, never rounded to "none" or "all".

    >>> share(0.5432), share(0.00012), share(0.0), share(0.99996), share(1.0)
    ('54.3%', '0.01%', '0%', '99.99%', '100%')
    """
    if value is None or math.isnan(value):
        return "nothing"
    percent = 100.0 * value
    if percent in (0.0, 100.0):
        return f"{percent:.0f}%"
    if percent < 0.005:
        return "under 0.01%"
    if percent < 1.0:
        return f"{percent:.2f}%"
    if percent > 99.9:
        return f"{min(percent, 99.99):.2f}%"
    return f"{percent:.1f}%"


def quantity(value: float | None, unit: str) -> str:
    """A value in its unit: shares as percent, others as numbers."""
    return share(value) if unit == "share" else number(value)


def expectation(seen: Observation) -> str:
    """What was expected, with its band: `expected 2.1% (1.0% to 4.2%)`; empty while nothing is known."""
    if seen.expected is None:
        return ""
    text = f"expected {quantity(seen.expected, seen.unit)}"
    if seen.low is None or seen.high is None:
        return text
    low, high = quantity(seen.low, seen.unit), quantity(seen.high, seen.unit)
    return text if low == high else f"{text} ({low} to {high})"


def names(columns: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and 4 more`.

    >>> names(["a"]), names(["a", "b"]), names(list("abcdef"))
    ('a', 'a and b', 'a, b, c and 3 more')
    """
    shown = list(columns[:most])
    if len(columns) > most:
        return f"{', '.join(shown)} and {len(columns) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def period(cadence: Cadence, *, is_id: bool = False) -> str:
    """What several partitions are called.

    >>> period(Cadence.WEEK), period(Cadence.DAY, is_id=True)
    ('weeks', 'partitions')
    """
    return "partitions" if is_id else f"{cadence.value}s"


def day(partition: Partition) -> str:
    """The partition as a person says it: `Fri 8 Feb 2013`; an id stays what it is.

    >>> day(Partition("o", "2013-02-08", dt.datetime(2013, 2, 8, tzinfo=dt.UTC)))
    'Fri 8 Feb 2013'
    """
    start = partition.start
    if start is None:
        return partition.label
    text = f"{start:%a} {start.day} {start:%b} {start.year}"
    length = (partition.end - start) if partition.end else dt.timedelta(days=1)
    if length <= dt.timedelta(hours=2):
        return f"{text}, {start:%H:%M}"
    return f"week of {text}" if length > dt.timedelta(days=2) else text


def sentence(text: str) -> str:
    """With a capital and a full stop; names at the start keep their spelling."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
