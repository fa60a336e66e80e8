"""`explain`: the whole story of a finding, on the terminal, as JSON or as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import DEFAULT_CONFIG, OK, ConfigOption, check_format, opened_store, print_json
from monitor.errors import UsageError

FORMATS = ("text", "json", "html")


def explain(
    finding_id: Annotated[str, typer.Argument(help="A finding, as F-201, or an incident, as INC-17.", metavar="ID")],
    config: ConfigOption = DEFAULT_CONFIG,
    format_: Annotated[str, typer.Option("--format", help="text, json or html.", metavar="FORMAT")] = "text",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write into this file; a page, if it ends in .html.")
    ] = None,
) -> int:
    """The whole story of one finding, with its pictures, its history and its SQL.

    Example: daywatch explain F-201 -o story.html
    """
    check_format(format_, FORMATS)
    if output is not None and output.suffix.lower() in (".html", ".htm"):
        format_ = "html"
    with opened_store(config) as (loaded, store):
        from monitor.whole.telling import tell  # noqa: PLC0415 - loads the checks

        found = tell(loaded, store, finding_id)
    if format_ == "json":
        from monitor.tojson import finding_json  # noqa: PLC0415 - beside it

        print_json({**finding_json(found.finding), "detail": dict(found.finding.detail)})
    elif format_ == "html":
        from monitor.whole.page import render_page  # noqa: PLC0415 - only where a page is wanted

        _write(render_page(found), output)
    else:
        from monitor.whole.terminal import print_dossier  # noqa: PLC0415 - rich is heavy

        print_dossier(found, sys.stdout)
    return OK


def _write(page: str, output: Path | None) -> None:
    if output is None:
        typer.echo(page)
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}", where="--output") from error
    typer.echo(f"written to {output}", err=True)
