"""Where differing rows are: by days, by what rows were before they changed, and counted where the condition holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from monitor.diff import Options, diff
from monitor.diff.pairs import Side
from monitor.diff.result import Difference, Part

START = dt.date(2024, 1, 1)
ENGINES = ["duckdb", "postgres"]
COLUMNS = "id integer, day date, moment {at}, shop text, state text"


def rows() -> list[tuple[Any, ...]]:
    """3,000 rows over 60 days, the same ones each time; `moment` is a time of the day before."""
    found = []
    for i in range(3_000):
        day = START + dt.timedelta(days=i * 7 % 60)
        at = dt.datetime.combine(day, dt.time(i % 24), dt.UTC) - dt.timedelta(days=1)
        found.append((i, day, at, "abcd"[i * 31 % 97 % 4], "xyz"[i % 3]))
    return found


def best(found: Difference, of: str) -> Part:
    return next(part for part in found.segments if part.of == of)


def told(bench: Any, engine: str, at: str, a: list[Any], b: list[Any]) -> tuple[Difference, tuple[Side, Side]]:
    naive = at == "timestamp"
    a, b = ([(*r[:2], r[2].replace(tzinfo=None) if naive else r[2], *r[3:]) for r in side] for side in (a, b))
    sides = bench.pair(engine, COLUMNS.format(at=at), a, b)
    return diff(*sides, Options(key=("id",))), sides


def counted(sides: tuple[Side, Side], part: Part) -> int:
    side = sides["ab".index(part.side)]
    return side.warehouse.count(side.table, None, part.where)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_one_day_that_are_gone_are_told_by_the_day(bench: Any, engine: str) -> None:
    whole = rows()
    gone = START + dt.timedelta(days=17)
    found, sides = told(bench, engine, "timestamp", whole, [row for row in whole if row[1] != gone])
    part = best(found, "removed")
    assert (part.precision, part.recall, part.rows, part.side) == (1.0, 1.0, 50, "a")
    assert counted(sides, part) == 50
    assert "2024-01-1" in part.where


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("at", ["timestamp", "timestamp with time zone"])
def test_days_of_times_are_whole_days_of_their_zone(bench: Any, engine: str, at: str) -> None:
    whole = [(row[0], START, *row[2:]) for row in rows()]  # the day is told by `moment` alone
    late = dt.datetime(2024, 2, 20, tzinfo=dt.UTC)
    changed = [(*row[:4], "new") if row[2] >= late else row for row in whole]
    found, sides = told(bench, engine, at, whole, changed)
    part = best(found, "changed")
    assert part.recall > 0.95
    assert part.precision > 0.9
    assert '"moment"' in part.where
    assert counted(sides, part) == part.rows


@pytest.mark.parametrize("engine", ENGINES)
def test_changed_rows_are_told_by_what_they_were(bench: Any, engine: str) -> None:
    whole = rows()
    changed = [(*row[:3], None, row[4]) if (row[3], row[4]) == ("b", "x") else row for row in whole]
    found, sides = told(bench, engine, "timestamp", whole, changed)
    part = best(found, "changed")
    assert "\"shop\" = 'b'" in part.where
    assert "\"state\" = 'x'" in part.where
    assert (part.precision, part.recall, part.side) == (1.0, 1.0, "a")
    assert counted(sides, part) == part.rows == found.changed


def test_what_lasts_is_counted_in_the_new_table(bench: Any) -> None:
    whole = rows()
    changed = [(*row[:4], "new") if row[3] == "b" else row for row in whole]
    found, sides = told(bench, "duckdb", "timestamp", whole, changed)
    part = best(found, "changed")
    assert (part.where, part.side) == ("\"shop\" = 'b'", "b")
    assert counted(sides, part) == part.rows == found.changed
