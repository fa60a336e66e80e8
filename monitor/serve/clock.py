"""The one clock of the service: real, or driven by whoever tests it."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how much of it has passed; the first may be set back, the second only grows."""

    def now(self) -> dt.datetime:
        """The moment, aware."""
        ...

    def seconds(self) -> float:
        """Seconds since some beginning."""
        ...


class RealClock:
    """The computer's."""

    def now(self) -> dt.datetime:
        """The moment in UTC."""
        return dt.datetime.now(dt.UTC)

    def seconds(self) -> float:
        """The computer's monotonic seconds."""
        return time.monotonic()


class DrivenClock:
    """One that stands still until it is set; set back, no time passes."""

    def __init__(self, moment: dt.datetime) -> None:
        self._now = moment
        self._seconds = 0.0

    def set(self, moment: dt.datetime) -> None:
        """Set the moment."""
        self._seconds += max((moment - self._now).total_seconds(), 0.0)
        self._now = moment

    def now(self) -> dt.datetime:
        """The moment it was set to."""
        return self._now

    def seconds(self) -> float:
        """How far it was set forward, altogether."""
        return self._seconds
