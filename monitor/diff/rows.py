"""The rows of one side as a comparison reads them, and whether their key is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from monitor.diff.pairs import Alignment, Side
from monitor.warehouses.canonical import row_text, typed
from monitor.warehouses.constructs import Expression

EXACT_ROWS = 100_000
"""Up to so many rows, keys are counted at once."""
DRAWN_ROWS = 10_000
"""Of larger tables so many keys are drawn; if none repeats, a join has not many more pairs than rows."""
Select = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Rows:
    """The rows of side `letter`, a or b, with keys as `k0`..., values as `v0`... and `here`, which is 1."""

    side: Side
    letter: str
    columns: Alignment

    def select(self) -> Select:
        """A statement for all rows, in types that the other side's can be compared with."""
        dialect = self.side.dialect
        keys = [pair.value(self.letter, dialect).label(f"k{i}") for i, pair in enumerate(self.columns.keys)]
        values = [pair.value(self.letter, dialect).label(f"v{i}") for i, pair in enumerate(self.columns.values)]
        return self.of_table([sa.literal_column("1").label("here"), *keys, *values])

    def of_table(self, wanted: list[Any]) -> Select:
        """A statement for expressions over the table's own columns."""
        return self.side.warehouse.rows_of(self.side.table, wanted)

    def keys(self, source: sa.FromClause) -> list[Expression]:
        """The keys in a subquery of `select`."""
        return [typed(f"k{i}", pair.form, source) for i, pair in enumerate(self.columns.keys)]

    def values(self, source: sa.FromClause) -> list[Expression]:
        """The values in a subquery of `select`."""
        return [typed(f"v{i}", pair.form, source) for i, pair in enumerate(self.columns.values)]

    def texts(self, source: sa.FromClause) -> tuple[list[Expression], list[Expression]]:
        """Keys and values in a subquery of `select` as texts that are the same on every engine."""
        keys = zip(self.columns.keys, self.keys(source), strict=True)
        values = zip(self.columns.values, self.values(source), strict=True)
        return (
            [pair.text_of(value, self.letter) for pair, value in keys],
            [pair.text_of(value, self.letter) for pair, value in values],
        )

    def key_text(self, source: sa.FromClause) -> Expression:
        """All keys in a subquery of `select` as one text."""
        return row_text([(t, p.form) for t, p in zip(self.texts(source)[0], self.columns.keys, strict=True)])

    def row_text(self, source: sa.FromClause) -> Expression:
        """The whole row in a subquery of `select` as one text."""
        keys, values = self.texts(source)
        return row_text([(t, p.form) for t, p in zip([*keys, *values], self.columns.pairs, strict=True)])

    def ask(self, statement: Select) -> pa.Table:
        """What the side's warehouse answers."""
        return self.side.warehouse.ask(statement, [self.side.table])

    # Whether the key is one

    def count(self) -> int:
        """How many rows there are."""
        return int(self.ask(self.of_table([sa.func.count().label("n")]))["n"][0].as_py())

    @cached_property
    def is_unique(self) -> bool:
        """Whether the engine itself holds the key to be unique."""
        names = {(pair.a if self.letter == "a" else pair.b).name for pair in self.columns.keys}
        known = self.side.warehouse.unique_columns(self.side.table.path)
        return any(set(unique) <= names for unique in known)

    def seems_unique(self, rows: int) -> bool:
        """Whether the key does not repeat in a draw; False also where drawing is not worth it."""
        if self.is_unique:
            return True
        pairs = self.columns.keys
        keys = [pair.value(self.letter, self.side.dialect).label(f"k{i}") for i, pair in enumerate(pairs)]
        if rows <= EXACT_ROWS:
            return False
        few = self.side.warehouse.few_rows_of(self.side.table, keys, DRAWN_ROWS / rows, 1)
        if few is None:
            return False
        drawn = few.subquery("drawn")
        repeated = sa.select(sa.literal(1).label("x")).group_by(*drawn.c).having(sa.func.count() > 1).limit(1)
        return not self.ask(repeated.select_from(drawn)).num_rows

    def count_repeated(self) -> int:
        """How many keys several rows have."""
        whole = self.select().subquery("whole")
        repeated: Select = sa.select(sa.literal_column("1").label("x")).select_from(whole)
        counted = repeated.group_by(*self.keys(whole)).having(sa.func.count() > 1).subquery("counted")
        return int(self.ask(sa.select(sa.func.count().label("n")).select_from(counted))["n"][0].as_py())
