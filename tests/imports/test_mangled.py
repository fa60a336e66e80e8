"""Files of which one part is another thing than it should be: read as far as they go, or refused; never a crash."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.errors import UsageError
from monitor.imports import naming, read_import, write_yaml
from tests.imports.shop import HERE, URL

ROUNDS = 40
ODD: list[Any] = [
    None,
    3,
    -1.5,
    True,
    "",
    "x",
    "{{ x }}",
    "a.b.c",
    [],
    {},
    [1],
    [[None]],
    {"a": 1},
    {"": [{}]},
    "'; --",
]
CONTRACT = {
    "apiVersion": "v3.0.2", "kind": "DataContract", "id": "a", "version": "1", "tags": ["a"],
    "team": [{"role": "owner"}],
    "slaProperties": [{"property": "latency", "value": 1}],
    "schema": [{
        "name": "t", "physicalName": "s.t", "tags": ["b"], "relationships": [{"from": ["t.a"], "to": ["t.b"]}],
        "quality": [{"metric": "rowCount", "mustBe": 3}, {"type": "sql", "query": "SELECT 1", "mustBeBetween": [1, 2]}],
        "properties": [{
            "name": "a", "logicalType": "integer", "primaryKey": True, "primaryKeyPosition": 1, "unique": True,
            "logicalTypeOptions": {"minimum": 1, "maxLength": 3, "pattern": "a"},
            "relationships": [{"to": "t.a"}],
            "quality": [{"metric": "invalidValues", "arguments": {"validValues": [1]}, "mustBe": 0},
                        {"type": "custom", "engine": "greatExpectations", "implementation": "type: x"}],
        }, {"name": "b"}],
    }],
}  # fmt: skip
ELEMENTARY = {
    "models": [{
        "name": "t", "config": {"elementary": {"timestamp_column": "at"}, "meta": {"owner": ["a"]}},
        "tests": [{"elementary.dimension_anomalies": {"dimensions": ["a"], "where_expression": "a = 1"}}],
        "columns": [{"name": "c", "quote": True, "tests": [{"name": "n", "test_name": "unique"}, "not_null"]}],
    }],
    "groups": [{"name": "g", "owner": {"email": "x"}}],
    "unit_tests": [{"name": "u"}],
}  # fmt: skip


def documents() -> dict[str, tuple[str, Any]]:
    return {
        "dbt.yml": ("dbt", yaml.safe_load((HERE / "dbt" / "models" / "schema.yml").read_text("utf-8"))),
        "elementary.yml": ("dbt", ELEMENTARY),
        "manifest.json": ("dbt", json.loads((HERE / "verdicts" / "dbt_manifest.json").read_text("utf-8"))),
        "gx.json": ("gx", json.loads((HERE / "gx" / "orders.json").read_text("utf-8"))),
        "soda.yml": ("soda", yaml.safe_load((HERE / "soda" / "checks.yml").read_text("utf-8"))),
        "contract.yaml": ("odcs", CONTRACT),
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*path, key))


def mangled(document: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    made = copy.deepcopy(document)
    inside = made
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = odd
    return made


@pytest.mark.filterwarnings("ignore:Possible nested set")  # of expressions that nobody meant
@pytest.mark.parametrize("name", documents())
def test_whatever_a_part_is_the_rest_is_read_or_the_file_refused(name: str, tmp_path: Path) -> None:
    kind, document = documents()[name]
    chosen = random.Random(5)  # noqa: S311 - chance for a test
    everywhere = list(places(document))
    for _ in range(ROUNDS):
        made = mangled(document, chosen.choice(everywhere), chosen.choice(ODD))
        file = tmp_path / name
        file.write_text(json.dumps(made) if name.endswith("json") else yaml.safe_dump(made), "utf-8")
        try:
            found = read_import(kind, [file], naming("main", None, URL))
        except UsageError:
            continue
        assert yaml.safe_load(write_yaml(found, URL))["warehouses"]
