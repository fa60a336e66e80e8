"""A table's past as the checks read it: gaps filled, bad days marked, levels restarted, references chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from checks.levels import level_of
from monitor.caution import caution
from monitor.judge import needed_surprise
from monitor.partitions import partitions_between, previous
from monitor.snapshot.stillness import stillness
from monitor.store import PastPartition
from monitor.types import ROWS, Cadence, Column, Measure, Partition, Point, Series, Stillness, Table, TimeForm

REFERENCES_MAX = 7
REFERENCE_LAGS = {
    Cadence.HOUR: (1, 2, 24, 48, 168, 336, 504),
    Cadence.DAY: (1, 2, 3, 7, 14, 21, 28),
    Cadence.WEEK: (1, 2, 3, 4, 8, 12, 52),
}
REFERENCE_REACH = 28
"""How many partitions back references are looked for when the usual lags are not there."""
WHOLE = "*"
"""Beside the surprises of single checks: that of all of them together."""
LAG = "arrival.lag_s"
CHECKED = "arrival.checked_s"
"""Kept beside a partition's measures: when, after its end, it was looked at, and was last seen empty."""
LAG_PARTITIONS = 30
GAPS_MAX = 5_000
EXPECTED_PARTITIONS = 3
"""So many partitions in a row on which a check failed and was called expected are the new level."""
_DRIFT = "drift"
_OUTSIDE = ("freshness", "schema", "rule.", "metric.")


@dataclass(frozen=True)
class Day:
    """One past partition: values by measure key, scores by name, and which checks judged it bad.

    `fine` names the checks that failed and were called expected, or noise. `surprise` is how surprising it was as a
    whole when it was judged; None where it was only measured, or expected.
    """

    partition: Partition
    values: Mapping[str, float | None]
    scores: Mapping[str, float] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    known: bool = True
    schema: tuple[Column, ...] | None = None
    surprise: float | None = None
    fine: frozenset[str] = frozenset()

    @property
    def rows(self) -> float:
        """How many rows it had; 0 for a gap."""
        return self.values.get(ROWS.key) or 0.0


class Past:
    """The partitions of one table before the one that is judged, oldest first, time gaps filled with empty ones."""

    def __init__(self, table: Table, rows: Iterable[PastPartition]) -> None:
        self.table = table
        self._days = {
            row.partition.order: Day(
                row.partition,
                row.values,
                row.scores,
                frozenset() if row.expected else row.failed,
                schema=row.schema,
                surprise=None if row.expected else row.surprises.get(WHOLE),
                fine=row.failed if row.expected else frozenset(),
            )
            for row in rows
        }
        self._filled: list[Day] | None = None
        self._known: tuple[str, Sequence[Day]] = ("", ())

    def add(self, day: Day) -> None:
        """Learn a partition that has just been judged or measured; replaces what was known of it."""
        self._days[day.partition.order] = day
        self._filled = None
        self._known = ("", ())

    def known(self, before: Partition) -> list[Day]:
        """Partitions that were measured, oldest first."""
        if self._known[0] != before.order:  # every check asks for the same
            past = (d for d in self._days.values() if d.partition.order < before.order)
            self._known = before.order, sorted(past, key=lambda d: d.partition.order)
        return list(self._known[1])

    def days(self, before: Partition) -> list[Day]:
        """All partitions from the first measured one up to the one before `before`, gaps as empty days."""
        known = self.known(before)
        if not known or before.start is None or known[0].partition.start is None:
            return known
        last = previous(before, self.table.cadence, self.table.timezone)
        if self._filled is None or not self._filled or self._filled[-1].partition.order != last.order:
            by_order = {d.partition.order: d for d in known}
            span = list(_between(known[0].partition, last, self.table))
            # what nobody looked at had no rows, unless looking is what makes the past
            empty = {ROWS.key: 0.0} if self.table.time is not None else {}
            self._filled = [by_order.get(p.order, Day(p, empty, known=False)) for p in span[-GAPS_MAX:]]
        return self._filled

    def series(self, measure: Measure, check: str, today: float | None, before: Partition) -> Series:
        """The series of a measure for `check`: points on which that check failed teach nothing, see `restart`."""
        days = self.days(before)
        key = measure.key
        points = [Point(d.partition, d.values.get(key), check not in d.failed) for d in days]
        return Series(today, tuple(restart(points, expected_level([check in d.fine for d in days]))))

    def surprises(self, before: Partition) -> list[float]:
        """How surprising judged partitions were as a whole, oldest first."""
        return [day.surprise for day in self.known(before) if day.surprise is not None]

    def scores(self, before: Partition) -> dict[str, tuple[Point, ...]]:
        """Past scores of the drift check and of its parts, by name."""
        by_name: dict[str, list[Point]] = {}
        fine: dict[str, list[bool]] = {}
        for day in self.known(before):
            good = not _is_bad(day)
            for name, score in day.scores.items():
                by_name.setdefault(name, []).append(Point(day.partition, score, good))
                fine.setdefault(name, []).append(_DRIFT in day.fine)
        return {name: tuple(restart(points, expected_level(fine[name]))) for name, points in by_name.items()}

    def arrival_lag_s(self, before: Partition) -> float:
        """How long after their end recent partitions were still seen empty that came later; 0 if none was."""
        lags = [day.values.get(LAG) for day in self.known(before)[-LAG_PARTITIONS:]]
        return max((lag for lag in lags if lag is not None), default=0.0)

    def stillness(self, before: Partition, today: Mapping[str, float | None]) -> Stillness:
        """How long the table has not changed, by its values at earlier looks and those of today."""
        return stillness([*(day.values for day in self.known(before) if day.rows > 0), today])

    def schemas(self, before: Partition) -> list[tuple[Column, ...] | None]:
        """The columns that earlier partitions were seen with, oldest first."""
        return [day.schema for day in self.known(before)]

    def references(self, before: Partition, among: Collection[str] | None = None) -> list[Partition]:
        """Comparable past partitions for the drift check, newest first: good ones with rows, of those in `among`."""
        days, bad = self.known(before), self.bad(before)
        level = days[expected_level([_DRIFT in d.fine for d in days]) :]
        usable = [d.partition for d in level if d.rows > 0 and d.partition.order not in bad]
        usable = [p for p in usable if among is None or p.order in among]
        lagged = self._lagged(before)
        chosen = {p.order: p for p in usable if p.order in lagged}
        for partition in reversed(usable[-REFERENCE_REACH:]):
            if len(chosen) >= REFERENCES_MAX:
                break
            chosen.setdefault(partition.order, partition)
        return sorted(chosen.values(), key=lambda p: p.order, reverse=True)[:REFERENCES_MAX]

    def skipped(self, before: Partition) -> bool:
        """Whether the newest partition with rows is no reference, as it was judged bad."""
        filled = [day.partition.order for day in self.known(before) if day.rows > 0]
        return bool(filled) and filled[-1] in self.bad(before)

    def bad(self, before: Partition) -> set[str]:
        """Orders of past partitions that were judged bad and are no new level."""
        days = self.known(before)
        _, good = level_of([_is_bad(day) for day in days])
        return {day.partition.order for day, is_good in zip(days, good, strict=True) if not is_good}

    def _lagged(self, before: Partition) -> set[str]:
        if before.start is None:
            return set()
        orders: set[str] = set()
        walked = 0
        for lag in sorted(REFERENCE_LAGS[self.table.cadence]):
            before = previous(before, self.table.cadence, self.table.timezone, lag - walked)
            walked = lag
            orders.add(before.order)
        return orders


def expected_level(fine: Sequence[bool]) -> int:
    """Where the present level begins because people called so many partitions in a row expected.

    >>> expected_level([False, True, True, True, False]), expected_level([True, False, True])
    (1, 0)
    """
    start = run = 0
    for i, is_fine in enumerate(fine):
        run = run + 1 if is_fine else 0
        start = i - run + 1 if run >= EXPECTED_PARTITIONS else start
    return start


def restart(points: Sequence[Point], begin: int = 0) -> Sequence[Point]:
    """Forget everything before a long unbroken run of bad points: it is the new level; and all before `begin`.

    The points before it lose their values and keep their place; those of the run become good.

    >>> from monitor.types import Partition
    >>> bad = [Point(Partition(str(i), str(i)), 5.0, i < 3) for i in range(9)]
    >>> [p.value for p in restart(bad)][2:4], all(p.good for p in restart(bad))
    ([None, 5.0], True)
    """
    start, good = level_of([not point.good for point in points])
    start = max(start, begin)
    forgotten = [Point(p.partition, None, True) for p in points[:start]]
    return [*forgotten, *(Point(p.partition, p.value, bool(good[start + i])) for i, p in enumerate(points[start:]))]


def _is_bad(day: Day) -> bool:
    return any(not check.startswith(_OUTSIDE) for check in day.failed)


def _between(first: Partition, last: Partition, table: Table) -> Iterable[Partition]:
    if first.order > last.order:
        return []
    return partitions_between(first, last, table.cadence, table.timezone)


def is_timed(table: Table) -> bool:
    """Whether the table's partitions are stretches of time (and not ids)."""
    return table.time is not None and table.time.form not in (TimeForm.INTEGER_ID, TimeForm.TEXT_ID)


def caution_of(table: Table, past: Past, partition: Partition) -> float:
    """What `judge` must ask of this partition beyond the surprise that probability asks for."""
    per_month = table.cadence.partitions_per_month
    return caution(past.surprises(partition), needed_surprise(table), per_month)
