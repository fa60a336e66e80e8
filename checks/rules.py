"""Rules that engineers write: exact, outside the false-alert budget, all of them in the partition's one scan.

Conditions are SQL of the warehouse. A row is bad where the rule is known to be broken: a NULL neither meets nor
breaks `in_set`, `in_range`, `matches_regex` or `sql`; ask for it with `not_null`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.types import (
    ROWS,
    Aggregate,
    Change,
    Evidence,
    Input,
    Measure,
    Observation,
    Partition,
    Series,
    Table,
    Values,
)

Rule = Mapping[str, Any]


class Rules:
    """`rule.<name>`: fails when more rows break the rule than its tolerance allows."""

    name = "rule"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, and the number of bad rows of every rule."""
        return [Aggregate(ROWS), *(Aggregate(measure_of(rule)) for rule in table.rules)]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a rule; its score is the number of bad rows beyond the tolerance."""
        rows: Series = values[Aggregate(ROWS)]
        return [_judge(rule, values[Aggregate(measure_of(rule))], rows.today or 0.0) for rule in table.rules]


def _judge(rule: Rule, counted: Series, rows: float) -> Evidence:
    name = f"rule.{rule['name']}"
    if counted.today is None and rows > 0:
        return Evidence(name, "rule", None, error="the rule gave no number")
    bad = counted.today or 0.0
    columns = tuple(rule["columns"])
    return Evidence(
        check=name,
        kind="rule",
        score=max(0.0, bad - allowed(rule, rows)),
        columns=columns,
        shares=tuple(1.0 / len(columns) for _ in columns),
        change=_CHANGES.get(str(rule["kind"]), Change.OTHER),
        effect=min(1.0, bad / rows) if rows else 0.0,
        exact=True,
        observation=Observation(f"rows that break {rule['name']}", bad, unit="rows"),
        detail={"rows": rows, "bad": bad, "priority": rule.get("priority"), "rule": rule["kind"]},
    )


_CHANGES = {
    "not_null": Change.NULLS_UP,
    "in_set": Change.VALUES_NEW,
    "in_range": Change.SPREAD,
    "matches_regex": Change.FORMAT,
    "unique": Change.DUPLICATES,
}


def allowed(rule: Rule, rows: float) -> float:
    """How many bad rows are tolerated: a number of rows from 1 on, a share of them below.

    >>> allowed({"tolerance": 0.01}, 500.0), allowed({"tolerance": 3}, 500.0), allowed({}, 500.0)
    (5.0, 3.0, 0.0)
    """
    tolerance = float(rule.get("tolerance") or 0.0)
    return tolerance if tolerance >= 1 else tolerance * rows


def measure_of(rule: Rule) -> Measure:
    """The aggregate that counts a rule's bad rows."""
    where = rule.get("where")
    if rule["kind"] == "unique":
        keys = [quote(c) for c in rule["columns"]]
        whole = " AND ".join(f"{k} IS NOT NULL" for k in keys)
        scope = f"{whole} AND ({where})" if where else whole
        value = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
        return Measure(
            "expression",
            "",
            f"COUNT(CASE WHEN {scope} THEN 1 END) - COUNT(DISTINCT CASE WHEN {scope} THEN {value} END)",
        )
    return Measure("count_where", "", bad_rows(rule))


def bad_rows(rule: Rule) -> str:
    """The condition that a row breaks the rule, its scope included."""
    columns = [quote(c) for c in rule["columns"]]
    column, given = (columns[0] if columns else ""), rule["params"]
    match rule["kind"]:
        case "not_null":
            bad = " OR ".join(f"{c} IS NULL" for c in columns)
        case "in_set":
            bad = f"{column} NOT IN ({', '.join(literal(v) for v in given['values'])})"
        case "in_range":
            low, high = given.get("min"), given.get("max")
            sides = [f"{column} < {literal(low)}"] if low is not None else []
            sides += [f"{column} > {literal(high)}"] if high is not None else []
            bad = " OR ".join(sides)
        case "matches_regex":
            bad = f"NOT REGEXP_MATCHES({column}, {literal(given['regex'])})"
        case _:
            bad = f"NOT ({given['sql']})"
    return f"({bad}) AND ({rule['where']})" if rule.get("where") else f"({bad})"


def quote(name: str) -> str:
    """A column's name as a quoted identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(value: object) -> str:
    """A value as SQL: numbers as they are, dates and times typed, texts quoted.

    >>> literal("O'Hare"), literal(3), literal(dt.date(2013, 2, 8))
    ("'O''Hare'", '3', "DATE '2013-02-08'")
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'"
