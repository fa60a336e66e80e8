"""What earlier days teach: gaps, bad days, new levels, and which days are compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.past import Day, Past, restart
from monitor.types import ROWS, Measure, Partition, Point

MEAN = Measure("mean", "c1")


def past(make: Any, rows: list[Any], **settings: Any) -> Past:
    return Past(make.table(**settings), rows)


def test_days_without_rows_are_zero_rows_and_unknown_values(make: Any) -> None:
    found = past(make, [make.past_row(i, values={MEAN.key: 5.0}) for i in (0, 1, 4)])
    rows = found.series(ROWS, "volume", 9.0, make.day(6))
    assert rows.today == 9.0
    assert [p.value for p in rows.past] == [100.0, 100.0, 0.0, 0.0, 100.0, 0.0]
    assert [p.partition.label for p in rows.past] == [make.day(i).label for i in range(6)]
    assert [p.value for p in found.series(MEAN, "stats.c1", None, make.day(6)).past] == [
        5.0,
        5.0,
        None,
        None,
        5.0,
        None,
    ]


def test_ids_have_no_gaps(make: Any) -> None:
    rows = [replace(make.past_row(0), partition=Partition(f"1{i:040d}", str(i), value=i)) for i in (3, 7, 20)]
    before = Partition(f"1{21:040d}", "21", value=21)
    assert [p.partition.label for p in past(make, rows).series(ROWS, "volume", None, before).past] == ["3", "7", "20"]


def test_nothing_of_the_day_itself_or_later_is_known(make: Any) -> None:
    found = past(make, [make.past_row(i, scores={"drift": 0.1}) for i in range(10)])
    assert [d.partition.label for d in found.known(make.day(5))] == [make.day(i).label for i in range(5)]
    assert len(found.series(ROWS, "volume", None, make.day(5)).past) == 5
    assert len(found.scores(make.day(5))["drift"]) == 5
    assert all(p.order < make.day(5).order for p in found.references(make.day(5)))
    assert past(make, []).days(make.day(5)) == []


def test_a_bad_day_teaches_its_own_check_nothing(make: Any) -> None:
    found = past(
        make, [make.past_row(i, failed=["nulls.c1"] if i == 2 else [], scores={"drift": 1.0}) for i in range(5)]
    )
    good = {c: [p.good for p in found.series(MEAN, c, None, make.day(5)).past] for c in ("nulls.c1", "nulls.c2")}
    assert good == {"nulls.c1": [True, True, False, True, True], "nulls.c2": [True] * 5}
    assert [p.good for p in found.scores(make.day(5))["drift"]] == [True, True, False, True, True]


def test_an_expected_day_teaches_again(make: Any) -> None:
    rows = [make.past_row(i, failed=["nulls.c1"] if i == 2 else [], expected=i == 2) for i in range(5)]
    found = past(make, rows)
    assert all(p.good for p in found.series(MEAN, "nulls.c1", None, make.day(5)).past)
    assert make.day(2) in found.references(make.day(5))


def test_references_are_comparable_good_days_with_rows(make: Any) -> None:
    rows = [make.past_row(i, rows=0 if i == 57 else 100, failed=["drift"] if i == 59 else []) for i in range(60)]
    chosen = past(make, rows).references(make.day(60))
    labels = [p.label for p in chosen]
    assert labels == sorted(labels, reverse=True)
    assert len(labels) == 7
    assert {make.day(60 - lag).label for lag in (2, 7, 14, 21, 28)} <= set(labels)
    assert not {make.day(59).label, make.day(57).label} & set(labels)


@pytest.mark.parametrize(
    ("bad", "empty", "skipped"), [((), (), False), ((59,), (), True), ((58,), (), False), ((), (59,), False)]
)
def test_a_bad_day_leaves_no_day_before(bad: Any, empty: Any, skipped: bool, make: Any) -> None:
    rows = [make.past_row(i, rows=0 if i in empty else 100, failed=["drift"] if i in bad else []) for i in range(60)]
    found = past(make, rows)
    assert found.skipped(make.day(60)) is skipped
    assert (found.references(make.day(60))[0] == make.day(59)) is not (skipped or bool(empty))


@pytest.mark.parametrize("check", ["rule.a", "metric.b", "schema", "freshness"])
def test_what_the_rows_are_not_to_blame_for_keeps_them_as_references(check: str, make: Any) -> None:
    found = past(make, [make.past_row(i, failed=[check] if i == 4 else []) for i in range(5)])
    assert make.day(4) in found.references(make.day(5))


def test_a_new_level_that_holds_still_is_the_new_normal(make: Any) -> None:
    rows = [make.past_row(i, rows=100 if i < 10 else 50, failed=["volume"] if i >= 10 else []) for i in range(30)]
    found = past(make, rows)
    for length in range(1, 20):
        points = found.series(ROWS, "volume", 50, make.day(10 + length)).past
        values = {p.value for p in points if p.good and p.value is not None}
        assert values in ({100}, {50})
        assert values == {100} or length > 3
    assert values == {50}


def test_two_bad_spells_apart_restart_nothing(make: Any) -> None:
    flags = [True] * 5 + [False] * 3 + [True] + [False] * 3 + [True]
    points = [Point(make.day(i), 1.0, good) for i, good in enumerate(flags)]
    assert [p.good for p in restart(points)] == flags
    assert list(restart([])) == []


def test_after_a_restart_ordinary_bad_days_are_bad_again(make: Any) -> None:
    flags = [True] * 5 + [False] * 8 + [True] * 4 + [False]
    found = restart([Point(make.day(i), 1.0, good) for i, good in enumerate(flags)])
    assert [p.good for p in found][-5:] == [True] * 4 + [False]
    assert all(p.good and p.value is not None for p in found[5:17])
    assert {p.value for p in found[:5]} == {None}


def test_a_day_judged_again_replaces_what_was_known(make: Any) -> None:
    found = past(make, [make.past_row(i) for i in range(5)])
    assert [p.value for p in found.series(ROWS, "volume", None, make.day(5)).past][3] == 100.0
    found.add(Day(make.day(3), {ROWS.key: 7.0}))
    assert [p.value for p in found.series(ROWS, "volume", None, make.day(5)).past] == [100.0, 100.0, 100.0, 7.0, 100.0]
