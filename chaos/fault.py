"""What a fault is: its name, what it needs, how it shows, and its two twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from monitor.errors import UsageError
from monitor.types import Change

if TYPE_CHECKING:
    import pandas as pd

    from chaos.choice import Choice
    from chaos.frame import FrameDay
    from chaos.query import Damage, SqlDay

Moves = Literal["column", "rows", "relation"]
Count = Literal["differing", "hit", "added"]


class ChaosError(UsageError):
    """A fault that cannot be applied as asked; the message says what is missing and how to mend it."""


@dataclass(frozen=True)
class Fault:
    """One kind of damage, as a SELECT and on a frame, with the truth about it.

    `change` is the word a finding should use for it. `needs` says what must be handed in: `column`,
    `number_column`, `text_column`, `category_column`, `time_column` (a column with a time of day),
    `two_columns`, `key`, `segment`, `yesterday`. `options` are the defaults of its parameters. `traceless_when`
    says when it may leave no trace; None if it always leaves one. `moves` tells what it disturbs: the values of a
    column, which rows there are, or the relation between columns.

    `choice` picks the rows that are hit, `frame` changes them in a data frame, `sql` describes the same change as
    a query. `count` is how its changed rows are counted: rows that `differing` from before, rows `hit`, or rows
    `added` and taken away. `signed` faults report `shift_up` or `shift_down` by what the mean did.
    `trace` refines where the fault shows: (frame, columns) to bool.
    """

    name: str
    change: Change
    needs: tuple[str, ...]
    moves: Moves
    about: str
    choice: Choice
    frame: Callable[[FrameDay], pd.DataFrame]
    sql: Callable[[SqlDay], Damage]
    traceless_when: str | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: {"rows": 0.05, "where": None, "seed": 0})
    count: Count = "differing"
    signed: bool = False
    trace: Callable[[pd.DataFrame, Sequence[str]], bool] | None = None


@dataclass(frozen=True)
class Injected:
    """A damaged day and the truth about it.

    `columns` are those changed, the first the most telling; `where` is the segment hit, as SQL, or None for rows
    all over the day; `rows_changed` counts rows that differ, are gone, or came in addition.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]
    where: str | None
    rows_changed: int
    change: Change


def options(rows: float = 0.05, **more: Any) -> dict[str, Any]:
    """The defaults of a fault's parameters: the usual three and `more`."""
    return {"rows": rows, "where": None, "seed": 0, **more}
