"""The drift check by its outcomes: quiet without change, the faulted column first, additive, blind to order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.drift import Drift
from checks.drift.compare import attribute_rows, compare, scores_of
from checks.drift.describe import describe_column
from checks.drift.features import Features, encode
from checks.drift.model import attribute, fit
from checks.drift.sides import trim_past
from checks.drift.swaps import share_swapped
from monitor.judge import judge
from monitor.types import Change, ColumnKind, Evidence, PastScores, Point, Sample, SampleSet, Status, Table

ROWS = 900
LAGS = (1, 2, 3, 7, 14, 21, 28)
Frame = pd.DataFrame
Make = Any


def columns() -> dict[str, ColumnKind]:
    return {
        "at": ColumnKind.TIMESTAMP,
        "price": ColumnKind.NUMBER,
        "tax": ColumnKind.NUMBER,
        "weight": ColumnKind.NUMBER,
        "shop": ColumnKind.TEXT,
        "paid": ColumnKind.BOOLEAN,
    }


def rows_of(make: Make, number: int, rows: int = ROWS) -> Frame:
    """One ordinary day: `tax` follows `price`, weekends have another mix of shops."""
    random = np.random.default_rng(1_000 + number)
    price = random.gamma(3.0, 20.0, rows)
    shares = [0.5, 0.3, 0.15, 0.05] if number % 7 < 5 else [0.4, 0.35, 0.2, 0.05]
    start = np.datetime64(make.day(number).start.replace(tzinfo=None), "us")
    return Frame(
        {
            "at": start + random.integers(0, 86_400, rows).astype("timedelta64[s]"),
            "price": np.round(price, 2),
            "tax": np.round(price * 0.2 + random.normal(0, 0.3, rows), 2),
            "weight": np.where(random.random(rows) < 0.02, np.nan, random.normal(5, 1, rows)),
            "shop": make.text(random.choice(["Berlin", "Paris", "Rome", "Oslo"], rows, p=shares)),
            "paid": pd.Series(random.random(rows) < 0.7, dtype=object),
        }
    )


def samples(make: Make, number: int, today: Frame | None = None, day: Callable[..., Frame] = rows_of) -> SampleSet:
    past = tuple((make.day(number - lag), day(make, number - lag)) for lag in LAGS)
    return SampleSet(day(make, number) if today is None else today, past, number)


@pytest.fixture(scope="module")
def watched(make: Make) -> Table:
    return make.table(columns(), "at")


@pytest.fixture(scope="module")
def history(make: Make, watched: Table) -> dict[str, tuple[Point, ...]]:
    """Scores of 28 ordinary days."""
    scores = [(make.day(i), scores_of(compare(watched, make.day(i), samples(make, i)))) for i in range(28, 56)]
    return {name: tuple(Point(p, found[name]) for p, found in scores) for name in scores[0][1]}


def evaluate(table: Table, day: Any, given: SampleSet, past: dict[str, tuple[Point, ...]]) -> Evidence:
    found = Drift().evaluate(table, day, {Sample(): given, PastScores("drift"): past})
    assert len(found) == 1
    return found[0]


def status(table: Table, evidence: Evidence) -> Status:
    return judge(table, [evidence])[0].status


def test_without_change_scores_scatter_around_zero_and_nothing_fails(
    make: Make, watched: Table, history: dict[str, tuple[Point, ...]]
) -> None:
    totals, failed = [], 0
    for number in range(56, 80):
        found = evaluate(watched, make.day(number), samples(make, number), history)
        totals.append(found.detail["total"])
        failed += status(watched, found) is Status.FAIL
    assert failed == 0
    assert abs(np.median(totals)) < 0.02
    assert min(totals) < 0 < max(totals)


def with_nulls(frame: Frame, random: np.random.Generator) -> Frame:
    return frame.assign(weight=frame["weight"].mask(random.random(len(frame)) < 0.2))


def with_shift(frame: Frame, _random: np.random.Generator) -> Frame:
    return frame.assign(weight=frame["weight"] + 0.8)


def with_new_category(frame: Frame, random: np.random.Generator) -> Frame:
    changed = frame["shop"].astype("str").mask(random.random(len(frame)) < 0.15, "Atlantis")
    return frame.assign(shop=changed.astype("category"))


def shuffled(frame: Frame, random: np.random.Generator) -> Frame:
    return frame.assign(tax=random.permutation(frame["tax"].to_numpy()))


def constant(frame: Frame, _random: np.random.Generator) -> Frame:
    return frame.assign(paid=pd.Series([True] * len(frame), dtype=object))


@pytest.mark.parametrize(
    ("fault", "blamed", "changes"),
    [
        (with_nulls, {"weight"}, {Change.NULLS_UP}),
        (with_shift, {"weight"}, {Change.SHIFT_UP}),
        (with_new_category, {"shop"}, {Change.VALUES_NEW}),
        (shuffled, {"tax", "price"}, {Change.RELATION}),
        (constant, {"paid"}, {Change.CONSTANT}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_planted_faults_fail_and_name_their_column_first(
    fault: Callable[..., Frame],
    blamed: set[str],
    changes: set[Change],
    make: Make,
    watched: Table,
    history: dict[str, tuple[Point, ...]],
    random: np.random.Generator,
) -> None:
    today = fault(rows_of(make, 60), random)
    evidence = evaluate(watched, make.day(60), samples(make, 60, today), history)
    assert status(watched, evidence) is Status.FAIL
    assert evidence.columns[0] in blamed
    assert evidence.change in changes
    assert evidence.effect > 0.0 or evidence.change is Change.RELATION
    assert sum(evidence.shares) <= 1.0 + 1e-9


def test_a_young_table_is_not_judged(make: Make, watched: Table) -> None:
    today = with_shift(rows_of(make, 60), np.random.default_rng(0))
    evidence = evaluate(watched, make.day(60), samples(make, 60, today), {})
    assert status(watched, evidence) is Status.LEARNING
    assert evidence.columns[0] == "weight"  # but it is said what differs


def test_attributions_sum_to_the_difference_of_log_odds(random: np.random.Generator) -> None:
    features, is_today, folds = matrix(random, 1_500)
    found = attribute(features, is_today, folds, 7)
    expected = 0.0
    for fold in range(2):
        train, test = folds != fold, folds == fold
        logodds = fit(features, is_today, train, 7 + fold).predict(features.matrix, raw_score=True, num_threads=1)
        expected += (logodds[test & is_today].mean() - logodds[test & ~is_today].mean()) / 2
    assert found.nats.sum() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found.nats[0] > 0.05 > abs(found.nats[2])


def matrix(random: np.random.Generator, rows: int) -> tuple[Features, np.ndarray, np.ndarray]:
    is_today = np.arange(rows) < rows // 2
    values = random.normal(0, 1, (rows, 4)).astype(np.float32)
    values[:, 0] += is_today
    values[:, 3] = random.integers(0, 5, rows)
    values[random.random(rows) < 0.1, 1] = np.nan
    names = ("a", "b", "c", "d")
    return Features(values, names, names, (3,)), is_today, random.integers(0, 2, rows)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the oracle's own dependencies
def test_attributions_are_those_of_shap(random: np.random.Generator) -> None:
    import shap

    features, is_today, folds = matrix(random, 800)
    found = attribute(features, is_today, folds, 3)
    oracle = np.zeros(4)
    for fold in range(2):
        train, test = folds != fold, folds == fold
        explained = np.asarray(
            shap.TreeExplainer(fit(features, is_today, train, 3 + fold)).shap_values(features.matrix[test])
        )
        explained = explained[-1] if explained.ndim == 3 else explained
        oracle += (explained[is_today[test]].mean(axis=0) - explained[~is_today[test]].mean(axis=0)) / 2
    np.testing.assert_allclose(found.nats, oracle, rtol=1e-5, atol=1e-7)


def test_columns_that_tell_the_day_leave_and_return_only_as_news(make: Make) -> None:
    def day(make: Make, number: int, rows: int = ROWS) -> Frame:
        frame = rows_of(make, number, rows)
        start = make.day(number).start
        frame["id"] = np.arange(rows, dtype=float) + number * 1_000
        frame["month"] = float(start.month)
        frame["weekday"] = make.text([f"{start:%A}"] * rows)
        frame["on"] = pd.Series(np.full(rows, np.datetime64(start.replace(tzinfo=None), "us")))
        frame["version"] = make.text([f"v{number}"] * rows)
        return frame

    kinds = columns() | {
        "id": ColumnKind.NUMBER,
        "month": ColumnKind.NUMBER,
        "weekday": ColumnKind.TEXT,
        "on": ColumnKind.DATE,
        "version": ColumnKind.TEXT,
    }
    table = make.table(kinds, "at")
    found = compare(table, make.day(60), samples(make, 60, day=day))
    assert set(found.left_out) == {"id", "month", "weekday", "on", "version"}
    assert found.total < 0.1
    only_today = rows_of(make, 60).assign(weight=np.arange(ROWS, dtype=float) + 1e6)
    plain = make.table(columns(), "at")
    news = compare(plain, make.day(60), samples(make, 60, only_today))
    assert "weight" not in news.left_out
    assert max(news.attributed, key=lambda name: news.attributed[name]) == "weight"


def test_a_date_that_is_written_longer_from_the_tenth_on_is_no_news(make: Make) -> None:
    def day(make: Make, number: int, rows: int = ROWS) -> Frame:
        start, after = make.day(number).start, make.day(number + 1).start
        eve = rows // 20 if start.month != after.month else 0  # some rows of the month to come
        file = [f"{start:%Y-%m}"] * (rows - eve) + [f"{after:%Y-%m}"] * eve
        return rows_of(make, number, rows).assign(day=float(start.day), month=float(start.month), file=make.text(file))

    kinds = columns() | {"day": ColumnKind.NUMBER, "month": ColumnKind.NUMBER, "file": ColumnKind.TEXT}
    table = make.table(kinds, "at")
    first = next(n for n in range(40, 75) if make.day(n).start.day == 1)
    for number in (first, first + 9):
        found = compare(table, make.day(number), samples(make, number, day=day))
        assert set(found.left_out) == {"day", "month", "file"}
        assert not {"day", "month", "file"} & {name for look in found.looks.values() for name in look}
    wrong = day(make, 60).assign(day=31.0)
    assert "day" not in compare(table, make.day(60), samples(make, 60, wrong, day=day)).left_out


def test_a_time_like_column_hides_no_weaker_fault(make: Make, random: np.random.Generator) -> None:
    def day(make: Make, number: int, rows: int = ROWS) -> Frame:
        return rows_of(make, number, rows).assign(id=np.arange(rows, dtype=float) + number * 1_000)

    table = make.table(columns() | {"id": ColumnKind.NUMBER}, "at")
    today = with_nulls(day(make, 60), random)
    found = compare(table, make.day(60), samples(make, 60, today, day=day))
    assert found.left_out == ("id",)
    assert max(found.attributed, key=lambda name: found.attributed[name]) == "weight"


def test_repeated_rows_fake_no_change(make: Make, watched: Table) -> None:
    def repeated(make: Make, number: int, rows: int = ROWS) -> Frame:
        return pd.concat([rows_of(make, number, rows // 6)] * 6, ignore_index=True)

    found = compare(watched, make.day(60), samples(make, 60, day=repeated))
    clean = compare(watched, make.day(60), samples(make, 60))
    assert found.total < clean.total + 0.3  # a model that sees copies of held-out rows claims several nats


def test_the_order_of_rows_is_irrelevant(make: Make, watched: Table, random: np.random.Generator) -> None:
    given = samples(make, 60, with_shift(rows_of(make, 60), random))
    again = replace(given, today=given.today.iloc[random.permutation(ROWS)].reset_index(drop=True))
    one, other = compare(watched, make.day(60), given), compare(watched, make.day(60), again)
    assert one.marginal == pytest.approx(other.marginal)
    assert one.attributed == pytest.approx(other.attributed, abs=0.05)
    assert one.total == pytest.approx(other.total, rel=0.1)


def test_the_order_of_columns_is_irrelevant_up_to_ties(make: Make, watched: Table, random: np.random.Generator) -> None:
    given = samples(make, 60, with_nulls(rows_of(make, 60), random))
    turned = replace(watched, columns=watched.columns[::-1])
    one, other = compare(watched, make.day(60), given), compare(turned, make.day(60), given)
    assert one.attributed == pytest.approx(other.attributed, abs=0.05)
    assert one.marginal == pytest.approx(other.marginal)


def test_what_is_kept_of_a_past_day_is_drawn_from_all_over_it(make: Make, watched: Table) -> None:
    def by_time(_: Make, number: int) -> Frame:
        return rows_of(make, number, 4_000).sort_values("at", ignore_index=True)

    given = samples(make, 60, day=by_time)
    kept = trim_past(given)
    assert all(len(frame) < 1_000 for _, frame in kept)
    hours = pd.concat([frame["at"] for _, frame in kept]).dt.hour
    assert hours.value_counts(normalize=True).between(0.02, 0.07).all()
    assert [len(frame) for _, frame in trim_past(given)] == [len(frame) for _, frame in kept]
    assert compare(watched, make.day(60), given).marginal["at"] < 0.05


def test_the_same_day_is_scored_the_same(make: Make, watched: Table) -> None:
    assert compare(watched, make.day(60), samples(make, 60)) == compare(watched, make.day(60), samples(make, 60))


def test_yesterdays_rows_again_are_a_replay(make: Make, watched: Table) -> None:
    gap = pd.Timedelta(days=1)
    again = rows_of(make, 59).assign(at=lambda frame: frame["at"] + gap)
    assert scores_of(compare(watched, make.day(60), samples(make, 60)))["replay"] < 0.01
    stale = compare(watched, make.day(60), samples(make, 60, again.assign(at=rows_of(make, 59)["at"])))
    assert stale.repeats["replay"] == 1.0


def test_rows_explained_for_pictures_belong_to_the_features(make: Make, watched: Table) -> None:
    found = attribute_rows(watched, make.day(60), samples(make, 60))
    assert found is not None
    contributions, values, names = found
    assert contributions.shape == values.shape == (contributions.shape[0], len(names))
    assert {name.split(":")[0] for name in names} <= set(columns())


def test_every_feature_belongs_to_a_column_and_null_is_nan(make: Make, watched: Table) -> None:
    frame = rows_of(make, 0)
    features = encode(frame, watched.columns, np.zeros(ROWS), "at")
    assert set(features.columns) == set(columns())
    weight = features.matrix[:, features.columns.index("weight")]
    assert (np.isnan(weight) == frame["weight"].isna()).all()
    extreme = encode(frame.assign(price=1e300), watched.columns, np.zeros(ROWS), "at")
    assert np.isfinite(extreme.matrix[:, extreme.columns.index("price")]).all()


NORMAL = np.random.default_rng(11).normal(100, 10, 3_000)
OTHER = np.random.default_rng(12).normal(100, 10, 3_000)
CITIES = np.random.default_rng(13).choice(["Berlin", "Paris", "Rome", "Oslo"], 3_000, p=[0.4, 0.3, 0.2, 0.1])
FEW = np.random.default_rng(14).random(3_000) < 0.1


@pytest.mark.parametrize(
    ("today", "past", "change", "effect"),
    [
        (np.where(FEW, np.nan, OTHER), NORMAL, Change.NULLS_UP, 0.1),
        (OTHER, np.where(FEW, np.nan, NORMAL), Change.NULLS_DOWN, 0.1),
        (np.where(FEW, 0.0, OTHER), NORMAL, Change.ZEROS_UP, 0.1),
        (OTHER + 8.0, NORMAL, Change.SHIFT_UP, None),
        (OTHER - 8.0, NORMAL, Change.SHIFT_DOWN, None),
        (OTHER * 1_000.0, NORMAL, Change.SCALE, 1.0),
        (np.where(FEW, OTHER * 10.0, 0.0), np.where(FEW, NORMAL, 0.0), Change.SCALE, 0.1),  # 0 stays where it is
        ((OTHER - 100) * 4 + 100, NORMAL, Change.SPREAD, None),
        (np.full(3_000, 103.5), NORMAL, Change.CONSTANT, 1.0),
        (OTHER, NORMAL, Change.RELATION, 0.0),
    ],
)
def test_each_change_of_numbers_has_its_word(today: Any, past: Any, change: Change, effect: float | None) -> None:
    found = describe_column(pd.Series(today), pd.Series(past), ColumnKind.NUMBER)
    assert found.change is change
    if effect is None:  # how much of the rows moved is a matter of the story told; not little
        assert found.effect > 0.25
    else:
        assert found.effect == pytest.approx(effect, abs=0.08)


STARS = np.random.default_rng(4).choice([1.0, 2.0, 3.0, 4.0, 5.0], 3_000, p=[0.05, 0.05, 0.1, 0.3, 0.5])
HIT = np.random.default_rng(5).random(3_000) < 0.2
YEAR = np.full(3_000, 2013.0)
VENDORS = np.random.default_rng(6).choice([1.0, 2.0], 3_000, p=[0.4, 0.6])
PRICES = np.random.default_rng(7).lognormal(3, 0.5, 3_000).round(2)


@pytest.mark.parametrize(
    ("today", "past", "change"),
    [
        (np.where(HIT, STARS * 10, STARS), STARS, Change.SCALE),
        (np.where(HIT, -STARS, STARS), STARS, Change.SHIFT_DOWN),
        (np.where(HIT, 0.0, STARS), STARS, Change.ZEROS_UP),
        (np.where(HIT, 20130.0, YEAR), YEAR, Change.SCALE),
        (np.where(HIT, -2013.0, YEAR), YEAR, Change.SHIFT_DOWN),
        (np.where(HIT, 9999.0, YEAR), YEAR, Change.VALUES_NEW),
        (np.where(HIT, 9999.0, STARS), STARS, Change.VALUES_NEW),
        (np.where(HIT, 10.0, VENDORS), VENDORS, Change.VALUES_NEW),
        (np.where(HIT, VENDORS * 10, VENDORS), VENDORS, Change.SCALE),
        (np.where(HIT, -PRICES, PRICES), PRICES, Change.SHIFT_DOWN),
        (np.where(HIT, 23.45, PRICES), PRICES, Change.CONSTANT),
    ],
)
def test_numbers_with_few_values_change_as_others_do(today: Any, past: Any, change: Change) -> None:
    found = describe_column(pd.Series(today), pd.Series(past), ColumnKind.NUMBER)
    assert found.change is change
    assert found.effect == pytest.approx(HIT.mean(), abs=0.1)


@given(share=st.floats(0.02, 0.3), seed=st.integers(0, 10**6), lowest=st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)  # of samples drawn anew one in 300 lies too far by chance
def test_rows_beyond_a_number_that_do_not_come_are_missing_and_clipped_ones_are_there(
    share: float, seed: int, lowest: bool
) -> None:
    random = np.random.default_rng(seed)
    sign = -1.0 if lowest else 1.0
    past, whole = (sign * random.lognormal(3, 0.5, 3_000).round(2) for _ in range(2))
    bound = np.quantile(sign * past, 1.0 - share)
    cut, clipped = whole[sign * whole < bound], sign * np.minimum(sign * whole, bound)
    found = describe_column(pd.Series(cut), pd.Series(past), ColumnKind.NUMBER)
    assert found.change is Change.ROWS_MISSING
    assert found.effect == pytest.approx(share, abs=0.03)
    for there in (clipped, whole):
        assert describe_column(pd.Series(there), pd.Series(past), ColumnKind.NUMBER).change is not Change.ROWS_MISSING


@pytest.mark.parametrize(("written", "change"), [("B00007", Change.CONSTANT), ("unknown item!", Change.VALUES_NEW)])
def test_a_text_written_over_many_is_no_other_mix(written: str, change: Change) -> None:
    random = np.random.default_rng(6)
    skus = [np.array([f"B{n:05d}" for n in random.integers(0, 3_000, 3_000)], dtype=object) for _ in range(2)]
    stacked = texts(np.concatenate([np.where(HIT, written, skus[0]), skus[1]]))
    found = describe_column(stacked[:3_000], stacked[3_000:], ColumnKind.TEXT)
    assert found.change is change
    assert found.effect == pytest.approx(HIT.mean(), abs=0.02)


@pytest.mark.parametrize("hours", [-3, 2, 6])
def test_a_wrong_time_zone_is_told_with_its_way_also_over_midnight(hours: int) -> None:
    random = np.random.default_rng(3)

    def day(number: int) -> pd.Series:
        seconds = np.sort(86_400 * np.mod(0.75 + 0.2 * random.normal(size=2_000), 1.0))
        return pd.Series(pd.Timestamp("2024-01-01") + pd.Timedelta(days=number) + pd.to_timedelta(seconds, unit="s"))

    past = pd.concat([day(number) for number in range(6)], ignore_index=True)
    today = day(7)
    moved = today + pd.Timedelta(hours=hours)
    today = today.where(HIT[:2_000], today.dt.normalize() + (moved - moved.dt.normalize()))
    change = Change.SHIFT_UP if hours > 0 else Change.SHIFT_DOWN
    assert describe_column(today, past, ColumnKind.TIMESTAMP).change is change


def test_columns_that_exchanged_their_values_are_told_though_one_number_is_in_both() -> None:
    times = np.random.default_rng(8).integers(0, 2_359, 3_000).astype(float)
    today = (pd.Series(np.where(HIT, times, YEAR)), pd.Series(np.where(HIT, YEAR, times)))
    past = (pd.Series(YEAR), pd.Series(times[::-1].copy()))
    assert share_swapped((today[0], past[0]), (today[1], past[1])) == pytest.approx(HIT.mean(), abs=0.03)
    assert share_swapped((today[0], past[0]), (past[1], past[1])) < 0.03


def test_an_exchange_with_nulls_is_one_and_a_null_alone_is_none() -> None:
    reasons = np.where(FEW, "refused", None)
    today = texts(np.where(HIT, reasons, CITIES)), texts(np.where(HIT, CITIES, reasons))
    past = texts(CITIES), texts(reasons)
    assert share_swapped((today[0], past[0]), (today[1], past[1])) == pytest.approx(HIT.mean(), abs=0.03)
    lost = texts(np.where(HIT, None, CITIES))
    assert share_swapped((lost, past[0]), (past[1], past[1])) < 0.03


def texts(values: Any) -> pd.Series:
    return pd.Series(pd.Categorical(values))


@pytest.mark.parametrize(
    ("today", "change"),
    [
        (np.where(FEW, None, CITIES), Change.NULLS_UP),
        (np.where(FEW, "", CITIES), Change.EMPTY_UP),
        (np.where(FEW, "Madrid", CITIES), Change.VALUES_NEW),
        (np.where(CITIES == "Rome", "Paris", CITIES), Change.VALUES_GONE),
        (np.full(3_000, "Paris"), Change.CONSTANT),
        (np.random.default_rng(3).permutation(CITIES), Change.RELATION),
    ],
)
def test_each_change_of_texts_has_its_word(today: Any, change: Change) -> None:
    both = pd.Categorical(np.concatenate([np.asarray(today, dtype=object), CITIES.astype(object)]))
    stacked = pd.Series(both)
    found = describe_column(stacked[:3_000], stacked[3_000:], ColumnKind.TEXT)
    assert found.change is change


def test_upper_case_is_another_format_not_another_mix() -> None:
    stacked = texts(np.concatenate([np.char.upper(CITIES), CITIES]))
    assert describe_column(stacked[:3_000], stacked[3_000:], ColumnKind.TEXT).change is Change.FORMAT


@pytest.mark.parametrize(
    ("first", "last", "minutes", "change"),
    [
        (0.04, 0.0, 0, Change.ROWS_MISSING),
        (0.0, 0.04, 0, Change.ROWS_MISSING),
        (0.3, 0.0, 0, Change.ROWS_MISSING),
        (0.0, 0.0, 300, Change.SHIFT_UP),
        (0.0, 0.0, 20, Change.SHIFT_UP),
    ],
)
def test_hours_cut_off_are_rows_missing_and_moved_ones_are_not(
    first: float, last: float, minutes: int, change: Change
) -> None:
    random = np.random.default_rng(3)

    def day(number: int) -> pd.Series:
        seconds = np.sort(86_400 * random.beta(2, 2, 2_000))
        return pd.Series(pd.Timestamp("2024-01-01") + pd.Timedelta(days=number) + pd.to_timedelta(seconds, unit="s"))

    past = pd.concat([day(number) for number in range(6)], ignore_index=True)
    stuck = day(7).mask(np.arange(2_000) % 10 == 0, pd.Timestamp("2024-01-08 11:00"))
    assert describe_column(stuck, past, ColumnKind.TIMESTAMP).change is Change.CONSTANT
    early = day(7).mask(np.arange(2_000) % 10 == 0, pd.Timestamp("1970-01-01"))
    assert describe_column(early, past, ColumnKind.TIMESTAMP).change is Change.VALUES_NEW
    today = day(7)[int(2_000 * first) : 2_000 - int(2_000 * last)] + pd.Timedelta(minutes=minutes)
    assert describe_column(today, past, ColumnKind.TIMESTAMP).change is change
