"""The join of two tables as sums alone, for PostgreSQL.

Grouping by what a row is makes its planner, which expects as many groups as rows, sort them all. Here each row costs
one comparison, and no column but those of the tables themselves is carried through the join: a changed row adds a
number with a place of its own, 15 digits long, for each column, and keys match by plain equality, which lets hashes be
used. NULL keys are counted, not matched; where there are any, the caller must join in another way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from monitor.diff.pairs import Pair
from monitor.diff.rows import Rows, Select
from monitor.diff.totals import Totals
from monitor.warehouses.constructs import Expression, RowHash

ROWS_MAX = 8_000_000
"""Rows of both sides together: the hashes of keys that one side has alone are held by the server, 8 bytes each."""
PLACE = 15


def summed(a: Rows, b: Rows, *, are_unique: bool) -> Select:
    """A statement for the counts of the join of two sides.

    Args:
        a: the one.
        b: the other.
        are_unique: the engine holds the keys to be; otherwise it is counted how many keys repeat on one side alone.
    """
    sides = [rows.bare().subquery(rows.letter) for rows in (a, b)]
    keys = [rows.exact_keys(side) for rows, side in zip((a, b), sides, strict=True)]
    known = [sa.and_(*(key.is_not(None) for key in own)) for own in keys]
    lone_b, lone_a = (own[0].is_(None) for own in keys)
    wanted: list[Expression] = [
        _counted(sa.and_(*known)).label("pairs"),
        _counted(lone_a).label("removed"),
        _counted(lone_b).label("added"),
        _counted(sa.not_(sa.or_(*known))).label("unknown"),
        _sum(a, sides, sa.or_(lone_a, lone_b)).label("changed"),
    ]
    if not are_unique:
        own = sa.case((lone_b, RowHash(*keys[1])), else_=RowHash(*keys[0]))
        wanted.append(sa.func.array_agg(own).filter(sa.or_(lone_a, lone_b)).label("lone"))
    on = sa.and_(*(one == other for one, other in zip(*keys, strict=True)))
    joined = sa.select(*wanted).select_from(sa.join(sides[0], sides[1], on, full=True))
    return joined if are_unique else _with_repeats(joined)


def _counted(condition: Expression) -> Expression:
    return sa.func.count().filter(condition)


def _sum(rows: Rows, sides: Sequence[sa.FromClause], is_lone: Expression) -> Expression:
    """The sum of what changed rows add: 1, and 1 in the place of each column that differs."""
    differ = []
    for place, pair in enumerate(rows.columns.values):
        differ.append(pair.differs(*(pair.exactly(side.c[f"v{place}"], rows.side.dialect) for side in sides)))
    added: list[Expression] = [sa.literal_column("CAST(1 AS NUMERIC)")]
    for place, differs in enumerate(differ, 1):
        added.append(sa.case((differs, sa.literal_column(f"1{'0' * (PLACE * place)}")), else_=sa.literal_column("0")))
    changed = sa.and_(sa.not_(is_lone), sa.or_(sa.false(), *differ))
    return sa.cast(sa.func.sum(sa.case((changed, _added(added)))), sa.Text)


def _added(terms: Sequence[Expression]) -> Expression:
    """Their sum, halved again and again: hundreds of columns in one chain would be nested too deeply."""
    half = len(terms) // 2
    return _added(terms[:half]) + _added(terms[half:]) if half else terms[0]


def _with_repeats(joined: Select) -> Select:
    one = joined.subquery("one")
    held = sa.func.unnest(one.c.lone).column_valued("held")
    repeats = sa.select(sa.func.count(held) - sa.func.count(held.distinct())).scalar_subquery()
    return sa.select(*(column for column in one.c if column.name != "lone"), repeats.label("repeats"))


def read_sums(answer: Mapping[str, Any], pairs: Sequence[Pair]) -> tuple[Totals, int] | None:
    """Counts, and how many keys repeat on one side alone, of what `summed` answers; None: there are NULL keys."""
    if answer["unknown"]:
        return None
    left, changed = divmod(int(answer["changed"] or "0"), 10**PLACE)
    columns = {}
    for pair in pairs:
        left, columns[pair.name] = divmod(left, 10**PLACE)
    ranked = dict(sorted(((name, n) for name, n in columns.items() if n), key=lambda item: -item[1]))
    both, added, removed = (int(answer[name]) for name in ("pairs", "added", "removed"))
    return Totals(both + removed, both + added, added, removed, changed, ranked), int(answer.get("repeats") or 0)
