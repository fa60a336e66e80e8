"""How a table's time column says when a row belongs to, as SQL: ranges, group keys, moments.

Two kinds of forms: those on the wall clock (DATE, TIMESTAMP without zone) are compared as naive times, those that name
instants (with zone, epoch numbers, ISO texts) as instants. Ranges compare the raw column with literals wherever
the form allows, so that engines can prune.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from monitor import partitions
from monitor.types import Cadence, Partition, Table, TimeForm
from monitor.warehouses.constructs import (
    ByBytes,
    EpochSeconds,
    Expression,
    Floor,
    FromEpoch,
    IsoInstant,
    LocalFromUtc,
    LocalTime,
    TimeLiteral,
    columns_of,
)

UNITS = {TimeForm.EPOCH_S: 1, TimeForm.EPOCH_MS: 1_000, TimeForm.EPOCH_US: 1_000_000}
IDS = frozenset({TimeForm.INTEGER_ID, TimeForm.TEXT_ID})
WALL = frozenset({TimeForm.DATE, TimeForm.TIMESTAMP})
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Clock:
    """The time column of one table, with all that is needed to write SQL about it."""

    name: str
    form: TimeForm
    cadence: Cadence
    timezone: str

    @classmethod
    def of(cls, table: Table) -> Clock | None:
        """The clock of `table`; None where it has no time column."""
        if table.time is None:
            return None
        return cls(table.time.name, table.time.form, table.cadence, table.timezone)

    @property
    def column(self) -> Expression:
        """The raw column."""
        return columns_of([self.name])[0]

    @property
    def is_id(self) -> bool:
        """Whether rows are told apart by an id, not by time."""
        return self.form in IDS

    @property
    def is_date(self) -> bool:
        """Whether the column says the day alone."""
        return self.form is TimeForm.DATE

    def local(self) -> Expression:
        """The row's naive time on the wall clock of the table's zone."""
        zone = sa.literal(self.timezone)
        if self.form in WALL:
            return self.column
        if self.form in UNITS:
            return LocalFromUtc(FromEpoch(self.column, sa.literal(UNITS[self.form])), zone)
        instant = IsoInstant(self.column, zone) if self.form is TimeForm.ISO_TEXT else self.column
        return LocalTime(instant, zone)

    def moment(self) -> Expression:
        """The row's time as seconds since 1970 (wall-clock forms: as if in UTC), or its id; see `read`."""
        if self.is_id:
            return self._reach()
        if self.form in WALL:
            return EpochSeconds(self.column)
        if self.form in UNITS:
            return EpochSeconds(FromEpoch(self.column, sa.literal(UNITS[self.form])))
        return EpochSeconds(self._instant())

    def keys(self) -> list[Expression]:
        """What to group by so that no group spans two partitions."""
        if self.is_id:
            return [self.column]
        floor = Floor(self.local(), sa.literal(self.cadence.value))
        if self.cadence is not Cadence.HOUR or self.form in WALL:
            return [floor]
        offset = sa.func.round(EpochSeconds(self.local()) - self.moment())  # tells a repeated hour's two runs apart
        return [floor, offset]

    def since(self, partition: Partition) -> Expression:
        """The condition of rows that are not before the partition."""
        return self._reach() >= self._bounds(partition)[0]

    def before(self, partition: Partition) -> Expression:
        """The condition of rows before the partition."""
        return self._reach() < self._bounds(partition)[0]

    def until_end(self, partition: Partition) -> Expression:
        """The condition of rows before the partition's end."""
        low, high = self._bounds(partition)
        return self._reach() <= low if self.is_id else self._reach() < high

    def within(self, partition: Partition) -> Expression:
        """The condition of the partition's rows."""
        low, high = self._bounds(partition)
        if self.is_id:
            return self.column == low
        if self.form is TimeForm.DATE and self.cadence is Cadence.DAY:
            return self._reach() == low
        return sa.and_(self._reach() >= low, self._reach() < high)

    def sane(self) -> list[Expression]:
        """The conditions that leave out rows without a time, or with a stand-in for "for ever" (9999-12-31)."""
        if self.is_id:
            return [self.column.is_not(None)]
        for_ever = dt.datetime(partitions.YEAR_MAX + 1, 1, 1, tzinfo=dt.UTC)
        if self.form in WALL:
            return [self._reach() < self._naive(for_ever.replace(tzinfo=None))]
        return [self._reach() < self._aware(for_ever)]

    def read(self, moment: Any) -> dt.datetime | int | str | None:
        """What `moment()` brought back as a time with offset (or an id); None outside of the years 2 to 9998."""
        if moment is None:
            return None
        if isinstance(moment, str):
            return moment
        try:
            if self.is_id:
                return int(moment)
            naive = _EPOCH + round(float(moment) * 1e6) * _MICROSECOND
        except (OverflowError, ValueError):
            return None
        if not partitions.YEAR_MIN <= naive.year <= partitions.YEAR_MAX:
            return None
        if self.form in WALL:
            naive = naive.replace(tzinfo=ZoneInfo(self.timezone))
        local = naive.astimezone(dt.UTC).astimezone(ZoneInfo(self.timezone))
        return local.replace(tzinfo=dt.timezone(local.utcoffset() or dt.timedelta()))

    def partition(self, moment: Any) -> Partition | None:
        """The partition of what `moment()` brought back; None where it is none."""
        found = self.read(moment)
        if isinstance(found, dt.datetime):
            if self.form is TimeForm.DATE and self.cadence is not Cadence.HOUR:
                day = (_EPOCH + dt.timedelta(seconds=float(moment))).date()
                return partitions.partition_at(self.cadence, self.timezone, day)
            return partitions.partition_at(self.cadence, self.timezone, found)
        return None if found is None else partitions.identity(found)

    def _instant(self) -> Expression:
        return IsoInstant(self.column, sa.literal(self.timezone)) if self.form is TimeForm.ISO_TEXT else self.column

    def _reach(self) -> Expression:
        """What ranges compare: the raw column wherever possible."""
        return ByBytes(self.column) if self.form is TimeForm.TEXT_ID else self._instant()

    def _bounds(self, partition: Partition) -> tuple[Expression, Expression]:
        if self.is_id:
            value = sa.literal(partition.value)
            return value, value
        if self.form in WALL:
            low, high = partitions.wall_bounds(partition, self.cadence, self.timezone)
            return self._naive(low), self._naive(high)
        if partition.start is None or partition.end is None:  # pragma: no cover - a partition of another form
            raise TypeError(f"partition {partition.label} has no times")
        return self._aware(partition.start), self._aware(partition.end)

    def _naive(self, moment: dt.datetime) -> Expression:
        if self.form is TimeForm.DATE and self.cadence is not Cadence.HOUR:
            return TimeLiteral("DATE", moment.date().isoformat())
        return TimeLiteral("TIMESTAMP", moment.isoformat(sep=" "))

    def _aware(self, moment: dt.datetime) -> Expression:
        if self.form in UNITS:
            return sa.literal((moment - _EPOCH) // _MICROSECOND * UNITS[self.form] // 1_000_000)
        return TimeLiteral("TIMESTAMPTZ", moment.isoformat(sep=" "))
