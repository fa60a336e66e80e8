"""`gate`: what would alert if a staging table became production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.gate.result import Promotion


def gate(
    staging: str,
    against: str,
    *,
    columns: Mapping[str, str] | None = None,
    allow: str | Path | None = None,
    date: str | None = None,
    config: str | Path = "daywatch.yaml",
) -> Promotion:
    """What would alert if staging became production; nothing is recorded or sent. See docs/GATE.md.

    Args:
        staging: `warehouse.table`, `warehouse.schema.table`, or `URL#schema.table`.
        against: production, likewise.
        columns: staging's column names to production's, where they differ.
        allow: a file of expected changes.
        date: the partition, as `2013-02-08`; None: staging's newest complete one.
        config: the configuration file that names refer to.

    Raises:
        monitor.errors.UsageError: a name, a column, the partition or the file of expected changes is wrong.
        monitor.errors.SourceError: a warehouse or the store failed; nothing is known of the tables then.
    """
    import pathlib  # noqa: PLC0415 - `daywatch --version` needs none of these

    from monitor.gate import gate as ask  # noqa: PLC0415 - as above

    file = None if allow is None else pathlib.Path(allow)
    return ask(staging, against, columns=columns, config=pathlib.Path(config), allow=file, date=date)
