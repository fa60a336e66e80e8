"""The command line: `daywatch`. Heavy modules load inside the commands that need them."""

from __future__ import annotations

from monitor.cli.app import main

__all__ = ["main"]
