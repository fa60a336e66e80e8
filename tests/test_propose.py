"""Proposed rules hold in the data that they come from, and say what speaks for them; weak evidence proposes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.discover.candidates import regex_of
from tests.e2e.desk import NOW, Desk
from tests.postgres_server import Server

ROWS = 6_000
ITEMS = """CREATE TABLE items AS SELECT i AS item_id, DATE '2026-11-01' + CAST(i // 300 AS INT) AS d,
    CASE WHEN i % 3 = 0 THEN 'EUR' WHEN i % 3 = 1 THEN 'USD' ELSE 'GBP' END AS currency,
    'SKU-' || right('0000' || CAST((i * 7919) % 100000 AS VARCHAR), 5) AS sku,
    CAST((i * 37) % 1000 AS DOUBLE PRECISION) / 10 AS price, CAST(i % 100 AS DOUBLE PRECISION) / 100 AS share,
    (i * 13) % 97 - 40 AS delta, CASE WHEN i % 50 = 0 THEN NULL ELSE 'n' || CAST(i % 7 AS VARCHAR) END AS note,
    CASE WHEN i % 4000 = 17 THEN 'odd' ELSE 'even' END AS rare, '' || CAST(i % 2 AS VARCHAR) || ' ' AS loose,
    CASE WHEN i = 5500 THEN -1 ELSE i % 900 END AS late, 'user' || CAST(i AS VARCHAR) || '@example.com' AS contact
    FROM {rows}"""  # on the nineteenth day, which few samples meet, `late` falls below zero
DUCK = ITEMS.format(rows=f"range({ROWS}) t(i)")
POSTGRES = ITEMS.replace("//", "/").format(rows=f"generate_series(0, {ROWS - 1}) t(i)")


def proposed(text: str) -> list[dict[str, object]]:
    """The rules in the comments of a starter configuration."""
    return [yaml.safe_load(line)[0] for line in re.findall(r"^    #   (- .*?)    # ", text, re.MULTILINE)]


def accepted(text: str) -> str:
    """The configuration of somebody who keeps all that is proposed."""
    return re.sub(r"^    # (rules:|  - )", r"    \1", text, flags=re.MULTILINE)


def make(desk: Desk, url: str) -> str:
    answer = desk.say("init", url, "--propose")
    assert answer.code == 0, answer.err
    assert "wrong from the first day would be enshrined" in answer.err
    text = (desk.folder / "daywatch.yaml").read_text()
    assert "WRONG FROM THE FIRST DAY WOULD BE ENSHRINED" in text
    return text


def judged_by_what_was_proposed(desk: Desk, text: str) -> set[str]:
    """Keep everything, judge the days it came from, and see that nothing of it fails."""
    only_rules = accepted(text).replace("    time_column: d ", "    automatic: false\n    time_column: d ")
    (desk.folder / "daywatch.yaml").write_text(only_rules)
    answer = desk.judge("--no-alerts", "--from", "2026-11-06", "--to", "2026-11-19")
    rules = [found for found in answer.findings if found["kind"] == "rule"]
    assert {found["status"] for found in rules} == {"pass"}
    assert len({found["partition"] for found in rules}) == 14
    return {found["check"] for found in rules}


EXPECTED = {
    "rule.unique_item_id", "rule.not_null_item_id", "rule.not_empty_currency", "rule.in_set_currency",
    "rule.not_empty_sku", "rule.matches_regex_sku", "rule.not_null_price", "rule.in_range_price",
    "rule.not_null_share", "rule.in_range_share", "rule.not_null_delta", "rule.in_set_note", "rule.not_empty_rare",
    "rule.not_null_late", "rule.not_empty_loose", "rule.in_set_loose", "rule.not_empty_contact",
    "rule.format_contact_email",
}  # fmt: skip


def check(text: str, checks: set[str]) -> None:
    rules = {next(iter(rule)) + str(next(iter(rule.values()))): rule for rule in proposed(text)}
    assert {"matches_regex": {"column": "sku", "regex": "^SKU-[0-9]{5}$"}} in rules.values()
    assert {"in_set": {"column": "currency", "values": ["EUR", "GBP", "USD"]}} in rules.values()
    assert {"in_range": {"column": "share", "min": 0, "max": 1}} in rules.values()
    assert "late" not in str([rule for rule in rules.values() if "in_range" in rule])  # it holds in most days only
    assert "rare" not in str([rule for rule in rules.values() if "in_set" in rule])  # nobody sees two rows in 6,000
    assert checks == EXPECTED
    assert re.search(r"- \{not_null: price\}    # no NULL in 4,200 rows of 14 partitions", text)
    assert "# cadence: day    # rows in 14 of 14 days, 2026-11-06 to 2026-11-19" in text


def test_proposals_hold_in_duckdb(tmp_path: Path) -> None:
    desk = Desk(tmp_path).sql(DUCK)
    text = make(desk, "duckdb:///shop.duckdb")
    assert accepted(text) != text
    check(text, judged_by_what_was_proposed(desk, text))


def test_proposals_hold_in_postgresql(tmp_path: Path, postgres: Server) -> None:
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW, "DAYWATCH_MAIN_PASSWORD": str(postgres.url.password)})
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            connection.execute(POSTGRES)
        text = make(desk, url)
        check(text, judged_by_what_was_proposed(desk, text))


KEYS = (
    "CREATE TABLE planes (tail VARCHAR(9) PRIMARY KEY, seats INT)",
    "INSERT INTO planes SELECT 'N' || CAST(i AS VARCHAR), i FROM {planes}",
    "CREATE TABLE legs (d DATE, leg INT, tail VARCHAR(9) REFERENCES planes(tail))",
    (
        "INSERT INTO legs SELECT DATE '2026-11-01' + CAST(i / 300 - 0.5 AS INT), i, 'N' || CAST(i % 40 AS VARCHAR)"
        " FROM {legs}"
    ),
)


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_keys_that_the_database_declares_are_proposed_as_relations(
    tmp_path: Path, postgres: Server, engine: str
) -> None:
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW, "DAYWATCH_MAIN_PASSWORD": str(postgres.url.password)})
    series = "range({}) t(i)" if engine == "duckdb" else "generate_series(0, {} - 1) t(i)"
    statements = [text.format(planes=series.format(40), legs=series.format(ROWS)) for text in KEYS]
    with postgres.schema() as url:
        if engine == "duckdb":
            desk.sql(*statements)
        else:
            with postgres.connect(url) as connection:
                for statement in statements:
                    connection.execute(statement)
        text = make(desk, url if engine == "postgresql" else "duckdb:///shop.duckdb")
        relation = "{column: tail, references: main.planes.tail}    # declared in the database; every value"
        assert f"    # relations:\n    #   - {relation}" in text
        kept = re.sub(r"^    # (relations:|  - \{column)", r"    \1", text, flags=re.MULTILINE)
        (tmp_path / "daywatch.yaml").write_text(kept)
        answer = desk.judge("--no-alerts", "--date", "2026-11-19", "--table", "main.legs")
        assert [f["status"] for f in answer.findings if f["check"] == "relation.tail_in_planes"] == ["pass"]


def test_little_data_proposes_nothing_and_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path).sql(
        "CREATE TABLE few AS SELECT DATE '2026-11-01' + CAST(i // 50 AS INT) AS d, i AS id FROM range(500) t(i)",
        "CREATE TABLE short AS SELECT DATE '2026-11-01' + CAST(i // 2000 AS INT) AS d, i AS id FROM range(5000) t(i)",
    )
    text = make(desk, "duckdb:///shop.duckdb")
    assert proposed(text) == []
    assert "# no rules are proposed: 450 rows in 9 complete partitions are too few" in text
    assert "# no rules are proposed: 4,000 rows in 2 complete partitions are too few" in text


def test_without_propose_nothing_more_is_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path).sql(DUCK)
    answer = desk.say("init", "duckdb:///shop.duckdb")
    assert answer.code == 0
    assert "enshrined" not in answer.err + (tmp_path / "daywatch.yaml").read_text()


@settings(deadline=None, derandomize=True)
@given(st.lists(st.from_regex(r"[A-Z]{2}[0-9]{1,3}[-/. ]?[a-z]*", fullmatch=True), min_size=1, max_size=8))
def test_an_expression_matches_all_that_it_comes_from(texts: list[str]) -> None:
    regex = regex_of(texts)
    assert regex is None or all(re.search(regex, text) for text in texts)


@pytest.mark.parametrize(
    ("texts", "regex"),
    [
        (["AB-1", "CD-22"], "^[A-Z]{2}-[0-9]+$"),
        (["a.b", "c.d"], "^[a-z][.][a-z]$"),
        (["12", "345"], None),
        (["1", "2"], "^[0-9]$"),
        (["two words", "and three words"], None),
        (["x" * 65], None),
        (["", "a"], None),
        (["Köln", "Bonn"], None),
    ],
)
def test_shapes(texts: list[str], regex: str | None) -> None:
    assert regex_of(texts) == regex
