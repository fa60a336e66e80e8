"""What people say changes what is judged: days that were expected, and checks that were too sensitive."""

from __future__ import annotations

import datetime as dt

import pytest

from monitor.past import WHOLE
from monitor.run import Outcome
from monitor.store import IncidentStatus
from tests.loop.conftest import FIRST, NOW, Judge, Shop

DAY = 32


def spoil(shop: Shop, day: int, share: float = 0.4, column: str = "rating") -> None:
    label = (FIRST + dt.timedelta(days=day)).isoformat()
    shop.write(f"UPDATE orders SET {column} = NULL WHERE day = DATE '{label}' AND hash(id) % 100 < {int(share * 100)}")


def say(shop: Shop, incident: str, action: str) -> None:
    with shop.store() as store:
        store.feedback(incident, action, now=NOW, who="@ana", by="@ana")


def only(outcome: Outcome) -> tuple[str, str, bool]:
    (event,) = outcome.incidents
    return event.incident, event.event, event.alerted


def test_what_was_expected_goes_on_without_an_alert_and_becomes_the_level(shop: Shop, judge_day: Judge) -> None:
    for day in range(DAY, DAY + 6):
        spoil(shop, day)
    name, event, alerted = only(judge_day(DAY))
    assert (event, alerted) == ("opened", True)
    say(shop, name, "expected")
    followed = [judge_day(day) for day in range(DAY + 1, DAY + 6)]
    assert not any(e.alerted for outcome in followed for e in outcome.incidents)
    assert only(followed[0]) == (name, "continued", False)
    with shop.store() as store:
        past = {p.partition.label: p.expected for p in store.history("main.orders")}
        assert past[(FIRST + dt.timedelta(days=DAY)).isoformat()]
        assert [state.id for state in store.incidents()] == [name]
        assert store.incidents()[0].status is IncidentStatus.EXPECTED
    # the level has begun anew: the same share is no finding any more
    last = {f.check: f.status.value for f in followed[-1].findings}
    assert last["nulls.rating"] in ("pass", "learning")


def test_without_a_word_it_goes_on_being_wrong(shop: Shop, judge_day: Judge) -> None:
    for day in range(DAY, DAY + 3):
        spoil(shop, day)
    outcomes = [judge_day(day) for day in range(DAY, DAY + 3)]
    assert [f.status.value for f in outcomes[-1].findings if f.check == "nulls.rating"] == ["fail"]


def test_worse_than_what_was_expected_alerts(shop: Shop, judge_day: Judge) -> None:
    spoil(shop, DAY, 0.2)
    spoil(shop, DAY + 1, 1.0)
    name, _, _ = only(judge_day(DAY))
    say(shop, name, "expected")
    assert any(e.alerted for e in judge_day(DAY + 1).incidents)


def test_the_same_again_after_a_good_day_is_a_new_incident(shop: Shop, judge_day: Judge) -> None:
    spoil(shop, DAY)
    spoil(shop, DAY + 2, 0.6)
    name, _, _ = only(judge_day(DAY))
    say(shop, name, "expected")
    judge_day(DAY + 1)
    again, event, alerted = only(judge_day(DAY + 2))
    assert (again != name, event, alerted) == (True, "opened", True)


def test_noise_asks_ten_times_as_much_of_its_check_and_of_no_other(shop: Shop, judge_day: Judge) -> None:
    spoil(shop, DAY)
    before = {f.check: f.threshold for f in judge_day(DAY).findings}
    surprise = _surprise(shop)
    name = _incident(shop)
    say(shop, name, "noise")
    say(shop, name, "noise")  # pressed twice: once
    with shop.store() as store:
        said = {one.check: (one.decades, one.by) for one in store.cautions("main.orders")}
    assert said["nulls.rating"] == (1.0, "@ana")
    after = {f.check: f.threshold for f in judge_day(DAY).findings}
    assert after["nulls.rating"] > before["nulls.rating"] * 1.05
    assert after["nulls.price"] == pytest.approx(before["nulls.price"], rel=0.05)
    assert _surprise(shop) < surprise - 0.5  # what is remembered of the day is what it was judged by


def _surprise(shop: Shop) -> float:
    """How surprising the day was as a whole, as the store has it."""
    with shop.store() as store:
        day = (FIRST + dt.timedelta(days=DAY)).isoformat()
        return {p.partition.label: p.surprises for p in store.history("main.orders")}[day][WHOLE]


def _incident(shop: Shop) -> str:
    with shop.store() as store:
        return store.incidents()[0].id


def test_what_a_person_called_resolved_is_open_again_where_it_goes_on(shop: Shop, judge_day: Judge) -> None:
    spoil(shop, DAY)
    spoil(shop, DAY + 1)
    name, _, _ = only(judge_day(DAY))
    say(shop, name, "resolve")
    with shop.store() as store:
        past = {p.partition.label: p.expected for p in store.history("main.orders")}
    assert not past[(FIRST + dt.timedelta(days=DAY)).isoformat()]  # its day stays bad
    assert any(e.alerted for e in judge_day(DAY + 1).incidents)
