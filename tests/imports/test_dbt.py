"""What becomes of dbt's tests, one by one, and of what stands beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.errors import UsageError
from monitor.imports import Imported, naming, read_import, write_yaml
from tests.imports.shop import HERE, imported


def read(folder: Path, text: str, **options: Any) -> Imported:
    file = folder / "schema.yml"
    file.write_text(text, "utf-8")
    return read_import("dbt", [file], naming("main", None, "duckdb:///x.duckdb"), by_day=True, **options)


def on_column(folder: Path, *tests: Any) -> Imported:
    other = {"name": "other", "columns": [{"name": "id"}]}
    return read(
        folder, yaml.safe_dump({"models": [{"name": "t", "columns": [{"name": "c", "tests": list(tests)}]}, other]})
    )


def rules(found: Imported, table: str = "main.t") -> list[dict[str, Any]]:
    return [dict(carried.rule) for carried in found.tables[table].rules]


EXPECTATIONS: list[tuple[Any, dict[str, Any]]] = [
    ({"expect_column_values_to_be_between": {"min_value": 1, "max_value": 3, "row_condition": "a > 0"}},
     {"in_range": {"column": "c", "min": 1, "max": 3}, "where": "a > 0"}),
    ({"expect_column_values_to_be_between": {"min_value": 1, "strictly": True}},
     {"in_range": {"column": "c", "min": 1, "strict": True}}),
    ({"expect_column_values_to_be_in_set": {"value_set": ["a"]}}, {"sql": "\"c\" IS NOT NULL AND \"c\" IN ('a')"}),
    ({"expect_column_values_to_not_be_in_set": {"value_set": [1], "quote_values": False}},
     {"not_in_set": {"column": "c", "values": [1]}}),
    ({"expect_column_value_lengths_to_equal": {"value": 3}}, {"length": {"column": "c", "min": 3, "max": 3}}),
    ({"expect_column_values_to_match_regex_list": {"regex_list": ["a", "b"]}},
     {"matches_regex": {"column": "c", "regex": "(?:a)|(?:b)"}}),
    ({"expect_column_mean_to_be_between": {"min_value": 1}}, {"mean": {"column": "c", "min": 1}}),
    ({"expect_column_max_to_be_between": {"max_value": "'2024-01-31'"}},
     {"query": {"sql": "SELECT MAX(\"c\") AS value FROM {rows} AS day"
                       " HAVING NOT (MAX(\"c\") <= '2024-01-31')"}}),
    ({"expect_column_unique_value_count_to_be_between": {"min_value": 2}},
     {"distinct_count": {"column": "c", "min": 2}}),
    ({"expect_column_to_exist": {}}, {"has_columns": ["c"]}),
    ({"expect_column_values_to_be_unique": {}},
     {"query": {"sql": 'SELECT "c" FROM {rows} AS day WHERE "c" IS NOT NULL GROUP BY "c" HAVING COUNT(*) > 1'}}),
    ({"expect_table_row_count_to_equal_other_table": {"compare_model": "ref('other')"}},
     {"row_count_like": {"to": "main.other"}}),
]  # fmt: skip


@pytest.mark.parametrize(("test", "rule"), EXPECTATIONS, ids=lambda v: next(iter(v)))
def test_expectations_are_rules(test: dict[str, Any], rule: dict[str, Any], tmp_path: Path) -> None:
    ((name, arguments),) = test.items()
    found = on_column(tmp_path, {f"dbt_expectations.{name}": arguments})
    assert found.left_out == []
    assert rules(found) == [rule]


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("made_up", "does not know this test"),
        ({"dbt_utils.equality": {"compare_model": "ref('other')"}}, "daywatch diff"),
        ({"not_null": {"config": {"fail_calc": "sum(n)"}}}, "fail_calc"),
        ({"not_null": {"config": {"error_if": "= 3"}}}, "no upper limit"),
        ({"not_null": {"config": {"error_if": ">10", "limit": 5}}}, "limit counts"),
        ({"not_null": {"config": {"where": "{{ var('w') }}"}}}, "template"),
        ({"not_null": {"config": {"where": "a = 1; drop table t"}}}, "semicolon"),
        ({"not_null": {"config": {"enabled": False}}}, "disabled"),
        ({"relationships": {"to": "ref('gone')", "field": "id"}}, "import the manifest"),
        ({"accepted_values": {"values": []}}, "no list of values"),
        ({"accepted_values": {"values": ["now()"], "quote": False}}, "expressions"),
        ({"dbt_utils.at_least_one": {"group_by_columns": ["a"]}}, "group_by_columns"),
        ({"dbt_utils.expression_is_true": {"expression": ">"}}, "cannot be used"),
        ({"dbt_expectations.expect_column_values_to_match_regex": {"regex": "("}}, "not a regular expression"),
        (3, "neither a name"),
    ],
    ids=str,
)
def test_what_has_no_equal_is_listed_with_its_place_and_reason(test: Any, why: str, tmp_path: Path) -> None:
    found = on_column(tmp_path, "unique", test)
    (left,) = found.left_out
    assert why in left.why
    assert left.place.file.endswith("schema.yml")
    assert (left.place.line or 0) > 1
    assert rules(found) == [{"unique": "c"}]
    assert why in write_yaml(found)


def test_thresholds_are_levels(tmp_path: Path) -> None:
    found = on_column(tmp_path, {"not_null": {"config": {"error_if": ">10", "warn_if": ">=3"}}})
    assert rules(found) == [
        {"not_null": "c", "tolerance": 10},
        {"not_null": "c", "tolerance": 2, "priority": "low", "name": "not_null_c_2"},
    ]


def test_the_same_test_twice_is_kept_once_with_the_higher_priority(tmp_path: Path) -> None:
    found = on_column(tmp_path, {"not_null": {"config": {"severity": "warn"}}}, "not_null")
    assert rules(found) == [{"not_null": "c"}]
    assert "kept once" in found.left_out[0].why
    two = on_column(tmp_path, {"not_null": {"where": "a > 1"}}, {"not_null": {"where": "a > 2"}})
    assert [carried.called for carried in two.tables["main.t"].rules] == ["not_null_c", "not_null_c_2"]


def test_both_ways_to_write_a_test_are_read(tmp_path: Path) -> None:
    found = on_column(
        tmp_path,
        {"name": "mine", "test_name": "accepted_values", "values": ["a"]},
        {"accepted_values": {"arguments": {"values": ["b"]}, "name": "yours", "description": "As agreed"}},
    )
    assert rules(found) == [
        {"in_set": {"column": "c", "values": ["a"]}, "name": "mine"},
        {"in_set": {"column": "c", "values": ["b"]}, "name": "yours", "description": "As agreed"},
    ]


def test_elementary_is_done_by_daywatchs_own_checks(tmp_path: Path) -> None:
    found = read(tmp_path, """
models:
  - name: t
    config: {elementary: {timestamp_column: at}}
    tests:
      - elementary.volume_anomalies: {anomaly_sensitivity: 2}
      - elementary.dimension_anomalies: {dimensions: [country], where_expression: "a = 1"}
      - elementary.json_schema_of_ours
    columns: [{name: c, tests: [not_null]}]
""")  # fmt: skip
    table = found.tables["main.t"]
    assert (table.automatic, table.time_column) == (True, "at")
    assert table.metrics == [{"name": "rows_by_country", "sql": "count(*)", "by": ["country"], "where": "a = 1"}]
    assert [item.what.partition(" ")[0] for item in found.left_out] == [
        "elementary.volume_anomalies",
        "elementary.json_schema_of_ours",
    ]


def test_owners_labels_exposures_and_lineage_come_along() -> None:
    found = imported("dbt", HERE / "verdicts" / "dbt_manifest.json")
    customers = found.tables["main.customers"]
    assert customers.owner == "@ana"
    assert customers.labels == ["crm", "exposure:board"]
    assert customers.comments == ["made from main.raw.customers", "used by dashboard board of ben@example.com"]
    assert found.tables["main.raw.orders"].owner == "loaders@example.com"


@pytest.mark.parametrize("version", [7, 8, 9, 10, 11, 12])
def test_manifests_of_all_versions_are_read(version: int, tmp_path: Path) -> None:
    """Older ones call compiled code otherwise, and do not say what a test is attached to."""
    document = json.loads((HERE / "verdicts" / "dbt_manifest.json").read_text("utf-8"))
    document["metadata"]["dbt_schema_version"] = f"https://schemas.getdbt.com/dbt/manifest/v{version}.json"
    for node in document["nodes"].values():
        node.pop("attached_node", None) if version < 10 else None
        if version == 7 and "compiled_code" in node:
            node["compiled_sql"] = node.pop("compiled_code")
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(document), "utf-8")
    new = imported("dbt", file)
    kept = imported("dbt", HERE / "verdicts" / "dbt_manifest.json")
    assert {n: [c.rule for c in t.rules] for n, t in new.tables.items()} == {
        n: [c.rule for c in t.rules] for n, t in kept.tables.items()
    }


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("m.json", '{"metadata": {"dbt_schema_version": "https://x/dbt/manifest/v3.json"}}', "3; known are 7 to 12"),
        ("m.json", '{"metadata": {"dbt_schema_version": "https://x/dbt/manifest/v99.json"}}', "version 99"),
        ("m.json", '{"metadata": {}}', "dbt_schema_version is missing"),
        ("m.json", "[]", "no manifest of dbt"),
        ("m.json", '{\n"a": [1,\n}', "m.json:3"),
        ("s.yml", "models:\n  - name: [a\n", "s.yml:3"),
        ("s.yml", "models:\n  - name: a\n    name: b\n", "s.yml:3: the key name is given twice (first in line 2)"),
        ("s.yml", "a: &a [*a]\n", "s.yml"),
        ("s.yml", "a: 1\n", "no models, seeds, snapshots or sources"),
        ("s.yml", "models:\n\t- name: a\n", "s.yml:2"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_are_told_with_their_place(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_import("dbt", [tmp_path / name], naming("main", None, None))
    assert told in str(caught.value)


def test_megabytes_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.imports.reading.YAML_MAX_BYTES", 100)
    (tmp_path / "s.yml").write_text("models: []\n" + "#" * 200, "utf-8")
    with pytest.raises(UsageError, match="at most 100 are read"):
        read_import("dbt", [tmp_path / "s.yml"], naming("main", None, None))


def test_folders_are_read_once_without_packages_even_where_links_go_round(tmp_path: Path) -> None:
    for folder in ("models/a", "dbt_packages/p", "target"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "schema.yml").write_text(f"models: [{{name: {folder[-1]}, tests: [made_up]}}]", "utf-8")
    (tmp_path / "models" / "round").symlink_to(tmp_path / "models", target_is_directory=True)
    found = read_import("dbt", [tmp_path, tmp_path / "models"], naming("main", None, None))
    assert list(found.tables) == ["main.a"]
    assert len(found.left_out) == 1
