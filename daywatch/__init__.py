"""The public face of daywatch."""

from __future__ import annotations

from daywatch.rules import rule

__all__ = ["rule"]
__version__ = "0.1.0"
