"""What a person says on the command line, and what can be read of it later."""

from __future__ import annotations

import datetime as dt

import pytest

from monitor.store import Store
from tests.e2e.desk import Desk

DAY = "2026-11-10"


@pytest.fixture
def desk(seasoned: Desk) -> Desk:
    """What is judged here needs a past, and is not about reading it."""
    return seasoned


def test_what_is_said_is_kept_with_who_why_and_where(desk: Desk) -> None:
    desk.judge("--date", DAY)
    said = desk.say(
        "feedback", "INC-1", "acknowledge", "--note", "the\nload broke", "--link", "https://chat.example.com/p/1"
    )
    assert said.code == 0
    assert "INC-1: acknowledge by " in said.out
    assert desk.say("feedback", "INC-1", "assign", "--to", "@bob").out.startswith("INC-1: assign to @bob by ")
    record = desk.say("history", "INC-1")
    assert record.code == 0
    for told in ("opened", DAY, "acknowledge", "the load broke", "https://chat.example.com/p/1", "to @bob"):
        assert told in record.out
    lines = desk.say("history", "inc-1", "--format", "json").lines
    assert [line["event"] for line in lines] == ["opened", "acknowledge", "assign"]
    assert {"incident", "at", "event"} <= set(lines[0])


def test_the_record_outlives_the_days_it_is_about(desk: Desk) -> None:
    desk.judge("--from", DAY, "--to", "2026-11-11")
    with Store.open(f"sqlite:///{desk.folder / 'daywatch.db'}") as store:
        store.prune(dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
        assert store.incidents() == []
    record = desk.say("history", "INC-1")
    assert record.code == 0
    assert "recovered" in record.out
    assert f"({DAY} to 2026-11-11)" in record.out


def test_noise_is_shown_in_the_plan(desk: Desk) -> None:
    desk.judge("--date", DAY)
    assert "a tenth" in desk.say("feedback", "INC-1", "noise").out
    told = desk.say("plan").out
    assert "nulls.color gets 1/10 of its share of the budget: INC-1 was called noise" in told
    assert "daywatch feedback INC-1 noise --clear" in told
    assert "taken back" in desk.say("feedback", "INC-1", "noise", "--clear").out
    assert "1/10" not in desk.say("plan").out
    assert "was not called noise" in desk.say("feedback", "INC-1", "noise", "--clear").err
    assert "noise --clear" in desk.say("feedback", "INC-1", "mute", "--clear").err


def test_what_cannot_be_said_is_refused_with_the_mend(desk: Desk) -> None:
    desk.judge("--date", DAY)
    for words, mend in (
        (("INC-9", "resolve"), "INC-1"),
        (("INC-1", "shout"), "acknowledge"),
        (("INC-1", "assign"), "--to"),
        (("INC-1", "resolve", "--until", "2027-01-01"), "mute"),
        (("INC-1", "mute", "--until", "soon"), "--until"),
    ):
        answer = desk.say("feedback", *words)
        assert answer.code == 2
        assert mend in answer.err
    assert desk.say("history", "INC-9").code == 2


def test_a_muted_incident_that_goes_on_is_told_nobody(desk: Desk) -> None:
    desk.sql("UPDATE orders SET color = NULL WHERE d = '2026-11-11' AND order_id % 5 < 3")
    desk.judge("--date", DAY)
    desk.say("feedback", "INC-1", "mute", "--until", "2027-01-01")
    desk.judge("--date", "2026-11-11")
    assert len(desk.alerts()) == 1
    assert desk.say("status").code in (0, 1)
