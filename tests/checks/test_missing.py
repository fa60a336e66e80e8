"""Segments and hours that go missing are found although the totals look well; what is as usual, is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.frames import group_frame
from checks.groups import rare_name, series_of, teaching
from checks.missing import Missing, clocks_of
from monitor.judge import judge
from monitor.types import ColumnKind, Evidence, Grouped, Groups, Segments, Status, TimeForm

DAYS = 60
COUNTRIES, SHARES = ["DE", "FR", "IT", "PL"], [0.55, 0.3, 0.1, 0.05]
KINDS = {"at": ColumnKind.TIMESTAMP, "country": ColumnKind.TEXT, "device": ColumnKind.TEXT, "month": ColumnKind.NUMBER}
ASKED = [Groups(("country",)), Groups(("country", "device")), Groups(("month",)), Groups(clock="at")]


def day_of(make: Any, number: int, rows: int | None = None) -> pd.DataFrame:
    """Rows that come by weekday; the month changes after 30 days."""
    random = np.random.default_rng(number)
    start = make.day(number).start.replace(tzinfo=None)
    count = rows or int(3_000 * (0.5 if number % 7 > 4 else 1.0) * np.exp(random.normal(0, 0.1)))
    hours = random.choice(24, count, p=[0.01] * 8 + [0.07] * 12 + [0.02] * 4)
    return pd.DataFrame(
        {
            "at": pd.Timestamp(start) + pd.to_timedelta(hours * 3600 + random.integers(0, 3600, count), unit="s"),
            "country": random.choice(COUNTRIES, count, p=SHARES),
            "device": random.choice(["web", "app"], count),
            "month": 1 + number // 30,
        }
    )


def judged(make: Any, today: pd.DataFrame, number: int = DAYS, failed: frozenset[int] = frozenset()) -> Any:
    """The verdict on a day beside checks of the weight that tables' checks usually have."""
    table = make.table(KINDS, "at")
    series = []
    for groups in ASKED:
        bad = {n: frozenset({"missing"}) if n in failed else frozenset[str]() for n in range(number)}
        past = [(make.day(n), group_frame(day_of(make, n), groups), bad[n]) for n in range(number)]
        series.append(series_of(groups, past, group_frame(today, groups)))
    check = Missing()
    (asked,) = check.inputs(table)
    assert asked == Segments(("country", "device", "month"), ("at",))
    evidence = check.evaluate(table, make.day(number), {asked: tuple(series)})
    return judge(table, [*evidence, Evidence("others", "others", None, weight=20.0)])[0]


def filled(frame: pd.DataFrame, lost: Any) -> pd.DataFrame:
    """The day without some rows, made as long as before by others of its rows."""
    kept = frame[~np.asarray(lost)]
    return pd.concat([kept, kept.sample(len(frame) - len(kept), replace=True, random_state=1)], ignore_index=True)


@pytest.mark.parametrize("number", [DAYS, DAYS + 3, DAYS + 5])
def test_a_segment_that_stopped_is_found_at_full_totals(make: Any, number: int) -> None:
    today = day_of(make, number)
    assert judged(make, today, number).status is Status.PASS
    verdict = judged(make, filled(today, today["country"] == "PL"), number)
    assert verdict.status is Status.FAIL
    first = verdict.evidence.detail["segments"][0]
    assert (first["columns"], first["key"], first["rows"]) == (["country"], ["PL"], 0.0)
    assert first["expected_rows"] == pytest.approx(0.05 * len(today), rel=0.35)
    assert verdict.evidence.columns[0] == "country"


def test_a_pair_that_stopped_is_named_as_a_pair(make: Any) -> None:
    today = day_of(make, DAYS)
    verdict = judged(make, filled(today, (today["country"] == "IT") & (today["device"] == "app")))
    assert verdict.status is Status.FAIL
    assert verdict.evidence.detail["segments"][0]["columns"] == ["country", "device"]
    assert verdict.evidence.detail["segments"][0]["key"] == ["IT", "app"]


def test_hours_that_are_missing_become_one_span(make: Any) -> None:
    today = day_of(make, DAYS)
    verdict = judged(make, filled(today, today["at"].dt.hour.isin([12, 13])))
    assert verdict.status is Status.FAIL
    assert verdict.evidence.detail["segments"][0]["quarters"] == [48, 56]


def test_the_last_quarter_of_a_full_hour_is_found_in_a_large_table(make: Any) -> None:
    table = make.table({"at": ColumnKind.TIMESTAMP}, "at")
    groups = Groups(clock="at")
    quarters = {(q,): (200.0 + q % 7,) for q in range(96)}
    past = [(make.day(n), Grouped(20_000.0, quarters), frozenset[str]()) for n in range(30)]
    today = Grouped(20_000.0, {key: told for key, told in quarters.items() if key != (95,)})
    (asked,) = Missing().inputs(table)
    (evidence,) = Missing().evaluate(table, make.day(30), {asked: (series_of(groups, past, today),)})
    assert judge(table, [evidence])[0].status is Status.FAIL
    assert evidence.detail["segments"][0]["quarters"] == [95, 96]


def test_a_quiet_day_and_a_campaign_are_no_missing_segments(make: Any) -> None:
    assert judged(make, day_of(make, DAYS, rows=900)).status is Status.PASS
    today = day_of(make, DAYS)
    campaign = pd.concat([today, *[today[today["country"] == "DE"]] * 3], ignore_index=True)
    assert judged(make, campaign).status is Status.PASS


def test_a_value_under_another_name_is_drift_and_not_missing(make: Any) -> None:
    today = day_of(make, DAYS)
    today["country"] = today["country"].replace({"IT": "Italy"})
    verdict = judged(make, today)
    assert ["country"] not in [s["columns"] for s in verdict.evidence.detail["segments"]]


def test_a_column_that_says_the_partition_has_no_segments(make: Any) -> None:
    """On day 60 the month turns, and its old value goes; that is what months do."""
    verdict = judged(make, day_of(make, DAYS))
    assert not any("month" in part.columns for part in verdict.evidence.parts)


def test_a_segment_that_comes_and_goes_is_not_missed(make: Any) -> None:
    groups = Groups(("country",))
    table = make.table({"at": ColumnKind.TIMESTAMP, "country": ColumnKind.TEXT}, "at")
    random = np.random.default_rng(4)
    past = []
    for n in range(DAYS):
        rare = float(random.choice([0, 300, 20, 900]))
        found: dict[Any, Any] = {("DE",): (2_000.0,), ("XX",): (rare,)}
        past.append((make.day(n), Grouped(2_000.0 + rare, found), frozenset[str]()))
    series = series_of(groups, past, Grouped(2_000.0, {("DE",): (2_000.0,)}))
    (asked,) = Missing().inputs(table)
    (evidence,) = Missing().evaluate(table, make.day(DAYS), {asked: (series,)})
    assert judge(table, [evidence])[0].status is Status.PASS


def test_without_much_of_a_past_it_learns(make: Any) -> None:
    assert judged(make, day_of(make, 2), number=2).status is Status.LEARNING


def test_days_judged_bad_teach_nothing() -> None:
    bad = frozenset({"missing"})
    assert teaching([bad, frozenset(), frozenset({"drift"})], {"missing"}).tolist() == [False, True, True]


def test_rare_values_are_followed_without_being_named(make: Any) -> None:
    key = ("PL",)
    past = [(make.day(0), Grouped(10.0, {rare_name(key): (3.0,)}), frozenset[str]())]
    series = series_of(Groups(("country",)), past, Grouped(50.0, {key: (30.0,)}))
    assert series.keys == (key,)
    assert series.rows[:, 0].tolist() == [3.0, 30.0]


def test_a_table_of_days_is_seen_by_its_other_times(make: Any) -> None:
    kinds = {"day": ColumnKind.DATE, "a": ColumnKind.TIMESTAMP, "b": ColumnKind.TIMESTAMP, "c": ColumnKind.TIMESTAMP}
    assert clocks_of(make.table(kinds, "day", TimeForm.DATE)) == ("a", "b")


def test_what_could_not_be_read_is_an_error(make: Any) -> None:
    from checks.groups import empty_series

    table = make.table(KINDS, "at")
    (asked,) = Missing().inputs(table)
    (evidence,) = Missing().evaluate(table, make.day(9), {asked: (empty_series(ASKED[0], "it ran too long"),)})
    assert evidence.error == "it ran too long"
