"""What was measured of a partition, and what failed to be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from monitor.types import Measure

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

Open = Callable[[str], "AbstractContextManager[Warehouse]"]
"""Opens another warehouse of the configuration by its name, for as long as it is needed."""


class Answers(dict[Measure, float | None]):
    """Values by measure; `errors` says of those that failed what was wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[Measure, str] = {}

    def fail(self, measure: Measure, said: str) -> None:
        """Note that a measure has no value, and why."""
        self[measure] = None
        self.errors[measure] = said

    def take(self, other: Answers) -> None:
        """Add what another one knows."""
        self.update(other)
        self.errors.update(other.errors)
