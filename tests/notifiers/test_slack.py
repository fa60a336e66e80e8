from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier

from monitor.alerts.blocks import Message, Picture, Text
from monitor.alerts.dispatch import dispatch
from monitor.alerts.payload import to_payload
from monitor.errors import UsageError
from monitor.notifiers.base import DeliveryError, Notifier, load_notifier
from monitor.notifiers.slack import BETWEEN_POSTS_S, HISTORY_S, Slack
from monitor.notifiers.slack_client import RETRIES_MAX
from monitor.store import Delivery, RunRecord, Store
from monitor.types import Change, Incident, Partition
from tests.notifiers.slack_stub import SIGNING_SECRET, TOKEN, Clock, RefusalError, SlackStub

Alert = Callable[..., Message]
POST, HISTORY = "chat.postMessage", "conversations.history"
NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)


def kinds(post: dict[str, Any]) -> list[str]:
    return [block["type"] for block in post["blocks"]]


def test_it_comes_through_the_entry_points(tmp_path: Path) -> None:
    found = load_notifier("slack:#data-alerts", {"token": TOKEN}, base=tmp_path)
    assert isinstance(found, Slack)
    assert isinstance(found, Notifier)
    assert found.name == "slack:#data-alerts"


def test_an_alert_arrives_with_picture_text_and_thread(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    receipt = slack.send(alert())
    (post,) = stub.posts
    assert receipt == f"C0000DATA/{post['ts']}"
    assert kinds(post) == ["header", "context", "section", "image", *["section"] * 5]
    assert post["blocks"][0]["text"]["text"].startswith("dep_time is missing in 54%")
    assert post["blocks"][3]["alt_text"] == "Missing dep_time: 54% today, expected 2.1%."
    assert stub.files[post["blocks"][3]["slack_file"]["id"]].data is not None
    assert post["text"].startswith("dep_time is missing in 54%")
    assert "daywatch explain F-201" in post["text"]
    assert "SELECT" not in json.dumps(post["blocks"])
    (reply,) = stub.replies
    assert reply["thread_ts"] == post["ts"]
    assert "```\nSELECT *\nFROM flights\nWHERE dep_time &lt; 0\n```" in [b["text"]["text"] for b in reply["blocks"]]
    assert stub.methods == ["files.getUploadURLExternal", "upload", "files.completeUploadExternal", POST, POST]


def test_nothing_is_parsed_unfurled_or_linked(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    slack.send(alert())
    asked = next(arguments for method, arguments in stub.calls if method == POST)
    assert {asked[name] for name in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media")} == {False}
    assert asked["parse"] == "none"


def test_posts_keep_a_second_between_them(slack: Slack, stub: SlackStub, alert: Alert, clock: Clock) -> None:
    for number in range(3):
        slack.send(alert(f"a{number}", blocks=(Text("x"),)))
    assert stub.methods == [POST] * 3
    assert clock.waits == pytest.approx([BETWEEN_POSTS_S] * 2)


def test_a_rate_limit_is_waited_for(slack: Slack, stub: SlackStub, alert: Alert, clock: Clock) -> None:
    stub.retry_after = 7
    stub.channels["C0000DATA"].posted_at = clock.now  # somebody else has just posted
    slack.send(alert(blocks=()))
    assert clock.waits == [7.0]
    assert len(stub.posts) == 1


def test_a_long_rate_limit_is_left_to_the_outbox(slack: Slack, stub: SlackStub, alert: Alert, clock: Clock) -> None:
    stub.retry_after = 600
    stub.channels["C0000DATA"].posted_at = clock.now
    with pytest.raises(DeliveryError, match="asks to wait") as caught:
        slack.send(alert(blocks=()))
    assert caught.value.retryable
    assert caught.value.retry_after_s == 600.0
    assert clock.waits == []
    assert stub.posts == []


def test_retries_are_bounded(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    stub.faults[POST] = ["ratelimited"] * 50
    with pytest.raises(DeliveryError) as caught:
        slack.send(alert(blocks=()))
    assert stub.methods == [POST] * (RETRIES_MAX + 1)
    assert caught.value.retry_after_s == 1.0


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
@pytest.mark.parametrize("fault", ["cut", 403, "html"])
def test_a_refused_upload_leaves_the_words(
    slack: Slack, stub: SlackStub, alert: Alert, method: str, fault: str | int
) -> None:
    stub.faults[method] = [fault] * 10
    slack.send(alert())
    (post,) = stub.posts
    assert "image" not in kinds(post)
    assert post["blocks"][3]["elements"][0]["text"] == "Picture: Missing dep_time: 54% today, expected 2.1%."


def test_without_the_scope_for_files_the_words_are_there(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    stub.scopes.remove("files:write")
    slack.send(alert())
    assert "Picture: Missing dep_time" in json.dumps(stub.posts[0]["blocks"])


@pytest.mark.parametrize("path", ["gone.png", "", "/etc/hostname", "a\0b.png"])
def test_a_picture_that_is_not_one_is_not_read(slack: Slack, stub: SlackStub, alert: Alert, path: str) -> None:
    slack.send(alert(blocks=(Picture(path, "words"),)))
    assert stub.files == {}
    assert "Picture: words" in json.dumps(stub.posts[0]["blocks"])


def test_a_file_that_is_not_ready_is_waited_for(slack: Slack, stub: SlackStub, alert: Alert, clock: Clock) -> None:
    stub.processing_s = 2.5
    slack.send(alert(blocks=alert().blocks[:2]))
    assert "image" in kinds(stub.posts[0])
    assert sum(clock.waits) >= 2.5


def test_a_file_that_is_never_ready_leaves_the_words(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    stub.processing_s = 3600
    slack.send(alert())
    assert "image" not in kinds(stub.posts[0])
    assert "Picture: Missing dep_time" in json.dumps(stub.posts[0]["blocks"])
    assert len(stub.replies) == 1


def test_blocks_refused_leave_the_text(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    stub.faults[POST] = ["invalid_blocks"]
    slack.send(alert(blocks=(Text("497 of 920 flights"),)))
    (post,) = stub.posts
    assert "blocks" not in post
    assert "497 of 920 flights" in post["text"]
    assert post["metadata"]["event_payload"]["alert_id"] == "a1"


def test_a_thread_that_fails_leaves_the_alert(
    slack: Slack, stub: SlackStub, alert: Alert, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = stub._chat_postMessage

    def post_no_replies(arguments: dict[str, Any]) -> dict[str, Any]:
        return post({**arguments, "channel": "#old"} if "thread_ts" in arguments else arguments)

    monkeypatch.setattr(stub, "_chat_postMessage", post_no_replies)
    assert slack.send(alert()).startswith("C0000DATA/")
    assert len(stub.posts) == 1
    assert "without its SQL" in caplog.text


@pytest.mark.parametrize(
    ("address", "token", "prepare", "said", "mend", "retryable"),
    [
        ("#data-alerts", "xoxb-wrong", "", "invalid_auth", "token", True),
        ("#old", TOKEN, "", "is_archived", "archive", True),
        ("C0000OLD1", TOKEN, "", "is_archived", "archive", True),
        ("#gone", TOKEN, "", "channel_not_found", "invited", True),
        ("#data-alerts", TOKEN, "not_in_channel", "not_in_channel", "/invite", True),
        ("#data-alerts", TOKEN, "missing_scope", "missing_scope", "add the scope chat:write", True),
        ("#data-alerts", TOKEN, "token_revoked", "token_revoked", "token", True),
        ("#data-alerts", TOKEN, "internal_error", "internal_error", "", True),
        ("#data-alerts", TOKEN, "something_new", "something_new", "", True),
        ("#data-alerts", TOKEN, "msg_too_long", "msg_too_long", "", False),
    ],
)
def test_errors_are_told_with_their_mend(
    connect: Callable[..., Slack], stub: SlackStub, alert: Alert, address: str, token: str, prepare: str, said: str,
    mend: str, retryable: bool,
) -> None:  # fmt: skip
    if prepare == "missing_scope":
        stub.scopes.remove("chat:write")
    elif prepare:
        stub.faults[POST] = [prepare]
    with pytest.raises(DeliveryError) as caught:
        connect(address, token).send(alert(blocks=()))
    assert said in caught.value.what
    assert mend in caught.value.mend
    assert caught.value.where == f"channel slack:{address}"
    assert caught.value.retryable is retryable
    assert token not in str(caught.value)
    assert stub.posts == []


def test_no_server_is_told(alert: Alert, tmp_path: Path, clock: Clock) -> None:
    settings = {"token": TOKEN, "base_url": "http://127.0.0.1:9/api/"}
    gone = Slack("slack:#a", "#a", settings, tmp_path, sleep=clock.sleep, clock=clock)
    with pytest.raises(DeliveryError, match=r"did not answer .*refused.* look at the network") as caught:
        gone.send(alert(blocks=()))
    assert caught.value.retryable
    assert clock.waits == [1.0, 2.0]  # nothing had arrived: a post may be repeated


@pytest.mark.parametrize("fault", ["cut", 500, 503, "html"])
def test_a_post_that_may_have_been_taken_is_not_repeated_at_once(
    slack: Slack, stub: SlackStub, alert: Alert, fault: str | int
) -> None:
    stub.faults[POST] = [fault] * 9
    with pytest.raises(DeliveryError) as caught:
        slack.send(alert(blocks=()))
    assert caught.value.retryable
    assert stub.methods.count(POST) == 1
    assert HISTORY in stub.methods


def test_a_lost_answer_is_looked_up_and_the_thread_follows(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    stub.faults[POST] = ["cut-after"]
    receipt = slack.send(alert())
    assert receipt == f"C0000DATA/{stub.posts[0]['ts']}"
    assert len(stub.posts) == 1
    assert len(stub.replies) == 1


def test_questions_are_repeated_after_a_broken_connection(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    slack.send(alert())
    stub.faults[HISTORY] = ["cut", 503]
    assert slack.find("a1") is not None
    stub.faults[HISTORY] = ["cut"] * 9
    with pytest.raises(DeliveryError):
        slack.find("a1")


def test_find_knows_its_own_alerts_only(
    slack: Slack, connect: Callable[..., Slack], stub: SlackStub, alert: Alert
) -> None:
    receipts = [slack.send(alert(f"a{number}", blocks=())) for number in range(3)]
    stub.channels["C0000DATA"].posts += [
        {"ts": f"{stub.clock() + 9:.6f}", "text": "a person"},
        {"ts": f"{stub.clock() + 9:.6f}", "metadata": {"event_type": "other", "event_payload": {"alert_id": "a9"}}},
    ]
    for asked in (slack, connect(), connect("C0000DATA")):
        assert [asked.find(f"a{number}") for number in range(3)] == receipts
        assert asked.find("a9") is None
        assert asked.find("") is None


def test_find_turns_pages(connect: Callable[..., Slack], stub: SlackStub, slack: Slack, alert: Alert) -> None:
    receipt = slack.send(alert(blocks=()))
    for number in range(5):
        slack.send(alert(f"b{number}", blocks=()))
    stub.channels = {**{f"C000000{n}": type(stub.channels["C0000DATA"])(f"C000000{n}", f"c{n}") for n in range(5)},
                     **stub.channels}  # fmt: skip
    stub.page_max = 2
    assert connect().find("a1") == receipt
    assert stub.methods.count("conversations.list") > 2


def test_find_does_not_read_the_whole_past(slack: Slack, alert: Alert, clock: Clock) -> None:
    slack.send(alert(blocks=()))
    clock.now += HISTORY_S + 10
    assert slack.find("a1") is None


@pytest.mark.parametrize("scope", ["channels:history", "channels:read"])
def test_a_bot_that_may_not_look_cannot_tell(
    connect: Callable[..., Slack], slack: Slack, stub: SlackStub, alert: Alert, scope: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    slack.send(alert(blocks=()))
    stub.scopes.remove(scope)
    assert connect().find("a1") is None
    assert "cannot be asked" in caplog.text


def test_public_channels_are_found_without_the_scope_for_private_ones(
    connect: Callable[..., Slack], slack: Slack, stub: SlackStub, alert: Alert
) -> None:
    receipt = slack.send(alert(blocks=()))
    stub.scopes.remove("groups:read")
    assert connect().find("a1") == receipt


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def enqueue(store: Store, message: Message) -> None:
    incident = Incident(
        "new:0", "main.t", "2013-02-09", "opened", "t", ("nulls.a",), ("a",), (), Change.OTHER, 3.0, True
    )
    run = RunRecord(
        "main.t", Partition("2013-02-09", "2013-02-09"), NOW, incidents=[incident],
        deliveries=[Delivery("new:0", "slack:#data-alerts", to_payload(message))],
    )  # fmt: skip
    store.record(run)


def test_an_unknown_outcome_does_not_double_the_alert(
    connect: Callable[..., Slack], store: Store, stub: SlackStub, alert: Alert
) -> None:
    enqueue(store, alert("", incident="new:0", findings=()))
    stub.faults = {POST: ["cut-after"], "conversations.list": ["cut"] * 9, HISTORY: ["cut"] * 9}
    first = dispatch(store, {"slack:#data-alerts": connect()}, NOW)
    assert first.failures[0].retry_at is not None
    assert len(stub.posts) == 1
    stub.faults.clear()
    second = dispatch(store, {"slack:#data-alerts": connect()}, NOW + dt.timedelta(hours=1))
    assert second.ok
    assert [receipt for _, receipt in second.delivered] == [f"C0000DATA/{stub.posts[0]['ts']}"]
    assert len(stub.posts) == 1


def test_a_message_that_never_arrived_is_sent_again(
    connect: Callable[..., Slack], store: Store, stub: SlackStub, alert: Alert
) -> None:
    enqueue(store, alert("", incident="new:0", findings=()))
    stub.faults = {POST: ["cut"]}
    assert not dispatch(store, {"slack:#data-alerts": connect()}, NOW).ok
    assert stub.posts == []
    assert dispatch(store, {"slack:#data-alerts": connect()}, NOW + dt.timedelta(hours=1)).ok
    assert len(stub.posts) == 1
    assert stub.posts[0]["metadata"]["event_payload"]["incident"].startswith("INC-")


def test_the_token_is_nowhere(
    connect: Callable[..., Slack], stub: SlackStub, store: Store, alert: Alert, caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    enqueue(store, alert("", incident="new:0"))
    stub.faults = {POST: ["cut", "invalid_auth", "html"], "upload": ["cut"]}
    for hour in range(3):
        dispatch(store, {"slack:#data-alerts": connect()}, NOW + dt.timedelta(hours=hour))
    assert TOKEN not in caplog.text
    assert [record for record in caplog.records if record.name.endswith(".sdk")] == []
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert TOKEN not in repr(connect())


@pytest.mark.parametrize("token", [None, "", "  ", "xoxb-a\r\nX-Evil: 1", "xoxb-ü", "two words"])
def test_a_missing_or_impossible_token_stops_before_anything_is_sent(token: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape('channels."slack:#x".token')) as caught:
        Slack("slack:#x", "#x", {"token": token}, tmp_path)
    assert "SLACK_TOKEN" in caught.value.mend
    assert "xoxb-a" not in str(caught.value)


@pytest.mark.parametrize("url", ["slack.example.com", "file:///etc", "http://", "http://[::1", "https://a/?x=1"])
def test_a_base_url_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="base_url is no address"):
        Slack("slack:#x", "#x", {"token": TOKEN, "base_url": url}, tmp_path)


@pytest.mark.parametrize("address", ["", "  ", "#a\nb"])
def test_a_channel_without_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Slack channel"):
        Slack(f"slack:{address}", address, {"token": TOKEN}, tmp_path)


def test_the_stub_signs_as_the_sdk_verifies(stub: SlackStub, clock: Clock) -> None:
    class Now:
        def now(self) -> float:
            return clock()

    verifier = SignatureVerifier(SIGNING_SECRET, Now())  # type: ignore[arg-type]
    body = b"payload=%7B%22type%22%3A%22block_actions%22%7D"
    headers = stub.sign(body)
    assert verifier.is_valid_request(body, headers)
    assert not verifier.is_valid_request(body + b"x", headers)
    clock.now += 301
    assert not verifier.is_valid_request(body, headers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}] * 51}, "50"),
        ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "3001"),
        ({"text": "x", "blocks": [{"type": "image", "alt_text": "x", "slack_file": {"id": "F000000009"}}]}, "file"),
    ],
)
def test_the_stub_keeps_slacks_limits(stub: SlackStub, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusalError, match="invalid_blocks") as caught:
        stub.answer(POST, TOKEN, {"channel": "#data-alerts", **arguments})
    assert said in str(caught.value.answer["errors"])
    assert stub.answer(POST, TOKEN, {"channel": "#data-alerts", "text": "x"})["ok"]
    with pytest.raises(RefusalError, match="ratelimited"):
        stub.answer(POST, TOKEN, {"channel": "#data-alerts", "text": "one too soon"})


def test_the_stub_wants_the_three_steps_of_an_upload_in_order(stub: SlackStub) -> None:
    asked = stub.answer("files.getUploadURLExternal", TOKEN, {"filename": "a.png", "length": 3})
    named = {"files": json.dumps([{"id": asked["file_id"]}])}
    with pytest.raises(RefusalError, match="file_not_found"):
        stub.answer("files.completeUploadExternal", TOKEN, named)
    assert stub.take_upload(asked["file_id"], b"1234") == 400  # not as long as was said
    assert stub.take_upload(asked["file_id"], b"123") == 200
    assert stub.answer("files.completeUploadExternal", TOKEN, named)["ok"]
