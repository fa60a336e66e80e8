"""Where the present level of a series begins: a long unbroken run of bad partitions is the new normal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RESTART_PARTITIONS = 6
"""So many bad partitions in a row are a new level: what was before them is forgotten, and they teach."""


def level_of(bad: Sequence[bool]) -> tuple[int, npt.NDArray[np.bool_]]:
    """Where the present level begins, and which partitions are good, those of every level's first run among them.

    >>> start, good = level_of([False, True, False])
    >>> start, good.tolist()
    (0, [True, False, True])
    >>> start, good = level_of([False, *[True] * 6, False])
    >>> start, bool(good.all())
    (1, True)
    """
    good = np.ones(len(bad), dtype=bool)
    start = run = 0
    for i, is_bad in enumerate(bad):
        run = run + 1 if is_bad else 0
        good[i] = run == 0 or run >= RESTART_PARTITIONS
        if run == RESTART_PARTITIONS:
            start = i - run + 1
            good[start:i] = True
    return start, good
