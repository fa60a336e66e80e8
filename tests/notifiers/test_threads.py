"""An incident keeps to its one message in Slack: posted once, changed, replied to as far as its priority asks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.blocks import Picture
from monitor.alerts.dispatch import DispatchReport, dispatch
from monitor.alerts.message import Story, compose, to_payload
from monitor.alerts.timetable import Hours, Timetable
from monitor.notifiers.console import Console
from monitor.notifiers.slack import Slack
from monitor.store import Delivery, RunRecord, Store
from monitor.types import Change, Incident, Partition, Severity
from tests.notifiers.conftest import PNG
from tests.notifiers.slack_stub import Clock, SlackStub

CHANNEL = "slack:#data-alerts"
NOW = dt.datetime(2013, 2, 9, 7, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


class Desk:
    """Records what happens to incidents day by day, and sends it."""

    def __init__(self, store: Store, slack: Slack, clock: Clock, folder: Path) -> None:
        self.store, self.slack, self.clock, self.folder = store, slack, clock, folder
        self.timetable: Timetable | None = None

    def happen(
        self, day: int, event: str = "opened", incident: str = "new:0", *, table: str = "main.t",
        priority: str = "normal", severity: Severity = Severity.STRONG, at: dt.datetime | None = None,
        title: str = "price is missing in 60% of rows", send: bool = True,
    ) -> str:  # fmt: skip
        label = (dt.date(2013, 2, 1) + dt.timedelta(days=day)).isoformat()
        moment = at or NOW + dt.timedelta(days=day)
        happened = Incident(
            incident, table, label, event, title, ("nulls.price",), ("price",), (), Change.NULLS_UP, 4.0,
            event in ("opened", "worsened"), severity, "2013-02-01",
        )  # fmt: skip
        message = dataclasses.replace(compose(happened, [], Story(title)), priority=priority)
        picture = self.folder / "nulls.png"
        picture.write_bytes(PNG)
        if event in ("opened", "worsened"):
            message = dataclasses.replace(message, blocks=(Picture(str(picture), "60% are missing"), *message.blocks))
        channel = CHANNEL if event in ("opened", "worsened") else ""
        delivery = Delivery(incident, channel, to_payload(message))
        run = RunRecord(table, Partition(label, label), moment, incidents=[happened], deliveries=[delivery])
        name = self.store.record(run).incidents[0].incident
        if send:
            assert self.send(moment).failures == ()
        return name

    def well(self, day: int, table: str = "main.t") -> None:
        """The day was judged again, and nothing is wrong."""
        label = (dt.date(2013, 2, 1) + dt.timedelta(days=day)).isoformat()
        self.store.record(RunRecord(table, Partition(label, label), NOW + dt.timedelta(days=day, hours=9)))

    def send(self, moment: dt.datetime) -> DispatchReport:
        return dispatch(self.store, {CHANNEL: self.slack}, moment, timetable=self.timetable)


@pytest.fixture
def desk(store: Store, slack: Slack, clock: Clock, tmp_path: Path) -> Desk:
    return Desk(store, slack, clock, tmp_path)


def texts(post: dict[str, Any]) -> str:
    return str(post["blocks"])


def test_what_goes_on_changes_its_message_with_its_picture_and_is_not_posted_again(desk: Desk, stub: SlackStub) -> None:
    name = desk.happen(0)
    (before,) = [dict(post) for post in stub.posts]
    desk.happen(1, "continued", name)
    desk.happen(2, "continued", name)
    (post,) = stub.posts
    assert post["ts"] == before["ts"]
    assert "Still so on 2013-02-03: 3 days now." in texts(post)
    assert [b["slack_file"] for b in post["blocks"] if b["type"] == "image"] == [
        b["slack_file"] for b in before["blocks"] if b["type"] == "image"
    ]
    assert post["metadata"] == before["metadata"]


@pytest.mark.parametrize(("priority", "replies"), [("high", 7), ("normal", 3)])
def test_the_thread_is_told_as_far_as_the_priority_asks(
    desk: Desk, stub: SlackStub, priority: str, replies: int
) -> None:
    name = desk.happen(0, priority=priority)
    for day in range(1, 7):
        desk.happen(day, "continued", name, priority=priority)
    desk.happen(7, "recovered", name, priority=priority)
    assert len(stub.posts) == 1
    assert len(stub.replies) == replies
    assert {reply["thread_ts"] for reply in stub.replies} == {stub.posts[0]["ts"]}


def test_each_act_of_a_person_is_worth_three_more_replies(desk: Desk, stub: SlackStub, store: Store) -> None:
    name = desk.happen(0)
    for day in range(1, 6):
        desk.happen(day, "continued", name)
    assert len(stub.replies) == 3
    store.feedback(name, "acknowledge", now=NOW + dt.timedelta(days=5, hours=1), who="@ana", by="@ana")
    for day in range(6, 11):
        desk.happen(day, "continued", name)
    assert len(stub.replies) == 6
    assert "Acknowledged by @ana." in texts(stub.posts[0])


def test_a_recovery_marks_the_message_with_the_time_it_took(desk: Desk, stub: SlackStub) -> None:
    name = desk.happen(0)
    desk.happen(1, "continued", name)
    desk.happen(2, "recovered", name)
    (post,) = stub.posts
    assert post["blocks"][0]["text"]["text"].startswith("Resolved: price is missing")
    assert "Well again on 2013-02-03, after 2 days." in texts(post)


def test_what_worsens_is_posted_anew_and_the_old_message_points_there(desk: Desk, stub: SlackStub) -> None:
    name = desk.happen(0)
    desk.happen(1, "worsened", name, title="price is missing in 99% of rows")
    desk.happen(2, "continued", name)
    old, new = stub.posts
    assert "see the newer message" in texts(old)
    assert "see the newer message" not in texts(new)
    assert stub.replies[-1]["thread_ts"] == new["ts"]


def test_a_day_that_is_judged_again_and_well_resolves_its_message(desk: Desk, stub: SlackStub, store: Store) -> None:
    name = desk.happen(0)
    desk.well(0)
    desk.send(NOW + dt.timedelta(days=1))
    (post,) = stub.posts
    assert post["blocks"][0]["text"]["text"].startswith("Resolved: ")
    assert "corrected data" in texts(post)
    assert [step.event for step in store.chronicle(name)] == ["opened", "corrected"]
    desk.well(0)  # and again: said once
    assert desk.send(NOW + dt.timedelta(days=2)).delivered == ()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("acknowledge", "Acknowledged by @ana: seen."),
        ("assign", "Assigned to @bob by @ana: seen."),
        ("resolve", "Resolved by @ana: seen."),
        ("expected", "Called expected by @ana: seen."),
        ("noise", "Called too sensitive by @ana: seen."),
        ("mute", "Muted by @ana until 2013-02-20: seen."),
    ],
)
def test_what_is_said_stands_in_the_message(desk: Desk, stub: SlackStub, store: Store, action: str, words: str) -> None:
    name = desk.happen(0)
    until = dt.datetime(2013, 2, 20, tzinfo=dt.UTC) if action == "mute" else None
    who = "@bob" if action == "assign" else "@ana"
    store.feedback(name, action, now=NOW, who=who, by="@ana", note="seen", until=until)
    desk.send(NOW)
    assert words.replace("_", "") in texts(stub.posts[0])
    assert stub.replies == []


def test_a_message_that_somebody_took_away_is_left_alone(desk: Desk, stub: SlackStub) -> None:
    name = desk.happen(0)
    stub.channels["C0000DATA"].posts.clear()
    desk.happen(1, "recovered", name)
    assert stub.posts == []


def test_a_reply_whose_answer_was_lost_is_not_repeated(desk: Desk, stub: SlackStub) -> None:
    name = desk.happen(0)
    stub.faults["chat.postMessage"] = ["cut-after"]
    desk.happen(1, "continued", name, send=False)
    moment = NOW + dt.timedelta(days=1)
    assert len(desk.send(moment).failures) == 1
    assert desk.send(moment + dt.timedelta(minutes=5)).ok
    assert len(stub.replies) == 1


def test_what_follows_waits_for_a_channel_that_is_down_and_then_comes_in_order(desk: Desk, stub: SlackStub) -> None:
    stub.channels["C0000DATA"].archived = True
    name = desk.happen(0, send=False)
    assert len(desk.send(NOW).failures) == 1
    desk.happen(1, "recovered", name, send=False)
    assert desk.send(NOW + dt.timedelta(seconds=1)).delivered == ()
    stub.channels["C0000DATA"].archived = False
    assert desk.send(NOW + dt.timedelta(days=1)).ok
    (post,) = stub.posts
    assert post["blocks"][0]["text"]["text"].startswith("Resolved: ")


def test_a_storm_is_one_message_that_later_tables_join_and_that_says_who_is_well(desk: Desk, stub: SlackStub) -> None:
    names = [desk.happen(0, table=f"main.t{n}", at=NOW, send=False) for n in range(12)]
    assert desk.send(NOW).ok
    assert "12 tables are not as usual at once" in stub.posts[0]["blocks"][0]["text"]["text"]
    assert "the warehouse main" in texts(stub.posts[0])
    late = NOW + dt.timedelta(minutes=20)
    desk.happen(0, table="main.late", at=late)
    assert len(stub.posts) == 1
    assert "13 tables" in stub.posts[0]["blocks"][0]["text"]["text"]
    desk.happen(1, "recovered", names[3], table="main.t3")
    assert "12 of 13 incidents open" in stub.posts[0]["blocks"][0]["text"]["text"]
    assert "Well again on 2013-02-02" in texts(stub.posts[0])
    assert len(stub.posts) == 1
    assert stub.replies == []


def test_who_joins_a_storm_whose_message_was_taken_away_is_told_all_the_same(desk: Desk, stub: SlackStub) -> None:
    for n in range(5):
        desk.happen(0, table=f"main.t{n}", at=NOW, send=False)
    assert desk.send(NOW).ok
    assert "conversations.history" not in stub.methods  # nobody need be asked about a first attempt
    stub.channels["C0000DATA"].posts.clear()
    desk.happen(0, table="main.late", at=NOW + dt.timedelta(minutes=5))
    assert "main.late" in texts(stub.posts[0])


def test_a_storm_whose_answer_was_lost_stays_one_message(desk: Desk, stub: SlackStub) -> None:
    for n in range(6):
        desk.happen(0, table=f"main.t{n}", at=NOW, send=False)
    stub.faults["chat.postMessage"] = ["cut-after"]
    stub.faults["conversations.history"] = [500] * 3
    assert len(desk.send(NOW).failures) == 1
    assert desk.send(NOW + dt.timedelta(minutes=10)).ok
    assert len(stub.posts) == 1


def test_four_tables_are_no_storm_and_five_on_two_days_neither(desk: Desk, stub: SlackStub) -> None:
    for n in range(4):
        desk.happen(0, table=f"main.t{n}", at=NOW, send=False)
    assert desk.send(NOW).ok
    for n in range(4):
        desk.happen(1, table=f"main.u{n}", at=NOW + dt.timedelta(days=1 + n), send=False)
    assert desk.send(NOW + dt.timedelta(days=9)).ok
    assert len(stub.posts) == 8


def test_low_priority_is_told_in_the_digest_alone(desk: Desk, stub: SlackStub) -> None:
    desk.timetable = Timetable()
    for n in range(3):
        desk.happen(0, table=f"main.t{n}", priority="low", at=NOW, send=False)
    assert len(desk.send(NOW).put_off) == 3
    urgent = desk.happen(0, table="main.urgent", at=NOW)
    assert len(stub.posts) == 1  # what waits holds up nothing
    assert desk.store.undelivered(NOW - dt.timedelta(days=9)) == []  # nor is it missed
    assert desk.send(NOW + dt.timedelta(hours=1)).ok
    (post, digest) = stub.posts
    assert urgent in texts(post)
    assert digest["blocks"][0]["text"]["text"].startswith("Digest: 3 changes in 3 tables")
    assert desk.send(NOW + dt.timedelta(days=3)).delivered == ()


def test_quiet_hours_are_kept_unless_it_is_severe(desk: Desk, stub: SlackStub) -> None:
    hours = Hours((dt.time(22), dt.time(9)), Severity.SEVERE)
    desk.timetable = Timetable(hours={CHANNEL: hours})
    name = desk.happen(0, at=NOW)
    assert stub.posts == []
    desk.happen(0, table="main.severe", severity=Severity.EXTREME, at=NOW)
    assert [post["metadata"]["event_payload"]["incident"] for post in stub.posts] == ["INC-2"]
    desk.happen(1, "recovered", name, at=NOW + dt.timedelta(minutes=30))
    assert len(stub.posts) == 1
    assert desk.send(NOW + dt.timedelta(hours=2)).ok
    assert "Resolved: " in texts(stub.posts[1])  # told, and told that it is over
    assert desk.send(NOW + dt.timedelta(hours=3)).ok


def test_one_channel_down_does_not_hold_up_another(
    desk: Desk, stub: SlackStub, connect: Callable[..., Slack], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stub.faults["chat.postMessage"] = ["service_unavailable"] * 9
    happened = Incident(
        "new:0", "main.t", "2013-02-01", "opened", "t", ("volume",), (), (), Change.OTHER, 4.0, alerted=True
    )
    payload = to_payload(compose(happened, [], Story("too few rows")))
    deliveries = [Delivery("new:0", channel, payload) for channel in (CHANNEL, "console")]
    desk.store.record(RunRecord("main.t", Partition("a", "a"), NOW, incidents=[happened], deliveries=deliveries))
    report = dispatch(desk.store, {CHANNEL: connect(), "console": Console("console", "", {}, tmp_path)}, NOW)
    assert len(report.delivered) == 1
    assert "too few rows" in capsys.readouterr().out


def test_a_recovery_of_high_priority_is_a_message_where_there_are_no_threads(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    console = {CHANNEL: Console("console", "", {}, tmp_path)}
    for priority, told in (("normal", ""), ("high", "Well again")):
        table = f"main.{priority}"
        name = desk.happen(0, table=table, priority=priority, send=False)
        desk.happen(1, "recovered", name, table=table, priority=priority, send=False)
        dispatch(desk.store, console, NOW + dt.timedelta(days=2))
        out = capsys.readouterr().out
        assert ("Well again" in out) == bool(told)


def test_a_message_changed_within_the_limits_however_long_it_is(desk: Desk, stub: SlackStub, store: Store) -> None:
    name = desk.happen(0, title="*x* " * 200)
    store.feedback(name, "acknowledge", now=NOW, who="@" + "a" * 500, note="<!channel> " * 500)
    assert desk.send(NOW).ok
    assert "<!channel>" not in texts(stub.posts[0])
