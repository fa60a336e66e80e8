"""What is looked at in single columns and whole rows beside the model: forms, crowds, tales, rows that come again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.drift.forms import form_codes, form_of_text
from checks.drift.marginal import code_column, crowd, divergence
from checks.drift.repeats import column_hashes, nearly_twice, share_repeated
from checks.drift.tales import tale_gain
from checks.drift.timelike import is_timelike
from monitor.types import Column, ColumnKind

Make = Any


def form_gap(today: Any, past: Any, kind: ColumnKind) -> float:
    """Nats between how two sets of values are written."""
    both = pd.concat([pd.Series(today), pd.Series(past)], ignore_index=True)
    if kind is ColumnKind.TEXT:
        both = both.astype("category")
    coded = form_codes(both, kind)
    assert coded is not None
    codes, size = coded
    return divergence(codes[: len(today)], codes[len(today) :], size)


@pytest.fixture
def prices() -> np.ndarray:
    return np.round(np.random.default_rng(0).lognormal(2.0, 1.0, 2_000), 2)


def test_numbers_are_told_by_their_decimals(prices: np.ndarray) -> None:
    today, past = prices[:1_000], prices[1_000:]
    assert form_gap(today, past, ColumnKind.NUMBER) < 0.02
    assert form_gap(today * 1_000.0, past, ColumnKind.NUMBER) > 1.0
    some = np.where(np.arange(1_000) < 50, np.round(today), today)
    assert form_gap(some, past, ColumnKind.NUMBER) > 0.06


def test_the_grain_of_large_and_of_tiny_numbers_is_seen() -> None:
    forms = form_codes(pd.Series([0.0, 5.0, 20.0, 300.0, 0.1, 0.25, 1e-9, -5.0, np.nan, np.inf]), ColumnKind.NUMBER)
    assert forms is not None
    codes = forms[0]
    assert len(set(codes[:8])) == 8
    assert codes[8] == codes[9] == 0
    assert codes.max() < forms[1]


@pytest.mark.parametrize("damage", [str.lower, lambda t: f" {t}", lambda t: t.replace("A", "Ã¤"), lambda _: ""])
def test_texts_are_told_by_their_characters(damage: Any) -> None:
    texts = [f"LAMP {'ABCDEF'[i % 6]} ALPHA" for i in range(1_000)]
    today = [damage(t) if i < 30 else t for i, t in enumerate(texts)]
    assert form_gap(texts, texts, ColumnKind.TEXT) < 0.01
    assert form_gap(today, texts, ColumnKind.TEXT) > 0.05


def test_an_empty_text_has_a_form_of_its_own() -> None:
    assert len({form_of_text(t) for t in ("", " ", "a", "A", "1", "é", "a-b")}) == 7


def test_times_are_told_by_their_grain() -> None:
    exact = pd.Series(pd.date_range("2024-01-01 00:00:01", periods=500, freq="77s")).astype("datetime64[us]")
    assert form_gap(exact.dt.floor("h"), exact, ColumnKind.TIMESTAMP) > 1.0
    assert form_gap(exact, exact, ColumnKind.TIMESTAMP) < 0.01


def test_rows_of_yesterday_are_known_again_whatever_the_order_of_rows() -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"a": random.integers(0, 9, 300), "b": random.normal(size=300)})
    hashed = column_hashes(frame, ["a", "b"])
    assert share_repeated(column_hashes(frame.sample(frac=1, random_state=0), ["a", "b"]), hashed) == 1.0
    assert share_repeated(column_hashes(frame.assign(b=frame["b"] + 1), ["a", "b"]), hashed) == 0.0
    assert share_repeated(hashed[:0], hashed) == 0.0


def test_equal_values_of_two_columns_do_not_cancel() -> None:
    swapped = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert share_repeated(column_hashes(swapped[:1], ["a", "b"]), column_hashes(swapped[1:], ["a", "b"])) == 0.0


def test_rows_that_differ_in_one_column_alone_are_found_with_it() -> None:
    random = np.random.default_rng(2)
    frame = pd.DataFrame({name: random.normal(size=200) for name in "abc"})
    again = pd.concat([frame, frame[:20].assign(b=lambda f: f["b"] + 1)], ignore_index=True)
    assert nearly_twice(column_hashes(again, ["a", "b", "c"])) == (pytest.approx(20 / 220), 1)
    twice = pd.concat([frame, frame[:20]], ignore_index=True)
    assert nearly_twice(column_hashes(twice, ["a", "b", "c"]))[0] == 0.0
    assert nearly_twice(column_hashes(frame, ["a", "b"]))[0] == 0.0


def test_the_most_crowded_value_counts_wherever_it_lies() -> None:
    assert crowd(pd.Series([9.0] * 80 + list(range(20)), dtype=float)) == pytest.approx(0.81)
    assert crowd(pd.Series(["a", "b", None, None], dtype="category")) == 0.25
    assert crowd(pd.Series([np.nan] * 200)) == 0.0


def test_a_tale_sees_few_rows_of_another_scale_among_heavy_tails() -> None:
    random = np.random.default_rng(3)
    past, today = random.lognormal(3, 1.5, 2_000), random.lognormal(3, 1.5, 2_000)
    broken = np.where(np.arange(2_000) < 60, today * 1_000, today)
    assert tale_gain(today, past) < 0.008
    assert tale_gain(broken, past) > 0.03
    assert tale_gain(np.full(50, np.nan), past) == 0.0


def days_of(make: Make, values: Any, kind: ColumnKind) -> Any:
    frames = [(make.day(9 - i), pd.DataFrame({"c": values(9 - i)})) for i in range(6)]
    return Column("c", kind, ""), frames


def test_a_column_that_varies_wildly_is_not_taken_for_a_clock(make: Make) -> None:
    random = np.random.default_rng(5)

    def winds(_number: int) -> pd.Series:
        shares = random.dirichlet(np.full(6, 0.2))
        return make.text(random.choice(list("NESWXY"), 400, p=shares))

    def bursts(number: int) -> pd.Series:
        start = pd.Timestamp(make.day(number).start.replace(tzinfo=None))
        hours = random.choice(24, 2, replace=False)
        return pd.Series(start + pd.to_timedelta(random.choice(hours, 400), unit="h")).astype("datetime64[us]")

    def batches(number: int) -> pd.Series:
        return make.text([f"run-{number}-{i % 9}" for i in range(400)])

    assert not is_timelike(*days_of(make, winds, ColumnKind.TEXT))
    assert not is_timelike(*days_of(make, bursts, ColumnKind.TIMESTAMP))
    assert is_timelike(*days_of(make, batches, ColumnKind.TEXT))


def test_times_near_their_day_are_binned_by_the_hour() -> None:
    moments = pd.Series(pd.to_timedelta(np.repeat([9.2, 9.7, 14.5], 100), unit="h"))
    codes, _ = code_column(moments.astype("timedelta64[us]"), ColumnKind.TIMESTAMP, np.ones(300, dtype=bool))
    assert len(set(codes[:200])) == 1
    assert len(set(codes)) == 2
