"""Bounds of ranges as people would write them."""

from __future__ import annotations

import math


def between(low: float, high: float, *, plain: bool = True) -> float:
    """A number in [low, high), with as few digits as there is one; `low` itself where none is plainer.

    >>> between(0.2831, 0.5117), between(1187.0, 1212.0), between(3.0, 4.0)
    (0.4, 1200.0, 3.0)
    """
    if not plain or not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        return low
    for digits in range(-math.floor(math.log10(high - low)) - 1, 16):
        middle = round((low + high) / 2.0, digits)
        for found in (middle, round(low, digits)):
            if low <= found < high:
                return found
    return low
