from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.blocks import (
    Bars,
    Code,
    ColumnChange,
    Fact,
    Facts,
    Message,
    Picture,
    Places,
    Steps,
    Text,
    Where,
)
from monitor.notifiers.slack import Slack
from tests.notifiers.slack_stub import TOKEN, Clock, SlackStub

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture
def connect(stub: SlackStub, clock: Clock, tmp_path: Path) -> Callable[..., Slack]:
    """A notifier that has never spoken to the stub."""

    def make(address: str = "#data-alerts", token: str = TOKEN) -> Slack:
        settings = {"token": token, "base_url": stub.url}
        return Slack(f"slack:{address}", address, settings, tmp_path, sleep=clock.sleep, clock=clock, now=clock)

    return make


@pytest.fixture
def slack(connect: Callable[..., Slack]) -> Slack:
    return connect()


@pytest.fixture
def alert(tmp_path: Path) -> Callable[..., Message]:
    """A message as it is composed, with a picture on disk."""

    def make(alert_id: str = "a1", **more: Any) -> Message:
        picture = tmp_path / "nulls.png"
        picture.write_bytes(PNG)
        values: dict[str, Any] = {
            "alert_id": alert_id,
            "incident": "INC-17",
            "table": "main.flights",
            "partition": "2013-02-09",
            "event": "opened",
            "severity": "strong",
            "title": "dep_time is missing in 54% of flights on 9 Feb 2013, usually 2.1%",
            "blocks": (
                Text("497 of 920 flights have no departure time."),
                Picture(str(picture), "Missing dep_time: 54% today, expected 2.1%."),
                Text("First time in 39 days watched."),
                Bars((ColumnChange("dep_time", 0.62, "missing 2.1%", "missing 54%"),)),
                Places((Where("origin = 'LGA'", 0.93, 0.88, 402),)),
                Facts((Fact("Confidence", "certain"), Fact("Owner", "@ana"))),
                Steps(("`daywatch explain {finding}` tells the whole story",)),
                Code("The rows to look at", "SELECT *\nFROM flights\nWHERE dep_time < 0"),
                Code("Rows to compare with", "SELECT 2"),
            ),
            "findings": ("F-201",),
            "owner": "@ana",
        }
        return Message(**{**values, **more})

    return make
