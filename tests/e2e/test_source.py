"""Trouble of a source is one incident, told once, ended by the first success, whoever's it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Answer, Desk
from tests.postgres_server import Server

NOW = "2026-11-21T05:00+00:00"
CONFIG = """warehouses:
  main: "{url}"
  lake: duckdb:///shop.duckdb
defaults: {{channels: ["folder:alerts"]}}
tables:
  - {{name: main.first, time_column: d, automatic: false, rules: [{{not_null: n}}]}}
  - {{name: main.second, time_column: d, automatic: false, channels: ["folder:more"], rules: [{{not_null: n}}]}}
  - {{name: lake.third, time_column: d, automatic: false, rules: [{{not_null: n}}]}}
"""
MAKE = "CREATE TABLE {} AS SELECT DATE '2026-11-10' + g AS d, g AS n FROM generate_series(0, 10) AS t(g)"


@pytest.fixture
def served(tmp_path: Path, postgres: Server) -> Iterator[tuple[Desk, Server, str]]:
    """A desk with two tables in a database that can be renamed away, and one beside it."""
    url = postgres.database()
    with postgres.connect(url) as connection:
        for name in ("first", "second"):
            connection.execute(MAKE.format(name))
    desk = Desk(tmp_path).sql(
        "CREATE TABLE third AS SELECT DATE '2026-11-10' + CAST(g AS INT) AS d, g AS n FROM range(11) t(g)"
    )
    yield desk.write(CONFIG.format(url=url)), postgres, url
    postgres.drop(url)


def rename(server: Server, old: str, new: str) -> None:
    with server.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (old,))
        connection.execute(f"ALTER DATABASE {old} RENAME TO {new}")


def told(answer: Answer) -> list[tuple[str, str, str]]:
    return [(e["table"], e["event"], e["incident"]) for e in answer.events]


def alerts(desk: Desk) -> dict[str, int]:
    return {name: len(list((desk.folder / name).glob("*INC*"))) for name in ("alerts", "more")}


def test_a_warehouse_out_of_reach_is_one_incident_and_the_others_go_on(served: tuple[Desk, Server, str]) -> None:
    desk, server, url = served
    name = url.rpartition("/")[2]
    rename(server, name, f"{name}_gone")
    answer = desk.judge()
    assert answer.code == 3
    assert told(answer) == [("main", "opened", "INC-1")]
    errors = [f for f in answer.findings if f["status"] == "error"]
    assert [(f["table"], f["check"], f["incident"]) for f in errors] == [("main", "source", "INC-1")]
    assert "does not exist" in errors[0]["summary"]
    assert {f["table"] for f in answer.findings} == {"main", "lake.third"}
    assert alerts(desk) == {"alerts": 1, "more": 1}
    again = desk.judge(now="2026-11-21T06:00+00:00")
    assert (again.code, told(again)) == (3, [("main", "continued", "INC-1")])
    assert alerts(desk) == {"alerts": 1, "more": 1}
    state = desk.say("status")
    assert state.code == 3
    assert state.out.startswith("?? main ")
    assert "INC-1" in state.out
    assert "INC-1" in desk.say("history", "main").out
    rename(server, f"{name}_gone", name)
    well = desk.judge(now="2026-11-21T07:00+00:00")
    assert (well.code, told(well)) == (0, [("main", "recovered", "INC-1")])
    assert desk.say("status").code == 0
    assert alerts(desk) == {"alerts": 1, "more": 1}


def test_a_table_that_cannot_be_read_is_one_incident_of_its_own(served: tuple[Desk, Server, str]) -> None:
    desk, server, url = served
    with server.connect(url) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION fail(n int) RETURNS int LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'refused' USING ERRCODE = '42501'; END $$"
        )
        connection.execute("ALTER TABLE first RENAME TO base")
        connection.execute("CREATE VIEW first AS SELECT d, n FROM base")
        assert desk.judge().code == 0
        connection.execute(
            "CREATE OR REPLACE VIEW first AS SELECT d, CASE WHEN d > '2000-01-01' THEN fail(n) END AS n FROM base"
        )
        answer = desk.judge(now="2026-11-22T05:00+00:00")
        assert answer.code == 3
        assert told(answer) == [("main.first", "opened", "INC-1")]
        assert [f["check"] for f in answer.findings if f["status"] == "error"] == ["source"]
        assert {f["table"] for f in answer.findings} == {"main.first", "main.second", "lake.third"}
        assert told(desk.judge(now="2026-11-22T06:00+00:00")) == [("main.first", "continued", "INC-1")]
        assert desk.say("status").code == 3
        connection.execute("CREATE OR REPLACE VIEW first AS SELECT d, n FROM base")
    well = desk.judge(now="2026-11-22T07:00+00:00")
    assert ("main.first", "recovered", "INC-1") in told(well)
    assert "INC-1 2026-11-22T05" in desk.say("history", "main.first").out
    assert alerts(desk)["alerts"] >= 1
