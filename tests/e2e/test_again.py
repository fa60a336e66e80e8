from __future__ import annotations

import pytest

from tests.e2e.desk import Answer, Desk

BAD_DAY = "2026-11-10"


@pytest.fixture
def desk(seasoned: Desk) -> Desk:
    """What is judged here needs a past, and is not about reading it."""
    return seasoned


def _opened(answer: Answer) -> list[tuple[str, bool]]:
    return [(e["incident"], e["alerted"]) for e in answer.events if e["event"] == "opened"]


def test_a_day_judged_again_keeps_its_incident_and_sends_nothing_twice(desk: Desk) -> None:
    first, again = desk.judge("--date", BAD_DAY), desk.judge("--date", BAD_DAY)
    assert _opened(first) == _opened(again) == [("INC-1", True)]
    assert len(desk.alerts()) == 1
    assert (first.code, again.code) == (1, 1)


def test_a_muted_incident_is_quiet_until_its_mute_runs_out(desk: Desk) -> None:
    desk.judge("--date", BAD_DAY)
    assert desk.say("feedback", "INC-1", "mute", "--until", "2026-12-01").code == 0
    quiet = desk.judge("--date", BAD_DAY)
    assert (quiet.code, _opened(quiet)) == (0, [("INC-1", False)])
    later = desk.judge("--date", BAD_DAY, now="2026-12-02T05:00+00:00")
    assert later.code == 1
    assert len(desk.alerts()) == 1


def test_a_muted_incident_that_goes_on_is_quiet_too(desk: Desk) -> None:
    desk.sql("UPDATE orders SET color = NULL WHERE d = '2026-11-11' AND order_id % 5 < 3")
    desk.judge("--date", BAD_DAY)
    desk.say("feedback", "INC-1", "mute")
    next_day = desk.judge("--date", "2026-11-11")
    assert ("INC-1", "continued", False) in [(e["incident"], e["event"], e["alerted"]) for e in next_day.events]
    assert next_day.code == 0


def test_an_expected_day_becomes_part_of_the_past(desk: Desk) -> None:
    desk.judge("--date", BAD_DAY)
    before = _band(desk.judge("--date", "2026-11-11"))
    assert desk.say("feedback", "INC-1", "expected", "--note", "a storm").code == 0
    assert _band(desk.judge("--date", "2026-11-11")) > before


def _band(answer: Answer) -> float:
    """The highest share of missing colours that would not have been a surprise."""
    told = next(f["summary"] for f in answer.findings if f["check"] == "nulls.color")
    return float(told.rsplit(" ", 1)[1].rstrip("%)."))


def test_feedback_that_cannot_be_is_refused(desk: Desk) -> None:
    desk.judge("--date", BAD_DAY)
    for words, told in (
        (("INC-9", "mute"), "INC-1"),
        (("INC-1", "dance"), "acknowledge"),
        (("INC-1", "assign"), "--to"),
        (("INC-1", "mute", "--until", "soon"), "2013-03-01"),
    ):
        answer = desk.say("feedback", *words)
        assert (answer.code, told in answer.err) == (2, True), answer.err


def test_columns_that_change_are_told_once(desk: Desk) -> None:
    desk.sql("DELETE FROM orders WHERE d > '2026-11-08'")
    desk.judge("--date", "2026-11-08", now="2026-11-09T05:00+00:00")
    desk.sql(
        "ALTER TABLE orders DROP COLUMN note",
        "INSERT INTO orders SELECT DATE '2026-11-09', order_id + 200, color, price FROM orders WHERE d = '2026-11-08'",
        "INSERT INTO orders SELECT DATE '2026-11-10', order_id + 400, color, price FROM orders WHERE d = '2026-11-07'",
    )
    changed = desk.judge("--date", "2026-11-09", now="2026-11-10T05:00+00:00")
    schema = [e for e in changed.events if e["checks"] == ["schema"]]
    assert [(e["event"], e["columns"]) for e in schema] == [("opened", ["note"])]
    after = desk.judge("--date", "2026-11-10", now="2026-11-11T05:00+00:00")
    assert [f["status"] for f in after.findings if f["check"] == "schema"] == ["pass"]


def test_a_day_that_comes_late_is_judged_again_and_its_incident_goes(desk: Desk) -> None:
    desk.sql(
        "CREATE TABLE later AS SELECT * FROM orders WHERE d = '2026-11-08'", "DELETE FROM orders WHERE d > '2026-11-07'"
    )
    missing = desk.judge(now="2026-11-09T05:00+00:00")
    assert [(e["event"], e["change"]) for e in missing.events] == [("opened", "late")]
    assert {f["status"] for f in missing.findings} == {"fail", "skipped"}
    desk.sql("INSERT INTO orders SELECT * FROM later")
    arrived = desk.judge("--date", "2026-11-08", now="2026-11-09T09:00+00:00")
    assert arrived.code == 0
    assert "INC-" not in desk.say("status").out
