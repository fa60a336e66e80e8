"""`serve`: daywatch as a service."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.common import DEFAULT_CONFIG, ConfigOption


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    log_format: Annotated[
        str, typer.Option("--log-format", help="json, text, or auto: text on a terminal.", metavar="FORMAT")
    ] = "auto",
) -> int:
    """Watch all tables until stopped: poll, judge what is complete, send alerts; probes and metrics over HTTP.

    Example: daywatch serve -c /etc/daywatch/daywatch.yaml
    """
    from monitor.serve.run import serve as run_service  # noqa: PLC0415 - heavy

    return run_service(config, log_format)
