"""Laws of the predictive distribution: coverage, calendar, robustness, honesty with little past, units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from checks.conformance import predictive_breaches
from checks.evidence import damped
from checks.series import AbsoluteT, Calendar, Forecast, StudentT, calendar_of, forecast_panel
from monitor.types import Cadence

PLAIN = Calendar({}, {})


def weekly(steps: int) -> Calendar:
    return Calendar({"weekday": np.arange(steps + 1) % 7}, {"weekday": 7})


def tails(values: np.ndarray, today: np.ndarray, calendar: Calendar = PLAIN, **settings_: Any) -> np.ndarray:
    """The two-sided tail probability of each series' next point; NaN where it cannot be scored."""
    forecast = forecast_panel(values, calendar, **settings_)
    scores = np.abs(forecast.standardise(today))
    found = [damped(forecast, j) for j in range(len(today))]
    return np.array([np.nan if past is None else past.tail(s) for past, s in zip(found, scores, strict=True)])


@pytest.mark.parametrize("steps", [5, 10, 30, 120])
def test_a_one_percent_tail_is_reached_about_once_in_a_hundred_times(steps: int, random: np.random.Generator) -> None:
    values = random.normal(100.0, 7.0, (steps + 1, 4_000))
    rate = (tails(values[:-1], values[-1]) < 0.01).mean()
    assert rate < 0.02


@pytest.mark.parametrize("steps", [3, 5, 7, 10])
def test_a_young_band_is_as_wide_as_students_and_its_tails_reach_further(
    steps: int, random: np.random.Generator
) -> None:
    values = random.normal(100.0, 7.0, (steps + 1, 6_000))
    forecast = forecast_panel(values[:-1], PLAIN)
    band = -stdtrit(forecast.df, 0.005) * forecast.scale
    assert 0.98 < (np.abs(values[-1] - forecast.location) < band).mean() < 0.997
    student = -stdtrit(steps - 1, 0.005) * values[:-1].std(axis=0, ddof=1) * np.sqrt(1 + 1 / steps)
    assert np.median(band) < 1.4 * np.median(student)
    far = -stdtrit(forecast.df, 5e-6) / -stdtrit(forecast.df, 0.005)
    assert np.median(far) > 1.5 * stdtrit(steps - 1, 5e-6) / stdtrit(steps - 1, 0.005)


def holidays(steps: int, every: int) -> Calendar:
    return Calendar({"holiday": (np.arange(steps + 1) % every == every - 1).astype(int)}, {"holiday": 3})


def test_a_holiday_is_uncertain_until_holidays_turn_out_ordinary(random: np.random.Generator) -> None:
    def ratio(steps: int, size: float) -> float:
        calendar = holidays(steps, 10)
        values = random.normal(0, 1, (steps, 400))
        off = calendar.groups["holiday"][:-1] == 1
        values[off] += size * random.normal(0, 1, (int(off.sum()), 400))
        plain = Calendar({"holiday": np.append(calendar.groups["holiday"][:-1], 0)}, {"holiday": 3})
        assert calendar.groups["holiday"][-1] == 1
        return float(np.median(forecast_panel(values, calendar).scale / forecast_panel(values, plain).scale))

    assert ratio(9, 0.0) > 2.0  # none seen yet
    assert ratio(299, 0.0) < 1.4
    assert ratio(299, 6.0) > 3.0


def test_a_long_past_makes_use_of_its_length(random: np.random.Generator) -> None:
    values = random.normal(0.0, 1.0, (201, 2_000))
    scale = forecast_panel(values[:-1], PLAIN).scale
    assert np.median(scale) == pytest.approx(1.0, rel=0.25)
    assert (tails(values[:-1], values[-1] + 8.0) < 1e-4).mean() > 0.95


def test_weekdays_are_learnt_and_no_longer_surprise(random: np.random.Generator) -> None:
    steps = 84
    week = np.array([10, 10, 10, 10, 10, 2, 2], dtype=float)
    days = np.arange(steps + 1) % 7
    values = week[days][:, None] + random.normal(0, 0.3, (steps + 1, 300))
    calendar = weekly(steps)
    forecast = forecast_panel(values[:-1], calendar)
    assert np.median(forecast.location) == pytest.approx(week[days[-1]], abs=0.4)
    assert (tails(values[:-1], values[-1], calendar) < 0.01).mean() < 0.03
    weekend_value_on_a_weekday = np.full(300, 2.0)
    monday = 77
    assert (tails(values[:monday], weekend_value_on_a_weekday, weekly(monday)) < 1e-3).mean() > 0.9


@pytest.mark.parametrize("weeks", [4, 8])
@pytest.mark.parametrize("week", [[-2.3, 0, 0, 0, 0, 0, -2.3], [1.5, 0.2, -0.9, 0.4, -1.7, 0.8, -0.3]])
def test_strong_weekdays_widen_no_band(weeks: int, week: list[float], random: np.random.Generator) -> None:
    steps = 7 * weeks + 3
    values = np.array(week)[np.arange(steps + 1) % 7][:, None] + random.normal(0.0, 0.03, (steps + 1, 300))
    forecast = forecast_panel(values[:-1], weekly(steps))
    errors = values[-1] - forecast.location
    assert errors.std() < 1.3 * 0.03
    assert np.median(forecast.scale) < 1.3 * 0.03
    assert (np.abs(errors) < stdtrit(forecast.df, 0.995) * forecast.scale).mean() > 0.98


def test_a_storm_in_the_first_weeks_makes_no_weekday_either(random: np.random.Generator) -> None:
    values = random.normal(0.0, 0.1, (24, 200))
    values[8] += 20.0
    assert np.abs(forecast_panel(values[:22], weekly(22)).location).max() < 1.0  # the storm's weekday comes next


def test_one_outlier_makes_no_weekday(random: np.random.Generator) -> None:
    steps = 19
    values = random.normal(10, 0.5, (steps, 400))
    spoilt = values.copy()
    spoilt[5] = 100.0  # a Saturday; day 19 is one, too
    plain, fooled = forecast_panel(values, weekly(steps)), forecast_panel(spoilt, weekly(steps))
    assert np.abs(fooled.location - plain.location).max() < 3.0


def test_where_weekdays_are_alike_none_is_switched_on(random: np.random.Generator) -> None:
    steps = 42
    values = random.normal(0, 1, (steps, 1_000))
    plain, shrunk = forecast_panel(values, PLAIN), forecast_panel(values, weekly(steps))
    assert np.abs(plain.location - shrunk.location).mean() < 0.25
    assert np.median(shrunk.scale / plain.scale) < 1.1


def test_a_shift_of_level_is_found_and_then_forgiven(random: np.random.Generator) -> None:
    before, after = random.normal(50, 1, (60, 200)), random.normal(70, 1, (60, 200))
    assert (tails(before, after[0]) < 1e-4).all()
    grown = np.vstack([before, after])
    assert np.median(forecast_panel(grown, PLAIN).location) == pytest.approx(70, abs=1.5)
    assert (tails(grown, random.normal(70, 1, 200)) < 0.01).mean() < 0.05


def test_an_outlier_of_the_past_neither_moves_the_level_nor_blinds(random: np.random.Generator) -> None:
    values = random.normal(50, 1, (60, 300))
    spoilt = values.copy()
    spoilt[-5] = 50_000.0
    clean, storm = forecast_panel(values, PLAIN), forecast_panel(spoilt, PLAIN)
    assert np.abs(clean.location - storm.location).max() < 3.5
    assert np.median(storm.scale / clean.scale) < 2.0
    assert (tails(spoilt, np.full(300, 65.0)) < 1e-3).mean() > 0.9


def test_three_points_are_nearly_unreachable_and_the_bar_falls_with_every_day(random: np.random.Generator) -> None:
    values = random.normal(100, 5, (60, 500))
    needed = []
    for steps in (5, 7, 14, 28, 60):
        forecast = forecast_panel(values[:steps], PLAIN)
        reach = [past.isf(1e-3) * s for j, s in enumerate(forecast.scale) if (past := damped(forecast, j)) is not None]
        needed.append(float(np.median(reach)))
    assert needed == sorted(needed, reverse=True)
    assert needed[0] > 3 * needed[-1]
    assert np.isnan(tails(values[:3], np.full(500, 1e6))).all() or (tails(values[:3], np.full(500, 200.0)) > 1e-3).all()


@pytest.mark.parametrize("points", [0, 1, 2])
def test_with_less_there_is_no_score(points: int) -> None:
    values = np.arange(points, dtype=float)[:, None]
    assert damped(forecast_panel(values, PLAIN), 0) is None


def test_missing_holidays_teach_nothing(random: np.random.Generator) -> None:
    values = random.normal(10, 1, (59, 50))
    calendar = holidays(59, 10)
    days = calendar.groups["holiday"].copy()
    values[9], values[19] = np.nan, np.nan
    days[[9, 19]] = 0
    told, untold = forecast_panel(values, calendar), forecast_panel(values, Calendar({"holiday": days}, {"holiday": 3}))
    np.testing.assert_allclose(told.scale, untold.scale)


@pytest.mark.parametrize(("count", "used", "least", "most"), [(16, 8, 0.2, 0.5), (120, 99, 0.7, 1.0)])
def test_large_errors_of_the_past_widen_as_far_as_there_are_many(
    count: int, used: int, least: float, most: float
) -> None:
    errors = np.where(np.arange(count) % 4 == 3, 9.0, 0.5)[:, None]
    past = damped(Forecast(np.zeros(1), np.ones(1), np.full(1, 30.0), errors), 0)
    assert past is not None
    student = AbsoluteT(30.0)
    in_full = 9.0 / student.isf(2 / (used + 1))
    assert least * in_full < past.isf(0.01) / student.isf(0.01) < most * in_full


def test_missing_points_teach_nothing(random: np.random.Generator) -> None:
    values = random.normal(10, 1, (40, 50))
    gaps = np.full((60, 50), np.nan)
    kept = np.sort(random.permutation(60)[:40])
    gaps[kept] = values
    full, holed = forecast_panel(values, PLAIN), forecast_panel(gaps, PLAIN)
    np.testing.assert_allclose(holed.location, full.location)
    np.testing.assert_allclose(holed.scale, full.scale)
    assert np.isnan(holed.errors[np.setdiff1d(np.arange(60), kept)]).all()


def test_the_noise_of_few_rows_is_a_floor() -> None:
    steady = np.full((50, 1), 0.5)
    sharp = forecast_panel(steady, PLAIN)
    rough = forecast_panel(steady, PLAIN, np.full((51, 1), 0.02))
    few_today = forecast_panel(steady, PLAIN, np.vstack([np.full((50, 1), 0.02), [[0.2]]]))
    assert sharp.scale[0] < 1e-6
    assert rough.scale[0] >= 0.01
    assert few_today.scale[0] >= 0.19
    floored = forecast_panel(steady, PLAIN, None, np.array([0.3]))
    assert floored.scale[0] == pytest.approx(0.3, rel=0.05)


def test_a_steady_series_scores_its_own_value_as_nothing() -> None:
    forecast = forecast_panel(np.full((30, 1), 7.0), PLAIN)
    assert forecast.standardise(np.array([7.0]))[0] == 0.0
    assert abs(forecast.standardise(np.array([7.1]))[0]) > 1e3


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
pasts = st.lists(st.one_of(numbers, st.just(float("nan"))), min_size=6, max_size=25)


@settings(max_examples=60, deadline=None)
@given(
    past=pasts, today=numbers, factor=st.sampled_from([10.0, -1.0, 0.5, 1024.0]), offset=st.sampled_from([0.0, 512.0])
)
def test_units_do_not_matter(past: list[float], today: float, factor: float, offset: float) -> None:
    values = np.array(past)[:, None]
    known = values[np.isfinite(values)]
    if len(known) < 4 or np.ptp(known) < 1.0 or len(np.unique(known)) < 4:
        return
    one = forecast_panel(values, PLAIN, None, np.array([1e-3]))
    other = forecast_panel(values * factor + offset, PLAIN, None, np.array([1e-3 * abs(factor)]))
    expected = one.standardise(np.array([today]))[0]
    found = other.standardise(np.array([today * factor + offset]))[0]
    assert found == pytest.approx(np.sign(factor) * expected, rel=1e-3, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), series=st.integers(2, 6), steps=st.integers(1, 30))
def test_series_do_not_know_each_other(seed: int, series: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, (steps, series))
    values[random.random((steps, series)) < 0.2] = np.nan
    order = random.permutation(series)
    together, shuffled = forecast_panel(values, weekly(steps)), forecast_panel(values[:, order], weekly(steps))
    alone = forecast_panel(values[:, :1], weekly(steps))
    for part in ("location", "scale", "df"):
        np.testing.assert_allclose(getattr(together, part)[order], getattr(shuffled, part), rtol=1e-9)
        np.testing.assert_allclose(getattr(together, part)[:1], getattr(alone, part), rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(df=st.floats(0.5, 30), scale=st.floats(1e-6, 1e6), location=st.floats(-1e3, 1e3))
def test_tails_and_their_inverse(df: float, scale: float, location: float) -> None:
    assert not list(predictive_breaches(AbsoluteT(df)))
    past = StudentT(location, scale, df)
    for probability in (1e-6, 1e-3, 0.2):
        assert past.tail(past.isf(probability)) == pytest.approx(probability, rel=1e-4)


def test_the_calendar_tells_month_edges_and_holidays(make: Any) -> None:
    days = [make.day(i) for i in range(-8, 8)]  # 2022-12-25 (a holiday in the US, observed on Monday) to 2023-01-09
    found = calendar_of(days, Cadence.DAY, "US")
    by_day = {p.label: int(g) for p, g in zip(days, found.groups["holiday"], strict=True)}
    assert by_day["2022-12-25"] == 1
    assert by_day["2023-01-05"] == 0
    edges = {p.label[5:]: int(g) for p, g in zip(days, found.groups["month"], strict=True)}
    assert edges["12-28"] == 0
    assert len({edges[d] for d in ("12-29", "12-30", "12-31", "01-01", "01-02", "01-03")}) == 6
    assert [int(g) for g in found.groups["weekday"][:3]] == [6, 0, 1]
    assert "weekday" not in calendar_of(days, Cadence.WEEK).groups
