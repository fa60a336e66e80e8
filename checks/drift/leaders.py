"""What happened to the columns that lead a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.apart import is_replayed, share_of_yesterday
from checks.drift.describe import describe_clock, describe_column
from checks.drift.description import Description
from checks.drift.sides import place_in_day, stack, trim_past
from checks.drift.swaps import share_swapped
from checks.drift.timelike import is_timelike
from checks.frames import missing_mask
from monitor.types import Change, ColumnKind, SampleSet, Table

DAYS_USUAL = 4
"""Past days that tell whether a column's values belong to one day."""
SWAPS_TRIED = 3
SWAPPED_MIN = 0.01
SWAPPED_PART = 0.25
"""Share of what moved in a column that an exchange with another must tell to be told."""


_MISSING = frozenset({Change.NULLS_UP, Change.NULLS_DOWN, Change.EMPTY_UP})


def describe_leaders(table: Table, samples: SampleSet, names: Sequence[str]) -> dict[str, Description]:
    """What happened to the columns that lead, the first of them first."""
    past = trim_past(samples)
    columns = [table.column(name) for name in names]
    both, is_today = stack(samples.today, past, columns)
    bounds = np.cumsum([0, len(samples.today), *(len(frame) for _, frame in past)]).tolist()
    told = {}
    for column in columns:
        values = both[column.name]
        missing = [float(missing_mask(frame[column.name]).mean()) for _, frame in past if len(frame)]
        usual = (min(missing), max(missing)) if missing else None
        if column.kind is ColumnKind.NUMBER and is_timelike(column, samples.past):
            placed = place_in_day(values, bounds)
            told[column.name] = describe_clock(values[is_today], values[~is_today], placed[is_today], placed[~is_today])
        else:
            told[column.name] = describe_column(values[is_today], values[~is_today], column.kind, usual)
    return {**told, **_replayed(told, samples), **_swapped(told, both, is_today)}


def _replayed(told: Mapping[str, Description], samples: SampleSet) -> dict[str, Description]:
    """Columns whose values belong to one day and are those of the day before."""
    found = {}
    for name, description in told.items():
        if description.change in _MISSING:
            continue  # few values that came in place of NULLs are often some of the day before
        share = share_of_yesterday(
            samples.today[name], [frame[name] for _, frame in samples.past[:DAYS_USUAL] if name in frame]
        )
        if is_replayed(share, description.effect):
            found[name] = Description(Change.REPLAY, share, description.facts)
    return found


def _swapped(
    told: Mapping[str, Description], both: pd.DataFrame, is_today: npt.NDArray[np.bool_]
) -> dict[str, Description]:
    """The first column and the one with which it has exchanged most of what moved in it, if there is one."""
    if not told:
        return {}
    first, *others = told
    sides = {name: (both[name][is_today], both[name][~is_today]) for name in told}
    shares = {name: share_swapped(sides[first], sides[name]) for name in others[:SWAPS_TRIED]}
    partner = max(shares, key=lambda name: shares[name], default=None)
    if partner is None or shares[partner] < max(SWAPPED_PART * told[first].effect, SWAPPED_MIN):
        return {}
    share = shares[partner]
    return {
        name: Description(Change.RELATION, share, {**told[name].facts, "swapped_with": other})
        for name, other in ((first, partner), (partner, first))
    }
