"""Structured logs: one JSON object a line, or plain lines for people; secrets are masked in both."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import structlog

from monitor.errors import UsageError, mask_secrets

FORMATS = ("auto", "json", "text")
Log = structlog.stdlib.BoundLogger


def set_up_logs(format_: str, now: Callable[[], str]) -> Log:
    """Send all logs to standard error, those of libraries from warnings on.

    Args:
        format_: `json`, `text`, or `auto`: text where standard error is a terminal.
        now: the moment, as it stands in the log.

    Raises:
        UsageError: there is no such format.
    """
    if format_ not in FORMATS:
        raise UsageError(f"unknown format {format_}", where="--log-format", mend=f"use {', '.join(FORMATS)}")
    plain = format_ == "text" or (format_ == "auto" and sys.stderr.isatty())

    def stamp(_: Any, __: str, event: Any) -> Any:
        event["at"] = now()
        return event

    shared: list[Any] = [structlog.stdlib.add_log_level, stamp, structlog.processors.format_exc_info, _mask]
    last: Any = structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[drop, last], foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    own = logging.getLogger("daywatch.serve")
    own.setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    log: Log = structlog.get_logger("daywatch.serve")
    return log


def _mask(_: Any, __: str, event: Any) -> Any:
    return {name: mask_secrets(value) if isinstance(value, str) else value for name, value in event.items()}
