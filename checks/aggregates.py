"""What an aggregate is made of: sums and counts that add up over groups, and ratios of those."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

SQLGLOT = {"postgresql": "postgres"}


@dataclass(frozen=True, slots=True)
class Parts:
    """An aggregate as a sum (`denominator` empty) or as a ratio of two sums, all of them SQL."""

    numerator: str
    denominator: str = ""


@functools.lru_cache(maxsize=4096)
def safe(sql: str, where: str = "", dialect: str = "duckdb") -> str:
    """The aggregate over the rows that meet `where`, NULL where it would divide by nothing; integers divide as numbers.

    >>> safe("sum(a) / count(*)", "b > 0")
    '1e0 * SUM(CASE WHEN b > 0 THEN a END) / NULLIF(COUNT(CASE WHEN b > 0 THEN 1 END), 0)'
    >>> safe("max(a)")
    'max(a)'
    """
    import sqlglot  # noqa: PLC0415 - costs 0.1 s, and most tables have no metrics
    from sqlglot import exp  # noqa: PLC0415 - as above

    if not where and "/" not in sql:
        return sql
    read = SQLGLOT.get(dialect, dialect)
    tree = sqlglot.parse_one(sql, read=read)
    if where:
        condition = sqlglot.parse_one(where, read=read)
        tree = tree.transform(lambda node: _narrow(node, condition))
    divisions = list(tree.find_all(exp.Div))
    for node in divisions:
        right = node.expression
        if not isinstance(right, exp.Literal):
            node.set("expression", exp.Anonymous(this="NULLIF", expressions=[right.copy(), exp.Literal.number(0)]))
        if node.find(exp.AggFunc):
            node.set("this", exp.Mul(this=exp.Literal.number("1e0"), expression=node.this.copy()))
    return str(tree.sql(dialect=read))


@functools.lru_cache(maxsize=4096)
def divides_by_zero(condition: str, dialect: str = "duckdb") -> str | None:
    """The condition of rows on which another cannot be told for a division by zero; None where it does not divide.

    >>> divides_by_zero("a / b > 1")
    '(a / NULLIF(b, 0) > 1) IS NULL AND (b = 0)'
    >>> divides_by_zero("a / 2 > 1") is None
    True
    """
    import sqlglot  # noqa: PLC0415 - see `safe`
    from sqlglot import exp  # noqa: PLC0415 - see `safe`

    if "/" not in condition and "%" not in condition:
        return None
    read = SQLGLOT.get(dialect, dialect)
    tree = sqlglot.parse_one(condition, read=read)
    divisions = [d for d in tree.find_all(exp.Div, exp.IntDiv, exp.Mod) if not isinstance(d.expression, exp.Literal)]
    if not divisions or tree.find(exp.Subquery, exp.Lambda):
        return None
    zero = " OR ".join(dict.fromkeys(f"{d.expression.sql(read)} = 0" for d in divisions))
    for node in divisions:
        node.set(
            "expression", exp.Anonymous(this="NULLIF", expressions=[node.expression.copy(), exp.Literal.number(0)])
        )
    return f"({tree.sql(read)}) IS NULL AND ({zero})"


def _narrow(node: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """An aggregate function over the rows of the condition: by its argument where it has one, by FILTER else."""
    from sqlglot import exp  # noqa: PLC0415 - see `safe`

    if not isinstance(node, exp.AggFunc) or isinstance(node.parent, (exp.Filter, exp.WithinGroup)):
        return node
    inner = node.this
    if isinstance(node, exp.Count) and (inner is None or isinstance(inner, exp.Star)):
        inner = exp.Literal.number(1)
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=exp.Literal.number(0))])
    new = node.copy()
    if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
        case.args["ifs"][0].set("true", inner.expressions[0].copy())
        new.set("this", exp.Distinct(expressions=[case]))
        return new
    if isinstance(node, (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevSamp, exp.Median)):
        case.args["ifs"][0].set("true", inner.copy())
        new.set("this", case)
        return new
    return exp.Filter(this=new, expression=exp.Where(this=condition.copy()))


@functools.lru_cache(maxsize=4096)
def parts_of(sql: str, dialect: str = "duckdb") -> Parts | None:
    """The sums that an aggregate is made of; None where it is not (a median, a count of distinct values).

    >>> parts_of("avg(dep_delay)"), parts_of("100 * sum(a) / nullif(count(*), 0)").numerator
    (Parts(numerator='SUM(dep_delay)', denominator='COUNT(dep_delay)'), '100 * SUM(a)')
    >>> parts_of("sum(a) - sum(b)").denominator, parts_of("count(distinct a)")
    ('', None)
    """
    import sqlglot  # noqa: PLC0415 - see `safe`
    from sqlglot import exp  # noqa: PLC0415 - see `safe`
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - see `safe`

    read = SQLGLOT.get(dialect, dialect)
    try:
        tree = _bare(sqlglot.parse_one(sql, read=read))
    except SqlglotError:
        return None
    if isinstance(tree, exp.Avg) and not isinstance(tree.this, exp.Distinct):
        return Parts(exp.Sum(this=tree.this.copy()).sql(read), exp.Count(this=tree.this.copy()).sql(read))
    if isinstance(tree, exp.Div):
        above, below = tree.this, _bare(tree.expression)
        if isinstance(below, (exp.Nullif, exp.Anonymous)):
            below = below.this if isinstance(below, exp.Nullif) else below.expressions[0]
        if _adds_up(above) and _adds_up(below):
            return Parts(above.sql(read), below.sql(read))
        return None
    return Parts(tree.sql(read)) if _adds_up(tree) else None


def _bare(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp  # noqa: PLC0415 - see `safe`

    return _bare(node.this) if isinstance(node, (exp.Paren, exp.Cast)) else node


def _adds_up(node: exp.Expr) -> bool:
    """Whether the values of two groups add up to that of both together."""
    from sqlglot import exp  # noqa: PLC0415 - see `safe`

    node = _bare(node)
    if isinstance(node, (exp.Sum, exp.CountIf)):
        return not isinstance(node.this, exp.Distinct)
    if isinstance(node, exp.Count):
        return not isinstance(node.this, exp.Distinct)
    if isinstance(node, (exp.Add, exp.Sub)):
        return _adds_up(node.this) and _adds_up(node.expression)
    if isinstance(node, exp.Mul):
        sides = (_bare(node.this), _bare(node.expression))
        return any(isinstance(a, exp.Literal) and _adds_up(b) for a, b in (sides, sides[::-1]))
    if isinstance(node, exp.Coalesce):
        return _adds_up(node.this)
    return isinstance(node, exp.Filter) and _adds_up(node.this)
