"""Suites, SodaCL and data contracts: what becomes of each thing in them, and of files that are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.errors import UsageError
from monitor.imports import Imported, naming, read_import

URL = "duckdb:///x.duckdb"


def suite(folder: Path, *expectations: dict[str, Any], url: str | None = URL) -> Imported:
    file = folder / "t.json"
    file.write_text(json.dumps({"name": "t", "expectations": expectations}, indent=1), "utf-8")
    return read_import("gx", [file], naming("main", None, url), table="t", by_day=True)


def soda(folder: Path, text: str, url: str | None = URL) -> Imported:
    file = folder / "checks.yml"
    file.write_text(text, "utf-8")
    return read_import("soda", [file], naming("main", None, url), by_day=True)


def contract(folder: Path, *properties: dict[str, Any], **more: Any) -> Imported:
    table = {"name": "t", "physicalName": "main.t", "properties": list(properties), **more}
    document = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "a", "version": "1", "schema": [table]}
    file = folder / "contract.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    return read_import("odcs", [file], naming("main", None, URL), by_day=True)


def rules(found: Imported, table: str = "main.t") -> list[dict[str, Any]]:
    return [dict(carried.rule) for carried in found.tables[table].rules]


def test_mostly_is_a_share_of_values_that_are_not_null(tmp_path: Path) -> None:
    kwargs = {"column": "c", "value_set": ["a"], "mostly": 0.9}
    (rule,) = rules(suite(tmp_path, {"type": "expect_column_values_to_be_in_set", "kwargs": kwargs}))
    sql = 'COALESCE(AVG(CASE WHEN "c" IS NULL THEN NULL WHEN "c" NOT IN (\'a\') THEN 0.0 ELSE 1.0 END), 1.0)'
    assert rule == {"aggregate": {"sql": sql, "min": 0.9}}


def test_mostly_of_an_expression_needs_to_know_the_engine(tmp_path: Path) -> None:
    item = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "c", "regex": "a", "mostly": 0.9}}
    assert "name the warehouse with --url" in suite(tmp_path, item, url=None).left_out[0].why
    told = rules(suite(tmp_path, item, url="postgresql://db/x"))[0]["aggregate"]["sql"]
    assert "\"c\" ~ 'a'" in told


@pytest.mark.parametrize(
    ("kwargs", "where"),
    [
        ({"row_condition": 'col("a") > 5', "condition_parser": "great_expectations"}, '"a" > 5'),
        ({"row_condition": 'col("a").notNull()', "condition_parser": "great_expectations__experimental__"},
         '"a" IS NOT NULL'),
        ({"row_condition": "a == 'x' and b <= 2", "condition_parser": "pandas"}, "\"a\" = 'x' AND \"b\" <= 2"),
        ({"row_condition": {"type": "comparison", "column": {"name": "a"}, "operator": ">=", "parameter": 3}},
         '"a" >= 3'),
        ({"row_condition": {"type": "nullity", "column": {"name": "a"}, "is_null": True}}, '"a" IS NULL'),
    ],
)  # fmt: skip
def test_row_conditions_are_scopes(kwargs: dict[str, Any], where: str, tmp_path: Path) -> None:
    item = {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "c", **kwargs}}
    assert rules(suite(tmp_path, item)) == [{"not_null": "c", "where": where}]


@pytest.mark.parametrize(
    ("kind", "kwargs", "why"),
    [
        ("be_in_set", {"column": "c", "value_set": {"$PARAMETER": "s"}}, "parameter"),
        ("be_unique", {"column": "c", "mostly": 0.5}, "mostly"),
        ("not_be_null", {"column": "c", "row_condition": "f(a)"}, "row_condition"),
        ("not_be_null", {"column": "c", "loudly": True}, "loudly has no equal"),
        ("not_be_null", {}, "no column's name"),
        ("be_blue", {}, "does not know"),
    ],
)
def test_expectations_without_equal_are_listed_by_line(
    kind: str, kwargs: dict[str, Any], why: str, tmp_path: Path
) -> None:
    item = {"type": f"expect_column_values_to_{kind}", "kwargs": kwargs}
    (left,) = suite(tmp_path, item).left_out
    assert why in left.why
    assert (left.place.line or 0) >= 4


def test_severities_and_notes_come_along(tmp_path: Path) -> None:
    item = {
        "type": "expect_column_values_to_not_be_null", "kwargs": {"column": "c"}, "severity": "warning",
        "meta": {"notes": {"content": ["As", "agreed."]}},
    }  # fmt: skip
    assert rules(suite(tmp_path, item)) == [{"not_null": "c", "priority": "low", "description": "As agreed."}]


def test_every_check_of_sodacl_that_has_no_equal_is_listed_by_line(tmp_path: Path) -> None:
    found = soda(tmp_path, """
variables:
  day: today
automated monitoring:
  datasets: [a]
for each dataset D:
  datasets: [t, raw_%]
  checks:
    - row_count > 0
checks for t [gone]:
  - row_count > 1
checks for t:
  - row_count > ${n}
  - missing_count(c) = many
  - missing_count(c) = 0: {filter: "${x} = 1"}
  - made_up(c) = 0
  - invalid_count(c) = 0
  - freshness(at, NOW) < 1d
  - values in (a, b) must exist in u (a, b)
  - schema: {fail: {when schema changes: any}}
  - row_count same as u in other_source
  - group by: {query: SELECT 1}
  - missing_count(c) = 0: {samples limit: 5, attributes: {team: a}}
  - what is this
""")  # fmt: skip
    told = {item.place.line: item.why for item in found.left_out}
    assert sorted(told) == [2, 4, 6, 10, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]
    assert rules(found) == [{"row_count": {"min": 1}}, {"not_null": "c"}]


def test_warnings_and_failures_of_sodacl_are_two_rules(tmp_path: Path) -> None:
    found = soda(tmp_path, "checks for s.t:\n  - missing_count(c):\n      warn: when > 1\n      fail: when >= 10\n")
    assert rules(found, "main.s.t") == [
        {"not_null": "c", "tolerance": 9},
        {"not_null": "c", "tolerance": 1, "priority": "low", "name": "not_null_c_2"},
    ]


def test_a_contract_says_its_rules_word_for_word(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        {"name": "id", "logicalType": "integer", "primaryKey": True, "unique": True},
        {"name": "Price", "physicalName": "price", "required": True,
         "logicalTypeOptions": {"minimum": 0, "exclusiveMaximum": 10}},
        {"name": "sku", "logicalTypeOptions": {"minLength": 3, "pattern": "^S", "format": "uuid"}},
        {"name": "shop", "relationships": [{"to": "t.id"}, {"to": "u.id"}],
         "quality": [
             {"metric": "nullValues", "mustBeLessThan": 5, "severity": "warning", "name": "few"},
             {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0},
             {"metric": "missingValues", "arguments": {"missingValues": [None, "N/A"]}, "unit": "percent",
              "mustBeLessOrEqualTo": 5},
             {"metric": "duplicateValues", "mustBeLessThan": 5},
             {"type": "text", "description": "nice"},
             {"type": "custom", "engine": "great-expectations", "implementation":
              {"type": "expect_column_values_to_be_null", "kwargs": {"column": "shop"}}},
             {"type": "custom", "engine": "soda", "implementation": "x"},
         ]},
        quality=[
            {"metric": "rowCount", "mustBeBetween": [1, 9]},
            {"type": "sql", "query": "SELECT COUNT(*) FROM ${table}", "mustBeGreaterThan": 3},
        ],
    )  # fmt: skip
    table = found.tables["main.t"]
    assert rules(found) == [
        {"column_type": {"column": "id", "is": "number"}},
        {"sql": '"id" = FLOOR("id")'},
        {"unique": "id"},
        {"not_null": "price"},
        {"in_range": {"column": "price", "min": 0}},
        {"in_range": {"column": "price", "max": 10, "strict": True}, "name": "in_range_price_2"},
        {"length": {"column": "sku", "min": 3}},
        {"matches_regex": {"column": "sku", "regex": "^S"}},
        {"not_null": "shop", "tolerance": 4, "priority": "low", "description": "few"},
        {"in_set": {"column": "shop", "values": ["a"]}},
        {"aggregate": {"sql": '100.0 * COUNT(CASE WHEN "shop" IS NULL OR "shop" IN (\'N/A\') THEN 1 END)'
                              " / NULLIF(COUNT(*), 0)", "max": 5}},
        {"is_null": "shop"},
        {"not_null": ["id"]},
        {"row_count": {"min": 1, "max": 9}},
        {"query": {"sql": "SELECT value FROM (SELECT COUNT(*) FROM {rows}) AS told (value) WHERE NOT (value > 3)"}},
    ]  # fmt: skip
    assert (table.key, table.relations) == (["id"], [{"column": "shop", "references": "main.t.id"}])
    assert len(found.left_out) == 6


@pytest.mark.parametrize(
    ("kind", "name", "text", "told"),
    [
        ("gx", "t.json", '{"expectations": 3}', "no list of expectations"),
        ("gx", "t.json", '{"expectations": [\n{]}', "t.json:2: not JSON"),
        ("soda", "t.yml", "a: 1", "no checks in it"),
        ("soda", "t.yml", "checks for t:\n  - a\n checks for u: []", "t.yml:3"),
        ("soda", "t.yml", "checks for t: []\nchecks for t: []\n", "given twice (first in line 1)"),
        ("odcs", "t.yaml", "apiVersion: v2.2.0\nkind: DataContract", "t.yaml:1: a contract of version v2.2.0"),
        ("odcs", "t.yaml", "kind: Other", "no data contract"),
        ("odcs", "t.yaml", "", "it is empty"),
        ("made_up", "t.yaml", "", "known are dbt, gx, soda, odcs"),
    ],
)
def test_broken_files_are_told_with_their_place(kind: str, name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_import(kind, [tmp_path / name], naming("main", None, None))
    assert told in str(caught.value)


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_import("gx", [tmp_path / "gone.json"], naming("main", None, None))
    with pytest.raises(UsageError, match=r"no \.json files in it"):
        read_import("gx", [tmp_path], naming("main", None, None))
    with pytest.raises(UsageError, match="--table is for suites"):
        read_import("soda", [tmp_path], naming("main", None, None), table="t")


def test_schemas_go_unnamed_where_the_engine_leaves_them_out() -> None:
    assert naming("w", None, "postgresql+psycopg://h/d").name("t", "public") == "w.t"
    assert naming("w", "sales", "postgres://h/d").name("t") == "w.sales.t"
    assert naming("w", None, "snowflake://a").name("t", "PUBLIC") == "w.t"
    assert naming("w", None, None, "dbt").name("t", "dbt") == "w.t"
    assert naming("w", None, None).name("t", "a.b") == 'w."a.b".t'
