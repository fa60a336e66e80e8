"""`gate`: what would alert if a staging table became production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import DEFAULT_CONFIG, ConfigOption, check_format, now
from monitor.cli.diffing import FORMATS, pairs, print_as

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="Staging's column is production's so; may be repeated.", metavar="COL=COL"),
]
AllowOption = Annotated[Path | None, typer.Option("--allow", help="YAML of expected changes.", metavar="FILE")]
DateOption = Annotated[
    str | None, typer.Option("--date", help="The partition; else staging's newest complete one.", metavar="D")
]


def gate(
    staging: Annotated[str, typer.Argument(metavar="STAGING", help="warehouse.table, or URL#schema.table")],
    against: Annotated[str, typer.Option("--against", help="The table it would replace.", metavar="PROD")],
    config: ConfigOption = DEFAULT_CONFIG,
    map_: MapOption = None,
    allow: AllowOption = None,
    date: DateOption = None,
    format_: Annotated[str, typer.Option("--format", help="text, json, markdown or junit.", metavar="FORMAT")] = "text",
) -> int:
    """What would alert if STAGING were promoted: production's checks and their past, run on staging.

    Nothing is recorded and nothing is sent. Exit code 0: safe, 1: something would alert.

    Example: daywatch gate main.staging.flights --against main.flights --format markdown
    """
    check_format(format_, FORMATS)
    moment = now()
    from monitor.cli.progress import progress_bar  # noqa: PLC0415 - only what takes long
    from monitor.gate import gate as ask  # noqa: PLC0415 - only this command

    with progress_bar() as progress:
        found = ask(
            staging, against, columns=pairs(map_), config=config, allow=allow, date=date, now=moment, progress=progress
        )
    print_as(found, format_, "monitor.gate.render")
    return found.exit_code
