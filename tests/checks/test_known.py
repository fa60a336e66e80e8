"""Values are news when the table never had them, not when a few sampled days happened not to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from checks.drift.known import KNOWN_DAYS_MIN, unknown_values
from checks.evidence import tail_alone
from checks.groups import rare_name, series_of
from monitor.types import Evidence, Grouped, Groups

DAYS, ROWS = 70, 1_000
GROUPS = Groups(("country",))


def day_of(number: int, *more: tuple[str | None, int]) -> dict[Any, tuple[float]]:
    """Two countries every day, and two or three of eight others, another choice each day, in few rows."""
    random = np.random.default_rng(number)
    rows: dict[Any, tuple[float]] = {("DE",): (600.0,), ("FR",): (350.0,)}
    for other in random.choice(8, random.integers(2, 4), replace=False):
        rows[f"C{other}",] = (float(random.integers(5, 25)),)
    return rows | {(name,): (float(count),) for name, count in more}


def judged(
    make: Any, today: dict[Any, tuple[float]], days: int = DAYS, failed: Sequence[int] = (), past: Any = day_of
) -> Evidence | None:
    before = [
        (make.day(n), Grouped(float(ROWS), past(n)), frozenset({"drift"} if n in failed else ())) for n in range(days)
    ]
    series = series_of(GROUPS, before, Grouped(float(ROWS), today))
    assert unknown_values([series], ["device"]) == []
    return next(iter(unknown_values([series], ["country"])), None)


def test_a_value_that_was_never_there_is_sure_news_and_a_rare_one_none(make: Any) -> None:
    usual = judged(make, day_of(DAYS))
    assert usual is not None
    assert usual.score == 0.0
    found = judged(make, day_of(DAYS, ("XX", 20)))
    assert found is not None
    assert found.score == pytest.approx(0.02)
    assert tail_alone(found) < 1e-5
    assert found.columns == ("country",)


def test_a_single_row_of_a_new_value_is_no_alert(make: Any) -> None:
    found = judged(make, day_of(DAYS, ("XX", 1)))
    assert found is not None
    assert tail_alone(found) > 1e-3


def test_new_values_are_usual_where_every_day_brings_some(make: Any) -> None:
    def batches(number: int) -> dict[Any, tuple[float]]:
        return day_of(number, (f"batch {number}", 20 + 10 * (number % 3)))

    found = judged(make, batches(DAYS), past=batches)
    assert found is not None
    assert tail_alone(found) > 0.05


def test_a_burst_like_earlier_ones_is_no_alert(make: Any) -> None:
    def bursts(number: int) -> dict[Any, tuple[float]]:
        return day_of(number, *([(f"new {number}", 20)] if number in (30, 41) else []))

    found = judged(make, day_of(DAYS, ("XX", 25)), past=bursts)
    assert found is not None
    assert tail_alone(found) > 1e-3
    more = judged(make, day_of(DAYS, ("XX", 200)), past=bursts)
    assert more is not None
    assert tail_alone(more) < 1e-5


def test_values_of_bad_days_stay_unknown_and_missing_ones_are_no_value(make: Any) -> None:
    def past(number: int) -> dict[Any, tuple[float]]:
        return day_of(number, *([("XX", 300)] if number == DAYS - 1 else []))

    again = judged(make, day_of(DAYS, ("XX", 300)), failed=[DAYS - 1], past=past)
    assert again is not None
    assert again.score == pytest.approx(0.3)
    known = judged(make, day_of(DAYS, ("XX", 300)), past=past)
    assert known is not None
    assert known.score == 0.0
    missing = judged(make, day_of(DAYS, (None, 300)))
    assert missing is not None
    assert missing.score == 0.0


def test_values_that_are_kept_under_a_name_that_tells_nothing_are_known(make: Any) -> None:
    def hidden(number: int) -> dict[Any, tuple[float]]:
        return {key if key[0] in ("DE", "FR") else rare_name(key): rows for key, rows in day_of(number).items()}

    found = judged(make, day_of(DAYS), past=hidden)
    assert found is not None
    assert found.score == 0.0


@pytest.mark.parametrize(("days", "is_judged"), [(KNOWN_DAYS_MIN - 1, False), (KNOWN_DAYS_MIN + 10, True)])
def test_a_young_table_has_nothing_to_compare_with(days: int, is_judged: bool, make: Any) -> None:
    found = judged(make, day_of(days, ("XX", 20)), days)
    assert (found is not None and found.past is not None) is is_judged
