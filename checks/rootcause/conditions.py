"""What a segment is made of: conditions on columns, with what rows meet them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a column.

    `operator` is `=`, `is null`, `is not null`, `<=`, `>`, `range` (value `(low, high)`: low < x <= high), `clock`
    (value `(low, high)`: quarters of an hour of the day in [low, high)), `prefix`, `suffix` (value: the text) or
    `length` (value `(low, high)`: characters, both ends included).
    """

    column: str
    operator: str
    value: Any = None

    def parts(self) -> tuple[Condition, ...]:
        """The same as conditions with one bound each."""
        if self.operator != "range":
            return (self,)
        low, high = self.value
        return Condition(self.column, ">", low), Condition(self.column, "<=", high)


Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A conjunction of conditions with its precision and recall of the bad rows, and how many rows it has.

    `synonyms` are other conditions that exactly the same rows meet; `determined` are columns that follow from the
    segment's columns on every row, so that naming them beside it would say nothing. `shared` are rows that are known to
    meet it beside today's: those that were expected of it, or that earlier days had.
    """

    conditions: Conditions
    precision: float
    recall: float
    rows: int
    synonyms: tuple[Conditions, ...] = field(default=())
    determined: tuple[str, ...] = field(default=())
    shared: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0
