from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from monitor.alerts.blocks import Message, Picture
from monitor.notifiers.slack_blocks import render_blocks, render_fallback, render_thread
from monitor.notifiers.teams_card import render_card
from tests.alerts.test_message import MESSAGES


def drawn(message: Message) -> Message:
    """With pictures that are not on disk, so that what is rendered depends on nothing else."""
    blocks = tuple(replace(b, path="") if isinstance(b, Picture) else b for b in message.blocks)
    return replace(message, alert_id="0b5e", blocks=blocks)


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_gets_what_is_expected(name: str, expect: Callable[[str, str], None]) -> None:
    message = drawn(MESSAGES[name])
    told = {
        "text": render_fallback(message),
        "blocks": render_blocks(message, {0: "F0PICTURE"}),
        "thread": render_thread(message),
    }
    expect(f"{name}.slack.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", MESSAGES)
def test_teams_gets_what_is_expected(name: str, expect: Callable[[str, str], None]) -> None:
    expect(f"{name}.teams.json", json.dumps(render_card(drawn(MESSAGES[name])), indent=2, ensure_ascii=False) + "\n")


def test_every_block_of_a_message_is_in_both(expect: Callable[[str, str], None]) -> None:
    for kind, block in {type(block).__name__.lower(): block for block in MESSAGES["nulls"].blocks}.items():
        message = drawn(replace(MESSAGES["nulls"], blocks=(block,)))
        told = {"slack": [*render_blocks(message, {}), *render_thread(message)], "teams": render_card(message)}
        expect(f"block.{kind}.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
