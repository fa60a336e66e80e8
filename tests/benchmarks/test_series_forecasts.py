from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.series import cases, methods, score, sets
from benchmarks.series.cases import Block
from benchmarks.series.sets import Set

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(40)]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20_240_229)


def made(values: np.ndarray, days: list[dt.date] | None = None) -> Set:
    names = [f"s{j}" for j in range(values.shape[1])]
    return Set(
        "made", days or DAYS, values, np.zeros_like(values), names, ["mean"] * len(names), np.ones(values.shape, bool)
    )


def test_the_judged_day_has_no_say_in_whether_its_stretch_is_calm(random: np.random.Generator) -> None:
    values = random.normal(0, 1, (60, 5))
    wild = values.copy()
    wild[30] = 1e6
    assert (sets.stationary(values)[30] == sets.stationary(wild)[30]).all()
    shifted = values + np.where(np.arange(60) > 30, 9.0, 0.0)[:, None]
    assert not sets.stationary(shifted)[30].any()


def test_no_method_sees_the_day_it_forecasts(random: np.random.Generator) -> None:
    values = random.normal(0, 1, (40, 4))
    other = values.copy()
    other[30:] = 77.0
    for method in methods.METHODS.values():
        for one, two in zip(method(Block(made(values), 14, 30)), method(Block(made(other), 14, 30)), strict=True):
            np.testing.assert_array_equal(one, two)


def test_gaps_take_the_value_of_a_week_before_or_the_last_one() -> None:
    days = [day for i, day in enumerate(DAYS) if i not in (3, 12)]
    values = np.array([float(i) for i in range(40) if i not in (3, 12)])[:, None]
    block = Block(made(values, days), 20, 20)
    grid, filled = cases.gridded(days[:20], values[:20, 0], block)
    assert grid == DAYS[:22]
    assert filled[3] == 2.0
    assert filled[12] == 5.0
    assert filled[-1] == 21.0


def test_a_band_that_never_covers_is_told_so_and_pays(random: np.random.Generator) -> None:
    block = Block(made(random.normal(0, 1, (40, 6))), 14, 30)
    low, high = np.full((3, 6), 50.0), np.full((3, 6), 51.0)
    told = score.summary(pd.DataFrame(score.rows_of(block, "blind", (low, high))))
    assert told["coverage 0.99"]["share"] == 0.0
    assert told["winkler"]["mean"] > 200 * 40


def test_a_duel_is_fought_on_what_both_answered(random: np.random.Generator) -> None:
    block = Block(made(random.normal(0, 1, (40, 6))), 14, 30)
    wide = (np.full((3, 6), -10.0), np.full((3, 6), 10.0))
    half = (np.where(np.arange(6) < 3, -5.0, np.nan) * np.ones((3, 1)), np.full((3, 6), 5.0))
    rows = [*score.rows_of(block, "daywatch", wide), *score.rows_of(block, "other", half)]
    duel = score.duels(pd.DataFrame(rows))["other"]["all"]
    assert duel["forecasts"] == 3
    assert duel["winkler"] == pytest.approx(duel["daywatch"] / 2, rel=1e-3)


@pytest.mark.parametrize("points", [7, 8])
def test_elementary_fires_nowhere_below_eight_points(points: int, random: np.random.Generator) -> None:
    values = random.normal(0, 1, (40, 3))
    _, high = methods.elementary_z(Block(made(values), points, 30))
    assert np.isnan(high[1]).all() == (points < 8)
