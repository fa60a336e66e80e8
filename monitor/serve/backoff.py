"""When what has failed is tried again: later after each failure, up to a bound, never all at the same moment."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field

FIRST_S = 60.0
LONGEST_S = 1_800.0
JITTER = 0.2


@dataclass
class Backoff:
    """What failed, how often, and from when on it may be tried again; seconds are the clock's."""

    failures: dict[str, int] = field(default_factory=dict)
    due_s: dict[str, float] = field(default_factory=dict)

    def fail(self, name: str, seconds: float) -> float:
        """Note a failure; how long to wait, in seconds."""
        count = self.failures.get(name, 0)
        self.failures[name] = count + 1
        wait_s = delay_s(name, count)
        self.due_s[name] = seconds + wait_s
        return wait_s

    def succeed(self, name: str) -> None:
        """Forget its failures."""
        self.failures.pop(name, None)
        self.due_s.pop(name, None)

    def is_due(self, name: str, seconds: float) -> bool:
        """Whether it may be tried."""
        return seconds >= self.due_s.get(name, seconds)


def delay_s(name: str, failures: int) -> float:
    """The wait after one more failure: a minute, doubled each time, half an hour at most, a fifth more or less.

    >>> [round(delay_s("main", n)) for n in (0, 1, 2, 50)] == [round(delay_s("main", n)) for n in (0, 1, 2, 50)]
    True
    >>> all(0.8 * 60 <= delay_s(name, 0) <= 1.2 * 60 for name in "abcdef"), delay_s("a", 10_000) <= 1.2 * LONGEST_S
    (True, True)
    """
    draw = random.Random(zlib.crc32(f"{name}/{failures}".encode())).uniform(-JITTER, JITTER)  # noqa: S311 - no secret
    return float(min(FIRST_S * 2 ** min(failures, 20), LONGEST_S) * (1 + draw))
