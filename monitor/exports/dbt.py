"""The configuration as dbt's property file: models with tests, of dbt itself and of the package dbt_utils."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.rules.base import RowRule
from monitor.config.models import Config, TableEntry
from monitor.config.names import parse_table_name
from monitor.config.rules import RuleEntry
from monitor.exports.kinds import Unexported, named_tables
from monitor.exports.rules import hindrance, is_warning, of_all_rows, scope

Test = tuple[str | None, str, dict[str, Any]]
"""The column that a test is on, its name, its arguments."""


def dbt_properties(config: Config) -> tuple[dict[str, Any], list[Unexported]]:
    """A `schema.yml` with every table as a model, and what is not in it."""
    left_out: list[Unexported] = []
    models = []
    for entry, name in named_tables(config, left_out):
        columns: dict[str, dict[str, Any]] = {}
        model: dict[str, Any] = {"name": name.path[-1]}
        meta: dict[str, Any] = {"owner": entry.owner} if entry.owner else {}
        settings = {"tags": list(entry.labels), "meta": meta}
        if any(settings.values()):
            model["config"] = {key: value for key, value in settings.items() if value}
        for rule, whole in map(of_all_rows, entry.rules):
            why = hindrance(rule, entry, whole=whole)
            tests = [] if why else _tests(rule)
            if not tests:
                why = why or "neither dbt nor dbt_utils has a test that says the same"
                left_out.append(Unexported(entry.name, f"the rule {rule.called}", why))
            for test in tests:
                _add(test, rule, entry, model, columns, numbered=len(tests) > 1)
        for relation in entry.relations:
            test = _reference(relation.column, relation.references, None)
            _put(test[0], test[1], {**test[2], "name": f"{name.path[-1]}_{relation.called}"}, model, columns)
        if columns:
            model["columns"] = list(columns.values())
        models.append(model)
    return {"version": 2, "models": models}, left_out


def _add(
    test: Test, rule: RuleEntry, entry: TableEntry, model: dict[str, Any], columns: dict[str, Any], *, numbered: bool
) -> None:
    column, name, arguments = test
    called = f"{model['name']}_{rule.called}{f'_{column}' if numbered else ''}"
    where = scope(rule, entry)
    settings: dict[str, Any] = {"where": where} if where else {}
    if is_warning(rule, entry):
        settings["severity"] = "warn"
    if rule.tolerance:
        settings |= {"warn_if": f">{rule.tolerance:g}", "error_if": f">{rule.tolerance:g}"}
    about = {"name": called, "description": rule.description, "config": settings}
    _put(column, name, {**arguments, **{key: value for key, value in about.items() if value}}, model, columns)


def _put(
    column: str | None, name: str, body: Mapping[str, Any], model: dict[str, Any], columns: dict[str, Any]
) -> None:
    on = model if column is None else columns.setdefault(column, {"name": column})
    on.setdefault("data_tests", []).append({name: dict(body)})


def _tests(rule: RuleEntry) -> list[Test]:
    """The tests that say the same; none where there are none."""
    params, columns = rule.params, rule.columns
    if rule.tolerance and not isinstance(rule.body, RowRule):
        return []
    match rule.kind:
        case "not_null":
            return [(column, "not_null", {}) for column in columns] if not rule.tolerance or len(columns) == 1 else []
        case "unique" if len(columns) == 1:
            return [(columns[0], "unique", {})]
        case "in_set" if not rule.tolerance:
            return _of_set("accepted_values", columns[0], params["values"])
        case "not_in_set" if not rule.tolerance:
            return _of_set("dbt_utils.not_accepted_values", columns[0], params["values"])
        case "references" if len(columns) == 1:
            return [_reference(columns[0], params["to"], params.get("only"))]
        case "in_range":
            return _range(columns[0], params)
        case "sql":
            return [(None, "dbt_utils.expression_is_true", {"expression": params["sql"]})]
        case "completeness":
            bounds = {"at_least": params.get("min", 0), "at_most": params.get("max", 1)}
            return [(columns[0], "dbt_utils.not_null_proportion", bounds)] if not rule.where else []
        case _:
            return []


def _of_set(name: str, column: str, values: list[Any]) -> list[Test]:
    """A set of texts, or of numbers; of others dbt would make texts."""
    if all(isinstance(value, str) for value in values):
        return [(column, name, {"values": list(values)})]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [(column, name, {"values": list(values), "quote": False})]
    return []


def _range(column: str, params: Mapping[str, Any]) -> list[Test]:
    bounds = {"min_value": params.get("min"), "max_value": params.get("max")}
    given = {key: value for key, value in bounds.items() if value is not None}
    if any(not isinstance(value, int | float) for value in given.values()):
        return []
    return [(column, "dbt_utils.accepted_range", {**given, **({"inclusive": False} if params.get("strict") else {})})]


def _reference(column: str, to: str, only: str | None) -> Test:
    path = parse_table_name(to).path
    arguments = {"to": f"ref('{path[-2]}')", "field": path[-1]}
    if only:
        return column, "dbt_utils.relationships_where", {**arguments, "to_condition": only}
    return column, "relationships", arguments
