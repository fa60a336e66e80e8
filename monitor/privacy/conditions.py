"""Conditions in SQL on their way out: values in them that too few rows share become shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitor.privacy.redact import Gate, is_time_text
from monitor.privacy.shapes import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHHELD = "(condition withheld)"
LENGTH_MAX = 2000
_RANGES = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_EQUALS = (exp.EQ, exp.NullSafeEQ)


def redact_condition(where: str, gate: Gate, rows: float | None, counts: Mapping[str, float]) -> str:
    """The condition with rare values as shapes; unchanged where nothing in it is rare.

    A value compared by `=` on the way of ANDs is shared by all the rows that meet the condition, so their number
    decides. A value in a list, under OR or NOT, in a pattern or in a function is decided by `counts` alone. Bounds of
    numeric and time ranges pass, unless both ends of a range are the same, which is a value in disguise.
    """
    if gate.table.show_values:
        return where
    if len(where) > LENGTH_MAX:
        return WITHHELD
    tree = _parse(where)
    if tree is None:
        return WITHHELD
    hidden = [literal for literal in _literals(tree) if not _is_shown(literal, tree, gate, rows, counts)]
    if _has_doubtful_names(tree, gate):
        return WITHHELD
    if not hidden and not any(node.comments for node in tree.walk()):
        return where
    for literal in hidden:
        literal.replace(exp.Literal.string(shape_of(literal.this)))
    return str(tree.sql(comments=False))


def _parse(where: str) -> exp.Expr | None:
    """The condition's tree, in the first dialect that reads it; backticks are names in BigQuery's."""
    for dialect in ("", "bigquery") if "`" in where else ("",):
        try:
            return sqlglot.parse_one(where, into=exp.Condition, dialect=dialect)
        except (SqlglotError, RecursionError):
            continue
    return None


def _literals(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Everything in a condition that could be a row's value, texts under unusual notations included."""
    for node in list(tree.walk()):
        if isinstance(node, (exp.Literal, exp.HexString, exp.BitString, exp.ByteString, exp.RawString, exp.National)):
            yield node


def _has_doubtful_names(tree: exp.Expr, gate: Gate) -> bool:
    """Some engines write texts between double quotes, and a stray word may be one: only the table's columns pass."""
    if tree.find(exp.Placeholder, exp.Parameter):
        return True
    for node in tree.find_all(exp.Column):
        if not any(gate.is_column(part.name) for part in node.parts):
            return True
    columns = {id(part) for node in tree.find_all(exp.Column) for part in node.parts}
    return any(node.args.get("quoted") and id(node) not in columns for node in tree.find_all(exp.Identifier))


def _is_shown(
    literal: exp.Expr,
    tree: exp.Expr,
    gate: Gate,
    rows: float | None,
    counts: Mapping[str, float],
) -> bool:
    if gate.passes(counts.get(str(literal.this))):
        return True
    if _is_type_argument(literal):
        return True
    comparison = _comparison(literal)
    if isinstance(comparison, _RANGES):
        return _is_bound(literal) and not _is_closed(literal, tree)
    return _is_equal(comparison) and _is_required(comparison) and gate.passes(rows)


def _is_type_argument(literal: exp.Expr) -> bool:
    """The 10 and the 2 of DECIMAL(10, 2)."""
    return literal.find_ancestor(exp.DataType) is not None


def _comparison(literal: exp.Expr) -> exp.Expr | None:
    """The comparison the literal is a side of; None where a function or a list stands between."""
    node = literal.parent
    while isinstance(node, (exp.Neg, exp.Cast, exp.Paren)):
        node = node.parent
    return node


def _is_equal(comparison: exp.Expr | None) -> bool:
    """`x = v`, or a list of one."""
    return isinstance(comparison, _EQUALS) or (isinstance(comparison, exp.In) and len(comparison.expressions) == 1)


def _is_required(comparison: exp.Expr | None) -> bool:
    """Whether every row that meets the condition meets this comparison: only ANDs stand above it."""
    node = comparison.parent if comparison is not None else None
    while isinstance(node, (exp.And, exp.Paren)):
        node = node.parent
    return node is None


def _is_bound(literal: exp.Expr) -> bool:
    return isinstance(literal, exp.Literal) and (not literal.is_string or is_time_text(literal.this))


def _is_closed(literal: exp.Expr, tree: exp.Expr) -> bool:
    """Whether the same bound stands twice: `x >= 7 AND x <= 7` names the value 7."""
    seen = Counter(str(node.this) for node in _literals(tree) if isinstance(_comparison(node), _RANGES))
    return seen[str(literal.this)] > 1
