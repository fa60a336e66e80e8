"""What would alert if staging became production, asked on the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daywatch import gate
from monitor.cli.diffing import FORMATS, print_as
from tests.gate.conftest import DAY, ORDERS, Desk
from tests.wire import wired

PLAIN = 'warehouses: {main: "duckdb:///shop.duckdb"}\n'
JSON_KEYS = {"safe", "staging", "against", "partition", "would_alert", "allowed", "diff", "seconds"}
FINDING_KEYS = {
    "id",
    "table",
    "partition",
    "check",
    "kind",
    "status",
    "score",
    "columns",
    "segments",
    "summary",
    "change",
}


def checks(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["check"] for finding in findings}


@pytest.mark.parametrize("staging", ["same", "of_day"])
def test_an_equal_table_is_safe(desk: Desk, staging: str) -> None:
    code, found = desk.gate(f"main.staging.{staging}")
    assert code == 0, found
    assert set(found) >= JSON_KEYS
    assert found["safe"] is True
    assert (found["partition"], found["would_alert"], found["allowed"]) == (DAY, [], [])
    assert found["diff"]["equal"] is True
    assert (found["diff"]["rows_a"], found["diff"]["rows_b"], found["diff"]["method"]) == (400, 400, "join")
    assert found["statuses"]["pass"] > 10


def test_a_fault_would_alert_with_the_difference_beside(desk: Desk) -> None:
    code, found = desk.gate("main.staging.nulls")
    assert code == 1
    assert found["safe"] is False
    lead = found["would_alert"][0]
    assert set(lead) >= FINDING_KEYS
    assert (lead["check"], lead["change"], lead["table"]) == ("nulls.color", "nulls_up", "main.staging.nulls")
    assert {"nulls.color", "rule.not_null_color", "drift"} <= checks(found["would_alert"])
    assert found["diff"]["columns"] == {"color": 200}
    assert found["diff"]["changed"] == 200


def test_the_partition_is_the_one_named(desk: Desk) -> None:
    code, found = desk.gate("main.staging.nulls", "--date", "2026-11-18")
    assert (code, found["partition"], found["diff"]["equal"]) == (0, "2026-11-18", True)


def test_columns_are_mapped_in_either_order_and_without_case(desk: Desk) -> None:
    code, found = desk.gate("main.staging.renamed", "--map", "bought=d", "--map", "order_id=id")
    assert code == 0, found
    assert found["columns"] == {"bought": "d", "id": "order_id", "COLOR": "color"}
    assert found["diff"]["equal"] is True
    assert found["statuses"].get("error", 0) == 0


def test_a_renamed_time_column_is_proposed(desk: Desk) -> None:
    code, found = desk.gate("main.staging.moved")
    assert code == 1
    assert "schema" in checks(found["would_alert"])
    assert any("--map bought=d" in note for note in found["notes"])
    assert found["diff"] is None


def test_a_staging_table_without_rows_is_not_safe(desk: Desk) -> None:
    code, found = desk.gate("main.staging.empty")
    assert code == 1
    assert "freshness" in checks(found["would_alert"])
    assert any("no rows" in reason for reason in found["reasons"])
    assert (found["diff"]["rows_a"], found["diff"]["rows_b"]) == (400, 0)


def test_a_partition_that_neither_has_is_not_safe(desk: Desk) -> None:
    code, found = desk.gate("main.staging.same", "--date", "2027-01-01")
    assert (code, found["safe"]) == (1, False)
    assert any("neither" in reason for reason in found["reasons"])


@pytest.mark.parametrize(
    ("staging", "told", "broken"),
    [
        ("no_price", "gone: price", {"rule.price_positive"}),
        ("no_color", "gone: color", {"rule.not_null_color"}),
        ("more", "new: extra", set()),
        ("text_price", "retyped: price", set()),
    ],
)
def test_other_columns_break_the_schema(desk: Desk, staging: str, told: str, broken: set[str]) -> None:
    code, found = desk.gate(f"main.staging.{staging}")
    assert found["would_alert"], found
    assert broken <= checks(found["would_alert"])
    schema = next(f for f in found["would_alert"] if f["check"] == "schema")
    assert told in schema["summary"]
    assert code == (3 if found["errors"] else 1)
    if staging != "text_price":  # text is no number: checks of numbers may fail to run, which is said
        assert found["errors"] == []


def test_a_time_column_that_says_no_time_is_not_safe(desk: Desk) -> None:
    code, found = desk.gate("main.staging.text_day")
    assert code == 1
    assert any("cannot be judged" in reason for reason in found["reasons"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["main.staging.nope", "--against", "main.orders"], "no table"),
        (["main.staging.same", "--against", "main.nope"], "no table"),
        (["nowhere.orders", "--against", "main.orders"], "no warehouse"),
        (["main.orders", "--against", "main.orders"], "itself"),
        (["main.staging.same", "--against", "main.orders", "--map", "x=y"], "names no column"),
        (["main.staging.same", "--against", "main.orders", "--map", "x"], "no two columns"),
        (["main.staging.same", "--against", "main.orders", "--date", "soon"], "is not a day"),
        (["main.staging.same", "--against", "main.orders", "--format", "xml"], "unknown format"),
        (["main.staging.same", "--against", "main.orders", "--allow", "/nowhere.yaml"], "cannot be read"),
        (["main.staging.same"], "--against"),
    ],
)
def test_wrong_usage_ends_with_2(desk: Desk, arguments: list[str], said: str) -> None:
    code, out, err = desk("gate", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_nothing_is_recorded(desk: Desk) -> None:
    def state() -> dict[str, str]:
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in desk.folder.glob("daywatch.db")}

    before = state()
    assert before
    desk.gate("main.staging.both")
    desk.gate("main.staging.same", "--date", "2026-11-18")
    assert state() == before
    assert not (desk.folder / "alerts").exists()


def test_without_a_store_the_past_comes_from_production(own_desk: Callable[..., Desk]) -> None:
    config = f"{PLAIN}tables: [{{name: main.orders, time_column: d, drift_backfill_days: 7}}]\n"
    statements = (
        ORDERS, f"CREATE TABLE bad AS SELECT * REPLACE (price * 100 AS price) FROM orders WHERE d = '{DAY}'",
    )  # fmt: skip
    desk = own_desk(*statements, config=config)
    code, found = desk.gate("main.bad")
    assert code == 1
    assert any("price" in f["columns"] for f in found["would_alert"])
    assert not (desk.folder / "daywatch.db").exists()


def test_what_production_fails_too_is_told_apart(own_desk: Callable[..., Desk]) -> None:
    spoil = f"UPDATE orders SET color = NULL WHERE d = '{DAY}' AND order_id % 2 = 0"
    worse = f"UPDATE worse SET color = NULL WHERE d = '{DAY}'"
    copies = ("CREATE TABLE alike AS FROM orders", "CREATE TABLE worse AS FROM orders", worse)
    desk = own_desk(ORDERS, spoil, *copies)
    code, found = desk.gate("main.alike")
    assert (code, found["would_alert"]) == (0, [])
    assert "nulls.color" in checks(found["already"])
    code, found = desk.gate("main.worse")
    assert code == 1
    assert "nulls.color" in checks(found["would_alert"])


def test_what_nobody_could_judge_is_safe_only_if_equal_or_expected(own_desk: Callable[..., Desk]) -> None:
    table = "CREATE TABLE {} AS SELECT i AS id, i * {} AS n FROM range(50) t(i)"
    entry = "{name: main.orders, key: [id], rules: [{not_null: n}]"
    desk = own_desk(
        table.format("orders", 2), table.format("other", 3), "CREATE TABLE same AS FROM orders",
        config=f"{PLAIN}tables: [{entry}}}]\n",
    )  # fmt: skip
    code, found = desk.gate("main.other")
    assert (code, found["would_alert"]) == (1, [])
    assert any("learnt" in reason for reason in found["reasons"])
    assert desk.gate("main.same")[0] == 0
    who = "reason: new table, expires: 2026-12-01, author: ana"
    assert desk.gate("main.other", "--allow", desk.write("a.yaml", f"- {{check: drift, {who}}}\n"))[0] == 1
    code, found = desk.gate("main.other", "--allow", desk.write("a.yaml", f"- {{check: unjudged, {who}}}\n"))
    assert (code, found["reasons"]) == (0, [])
    assert any("new table (ana)" in note for note in found["notes"])
    desk.write("daywatch.yaml", f"{PLAIN}tables: [{entry}, automatic: false}}]\n")
    assert desk.gate("main.other")[0] == 0


def test_production_that_is_not_watched_is_judged_by_defaults(desk: Desk) -> None:
    url = f"duckdb:///{desk.folder / 'shop.duckdb'}"
    code, found = desk.gate(f"{url}#staging.both", against=f"{url}#young")
    assert code == 1
    assert {"nulls.color"} < checks(found["would_alert"])
    assert any("not in the configuration" in note for note in found["notes"])


def test_production_is_watched_however_it_is_spelt(desk: Desk) -> None:
    code, found = desk.gate("main.staging.same", against="main.main.orders")
    assert (code, found["against"], found["notes"]) == (0, "main.orders", [])


def test_staging_in_another_file(desk: Desk, tmp_path: Path) -> None:
    import duckdb

    file = tmp_path / "stage.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"ATTACH '{desk.folder / 'shop.duckdb'}' AS shop (READ_ONLY)")
        connection.execute("CREATE TABLE same AS FROM shop.orders")
        connection.execute("CREATE TABLE twice AS FROM shop.staging.both")
    code, found = desk.gate(f"duckdb:///{file}#same")
    assert (code, found["diff"]["method"], found["diff"]["equal"]) == (0, "checksum", True)
    code, found = desk.gate(f"duckdb:///{file}#twice")
    assert (code, found["diff"]["changed"]) == (1, 400)
    assert "nulls.color" in checks(found["would_alert"])


def test_staging_on_another_engine(desk: Desk, postgres: Any) -> None:
    import duckdb

    with duckdb.connect(str(desk.folder / "shop.duckdb"), read_only=True) as connection:
        rows = connection.execute(f"SELECT * FROM orders WHERE d >= DATE '{DAY}' - 1").fetchall()
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            connection.execute("CREATE TABLE orders (d date, order_id bigint, color text, price float8, note text)")
            connection.cursor().executemany("INSERT INTO orders VALUES (%s, %s, %s, %s, %s)", rows)
        code, found = desk.gate(f"{url}#orders")
        assert code == 0, found
        assert found["diff"]["equal"] is True
        with postgres.connect(url) as connection:
            connection.execute("UPDATE orders SET note = NULL")
        code, found = desk.gate(f"{url}#orders")
    assert code == 1
    assert "nulls.note" in checks(found["would_alert"])
    assert "s3cret" not in str(found)


def test_a_connection_that_is_lost_midway_ends_with_3(desk: Desk, postgres: Any) -> None:
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            connection.execute(
                "CREATE TABLE orders AS SELECT date '2026-11-20' AS d, i AS order_id, 'red' AS color,"
                " 5.0::float8 AS price, 'note 1' AS note FROM generate_series(14000, 14399) t(i)"
            )
        with wired(url) as (through, wire):
            code, _ = desk.gate(f"{through}#orders")
            assert code == 1
            whole = wire.passed
        for share in (0.1, 0.5, 0.9):
            with wired(url, whole * share) as (through, _):
                code, out, err = desk("gate", f"{through}#orders", "--against", "main.orders")
            assert (share, code, out) == (share, 3, ""), err
            assert "connect" in err
            assert "s3cret" not in err


def test_values_of_rows_stay_hidden(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    found = gate("main.staging.secret", "main.orders", config=desk.folder / "daywatch.yaml", date=DAY)
    assert found.exit_code == 1
    for format_ in FORMATS:
        print_as(found, format_, "monitor.gate.render")
        out = capsys.readouterr().out
        assert "order" in out
        assert "secret 1" not in out


def test_values_of_rows_are_shown_where_production_shows_them(desk: Desk) -> None:
    text = (desk.folder / "daywatch.yaml").read_text()
    desk.write("shown.yaml", f"{text}    show_values: true\n")
    asked = ("gate", "main.staging.secret", "--against", "main.orders", "--format", "json")
    assert "secret 1" in desk(*asked, config="shown.yaml")[1]
