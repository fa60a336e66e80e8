"""Two tables without a key: rows as a multiset, and by which columns the two can be told apart.

In one database, every row of A counts +1 and every row of B -1 under its hash: what is left over differs. Across
databases, rows fall into parts by a digest of their text, and only parts whose counts or sums of digests differ are
looked at row by row, by digest. Whether rows were changed cannot be known without a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from monitor.diff.checksum import LISTED_MAX, PART, PART_ROWS, PARTS, differing_parts
from monitor.diff.pairs import Alignment, Side
from monitor.diff.rows import Rows, Select
from monitor.diff.totals import Totals
from monitor.warehouses.canonical import Digest
from monitor.warehouses.constructs import RowHash


class Bag:
    """The comparison of two tables as multisets of rows.

    Args:
        a: the one.
        b: the other; read by A's warehouse where that reaches it.
        columns: what is compared; no keys.
    """

    def __init__(self, a: Side, b: Side, columns: Alignment) -> None:
        self.columns = columns
        self.sides = (Rows(a, "a", columns), Rows(b, "b", columns))
        self.is_one = a.warehouse is b.warehouse
        self.tables = [a.table, b.table]
        self.parts = 1

    def totals(self) -> Totals:
        """Count the rows that one side has more often than the other."""
        if self.is_one:
            row = self.sides[0].side.warehouse.ask(self._counted(), self.tables).to_pylist()[0]
            found = {name: int(value or 0) for name, value in row.items()}
            return Totals(found["rows_a"], found["rows_b"], found["added"], found["removed"], 0, {})
        return self._across()

    # In one database

    def _remaining(self) -> Select:
        """Hashes of rows with how much more often A has them than B."""
        signed: list[Select] = []
        for rows, sign in zip(self.sides, ("1", "-1"), strict=True):
            whole = rows.select().subquery(f"whole_{rows.letter}")
            signed.append(sa.select(RowHash(*rows.values(whole)).label("h"), sa.literal_column(sign).label("s")))
        both = sa.union_all(*signed).subquery("both_sides")
        counted = [sa.func.sum(both.c.s).label("d"), sa.func.count().label("n")]
        return sa.select(both.c.h, *counted).group_by(both.c.h)

    def _counted(self) -> Select:
        left = self._remaining().subquery("remaining")

        def total(value: Any) -> Any:
            return sa.cast(sa.func.sum(value), sa.BigInteger)

        return sa.select(
            total((left.c.n + left.c.d) / 2).label("rows_a"),
            total((left.c.n - left.c.d) / 2).label("rows_b"),
            total(sa.case((left.c.d < 0, -left.c.d), else_=0)).label("added"),
            total(sa.case((left.c.d > 0, left.c.d), else_=0)).label("removed"),
        )

    # Across databases

    def _across(self) -> Totals:
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(Rows.count, self.sides))
            self.parts = max(count for count in PARTS if count <= max(max(rows) // PART_ROWS, 1))
            sums = list(pool.map(self._checksums, self.sides))
            differing = differing_parts(*sums)
            if not len(differing):
                return Totals(rows[0], rows[1], 0, 0, 0, {})
            digests = list(pool.map(lambda side: self._digests(side, differing), self.sides))
        left = digests[0].sub(digests[1], fill_value=0)
        return Totals(rows[0], rows[1], int(-left[left < 0].sum()), int(left[left > 0].sum()), 0, {})

    def _checksums(self, rows: Rows) -> pa.Table:
        digests = self._digested(rows).subquery("digests")
        part = sa.func.mod(digests.c.d, self.parts).label(PART)
        parts = sa.select(part, digests.c.d).subquery("parts")
        added = sa.cast(sa.func.sum(parts.c.d), sa.String)
        return rows.ask(sa.select(parts.c.part, sa.func.count().label("n"), added.label("s")).group_by(parts.c.part))

    def _digested(self, rows: Rows) -> Select:
        whole = rows.select().subquery("whole")
        return sa.select(Digest(rows.row_text(whole)).label("d")).select_from(whole)

    def _digests(self, rows: Rows, differing: np.ndarray[Any, np.dtype[np.int64]]) -> pd.Series:
        """How often each row digest comes in the parts that differ."""
        digests = self._digested(rows).subquery("digests")
        statement = sa.select(digests.c.d, sa.func.count().label("n")).group_by(digests.c.d)
        if len(differing) <= LISTED_MAX:
            statement = statement.where(sa.func.mod(digests.c.d, self.parts).in_([int(part) for part in differing]))
        pieces = [_counts(piece) for piece in _closed(rows.side.warehouse.stream(statement, [rows.side.table]))]
        return pd.concat(pieces) if pieces else pd.Series([], dtype="int64")

    def sql(self) -> str:
        """A statement that shows which rows are left over: by hash in one database, by digest across them."""
        warehouse = self.sides[0].side.warehouse
        if self.is_one:
            left = self._remaining()
            return warehouse.sql(left.having(sa.func.sum(sa.column("s")) != 0))
        return "\n".join(
            f"-- {rows.letter.upper()}\n{rows.side.warehouse.sql(self._digested(rows))};" for rows in self.sides
        )


def _counts(piece: pa.Table) -> pd.Series:
    return pd.Series(piece["n"].to_pylist(), index=pd.Index(piece["d"].to_pylist(), dtype="int64"), dtype="int64")


def _closed(pieces: Any) -> Iterator[pa.Table]:
    try:
        yield from pieces
    finally:
        pieces.close()
