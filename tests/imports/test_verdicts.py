"""Imported and run, rules come to the verdicts of the tool they came from, on the same data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest
from sqlalchemy.engine import make_url

from monitor.imports.found import Sharer
from tests.e2e.desk import Desk
from tests.imports import record
from tests.imports.record import build_shop
from tests.imports.shop import HERE, URL, imported, judged, place_key, recorded
from tests.postgres_server import Server
from tests.postgres_tables import load_tables

FRESH = [
    pytest.param(kind, marks=pytest.mark.skipif(
        not record.program(kind).exists(), reason=f"no environment of {kind}: make import-peers"
    ))
    for kind in ("dbt", "soda", "gx")
]  # fmt: skip


def dbt_name(table: str, carried: Sharer) -> str:
    """The name that dbt gives to what was read from YAML."""
    bare = table.rpartition(".")[2]
    if carried.origin.startswith("freshness"):
        return f"freshness {bare}"
    test, about = carried.origin.split(" of ")
    column = about.removeprefix(f"{table}.")
    known = recorded("dbt")
    generic = f"{'source_' if '.raw.' in about else ''}{test}_{'raw_' if '.raw.' in about else ''}{bare}_{column}"
    named = [carried.called.removesuffix("_warn"), generic]
    return next((name for name in named if name in known),
                next((name for name in known if name.startswith(generic + "__")), generic))  # fmt: skip


def same(told: dict[str, str], wanted: dict[str, str]) -> None:
    """Every verdict is that of the other tool; dbt calls stale sources errors."""
    of = {name: {"error": "fail"}.get(verdict, verdict) for name, verdict in wanted.items()}
    assert {name: (verdict, of.get(name)) for name, verdict in told.items() if of.get(name) != verdict} == {}


def test_dbt_properties_come_to_dbts_verdicts(tmp_path: Path) -> None:
    found = imported("dbt", HERE / "dbt" / "models")
    told = judged(found, tmp_path, dbt_name)
    same(told, recorded("dbt"))
    singular = {"no_cheap_late_orders", "payments_fit_orders"}
    left = {"even_orders_basket", "payments_templated"}
    assert set(recorded("dbt")) - set(told) == singular | left
    assert len(told) > 45
    assert len([item for item in found.left_out if "payments" in item.what or "even" in item.what]) == 3


def test_a_manifest_comes_to_dbts_verdicts_with_the_tests_written_in_sql(tmp_path: Path) -> None:
    found = imported("dbt", HERE / "verdicts" / "dbt_manifest.json")
    told = judged(found, tmp_path, lambda table, c: f"freshness {table.rpartition('.')[2]}"
                  if c.origin.startswith("freshness") else c.origin)  # fmt: skip
    same(told, recorded("dbt"))
    assert set(recorded("dbt")) - set(told) == set()
    assert [item.what for item in found.left_out if "kept once" not in item.why] == ["payments_disabled"]


def test_findings_tell_of_all_rows(tmp_path: Path) -> None:
    build_shop(tmp_path / "shop.duckdb")
    rule = "all_rows: {not_null: customer_id}, tolerance: 0.01"
    desk = Desk(tmp_path).write(
        f"warehouses: {{main: '{URL}'}}\ntables: [{{name: main.orders, rules: [{{{rule}}}]}}]\n"
    )
    (found,) = [f for f in desk.judge("--no-alerts").findings if f["kind"] == "rule"]
    assert found["status"] == "fail"
    assert "5 of 200 rows" in found["summary"]
    assert found["score"] == 3  # two of 200 are allowed


def test_sodacl_comes_to_sodas_verdicts(tmp_path: Path) -> None:
    found = imported("soda", HERE / "soda" / "checks.yml")
    told = judged(found, tmp_path, place_key)
    wanted = {name: verdict for name, verdict in recorded("soda").items() if verdict != "none"}
    same(told, wanted)
    assert set(wanted) - set(told) == {"103: invalid_count(code) = 0"}  # a format of Soda's own
    assert len(told) > 55


def test_suites_come_to_the_verdicts_of_great_expectations(tmp_path: Path) -> None:
    told: dict[str, str] = {}
    for suite in ("orders", "customers"):
        file = HERE / "gx" / f"{suite}.json"
        found = imported("gx", file)
        listed = json.loads(file.read_text("utf-8"))["expectations"]
        lines = {line: i for i, line in enumerate(_lines(file))}
        folder = tmp_path / suite
        folder.mkdir()

        def key(_: str, c: Sharer, suite: str = suite, lines: dict[int, int] = lines) -> str:
            return f"{suite}.{lines[c.place.line or 0]}: {c.origin.partition('(')[0]}"

        told |= judged(found, folder, key)
        assert len(listed) == len({c.place for t in found.tables.values() for c in t.rules}) + len(found.left_out)
    severe = {n: v for n, v in recorded("gx").items() if not v.startswith("error")}
    of = {n: "warn" if v == "fail" and n.startswith(("orders.9:", "orders.10:")) else v for n, v in severe.items()}
    same(told, of)
    assert len(told) > 55
    left = {re.sub(r".*: ", "", name) for name in set(severe) - set(told)}
    assert left == {
        "expect_column_values_to_be_increasing",
        "expect_column_quantile_values_to_be_between",
        "expect_column_values_to_be_of_type",
        "expect_column_pair_values_a_to_be_greater_than_b",  # a row condition that NULL meets there
    }


def _lines(file: Path) -> list[int]:
    """The line of each expectation's type."""
    text = file.read_text("utf-8").splitlines()
    return [i for i, line in enumerate(text, 1) if re.match(r'\s*"(type|expectation_type)"', line)]


def test_on_postgresql_the_verdicts_are_the_same(tmp_path: Path, postgres: Server, postgres_url: str) -> None:
    """What rules are made of is SQL of all engines; what is said in words of DuckDB there is left out."""
    build_shop(tmp_path / "shop.duckdb")
    with (
        duckdb.connect(str(tmp_path / "shop.duckdb"), read_only=True) as shop,
        postgres.connect(postgres_url) as served,
    ):
        names = ("customers", "orders", "payments", "prices")
        tables = {name: shop.execute(f"SELECT * FROM {name}").to_arrow_table() for name in names}
        load_tables(served, tables)
        served.execute("CREATE SCHEMA raw")
        for name in names:
            served.execute(f"CREATE VIEW raw.{name} AS SELECT * FROM {name}")
    password = str(make_url(postgres_url).password)
    for kind, path, key in (
        ("dbt", HERE / "dbt" / "models", dbt_name),
        ("soda", HERE / "soda" / "checks.yml", place_key),
    ):
        folder = tmp_path / kind
        folder.mkdir()
        told = judged(imported(kind, path, url=postgres_url), folder, key, postgres_url, password)
        same(told, recorded(kind))
        assert len(told) > 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", FRESH)
def test_the_recorded_verdicts_are_those_of_the_real_tool(kind: str, tmp_path: Path) -> None:
    makers = {"dbt": lambda f: record.dbt_verdicts(f)[0], "soda": record.soda_verdicts, "gx": record.gx_verdicts}
    assert makers[kind](tmp_path) == recorded(kind)
