"""The promotion gate: what would alert if a staging table became production, asked before it does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.gate.result import Promotion

__all__ = ["gate"]


def gate(
    staging: str, against: str, *, columns: Mapping[str, str] | None = None, config: Path | None = None,
    allow: Path | None = None, date: str | None = None, now: dt.datetime | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Promotion:  # fmt: skip
    """What would alert if staging became production; see `monitor.gate.promote.promote`.

    Raises:
        UsageError: a name, a column, the partition or the file of expected changes is wrong.
        SourceError: a warehouse or the store failed; nothing is known of the tables then.
    """
    from monitor.backfill import silent  # noqa: PLC0415 - loads the store
    from monitor.gate.promote import promote  # noqa: PLC0415 - loads pandas and the engines

    return promote(
        staging, against, columns=columns or {}, config=config, allow=allow, date=date,
        now=now or dt.datetime.now(dt.UTC), progress=progress or silent,
    )  # fmt: skip
