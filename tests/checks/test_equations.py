"""Sums and products that rows keep to: found to the digit, and when broken the right column is blamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.drift import Drift
from checks.drift.compare import compare, scores_of
from checks.drift.equate import find_equations
from checks.drift.equation import Equation, Form, Term
from checks.drift.unequal import Unequal, broken_rows, look_for_unequal, sides
from monitor.explain import bad_condition, tell_column
from monitor.judge import judge
from monitor.types import Change, ColumnKind, Evidence, PastScores, Point, Sample, SampleSet, Status
from monitor.where import find_where

ROWS, DAYS, HIT = 600, 20, 40
Frame = pd.DataFrame
Make = Any


def orders(seed: int, rows: int = ROWS) -> Frame:
    random = np.random.default_rng(seed)
    prices = np.round(np.random.default_rng(0).lognormal(3, 0.8, 300), 2)
    price = random.choice(prices, rows)
    quantity = random.choice([1, 2, 3, 4], rows, p=[0.6, 0.2, 0.1, 0.1])
    discount = random.choice([0.0, 0.05, 0.1, 0.2], rows, p=[0.7, 0.1, 0.1, 0.1])
    return Frame(
        {
            "price": price,
            "quantity": quantity,
            "discount": discount,
            "total": np.round(price * quantity * (1 - discount), 2),
            "rating": random.integers(1, 6, rows).astype(float),
            "country": pd.Series(random.choice(["DE", "FR", "IT"], rows)).astype("category"),
        }
    )


def fares(seed: int, rows: int = ROWS) -> Frame:
    """A sum, of which two parts are nearly always the same."""
    random = np.random.default_rng(seed)
    fare = np.round(random.gamma(3, 5, rows) * 2) / 2 + 2.5
    tip = np.where(random.random(rows) < 0.5, 0.0, np.round(fare * 0.2, 2))
    tax, fee = np.where(random.random(rows) < 0.98, 0.5, 0.0), np.full(rows, 0.3)
    fee[random.random(rows) < 0.01] = 0.0
    return Frame(
        {"fare": fare, "tip": tip, "tax": tax, "fee": fee, "total": np.round(fare + tip + tax + fee, 2)}
    )  # fmt: skip


def payments(seed: int, rows: int = ROWS) -> Frame:
    random = np.random.default_rng(seed)
    amount = np.round(random.lognormal(4, 1, rows), 2)
    fee = np.round(amount * random.choice([0.014, 0.029], rows) + 0.25, 2)
    return Frame({"amount": amount, "fee": fee, "net": np.round(amount - fee, 2)})


def numbers(frame: Frame) -> dict[str, Any]:
    return {name: frame[name].to_numpy(dtype=float) for name in frame.select_dtypes("number")}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (orders, "total = price * quantity * (1 - discount)"),
        (fares, "total = fare + tip + tax + fee"),
        (payments, "amount = fee + net"),
    ],
)
def test_what_rows_keep_to_is_found_as_a_person_would_write_it(table: Callable[..., Frame], told: str) -> None:
    assert [str(found) for found in find_equations(numbers(table(3, 3_000)))] == [told]


def test_percentages_constants_and_differences_are_found() -> None:
    random = np.random.default_rng(5)
    net, rate = np.round(random.lognormal(4, 1, 2_000), 2), random.choice([7.0, 19.0], 2_000)
    taxed = {"gross": np.round(net * (1 + rate / 100), 2), "net": net, "rate": rate}
    assert [str(found) for found in find_equations(taxed)] == ["gross = net * (1 + rate / 100)"]
    miles = np.round(random.gamma(2, 10, 2_000), 1)
    assert [str(found) for found in find_equations({"km": miles * 1.609344, "miles": miles})] == [
        "km = miles * 1.60934"
    ]
    start = np.round(random.normal(500, 90, 2_000), 2)
    assert [str(found) for found in find_equations({"end": start + 12.5, "start": start})] == ["end = start + 12.5"]


def sources(seed: int, rows: int = ROWS) -> Frame:
    """Fares of two sources: one of them has the surcharge among the extras already."""
    random = np.random.default_rng(seed)
    fare, other = fares(seed, rows).drop(columns="total"), random.random(rows) < 0.3
    surcharge = np.where(random.random(rows) < 0.6, 2.5, 0.0)
    extra = random.choice([0.0, 0.5, 1.0], rows) + np.where(other, surcharge, 0.0)
    total = fare.sum(axis=1) + extra + np.where(other, 0.0, surcharge)
    return fare.assign(extra=extra, surcharge=surcharge, total=total.round(2))


def test_a_part_that_one_source_counts_elsewhere_is_optional() -> None:
    (found,) = find_equations(numbers(sources(3, 3_000)))
    assert str(found) == "total = fare + tip + tax + fee + extra [+ surcharge]"
    assert found.columns[0] == "total"
    assert len(found.variants) == 2
    rows = sources(4)
    assert not found.broken(numbers(rows)).any()
    rows.loc[rows.index < 30, "tip"] += 1.25
    wrong = numbers(rows)
    assert found.broken(wrong).tolist() == [True] * 30 + [False] * (ROWS - 30)
    assert np.abs(found.solved("tip", wrong)[30:] - wrong["tip"][30:]).max() < 0.01
    condition = found.condition('"{}"'.format)
    assert duckdb.sql(f"SELECT count(*) FROM rows WHERE {condition}").fetchall() == [(30,)]
    assert Equation.of_facts(json.loads(json.dumps(found.facts()))) == found
    (told,) = look_for_unequal(rows, [sources(n) for n in range(6)], list(wrong)).values()
    assert told.culprit == "tip"
    assert told.way() == (Change.SHIFT_UP, True)


def test_each_of_two_equations_that_share_columns_is_found() -> None:
    random = np.random.default_rng(11)
    east, west = (np.round(random.gamma(2, 30, 2_000), 2) for _ in range(2))
    amount = np.round(east + west, 2)
    fee = np.round(amount * random.uniform(0.01, 0.05, 2_000), 2)
    data = {"amount": amount, "east": east, "west": west, "fee": fee, "net": np.round(amount - fee, 2)}
    found = find_equations(data)
    assert len({equation.target for equation in found}) == len(found) == 2
    assert set().union(*(equation.columns for equation in found)) == set(data)
    assert not any(equation.broken(data).any() for equation in found)


def test_rows_with_null_neither_bear_an_equation_out_nor_break_it() -> None:
    frame = orders(3, 3_000)
    frame.loc[frame.index % 4 == 0, "discount"] = np.nan
    (found,) = find_equations(numbers(frame))
    assert str(found) == "total = price * quantity * (1 - discount)"
    assert not found.broken(numbers(frame)).any()


def test_what_merely_correlates_is_no_equation() -> None:
    random = np.random.default_rng(7)
    price = np.round(random.lognormal(3, 1, 3_000), 2)
    near = {"price": price, "tax": np.round(price * 0.2 + random.normal(0, 0.02, 3_000), 2)}
    assert find_equations(near) == []
    rare = np.where(random.random(3_000) < 0.01, 1.0, 0.0)  # both nearly always 0: they are equal in 98% of rows
    assert find_equations({"one": rare, "other": random.permutation(rare)}) == []
    few = {name: random.integers(0, 4, 3_000).astype(float) for name in "abcde"}
    assert find_equations(few) == []
    assert find_equations({}) == find_equations({"alone": price}) == find_equations({"empty": price * np.nan}) == []


@given(
    seed=st.integers(0, 10**6),
    signs=st.lists(st.sampled_from([-1, 1]), min_size=2, max_size=5),
    noise=st.floats(0.0, 0.03),
)
@settings(max_examples=25, deadline=None)
def test_a_sum_is_found_among_noise_and_says_exactly_which_rows_break_it(
    seed: int, signs: list[int], noise: float
) -> None:
    random = np.random.default_rng(seed)
    rows = 1_000
    parts = {f"part{n}": np.round(random.gamma(2, 10 * (n + 1), rows), 2) for n in range(len(signs))}
    total = np.round(sum(sign * own for sign, own in zip(signs, parts.values(), strict=True)), 2)
    wrong = random.random(rows) < noise
    data = {**parts, "total": np.where(wrong, np.round(total + 7.77, 2), total), "other": random.normal(size=rows)}
    (found,) = find_equations(data)
    assert set(found.columns) == {"total", *parts}
    assert (found.broken(data) == wrong).all()
    told = Equation.of_facts(json.loads(json.dumps(found.facts())))
    assert told == found


WRONG: dict[str, Callable[[pd.Series], pd.Series]] = {
    "ten_times": lambda v: v * 10,
    "zero": lambda v: v * 0.0,
    "moved": lambda v: v + round(float(v.std()), 2) + 1,
    "negated": lambda v: -v,
    "shuffled": lambda v: v.sample(frac=1.0, random_state=1).set_axis(v.index),
    "hundredth": lambda v: (v / 100).round(4),
    "the_median": lambda v: v * 0 + v.median(),
}
SAID = {
    "ten_times": Change.SCALE,
    "moved": Change.SHIFT_UP,
    "hundredth": Change.SCALE,
    "zero": Change.ZEROS_UP,
    "shuffled": Change.RELATION,
}


def broken(table: Callable[..., Frame], column: str, wrong: str) -> Unequal:
    today = table(99)
    rows = today.sample(HIT, random_state=3).index
    today[column] = today[column].astype(float)
    today.loc[rows, column] = WRONG[wrong](today.loc[rows, column])
    (found,) = look_for_unequal(today, [table(n) for n in range(6)], list(numbers(today))).values()
    return found


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((orders, name) for name in ("price", "quantity", "discount", "total")),
        *((payments, name) for name in ("amount", "fee", "net")),
        *((fares, name) for name in ("fare", "tip", "total")),
    ],
)
def test_the_column_that_went_wrong_is_blamed(table: Callable[..., Frame], column: str, wrong: str) -> None:
    if column in ("amount", "net") and wrong == "shuffled":
        return  # nobody can tell: one is like the other but for a small fee
    found = broken(table, column, wrong)
    assert 0.0 < found.share <= HIT / ROWS
    assert found.culprit == column
    way = found.way()
    if found.rows.sum() >= HIT / 2 and column not in ("discount", "tip", "quantity") and wrong in SAID:
        assert way is not None
        assert way[0] is SAID[wrong]


def test_a_day_like_the_others_breaks_nothing() -> None:
    for table in (orders, fares, payments):
        today = table(99)
        (found,) = look_for_unequal(today, [table(n) for n in range(6)], list(numbers(today))).values()
        assert found.share == 0.0
        assert found.culprit == found.equation.target
        assert found.way() is None
        assert found.sizes() == {}


def test_without_past_rows_nothing_is_expected() -> None:
    assert look_for_unequal(orders(1), [], ["price", "total"]) == {}
    assert look_for_unequal(orders(1), [orders(2).iloc[:0]], ["price", "total"]) == {}


@pytest.fixture(scope="module")
def watched(make: Make) -> tuple[Any, dict[str, tuple[Point, ...]]]:
    kinds = dict.fromkeys(("price", "quantity", "discount", "total", "rating"), ColumnKind.NUMBER)
    table = make.table({"at": ColumnKind.TIMESTAMP, **kinds, "country": ColumnKind.TEXT}, "at")
    scores = [(make.day(n), scores_of(compare(table, make.day(n), samples(make, n)))) for n in range(10, 10 + DAYS)]
    return table, {name: tuple(Point(p, found.get(name)) for p, found in scores) for name in scores[0][1]}


def samples(make: Make, number: int, today: Frame | None = None) -> SampleSet:
    past = tuple((make.day(number - lag), timed(make, number - lag, orders(number - lag))) for lag in (1, 2, 3, 7))
    return SampleSet(timed(make, number, orders(number) if today is None else today), past, number)


def timed(make: Make, number: int, frame: Frame) -> Frame:
    start = np.datetime64(make.day(number).start.replace(tzinfo=None), "us")
    seconds = np.random.default_rng(number).integers(0, 86_400, len(frame))
    return frame.assign(at=start + seconds.astype("timedelta64[s]"))


def evaluate(make: Make, watched: Any, today: Frame) -> tuple[SampleSet, Evidence]:
    table, past = watched
    given = samples(make, 40, today)
    (found,) = Drift().evaluate(table, make.day(40), {Sample(): given, PastScores("drift"): past})
    return given, found


def test_a_discount_lost_in_one_country_is_told_with_its_place(make: Make, watched: Any) -> None:
    today = orders(40)
    hit = (today["country"] == "FR") & (today["discount"] > 0)
    today["discount"] = today["discount"].mask(hit, 0.0)
    given, found = evaluate(make, watched, today)
    assert judge(watched[0], [found])[0].status is Status.FAIL
    assert found.columns[0] == "discount"
    assert found.change is Change.ZEROS_UP
    facts = found.detail["columns"]["discount"]
    share = f"{100 * hit.mean():.1f}%"
    told = tell_column("discount", facts)
    assert told.startswith(
        f"discount breaks total = price * quantity * (1 - discount) in {share} of rows (median 0, where"
    )
    (place, *_) = find_where(watched[0], given, found)
    assert [(c.column, c.operator, c.value) for c in place.conditions] == [("country", "=", "FR")]
    quote = '"{}"'.format
    condition = bad_condition(watched[0], found, quote, repr)
    rows = today.drop(columns="country")
    (counted,) = duckdb.sql(f"SELECT count(*) FROM rows WHERE {condition}").fetchall()
    assert len(rows) >= counted[0] == hit.sum()


@pytest.mark.parametrize(
    ("factor", "said", "change"),
    [(1.19, "(1.19 times what fits)", Change.SCALE), (-1.0, "(of the other sign)", Change.SHIFT_DOWN)],
)
def test_a_total_times_a_factor_is_told_by_it(
    make: Make, watched: Any, factor: float, said: str, change: Change
) -> None:
    today = orders(40)
    today["total"] = today["total"].mask(today.index % 20 == 0, (today["total"] * factor).round(2))
    _, found = evaluate(make, watched, today)
    assert found.columns[0] == "total"
    assert found.change is change
    told = tell_column("total", found.detail["columns"]["total"])
    assert told == f"total is not price * quantity * (1 - discount) in 5.0% of rows {said}"


def test_a_day_that_keeps_to_it_says_nothing_of_it(make: Make, watched: Any) -> None:
    _, found = evaluate(make, watched, orders(40))
    assert judge(watched[0], [found])[0].status is Status.PASS
    assert not any("equation" in facts for facts in found.detail["columns"].values())


def test_broken_rows_and_what_fits_are_known_from_the_facts_alone() -> None:
    found = broken(orders, "total", "ten_times")
    facts = json.loads(json.dumps(found.equation.facts()))
    today = orders(99)
    assert broken_rows(facts, today) is not None
    assert not np.any(broken_rows(facts, today))
    pairs = sides(facts, "price", today)
    assert pairs is not None
    assert np.allclose(pairs[0][:, 0], pairs[0][:, 1], atol=0.02)
    assert pairs[1] == 1.0
    assert broken_rows(facts, today.drop(columns="price")) is None
    assert sides(facts, "price", today.assign(price="?")) is None


def test_conditions_run_without_division_by_zero_or_among_integers() -> None:
    quote = '"{}"'.format
    rows = Frame({"rate": [1, 3, 0], "total": [2, 5, 0], "pieces": [2, 2, 0], "per cent": [50, 50, 50]})
    mean = Equation("rate", (Term("total"), Term("pieces", -1)), True, 1.0, 0.01)
    assert str(mean) == "rate = total / pieces"
    broken_ones = duckdb.sql(f"SELECT rate FROM rows WHERE {mean.condition(quote)}").fetchall()
    assert broken_ones == [(3,)]
    half = Equation("rate", (Term("total"), Term("per cent", 1, Form.LEFT_PERCENT)), True, 1.0, 0.01)
    assert str(half) == "rate = total * (1 - per cent / 100)"
    assert duckdb.sql(f"SELECT rate FROM rows WHERE {half.condition(quote)}").fetchall() == [(3,)]
    assert len(rows) == 3
    less = Equation("a", (Term("b", -1), Term("c", -1)), False, 2.0, 0.0)
    assert (str(less), less.condition(quote)) == ("a = -b - c + 2", 'ABS("a" - (-"b" - "c" + 2)) > 1e-09')
    part = Equation("a", (Term("b", -1),), True, 3.0, 0.0)
    assert (str(part), part.condition(quote)) == ("a = 1 / b * 3", 'ABS("a" - (1.0 / NULLIF("b", 0) * 3)) > 1e-09')


WILD = [0.0, -0.0, 1.0, -1.0, 0.5, 99.5, 1e-9, 5e-324, 1e9, 1e16, 1e308, -1e308, np.nan, np.inf, -np.inf]


@given(
    seed=st.integers(0, 10**6),
    kinds=st.lists(st.lists(st.sampled_from(WILD), min_size=1, max_size=6), min_size=2, max_size=5),
    copied=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_whatever_numbers_come_an_answer_is_given(seed: int, kinds: list[list[float]], copied: bool) -> None:
    random = np.random.default_rng(seed)
    ordinary = [np.round(random.lognormal(3, 1, 150), 2) for _ in kinds]
    wild = [
        np.where(random.random(150) < 0.3, random.choice(kind, 150), own)
        for kind, own in zip(kinds, ordinary, strict=True)
    ]
    past = Frame({f"c{n}": own for n, own in enumerate(wild)})
    past = past.assign(copy=past["c0"], product=past["c0"] * past["c1"]) if copied else past
    today = past.sample(frac=1.0, random_state=1).assign(c1=1.0).reset_index(drop=True)
    for found in look_for_unequal(today, [past], list(past)).values():
        assert 0.0 <= found.share <= 1.0
        assert found.culprit in found.equation.columns
        assert str(found.equation).startswith(f"{found.equation.target} = ")
        assert all(np.isfinite(number) for number in found.sizes().values())
        found.way()
