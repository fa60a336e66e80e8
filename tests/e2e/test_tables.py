from __future__ import annotations

import time

import pytest

from tests.e2e.desk import Desk

DAY = "DATE '2026-10-20' + CAST(i // 100 AS INT)"
MOMENT = "TIMESTAMP '2026-10-20 00:00:00' + to_seconds(CAST(i * 864 AS INT))"
TABLES = {
    "odd": f"""SELECT {DAY} AS d, CAST(random() * 100 AS DECIMAL(38, 10)) AS dec, i % 2 = 0 AS b, uuid() AS u,
        CAST(i AS HUGEINT) * 10000000000000000000000 AS huge, encode('x' || i) AS bin, to_seconds(CAST(i AS INT)) AS iv,
        [i, i + 1] AS l, {{'a': i, 'b': 'x'}} AS st, CAST('{{"a": 1}}' AS JSON) AS j, map {{'k': i}} AS m,
        TIME '10:00:00' AS tm, CAST(NULL AS INT) AS never, 7 AS always, md5(CAST(i AS VARCHAR)) AS hash,
        CASE WHEN i % 20 = 0 THEN 'nan'::DOUBLE WHEN i % 31 = 0 THEN 'inf'::DOUBLE ELSE random() END AS fl,
        TIMESTAMP '1900-01-01 00:00:00' + to_days(CAST(i % 3 AS INT) * 1000000) AS far""",
    "epoch": f"SELECT epoch_ms({MOMENT}) AS at_ms, random() AS v",
    "iso": f"""SELECT strftime({MOMENT}, '%Y-%m-%dT%H:%M:%S')
        || (CASE i % 3 WHEN 0 THEN '+00:00' WHEN 1 THEN '+02:00' ELSE 'Z' END) AS at, random() AS v""",
    "batches": "SELECT CAST(1 + i // 100 AS INT) AS batch, random() AS v",
    "nulltime": f"SELECT CASE WHEN i % 50 > 0 THEN {DAY} END AS d, random() AS v",
    '"we\'ird ""tbl"".x ü select"': f"""SELECT {DAY} AS "da y", random() AS "a.b", 'x' || (i % 5) AS "sel""ect",
        random() AS "ü'ü", i % 3 AS "order", i AS "per%cent:x" """,
}


@pytest.mark.parametrize("name", TABLES)
def test_init_finds_the_time_of_a_table_and_its_last_day_is_judged(empty_desk: Desk, name: str) -> None:
    empty_desk.sql(f"CREATE TABLE {name} AS {TABLES[name]} FROM range(3200) t(i)", file="w.duckdb")
    started = time.process_time()
    assert empty_desk.say("init", "duckdb:///w.duckdb").code == 0
    assert time.process_time() - started < 20
    assert empty_desk.say("check-config").code == 0
    made = (empty_desk.folder / "daywatch.yaml").read_text(encoding="utf-8")
    empty_desk.write(made.replace("tables:\n", "defaults: {drift_backfill_days: 7}\ntables:\n", 1))
    answer = empty_desk.judge()
    assert answer.code == 0, answer.out + answer.err
    assert {f["status"] for f in answer.findings} <= {"pass", "learning"}
    assert {f["partition"] for f in answer.findings} == {"32" if name == "batches" else "2026-11-20"}


EDGES = {
    "empty": "CREATE TABLE t(d DATE, v DOUBLE)",
    "one_row": "CREATE TABLE t AS SELECT DATE '2026-11-20' AS d, 1.0 AS v",
    "three_days": """CREATE TABLE t AS SELECT DATE '2026-11-18' + CAST(i // 50 AS INT) AS d, random() AS v
        FROM range(150) t(i)""",
    "far_dates": f"""CREATE TABLE t AS SELECT {DAY} AS d, random() AS v FROM range(3200) t(i)
        UNION ALL VALUES (DATE '1900-01-01', 1), (DATE '9999-12-31', 2), (DATE '2026-12-24', 3),
        ('infinity'::DATE, 4)""",
    "a_view": f"CREATE VIEW t AS SELECT {DAY} AS d, i % 3 AS v FROM range(3200) t(i)",
}


@pytest.mark.parametrize("name", EDGES)
def test_small_and_strange_tables_are_judged_without_alarm(empty_desk: Desk, name: str) -> None:
    empty_desk.sql(EDGES[name], file="w.duckdb")
    empty_desk.write(
        'warehouses: {main: "duckdb:///w.duckdb"}\ndefaults: {drift_backfill_days: 7}\n'
        "tables: [{name: main.t, time_column: d}]\n"
    )
    answer = empty_desk.judge("--date", "2026-11-20")
    assert answer.code == 0, answer.out + answer.err
    assert answer.findings
    assert [e for e in answer.events if e["alerted"]] == []


def test_an_hourly_table_speaks_of_hours_through_the_change_of_the_clock(empty_desk: Desk) -> None:
    empty_desk.sql(
        """CREATE TABLE h AS SELECT TIMESTAMPTZ '2026-10-22 00:00:00+00' + to_minutes(CAST(i * 3 AS INT)) AS ts,
        random() AS v FROM range(2000) t(i)""",
        file="w.duckdb",
    )
    empty_desk.write(
        'warehouses: {main: "duckdb:///w.duckdb"}\ndefaults: {drift_backfill_days: 24}\ntimezone: Europe/Berlin\n'
        "tables: [{name: main.h, time_column: ts, cadence: hour}]\n"
    )
    now = "2026-10-27T12:10+00:00"
    answer = empty_desk.judge(
        "--from", "2026-10-25T01:00+02:00", "--to", "2026-10-25T03:00+01:00", "--no-alerts", now=now
    )
    hours = ["2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"]
    assert list(dict.fromkeys(f["partition"] for f in answer.findings)) == hours
    late = empty_desk.judge(now=now)
    (event,) = late.events
    assert event["partition"] == "2026-10-27T12:00+01:00"
    assert "of such hours" in event["title"]
    (alert,) = (p for p in (empty_desk.folder / "alerts").iterdir() if p.name != "pictures")
    assert "hours watched" in (alert / "message.md").read_text(encoding="utf-8")


def test_a_weekly_table_speaks_of_weeks(empty_desk: Desk) -> None:
    empty_desk.sql(
        """CREATE TABLE w AS SELECT DATE '2026-01-05' + CAST(7 * (i // 50) AS INT) AS d, random() AS v
        FROM range(1500) t(i)""",
        file="w.duckdb",
    )
    empty_desk.write(
        'warehouses: {main: "duckdb:///w.duckdb"}\ntables: [{name: main.w, time_column: d, cadence: week}]\n'
    )
    (event,) = empty_desk.judge("--date", "2026-08-05", "--no-alerts").events
    assert event["partition"] == "2026-08-03"
    assert event["title"].startswith("No rows came for week of Mon 3 Aug 2026, although 100% of such weeks")
