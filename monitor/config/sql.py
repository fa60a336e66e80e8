"""SQL fragments in a configuration: one expression each, of the kind their place asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.errors import ParseError

Fragment = Literal["condition", "aggregate", "select"]

SQL_MAX = 20_000
DIALECTS = {
    "duckdb": "duckdb",
    "files": "duckdb",
    "postgresql": "postgres",
    "snowflake": "snowflake",
    "sqlite": "sqlite",
    "bigquery": "bigquery",
    "redshift": "redshift",
    "databricks": "databricks",
    "mysql": "mysql",
    "trino": "trino",
    "mssql": "tsql",
    "clickhouse": "clickhouse",
}
_EXAMPLES = {"condition": "distance > 0", "aggregate": "avg(dep_delay)", "select": "SELECT id FROM {rows}"}
_PLACES = re.compile(r"\{(rows|table)\}")


class FragmentError(ValueError):
    """A text that is not the SQL its place asks for; the message says why, without the text."""


def parse_fragment(text: str, fragment: Fragment, dialect: str = "") -> exp.Expr:
    """Parse one SQL expression.

    Args:
        text: the SQL.
        fragment: `condition`, true or false of one row; `aggregate`, one number of many rows; `select`, a whole
            statement that only reads, with `{rows}` and `{table}` for what it reads.
        dialect: sqlglot's name of the engine's SQL.

    Raises:
        FragmentError: it is empty, several statements, a statement, not SQL, holds comments or placeholders, is an
            aggregate where a condition is wanted, or the other way round.
    """
    from sqlglot import exp  # noqa: PLC0415 - heavy, and many configurations hold no SQL

    if not text.strip():
        raise FragmentError(f"empty; wanted SQL such as {_EXAMPLES[fragment]}")
    if len(text) > SQL_MAX:
        raise FragmentError(f"{len(text)} characters; at most {SQL_MAX} are read")
    if fragment == "select":
        return _parse_select(text, dialect)
    tree = _parse(text, dialect)
    if isinstance(tree, exp.Star | exp.Query | exp.Command):
        raise FragmentError(f"not an expression; wanted one such as {_EXAMPLES[fragment]}")
    if any(True for _ in tree.find_all(exp.Placeholder, exp.Parameter)):
        raise FragmentError("holds a placeholder, for which there is no value; write the value itself")
    _check_kind(tree, fragment)
    return tree


def columns_in(tree: exp.Expr) -> list[tuple[str, bool]]:
    """The row's columns that an expression names, in order, with whether each is quoted.

    Inside subqueries and lambdas names mean other things, so that nothing is said of those.
    """
    from sqlglot import exp  # noqa: PLC0415 - see above

    if tree.find(exp.Lambda):
        return []
    found: dict[tuple[str, bool], None] = {}
    for node in tree.walk(bfs=False, prune=lambda node: isinstance(node, exp.Query | exp.Subquery)):
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star) and not node.table:
            found[node.name, bool(node.this.args.get("quoted"))] = None
    return list(found)


def _parse_select(text: str, dialect: str) -> exp.Expr:
    """A statement that reads and does nothing else."""
    from sqlglot import exp  # noqa: PLC0415 - see above

    tree = _parse(_PLACES.sub(r"daywatch_\1", text), dialect, whole=True)
    if not isinstance(tree, exp.Query):
        raise FragmentError(f"not a SELECT; wanted a statement such as {_EXAMPLES['select']}")
    writes = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)
    if any(not isinstance(node, exp.Query) for node in tree.find_all(*writes)):
        raise FragmentError("writes or locks; a rule only reads")
    if any(True for _ in tree.find_all(exp.Placeholder, exp.Parameter)):
        raise FragmentError("holds a placeholder, for which there is no value; known are {rows} and {table}")
    return tree


def _parse(text: str, dialect: str, *, whole: bool = False) -> exp.Expr:
    from sqlglot import exp, parse_one, tokenize  # noqa: PLC0415 - see above
    from sqlglot.errors import ParseError, SqlglotError  # noqa: PLC0415 - see above

    try:
        tokens = tokenize(text, dialect=dialect or None)
        if any(token.token_type.name == "SEMICOLON" for token in tokens):
            raise FragmentError("holds a semicolon; wanted one expression, without")
        if any(token.comments for token in tokens):
            raise FragmentError("holds a comment; write it as a YAML comment instead")
        if whole:
            return parse_one(text, dialect=dialect or None)
        return parse_one(text, into=exp.Condition, dialect=dialect or None)
    except ParseError as error:
        wanted = "statement" if whole else "expression"
        raise FragmentError(f"not one SQL {wanted}: {_reason(error)}") from None
    except SqlglotError:
        raise FragmentError("not SQL: a quote or bracket that is not closed") from None
    except (RecursionError, ValueError, IndexError, AttributeError, TypeError) as error:
        if isinstance(error, FragmentError):
            raise
        raise FragmentError("not SQL that can be read") from None


def _reason(error: ParseError) -> str:
    said = " ".join(str(item.get("description")) for item in error.errors)
    if "Required keyword" in said:
        return "an operand is missing"
    if "Expecting )" in said:
        return "a bracket is not closed"
    return "something is missing, misspelt or left over"


def _check_kind(tree: exp.Expr, fragment: Fragment) -> None:
    from sqlglot import exp  # noqa: PLC0415 - see above

    windows = any(True for _ in _outside_queries(tree, exp.Window))
    aggregates = any(not isinstance(node.parent, exp.Window) for node in _outside_queries(tree, exp.AggFunc))
    if fragment == "condition" and (aggregates or windows):
        raise FragmentError("an aggregate, where a condition on each row is wanted; watch a number as a metric")
    if fragment == "aggregate" and not aggregates and not any(True for _ in tree.find_all(exp.Anonymous)):
        raise FragmentError("not an aggregate; wanted one number of many rows, such as avg(dep_delay) or count(*)")


def _outside_queries(tree: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    from sqlglot import exp  # noqa: PLC0415 - see above

    nodes = tree.walk(bfs=False, prune=lambda node: isinstance(node, exp.Query | exp.Subquery))
    return [node for node in nodes if isinstance(node, kind)]
