"""Slack down for a day: alerts wait, and arrive once, in order, when it is back."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from tests.e2e.desk import Desk
from tests.notifiers.slack_stub import TOKEN, SlackStub
from tests.serve.driven import Driven
from tests.serve.test_faults import NOON
from tests.soak.soak import Ticking

CONFIG = """warehouses: {{main: "duckdb:///shop.duckdb"}}
serve: {{port: 0, workers: 1}}
defaults: {{channels: ["slack:#data-alerts"]}}
channels:
  "slack:#data-alerts": {{token: "{token}", base_url: "{url}"}}
tables:
  - {{name: main.*, time_column: d, due: "06:00", automatic: false, rules: [{{not_null: v}}]}}
"""


def test_alerts_of_a_day_wait_and_arrive_once_in_order(tmp_path: Path) -> None:
    made = (
        f"CREATE TABLE {name} AS SELECT DATE '2024-02-20' + CAST(i // 20 AS INT) AS d,"
        " CASE WHEN i >= 260 AND i % 2 = 0 THEN NULL ELSE i END AS v FROM range(280) t(i)"
        for name in ("a", "b")
    )
    Desk(tmp_path).sql(*made)
    with SlackStub(Ticking(time.time())) as slack:
        (tmp_path / "daywatch.yaml").write_text(CONFIG.format(token=TOKEN, url=slack.url))
        slack.faults["chat.postMessage"] = ["service_unavailable"] * 500
        service = Driven(tmp_path, NOON)
        for hours in range(0, 24, 2):
            assert service.at(NOON + dt.timedelta(hours=hours))
        assert slack.posts == []
        told = service.events("not delivered")
        assert 1 <= len(told) <= 3  # not one an attempt
        slack.faults.clear()
        for hours in (24, 25, 26):
            assert service.at(NOON + dt.timedelta(hours=hours))
        status, metrics = service.get("/metrics")
        assert status == 200
        assert "daywatch_alerts_waiting 0.0" in metrics
        assert TOKEN not in metrics
        assert service.close() == 0
    tables = [str(post["blocks"]) for post in slack.posts]
    assert len(tables) == 2
    assert "main.a" in tables[0]
    assert "main.b" in tables[1]
    assert TOKEN not in str(service.log)
