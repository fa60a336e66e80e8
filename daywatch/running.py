"""`run`: tables judged, as the command does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.cli.gathering import Report


def run(
    tables: Sequence[str] = (),
    *,
    date: str | None = None,
    first: str | None = None,
    last: str | None = None,
    alerts: bool = True,
    config: str | Path = "daywatch.yaml",
) -> Report:
    """Judge the last complete partition of every table, one partition, or several in order; see the command `run`.

    Args:
        tables: names or patterns; all of the configuration where none is given.
        date: the partition, as `2013-02-08`.
        first: the first partition of a replay, instead of `date`.
        last: the last one, included.
        alerts: send what there is to be told; otherwise it is only recorded.
        config: the configuration file.

    Raises:
        monitor.errors.UsageError: the configuration, a name or a partition is wrong.
        monitor.errors.StoreError: the store cannot be used. Trouble of a warehouse is not raised, but reported.
    """
    import pathlib  # noqa: PLC0415 - `daywatch --version` needs none of these

    from monitor.cli.gathering import gather  # noqa: PLC0415 - as above

    return gather(pathlib.Path(config), tables, (date or first, date or last), alerts=alerts)
