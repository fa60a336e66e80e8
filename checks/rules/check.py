"""The check of rules: what they measure, and evidence for and against each."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from checks.rules.base import KINDS, Found, RowRule, Rule
from checks.rules.words import EARLIER, ROWS, words_of
from monitor.types import (
    ROWS as ROW_COUNT,
)
from monitor.types import (
    Aggregate,
    Evidence,
    Input,
    Measure,
    Observation,
    Partition,
    Series,
    Table,
    Values,
)

Written = Mapping[str, Any]
"""A rule as the configuration hands it on: name, kind, columns, params, and the settings that all kinds have."""


class Rules:
    """`rule.<name>`: fails when more rows break the rule than its tolerance allows."""

    name = "rule"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, and what every rule measures."""
        wanted = [_input(rule, measure) for rule in table.rules for measure in measures_of(rule, table)]
        return [Aggregate(ROW_COUNT), *dict.fromkeys(wanted)]

    def findings(self, table: Table) -> Mapping[Measure, str]:
        """The finding that each measure ends in; one that several rules share, in the last one's."""
        return {m: f"rule.{rule['name']}" for rule in table.rules for m in measures_of(rule, table)}

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a rule; its score is the number of bad rows beyond the tolerance."""
        rows: Series = values[Aggregate(ROW_COUNT)]
        return [
            _evidence(rule, table, rows, [values[_input(rule, measure)] for measure in measures_of(rule, table)])
            for rule in table.rules
        ]


def made(written: Written) -> Rule:
    """The rule of its kind, with its settings."""
    kind = KINDS[written["kind"]]
    given = {key: value for key, value in written["params"].items() if value is not None}
    columns = list(written["columns"])
    fields = kind.model_fields
    if columns and "column" in fields and not given.get("columns") and len(columns) == 1:
        given["column"] = columns[0]
    elif columns and "columns" in fields:
        given["columns"] = columns
    return kind.model_validate(given)


def measures_of(written: Written, table: Table) -> tuple[Measure, ...]:
    """What a rule measures of a table's partition."""
    rule, words = made(written), words_of(table)
    keys = written.get("only_new")
    if isinstance(keys, Sequence) and isinstance(rule, RowRule):
        bad = rule.condition(words, written.get("where"))
        same = " AND ".join(f"before.{words.name(k)} = day.{words.name(k)}" for k in keys)
        known = f"SELECT 1 FROM (SELECT * FROM {EARLIER} AS e WHERE {bad}) AS before WHERE {same}"
        select = f"SELECT COUNT(*) FROM (SELECT * FROM {ROWS} AS d WHERE {bad}) AS day WHERE NOT EXISTS ({known})"
        return (Measure("asked", "", select),)
    return rule.measures(words, written.get("where"))


def bad_condition(written: Written, table: Table) -> str | None:
    """The condition that a row breaks the rule, its scope included; None where no row by itself is bad."""
    rule = made(written)
    return rule.condition(words_of(table), written.get("where")) if isinstance(rule, RowRule) else None


def bad_statement(written: Written, table: Table) -> str | None:
    """The statement that selects what is bad, with tokens; None where the rule is not about rows."""
    return made(written).bad_rows(words_of(table), written.get("where"))


def allowed(rule: Written, rows: float) -> float:
    """How many bad rows are tolerated: a number of rows from 1 on, a share of them below.

    >>> allowed({"tolerance": 0.01}, 500.0), allowed({"tolerance": 3}, 500.0), allowed({}, 500.0)
    (5.0, 3.0, 0.0)
    """
    tolerance = float(rule.get("tolerance") or 0.0)
    return tolerance if tolerance >= 1 else tolerance * rows


def _input(rule: Written, measure: Measure) -> Aggregate:
    return Aggregate(measure, past=rule.get("only_new") is True)


def _evidence(written: Written, table: Table, counted: Series, series: Sequence[Series]) -> Evidence:
    name, rows = f"rule.{written['name']}", counted.today or 0.0
    rule = made(written)
    failed = next((s.error for s in series if s.error), None) or rule.trouble([s.today for s in series])
    found = None if failed else rule.judge([s.today for s in series], rows, table.columns)
    if found is None:
        said = failed or "the rule gave no number: there is nothing to compute it from"
        return Evidence(name, "rule", None, error=said, detail=_detail(written, rows, None))
    rows = rows if found.rows is None else found.rows
    known = _known_bad(series) if written.get("only_new") is True else 0.0
    if known is None:
        return Evidence(name, "rule", None, exact=True, detail=_detail(written, rows, found))
    columns = tuple(c for c in rule.looked_at if any(known_column.name == c for known_column in table.columns))
    return Evidence(
        check=name,
        kind="rule",
        score=max(0.0, found.bad - max(allowed(written, rows), known)),
        columns=columns,
        shares=tuple(1.0 / len(columns) for _ in columns),
        change=rule.change,
        effect=_effect(found, rows),
        exact=True,
        observation=_observation(written, found),
        detail=_detail(written, rows, found, known),
    )


def _effect(found: Found, rows: float) -> float:
    """The share of bad rows; of a number, how far it is out relative to its bound."""
    if found.number is None:
        return min(1.0, found.bad / rows) if rows else float(found.bad > 0)
    scale = max(abs(found.low or 0.0), abs(found.high or 0.0), abs(found.number))
    return min(1.0, found.bad / scale) if scale else 0.0


def _observation(written: Written, found: Found) -> Observation:
    if found.number is not None:
        return Observation(str(written["name"]), found.number, low=found.low, high=found.high)
    return Observation(f"rows that break {written['name']}", found.bad, unit="rows")


def _known_bad(series: Sequence[Series]) -> float | None:
    """As many bad rows as the partition before had; None where none is known."""
    before = [point.value for point in series[0].past if point.value is not None]
    return before[-1] if before else None


def _detail(written: Written, rows: float, found: Found | None, known: float = 0.0) -> dict[str, Any]:
    detail: dict[str, Any] = {"rows": rows, "priority": written.get("priority"), "rule": written["kind"]}
    if found is not None:
        detail["bad"] = found.bad if math.isfinite(found.bad) else None
    if found is not None and found.number is not None:
        detail |= {"number": found.number, "low": found.low, "high": found.high}
    if known:
        detail["known_bad"] = known
    for key in ("owner", "description"):
        if written.get(key):
            detail[key] = written[key]
    return detail
