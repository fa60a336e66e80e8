"""Contracts, dbt tests and the schema for editors: valid, and the same rules when they are read back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.config import load_config
from monitor.exports import export_config
from monitor.imports import naming, read_import
from monitor.types import Column, ColumnKind
from tests.e2e.desk import Desk

CONFIG = """
warehouses: {main: "duckdb:///shop.duckdb"}
defaults: {owner: "@ana"}
tables:
  - name: main.customers
    automatic: false
    rules: [{unique: id}]
  - name: main.orders
    automatic: false
    labels: [sales]
    where: "shop > 0"
    rules: [{in_range: {column: amount, min: 0}}]
  - name: main.lines
    automatic: false
    rules:
      - {not_null: [id, sku]}
      - {not_null: note, tolerance: 5, priority: low}
      - {unique: id}
      - {unique: [order_id, line]}
      - {in_set: {column: unit, values: [kg, l]}}
      - {in_set: {column: line, values: [1, 2]}, where: "id > 5"}
      - {not_in_set: {column: unit, values: [t]}}
      - {in_range: {column: price, min: 0, strict: true}}
      - {sql: "price * 2 > 0", name: price_is_some, description: Why not}
      - {matches_regex: {column: sku, regex: '^S'}}
      - {references: {column: order_id, to: main.orders.id}}
      - {references: {column: order_id, to: main.orders.id, only: "shop > 1"}, name: of_paid}
      - {row_count: {min: 3}}
      - {mean: {column: price, min: 1, max: 9}}
      - {completeness: {column: note, min: 0.5}}
      - {query: 'SELECT id FROM {rows} AS r GROUP BY id HAVING sum(price) < 0'}
      - {column_type: {column: price, is: number}}
      - {only_columns: [id, sku]}
      - {not_null: sku, tolerance: 0.1, name: share}
      - {increasing: {column: id}}
    relations: [{column: order_id, references: main.orders.id, name: of_order}]
    metrics: [{name: n, sql: "count(*)"}]
  - name: main.daily
    time_column: day
    rules: [{not_null: id}, {unique: id}, {all_rows: {unique: id}, name: whole}]
  - name: main.raw_*
    rules: [{not_null: id}]
"""
TABLES = {
    "customers": {"id": "INTEGER"},
    "orders": {"id": "INTEGER", "shop": "INTEGER", "amount": "DOUBLE"},
    "lines": {"id": "INTEGER", "sku": "VARCHAR", "note": "VARCHAR", "order_id": "INTEGER", "line": "INTEGER",
              "unit": "VARCHAR", "price": "DECIMAL(9,2)"},
    "daily": {"id": "INTEGER", "day": "DATE"},
}  # fmt: skip
_KINDS = {"VARCHAR": ColumnKind.TEXT, "DATE": ColumnKind.DATE}
COLUMNS = {
    f"main.{table}": [Column(name, _KINDS.get(kind, ColumnKind.NUMBER), kind) for name, kind in columns.items()]
    for table, columns in TABLES.items()
}


def exported(kind: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    path = folder / "shop.yaml"
    path.write_text(CONFIG, "utf-8")
    text, left_out = export_config(kind, load_config(path), COLUMNS)
    return yaml.safe_load(text), [f"{item.table}: {item.what}" for item in left_out]


def read_back(kind: str, document: dict[str, Any], folder: Path) -> dict[str, list[dict[str, Any]]]:
    file = folder / f"{kind}.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    found = read_import(kind, [file], naming("main", None, "duckdb:///x"), by_day=True)
    assert [item for item in found.left_out if "kept once" not in item.why] == []
    return {name: [dict(c.rule) for c in table.rules] for name, table in found.tables.items()}


def test_dbt_tests_are_the_same_rules_when_they_are_read_back(tmp_path: Path) -> None:
    document, left_out = exported("dbt", tmp_path)
    back = read_back("dbt", document, tmp_path)
    assert back["main.orders"] == [
        {"in_range": {"column": "amount", "min": 0}, "name": "orders_in_range_amount", "where": "shop > 0"}
    ]
    lines = [{k: v for k, v in rule.items() if k != "name"} for rule in back["main.lines"]]
    for rule in (
        {"not_null": "id"},
        {"not_null": "note", "tolerance": 5, "priority": "low"},
        {"unique": "id"},
        {"in_set": {"column": "unit", "values": ["kg", "l"]}},
        {"in_set": {"column": "line", "values": [1, 2]}, "where": "id > 5"},
        {"not_in_set": {"column": "unit", "values": ["t"]}},
        {"in_range": {"column": "price", "min": 0, "strict": True}},
        {"sql": "price * 2 > 0", "description": "Why not"},
        {"references": {"column": "order_id", "to": "main.orders.id"}},
        {"references": {"column": "order_id", "to": "main.orders.id", "only": "shop > 1"}},
        {"completeness": {"column": "note", "min": 0.5, "max": 1}},
    ):
        assert rule in lines
    told = [item for item in left_out if item.startswith("main.lines")]
    assert len(told) == 10
    assert "main.lines: the rule unique_order_id_line" in told  # dbt_utils takes NULL for a value
    assert "main.daily: the rule unique_id" in left_out
    assert {"unique": "id", "name": "daily_whole"} in back["main.daily"]
    assert "main.raw_*: its rules" in left_out


def test_a_contract_is_the_same_rules_when_it_is_read_back(tmp_path: Path) -> None:
    document, left_out = exported("odcs", tmp_path)
    back = read_back("odcs", document, tmp_path)
    lines = [{k: v for k, v in rule.items() if k not in ("name", "description")} for rule in back["main.lines"]]
    for rule in (
        {"not_null": "id"},
        {"not_null": "sku"},
        {"unique": "id"},
        {"unique": ["order_id", "line"]},
        {"not_null": "note", "tolerance": 5, "priority": "low"},
        {"in_set": {"column": "unit", "values": ["kg", "l"]}},
        {"matches_regex": {"column": "sku", "regex": "^S"}},
        {"row_count": {"min": 3.0}},
        {"column_type": {"column": "price", "is": "number"}},
    ):
        assert rule in lines
    asked = [str(rule["query"]["sql"]) for rule in lines if "query" in rule]
    assert any("price * 2 > 0" in text for text in asked)
    assert any('AVG(CAST("price" AS DOUBLE PRECISION))' in text for text in asked)
    assert sorted(item for item in left_out if item.startswith("main.lines")) == [
        "main.lines: the metric n",
        "main.lines: the rule increasing_id",
        "main.lines: the rule of_paid",
        "main.lines: the rule only_columns",
        "main.lines: the rule share",
    ]


def test_a_contract_meets_the_standards_schema(tmp_path: Path) -> None:
    root = Path(__file__).parents[2] / ".venv-peers" / "import-contracts"
    found = sorted(root.glob("lib/python*/site-packages/open_data_contract_standard/schema.json"))
    if not found:
        pytest.skip("no environment of contracts: make import-peers")
    document, _ = exported("odcs", tmp_path)
    schema = json.loads(found[0].read_text("utf-8"))
    validator = jsonschema.Draft201909Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    broken = {**document, "schema": [{**document["schema"][0], "quality": [{"metric": "madeUp", "mustBe": 0}]}]}
    assert list(validator.iter_errors(broken))
    file = tmp_path / "contract.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    code = f"import open_data_contract_standard.model as m; m.OpenDataContractStandard.from_file({str(file)!r})"
    subprocess.run([root / "bin" / "python", "-c", code], check=True, timeout=60)  # noqa: S603 - our own environment


def test_addresses_of_warehouses_stay_at_home(tmp_path: Path) -> None:
    path = tmp_path / "daywatch.yaml"
    path.write_text("warehouses: {main: 'postgresql://ana:s3cret@db.example.com/x'}\ntables: [{name: main.t}]\n")
    text, _ = export_config("odcs", load_config(path), {})
    assert "s3cret" not in text
    assert "db.example.com" not in text


def test_the_command_writes_and_lists(tmp_path: Path) -> None:
    desk = Desk(tmp_path).write(CONFIG)
    listed = {table: ", ".join(f"{name} {kind}" for name, kind in columns.items()) for table, columns in TABLES.items()}
    desk.sql(*(f"CREATE TABLE {table} ({columns})" for table, columns in listed.items()))
    answer = desk.say("export", "dbt", "--into", "schema.yml")
    assert answer.code == 0
    assert "not exported: main.lines: the rule share: its tolerance is a share of rows" in answer.err
    assert yaml.safe_load((tmp_path / "schema.yml").read_text("utf-8"))["version"] == 2
    (told,) = desk.say("export", "odcs", "--format", "json").lines
    assert told["kind"] == "odcs"
    assert ("main.daily", "the rule unique_id") in [(item["table"], item["what"]) for item in told["left_out"]]
    assert "physicalType: DECIMAL(9,2)" in told["text"]
    assert desk.say("export", "dbt", "--into", "schema.yml").code == 2
