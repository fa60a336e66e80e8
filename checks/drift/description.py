"""What is told of a column that changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.types import Change

VALUE_ROWS_MIN = 4
"""Rows of today from which a single value is news."""


@dataclass(frozen=True)
class Description:
    """A column before and after: the kind of change, its size (share of rows that moved), and numbers that say it."""

    change: Change
    effect: float
    facts: Mapping[str, Any] = field(default_factory=dict)
