"""The public face of daywatch."""

from __future__ import annotations

from daywatch.comparing import diff
from daywatch.gating import gate
from daywatch.rules import rule
from daywatch.running import run

__all__ = ["diff", "gate", "rule", "run"]
__version__ = "0.1.0"
