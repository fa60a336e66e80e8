"""Rows changed in place, and a table that stands still."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from checks.changes import FOLLOWED, Changes
from checks.evidence import tail_alone
from checks.freshness import Freshness
from monitor.snapshot.stillness import stillness
from monitor.types import Arrival, ArrivalState, ColumnKind, Evidence, Measure, Stillness

CHANGED, OF_X = Measure("changed"), Measure("changed", "x")
COLUMNS = {"id": ColumnKind.NUMBER, "x": ColumnKind.NUMBER}


def judged(make: Any, past: list[float | None], today: float) -> dict[str, Evidence]:
    """A thousand rows followed each day, of which so many changed."""
    table = make.table(COLUMNS, key=("id",))
    followed = [None if n is None else 1_000.0 for n in past]
    series = {make.rows: [1_000.0] * len(past), FOLLOWED: followed, CHANGED: past, OF_X: past}
    values = make.aggregates(series, {make.rows: 1_000.0, FOLLOWED: 1_000.0, CHANGED: today, OF_X: today})
    return {e.check: e for e in Changes().evaluate(table, make.day(len(past)), values)}


USUAL: list[float | None] = [float(50 + day * 7 % 11) for day in range(30)]


@pytest.mark.parametrize("today", [0.0, 300.0, 1_000.0])
def test_a_storm_and_an_update_that_stopped_stand_out(make: Any, today: float) -> None:
    found = judged(make, USUAL, today)
    assert set(found) == {"changes", "changes.x"}
    assert tail_alone(found["changes"]) < 1e-4
    assert found["changes.x"].columns == ("x",)


@pytest.mark.parametrize("today", [45.0, 55.0, 65.0])
def test_an_ordinary_update_does_not(make: Any, today: float) -> None:
    assert tail_alone(judged(make, USUAL, today)["changes"]) > 0.05


def test_days_that_nobody_looked_teach_nothing(make: Any) -> None:
    past = [n if day % 3 else None for day, n in enumerate(USUAL)]
    assert tail_alone(judged(make, past, 55.0)["changes"]) > 0.05
    assert tail_alone(judged(make, past, 400.0)["changes"]) < 1e-4


def test_the_first_looks_are_learning(make: Any) -> None:
    assert judged(make, [], 10.0)["changes"].score is None


def test_only_keyed_tables_without_a_time_column_are_followed(make: Any) -> None:
    assert not Changes().inputs(make.table(COLUMNS))
    assert not Changes().inputs(make.table({**COLUMNS, "at": ColumnKind.TIMESTAMP}, "at", key=("id",)))


def fresh(make: Any, still: int, longest: int, changes: int) -> Evidence:
    state = ArrivalState(dt.datetime.now(dt.UTC), 10, True, None, None, stillness=Stillness(still, longest, changes))
    (found,) = Freshness().evaluate(make.table(COLUMNS), make.day(40), {Arrival(): state})
    return found


@pytest.mark.parametrize(
    ("still", "longest", "changes", "stale"),
    [(1, 0, 40, True), (1, 0, 20, False), (2, 0, 20, True), (3, 2, 40, False), (4, 2, 40, True), (0, 2, 40, False)],
)
def test_a_table_is_stale_when_it_stands_still_longer_than_ever(
    make: Any, still: int, longest: int, changes: int, stale: bool
) -> None:
    assert bool(fresh(make, still, longest, changes).score) is stale


@pytest.mark.parametrize("still", [0, 5, 500])
def test_a_table_that_hardly_ever_changes_is_never_stale(make: Any, still: int) -> None:
    assert not fresh(make, still, 3, 9).score


def test_standing_still_is_told_from_what_is_counted_exactly() -> None:
    same = {"rows": 10.0, "mean.x": 0.1 + 0.2, "distinct.x": 5.0}
    near = {"rows": 10.0, "mean.x": 0.3, "distinct.x": 6.0}  # another sum order, another sketch
    assert stillness([same, near, same]) == Stillness(2, 0, 0)
    assert stillness([same, {**same, "nulls.x": 4.0}, {**same, "nulls.x": 5.0}]) == Stillness(0, 1, 1)
    assert stillness([same, {**same, "changed.x": 3.0}]) == Stillness(0, 0, 1)
    assert stillness([same]) == stillness([]) == Stillness(0, 0, 0)
