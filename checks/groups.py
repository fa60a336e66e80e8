"""Series of groups of rows: laying readings of many partitions side by side, and which of them teach."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from checks.levels import level_of
from monitor.types import Grouped, Groups, GroupSeries, Key, Partition

Array = npt.NDArray[np.float64]


@functools.lru_cache(maxsize=65_536)
def rare_name(key: Key) -> str:
    """What stands for a key whose values are too rare to be named: the same text for the same values.

    >>> rare_name(("UA", None)) == rare_name(("UA", None)), rare_name(("UA", None))[:1]
    (True, '#')
    """
    text = json.dumps(key, separators=(",", ":"))
    return f"#{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def series_of(
    groups: Groups,
    past: Sequence[tuple[Partition, Grouped | None, frozenset[str]]],
    today: Grouped,
    largest: int | None = None,
) -> GroupSeries:
    """The series of all groups that were ever among the largest, today's and the most frequent ones first.

    Args:
        groups: what was grouped by.
        past: partitions oldest first, what was read of each (None: nothing), and the checks that judged it bad.
        today: what was read of the judged partition.
        largest: how many groups at most; None: all.
    """
    readings = [*(found for _, found, _ in past), today]
    names: dict[str, Key | None] = {}
    weight: dict[str, float] = {}
    for found in readings:
        for key, told in (found.groups if found is not None else {}).items():
            name = key if isinstance(key, str) else rare_name(key)
            if names.get(name) is None:
                names[name] = None if isinstance(key, str) else key
            weight[name] = weight.get(name, 0.0) + (told[0] or 0.0) / max(found.total if found else 0.0, 1.0)
    order = sorted(names, key=lambda name: (-weight[name], name))[:largest]
    place = {name: j for j, name in enumerate(order)}
    size = (len(readings), len(order))
    rows, values = np.zeros(size), np.full((*size, len(groups.statistics)), np.nan)
    totals = np.full(len(readings), np.nan)
    for i, found in enumerate(readings):
        if found is None or (found.total <= 0 and i < len(past)):
            continue
        totals[i] = found.total
        for key, told in found.groups.items():
            j = place.get(key if isinstance(key, str) else rare_name(key))
            if j is not None:
                rows[i, j] = told[0] or 0.0
                values[i, j] = [np.nan if v is None else v for v in told[1:]]
    keys = tuple(names[name] for name in order)
    return GroupSeries(
        groups, keys, tuple(p for p, _, _ in past), rows, values, totals, tuple(failed for _, _, failed in past)
    )


def empty_series(groups: Groups, error: str | None = None) -> GroupSeries:
    """No groups; with an error: they could not be read."""
    none = np.zeros((1, 0))
    return GroupSeries(groups, (), (), none, np.zeros((1, 0, len(groups.statistics))), np.zeros(1), (), error)


COURSE_POINTS = 50
"""How many past values of a group go with its finding."""


def course(past: Array) -> list[float | None]:
    """The latest past values of a series, oldest first, None where there is none: for a picture of them."""
    return [float(v) if np.isfinite(v) else None for v in past[-COURSE_POINTS:]]


def teaching(failed: Sequence[frozenset[str]], names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which past partitions teach a series that these checks judge: good ones, since the last new level.

    >>> bad = frozenset({"missing"})
    >>> teaching([frozenset(), bad, frozenset()], {"missing"}).tolist()
    [True, False, True]
    >>> teaching([frozenset(), *[bad] * 6, frozenset()], {"missing"}).tolist()
    [False, True, True, True, True, True, True, True]
    """
    wanted = frozenset(names)
    start, good = level_of([bool(checks & wanted) for checks in failed])
    good[:start] = False
    return good
