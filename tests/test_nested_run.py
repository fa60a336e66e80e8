"""Paths inside JSON and nested columns are watched like columns, on every engine, through whole runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import snowflake.connector

from monitor.warehouses import DEFAULT_LIMITS
from monitor.warehouses.snowflake_login import connect_options
from tests.e2e.desk import NOW, Answer, Desk
from tests.postgres_server import Server
from tests.snowflake_server.process import Server as SnowflakeServer
from tests.snowflake_server.tables import load_tables

FIRST, LAST, ROWS = "2026-10-20", "2026-11-20", 150
LOST = "2026-11-19"
CONFIG = """warehouses: {{main: "{url}"}}
defaults: {{drift_backfill_days: 7}}
tables:
  - name: main.events
    time_column: d
{more}"""
RULES = """    rules:
      - not_null: payload.user.id
      - {in_range: {column: payload.amount, min: 0, max: 50}, name: amount_range}
      - not_null: payload['a b']
      - {sql: '"payload.amount" < 1000', name: amount_small}
"""
DAYS = "(DATE '2026-10-20' + CAST(i / {rows} AS INT))"
BODY = (
    """'{"user": {"id": ' || CAST(i % 40 AS VARCHAR) || ', "name": "n' || CAST(i % 7 AS VARCHAR) || '"}, "amount": '"""
    """ || CAST(i % 100 AS VARCHAR) || '.5, "a b": ' || CASE WHEN i % 10 = 0 THEN 'null' ELSE '"x"' END"""
    """ || ', "tags": ["t", "u"], "ok": true}'"""
)


def made(type_: str, series: str, body: str = BODY, division: str = "//") -> list[str]:
    day = DAYS.format(rows=ROWS).replace("/", division)
    cell = f"CAST({body} AS {type_})" if type_ else body
    return [
        f"CREATE TABLE events AS SELECT i AS id, {day} AS d, {cell} AS payload FROM {series}",
    ]


def faulted(change: str, type_: str) -> str:
    return f"UPDATE events SET payload = CAST({change} AS {type_}) WHERE d >= DATE '{LOST}'"


LOSE = """REPLACE(CAST(payload AS VARCHAR), '"name"', '"nom"')"""


def duckdb_desk(tmp_path: Path, *statements: str, more: str = "") -> Desk:
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW}).sql(*statements)
    return desk.write(CONFIG.format(url="duckdb:///shop.duckdb", more=more))


SERIES = {"duckdb": f"range({32 * ROWS}) t(i)", "postgresql": f"generate_series(0, {32 * ROWS - 1}) t(i)"}


@pytest.fixture(params=["JSON", "VARCHAR", "postgresql jsonb", "postgresql json", "postgresql text"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk with a table of JSON, a key of which has another name from some day on."""
    engine, _, type_ = request.param.rpartition(" ")
    if not engine:
        yield duckdb_desk(tmp_path, *made(type_, SERIES["duckdb"]), faulted(LOSE, type_), more=RULES)
        return
    postgres: Server = request.getfixturevalue("postgres")
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW})
    with postgres.schema() as url, postgres.connect(url) as connection:
        if type_ == "text" and connection.info.server_version < 160_000:
            pytest.skip("JSON as text is looked into from PostgreSQL 16 on")
        for statement in [*made(type_, SERIES["postgresql"], division="/"), faulted(LOSE, type_)]:
            connection.execute(statement)
        connection.commit()
        yield desk.write(CONFIG.format(url=url, more=RULES))


def failed(answer: Answer, day: str) -> dict[str, dict[str, object]]:
    return {f["check"]: f for f in answer.findings if f["partition"] == day and f["status"] == "fail"}


def statuses(answer: Answer, day: str) -> dict[str, str]:
    return {f["check"]: f["status"] for f in answer.findings if f["partition"] == day}


def test_a_key_that_changes_its_name_is_found_and_named(desk: Desk) -> None:
    answer = desk.judge("--no-alerts", "--from", "2026-11-17", "--to", LOST)
    assert answer.code == 1, answer.err
    before, bad = statuses(answer, "2026-11-18"), failed(answer, LOST)
    assert before["schema"] == "pass"
    assert before["rule.not_null_payload_user_id"] == "pass"
    assert before["rule.amount_small"] == "pass"
    assert before["rule.amount_range"] == "fail"
    found = next(f for f in answer.findings if f["partition"] == LOST and f["check"] == "rule.not_null_payload_a_b")
    assert found["columns"] == ["payload['a b']"]
    assert "15" in found["summary"]  # every tenth of 150
    assert set(bad["schema"]["columns"]) == {"payload.user.name", "payload.user.nom"}  # type: ignore[call-overload]
    assert "nulls.payload.user.name" in bad
    assert "error" not in statuses(answer, LOST).values(), answer.err
    checked = set(before)
    assert {"nulls.payload.user.id", "stats.payload.amount", "zeros.payload.tags[#]", "nulls.payload.ok"} <= checked


def test_a_lost_key_is_found_on_the_first_day_ever_judged(tmp_path: Path) -> None:
    lose = """REPLACE(CAST(payload AS VARCHAR), '"amount"', '"sum"')"""
    desk = duckdb_desk(tmp_path, *made("JSON", SERIES["duckdb"]), faulted(lose, "JSON"))
    answer = desk.judge("--no-alerts", "--date", LOST)
    bad = failed(answer, LOST)
    assert set(bad["schema"]["columns"]) == {"payload.amount", "payload.sum"}  # type: ignore[call-overload]
    assert "nulls.payload.amount" in bad


@pytest.mark.parametrize("fault", ["json_key_lost", "json_key_renamed"])
def test_faults_of_json_are_found_by_path(tmp_path: Path, fault: str) -> None:
    body = BODY.replace('"user": {"id": \'', '"first": 7, "user": {"id": \'')
    desk = duckdb_desk(tmp_path, *made("VARCHAR", SERIES["duckdb"], body))
    args = ("--fault", fault, "--column", "payload", "--rows", "1.0", "--date", LOST, "--seed", "1")
    desk.sql("CREATE SCHEMA scratch")
    applied = desk.say("chaos", "apply", "main.events", *args, "--into", "main.scratch.events_bad")
    assert applied.code == 0, applied.err
    text = (tmp_path / "daywatch.yaml").read_text().replace("main.events", "main.scratch.events_bad")
    (tmp_path / "daywatch.yaml").write_text(text)
    answer = desk.judge("--no-alerts", "--date", LOST)
    bad = failed(answer, LOST)
    assert "payload.first" in bad["schema"]["columns"]  # type: ignore[operator]
    assert "nulls.payload.first" in bad
    (event,) = [event for event in answer.events if "payload.first" in event["columns"]]
    assert event["columns"][0] == "payload.first"
    assert event["change"] == "schema"
    assert "gone: payload.first" in event["title"]


def test_another_kind_of_value_is_told(tmp_path: Path) -> None:
    quote = 'regexp_replace(CAST(payload AS VARCHAR), \'"amount": ([0-9.]+)\', \'"amount": "\\1"\')'
    desk = duckdb_desk(tmp_path, *made("JSON", SERIES["duckdb"]), faulted(quote, "JSON"))
    answer = desk.judge("--no-alerts", "--from", "2026-11-18", "--to", LOST)
    schema = next(f for f in answer.findings if f["check"] == "schema" and f["partition"] == LOST)
    assert schema["columns"] == ["payload.amount"]
    assert "JSON number -> JSON text" in schema["summary"]


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ("{'user': {'id': i % 40, 'name': 'n'}, 'n': i % 5}", {"payload.user.id", "payload.user.name", "payload.n"}),
        ("[i % 3, 2]", {"payload[#]"}),
        ("[{'sku': 's', 'n': i % 5}]", {"payload[#]", "payload[0].sku", "payload[0].n"}),
        ("MAP {'a': i % 9, 'b': 2}", {"payload.a", "payload.b"}),
    ],
)
def test_structs_lists_and_maps_are_opened(tmp_path: Path, cell: str, paths: set[str]) -> None:
    desk = duckdb_desk(tmp_path, *made("", SERIES["duckdb"], cell))
    answer = desk.judge("--no-alerts", "--date", LOST)
    checks = statuses(answer, LOST)
    assert {f"nulls.{path}" for path in paths} <= set(checks)
    assert "error" not in checks.values()


def test_wild_cells_break_nothing(tmp_path: Path) -> None:
    wild = [
        "{}", "[]", "null", "7", '"text"', "not json", "{" * 500, '{"a": 1, "a": 2}', '{"A": 1, "a": "x"}',
        '{"é": {"日本": 1}}', '{"a": 1e400, "b": -1e-400}', '{"a": "\\u0000", "c": "\\ud83d\\ude00"}',
        '{"": 1, "q\'": 2}', json.dumps({"a": "x" * 70_000}), json.dumps({f"k{n}": n for n in range(400)}),
        '{"deep": ' * 90 + "1" + "}" * 90,
    ]  # fmt: skip
    values = ", ".join("('" + text.replace("'", "''") + "')" for text in wild)
    rows = (
        "CREATE TABLE events AS SELECT DATE '2026-11-01' + CAST(i // 160 AS INT) AS d, i AS id,"
        " CASE WHEN i % 8 = 0 THEN w.v ELSE '{\"a\": ' || i || ', \"A\": 1}' END AS payload"
        f" FROM range(3200) t(i) JOIN (SELECT v, row_number() OVER () - 1 AS n FROM (VALUES {values}) w(v)) w"
        f" ON w.n = (i // 8) % {len(wild)}"
    )
    desk = duckdb_desk(tmp_path, rows, more="    rules: [{not_null: payload.a}]\n")
    answer = desk.judge("--no-alerts", "--date", LOST)
    checks = statuses(answer, LOST)
    assert "error" not in checks.values(), answer.err
    assert "nulls.payload.a" in checks


def test_a_key_that_is_ignored_is_not_watched(tmp_path: Path) -> None:
    more = "    ignore_columns: [payload.user.id]\n"
    desk = duckdb_desk(tmp_path, *made("JSON", SERIES["duckdb"]), more=more)
    checks = statuses(desk.judge("--no-alerts", "--date", LOST), LOST)
    assert "nulls.payload.user.id" not in checks
    assert "nulls.payload.user.name" in checks


def test_a_column_that_is_not_there_is_still_an_error(tmp_path: Path) -> None:
    desk = duckdb_desk(tmp_path, *made("JSON", SERIES["duckdb"]), more="    rules: [{not_null: id.user}]\n")
    answer = desk.say("check-config")
    assert answer.code == 2
    assert "no column id.user" in answer.err


def test_large_cells_are_told_with_their_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = """'{"blob": "' || CASE WHEN i % 50 = 0 THEN repeat('x', 200000) ELSE 'y' END || '", "n": ' || i || '}'"""
    desk = duckdb_desk(tmp_path, *made("JSON", SERIES["duckdb"], body))
    answer = desk.judge("--no-alerts", "--date", LOST)
    assert "main.events.payload 2026-11-19: 3 of 150 cells are larger than 64 kB" in answer.err + caplog.text
    assert "nulls.payload.n" in statuses(answer, LOST)


def test_variants_of_snowflake_are_opened(tmp_path: Path, snowflake_server: SnowflakeServer) -> None:
    database = snowflake_server.database()
    url = snowflake_server.url(database)
    with duckdb.connect() as connection:
        (create,) = made("", SERIES["duckdb"])
        connection.execute(create)
        renamed = "CASE WHEN d >= DATE '2026-11-19' THEN REPLACE(payload, '\"name\"', '\"nom\"') ELSE payload END"
        raw = connection.execute(f"SELECT id AS ID, d AS D, {renamed} AS P FROM events").to_arrow_table()
    load_tables(snowflake_server, database, {"RAW": raw})
    options = connect_options(url, DEFAULT_LIMITS, "the test's server")
    with snowflake.connector.connect(**options) as connected, connected.cursor() as cursor:
        cursor.execute("CREATE TABLE EVENTS AS SELECT ID, D, PARSE_JSON(P) AS PAYLOAD FROM RAW")
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW})
    text = CONFIG.format(url=url, more="    rules: [{not_null: PAYLOAD.user.id}]\n")
    desk.write(text.replace("main.events", "main.EVENTS").replace("time_column: d", "time_column: D"))
    answer = desk.judge("--no-alerts", "--date", LOST)
    bad = failed(answer, LOST)
    assert set(bad["schema"]["columns"]) == {"PAYLOAD.user.name", "PAYLOAD.user.nom"}, answer.err  # type: ignore[call-overload]
    assert "nulls.PAYLOAD.user.name" in bad
    assert statuses(answer, LOST)["rule.not_null_PAYLOAD_user_id"] == "pass"
    assert "error" not in statuses(answer, LOST).values()
    snowflake_server.drop(database)
