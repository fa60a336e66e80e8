"""The arithmetic of partitions: which stretch of time a row belongs to, what lies before it, how it is written.

Partitions of one table tile time without gap or overlap, whatever the clocks of its zone do: a day has 23 or 25
hours where they change, and an hour that the clock repeats is two partitions. `start` and `end` carry fixed
offsets, so that `end - start` is the time that really passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from monitor.errors import UsageError
from monitor.types import Cadence, Partition, TimeForm

YEAR_MIN, YEAR_MAX = 2, 9998  # a day to either side must still be a date; 0001 and 9999 are "unknown" and "for ever"
_ID_DIGITS = 40
_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
_TICK = dt.timedelta(microseconds=1)
_STEPS = {Cadence.DAY: _DAY, Cadence.WEEK: 7 * _DAY}
_EXAMPLES = {
    Cadence.HOUR: "2013-02-08T05:00+01:00",
    Cadence.DAY: "2013-02-08",
    Cadence.WEEK: "2013-02-04 (a Monday)",
}


def partition_at(cadence: Cadence, timezone: str, moment: dt.datetime | dt.date) -> Partition:
    """The partition that holds `moment`.

    Args:
        cadence: how long a partition is.
        timezone: the table's zone, an IANA name.
        moment: a date (its midnight), a naive time of the zone's wall clock (the first one where the clock repeats
            it), or an aware time.

    Raises:
        UsageError: the moment lies outside the years 2 to 9998.

    >>> partition_at(Cadence.DAY, "Europe/Berlin", dt.date(2013, 3, 31)).label
    '2013-03-31'
    >>> partition_at(Cadence.WEEK, "UTC", dt.date(2013, 2, 8)).label
    '2013-02-04'
    """
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise UsageError(f"{moment} is outside of the years {YEAR_MIN} to {YEAR_MAX}", mend="look at the time column")
    zone = ZoneInfo(timezone)
    if cadence is Cadence.HOUR:
        return _hour(_instant(moment, zone), zone)
    if not isinstance(moment, dt.datetime):
        return _dated(cadence, zone, moment)
    instant = _instant(moment, zone)
    found = _dated(cadence, zone, instant.astimezone(zone).date())
    if found.end is not None and instant >= found.end:  # the clock went back over midnight
        return following(found, cadence, timezone)
    return found


def identity(value: int | str) -> Partition:
    """The partition of a table that is partitioned by an id: a number that grows, or a text.

    >>> identity(-3).order < identity(2).order < identity(17).order
    True
    """
    if isinstance(value, str):
        return Partition(order=value, label=value, value=value)
    shifted = value if value >= 0 else 10**_ID_DIGITS + value
    return Partition(order=f"{int(value >= 0)}{shifted:0{_ID_DIGITS}d}", label=str(value), value=value)


def parse_label(label: str, cadence: Cadence, timezone: str, form: TimeForm | None = None) -> Partition:
    """The partition written `label`.

    Args:
        label: a date (for a week any of its days), an hour with its offset, or the id itself.
        cadence: how long a partition is.
        timezone: the table's zone; an hour without an offset is read in it.
        form: the form of the table's time column; decides between ids and times (None: a time).

    Raises:
        UsageError: the label is not one; the message shows an example.
    """
    try:
        if form is TimeForm.TEXT_ID and label:
            return identity(label)
        if form is TimeForm.INTEGER_ID:
            return identity(int(label))
        text = label.strip()
        moment = dt.datetime.fromisoformat(text) if cadence is Cadence.HOUR else dt.date.fromisoformat(text)
        found = partition_at(cadence, timezone, moment)
    except ValueError as error:
        raise _bad_label(label, cadence, form) from error
    if found.start == found.end:
        raise UsageError(f"there was no {label} in {timezone}", mend="take the day before or after")
    return found


def previous(partition: Partition, cadence: Cadence, timezone: str, n: int = 1) -> Partition:
    """The partition `n` steps before.

    Raises:
        UsageError: the partition is an id; ids are asked of the warehouse, not computed.
    """
    for _ in range(n):
        start, _end = _bounds(partition)
        partition = partition_at(cadence, timezone, start - _TICK)
    return partition


def following(partition: Partition, cadence: Cadence, timezone: str, n: int = 1) -> Partition:
    """The partition `n` steps after; days that a zone left out of its calendar are no partitions.

    Raises:
        UsageError: the partition is an id; ids are asked of the warehouse, not computed.
    """
    zone = ZoneInfo(timezone)
    for _ in range(n):
        _start, end = _bounds(partition)
        if cadence is Cadence.HOUR:
            partition = partition_at(cadence, timezone, end)
            continue
        day = dt.date.fromisoformat(partition.label) + _STEPS[cadence]
        partition = _dated(cadence, zone, day)
        while partition.start == partition.end:
            day += _DAY
            partition = _dated(cadence, zone, day)
    return partition


def partitions_between(first: Partition, last: Partition, cadence: Cadence, timezone: str) -> Iterator[Partition]:
    """All partitions from `first` to `last`, both included, oldest first; none where `last` lies before `first`.

    Raises:
        UsageError: the partitions are ids; ids are asked of the warehouse, not computed.
    """
    while first.order <= last.order:
        yield first
        first = following(first, cadence, timezone)


def wall_bounds(partition: Partition, cadence: Cadence, timezone: str) -> tuple[dt.datetime, dt.datetime]:
    """The partition as a half-open range `[low, high)` of naive times on the zone's wall clock.

    The ranges of neighbours tile the wall clock too, so that every row with a naive time lies in exactly one: where
    the clock repeats an hour, rows count as its first (the second is empty); times that the clock skips count as the
    partition after the gap.
    """
    start, end = _bounds(partition)
    if cadence is Cadence.HOUR:
        zone = ZoneInfo(timezone)
        return _wall(start, zone), _wall(end, zone)
    day = dt.date.fromisoformat(partition.label)
    midnight = dt.datetime.combine(day, dt.time())
    return midnight, midnight + _STEPS[cadence]


def wall_time(moment: dt.datetime, time: dt.time, timezone: str) -> dt.datetime:
    """The instant at which the zone's clock shows `time` on the date that it shows at `moment`.

    >>> wall_time(dt.datetime(2024, 3, 30, 23, tzinfo=dt.UTC), dt.time(6), "Europe/Berlin").isoformat()
    '2024-03-31T06:00:00+02:00'
    """
    zone = ZoneInfo(timezone)
    return _fixed(dt.datetime.combine(moment.astimezone(zone).date(), time, zone).astimezone(dt.UTC), zone)


def _bounds(partition: Partition) -> tuple[dt.datetime, dt.datetime]:
    if partition.start is None or partition.end is None:
        raise UsageError(
            f"partition {partition.label} is an id: what lies before or after it cannot be computed",
            mend="name the partitions one by one",
        )
    return partition.start, partition.end


def _bad_label(label: str, cadence: Cadence, form: TimeForm | None) -> UsageError:
    if form in {TimeForm.INTEGER_ID, TimeForm.TEXT_ID}:
        return UsageError(f"`{label}` is not a partition of this table", mend="write its id, as 17")
    return UsageError(f"`{label}` is not a {cadence.value}", mend=f"write it as {_EXAMPLES[cadence]}")


def _dated(cadence: Cadence, zone: ZoneInfo, day: dt.date) -> Partition:
    if cadence is Cadence.WEEK:
        day -= dt.timedelta(days=day.weekday())
    start, end = _midnight(day, zone), _midnight(day + _STEPS[cadence], zone)
    return Partition(order=_order(start), label=day.isoformat(), start=_fixed(start, zone), end=_fixed(end, zone))


def _hour(instant: dt.datetime, zone: ZoneInfo) -> Partition:
    local = instant.astimezone(zone)
    start = instant - (local - local.replace(minute=0, second=0, microsecond=0))
    end = start + _HOUR
    if _offset(start, zone) != _offset(instant, zone):
        start = _transition(start, instant, zone)
    if _offset(end - _TICK, zone) != _offset(instant, zone):
        end = _transition(instant, end, zone)
    first = _fixed(start, zone)
    return Partition(order=_order(start), label=first.isoformat(timespec="minutes"), start=first, end=_fixed(end, zone))


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first instant of `day` in UTC; where the clock skips midnight, the instant of its jump."""
    naive = dt.datetime.combine(day, dt.time())
    instant = naive.replace(tzinfo=zone).astimezone(dt.UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != naive:
        return _transition(instant - 25 * _HOUR, instant, zone)
    return instant


def _instant(moment: dt.datetime | dt.date, zone: ZoneInfo) -> dt.datetime:
    if not isinstance(moment, dt.datetime):
        return _midnight(moment, zone)
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC)


def _offset(instant: dt.datetime, zone: ZoneInfo) -> dt.timedelta:
    return instant.astimezone(zone).utcoffset() or dt.timedelta()


def _transition(low: dt.datetime, high: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first instant in (low, high] at which the offset is no longer that of `low`; changes fall on seconds."""
    before = _offset(low, zone)
    base = low.replace(microsecond=0)
    left, right = 0, int((high - base).total_seconds()) + 1
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(base + dt.timedelta(seconds=middle), zone) == before:
            left = middle
        else:
            right = middle
    return base + dt.timedelta(seconds=right)


def _wall(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first naive time that belongs to what begins at `instant` (see `wall_bounds`)."""
    wall = (instant - _TICK).astimezone(zone).replace(tzinfo=None) + _TICK
    while wall.replace(tzinfo=zone).astimezone(dt.UTC) < instant:  # inside a repeated stretch: its first run counted
        wall += dt.timedelta(minutes=1)
    return wall


def _fixed(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return instant.astimezone(dt.timezone(_offset(instant, zone)))


def _order(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
