"""Ninety real days with faults, through the service itself and into the stub of Slack: one message a fault."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import pytest

from monitor.demo.warehouse import build_warehouse
from tests.e2e.desk import Desk
from tests.notifiers.slack_stub import TOKEN, SlackStub
from tests.serve.driven import Driven
from tests.soak.soak import Ticking

FIRST, DAYS = dt.date(2013, 4, 1), 90
FAULTS: dict[tuple[str, str], str] = {
    ("2013-04-10", "2013-04-12"): "UPDATE flights SET distance = distance / 2 WHERE {days}",
    ("2013-04-24", "2013-04-24"): "UPDATE flights SET origin = 'JFK' WHERE {days} AND origin = 'LGA'",
    ("2013-05-06", "2013-05-07"): "DELETE FROM flights WHERE {days} AND origin = 'LGA'",
    ("2013-05-20", "2013-05-20"): "INSERT INTO flights SELECT * FROM flights WHERE {days} AND flight % 2 = 0",
    ("2013-06-03", "2013-06-05"): "UPDATE flights SET distance = distance * 10 WHERE {days}",
    ("2013-06-17", "2013-06-17"): "UPDATE flights SET tailnum = NULL WHERE {days} AND flight % 10 < 8",
}
LONG = [("2013-04-10", "2013-04-12"), ("2013-06-03", "2013-06-05")]
CONFIG = """warehouses: {{main: "duckdb:///flights.duckdb"}}
serve: {{port: 0, workers: 1}}
channels:
  "slack:#data-alerts": {{token: "{token}", base_url: "{url}"}}
tables:
  - name: main.flights
    time_column: flight_date
    due: "06:00"
    watch: light
    channels: ["slack:#data-alerts"]
    metrics:
      - {{name: no_departure, sql: "avg(CASE WHEN dep_time IS NULL THEN 1.0 ELSE 0 END)"}}
      - {{name: no_air_time, sql: "avg(CASE WHEN air_time IS NULL THEN 1.0 ELSE 0 END)"}}
      - {{name: no_plane, sql: "avg(CASE WHEN tailnum IS NULL THEN 1.0 ELSE 0 END)"}}
      - {{name: from_lga, sql: "avg(CASE WHEN origin = 'LGA' THEN 1.0 ELSE 0 END)"}}
      - {{name: mean_distance, sql: "avg(distance)"}}
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[SlackStub, Driven]:
    """The stub and the service after ninety mornings."""
    folder = tmp_path_factory.mktemp("ninety")
    build_warehouse(folder / "flights.duckdb")
    statements = [
        sql.format(days=f"flight_date BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last} 23:59:59'")
        for (first, last), sql in FAULTS.items()
    ]
    end = FIRST + dt.timedelta(days=DAYS)
    Desk(folder).sql(*statements, f"DELETE FROM flights WHERE flight_date >= TIMESTAMP '{end}'", file="flights.duckdb")
    morning = dt.datetime.combine(FIRST, dt.time(8), dt.UTC)
    with SlackStub(Ticking(time.time())) as slack:
        (folder / "daywatch.yaml").write_text(CONFIG.format(token=TOKEN, url=slack.url))
        service = Driven(folder, morning)
        for day in range(1, DAYS + 1):
            assert service.at(morning + dt.timedelta(days=day))
        assert service.close() == 0
    return slack, service


def day_of(post: dict[str, Any]) -> str:
    """The day that a message was opened about."""
    found = re.search(r"main\.flights · (\d{4}-\d\d-\d\d) · (\w+)", str(post["blocks"]))
    assert found, post["blocks"]
    return found[1] if found[2] == "opened" else ""


def openings(slack: SlackStub, span: tuple[str, str]) -> list[dict[str, Any]]:
    return [post for post in slack.posts if span[0] <= day_of(post) <= span[1]]


@pytest.mark.parametrize("span", FAULTS, ids=lambda span: span[0])
def test_each_fault_is_opened_once_and_resolved(played: tuple[SlackStub, Driven], span: tuple[str, str]) -> None:
    opened = openings(played[0], span)
    assert len(opened) == 1
    assert "Resolved: " in opened[0]["blocks"][0]["text"]["text"]
    assert "Well again on " in str(opened[0]["blocks"])


@pytest.mark.parametrize("span", LONG, ids=lambda span: span[0])
def test_what_goes_on_changes_its_message_day_by_day(played: tuple[SlackStub, Driven], span: tuple[str, str]) -> None:
    slack, _ = played
    (opened,) = openings(slack, span)
    said = [str(post["blocks"]) for ts, post in slack.edits if ts == opened["ts"]]
    assert any(f"Still so on {span[1]}" in text for text in said)
    assert len([reply for reply in slack.replies if reply["thread_ts"] == opened["ts"]]) >= 1


def test_nothing_was_lost_and_nothing_refused(played: tuple[SlackStub, Driven]) -> None:
    slack, service = played
    assert service.events("not delivered") == []
    assert service.events("alerts were not sent") == []
    assert len(service.events("judged")) == DAYS
    alerts = [post["metadata"]["event_payload"]["alert_id"] for post in slack.posts]
    assert len(alerts) == len(set(alerts))


def test_ordinary_days_are_quiet(played: tuple[SlackStub, Driven]) -> None:
    slack, _ = played
    known = [post for span in FAULTS for post in openings(slack, span)]
    others = [post for post in slack.posts if day_of(post) and post not in known]
    assert len(others) <= 6, [day_of(post) for post in others]  # twice the budget: spring has storms of its own
