"""A channel that cannot be used for a day, or until a person mends it: told once, and nothing lost or doubled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.alerting import send
from monitor.alerts.blocks import Message
from monitor.alerts.dispatch import BACKOFF_MAX_S, BATCH_MAX, GIVE_UP_AFTER, dispatch
from monitor.alerts.payload import to_payload
from monitor.config import Config, load_config
from monitor.notifiers.base import load_notifier
from monitor.notifiers.slack import Slack
from monitor.store import Delivery, RunRecord, Store
from monitor.types import Change, Incident, Partition
from tests.e2e.desk import Desk
from tests.notifiers.slack_stub import TOKEN, SlackStub

Alert = Callable[..., Message]
NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)
SLACK, FOLDER = "slack:#data-alerts", "folder:alerts"
POST, HISTORY = "chat.postMessage", "conversations.history"
FIRST = dt.date(2013, 2, 9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def enqueue(store: Store, message: Message, number: int, *channels: str, at: dt.datetime = NOW) -> str:
    """An incident of a day of its own with an alert for each channel; its id."""
    label = (FIRST + dt.timedelta(days=number)).isoformat()
    incident = Incident("new:0", "main.t", label, "opened", "t", ("nulls.a",), (), (), Change.OTHER, 3.0, alerted=True)
    told = [Delivery("new:0", channel, to_payload(message)) for channel in channels or (SLACK,)]
    run = RunRecord("main.t", Partition(label, label), at, incidents=[incident], deliveries=told)
    return store.record(run).incidents[0].incident


def posted(stub: SlackStub) -> list[str]:
    return [post["metadata"]["event_payload"]["incident"] for post in stub.posts]


def break_it(stub: SlackStub, how: str) -> None:
    if how == "down":
        stub.faults = {method: ["cut"] * 10_000 for method in (POST, HISTORY, "conversations.list")}
    stub.revoked = how == "revoked"
    stub.channels["C0000DATA"].archived = how == "archived"


def mend(stub: SlackStub) -> None:
    stub.faults = {}
    break_it(stub, "not at all")


@pytest.mark.parametrize("how", ["down", "revoked", "archived"])
def test_after_a_day_everything_arrives_once_and_in_order(
    connect: Callable[..., Slack], store: Store, stub: SlackStub, alert: Alert, tmp_path: Path, how: str
) -> None:
    break_it(stub, how)
    folder = load_notifier(FOLDER, {}, base=tmp_path)
    message = alert("", incident="new:0", blocks=(), findings=())
    ids: list[str] = []
    news = []
    attempts = 0
    now = NOW
    while now < NOW + dt.timedelta(days=1):
        if now.minute == 0 and len(ids) < 20:
            ids.append(enqueue(store, message, len(ids), SLACK, FOLDER, at=now))
        report = dispatch(store, {SLACK: connect(), FOLDER: folder}, now)
        attempts += len(report.failures)
        news += [failure for failure in report.failures if not failure.repeated]
        now += dt.timedelta(minutes=5)
    assert len(list((tmp_path / "alerts").iterdir())) == len(ids) == 20  # the other channel goes on
    assert posted(stub) == []
    assert len({failure.incident for failure in news}) == len(news) == 1
    assert attempts <= 86_400 / BACKOFF_MAX_S + 10
    (channel,) = store.undelivered(NOW)
    assert (channel.channel, channel.waiting, channel.since, channel.tried) == (SLACK, 20, NOW, True)
    mend(stub)
    asked = len(stub.calls)
    for _ in range(3):
        now += dt.timedelta(seconds=BACKOFF_MAX_S)
        dispatch(store, {SLACK: connect(), FOLDER: folder}, now)
    assert posted(stub) == ids
    assert [method for method, _ in stub.calls[asked:]].count(HISTORY) <= 1  # only the one that was tried is asked for
    assert store.undelivered(NOW) == []


def test_what_waits_for_longer_than_three_days_is_given_up_and_shown(
    connect: Callable[..., Slack], store: Store, stub: SlackStub, alert: Alert
) -> None:
    stub.revoked = True
    old = enqueue(store, alert("", incident="new:0", blocks=()), 0)
    dispatch(store, {SLACK: connect()}, NOW)
    young = enqueue(store, alert("", incident="new:0", blocks=()), 1, at=NOW + GIVE_UP_AFTER)
    now = NOW + GIVE_UP_AFTER + dt.timedelta(hours=1)
    report = dispatch(store, {SLACK: connect()}, now)
    assert [(failure.incident, failure.retry_at is None) for failure in report.failures] == [
        (old, True),
        (young, False),
    ]
    (channel,) = store.undelivered(NOW)
    assert (channel.waiting, channel.given_up) == (1, 1)
    assert "token_revoked" in str(channel.given_up_error)
    stub.revoked = False
    dispatch(store, {SLACK: connect()}, now + dt.timedelta(hours=1))
    assert posted(stub) == [young]


@pytest.fixture
def config(tmp_path: Path, stub: SlackStub) -> Config:
    path = tmp_path / "daywatch.yaml"
    path.write_text(
        "warehouses: {main: 'duckdb:///w.duckdb'}\n"
        f"channels: {{'{SLACK}': {{token: {TOKEN}, base_url: '{stub.url}'}}}}\n"
    )
    return load_config(path)


def test_a_process_that_stays_tells_a_revoked_token_once(
    config: Config, store: Store, stub: SlackStub, alert: Alert
) -> None:
    stub.revoked = True
    enqueue(store, alert("", incident="new:0", blocks=()), 0)
    said: list[str] = []
    for hour in range(24):
        assert not send(config, store, NOW + dt.timedelta(hours=hour), said.append, again=False)
    assert len(said) == 1
    assert "token_revoked" in said[0]
    assert "set `token`" in said[0]
    assert not send(config, store, NOW + dt.timedelta(hours=25), said.append)  # a new command tells it again
    assert len(said) == 2
    stub.faults = {"conversations.list": ["invalid_auth"]}
    send(config, store, NOW + dt.timedelta(hours=26), said.append, again=False)
    assert "invalid_auth" in said[2]  # another reason is news


def test_a_channel_with_more_than_a_batch_waiting_holds_up_no_other(
    config: Config, store: Store, stub: SlackStub, alert: Alert, tmp_path: Path
) -> None:
    stub.revoked = True
    for number in range(BATCH_MAX + 5):
        enqueue(store, alert("", incident="new:0", blocks=()), number)
    enqueue(store, alert("", incident="new:0", blocks=()), BATCH_MAX + 5, f"folder:{tmp_path / 'there'}")
    assert not send(config, store, NOW, lambda _: None)
    assert len(list((tmp_path / "there").iterdir())) == 1
    assert stub.methods.count(POST) == 1


def test_a_channel_that_was_taken_out_is_told_and_ends_in_giving_up(
    config: Config, store: Store, alert: Alert, tmp_path: Path
) -> None:
    gone = "slack:#renamed"
    enqueue(store, alert("", incident="new:0", blocks=()), 0, gone)
    enqueue(store, alert("", incident="new:0", blocks=()), 1, f"folder:{tmp_path / 'there'}")
    said: list[str] = []
    assert not send(config, store, NOW, said.append)
    assert "token is missing" in said[0]
    assert len(list((tmp_path / "there").iterdir())) == 1
    assert store.undelivered(NOW)[0].waiting == 1
    send(config, store, NOW + GIVE_UP_AFTER, said.append, again=False)
    assert said[-1].endswith("given up")
    assert (store.undelivered(NOW)[0].waiting, store.undelivered(NOW)[0].given_up) == (0, 1)


def test_status_shows_what_waits_and_what_was_given_up(config: Config, stub: SlackStub, alert: Alert) -> None:
    desk = Desk(config.folder, {"DAYWATCH_NOW": (NOW + dt.timedelta(days=4)).isoformat()})
    desk.sql("CREATE TABLE t AS SELECT 1 AS a", file="w.duckdb")
    with Store.open(f"sqlite:///{config.folder / 'daywatch.db'}") as store:
        assert desk.say("status").code == 0
        stub.revoked = True
        enqueue(store, alert("", incident="new:0", blocks=()), 0)
        assert (desk.say("status").code, desk.say("status").out.count("slack")) == (0, 1)  # not tried yet
        send(config, store, NOW, lambda _: None)
        answer = desk.say("status", "--format", "json")
        (line,) = (line for line in answer.lines if "channel" in line)
        assert (answer.code, line["channel"], line["waiting"], line["given_up"]) == (3, SLACK, 1, 0)
        assert "token_revoked" in line["error"]
        said = desk.say("status").out
        assert "?? slack:#data-alerts: 1 alert waiting since 2013-02-09 07:00 UTC" in said
        assert TOKEN not in said
        send(config, store, NOW + GIVE_UP_AFTER, lambda _: None)
    answer = desk.say("status")
    assert answer.code == 0
    assert "-- slack:#data-alerts: 1 alert given up: " in answer.out
