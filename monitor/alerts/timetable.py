"""When a channel wants to be told: at once, after its quiet hours, or in the daily digest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.types import Severity

if TYPE_CHECKING:
    from monitor.config import Config

DIGEST_AT = dt.time(8)
_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True)
class Hours:
    """What one channel asks for; times of day in the configuration's zone.

    `quiet` begins and ends, perhaps over midnight; then incidents less severe than `quiet_below` wait (None: all).
    Incidents less severe than `digest_below`, and those of low priority, wait for the digest at `digest_at`.
    """

    quiet: tuple[dt.time, dt.time] | None = None
    quiet_below: Severity | None = None
    digest_at: dt.time = DIGEST_AT
    digest_below: Severity | None = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """The hours of all channels that have any."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    hours: Mapping[str, Hours] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> Timetable:
        """As the configuration says."""
        hours = {
            name: Hours(entry.quiet_hours, entry.quiet_below, entry.digest_at or DIGEST_AT, entry.digest_below)
            for name, entry in config.channels.items()
        }
        return cls(ZoneInfo(config.timezone), hours)

    def in_digest(self, channel: str, severity: str, priority: str) -> bool:
        """Whether such an incident is told in the digest alone."""
        below = self._of(channel).digest_below
        return priority == "low" or (below is not None and _rank(severity) < _rank(below.value))

    def opens_at(self, channel: str, severity: str, priority: str, now: dt.datetime) -> dt.datetime | None:
        """When such an incident may be told; None: now."""
        hours, local = self._of(channel), now.astimezone(self.zone)
        if self.in_digest(channel, severity, priority):
            return self._next(hours.digest_at, local)
        waits = hours.quiet_below is None or _rank(severity) < _rank(hours.quiet_below.value)
        if hours.quiet is None or not waits or not _within(local.time(), *hours.quiet):
            return None
        return self._next(hours.quiet[1], local)

    def _of(self, channel: str) -> Hours:
        return self.hours.get(channel, Hours())

    def _next(self, time: dt.time, local: dt.datetime) -> dt.datetime:
        """The next moment at which clocks on the wall show this time."""
        today = dt.datetime.combine(local.date(), time, self.zone)
        later = today if today > local else dt.datetime.combine(local.date() + dt.timedelta(days=1), time, self.zone)
        return later.astimezone(dt.UTC)


def _rank(severity: str) -> int:
    return _SEVERITIES.index(Severity(severity)) if severity in list(Severity) else len(_SEVERITIES)


def _within(time: dt.time, begin: dt.time, end: dt.time) -> bool:
    """Whether a time of day lies in [begin, end), perhaps over midnight.

    >>> _within(dt.time(23), dt.time(22), dt.time(7)), _within(dt.time(7), dt.time(22), dt.time(7))
    (True, False)
    """
    return begin <= time < end if begin < end else time >= begin or time < end
