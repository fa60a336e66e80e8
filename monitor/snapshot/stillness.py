"""How long a table that is rewritten in place has stood still, by what was measured of it at each look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from monitor.types import Stillness

EXACT = frozenset({"rows", "nulls", "empty", "zeros", "true", "min", "max", "mean", "changed"})
"""Measures that are the same for the same rows, whatever way the engine goes about it."""
TOLERANCE = 1e-9
Values = Mapping[str, float | None]


def stillness(looks: Sequence[Values]) -> Stillness:
    """How many looks in a row, the newest included, found what the look before had found, and what came before.

    Args:
        looks: values by measure key of each look, oldest first, the newest last.

    >>> rows = [3.0, 3.0, 3.0, 4.0, 5.0, 5.0]
    >>> stillness([{"rows": n} for n in rows])
    Stillness(still=1, longest=2, changes=2)
    """
    still = longest = changes = 0
    for before, now in pairwise(looks):
        if has_changed(before, now):
            longest, still, changes = max(longest, still), 0, changes + 1
        else:
            still += 1
    return Stillness(still, longest, changes)


def has_changed(before: Values, now: Values) -> bool:
    """Whether two looks differ in anything that both measured exactly."""
    if any(value for key, value in now.items() if key.split(".", 1)[0] == "changed"):
        return True
    shared = [key for key in now if key in before and key.split(".", 1)[0] in EXACT - {"changed"}]
    return any(not _is_equal(before[key], now[key]) for key in shared)


def _is_equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
