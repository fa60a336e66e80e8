"""The flights of the demo in PostgreSQL: the same incidents as in DuckDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.desk import NOW, Answer, Desk
from tests.postgres_server import Server

FIRST, LAST = "2013-02-07", "2013-02-10"
END = "2013-02-12"
"""What comes later is read by neither."""


def judged(desk: Desk, url: str) -> Answer:
    made = desk.say("init", url)
    assert made.code == 0, made.err
    assert "flight_date" in (desk.folder / "daywatch.yaml").read_text("utf-8")
    text = (desk.folder / "daywatch.yaml").read_text("utf-8")
    desk.write(text.replace("tables:\n", "defaults: {drift_backfill_days: 4}\ntables:\n", 1))
    return desk.judge("--from", FIRST, "--to", LAST, "--no-alerts")


@pytest.mark.slow
def test_flights_tell_the_same_in_postgresql_as_in_duckdb(tmp_path: Path, postgres: Server) -> None:
    import duckdb

    from monitor.demo.warehouse import build_warehouse
    from tests.postgres_tables import load_tables

    secret = {
        "DAYWATCH_NOW": NOW,
        "DAYWATCH_MAIN_PASSWORD": str(postgres.url.password),
    }  # `init` keeps it out of the file
    embedded, served = Desk(tmp_path / "duckdb"), Desk(tmp_path / "postgres", secret)
    for desk in (embedded, served):
        desk.folder.mkdir()
    build_warehouse(embedded.folder / "warehouse.duckdb")
    with duckdb.connect(str(embedded.folder / "warehouse.duckdb")) as connection:
        connection.execute(f"DELETE FROM flights WHERE flight_date >= '{END}'")
        flights = connection.execute("SELECT * FROM flights").to_arrow_table()
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            load_tables(connection, {"flights": flights})
            connection.execute("CREATE INDEX ON flights (flight_date); ANALYZE flights")
        theirs = judged(served, url)
    mine = judged(embedded, "duckdb:///warehouse.duckdb")
    assert theirs.code == mine.code == 1
    assert [f["check"] for f in theirs.findings] == [f["check"] for f in mine.findings]
    assert all(f["status"] != "error" for f in theirs.findings)
    assert _events(theirs) == _events(mine)
    blizzard = next(e for e in theirs.events if e["partition"] == "2013-02-08")
    assert blizzard["event"] == "opened"
    assert {"dep_time", "arr_time"} <= set(blizzard["columns"])


def _events(answer: Answer) -> list[tuple[object, ...]]:
    return [(e["event"], e["partition"], e["change"], e["alerted"]) for e in answer.events]
