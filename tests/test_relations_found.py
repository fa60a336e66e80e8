"""Relations that nobody declared are found by names and values, confirmed, and proposed only where they hold."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.relations.__main__ import judged
from benchmarks.relations.schemas import SCHEMAS, make, truth_of
from monitor.discover.alike import Name, alike, points_home, shared_prefix
from monitor.discover.relations import Relation, find_relations
from monitor.types import Table
from monitor.warehouses import open_warehouse
from tests.e2e.desk import NOW, Desk
from tests.postgres_server import Server

F1_MIN = 0.92
CHANCE = """
CREATE TABLE apples (id INTEGER, weight INTEGER);
CREATE TABLE pears (id INTEGER, weight INTEGER, apples_seen INTEGER);
INSERT INTO apples SELECT i, i % 7 + 1 FROM {rows} AS r(i);
INSERT INTO pears SELECT i, i % 5 + 1, i % 9 + 1 FROM {rows} AS r(i);
"""
ORDERS = """
CREATE TABLE customers AS SELECT i AS id, 'c' || CAST(i AS VARCHAR) AS label FROM {rows} AS r(i);
CREATE TABLE orders AS SELECT i AS id, CASE WHEN i % 7 > 0 THEN i % 50 + 1 END AS customer_id,
  CASE WHEN i % 100 = 0 THEN 9999 ELSE i % 20 + 1 END AS billing_customer_id FROM {rows} AS r(i);
"""


def found_in(url: str) -> dict[tuple[str, str], Relation]:
    warehouse = open_warehouse("w", url)
    try:
        tables = [
            Table(f"w.{path[-1]}", "w", path, warehouse.columns(path), None)
            for path in warehouse.tables()
            if len(path) == 1
        ]
        return {(found.path[-1], found.column): found for found in find_relations(warehouse, tables)}
    finally:
        warehouse.close()


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_known_schema_is_found_and_nothing_false(name: str) -> None:
    told, (_, wrong, _) = judged(make(SCHEMAS[name], seed=11), truth_of(SCHEMAS[name]))
    assert told["f1"] >= F1_MIN, told
    assert wrong == 0, told


def in_duckdb(folder: Path, script: str) -> str:
    file = folder / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(script.format(rows="range(1, 301)"))
    return f"duckdb:///{file}"


def test_numbers_that_overlap_by_chance_are_no_relation(tmp_path: Path) -> None:
    assert found_in(in_duckdb(tmp_path, CHANCE)) == {}


def test_orphans_are_counted_in_the_warehouse_and_nulls_are_none(tmp_path: Path) -> None:
    found = found_in(in_duckdb(tmp_path, ORDERS))
    kept = found["orders", "customer_id"]
    assert (kept.to, kept.key, kept.orphans) == (("customers",), "id", 0)
    assert kept.values == 300 - 300 // 7
    assert ("orders", "billing_customer_id") not in found  # a weaker name must hold without exception


def test_postgresql_is_searched_alike(postgres: Server) -> None:
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            connection.execute(ORDERS.format(rows="generate_series(1, 300)"))
        found = found_in(url)
    assert found["orders", "customer_id"].key == "id"
    assert {relation.path for relation in found.values()} == {("orders",)}


def test_a_relation_with_orphans_is_told_but_not_proposed(tmp_path: Path) -> None:
    script = """
    CREATE TABLE planes AS SELECT 'N' || CAST(100 + i AS VARCHAR) AS tailnum FROM range(100) AS r(i);
    CREATE TABLE airlines AS SELECT chr(CAST(65 + i AS INT)) || 'A' AS carrier FROM range(5) AS r(i);
    CREATE TABLE flights AS SELECT DATE '2026-11-01' + CAST(i // 400 AS INT) AS flight_date,
      'N' || CAST(100 + i % 110 AS VARCHAR) AS tailnum, chr(CAST(65 + i % 5 AS INT)) || 'A' AS carrier
      FROM range(7600) AS r(i);
    """
    url = in_duckdb(tmp_path, script.replace("{rows}", ""))
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW})
    answer = desk.say("init", url, "--propose")
    assert answer.code == 0, answer.err
    text = (desk.folder / "daywatch.yaml").read_text()
    assert "{column: carrier, references: " in text
    assert "{column: tailnum, references" not in text
    (told,) = [line for line in text.splitlines() if "tailnum seems to refer to" in line]
    assert "(9.1%) are not found there" in told


@pytest.mark.parametrize(
    ("column", "key", "table", "refers"),
    [
        ("customer_id", "id", "customers", True),
        ("o_custkey", "c_custkey", "customer", True),
        ("billing_address_id", "address_id", "addresses", True),
        ("dept_id", "id", "departments", True),
        ("id", "id", "customers", False),
        ("quantity", "id", "orders", False),
        ("status", "id", "customers", False),
        ("external_id", "id", "extras", False),
    ],
)
def test_names_that_say_so(column: str, key: str, table: str, refers: bool) -> None:
    strip = {"o_custkey": "o", "c_custkey": "c"}
    score, _ = alike(
        Name.of(column, strip.get(column, "")), Name.of(key, strip.get(key, "")), Name.of(table), itself=False
    )
    assert (score > 0) is refers


def test_prefixes_and_homes() -> None:
    assert shared_prefix(["id", "name", "o_key"]) == ""
    assert points_home(Name.of("customer_id"), Name.of("customers"))
    assert not points_home(Name.of("manager_id"), Name.of("employees"))
