"""The checks on aggregates by their outcomes: what a person would want to hear of fails, what is usual does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from checks.duplicates import Duplicates
from checks.freshness import Freshness
from checks.nulls import Nulls
from checks.schema import Schema
from checks.stats import Stats
from checks.volume import Volume
from checks.zeros import Zeros
from monitor.judge import judge
from monitor.types import (
    ROWS,
    Aggregate,
    Arrival,
    ArrivalState,
    Change,
    Column,
    ColumnKind,
    Evidence,
    Measure,
    Point,
    SchemaState,
    Status,
    Table,
    TimeForm,
)

DAYS = 60
Values = dict[Measure, Any]
NULLS, EMPTY, ZEROS = Measure("nulls", "name"), Measure("empty", "name"), Measure("zeros", "price")


@pytest.fixture(scope="module")
def table(make: Any) -> Table:
    kinds = {
        "at": ColumnKind.TIMESTAMP,
        "price": ColumnKind.NUMBER,
        "name": ColumnKind.TEXT,
        "paid": ColumnKind.BOOLEAN,
    }
    return make.table(kinds, "at", key=("name",))  # type: ignore[no-any-return]


def run(
    check: Any, table: Table, make: Any, past: Mapping[Measure, Sequence[Any]], today: Mapping[Measure, Any]
) -> dict[str, tuple[Evidence, Status]]:
    """Evidence and status by name; measures that are not given are 0 on every day."""
    length = len(past[ROWS])
    asked = {needed.measure for needed in check.inputs(table) if isinstance(needed, Aggregate)}
    before = {m: past.get(m, [0.0] * length) for m in asked}
    now = {m: today.get(m, 0.0) for m in asked}
    found = check.evaluate(table, make.day(length), make.aggregates(before, now))
    # beside what the other checks of a table take of its budget
    others = [Evidence(f"other.{i}", "other", 0.0, e.past, weight=20.0) for i, e in enumerate(found[:1])]
    return {v.evidence.check: (v.evidence, v.status) for v in judge(table, [*found, *others])}


def steady(random: np.random.Generator, level: float, spread: float, days: int = DAYS) -> list[float]:
    return [float(x) for x in np.round(random.normal(level, spread, days))]


def busy_weekdays(random: np.random.Generator, days: int) -> list[float]:
    return [float(random.normal(1_000 if i % 7 < 5 else 300, 15)) for i in range(days)]


@pytest.mark.parametrize(
    ("rows", "change"), [(600, Change.ROWS_MISSING), (1_500, Change.ROWS_EXTRA), (0.5, Change.ROWS_MISSING)]
)
def test_a_short_or_long_day_fails(rows: float, change: Change, table: Table, make: Any, random: Any) -> None:
    found = run(Volume(), table, make, {ROWS: steady(random, 1_000, 20)}, {ROWS: rows})
    evidence, status = found["volume"]
    assert (status, evidence.change) == (Status.FAIL, change)
    assert evidence.observation is not None
    assert evidence.observation.expected == pytest.approx(1_000, rel=0.03)
    assert evidence.observation.low < 1_000 < evidence.observation.high  # type: ignore[operator]
    assert evidence.detail["deficit"] == pytest.approx(1_000 - rows, abs=30)
    assert table.time is not None
    assert (evidence.columns, evidence.only_dates) == ((table.time.name,), True)


def test_ordinary_days_pass_and_weekends_are_no_news(table: Table, make: Any, random: Any) -> None:
    failed = 0
    past = busy_weekdays(random, 100)
    for length in range(14, 100):
        found = run(Volume(), table, make, {ROWS: past[:length]}, {ROWS: past[length]})
        failed += found["volume"][1] is Status.FAIL
    assert failed <= 1


@pytest.mark.parametrize("days", [35, 49, 98])  # a Monday
def test_a_weekends_rows_on_a_monday_are_too_few(days: int, table: Table, make: Any, random: Any) -> None:
    found = run(Volume(), table, make, {ROWS: busy_weekdays(random, days)}, {ROWS: 300.0})
    assert found["volume"][1] is Status.FAIL
    as_usual = run(Volume(), table, make, {ROWS: busy_weekdays(random, days - 2)}, {ROWS: 300.0})
    assert as_usual["volume"][1] is Status.PASS


def test_no_rows_are_left_to_freshness(table: Table, make: Any) -> None:
    past = {ROWS: [100.0] * 20}
    for check in (Volume(), Nulls(), Zeros(), Stats(), Duplicates()):
        assert not [name for name in run(check, table, make, past, {ROWS: 0.0}) if not name.startswith("other")]


@pytest.mark.parametrize("days", [0, 1, 2, 3])
def test_the_first_days_are_learning(days: int, table: Table, make: Any) -> None:
    past = {ROWS: [1_000.0, 1_010.0, 990.0][:days]}
    assert run(Volume(), table, make, past, {ROWS: 10.0})["volume"][1] in (Status.LEARNING, Status.PASS)


def nulls_of(make: Any, table: Table, past: Sequence[float], today: float, **parts: float) -> tuple[Evidence, Status]:
    counts = {ROWS: [1_000.0] * len(past), NULLS: past}
    found = run(Nulls(), table, make, counts, {ROWS: 1_000.0, NULLS: today, EMPTY: parts.get("empty", 0.0)})
    return found["nulls.name"]


def test_a_column_that_never_had_a_null_fails_with_few_of_them(table: Table, make: Any) -> None:
    evidence, status = nulls_of(make, table, [0.0] * DAYS, 25.0)
    assert (status, evidence.change, evidence.columns) == (Status.FAIL, Change.NULLS_UP, ("name",))
    assert evidence.effect == pytest.approx(0.025, abs=0.003)
    assert nulls_of(make, table, [0.0] * DAYS, 0.0)[1] is Status.PASS


def test_more_among_many_is_judged_by_how_many_are_usual(table: Table, make: Any, random: Any) -> None:
    usual = steady(random, 300, 14)
    assert nulls_of(make, table, usual, 325.0)[1] is Status.PASS
    assert nulls_of(make, table, usual, 480.0)[1] is Status.FAIL
    evidence, status = nulls_of(make, table, usual, 20.0)
    assert (status, evidence.change) == (Status.FAIL, Change.NULLS_DOWN)


def test_empty_texts_are_told_from_nulls(table: Table, make: Any) -> None:
    assert nulls_of(make, table, [0.0] * DAYS, 200.0, empty=200.0)[0].change is Change.EMPTY_UP
    assert nulls_of(make, table, [0.0] * DAYS, 200.0, empty=3.0)[0].change is Change.NULLS_UP


def test_few_rows_make_few_nulls_no_news(table: Table, make: Any) -> None:
    past = {ROWS: [20.0] * DAYS, NULLS: [float(i % 3 == 0) for i in range(DAYS)]}
    assert run(Nulls(), table, make, past, {ROWS: 20.0, NULLS: 2.0})["nulls.name"][1] is Status.PASS


def test_the_time_column_is_not_judged_for_what_makes_the_day(table: Table) -> None:
    for check in (Nulls(), Zeros()):
        assert not [n for n in check.inputs(table) if isinstance(n, Aggregate) and n.measure.column == "at"]


def test_ignored_columns_are_not_asked_for(table: Table) -> None:
    fewer = replace(table, ignore_columns=frozenset({"price", "name"}))
    for check in (Nulls(), Zeros(), Stats()):
        columns = {n.measure.column for n in check.inputs(fewer) if isinstance(n, Aggregate)}
        assert not columns & {"price", "name"}


def test_zeros_fail_where_they_are_new(table: Table, make: Any, random: Any) -> None:
    past = {ROWS: [1_000.0] * DAYS, ZEROS: steady(random, 50, 7)}
    evidence, status = run(Zeros(), table, make, past, {ROWS: 1_000.0, ZEROS: 250.0})["zeros.price"]
    assert (status, evidence.change) == (Status.FAIL, Change.ZEROS_UP)
    assert run(Zeros(), table, make, past, {ROWS: 1_000.0, ZEROS: 55.0})["zeros.price"][1] is Status.PASS
    twice_the_rows = run(Zeros(), table, make, past, {ROWS: 2_000.0, ZEROS: 105.0})  # the share counts
    assert twice_the_rows["zeros.price"][1] is Status.PASS


@pytest.mark.parametrize(
    ("measure", "columns"), [(Measure("duplicate_rows"), ()), (Measure("duplicate_keys", "", "name"), ("name",))]
)
def test_repeated_rows_and_keys_fail(measure: Measure, columns: tuple[str, ...], table: Table, make: Any) -> None:
    past = {ROWS: [1_000.0] * DAYS}
    evidence, status = run(Duplicates(), table, make, past, {ROWS: 1_000.0, measure: 60.0})["duplicates"]
    assert (status, evidence.change, evidence.columns) == (Status.FAIL, Change.DUPLICATES, columns)
    assert run(Duplicates(), table, make, past, {ROWS: 1_000.0})["duplicates"][1] is Status.PASS


def prices(scale: float = 1.0, offset: float = 0.0, jitter: Callable[[], float] = lambda: 0.0) -> Values:
    centre = 50 * scale + offset
    middle = {"0.05": centre - 16 * scale, "0.5": centre, "0.95": centre + 16 * scale}
    found: Values = {Measure("quantile", "price", q): v + jitter() for q, v in middle.items()}
    found |= {Measure("mean", "price"): centre + jitter(), Measure("stddev", "price"): 10 * scale + jitter() / 4}
    found |= {
        Measure("min", "price"): centre - 35 * scale + jitter(),
        Measure("max", "price"): centre + 35 * scale + jitter(),
    }
    return found | {ROWS: 1_000.0, Measure("distinct", "price"): 800.0 + 20 * jitter()}


@pytest.mark.parametrize(
    ("today", "changes"),
    [
        (prices(offset=8.0), {Change.SHIFT_UP}),
        (prices(offset=-8.0), {Change.SHIFT_DOWN}),
        (prices(scale=100.0), set(Change)),
        (prices() | {Measure("stddev", "price"): 25.0}, {Change.SPREAD}),
    ],
)
def test_numbers_that_moved_fail(today: Values, changes: set[Change], table: Table, make: Any, random: Any) -> None:
    days = [prices(jitter=lambda: float(random.normal(0, 0.4))) for _ in range(DAYS)]
    past = {m: [day[m] for day in days] for m in days[0]}
    evidence, status = run(Stats(), table, make, past, today)["stats.price"]
    assert status is Status.FAIL
    assert evidence.change in changes
    assert evidence.observation is not None
    ordinary = prices(jitter=lambda: float(random.normal(0, 0.4)))
    assert run(Stats(), table, make, past, ordinary)["stats.price"][1] is Status.PASS


def test_one_row_is_told_by_the_extremes_and_moves_no_mean(table: Table, make: Any, random: Any) -> None:
    def day(*more: float) -> Values:
        values = np.r_[random.normal(50, 10, 300), more]
        told = {"mean": values.mean(), "stddev": values.std(ddof=1), "min": values.min(), "max": values.max()}
        return {ROWS: float(len(values)), **{Measure(k, "price"): float(v) for k, v in told.items()}}

    days = [day() for _ in range(DAYS)]
    past = {m: [values[m] for values in days] for m in days[0]}
    evidence, status = run(Stats(), table, make, past, day(3_000.0))["stats.price"]
    assert status is Status.FAIL
    surprise = {
        p.observation.what: p.past.tail(p.score) for p in evidence.parts if p.observation and p.past and p.score
    }
    assert min(surprise, key=lambda what: surprise[what]) == "largest price"
    assert surprise["mean of price"] > 0.01
    assert surprise["standard deviation of price"] > 0.01
    # many rows do move it
    assert run(Stats(), table, make, past, day(*[100.0] * 30))["stats.price"][1] is Status.FAIL


def test_a_smallest_value_that_is_a_little_larger_is_no_news(table: Table, make: Any, random: Any) -> None:
    def day(low: float) -> Values:
        told = {"mean": 3.0 + random.normal(0, 0.2), "stddev": 3.0 + random.normal(0, 0.1), "min": low, "max": 20.0}
        return {ROWS: 300.0, **{Measure(k, "price"): float(v) for k, v in told.items()}}

    days = [day(0.0) for _ in range(DAYS)]
    past = {m: [values[m] for values in days] for m in days[0]}
    assert run(Stats(), table, make, past, day(0.24))["stats.price"][1] is Status.PASS
    assert run(Stats(), table, make, past, day(-5.0))["stats.price"][1] is Status.FAIL


@pytest.mark.parametrize(("kinds", "status"), [(4, Status.PASS), (60, Status.FAIL)])
def test_a_rare_code_in_one_row_is_no_news(kinds: int, status: Status, table: Table, make: Any, random: Any) -> None:
    def day(*more: float) -> Values:
        values = np.r_[random.integers(1, kinds + 1, 300), more]
        told = {"mean": values.mean(), "stddev": values.std(ddof=1), "min": values.min(), "max": values.max()}
        told["distinct"] = len(np.unique(values))
        return {ROWS: float(len(values)), **{Measure(k, "price"): float(v) for k, v in told.items()}}

    days = [day() for _ in range(DAYS)]
    past = {m: [values[m] for values in days] for m in days[0]}
    assert run(Stats(), table, make, past, day(99.0 * kinds))["stats.price"][1] is status


def described(values: Any) -> Values:
    """What the aggregates say of a day's prices."""
    moments = {"mean": values.mean(), "stddev": values.std(ddof=1), "min": values.min(), "max": values.max()}
    told = {Measure(kind, "price"): value for kind, value in moments.items()}
    told |= {Measure("quantile", "price", q): np.quantile(values, float(q)) for q in ("0.05", "0.5", "0.95")}
    return {ROWS: float(len(values)), Measure("distinct", "price"): float(len(np.unique(values)))} | {
        m: float(v) for m, v in told.items()
    }


def told(found: tuple[Evidence, Status]) -> dict[str, float]:
    """By statistic, how likely a value as far off as today's was."""
    parts = [p for p in found[0].parts if p.observation and p.past and p.score is not None]
    return {p.observation.what: p.past.tail(p.score) for p in parts if p.observation and p.past and p.score is not None}


def days_of(values: Any) -> dict[Measure, list[float]]:
    days = [described(values(i)) for i in range(DAYS)]
    return {m: [day[m] for day in days] for m in days[0]}


def test_quantiles_of_numbers_with_many_values_are_judged(table: Table, make: Any, random: Any) -> None:
    past = days_of(lambda _: random.normal(50, 10, 400))
    today = random.normal(50, 10, 400)
    calm = told(run(Stats(), table, make, past, described(today))["stats.price"])
    assert min(calm["median of price"], calm["5% quantile of price"], calm["95% quantile of price"]) > 0.001
    low = np.where(today < np.quantile(today, 0.3), 20.0, today)
    surprise = told(run(Stats(), table, make, past, described(low))["stats.price"])
    assert surprise["5% quantile of price"] < 1e-4
    assert surprise["95% quantile of price"] > 0.001


def test_a_quantile_that_is_one_value_on_most_days_is_no_measure(table: Table, make: Any, random: Any) -> None:
    def rain(_: int) -> Any:
        return np.where(random.random(400) < 0.7, 0.0, random.exponential(3.0, 400))

    past = days_of(rain)
    wet = told(run(Stats(), table, make, past, described(random.exponential(3.0, 400)))["stats.price"])
    assert "median of price" not in wet
    assert "5% quantile of price" not in wet
    assert "95% quantile of price" in wet


def test_hours_that_are_missing_show_in_the_times_of_a_column_that_is_not_the_partitions(
    make: Any, random: Any
) -> None:
    day_alone = make.table({"day": ColumnKind.DATE, "at": ColumnKind.TIMESTAMP}, "day", TimeForm.DATE)
    measures = {q: Measure("quantile", "at", q) for q in ("0.05", "0.5", "0.95")}

    def day(number: int, until: float = 20.0) -> Values:
        hours = random.uniform(8.0, 20.0 + 0.1 * random.normal(), 500)
        start = make.day(number).start.timestamp()
        kept = hours[hours < until]
        seconds = {measures[q]: start + 3_600 * float(np.quantile(kept, float(q))) for q in measures}
        return {ROWS: float(len(kept)), **seconds}

    days = [day(number) for number in range(DAYS)]
    past = {m: [values[m] for values in days] for m in days[0]}
    name = "stats.at"
    assert run(Stats(), day_alone, make, past, day(DAYS))[name][1] is Status.PASS
    evidence, status = run(Stats(), day_alone, make, past, day(DAYS, until=16.0))[name]
    assert status is Status.FAIL
    assert evidence.change is Change.SHIFT_DOWN
    assert evidence.observation is not None
    assert evidence.observation.what == "95% quantile of at, in hours from the partition's start"
    assert evidence.observation.expected == pytest.approx(19.4, abs=0.2)
    assert evidence.observation.today == pytest.approx(15.6, abs=0.2)


def test_fewer_rows_have_fewer_values_and_that_is_no_news(table: Table, make: Any, random: Any) -> None:
    kinds = np.arange(1.0, 401.0)

    def day(rows: int) -> Any:
        return random.choice(kinds, rows)

    past = days_of(lambda i: day(1_000 if i % 7 < 5 else 700))
    for rows in (1_000, 500, 300):
        assert (
            told(run(Stats(), table, make, past, described(day(rows)))["stats.price"])["distinct values of price"]
            > 0.01
        )
    half = random.choice(kinds[:200], 1_000)
    evidence, status = run(Stats(), table, make, past, described(half))["stats.price"]
    assert status is Status.FAIL
    assert told((evidence, status))["distinct values of price"] < 1e-4


def test_a_series_that_was_wild_before_must_be_wilder(table: Table, make: Any, random: Any) -> None:
    def past(storms: float) -> Any:
        return days_of(lambda i: random.normal(50 + storms * (i in (25, 40, 52)), 10, 300))

    today = described(random.normal(64, 10, 300))
    calm, wild = (told(run(Stats(), table, make, past(s), today)["stats.price"])["mean of price"] for s in (0.0, 14.0))
    assert calm < 1e-6
    assert wild > 1e-3
    far = told(run(Stats(), table, make, past(14.0), described(random.normal(150, 10, 300)))["stats.price"])
    assert far["mean of price"] < 1e-5


def test_a_statistic_says_its_value_in_its_own_unit(table: Table, make: Any) -> None:
    days = [prices(jitter=lambda: 0.0) for _ in range(DAYS)]
    past = {m: [day[m] for day in days] for m in days[0]}
    today = prices() | {Measure("max", "price"): 5_000.0}
    evidence, _ = run(Stats(), table, make, past, today)["stats.price"]
    assert evidence.observation is not None
    assert evidence.observation.what == "largest price"
    assert evidence.observation.today == pytest.approx(5_000.0)
    assert evidence.observation.expected == pytest.approx(85.0, rel=0.01)


def state(rows: int, counts: Sequence[float], make: Any, complete: bool = True) -> ArrivalState:
    today = make.day(len(counts))
    points = tuple(Point(make.day(i), c) for i, c in enumerate(counts))
    now = today.end + dt.timedelta(hours=1 if complete else -1)
    return ArrivalState(now, rows, complete, today.end, None, points)


def fresh(table: Table, make: Any, given: ArrivalState) -> Status:
    evidence = Freshness().evaluate(table, make.day(len(given.past_rows)), {Arrival(): given})
    return judge(table, evidence)[0].status


def test_a_day_that_is_due_and_empty_is_late(table: Table, make: Any) -> None:
    assert fresh(table, make, state(0, [100.0] * 20, make)) is Status.FAIL
    assert fresh(table, make, state(1, [100.0] * 20, make)) is Status.PASS
    assert fresh(table, make, state(0, [100.0] * 20, make, complete=False)) is Status.PASS
    assert fresh(table, make, state(0, [], make)) is Status.LEARNING


def test_days_off_are_learnt(table: Table, make: Any) -> None:
    counts = [100.0 if i % 7 < 5 else 0.0 for i in range(75)]  # day 75 is a Saturday, day 77 a Monday
    assert fresh(table, make, state(0, counts, make)) is Status.PASS
    assert fresh(table, make, state(0, [*counts, 0.0, 0.0], make)) is Status.FAIL


def test_a_table_that_seldom_comes_is_seldom_missed(table: Table, make: Any) -> None:
    counts = [100.0 if i % 3 == 0 else 0.0 for i in range(60)]
    assert fresh(table, make, state(0, counts, make)) is Status.PASS


def schema_of(table: Table, before: tuple[Column, ...] | None, make: Any) -> tuple[Evidence, Status]:
    evidence = Schema().evaluate(table, make.day(3), {SchemaState(): before})
    return evidence[0], judge(table, evidence)[0].status


def test_columns_that_come_go_and_change_their_type_fail(table: Table, make: Any) -> None:
    assert schema_of(table, table.columns, make)[1] is Status.PASS
    assert schema_of(table, None, make)[1] is Status.LEARNING
    assert schema_of(table, table.columns[::-1], make)[1] is Status.PASS  # an order is no change
    gone = Column("gone", ColumnKind.TEXT, "VARCHAR")
    retyped = replace(table.columns[1], type="DECIMAL(9,2)")
    evidence, status = schema_of(table, (table.columns[0], retyped, gone, *table.columns[3:]), make)
    assert status is Status.FAIL
    assert evidence.detail == {"added": ["name"], "removed": ["gone"], "retyped": ["price: DECIMAL(9,2) -> DOUBLE"]}
    assert set(evidence.columns) == {"name", "gone", "price"}
