"""The buttons under an alert in Slack, and what a press of one says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.alerts.blocks import Message

BLOCK = "daywatch"
ACTIONS = re.compile(r"daywatch_\w+")
MUTES = (("for a day", 1), ("for a week", 7), ("for four weeks", 28), ("for good", 0))
PERSON = re.compile(r"[UW][A-Z0-9]{1,20}")
"""Slack's id of a user."""
EDIT = "edit"
_ASSIGN = "daywatch_assign."
_MENU = (("Assign to me", "assign"), ("Resolve", "resolve"), ("Too sensitive", "noise"), ("Edit check", EDIT))
"""At most five, says Slack."""
_WORDS = frozenset({"acknowledge", "expected", "mute", "assign", "resolve", "noise", EDIT})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Press:
    """What somebody said by a button.

    `days` is how long to mute, 0 for good, None where it is no mute; `to` is Slack's id of the user whom it is assigned
    to, None where they take it themselves. `edit` records nothing: it asks where the check is configured.
    """

    incident: str
    action: str
    days: int | None = None
    to: str | None = None

    def until(self, now: dt.datetime) -> dt.datetime | None:
        """When a mute ends."""
        return now + dt.timedelta(days=self.days) if self.days else None


def render_actions(message: Message) -> list[Json]:
    """The row of buttons; none under what is closed, and under a message of many incidents."""
    if message.closed or not message.incident:
        return []
    name = message.incident
    elements: list[Json] = [
        _button("Acknowledge", "acknowledge", name, "primary"),
        _button("Expected", "expected", name),
        {
            "type": "static_select",
            "action_id": "daywatch_mute",
            "placeholder": _text("Mute..."),
            "options": [{"text": _text(f"Mute {word}"), "value": f"mute {name} {days}"} for word, days in MUTES],
        },
        {"type": "users_select", "action_id": f"{_ASSIGN}{name}", "placeholder": _text("Assign to...")},
        {
            "type": "overflow",
            "action_id": "daywatch_more",
            "options": [{"text": _text(word), "value": f"{action} {name}"} for word, action in _MENU],
        },
    ]
    return [{"type": "actions", "block_id": BLOCK, "elements": elements}]


def read_press(action: Mapping[str, Any]) -> Press | None:
    """What a press says; None for what no button of ours ever said."""
    if action.get("type") == "users_select":
        return _read_person(action)
    value = action.get("value") or (action.get("selected_option") or {}).get("value")
    parts = value.split(" ") if isinstance(value, str) else []
    if len(parts) not in (2, 3) or parts[0] not in _WORDS:
        return None
    days = int(parts[2]) if len(parts) == 3 and parts[2].isdecimal() else None
    if (parts[0] == "mute") != (days is not None and days in [length for _, length in MUTES]):
        return None
    return Press(parts[1], parts[0], days)


def _read_person(action: Mapping[str, Any]) -> Press | None:
    """Somebody was chosen from the list of all people; the incident stands in the name of that list."""
    name, user = str(action.get("action_id", "")), action.get("selected_user")
    if not name.startswith(_ASSIGN) or not isinstance(user, str) or not PERSON.fullmatch(user):
        return None
    return Press(name.removeprefix(_ASSIGN), "assign", to=user)


def _button(word: str, action: str, incident: str, style: str | None = None) -> Json:
    button: Json = {
        "type": "button",
        "action_id": f"daywatch_{action}",
        "text": _text(word),
        "value": f"{action} {incident}",
    }
    return button | ({"style": style} if style else {})


def _text(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}
