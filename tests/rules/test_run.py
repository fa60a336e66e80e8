"""Rules through the command line: one run, its findings, their SQL and exit code."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.e2e.desk import Answer, Desk

TABLE = """CREATE TABLE orders AS SELECT DATE '2026-11-01' + CAST(i // 50 AS INT) AS d, i AS order_id,
    ['red', 'green'][1 + CAST(i % 2 AS INT)] AS color, 'ann' || i || '@example.com' AS email, i % 7 AS shop
    FROM range(1000) t(i)"""
RULES = """
      - {unique: order_id}
      - {references: {column: shop, to: main.shops.id}, description: every shop is known}
      - {format: {column: email, is: email}}
      - {row_count: {min: 60}, priority: high}
      - {no_future: d}
      - {row_count_like: {to: lake.copy, time: d}}
      - {python: rules.py:red_or_green}
      - {name: broken, sql: CAST(color AS INTEGER) > 0}
      - {in_range: {column: order_id, max: 960}, only_new: [order_id]}
"""
CONFIG = f"""warehouses: {{main: "duckdb:///shop.duckdb", lake: "files://lake"}}
tables:
  - name: main.orders
    time_column: d
    automatic: false
    rules: {RULES}
"""
PYTHON = """
from daywatch import rule

@rule(columns=["color"])
def red_or_green(rows):
    return rows["color"].isin(["red", "green"])
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path).write(CONFIG)
    desk.sql(
        TABLE,
        "CREATE TABLE shops AS SELECT range AS id FROM range(6)",
        "UPDATE orders SET email = 'x' WHERE order_id = 951",
    )
    (tmp_path / "rules.py").write_text(PYTHON)
    lake = tmp_path / "lake"
    lake.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"{TABLE.replace('CREATE TABLE orders AS', 'CREATE TABLE copy AS')}")
        connection.execute(f"COPY (SELECT * FROM copy WHERE order_id <> 999) TO '{lake / 'copy.parquet'}'")
    return desk


def statuses(answer: Answer) -> dict[str, str]:
    return {f["check"].removeprefix("rule."): f["status"] for f in answer.findings if f["kind"] == "rule"}


def test_a_day_is_judged_by_all_rules_and_a_broken_one_stops_none(desk: Desk) -> None:
    answer = desk.judge("--date", "2026-11-20")
    assert answer.code == 3, answer.err  # one rule could not be computed
    assert statuses(answer) == {
        "unique_order_id": "pass",
        "references_shop": "fail",
        "format_email_email": "fail",
        "row_count": "fail",
        "no_future_d": "pass",
        "row_count_like_lake_copy": "fail",
        "python_red_or_green": "pass",
        "broken": "error",
        "in_range_order_id": "fail",
    }


def test_findings_hold_numbers_reasons_and_sql_that_runs(desk: Desk) -> None:
    told = {f["check"]: f for f in desk.judge("--date", "2026-11-20").findings}
    assert "every shop is known" in told["rule.references_shop"]["summary"]
    assert "wanted at least 60" in told["rule.row_count"]["summary"]
    assert told["rule.row_count"]["priority"] == "high"
    assert told["rule.format_email_email"]["score"] == 1.0
    with duckdb.connect(str(desk.folder / "shop.duckdb"), read_only=True) as connection:
        bad = {
            name: connection.execute(finding["sql_bad"]).fetchall()
            for name, finding in told.items()
            if finding["status"] == "fail" and "lake" not in name
        }
    assert [row[1] for row in bad["rule.format_email_email"]] == [951]
    assert len(bad["rule.references_shop"]) == told["rule.references_shop"]["score"] == 7.0
    assert len(bad["rule.in_range_order_id"]) == 39


def test_one_run_takes_few_statements(desk: Desk) -> None:
    answer = desk.judge("--date", "2026-11-19")
    cost = answer.findings[0]["cost"]
    assert cost["queries"] <= 12, cost


def test_what_would_be_asked_is_shown_and_can_be_run(desk: Desk) -> None:
    shown = desk.say("run", "--dry-run", "--date", "2026-11-20")
    assert shown.code == 0, shown.err
    assert "NOT EXISTS" in shown.out
    assert "@@" not in shown.out


def test_a_relation_is_judged_as_references_are(desk: Desk) -> None:
    relation = "    relations: [{column: shop, references: main.shops.id, name: known_shop}]\n"
    answer = desk.write(CONFIG.split("    rules:", maxsplit=1)[0] + relation).judge("--date", "2026-11-20")
    found = next(f for f in answer.findings if f["check"] == "relation.known_shop")
    assert answer.code == 1
    assert (found["status"], found["score"], found["columns"], found["change"]) == ("fail", 7.0, ["shop"], "relation")
    with duckdb.connect(str(desk.folder / "shop.duckdb"), read_only=True) as connection:
        assert len(connection.execute(found["sql_bad"]).fetchall()) == 7
    assert [event["checks"] for event in answer.events] == [["relation.known_shop"]]


def test_a_day_that_is_not_over_skips_each_rule_by_name(desk: Desk) -> None:
    answer = desk.judge("--date", "2026-11-21")
    assert statuses(answer)["unique_order_id"] == "skipped"


def test_only_bad_rows_that_are_new_fail(desk: Desk) -> None:
    desk.write(CONFIG.split("    rules:", maxsplit=1)[0] + "    rules: [{not_null: color, only_new: true}]\n")
    desk.sql("UPDATE orders SET color = NULL WHERE d >= '2026-11-17' AND order_id % 50 < 3")
    desk.sql("UPDATE orders SET color = NULL WHERE d = '2026-11-20' AND order_id % 50 < 5")
    answers = {day: desk.judge("--date", f"2026-11-{day}") for day in (18, 19, 20)}
    found = {
        day: next(f for f in answer.findings if f["check"] == "rule.not_null_color") for day, answer in answers.items()
    }
    assert [f["status"] for f in found.values()] == ["pass", "pass", "fail"]
    assert found[20]["score"] == 2.0
    assert "3 of them were there before" in found[20]["summary"]


def bad_rows(story: str) -> list[str]:
    """The lines of the story's table of bad rows, without its head."""
    _, _, after = story.partition("Some of the bad rows")
    lines = [line.strip() for line in after.splitlines()]
    ruled = next((i for i, line in enumerate(lines) if line.startswith("─")), len(lines))
    rest = lines[ruled + 1 :]
    return rest[: rest.index("")] if "" in rest else rest


def test_bad_rows_are_shown_where_the_owner_lets_values_be_seen(desk: Desk) -> None:
    for shows in (True, False):
        desk.write(CONFIG.replace("automatic: false", f"automatic: false\n    show_values: {str(shows).lower()}"))
        found = {f["check"]: f for f in desk.judge("--date", "2026-11-20").findings}
        story = desk.say("explain", found["rule.format_email_email"]["id"]).out
        told = bad_rows(story)
        assert len(told) == (1 if shows else 0), story
        assert all(line.split()[:2] == ["x", "951"] for line in told), story
        assert len(bad_rows(desk.say("explain", found["rule.in_range_order_id"]["id"]).out)) == (5 if shows else 0)
        assert "email x" not in found["rule.format_email_email"]["summary"]


def test_where_the_bad_rows_of_a_rule_are_is_told_and_the_condition_runs(desk: Desk) -> None:
    desk.sql("UPDATE orders SET email = 'x' WHERE color = 'red' AND d = DATE '2026-11-20'")
    told = {f["check"]: f for f in desk.judge("--date", "2026-11-20").findings}
    (segment,) = told["rule.format_email_email"]["segments"]
    with duckdb.connect(str(desk.folder / "shop.duckdb"), read_only=True) as connection:
        counted = connection.execute(
            f"SELECT COUNT(*), COUNT(*) FILTER (email = 'x') FROM orders WHERE d = DATE '2026-11-20'"
            f" AND {segment['where']}"
        ).fetchone()
    assert segment["where"] == "\"color\" = 'red'"
    assert counted == (segment["rows"], 25)
    assert segment["precision"] == 1.0
    assert segment["recall"] == round(25 / told["rule.format_email_email"]["score"], 3)
