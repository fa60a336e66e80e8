"""Places at which tests let a process die; without the variable they do nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "DAYWATCH_FAILPOINT"
"""Names a file that says `PLACE self` or `PLACE parent`: whoever reaches PLACE kills that process, once."""
_file = os.environ.get(VARIABLE, "")


def reach(place: str) -> None:
    """Say that the work has come to `place`."""
    if not _file:
        return
    try:
        wanted, who = Path(_file).read_text("ascii").rsplit(" ", 1)
        if wanted != place:
            return
        Path(_file).rename(f"{_file}.done")  # one of several processes dies
    except (FileNotFoundError, ValueError):
        return
    os.kill(os.getpid() if who == "self" else os.getppid(), signal.SIGKILL)
