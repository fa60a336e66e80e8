"""A rule as SQL for tools that only know SQL, and what of it has no form there."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL

from __future__ import annotations

import re

from checks.rules.base import NumberRule, RowRule
from checks.rules.tables import Query
from checks.rules.words import Words, words_of
from monitor.config.models import Config, TableEntry
from monitor.config.names import parse_table_name
from monitor.config.rules import RuleEntry
from monitor.config.urls import url_scheme
from monitor.exports.kinds import DAILY
from monitor.types import Priority, Table

MARK = "@@daywatch:"


def words_for(config: Config, entry: TableEntry) -> Words:
    """The words of the engine that a table is in; nothing is known of its columns."""
    name = parse_table_name(entry.name)
    url = config.warehouses[name.warehouse].url.get_secret_value()
    scheme = {"postgres": "postgresql", "files": "duckdb"}.get(url_scheme(url), url_scheme(url))
    return words_of(Table(entry.name, name.warehouse, name.path, (), None, dialect=scheme))


def is_warning(rule: RuleEntry, entry: TableEntry) -> bool:
    """Whether its owner cares little."""
    return (rule.priority or entry.priority) is Priority.LOW


def scope(rule: RuleEntry, entry: TableEntry) -> str | None:
    """The rows that it is about: the table's `where`, and its own."""
    said = [part for part in (entry.where, rule.where) if part]
    return " AND ".join(f"({part})" for part in said) if len(said) > 1 else said[0] if said else None


def of_all_rows(rule: RuleEntry) -> tuple[RuleEntry, bool]:
    """The rule inside `all_rows`, which is what other tools mean by it, and whether there is one."""
    if rule.kind != "all_rows":
        return rule, False
    told = {key: getattr(rule, key) for key in ("where", "tolerance", "priority", "owner", "description")}
    return RuleEntry.model_validate({**told, **rule.params["rule"], "name": rule.called}), True


def hindrance(rule: RuleEntry, entry: TableEntry, *, whole: bool) -> str | None:
    """Why a rule means something else when it is asked of all rows by another tool; None if it does not."""
    if rule.only_new:
        return "only_new goes by what earlier days had"
    if 0 < rule.tolerance < 1:
        return "its tolerance is a share of rows"
    if whole:
        return None
    if entry.time_column and not isinstance(rule.body, RowRule) and rule.body.needs_data:
        return DAILY
    if entry.time_column and rule.tolerance:
        return f"its tolerance: {DAILY}"
    return None


def bad_count(rule: RuleEntry, entry: TableEntry, words: Words, rows: str) -> str | None:
    """A statement that counts what breaks a rule, `rows` being the table; None where there is none."""
    body, where = rule.body, scope(rule, entry)
    if isinstance(body, RowRule):
        condition = body.condition(words, where)
        return None if MARK in condition else f"SELECT COUNT(*) FROM {rows} WHERE {condition}"
    if isinstance(body, Query) and not body.gives_number and not where:
        return f"SELECT COUNT(*) FROM ({_filled(body.sql, rows)}) AS bad"
    return None


def number(rule: RuleEntry, entry: TableEntry, words: Words, rows: str) -> str | None:
    """A statement of the number that a rule keeps between bounds; None where it keeps none."""
    body, where = rule.body, scope(rule, entry)
    if isinstance(body, Query) and body.gives_number and not where:
        return _filled(body.sql, rows)
    if not isinstance(body, NumberRule):
        return None
    kinds = [measure for measure in body.measures(words, where) if measure.kind == "expression"]
    if len(kinds) != 1 or not kinds[0].argument or MARK in kinds[0].argument:
        return None
    return f"SELECT {kinds[0].argument} FROM {rows}"


def _filled(statement: str, rows: str) -> str:
    return re.sub(r"\{(rows|table)\}", lambda _: rows, statement)
