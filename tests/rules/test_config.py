"""Rules in daywatch.yaml: what is wrong ends with exit code 2, a line, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from checks.rules.regexes import lacking
from monitor.config import load_config, open_warehouses, resolve_tables
from monitor.config.sql import FragmentError, parse_fragment
from monitor.errors import UsageError
from monitor.types import Table

WRONG = {
    "not_null: zz": "no column zz in main.t",
    "sql: zz > 0": "no column zz in main.t",
    "sql: a >": "not one SQL expression: an operand is missing",
    "sql: a > 0; DROP TABLE t": "holds a semicolon",
    "sql: sum(a) > 0": "an aggregate, where a condition on each row is wanted",
    "{query: DELETE FROM t}": "not a SELECT",
    "{query: 'WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x'}": "writes or locks|not one SQL statement|not SQL",
    "{query: 'SELECT a FROM t; SELECT 1'}": "holds a semicolon",
    "{query: 'SELECT a INTO x FROM t'}": "writes or locks",
    "{query: 'SELECT a FROM'}": "not one SQL statement|something is missing",
    "{if_then: {if: a > 0, then: zz > 0}}": "no column zz",
    "{aggregate: {sql: a, min: 1}}": "not an aggregate",
    "{mean: {column: a}}": "wanted min, max or both",
    "{row_count: {min: 5, max: 1}}": "min is greater than max",
    "{matches_regex: {column: b, regex: '(?=x)'}}": "lack looking ahead or behind",
    "{format: {column: b, is: emial}}": "no such format; known are",
    "{format: {column: b, is: postal_code}}": "postal_code wants a country",
    "{date_format: {column: b, pattern: '%Q'}}": "%Q is not known",
    "{json_schema: {column: b, schema: {items: {}}}}": "items is not supported",
    "{references: {column: a, to: main.gone.x}}": "no table main.gone",
    "{references: {column: a, to: main.other.x}}": "no column x in main.other",
    "{references: {column: a, to: lake.other.x}}": "unknown warehouse 'lake'",
    "{distribution: {column: a, shares: {x: 0.9, y: 0.9}, max: 1}}": "add up to 1",
    "{in_range: {column: a, min: now - 7 apples}}": "wanted a number or a date",
    "{fresh: {column: a, within: soon}}": "wanted a span of time",
    "{not_null: a, tolerance: 2.5}": "a share below 1, or a whole number of rows",
    "{mean: {column: a, min: 1}, only_new: true}": "only_new is for rules that count bad rows",
    "{unique: a, only_new: [a]}": "only_new with columns is for rules on single rows",
    "{has_columns: [a], where: a > 0}": "where is for rules about rows",
    "{not_null: a, owner: 5}": "wanted text",
    "{lenght: {column: b, min: 3}}": "did you mean length",
    "{length: {column: b, mn: 3}}": "unknown key|wanted min",
}


def resolved(folder: Path, rule: str) -> Table:
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a, 'x' AS b")
        connection.execute("CREATE TABLE IF NOT EXISTS other AS SELECT 1 AS id")
    path = folder / "daywatch.yaml"
    path.write_text(
        f"warehouses: {{main: 'duckdb:///w.duckdb'}}\ntables:\n  - name: main.t\n    rules:\n      - {rule}\n"
    )
    config = load_config(path)
    warehouses = open_warehouses(config)
    try:
        return resolve_tables(config, warehouses, warn=lambda _said: None)[0]
    finally:
        for warehouse in warehouses.values():
            warehouse.close()


@pytest.mark.parametrize("rule", WRONG)
def test_what_is_wrong_is_told_with_its_line(rule: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"yaml:5: tables\.0\.rules\.0[^\n]*({WRONG[rule]})"):
        resolved(tmp_path, rule)


RIGHT: dict[str, dict[str, Any]] = {
    "not_null: a": {"name": "not_null_a", "kind": "not_null", "columns": ("a",), "params": {}},
    "unique: [a, b]": {"name": "unique_a_b", "kind": "unique", "columns": ("a", "b"), "params": {}},
    "{format: {column: b, is: email}}": {"name": "format_b_email", "columns": ("b",), "params": {"is": "email"}},
    "{sql: a > 0 or b is null}": {"name": "a_gt_0_or_b_is_null", "columns": ()},
    "{has_columns: [a, gone]}": {"name": "has_columns_a_gone", "columns": ()},
    "{references: {column: a, to: main.other.id}}": {"name": "references_a", "columns": ("a",)},
    "{not_null: a, tolerance: 3, only_new: true, owner: '@ana', description: why}": {
        "tolerance": 3.0, "only_new": True, "owner": "@ana", "description": "why"
    },
}  # fmt: skip


@pytest.mark.parametrize("rule", RIGHT)
def test_what_is_right_is_kept(rule: str, tmp_path: Path) -> None:
    (kept,) = resolved(tmp_path, rule).rules
    assert {key: kept[key] for key in RIGHT[rule]} == RIGHT[rule]


def test_a_rule_in_python_is_seen_from_the_configuration(tmp_path: Path) -> None:
    (kept,) = resolved(tmp_path, "python: rules.py:x").rules
    assert kept["params"]["rule"] == f"{tmp_path / 'rules.py'}:x"
    (other,) = resolved(tmp_path, "{python: {rule: own, columns: [a]}}").rules
    assert other["params"]["rule"] == "own"


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake"])
@pytest.mark.parametrize(
    "text",
    ["SELECT a FROM {rows} AS r", "WITH x AS (SELECT 1 AS a) SELECT a FROM x", "SELECT 1 UNION ALL SELECT 2"],
)
def test_statements_that_read_are_taken(text: str, dialect: str) -> None:
    assert parse_fragment(text, "select", dialect) is not None


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake"])
@pytest.mark.parametrize(
    "text",
    ["DROP TABLE t", "UPDATE t SET a = 1", "INSERT INTO t SELECT 1", "CREATE TABLE x AS SELECT 1",
     "GRANT ALL ON t TO u", "SELECT 1 -- why", "SELECT * FROM t FOR UPDATE", "COPY t TO 'f'", "CALL p()", "SELECT $1",
     ""],
)  # fmt: skip
def test_statements_that_do_more_are_refused(text: str, dialect: str) -> None:
    with pytest.raises(FragmentError):
        parse_fragment(text, "select", dialect)


def test_what_engines_lack_is_known() -> None:
    assert lacking(r"(a)\1", "duckdb") == "references back to a group"
    assert lacking(r"(a)\\1", "duckdb") is None
    assert lacking("(?P<x>a)", "postgres") == "named groups"
    assert lacking("(?P<x>a)", "duckdb") is None
    assert lacking("a++", "postgres") is not None
    assert lacking(r"a\++", "postgres") is None
