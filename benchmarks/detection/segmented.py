"""Rows of days by the values of their columns and by the time of day, as the service's reader of groups brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from checks.frames import group_frame
from checks.groups import series_of
from checks.missing import Missing
from monitor.groups import choose, history_of
from monitor.past import Day, Past
from monitor.types import Grouped, Groups, GroupSeries, Input, Measure, Partition, Segments

if TYPE_CHECKING:
    from benchmarks.detection.replay import Replay

CHOICE_DAYS = 28
"""Past days that say which columns have few values; the reader looks at as many."""


class Segmented:
    """The groupings of a replay's days; what days as they were hold is counted once."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        asked = [needed for needed in Missing().inputs(replay.table) if isinstance(needed, Segments)]
        self.asked = asked[0] if asked else None
        self._counted: dict[tuple[dt.date, Groups], Grouped] = {}
        self._chosen: dict[dt.date, list[Groups]] = {}

    def count(self, day: dt.date, groups: Groups, changed: pd.DataFrame | None = None) -> Grouped:
        """Rows of a day by group; of `changed` in its place."""
        if changed is not None:
            return counted(changed, groups)
        if (day, groups) not in self._counted:
            self._counted[day, groups] = counted(self.replay.days[day], groups)
        return self._counted[day, groups]

    def chosen(self, day: dt.date) -> list[Groups]:
        """The groupings that the reader would choose on a day, by the days before."""
        if day not in self._chosen and self.asked is not None:
            past = Past(self.replay.table, ())
            for before in self.replay.before(day)[-CHOICE_DAYS:]:
                sizes = {Measure("distinct", c).key: self._distinct(before, c) for c in self.asked.columns}
                past.add(Day(self.replay.partition(before), {"rows": float(len(self.replay.days[before])), **sizes}))
            now = {Measure("distinct", c): float(self.replay.days[day][c].nunique()) for c in self.asked.columns}
            partition = self.replay.partition(day)
            self._chosen[day] = choose(self.replay.table, self.asked, past, partition, now)
        return self._chosen.get(day, [])

    def _distinct(self, day: dt.date, column: str) -> float | None:
        known = self.replay.known(day)
        measure = Measure("distinct", column)
        return known[measure] if measure in known else float(self.replay.days[day][column].nunique())

    def series(
        self, groups: Groups, past: Sequence[tuple[Partition, Grouped | None, frozenset[str]]], today: Grouped
    ) -> GroupSeries:
        """One grouping's series, as far back as the service looks."""
        return series_of(groups, past[-history_of(groups, self.replay.table) :], today)

    def values(
        self,
        day: dt.date,
        rows: pd.DataFrame | None,
        past: Sequence[tuple[dt.date, frozenset[str]]],
        changed: Mapping[dt.date, pd.DataFrame] | None = None,
    ) -> dict[Input, object]:
        """The value of the one input that asks for segments.

        Args:
            day: the judged one.
            rows: in place of what it was.
            past: days before, oldest first, and the checks that judged each bad.
            changed: rows of past days in place of what they were.
        """
        if self.asked is None:
            return {}
        others = changed or {}
        found = []
        for groups in self.chosen(day):
            before = [(self.replay.partition(d), self.count(d, groups, others.get(d)), bad) for d, bad in past]
            found.append(self.series(groups, before, self.count(day, groups, rows)))
        return {self.asked: tuple(found)}


def counted(frame: pd.DataFrame, groups: Groups) -> Grouped:
    """Rows by group; what a statistic would be is the count once more."""
    found = group_frame(frame, replace(groups, statistics=()))
    return Grouped(found.total, {k: told * (1 + len(groups.statistics)) for k, told in found.groups.items()})
