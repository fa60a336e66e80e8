"""What one table-day does, from the warehouse to the record, on a real DuckDB file and a real store."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from checks.volume import Volume
from monitor.run import Outcome, judge_partition
from monitor.select import select_partitions
from monitor.types import Change, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Judge = Callable[..., Outcome]
    Shop = Any

FIRST = dt.date(2024, 1, 1)
LAST = 39  # the last of the days that the fixture makes
NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)
DAY = (FIRST + dt.timedelta(days=LAST)).isoformat()


def statuses(outcome: Outcome) -> dict[str, Status]:
    return {f.check: f.status for f in outcome.findings}


def failed(outcome: Outcome) -> set[str]:
    return {check for check, status in statuses(outcome).items() if status is Status.FAIL}


def test_a_day_like_the_others_is_well(judge_day: Judge) -> None:
    outcome = judge_day(LAST)
    assert not failed(outcome)
    assert statuses(outcome)["volume"] is Status.PASS
    assert statuses(outcome)["drift"] is Status.PASS
    assert not outcome.incidents


def test_all_aggregates_of_the_day_are_one_scan(shop: Shop) -> None:
    with shop.store() as store:
        watch = shop.watch(store)
        partition = watch.warehouse.partition(watch.table, DAY)
        with watch.warehouse.costing() as receipt:
            watch.warehouse.aggregates(watch.table, partition, watch.request.measures)
        watch.warehouse.close()
    assert len(watch.request.measures) > 20
    assert receipt.queries == 1


SOME = "day = '{day}' AND id % 3 = 0"


@pytest.mark.parametrize(
    ("damage", "check", "change", "column"),
    [
        (f"UPDATE orders SET country = NULL WHERE {SOME}", "nulls.country", Change.NULLS_UP, "country"),
        (f"UPDATE orders SET price = 0 WHERE {SOME}", "zeros.price", Change.ZEROS_UP, "price"),
        ("UPDATE orders SET price = price * 100 WHERE day = '{day}'", "stats.price", Change.SCALE, "price"),
        (f"UPDATE orders SET country = 'XX' WHERE {SOME}", "drift", Change.VALUES_NEW, "country"),
        (f"DELETE FROM orders WHERE {SOME}", "volume", Change.ROWS_MISSING, None),
        (f"INSERT INTO orders SELECT * FROM orders WHERE {SOME}", "duplicates", Change.DUPLICATES, None),
    ],
)
def test_a_fault_is_one_incident_that_names_its_kind_and_column(
    shop: Shop, judge_day: Judge, damage: str, check: str, change: Change, column: str | None
) -> None:
    shop.write(damage.format(day=DAY))
    outcome = judge_day(LAST)
    assert check in failed(outcome)
    (incident,) = outcome.incidents
    assert (incident.event, incident.alerted, incident.change) == ("opened", True, change)
    assert column is None or incident.columns[0] == column
    lead = next(f for f in outcome.findings if f.check == incident.checks[0])
    assert lead.incident == incident.incident
    assert lead.sql_bad is not None
    shop.write(lead.sql_bad)  # it runs as it stands


def test_a_day_that_is_not_over_is_skipped_not_judged(shop: Shop, judge_day: Judge) -> None:
    shop.write(f"DELETE FROM orders WHERE day = '{DAY}' AND id % 10 <> 0")
    noon = dt.datetime.combine(FIRST + dt.timedelta(days=LAST), dt.time(12), tzinfo=dt.UTC)
    outcome = judge_day(LAST, now=noon)
    told = statuses(outcome)
    assert told.pop("freshness") is Status.PASS
    assert set(told.values()) == {Status.SKIPPED}
    assert not outcome.incidents


def test_a_due_time_holds_the_judgement_back(judge_day: Judge) -> None:
    early = dt.datetime.combine(FIRST + dt.timedelta(days=LAST + 1), dt.time(5), tzinfo=dt.UTC)
    assert statuses(judge_day(LAST, now=early, due=dt.time(6)))["volume"] is Status.SKIPPED
    assert statuses(judge_day(LAST, now=early + dt.timedelta(hours=2), due=dt.time(6)))["volume"] is Status.PASS


def test_a_day_that_is_missing_whole_fails_freshness_alone(shop: Shop, judge_day: Judge) -> None:
    shop.write(f"DELETE FROM orders WHERE day = '{DAY}'")
    outcome = judge_day(LAST)
    assert failed(outcome) == {"freshness"}
    assert [i.change for i in outcome.incidents] == [Change.LATE]


def test_a_check_that_raises_becomes_an_error_and_stops_nobody(
    judge_day: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_: object) -> Sequence[object]:
        raise ZeroDivisionError("password=hunter2 is wrong")

    monkeypatch.setattr(Volume, "evaluate", burst)
    outcome = judge_day(LAST)
    broken = next(f for f in outcome.findings if f.check == "volume")
    assert broken.status is Status.ERROR
    assert "ZeroDivisionError" in broken.summary
    assert "hunter2" not in broken.summary
    assert statuses(outcome)["drift"] is Status.PASS


def test_later_rows_change_nothing(shop: Shop, judge_day: Judge) -> None:
    (shop.folder / "store.db").unlink()  # the past is read anew, both times
    before = judge_day(LAST - 5, drift_backfill_days=6)
    shop.write(f"UPDATE orders SET price = -1, country = NULL WHERE day > '{FIRST + dt.timedelta(days=LAST - 5)}'")
    (shop.folder / "store.db").unlink()
    after = judge_day(LAST - 5, drift_backfill_days=6)
    assert [(f.check, f.status, f.score, f.surprise) for f in before.findings] == [
        (f.check, f.status, f.score, f.surprise) for f in after.findings
    ]


def test_an_incident_keeps_its_id_when_the_day_is_judged_again_continues_and_recovers(
    shop: Shop, judge_day: Judge
) -> None:
    days = [FIRST + dt.timedelta(days=LAST - 2), FIRST + dt.timedelta(days=LAST - 1)]
    for day in days:
        shop.write(f"UPDATE orders SET country = NULL WHERE day = '{day}' AND id % 3 = 0")
    first, again = judge_day(LAST - 2), judge_day(LAST - 2)
    assert [(i.incident, i.event) for i in first.incidents] == [(i.incident, i.event) for i in again.incidents]
    number = first.incidents[0].incident
    assert [(i.incident, i.event) for i in judge_day(LAST - 1).incidents] == [(number, "continued")]
    assert [(i.incident, i.event) for i in judge_day(LAST).incidents] == [(number, "recovered")]
    with shop.store() as store:
        assert len(store.incidents("main.orders")) == 1


def test_rows_that_came_late_are_found_and_judged_again(shop: Shop, judge_day: Judge) -> None:
    shop.write(f"CREATE TABLE late AS SELECT * FROM orders WHERE day = '{DAY}' AND id % 2 = 0")
    shop.write(f"DELETE FROM orders WHERE day = '{DAY}' AND id % 2 = 0")
    opened = judge_day(LAST)
    assert failed(opened) >= {"volume"}
    shop.write("INSERT INTO orders SELECT * FROM late")
    after = dt.datetime.combine(FIRST + dt.timedelta(days=LAST + 2), dt.time(7), tzinfo=dt.UTC)
    notes: list[str] = []
    with shop.store() as store:
        watch = shop.watch(store)
        partitions = select_partitions(watch, None, None, after, notes.append)
        outcomes = [judge_partition(watch, partition, after) for partition in partitions]
        watch.warehouse.close()
    assert partitions[0].label == DAY
    assert "volume" not in failed(outcomes[0])
    assert any("judging it again" in note for note in notes)


def test_a_day_that_a_person_calls_expected_becomes_part_of_the_past(shop: Shop, judge_day: Judge) -> None:
    for back in (3, 2, 1, 0):
        day = FIRST + dt.timedelta(days=LAST - back)
        shop.write(f"UPDATE orders SET country = NULL WHERE day = '{day}' AND id % 3 = 0")
    number = judge_day(LAST - 3).incidents[0].incident
    judge_day(LAST - 2)
    with shop.store() as store:
        store.feedback(number, "expected", now=NOW, who="ana")
        past = store.history("main.orders")
    assert [row.expected for row in past[-2:]] == [True, True]


def test_two_processes_never_judge_the_same_day(shop: Shop, judge_day: Judge) -> None:
    from monitor.claim import claimed
    from monitor.errors import SourceError

    with shop.store() as store:
        watch = shop.watch(store)
        partition = watch.warehouse.partition(watch.table, DAY)
        watch.warehouse.close()
        with claimed(store, "main.orders", partition.order, NOW), pytest.raises(SourceError, match="another process"):
            judge_day(LAST)
    assert judge_day(LAST).findings


def test_rules_count_bad_rows_and_a_column_without_values_breaks_none(shop: Shop, judge_day: Judge) -> None:
    shop.write("ALTER TABLE orders ADD COLUMN note VARCHAR")
    shop.write(f"UPDATE orders SET price = -1 WHERE day = '{DAY}' AND id % 50 = 0")
    rules = (
        {"name": "notes", "kind": "in_set", "columns": ("note",), "params": {"values": ["a"]}},
        {"name": "prices", "kind": "in_range", "columns": ("price",), "params": {"min": 0, "max": None}},
        {"name": "ids", "kind": "unique", "columns": ("id",), "params": {}},
    )
    told = {f.check: f for f in judge_day(LAST, rules=rules).findings}
    assert told["rule.notes"].status is Status.PASS
    assert told["rule.ids"].status is Status.PASS
    assert (told["rule.prices"].status, told["rule.prices"].score) == (Status.FAIL, 4.0)
    assert told["zeros.price"].status is Status.PASS
