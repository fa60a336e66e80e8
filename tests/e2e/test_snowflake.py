"""From an address of Snowflake to the incident, by the real connector and the protocol server."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from tests.e2e.desk import Desk
from tests.snowflake_server.process import Server
from tests.snowflake_server.tables import load_tables

FIRST = dt.date(2026, 11, 7)
DAYS, ROWS = 14, 200


def orders() -> pa.Table:
    """Two weeks of orders; on the last day three of five have no colour."""
    random = np.random.default_rng(5)
    total = DAYS * ROWS
    day = np.arange(total) // ROWS
    colour = random.choice(["red", "green", "blue"], total)
    gone = (day == DAYS - 1) & (np.arange(total) % 5 < 3)
    return pa.table(
        {
            "ORDER_DATE": pa.array([FIRST + dt.timedelta(days=int(n)) for n in day], pa.date32()),
            "ORDER_ID": pa.array(range(total)),
            "COLOUR": pa.array(colour, mask=gone),
            "PRICE": random.uniform(1, 100, total),
        }
    )


def test_a_starter_configuration_runs_and_finds_the_bad_day(snowflake_server: Server, empty_desk: Desk) -> None:
    database = snowflake_server.database()
    load_tables(snowflake_server, database, {"ORDERS": orders()})
    begun = empty_desk.say("init", snowflake_server.url(database))
    assert begun.code == 0, begun.err
    written = (empty_desk.folder / "daywatch.yaml").read_text(encoding="utf-8")
    assert "main.ORDERS" in written
    assert "time_column: ORDER_DATE" in written
    assert "[ORDER_ID]" in written
    assert "s3cret" not in written
    empty_desk.environment = {**empty_desk.environment, "DAYWATCH_MAIN_PASSWORD": "s3cret"}
    judged = empty_desk.judge("--from", "2026-11-19", "--to", "2026-11-20", "--no-alerts")
    assert judged.code == 1, judged.err
    assert {finding["status"] for finding in judged.findings} <= {"pass", "fail", "learning"}
    (opened,) = (event for event in judged.events if event["event"] == "opened")
    assert opened["partition"] == "2026-11-20"
    assert opened["change"] == "nulls_up"
    assert opened["columns"][0] == "COLOUR"
    assert opened["alerted"]
    failed = next(finding for finding in judged.findings if finding["status"] == "fail")
    assert '"PUBLIC"."ORDERS"' in failed["sql_bad"]
    again = empty_desk.judge("--date", "2026-11-19", "--dry-run", "--no-alerts")
    assert again.code == 0, again.err


def test_a_warehouse_out_of_reach_is_one_error(snowflake_server: Server, empty_desk: Desk) -> None:
    empty_desk.write(
        f'warehouses: {{main: "{snowflake_server.url("D", user="expired_token")}"}}\n'
        "tables: [{name: main.ORDERS, time_column: ORDER_DATE}]\n"
    )
    answer = empty_desk.judge("--date", "2026-11-20")
    assert answer.code == 3
    assert [(f["table"], f["check"], f["status"]) for f in answer.findings] == [("main", "source", "error")]
    assert [(e["table"], e["event"], e["alerted"]) for e in answer.events] == [("main", "opened", True)]
    assert "renew the token" in answer.findings[0]["summary"]
    assert "s3cret" not in answer.out + answer.err
    assert [e["event"] for e in empty_desk.judge("--date", "2026-11-20").events] == ["continued"]
