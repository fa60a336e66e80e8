"""The JSON Schema for editors: what is documented is right by it, and what is wrong is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from checks.rules import KINDS
from monitor.exports import export_schema
from tests.e2e.desk import Desk

ROOT = Path(__file__).parents[2]
SCHEMA = export_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def problems(document: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def of_table(**keys: Any) -> dict[str, Any]:
    return {"warehouses": {"main": "duckdb:///x"}, "tables": [{"name": "main.t", **keys}]}


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def blocks() -> list[Any]:
    found = []
    for document in DOCUMENTS:
        for i, text in enumerate(
            re.findall(r"^```yaml\n(.*?)^```$", document.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        ):
            data = yaml.safe_load(text)
            if isinstance(data, dict) and "warehouses" in data:
                found.append(pytest.param(data, id=f"{document.stem}-{i}"))
    return found


@pytest.mark.parametrize("document", blocks())
def test_documented_configurations_are_right(document: dict[str, Any]) -> None:
    assert problems(json.loads(json.dumps(document, default=str))) == []


def examples() -> list[Any]:
    """Every key of every mapping with each of its documented examples."""
    named = {"": SCHEMA, **SCHEMA["$defs"]}
    kinds = {kind.__name__ for kind in KINDS.values()}
    return [
        pytest.param(key, said, example, id=f"{name}.{key}-{i}")
        for name, body in named.items()
        if name not in kinds
        for form in [body, *body.get("anyOf", ())]
        for key, said in form.get("properties", {}).items()
        for i, example in enumerate(said.get("examples", ()))
    ]


@pytest.mark.parametrize(("key", "said", "example"), examples())
def test_every_documented_example_is_right(key: str, said: dict[str, Any], example: Any) -> None:
    part = {**said, "$defs": SCHEMA["$defs"]}
    assert list(jsonschema.Draft202012Validator(part).iter_errors(example)) == [], key


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_of_rule_is_right_as_documented(name: str) -> None:
    assert problems(of_table(rules=[{name: KINDS[name].example, "priority": "low"}])) == []


@pytest.mark.parametrize(
    "document",
    [
        {"warehouses": {"main": "duckdb:///x"}, "tabels": []},
        {"tables": []},
        of_table(time_colum="d"),
        of_table(cadence="fortnight"),
        of_table(rules=[{"not_nul": "a"}]),
        of_table(rules=[{"not_null": "a", "unique": "a"}]),
        of_table(rules=[{"where": "a > 1"}]),
        of_table(rules=[{"not_null": "a", "tolerance": -1}]),
        of_table(rules=[{"not_null": 3}]),
        of_table(rules=[{"in_set": {"column": "a"}}]),
        of_table(rules=[{"all_rows": {"not_nul": "a"}}]),
        of_table(automatic="perhaps"),
        {"warehouses": {"main": {"url": "duckdb:///x", "rows_max": "many"}}},
        {"warehouses": {"main": {"uri": "duckdb:///x"}}},
    ],
    ids=str,
)
def test_what_is_wrong_is_found(document: dict[str, Any]) -> None:
    assert problems(document)


def test_keys_with_nothing_after_them_count_as_not_given() -> None:
    assert problems(of_table(time_column=None, rules=[{"not_null": "a", "where": None}], labels=None)) == []


def test_the_command_writes_it(tmp_path: Path) -> None:
    answer = Desk(tmp_path).say("export", "schema")
    assert answer.code == 0
    assert json.loads(answer.out) == export_schema()


def test_the_first_configuration_names_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path).sql("CREATE TABLE orders AS SELECT range AS id, DATE '2026-11-01' AS d FROM range(50)")
    assert desk.say("init", "duckdb:///shop.duckdb").code == 0
    first = (tmp_path / "daywatch.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=daywatch.schema.json"
    assert desk.say("export", "schema", "--into", "daywatch.schema.json").code == 0
    written = json.loads((tmp_path / "daywatch.schema.json").read_text("utf-8"))
    document = yaml.safe_load((tmp_path / "daywatch.yaml").read_text("utf-8"))
    assert list(jsonschema.Draft202012Validator(written).iter_errors(document)) == []
