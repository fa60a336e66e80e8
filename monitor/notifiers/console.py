"""Alerts on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from monitor.alerts.blocks import Message
from monitor.errors import UsageError
from monitor.notifiers.base import DeliveryError

STREAMS = ("stdout", "stderr")


class Console:
    """Prints messages: `console` to standard output, `console:stderr` to standard error.

    A terminal forgets: `find` knows only what this process printed.
    """

    def __init__(self, name: str, address: str, settings: Mapping[str, Any], base: Path) -> None:  # noqa: ARG002
        self.name = name
        self.stream = address or str(settings.get("stream") or "stdout")
        if self.stream not in STREAMS:
            raise UsageError(
                f"there is no stream {self.stream!r}", where=f"channel {name}", mend="use console or console:stderr"
            )
        self._printed: set[str] = set()

    def send(self, message: Message) -> str:
        """Print the message; the receipt is the stream's name.

        Raises:
            DeliveryError: the stream is closed or its reader has gone.
        """
        from monitor.alerts.terminal import print_message  # noqa: PLC0415 - rich is heavy

        try:
            print_message(message, self._target())
        except (OSError, ValueError) as error:
            raise DeliveryError(f"cannot print: {error}", where=f"channel {self.name}") from error
        self._printed.add(message.alert_id)
        return self.stream

    def _target(self) -> IO[str]:
        """Looked up at every message: streams are exchanged while a process lives."""
        target: IO[str] = getattr(sys, self.stream)
        return target

    def find(self, alert_id: str) -> str | None:
        """The stream's name if this process printed the alert."""
        return self.stream if alert_id and alert_id in self._printed else None
