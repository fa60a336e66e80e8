"""Entities out of line with their own past, and newcomers larger than newcomers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.entities import Entities, groups_of
from checks.groups import rare_name, series_of
from monitor.judge import judge
from monitor.types import Change, ColumnKind, Evidence, Grouped, Status

DAYS = 60
ENTRY = {"name": "by_ip", "entity": "ip", "statistic": "count(*)"}
KINDS = {"ip": ColumnKind.TEXT}


def day_of(number: int, total: float = 20_000.0, **changed: float) -> Grouped:
    """A few large addresses, many small ones that come and go; the day's size swings."""
    random = np.random.default_rng(number)
    busy = total * float(np.exp(random.normal(0, 0.2)))
    found: dict[Any, Any] = {}
    for place in range(30):
        rows = float(random.poisson(busy * 0.05 / (1 + place / 3)))
        found[(f"10.0.0.{place}",)] = (rows, rows)
    for place in random.choice(100_000, 100, replace=False):
        rows = float(1 + random.poisson(3))
        found[(f"99.{place}",)] = (rows, rows)
    for name, factor in changed.items():
        key = (name.replace("_", "."),)
        rows = round(factor * found[key][0]) if key in found else factor
        found[key] = (float(rows), float(rows))
    kept = dict(sorted(found.items(), key=lambda item: -item[1][1])[:200])
    return Grouped(busy, kept)


def judged(make: Any, today: Grouped, number: int = DAYS, entry: Any = None) -> Any:
    entry = entry or ENTRY
    table = make.table(KINDS, entities=(entry,))
    past = [(make.day(n), day_of(n), frozenset[str]()) for n in range(number)]
    (asked,) = Entities().inputs(table)
    assert asked == groups_of(entry, table)
    evidence = Entities().evaluate(table, make.day(number), {asked: series_of(asked, past, today)})
    return judge(table, [*evidence, Evidence("others", "others", None, weight=27.0)])[0]


def test_ordinary_days_pass(make: Any) -> None:
    verdicts = [judged(make, day_of(n), number=n) for n in range(DAYS, DAYS + 15)]
    assert {v.status for v in verdicts} == {Status.PASS}


@pytest.mark.parametrize("place", [0, 3, 10, 20])
def test_an_entity_that_trebles_is_named(make: Any, place: int) -> None:
    """The bar: three times the share and more, at least 1% of the rows."""
    today = day_of(DAYS, **{f"10_0_0_{place}": 3.0})
    assert today.groups[f"10.0.0.{place}",][0] >= 0.01 * today.total  # type: ignore[operator]
    verdict = judged(make, today)
    assert verdict.status is Status.FAIL
    assert verdict.evidence.detail["segments"][0]["key"] == [f"10.0.0.{place}"]
    assert verdict.evidence.change is Change.SHIFT_UP
    assert len(verdict.evidence.detail["course"]) == 50


def test_a_large_newcomer_is_named(make: Any) -> None:
    verdict = judged(make, day_of(DAYS, **{"66_6": 900.0}))
    assert verdict.status is Status.FAIL
    assert verdict.evidence.detail["segments"][0]["key"] == ["66.6"]
    assert verdict.evidence.detail["is_new"]
    assert verdict.evidence.change is Change.VALUES_NEW


def test_a_busy_day_puts_nobody_out_of_line(make: Any) -> None:
    assert judged(make, day_of(DAYS, total=60_000.0)).status is Status.PASS


def test_rows_of_nobody_are_no_entity(make: Any) -> None:
    today = day_of(DAYS)
    today = Grouped(today.total, {**today.groups, (None,): (4_000.0, 4_000.0)})
    assert judged(make, today).status is Status.PASS


def test_direction_down_finds_one_that_stopped(make: Any) -> None:
    today = day_of(DAYS, **{"10_0_0_0": 0.02})
    assert judged(make, today).status is Status.PASS
    assert judged(make, today, entry={**ENTRY, "direction": "down"}).status is Status.FAIL


def test_without_a_past_it_learns_and_what_failed_is_an_error(make: Any) -> None:
    assert judged(make, day_of(2), number=2).status is Status.LEARNING
    from checks.groups import empty_series

    table = make.table(KINDS, entities=(ENTRY,))
    asked = groups_of(ENTRY, table)
    (evidence,) = Entities().evaluate(table, make.day(3), {asked: empty_series(asked, "no such column")})
    assert evidence.error == "no such column"


def test_one_that_was_too_rare_to_be_named_is_no_newcomer(make: Any) -> None:
    table = make.table(KINDS, entities=(ENTRY,))
    asked = groups_of(ENTRY, table)
    past = []
    for n in range(DAYS):
        day = day_of(n)
        past.append((make.day(n), Grouped(day.total, {**day.groups, rare_name(("7.7",)): (15.0, 15.0)}), frozenset()))
    today = day_of(DAYS)
    today = Grouped(today.total, {**today.groups, ("7.7",): (700.0, 700.0)})
    (evidence,) = Entities().evaluate(table, make.day(DAYS), {asked: series_of(asked, past, today)})
    assert not evidence.detail["is_new"]
    assert evidence.detail["segments"][0]["key"] == ["7.7"]
