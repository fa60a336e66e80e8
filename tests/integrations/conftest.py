"""The shop of the gate's tests."""

from __future__ import annotations

from tests.gate.conftest import desk

__all__ = ["desk"]
