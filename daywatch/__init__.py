"""The public face of daywatch."""

from __future__ import annotations

from daywatch.comparing import diff
from daywatch.rules import rule

__all__ = ["diff", "rule"]
__version__ = "0.1.0"
