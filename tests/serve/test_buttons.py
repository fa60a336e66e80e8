"""Buttons in Slack: slack-bolt itself, over HTTP and Socket Mode, against the stub."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.serve.buttons import PATH, Buttons
from monitor.serve.clock import DrivenClock
from monitor.serve.logs import set_up_logs
from monitor.serve.web import Web
from monitor.store import Store
from tests.notifiers.slack_stub import APP_TOKEN, SIGNING_SECRET, TOKEN, Clock, SlackStub
from tests.notifiers.test_threads import Desk

NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)
CONFIG = """warehouses: {{main: "duckdb:///none.duckdb"}}
channels:
  "slack:#data-alerts": {{token: "{token}", base_url: "{url}", {more}}}
tables:
  - name: main.t
    rules:
      - not_null: sku
"""


class Office:
    """A service's buttons over HTTP, the stub of Slack, and an alert that is there."""

    def __init__(self, folder: Path, stub: SlackStub, clock: Clock, more: str) -> None:
        from monitor.notifiers.slack import Slack

        path = folder / "daywatch.yaml"
        path.write_text(CONFIG.format(token=TOKEN, url=stub.url, more=more))
        self.stub, self.sent = stub, 0
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")
        config = load_config(path)
        log = set_up_logs("json", lambda: "now")
        self.buttons = Buttons(self.store, DrivenClock(NOW), log, self._count)
        self.buttons.follow(config)
        self.web = Web("127.0.0.1", 0, {}, {PATH: self.buttons.answer})
        settings = {"token": TOKEN, "base_url": stub.url, "signing_secret": SIGNING_SECRET}
        slack = Slack("slack:#data-alerts", "#data-alerts", settings, folder, sleep=clock.sleep, clock=clock, now=clock)
        self.desk = Desk(self.store, slack, clock, folder)
        self.incident = self.desk.happen(0)

    def _count(self) -> None:
        self.sent += 1

    def close(self) -> None:
        self.web.close()
        self.buttons.close()
        self.store.close()

    def payload(self, value: str, **more: Any) -> dict[str, Any]:
        """What Slack sends for a press."""
        post = self.stub.posts[0]
        return {
            "type": "block_actions",
            "team": {"id": "T1", "domain": "us"},
            "user": {"id": "U1", "username": "ana", "team_id": "T1"},
            "api_app_id": "A1",
            "token": "old",
            "container": {"type": "message", "message_ts": post["ts"], "channel_id": "C0000DATA"},
            "channel": {"id": "C0000DATA", "name": "data-alerts"},
            "message": {"ts": post["ts"]},
            "actions": [
                {"type": "button", "block_id": "daywatch", "action_id": "daywatch_x", "value": value,
                 "action_ts": "1.5"}
            ],
            **more,
        }  # fmt: skip

    def post(self, payload: Any, *, secret: str = SIGNING_SECRET, age_s: float = 0.0) -> int:
        """Slack's own request: a form, signed."""
        body = urllib.parse.urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(time.time() - age_s))
        signed = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed}",
        }
        url = f"http://127.0.0.1:{self.web.port}{PATH}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def said(self) -> list[tuple[str, str | None]]:
        return [(one.action.value, one.by) for one in self.store.feedback_on(self.incident)]


@pytest.fixture
def office(tmp_path: Path, stub: SlackStub, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Office]:
    more = getattr(request, "param", f'signing_secret: "{SIGNING_SECRET}"')
    opened = Office(tmp_path, stub, clock, more)
    yield opened
    opened.close()


def values(post: dict[str, Any]) -> list[str]:
    """Everything that the buttons of a message say."""
    (row,) = [block for block in post["blocks"] if block["type"] == "actions"]
    options = [option["value"] for element in row["elements"] for option in element.get("options", ())]
    return [element["value"] for element in row["elements"] if "value" in element] + options


def test_every_button_of_the_message_is_understood_and_recorded(office: Office, stub: SlackStub) -> None:
    offered = values(stub.posts[0])
    assert {value.split()[0] for value in offered} == {
        "acknowledge", "expected", "mute", "assign", "resolve", "noise", "edit"
    }  # fmt: skip
    offered = [value for value in offered if not value.startswith("edit")]
    for number, value in enumerate(offered):
        press = office.payload(value)
        press["actions"][0]["action_ts"] = f"{number}.0"
        assert office.post(press) == 200
    assert [action for action, _ in office.said()] == [value.split()[0] for value in offered]
    assert {by for _, by in office.said()} == {"@ana"}
    mutes = [one.until for one in office.store.feedback_on(office.incident) if one.action == "mute"]
    assert mutes == [NOW + dt.timedelta(days=days) if days else None for days in (1, 7, 28, 0)]
    assert office.sent == len(offered)


def chosen(office: Office, somebody: Any, stamp: str = "3.5", **more: Any) -> dict[str, Any]:
    """What Slack sends when somebody is chosen from the list of all people."""
    (row,) = [block for block in office.stub.posts[0]["blocks"] if block["type"] == "actions"]
    (element,) = [element for element in row["elements"] if element["type"] == "users_select"]
    action = {"type": "users_select", "action_id": element["action_id"], "selected_user": somebody, "action_ts": stamp}
    return office.payload("", actions=[action], **more)


def test_it_is_assigned_to_somebody_who_is_told_in_the_thread(office: Office, stub: SlackStub) -> None:
    assert office.post(chosen(office, "U2")) == 200
    (said,) = office.store.feedback_on(office.incident)
    assert (said.action, said.who, said.by) == ("assign", "@bob", "@ana")
    before = len(stub.replies)
    office.desk.send(NOW)
    office.desk.send(NOW)
    assert "Assigned to @bob by @ana." in str(stub.posts[0]["blocks"])
    (reply,) = stub.replies[before:]
    assert reply["thread_ts"] == stub.posts[0]["ts"]
    assert "*@bob is asked to look at it*" in str(reply["blocks"])
    assert "<@U2>" in str(reply["blocks"])  # which Slack makes a notification of
    assert "Asked by @ana." in str(reply["blocks"])


def test_a_reply_about_it_that_was_lost_is_sent_again_and_not_twice(office: Office, stub: SlackStub) -> None:
    before = len(stub.replies)
    assert office.post(chosen(office, "U2")) == 200
    stub.faults["chat.postMessage"] = ["cut-after"]
    for minutes in (0, 5, 60):
        office.desk.send(NOW + dt.timedelta(minutes=minutes))
    assert len(stub.replies) - before == 1


def test_assigned_twice_it_counts_once_and_to_another_one_again(office: Office, stub: SlackStub) -> None:
    for stamp, user in (("3.5", "U2"), ("3.5", "U2"), ("4.5", "U2"), ("5.5", "U1")):
        assert office.post(chosen(office, user, stamp)) == 200
    assert [one.who for one in office.store.feedback_on(office.incident)] == ["@bob", "@ana"]
    assert "already" in stub.whispers.get(timeout=30)["text"]


@pytest.mark.parametrize("user", ["U3", "U4", "U9", "USLACKBOT", "<!channel>", None, 5])
def test_what_is_no_person_of_the_workspace_is_given_nothing(office: Office, stub: SlackStub, user: Any) -> None:
    assert office.post(chosen(office, user)) == 200
    assert office.said() == []
    assert stub.whispers.get(timeout=30)["text"]


def test_without_the_scope_for_names_the_id_is_kept(office: Office, stub: SlackStub) -> None:
    stub.scopes.discard("users:read")
    assert office.post(chosen(office, "U2")) == 200
    assert [one.who for one in office.store.feedback_on(office.incident)] == ["@U2"]


def test_a_stranger_assigns_nothing(office: Office, stub: SlackStub) -> None:
    assert office.post(chosen(office, "U2", user={"id": "U8", "username": "eve", "team_id": "T2"})) == 200
    assert office.post(chosen(office, "U2", channel={"id": "C0000OLD1"})) == 200
    assert office.post(chosen(office, "U2"), age_s=600) == 401
    assert office.said() == []
    assert stub.whispers.get(timeout=30)["text"]


def test_edit_check_shows_the_lines_and_records_nothing(office: Office, stub: SlackStub) -> None:
    assert office.post(office.payload(f"edit {office.incident}")) == 200
    told = stub.whispers.get(timeout=30)
    assert told["user"] == "U1"
    for words in ("nulls.price", "daywatch.yaml:5", "ignore_columns: [price]", "daywatch plan --why main.t"):
        assert words in told["text"], words
    assert office.said() == []
    assert TOKEN not in told["text"]
    assert office.post(office.payload(f"edit {office.incident}", channel={"id": "C0000OLD1"})) == 200
    assert "never told in this channel" in stub.whispers.get(timeout=30)["text"]


def test_who_and_when_and_where_is_kept_and_shown(office: Office, stub: SlackStub) -> None:
    assert office.post(office.payload(f"assign {office.incident}")) == 200
    (said,) = office.store.feedback_on(office.incident)
    ts = stub.posts[0]["ts"]
    assert (said.who, said.by, said.at) == ("@ana", "@ana", NOW)
    assert said.link == f"https://stub.slack.com/archives/C0000DATA/p{ts}"
    office.desk.send(NOW)
    assert "Assigned to @ana." in str(stub.posts[0]["blocks"])


def test_pressed_twice_and_sent_twice_it_counts_once(office: Office, stub: SlackStub) -> None:
    press = office.payload(f"acknowledge {office.incident}")
    assert [office.post(press), office.post(press)] == [200, 200]  # Slack sends again what was not answered in time
    again = office.payload(f"acknowledge {office.incident}")
    again["actions"][0]["action_ts"] = "9.9"
    assert office.post(again) == 200
    assert office.said() == [("acknowledge", "@ana")]
    told = stub.whispers.get(timeout=30)
    assert "already" in told["text"]
    assert told["user"] == "U1"


def test_a_forged_and_a_stale_signature_change_nothing(office: Office) -> None:
    press = office.payload(f"resolve {office.incident}")
    assert office.post(press, secret="not the secret") == 401  # noqa: S106 - wrong on purpose
    assert office.post(press, age_s=600) == 401
    assert office.said() == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"user": {"id": "U9", "username": "eve", "team_id": "T2"}}, "of this workspace"),
        ({"user": {"id": "U9", "username": "robot", "team_id": "T1", "is_bot": True}}, "Only people"),
        ({"user": {}}, "of this workspace"),
        ({"channel": {"id": "C0000OLD1"}}, "never told in this channel"),
    ],
)
def test_a_stranger_is_refused_and_told_so(office: Office, stub: SlackStub, more: dict[str, Any], words: str) -> None:
    assert office.post(office.payload(f"resolve {office.incident}", **more)) == 200
    assert office.said() == []
    assert words in stub.whispers.get(timeout=30)["text"]


@pytest.mark.parametrize("office", [f'signing_secret: "{SIGNING_SECRET}", people: [U2]'], indirect=True)
def test_one_who_is_not_among_the_people_named_is_refused(office: Office) -> None:
    assert office.post(office.payload(f"resolve {office.incident}")) == 200
    assert office.said() == []
    named = office.payload(f"resolve {office.incident}", user={"id": "U2", "username": "bob", "team_id": "T1"})
    assert office.post(named) == 200
    assert office.said() == [("resolve", "@bob")]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("resolve INC-99", "no incident"),
        ("resolve ../etc", "no incident"),
        ("explode INC-1", "not one of daywatch's"),
        ("mute INC-1 4000", "not one of daywatch's"),
        ("", "not one of daywatch's"),
    ],
)
def test_what_no_button_says_is_refused(office: Office, stub: SlackStub, value: str, words: str) -> None:
    assert office.post(office.payload(value)) == 200
    assert office.said() == []
    assert words in stub.whispers.get(timeout=30)["text"]


def test_a_body_that_is_none_is_refused(office: Office) -> None:
    assert office.post([1, 2]) == 400
    assert office.said() == []


@pytest.mark.parametrize("office", [f'app_token: "{APP_TOKEN}"'], indirect=True)
def test_through_socket_mode(office: Office, stub: SlackStub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    press = office.payload(f"expected {office.incident}")
    stub.sockets.say({"envelope_id": "e1", "type": "interactive", "accepts_response_payload": False, "payload": press})
    assert office.said() == [("expected", "@ana")]
    assign = chosen(office, "U2")
    stub.sockets.say({"envelope_id": "e2", "type": "interactive", "accepts_response_payload": False, "payload": assign})
    assert office.store.feedback_on(office.incident)[-1].who == "@bob"
    edit = office.payload(f"edit {office.incident}")
    stub.sockets.say({"envelope_id": "e3", "type": "interactive", "accepts_response_payload": False, "payload": edit})
    assert "daywatch.yaml:5" in stub.whispers.get(timeout=30)["text"]
    assert office.post(press) == 404  # nothing is taken over HTTP without a secret to check it by
    assert APP_TOKEN not in caplog.text
    assert TOKEN not in caplog.text


def test_what_is_closed_and_what_is_of_many_has_no_buttons(office: Office, stub: SlackStub) -> None:
    office.store.feedback(office.incident, "resolve", now=NOW, by="@ana", who="@ana")
    office.desk.send(NOW)
    assert [block for block in stub.posts[0]["blocks"] if block["type"] == "actions"] == []
