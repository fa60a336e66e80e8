from __future__ import annotations

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

from monitor.partitions import identity, partition_at, previous
from monitor.serve.decide import CATCH_UP_PARTITIONS, Decision, Judged, Looked, decide, first_asked
from monitor.types import Cadence, Partition, Table, TimeColumn, TimeForm

ZONE = "Europe/Berlin"
TABLE = Table("main.t", "main", ("t",), (), TimeColumn("d", TimeForm.DATE), timezone=ZONE)
DUE = dataclasses.replace(TABLE, due=dt.time(6))
HOURLY = dataclasses.replace(TABLE, cadence=Cadence.HOUR)
WEEKLY = dataclasses.replace(TABLE, cadence=Cadence.WEEK)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def day(text: str) -> Partition:
    return partition_at(Cadence.DAY, ZONE, dt.date.fromisoformat(text))


def looked(now: dict[Partition, int], before: dict[Partition, int] | None = None, since: str = "") -> Looked:
    def by_order(counts: dict[Partition, int]) -> dict[str, tuple[Partition, int]]:
        return {p.order: (p, n) for p, n in counts.items()}

    return Looked(by_order(now), None if before is None else by_order(before), since)


def judged(*days: tuple[Partition, int]) -> dict[str, Judged]:
    return {p.order: Judged(p, rows, 1, 30_000.0) for p, rows in days}


def wished(found: Decision) -> list[tuple[str, str]]:
    return [(w.partition.label, w.why) for w in found.wishes]


LAST, TODAY = day("2024-03-05"), day("2024-03-06")
KNOWN = judged((day("2024-03-04"), 100))


def both(counts: dict[Partition, int]) -> Looked:
    return looked(counts, counts)


def test_a_day_is_judged_at_its_due_time_whatever_has_come_by_then_and_not_before() -> None:
    for rows in ({}, {LAST: 5}):
        seen = looked({day("2024-03-04"): 100, **rows})
        assert wished(decide(DUE, seen, KNOWN, 0, at("2024-03-06T05:59"))) == []
        assert wished(decide(DUE, seen, KNOWN, 0, at("2024-03-06T06:00"))) == [("2024-03-05", "due")]


def test_without_a_due_time_a_day_is_judged_when_its_count_stood_still_after_its_end() -> None:
    counts = {day("2024-03-04"): 100, LAST: 90}
    growing = looked(counts, {day("2024-03-04"): 100, LAST: 80})
    assert wished(decide(TABLE, both(counts), KNOWN, 0, at("2024-03-05T23:59"))) == []
    assert wished(decide(TABLE, looked(counts), KNOWN, 0, at("2024-03-06T00:10"))) == []
    assert wished(decide(TABLE, growing, KNOWN, 0, at("2024-03-06T00:10"))) == []
    assert wished(decide(TABLE, both(counts), KNOWN, 0, at("2024-03-06T00:10"))) == [("2024-03-05", "complete")]


def test_a_learned_lag_is_waited_for() -> None:
    counts = both({day("2024-03-04"): 100, LAST: 90})
    assert wished(decide(TABLE, counts, KNOWN, 3 * 3600, at("2024-03-06T02:59"))) == []
    assert wished(decide(TABLE, counts, KNOWN, 3 * 3600, at("2024-03-06T03:00"))) == [("2024-03-05", "complete")]


def test_a_day_that_does_not_come_is_overdue_once() -> None:
    counts = both({day("2024-03-04"): 100})
    assert wished(decide(TABLE, counts, KNOWN, 0, at("2024-03-06T05:59"))) == []
    assert wished(decide(TABLE, counts, KNOWN, 0, at("2024-03-06T06:00"))) == [("2024-03-05", "overdue")]
    told = KNOWN | judged((LAST, 0))
    assert wished(decide(TABLE, counts, told, 0, at("2024-03-06T09:00"))) == []


def test_a_day_that_never_stands_still_is_judged_in_the_end() -> None:
    growing = looked({day("2024-03-04"): 100, LAST: 90}, {LAST: 80})
    assert wished(decide(TABLE, growing, KNOWN, 0, at("2024-03-06T06:00"))) == [("2024-03-05", "overdue")]


def test_rows_that_come_after_the_day_was_judged_judge_it_again_once_they_stand_still() -> None:
    known = KNOWN | judged((LAST, 90))
    now = at("2024-03-06T09:00")
    before, after = {day("2024-03-04"): 100, LAST: 90}, {day("2024-03-04"): 100, LAST: 120}
    assert wished(decide(DUE, looked(after, before), known, 0, now)) == []
    found = decide(DUE, both(after), known, 0, now)
    assert [(w.partition, w.why, w.revision) for w in found.wishes] == [(LAST, "rows changed", 1)]
    assert wished(decide(DUE, both(after), KNOWN | judged((LAST, 120)), 0, now)) == []


def test_rows_that_go_away_judge_a_day_again_too() -> None:
    known = KNOWN | judged((LAST, 90))
    seen = both({day("2024-03-04"): 100})
    assert wished(decide(DUE, seen, known, 0, at("2024-03-06T09:00"))) == [("2024-03-05", "rows changed")]


def test_changes_of_long_ago_are_left_alone() -> None:
    old = day("2024-02-20")
    known = judged((old, 50), *((previous(TODAY, Cadence.DAY, ZONE, n), 100) for n in range(1, 14)))
    counts = dict.fromkeys((previous(TODAY, Cadence.DAY, ZONE, n) for n in range(1, 14)), 100) | {old: 51}
    assert decide(DUE, both(counts), known, 0, at("2024-03-06T09:00")) == Decision()


def test_days_missed_are_judged_in_order() -> None:
    counts = both({day(f"2024-03-0{n}"): 100 for n in range(1, 6)})
    known = judged((day("2024-03-01"), 100))
    expected = [(f"2024-03-0{n}", "due") for n in (2, 3, 4, 5)]
    assert wished(decide(DUE, counts, known, 0, at("2024-03-06T07:00"))) == expected


def test_of_a_long_absence_the_last_days_are_judged_and_the_others_named() -> None:
    known = judged((day("2024-01-31"), 100))
    found = decide(DUE, both({LAST: 100}), known, 0, at("2024-03-06T07:00"))
    assert len(found.wishes) == CATCH_UP_PARTITIONS[Cadence.DAY]
    assert found.wishes[-1].partition == LAST
    assert found.skipped[0] == "2024-02-01"
    assert found.skipped[-1] == previous(found.wishes[0].partition, Cadence.DAY, ZONE).label
    assert first_asked(DUE, known, at("2024-03-06T07:00")) == found.wishes[0].partition


def test_a_table_never_watched_begins_with_its_last_complete_day() -> None:
    counts = both({day("2024-03-03"): 7, LAST: 90})
    assert wished(decide(TABLE, counts, {}, 0, at("2024-03-06T01:00"))) == [("2024-03-05", "complete")]


def test_a_finished_table_that_nobody_watched_is_left_alone() -> None:
    assert decide(DUE, both({}), {}, 0, at("2024-03-06T07:00")) == Decision()


def test_a_day_that_was_looked_at_too_early_is_still_to_be_judged() -> None:
    early = {LAST.order: Judged(LAST, 40, 2, checked_s=3600.0)}
    found = decide(DUE, looked({LAST: 90}), KNOWN | early, 0, at("2024-03-06T06:00"))
    assert [(w.why, w.revision) for w in found.wishes] == [("due", 2)]
    running = {LAST.order: Judged(LAST, 40, 2, checked_s=-60.0)}
    assert wished(
        decide(TABLE, both({day("2024-03-04"): 100, LAST: 90}), KNOWN | running, 0, at("2024-03-06T01:00"))
    ) == [("2024-03-05", "complete")]


def test_a_clock_set_back_judges_nothing() -> None:
    known = KNOWN | judged((LAST, 90), (TODAY, 10))
    counts = both({day("2024-03-04"): 100, LAST: 90, TODAY: 10})
    assert decide(DUE, counts, known, 0, at("2024-03-05T09:00")) == Decision()
    assert decide(DUE, counts, known, 0, at("2024-03-02T09:00")) == Decision()


def test_the_day_of_23_hours_is_due_by_the_clock_of_the_wall() -> None:
    known = judged((day("2024-03-30"), 100))
    counts = looked({day("2024-03-31"): 5})
    assert decide(DUE, counts, known, 0, at("2024-04-01T05:59")) == Decision()
    assert wished(decide(DUE, counts, known, 0, at("2024-04-01T06:00"))) == [("2024-03-31", "due")]
    summer = decide(DUE, looked({day("2024-03-30"): 5}), judged((day("2024-03-29"), 1)), 0, at("2024-03-31T06:00"))
    assert wished(summer) == [("2024-03-30", "due")]
    before = dt.datetime(2024, 3, 31, 3, 59, tzinfo=dt.UTC)  # 05:59 in Berlin, an hour after the change
    assert decide(DUE, looked({day("2024-03-30"): 5}), judged((day("2024-03-29"), 1)), 0, before) == Decision()


def test_hours_over_a_clock_change_are_all_judged_and_once() -> None:
    first = partition_at(Cadence.HOUR, ZONE, dt.datetime(2024, 10, 26, 23, 0, tzinfo=dt.UTC))
    now = dt.datetime(2024, 10, 27, 3, 0, tzinfo=dt.UTC)
    hours = [partition_at(Cadence.HOUR, ZONE, dt.datetime(2024, 10, 27, n, tzinfo=dt.UTC)) for n in range(3)]
    found = decide(HOURLY, both(dict.fromkeys([first, *hours], 9)), judged((first, 9)), 0, now)
    assert [w.partition for w in found.wishes] == hours
    assert len({w.partition.label for w in found.wishes}) == 3


def test_weeks_are_judged_when_the_next_has_begun() -> None:
    week = partition_at(Cadence.WEEK, ZONE, dt.date(2024, 2, 26))
    before = previous(week, Cadence.WEEK, ZONE)
    counts = both({before: 70, week: 70})
    assert decide(WEEKLY, counts, judged((before, 70)), 0, at("2024-03-03T23:00")) == Decision()
    assert wished(decide(WEEKLY, counts, judged((before, 70)), 0, at("2024-03-04T00:10"))) == [
        ("2024-02-26", "complete")
    ]


def test_ids_are_judged_when_they_stand_still_and_again_when_they_change() -> None:
    table = dataclasses.replace(TABLE, time=TimeColumn("batch", TimeForm.INTEGER_ID))
    one, two, three = (identity(n) for n in (1, 2, 3))
    now = at("2024-03-06T07:00")
    assert wished(decide(table, both({one: 5, two: 5}), {}, 0, now)) == [("2", "complete")]
    seen = looked({one: 5, two: 6, three: 1}, {one: 5, two: 6})
    assert wished(decide(table, seen, judged((one, 5), (two, 5)), 0, now)) == [("2", "rows changed")]
    assert wished(decide(table, both({two: 5, three: 1}), judged((two, 5)), 0, now)) == [("3", "complete")]


def test_a_table_without_a_time_column_is_judged_once_a_day() -> None:
    table = dataclasses.replace(DUE, time=None)
    assert decide(table, None, {}, 0, at("2024-03-06T05:00")) == Decision()
    assert wished(decide(table, None, {}, 0, at("2024-03-06T06:00"))) == [("2024-03-06", "daily")]
    assert decide(table, None, judged((TODAY, 5)), 0, at("2024-03-06T08:00")) == Decision()
