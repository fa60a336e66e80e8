from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from monitor.alerts.blocks import Bars, Code, ColumnChange, Fact, Facts, Message, Picture, Places, Text, Where
from monitor.notifiers.base import DeliveryError, load_notifier
from monitor.notifiers.teams_card import CARD_MAX, render_card
from monitor.plots import SeriesPicture, draw
from tests.notifiers.test_webhook import Receiver

Alert = Callable[..., Message]
TEAMS_MAX = 28_000
NASTY = "**b** [l](http://x) <at>all</at> \u202e\x00 🔥 北京" + "x" * 100_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    running.status = 202
    with running.server as server:
        import threading

        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        server.shutdown()
        thread.join()


def inlines(card: Any) -> list[dict[str, Any]]:
    body = card["attachments"][0]["content"]["body"]
    return [run for block in body for run in block.get("inlines", ())]


def test_a_card_reaches_the_workflow(alert: Alert, receiver: Receiver, tmp_path: Path) -> None:
    teams = load_notifier("teams:data", {"url": receiver.url}, base=tmp_path)
    assert teams.send(alert()) == "HTTP 202"
    card = json.loads(receiver.got[0][2])
    assert card["type"] == "message"
    assert card["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "dep_time is missing in 54%" in inlines(card)[0]["text"]


def test_what_the_workflow_refuses_is_told_without_its_address(
    alert: Alert, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.status = 404
    with pytest.raises(DeliveryError) as refused:
        load_notifier("teams:data", {"url": receiver.url}, base=tmp_path).send(alert())
    assert "s3cretpath" not in str(refused.value)
    assert refused.value.retryable


def test_the_picture_is_in_the_card_and_small(alert: Alert, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    points = tuple((str(i), 0.02 + 0.001 * (i % 7), True) for i in range(60))
    draw(SeriesPicture("dep_time", "share", points, 0.54, "9 Feb", 0.02, 0.01, 0.05), path)
    card = render_card(alert(blocks=(Picture(str(path), "Missing: 54%."),)))
    image = next(b for b in card["attachments"][0]["content"]["body"] if b["type"] == "Image")
    assert image["altText"] == "Missing: 54%."
    data = base64.b64decode(image["url"].removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.width == 480
    assert len(json.dumps(card)) < TEAMS_MAX


def test_a_picture_that_is_gone_leaves_its_words(alert: Alert) -> None:
    card = render_card(alert(blocks=(Picture("/nowhere/p.png", "Missing: 54%."),)))
    assert "Picture: Missing: 54%." in [run["text"] for run in inlines(card)]


def test_however_wide_the_message_is_the_card_stays_within_the_limit(alert: Alert) -> None:
    blocks = (
        Text(NASTY),
        Bars(tuple(ColumnChange(f"{NASTY}{i}", 0.1, NASTY, NASTY) for i in range(1_000))),
        Places((Where(NASTY, 1.0, 1.0, 1),) * 500),
        Facts((Fact(NASTY, NASTY),) * 500),
        Code("SQL", "SELECT 1\n" * 100_000),
    )
    card = render_card(alert(title=NASTY, blocks=blocks))
    assert len(json.dumps(card)) < TEAMS_MAX
    assert "Cut here" in json.dumps(card)
    assert CARD_MAX < TEAMS_MAX


def test_values_are_runs_of_text_and_never_markdown(alert: Alert) -> None:
    told = render_card(replace(alert(), title=NASTY, blocks=(Text(NASTY),)))
    body = told["attachments"][0]["content"]["body"]
    assert {block["type"] for block in body} == {"RichTextBlock"}
    assert "\u202e" not in json.dumps(told, ensure_ascii=False)
