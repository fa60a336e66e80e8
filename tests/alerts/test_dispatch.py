from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.alerts.blocks import Message
from monitor.alerts.dispatch import BACKOFF_FIRST_S, GIVE_UP_AFTER, dispatch
from monitor.alerts.message import Story, compose, to_payload
from monitor.notifiers.base import DeliveryError
from monitor.store import Delivery, RunRecord, Store
from monitor.types import Change, Incident, Partition

NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)


@dataclass
class Channel:
    """A channel that keeps what it is sent; `raising` are the errors of its next sendings, `lost` ones arrive."""

    name: str
    raising: list[Exception | None] = field(default_factory=list)
    lost: bool = False
    got: list[Message] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    deaf: bool = False

    def send(self, message: Message) -> str:
        error = self.raising.pop(0) if self.raising else None
        if error is None or self.lost:
            self.got.append(message)
        if error is not None:
            raise error
        return f"{self.name}-{len(self.got)}"

    def find(self, alert_id: str) -> str | None:
        self.asked.append(alert_id)
        if self.deaf:
            raise DeliveryError("no answer")
        return next((f"found-{alert_id}" for message in self.got if message.alert_id == alert_id), None)

    @property
    def incidents(self) -> list[str]:
        return [message.incident for message in self.got]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


days = itertools.count(1)


def enqueue(store: Store, *channels: str, at: dt.datetime = NOW, payload: Mapping[str, Any] | None = None) -> str:
    """One incident of a day of its own with a delivery for each channel; returns its id."""
    day = dt.date(2013, 1, 1) + dt.timedelta(days=next(days))
    incident = Incident(
        "new:0", "main.t", day.isoformat(), "opened", "t", ("nulls.a",), ("a",), (), Change.OTHER, 3.0, True
    )
    told = to_payload(compose(incident, [], Story(f"title of {day}"))) if payload is None else payload
    deliveries = [Delivery("new:0", channel, told) for channel in channels]
    run = RunRecord(
        "main.t", Partition(day.isoformat(), day.isoformat()), at, incidents=[incident], deliveries=deliveries
    )
    return store.record(run).incidents[0].incident


def after(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def test_alerts_arrive_in_order_once_with_their_ids(store: Store) -> None:
    ids = [enqueue(store, "a") for _ in range(3)]
    channel = Channel("a")
    report = dispatch(store, {"a": channel}, NOW)
    assert report.ok
    assert [receipt for _, receipt in report.delivered] == ["a-1", "a-2", "a-3"]
    assert channel.incidents == ids
    assert all(len(message.alert_id) >= 32 for message in channel.got)
    assert dispatch(store, {"a": channel}, after(1e6)).delivered == ()
    assert channel.asked == []


def test_a_failing_channel_holds_its_own_alerts_and_no_others(store: Store) -> None:
    first, second = enqueue(store, "bad", "good"), enqueue(store, "bad", "good")
    bad, good = Channel("bad", [DeliveryError("busy")]), Channel("good")
    report = dispatch(store, {"bad": bad, "good": good}, NOW)
    assert good.incidents == [first, second]
    assert bad.got == []
    assert [failure.error for failure in report.failures] == ["busy"]
    assert len(report.held) == 1
    assert not report.ok
    assert dispatch(store, {"bad": bad, "good": good}, after(BACKOFF_FIRST_S - 1)).delivered == ()
    assert len(dispatch(store, {"bad": bad, "good": good}, after(BACKOFF_FIRST_S)).delivered) == 2
    assert bad.incidents == [first, second]
    assert good.incidents == [first, second]


def test_a_new_alert_does_not_overtake_one_that_waits(store: Store) -> None:
    first = enqueue(store, "a")
    channel = Channel("a", [DeliveryError("busy", retry_after_s=300)])
    dispatch(store, {"a": channel}, NOW)
    second = enqueue(store, "a", at=after(5))
    report = dispatch(store, {"a": channel}, after(10))
    assert (channel.got, len(report.held)) == ([], 1)
    dispatch(store, {"a": channel}, after(300))
    assert channel.incidents == [first, second]


def test_an_unknown_outcome_is_asked_for_before_sending_again(store: Store) -> None:
    enqueue(store, "a")
    channel = Channel("a", [TimeoutError("no answer")], lost=True)
    failure = dispatch(store, {"a": channel}, NOW).failures[0]
    assert failure.error == "TimeoutError: no answer"
    report = dispatch(store, {"a": channel}, after(60))
    assert [receipt for _, receipt in report.delivered] == [f"found-{failure.alert}"]
    assert len(channel.got) == 1


def test_a_sender_that_died_leaves_alerts_that_are_asked_for(store: Store) -> None:
    enqueue(store, "a")
    channel = Channel("a")
    taken = store.take(10, NOW, 60)
    channel.got.append(compose_like(taken[0].alert))
    assert dispatch(store, {"a": channel}, after(30)).delivered == ()
    report = dispatch(store, {"a": channel}, after(61))
    assert report.delivered == ((taken[0].alert, f"found-{taken[0].alert}"),)
    assert len(channel.got) == 1


def compose_like(alert: str) -> Message:
    return Message(alert, "INC-1", "main.t", "p", "opened", "weak", "t", ())


def test_a_channel_that_cannot_be_asked_is_not_sent_to(store: Store) -> None:
    enqueue(store, "a")
    channel = Channel("a", [TimeoutError()], lost=True, deaf=True)
    dispatch(store, {"a": channel}, NOW)
    assert dispatch(store, {"a": channel}, after(60)).failures[0].error == "no answer"
    assert len(channel.got) == 1


def test_backoff_grows_and_ends_in_giving_up(store: Store) -> None:
    enqueue(store, "a")
    channel = Channel("a", [DeliveryError("busy") for _ in range(10_000)])
    now, waits = NOW, []
    while True:
        failure = dispatch(store, {"a": channel}, now).failures[0]
        if failure.retry_at is None:
            break
        waits.append((failure.retry_at - now).total_seconds())
        now = failure.retry_at
    assert waits[:4] == [30, 60, 120, 240]
    assert max(waits) == 1800
    assert GIVE_UP_AFTER <= now - NOW < GIVE_UP_AFTER + dt.timedelta(hours=1)
    assert store.pending(10, NOW + dt.timedelta(days=999)) == []


def test_what_no_retry_mends_is_given_up_and_holds_nothing(store: Store) -> None:
    enqueue(store, "a")
    second = enqueue(store, "a")
    channel = Channel("a", [DeliveryError("channel_not_found", retryable=False)])
    report = dispatch(store, {"a": channel}, NOW)
    assert channel.incidents == [second]
    assert report.failures[0].retry_at is None
    assert store.pending(10, NOW + dt.timedelta(days=999)) == []


def test_a_payload_that_is_no_message_is_given_up(store: Store) -> None:
    enqueue(store, "a", payload={"hello": 1})
    good = enqueue(store, "a")
    channel = Channel("a")
    report = dispatch(store, {"a": channel}, NOW)
    assert "cannot be read" in report.failures[0].error
    assert channel.incidents == [good]


def test_a_channel_without_notifier_waits_for_one(store: Store) -> None:
    only = enqueue(store, "a")
    assert "no notifier is configured for channel a" in dispatch(store, {}, NOW).failures[0].error
    channel = Channel("a")
    dispatch(store, {"a": channel}, after(60))
    assert channel.incidents == [only]


def test_secrets_in_errors_are_masked(store: Store) -> None:
    enqueue(store, "a")
    channel = Channel("a", [RuntimeError("https://ana:s3cret@hooks/x token=xoxb-1" + "y" * 10_000)])
    error = dispatch(store, {"a": channel}, NOW).failures[0].error
    assert "s3cret" not in error
    assert "xoxb" not in error
    assert len(error) <= 300
    assert store.pending(1, after(1e6))[0].error == error


def test_no_sending_starts_when_the_lease_is_half_over(store: Store) -> None:
    for _ in range(3):
        enqueue(store, "a")
    ticks = iter([0.0, 1.0, 2.0, 301.0, 302.0])
    channel = Channel("a")
    report = dispatch(store, {"a": channel}, NOW, lease_s=600, clock=lambda: next(ticks))
    assert len(report.delivered) == 2
    assert len(report.held) == 1
    assert len(dispatch(store, {"a": channel}, NOW).delivered) == 1


def test_a_slow_channel_does_not_delay_another(store: Store) -> None:
    enqueue(store, "slow", "fast")
    fast_done = threading.Event()

    class Slow(Channel):
        def send(self, message: Message) -> str:
            assert fast_done.wait(20), "the fast channel waited for the slow one"
            return super().send(message)

    class Fast(Channel):
        def send(self, message: Message) -> str:
            fast_done.set()
            return super().send(message)

    assert dispatch(store, {"slow": Slow("slow"), "fast": Fast("fast")}, NOW).ok


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["ok", "busy", "lost"]), max_size=12), st.integers(1, 4))
def test_every_alert_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[str], alerts: int
) -> None:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}") as store:
        ids = [enqueue(store, "a") for _ in range(alerts)]
        channel = Fickle("a", outcomes=list(outcomes))
        now = NOW
        for _ in range(40):
            dispatch(store, {"a": channel}, now)
            now += dt.timedelta(seconds=1801)
        assert channel.incidents == ids


@dataclass
class Fickle(Channel):
    outcomes: list[str] = field(default_factory=list)

    def send(self, message: Message) -> str:
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        if outcome == "busy":
            raise DeliveryError("busy")
        receipt = super().send(message)
        if outcome == "lost":
            raise ConnectionResetError("reset")
        return receipt
