"""Numbers never seen before, told by what they are of known ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.drift.arithmetic import rows_told, told_by_arithmetic
from checks.drift.describe import describe_column
from monitor.types import Change, ColumnKind

seeds = st.integers(0, 10**6)
shares = st.floats(0.02, 0.5)


def prices(random: np.random.Generator, rows: int = 2_000) -> np.ndarray:
    """A list of sixty prices, from which days draw."""
    return random.choice(np.unique(np.random.default_rng(1).lognormal(3, 1, 60).round(2)), rows)


def temperatures(random: np.random.Generator, mean: float, rows: int = 2_000) -> np.ndarray:
    return random.normal(mean, 3.0, rows).round(2)


@given(seed=seeds, share=shares, factor=st.sampled_from([10.0, 100.0, 0.01, 60.0, 2.54]))
@settings(max_examples=40, deadline=None)
def test_multiples_of_known_numbers_are_a_change_of_scale(seed: int, share: float, factor: float) -> None:
    random = np.random.default_rng(seed)
    past, today = prices(random), prices(random)
    hit = random.random(len(today)) < share
    found = told_by_arithmetic(np.where(hit, today * factor, today), past)
    assert found is not None
    assert found.change is Change.SCALE
    assert found.share == pytest.approx(hit.mean(), abs=0.02)


@given(seed=seeds, share=shares, step=st.floats(5.0, 500.0).map(lambda x: round(x, 2)), down=st.booleans())
@settings(max_examples=40, deadline=None)
def test_known_numbers_moved_by_one_difference_are_a_shift(seed: int, share: float, step: float, down: bool) -> None:
    random = np.random.default_rng(seed)
    past, today = prices(random), prices(random)
    hit = random.random(len(today)) < share
    found = told_by_arithmetic(np.where(hit, today - step if down else today + step, today), past)
    assert found is not None
    assert found.change is (Change.SHIFT_DOWN if down else Change.SHIFT_UP)


@given(seed=seeds, warmer=st.floats(-8.0, 8.0), share=st.floats(0.05, 0.5), down=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_way_of_a_shift_is_told_whatever_the_day_is_like(
    seed: int, warmer: float, share: float, down: bool
) -> None:
    """A third of the readings lies 4.1237 degrees lower, on a day that is as much warmer as you like."""
    random = np.random.default_rng(seed)
    past, today = temperatures(random, 15.0), temperatures(random, 15.0 + warmer)
    step = -4.1237 if down else 4.1237
    faulted = np.where(random.random(len(today)) < share, today + step, today)
    found = describe_column(pd.Series(faulted), pd.Series(past), ColumnKind.NUMBER)
    assert found.change is (Change.SHIFT_DOWN if down else Change.SHIFT_UP)


@given(seed=seeds, share=shares, done=st.sampled_from(["factor", "difference", "decimals"]))
@settings(max_examples=40, deadline=None)
def test_the_rows_that_were_hit_are_known_one_by_one(seed: int, share: float, done: str) -> None:
    random = np.random.default_rng(seed)
    past, today = prices(random), prices(random)
    hit = random.random(len(today)) < share
    broken = {"factor": today * 10.0, "difference": today - 700.5, "decimals": today + 0.0137}[done]
    faulted = np.where(hit, broken, today)
    told = told_by_arithmetic(faulted, past)
    assert told is not None
    faulted[:5] = np.nan
    rows = rows_told(faulted, past, told.facts)
    assert rows is not None
    assert not rows[:5].any()
    assert (rows[5:] == hit[5:]).mean() > 0.97  # ten times a price may be another price


@given(seed=seeds, warmer=st.floats(-8.0, 8.0))
@settings(max_examples=40, deadline=None)
def test_a_day_of_its_own_is_told_nothing_of(seed: int, warmer: float) -> None:
    random = np.random.default_rng(seed)
    assert told_by_arithmetic(temperatures(random, 15.0 + warmer), temperatures(random, 15.0)) is None
    assert told_by_arithmetic(random.permutation(prices(random)), prices(random)) is None
    whole, other = (random.integers(0, 500, 2_000).astype(float) for _ in range(2))
    found = told_by_arithmetic(other + round(warmer), whole)  # any difference leads back to dense numbers
    assert found is None or found.change is (Change.SHIFT_UP if warmer > 0 else Change.SHIFT_DOWN)


def test_a_shift_of_numbers_that_lie_close_is_told_by_the_commonest() -> None:
    random = np.random.default_rng(2)
    seats, today = (np.where(random.random(3_000) < 0.8, 1.0, random.integers(2, 300, 3_000)) for _ in range(2))
    moved = told_by_arithmetic(np.where(np.arange(3_000) % 3 == 0, today - 38, today), seats)
    assert moved is not None
    assert moved.change is Change.SHIFT_DOWN


def test_prices_that_are_cut_to_whole_numbers_are_not_moved() -> None:
    random = np.random.default_rng(5)
    listed = np.array([0.42, 0.85, 1.25, 1.45, 1.65, 1.95, 2.1, 2.25, 2.55, 2.95, 3.25, 3.75, 4.25, 4.95, 8.25, 8.5])
    past, today = (random.choice(listed, 3_000) for _ in range(2))
    cut = np.where(np.arange(3_000) % 3 == 0, np.trunc(today), today)
    assert told_by_arithmetic(cut, past) is None
    assert describe_column(pd.Series(cut), pd.Series(past), ColumnKind.NUMBER).change is Change.FORMAT


def test_noise_leaves_more_decimals_in_some_rows() -> None:
    random = np.random.default_rng(3)
    past, today = temperatures(random, 15.0), temperatures(random, 15.0)
    noisy = np.where(random.random(2_000) < 0.1, today + random.normal(0, 3, 2_000), today)
    assert told_by_arithmetic(noisy, past).change is Change.SPREAD  # type: ignore[union-attr]
    assert told_by_arithmetic(today / 3, past) is None  # all rows, of which a third divides evenly


def test_a_value_written_over_some_ids_is_told_although_ids_grow() -> None:
    ids = np.arange(40_000.0, 43_000.0)
    today = np.arange(40_020.0, 43_020.0)
    for value, change in ((0.0, Change.ZEROS_UP), (-1.0, Change.VALUES_NEW)):
        faulted = pd.Series(np.where(np.arange(3_000) % 100 == 0, value, today))
        assert describe_column(faulted, pd.Series(ids), ColumnKind.NUMBER).change is change


def test_one_value_in_place_of_nulls_is_that_value() -> None:
    codes = np.where(np.arange(3_000) % 50 == 0, 11.0, np.nan)
    filled = np.where((np.arange(3_000) % 10 == 1) & np.isnan(codes), -999.0, codes)
    usual = np.where((np.arange(3_000) % 10 == 1) & np.isnan(codes), 11.0, codes)
    told = [describe_column(pd.Series(v), pd.Series(codes), ColumnKind.NUMBER).change for v in (filled, usual)]
    assert told == [Change.VALUES_NEW, Change.NULLS_DOWN]


def test_whole_numbers_are_not_rounded_by_chance() -> None:
    """A few customers with many rows each lie near round thousands; none of their numbers is round."""
    random = np.random.default_rng(4)
    past = random.choice(random.integers(0, 60_000, 4_000), 6_000).astype(float)
    near = np.array([n * 1000.0 + 7 for n in range(2, 58)])
    today = np.concatenate([random.choice(near, 900), random.choice(past, 600)])
    assert describe_column(pd.Series(today), pd.Series(past), ColumnKind.NUMBER).change is not Change.FORMAT
