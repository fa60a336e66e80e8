"""A progress bar on stderr for work that takes over a second, where a person is looking."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.backfill import Progress, silent

PATIENCE_S = 1.0


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a function (what, done, total) that shows progress; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console  # noqa: PLC0415 - only where it is shown
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    columns = (TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        started = time.monotonic()

        def show(what: str, done: int, total: int) -> None:
            patient = time.monotonic() - started < PATIENCE_S
            bar.update(task, description=what, completed=done, total=total, visible=not patient)

        yield show
