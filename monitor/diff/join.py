"""Two tables of one database with a key: one join, pushed down.

Every row is reduced to a number that says what it is: 0 is equal, -1 added, -2 removed, else a bit a changed column.
These are counted in groups, so that equal rows cost one comparison each; on PostgreSQL, which would sort them for that,
they are summed (`monitor.diff.summed`). Keys are held to be unique when the engine
says so, or when none of a few thousand drawn of one side repeats; the counts of the join itself then prove it (a key
that is repeated makes more pairs than rows), and if they do not, repeated keys are counted and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa
import sqlalchemy as sa

from monitor.diff.pairs import Alignment, Pair, Side
from monitor.diff.rows import Rows, Select
from monitor.diff.summed import ROWS_MAX, read_sums, summed
from monitor.diff.totals import Totals
from monitor.warehouses.canonical import POSTGRES, HasBit, SameKey
from monitor.warehouses.constructs import Expression, RowHash

BITS = 60
SHARES = 1_000_000


class Join:
    """The comparison of two tables that one warehouse holds.

    Args:
        a: the one.
        b: the other; its table is read by A's warehouse.
        columns: what is compared.
    """

    def __init__(self, a: Side, b: Side, columns: Alignment) -> None:
        self.columns = columns
        self.a, self.b = Rows(a, "a", columns), Rows(b, "b", columns)
        self.warehouse = a.warehouse
        self.tables = (a.table, b.table)
        self.without_repeats = False

    def totals(self) -> Totals:
        """Count what differs; repeated keys are left out, and counted, where there are any."""
        if self.a.is_unique and self.b.is_unique:
            return (self._summed(0) or self._joined())[0]
        rows = (self.a.count(), self.b.count())
        # Only keys that repeat on both sides multiply pairs: one side that is unique is enough to join safely.
        if self.b.is_unique or self.a.seems_unique(rows[0]):
            found, repeats = self._summed(sum(rows)) or self._joined()
            if not repeats and rows == (found.rows_a, found.rows_b):
                return found
        return self._without_repeats()

    def _summed(self, rows: int) -> tuple[Totals, int] | None:
        if self.warehouse.dialect != POSTGRES or rows > ROWS_MAX:
            return None
        answer = self._ask(summed(self.a, self.b, are_unique=not rows)).to_pylist()[0]
        return read_sums(answer, self.columns.values)

    # The join

    def _source(self, rows: Rows) -> sa.FromClause:
        """The rows of a side; those of repeated keys left out where there are any."""
        if not self.without_repeats:
            return rows.select().subquery(rows.letter)
        whole = rows.select().subquery(f"whole_{rows.letter}")
        own = RowHash(*rows.keys(whole))
        repeated = sa.exists(sa.select(sa.literal(1)).where(self._repeated.c.h == own))
        return sa.select(*whole.c).where(~repeated).subquery(rows.letter)

    @cached_property
    def _repeated(self) -> sa.CTE:
        """Hashes of the keys that are repeated on either side."""
        found = []
        for rows in (self.a, self.b):
            whole = rows.select().subquery(f"all_{rows.letter}")
            keys = rows.keys(whole)
            hashes = sa.select(RowHash(*keys).label("h")).select_from(whole)
            found.append(hashes.group_by(*keys).having(sa.func.count() > 1))
        return sa.union(*found).cte("repeated")

    def _sides(self) -> tuple[sa.FromClause, sa.FromClause, sa.FromClause]:
        a, b = self._source(self.a), self._source(self.b)
        on = sa.and_(*(self._same(pair, a.c[f"k{i}"], b.c[f"k{i}"]) for i, pair in enumerate(self.columns.keys)))
        return a, b, sa.join(a, b, on, full=True)

    @staticmethod
    def _same(pair: Pair, a: Expression, b: Expression) -> Expression:
        return SameKey(a, b, pair.known) if pair.a.nullable and pair.b.nullable else a == b

    def _differ(self, a: sa.FromClause, b: sa.FromClause) -> list[Expression]:
        return [pair.differs(a.c[f"v{i}"], b.c[f"v{i}"]) for i, pair in enumerate(self.columns.values)]

    def _any_differs(self, a: sa.FromClause, b: sa.FromClause) -> Expression:
        """Whether any value differs; PostgreSQL compares rows faster than their columns one by one."""
        exact = [i for i, pair in enumerate(self.columns.values) if not pair.is_tolerant]
        tolerant = [i for i, pair in enumerate(self.columns.values) if pair.is_tolerant]
        apart = [
            pair.differs(a.c[f"v{i}"], b.c[f"v{i}"]) for i, pair in enumerate(self.columns.values) if i in tolerant
        ]
        if self.warehouse.dialect == POSTGRES and len(exact) > 1:
            rows = [sa.tuple_(*(side.c[f"v{i}"] for i in exact)) for side in (a, b)]
            apart.append(rows[0].is_distinct_from(rows[1]))
        else:
            apart += [self.columns.values[i].differs(a.c[f"v{i}"], b.c[f"v{i}"]) for i in exact]
        return sa.or_(sa.false(), *apart)

    def _joined(self) -> tuple[Totals, int]:
        """Counts, and how many keys repeat among the rows that only one side has."""
        a, b, both = self._sides()
        differ = self._differ(a, b)
        chunks = [differ[start : start + BITS] for start in range(0, len(differ), BITS)] or [[]]
        masks = [self._mask(a, b, chunk).label(f"m{i}") for i, chunk in enumerate(chunks)]
        lone = sa.case(
            (a.c.here.is_(None), RowHash(*self.b.keys(b))), (b.c.here.is_(None), RowHash(*self.a.keys(a))), else_=None
        ).label("lone")
        reduced = sa.select(*masks, lone).select_from(both).subquery("reduced")
        grouped = sa.select(*reduced.c, sa.func.count().label("n")).group_by(*reduced.c).subquery("grouped")
        row = self._ask(sa.select(*self._counts(grouped, len(chunks)))).to_pylist()[0]
        count = {name: int(value or 0) for name, value in row.items()}
        columns = {pair.name: count[f"c{i}"] for i, pair in enumerate(self.columns.values) if count[f"c{i}"]}
        pairs = count["pairs"]
        ranked = dict(sorted(columns.items(), key=lambda item: -item[1]))
        found = Totals(
            pairs + count["removed"], pairs + count["added"], count["added"], count["removed"], count["changed"], ranked
        )
        return found, count["repeats"]

    def _mask(self, a: sa.FromClause, b: sa.FromClause, chunk: Sequence[Expression]) -> Expression:
        bits: Expression = sa.literal_column("CAST(0 AS BIGINT)")
        for place, differs in enumerate(chunk):
            bits += sa.case((differs, sa.literal_column(str(2**place))), else_=sa.literal_column("0"))
        return sa.case(
            (a.c.here.is_(None), sa.literal_column("-1")),
            (b.c.here.is_(None), sa.literal_column("-2")),
            (self._any_differs(a, b), bits),
            else_=sa.literal_column("0"),
        )

    def _counts(self, grouped: sa.FromClause, chunks: int) -> list[Expression]:
        masks = [grouped.c[f"m{i}"] for i in range(chunks)]

        def rows(condition: Expression) -> Expression:
            return sa.func.sum(sa.case((condition, grouped.c.n), else_=0))

        lone = masks[0] < 0
        wanted: list[Expression] = [
            rows(masks[0] >= 0).label("pairs"),
            rows(masks[0] == -1).label("added"),
            rows(masks[0] == -2).label("removed"),
            rows(sa.or_(*(mask > 0 for mask in masks))).label("changed"),
            sa.func.sum(sa.case((sa.and_(lone, grouped.c.n > 1), 1), else_=0)).label("repeats"),
        ]
        for place in range(len(self.columns.values)):
            bit: Expression = sa.literal_column(str(2 ** (place % BITS)))
            mask = masks[place // BITS]
            wanted.append(rows(sa.and_(mask > 0, HasBit(mask, bit))).label(f"c{place}"))
        return wanted

    # Repeated keys

    def _without_repeats(self) -> Totals:
        repeated_a, repeated_b = self.a.count_repeated(), self.b.count_repeated()
        self.without_repeats = bool(repeated_a or repeated_b)
        found, _ = (None if self.without_repeats else self._summed(0)) or self._joined()
        rows_a, rows_b = found.rows_a, found.rows_b
        if self.without_repeats:
            rows_a, rows_b = self.a.count(), self.b.count()
        differ = self._repeats_differ() if self.without_repeats else 0
        return Totals(
            rows_a,
            rows_b,
            found.added,
            found.removed,
            found.changed,
            found.columns,
            repeated_a,
            repeated_b,
            differ,
        )

    def _repeats_differ(self) -> int:
        """Rows of repeated keys that one side has more often than the other."""
        signed: list[Select] = []
        for rows, sign in ((self.a, "1"), (self.b, "-1")):
            whole = rows.select().subquery(f"whole_{rows.letter}")
            keys = rows.keys(whole)
            within = sa.exists(sa.select(sa.literal(1)).where(self._repeated.c.h == RowHash(*keys)))
            row = RowHash(*keys, *rows.values(whole)).label("h")
            signed.append(sa.select(row, sa.literal_column(sign).label("s")).select_from(whole).where(within))
        both = sa.union_all(*signed).subquery("both_sides")
        left = sa.select(sa.func.sum(both.c.s).label("d")).group_by(both.c.h).subquery("remaining")
        return int(self._ask(sa.select(sa.func.sum(sa.func.abs(left.c.d)).label("n")))["n"][0].as_py() or 0)

    # The rows

    def rows(self, share: float = 1.0, *, as_texts: bool = True) -> Select:
        """A statement for the differing rows, or for a share of them, the same ones each time.

        As texts they are the same on every engine; people are shown the statement without.
        """
        a, b, both = self._sides()
        conditions = [sa.or_(a.c.here.is_(None), b.c.here.is_(None), self._any_differs(a, b))]
        if share < 1.0:
            own = sa.case((a.c.here.is_(None), RowHash(*self.b.keys(b))), else_=RowHash(*self.a.keys(a)))
            conditions.append(sa.func.abs(sa.func.mod(own, SHARES)) < int(share * SHARES))
        status = sa.case((a.c.here.is_(None), "added"), (b.c.here.is_(None), "removed"), else_="changed")
        wanted: list[Expression] = [status.label("status")]
        (keys_a, values_a), (keys_b, values_b) = (
            rows.texts(side) if as_texts else (rows.keys(side), rows.values(side))
            for rows, side in ((self.a, a), (self.b, b))
        )
        for pair, key_a, key_b in zip(self.columns.keys, keys_a, keys_b, strict=True):
            wanted.append(sa.case((a.c.here.is_(None), key_b), else_=key_a).label(_label(f"k:{pair.name}")))
        for letter, texts in (("a", values_a), ("b", values_b)):
            named = zip(self.columns.values, texts, strict=True)
            wanted += [text.label(_label(f"{letter}:{pair.name}")) for pair, text in named]
        return sa.select(*wanted).select_from(both).where(*conditions)

    def _ask(self, statement: Select) -> pa.Table:
        return self.warehouse.ask(statement, self.tables)


def _label(name: str) -> sa.quoted_name:
    return sa.quoted_name(name, quote=True)
