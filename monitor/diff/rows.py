"""The rows of one side as a comparison reads them, and whether their key is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from monitor.diff.pairs import Alignment, Side
from monitor.warehouses.canonical import SNOWFLAKE, Exactly, Previous, row_text, typed
from monitor.warehouses.constructs import Expression

EXACT_ROWS = 100_000
"""Up to so many rows, keys are counted at once."""
DRAWN_ROWS = 40_000
"""Of larger tables about so many keys are drawn; if none repeats, a join has not many more pairs than rows."""
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

    def bare(self) -> Select:
        """The same without `here`, and with texts in the collations that they have: rows as the engine stores them.

        PostgreSQL would make a new row of each where anything is computed, at a fourth of the cost of a join.
        """
        dialect = self.side.dialect
        keys = [_bare(pair.value(self.letter, dialect)).label(f"k{i}") for i, pair in enumerate(self.columns.keys)]
        values = [_bare(pair.value(self.letter, dialect)).label(f"v{i}") for i, pair in enumerate(self.columns.values)]
        return self.of_table([*keys, *values])

    def of_table(self, wanted: list[Any]) -> Select:
        """A statement for expressions over the table's own columns."""
        return self.side.warehouse.rows_of(self.side.table, wanted)

    def keys(self, source: sa.FromClause) -> list[Expression]:
        """The keys in a subquery of `select`."""
        return [typed(f"k{i}", pair.form, source) for i, pair in enumerate(self.columns.keys)]

    def values(self, source: sa.FromClause) -> list[Expression]:
        """The values in a subquery of `select`."""
        return [typed(f"v{i}", pair.form, source) for i, pair in enumerate(self.columns.values)]

    def exact_keys(self, source: sa.FromClause) -> list[Expression]:
        """The keys in a subquery of `bare`, compared by their characters where they are texts."""
        pairs = zip(self.columns.keys, self.keys(source), strict=True)
        return [pair.exactly(own, self.side.dialect) for pair, own in pairs]

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

    def ascends(self) -> bool:
        """Whether every row's key is greater than that of the row read before it, so that none can repeat.

        It costs a tenth of counting, and tables are often stored by their key; False also where an engine has no such
        order, and where a key is NULL.
        """
        if self.side.dialect == SNOWFLAKE:
            return False
        whole = self.select().subquery("whole")
        keys = self.keys(whole)
        wanted = [own.label(f"k{i}") for i, own in enumerate(keys)]
        wanted += [Previous(own).label(f"p{i}") for i, own in enumerate(keys)]
        read = sa.select(*wanted).select_from(whole).subquery("read")
        greater: Expression = sa.false()
        for i in reversed(range(len(keys))):
            pair, dialect = self.columns.keys[i], self.side.dialect
            own, before = (pair.exactly(read.c[f"{letter}{i}"], dialect) for letter in ("k", "p"))
            greater = sa.or_(own > before, sa.and_(own == before, greater))
        falls = sa.func.count(sa.case((sa.func.coalesce(greater, sa.false()), None), else_=1)).label("n")
        return int(self.ask(sa.select(falls).select_from(read))["n"][0].as_py()) <= 1  # the first has none before it

    def count_repeated(self) -> int:
        """How many keys several rows have."""
        whole = self.select().subquery("whole")
        repeated: Select = sa.select(sa.literal_column("1").label("x")).select_from(whole)
        counted = repeated.group_by(*self.keys(whole)).having(sa.func.count() > 1).subquery("counted")
        return int(self.ask(sa.select(sa.func.count().label("n")).select_from(counted))["n"][0].as_py())


def _bare(value: Expression) -> Expression:
    return next(iter(value.clauses)) if isinstance(value, Exactly) else value
