"""How cautious a table is asked to be: by what its own days showed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.caution import caution

NEEDED, MONTH = 2.1, 30.44
SURPRISES = st.lists(st.floats(0.0, 300.0), max_size=80)


@given(SURPRISES)
def test_a_calm_day_never_adds_caution_and_a_near_one_never_takes_any(days: list[float]) -> None:
    before = caution(days, NEEDED, 10_000.0)
    assert caution([*days, 0.1], NEEDED, 10_000.0) <= before + 1e-9
    assert caution([*days, NEEDED], NEEDED, 10_000.0) >= before - 1e-9
    assert before >= 0.0


@given(SURPRISES, st.floats(50.0, 300.0))
def test_days_beyond_doubt_say_nothing(days: list[float], sure: float) -> None:
    assert caution([*days, sure], NEEDED, 10_000.0) == caution(days, NEEDED, 10_000.0)


def test_caution_decays_with_calm_days_and_is_forgotten_after_two_months() -> None:
    wild = [2.5, 0.2] * 15
    decay = [caution([*wild, *[0.2] * n], NEEDED, MONTH) for n in (0, 10, 20, 30, 50)]
    assert caution([], NEEDED, MONTH) == 0.0
    assert decay == sorted(decay, reverse=True)
    assert decay[0] > 1.0
    assert caution([*wild, *[0.2] * 61], NEEDED, MONTH) == 0.0


def test_alerts_of_a_table_wilder_than_its_probabilities_fall_into_the_budget() -> None:
    random = np.random.default_rng(5)
    days = random.exponential(1.0, 3_000) / np.log(10) * 2.0  # its surprises are twice what they should be
    alerts = [s >= NEEDED + caution(days[:i].tolist(), NEEDED, MONTH) for i, s in enumerate(days)]
    assert np.mean(days >= NEEDED) * MONTH > 2.0
    assert np.mean(alerts) * MONTH < 1.0
