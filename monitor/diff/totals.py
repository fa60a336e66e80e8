"""What a comparison counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Totals:
    """What one comparison counted; `columns` are changed rows by column."""

    rows_a: int
    rows_b: int
    added: int
    removed: int
    changed: int
    columns: dict[str, int]
    repeated_a: int = 0
    repeated_b: int = 0
    repeats_differ: int = 0

    @property
    def differing(self) -> int:
        """Rows of the join that differ."""
        return self.added + self.removed + self.changed
