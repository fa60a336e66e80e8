"""What every injection into a frame keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chaos
from chaos.frame import differing
from monitor.types import Change

BY_CHANCE = sorted(name for name, fault in chaos.FAULTS.items() if fault.choice.name == "random")
NUMBERS = st.one_of(st.none(), st.integers(-1000, 1000), st.floats(-1e6, 1e6))
TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "Ä", "2024-01-31", '{"k": 1, "l": 2}', "b c"]))


@st.composite
def days(draw):
    rows = draw(st.integers(0, 25))
    lists = {"n": NUMBERS, "m": NUMBERS, "t": TEXTS, "c": TEXTS, "f": st.sampled_from([True, False, None])}
    data = {name: draw(st.lists(values, min_size=rows, max_size=rows)) for name, values in lists.items()}
    seconds = draw(st.lists(st.one_of(st.none(), st.integers(0, 86_399)), min_size=rows, max_size=rows))
    at = pd.Timestamp("2024-03-02") + pd.to_timedelta(pd.Series(seconds, dtype="float64"), unit="s")
    frame = pd.DataFrame(
        {
            "n": pd.Series(data["n"], dtype="float64"),
            "m": pd.Series(data["m"], dtype="float64"),
            "t": pd.Series(data["t"], dtype=object),
            "c": pd.Categorical(data["c"]),
            "f": pd.Series(data["f"], dtype=object),
            "at": at,
        }
    )
    frame.index = pd.Index([7] * rows)
    return frame


GIVEN = {
    "two_columns": ("amount", "tax"),
    "text_column": ("note",),
    "time_column": ("at",),
    "key": ("id",),
    "category_column": ("city",),
    "number_column": ("tax",),
    "column": ("tax",),
}
COLUMNS = [("n",), ("t",), ("c",), ("n", "m"), ("c", "t"), ("at",), ("n", "at"), ()]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    name=st.sampled_from(sorted(chaos.FAULTS)),
    day=days(),
    yesterday=days(),
    rows=st.floats(0, 1),
    where=st.sampled_from([None, "n > 0", "c = 'a' OR t IS NULL"]),
    seed=st.integers(-5, 2**40),
)
def test_any_day_can_be_damaged_and_stays_as_it_is(name, day, yesterday, rows, where, seed):
    before = day.copy(deep=True)
    given_rows = {"rows": rows, "where": where, "seed": seed}
    for columns in COLUMNS:
        try:
            done = chaos.inject(name, day, columns=columns, yesterday=yesterday, time_column="at", **given_rows)
        except chaos.ChaosError:
            continue
        assert 0 <= done.rows_changed <= max(len(day), len(done.frame), len(yesterday))
        if len(done.frame) == len(day) and chaos.FAULTS[name].count == "differing":
            assert done.rows_changed == differing(before, done.frame).sum()
    pd.testing.assert_frame_equal(day, before)


@pytest.mark.parametrize("fault", BY_CHANCE)
@pytest.mark.parametrize(("rows", "where", "expected"), [(0.05, None, 30), (0.5, "country = 'DE'", None)])
def test_exactly_the_share_asked_for_is_hit(shop, fault, rows, where, expected):
    needs = chaos.FAULTS[fault].needs
    given_columns = next((columns for need, columns in GIVEN.items() if need in needs), ())
    given_columns = ("tax", "amount") if needs == ("column", "column") else given_columns
    inside = shop.today["country"] == "DE"
    done = chaos.inject(
        fault, shop.today, columns=given_columns, rows=rows, where=where, yesterday=shop.yesterday, time_column="at"
    )
    hit = expected if expected is not None else round(rows * int(inside.sum()))
    if chaos.FAULTS[fault].count == "differing":
        changed = differing(shop.today, done.frame)
        assert done.rows_changed == changed.sum() <= hit
        if where is not None:
            assert not changed[~inside.to_numpy()].any()
    else:
        assert done.rows_changed == hit


def test_null_increase_hits_rows_not_null_before(shop):
    done = chaos.inject("null_increase", shop.today, columns=["tax"], rows=0.05, seed=3)
    assert done.rows_changed == 30
    assert done.frame["tax"].isna().sum() == 30
    assert done.columns == ("tax",)
    assert done.change is Change.NULLS_UP
    assert done.where is None


def test_seed_decides_the_rows(shop):
    one, same, other = (
        chaos.inject("null_increase", shop.today, columns=["tax"], seed=seed).frame["tax"].isna() for seed in (1, 1, 2)
    )
    assert one.equals(same)
    assert not one.equals(other)


def test_dtypes_stay(shop):
    for name, columns in {"empty_strings": ["city"], "scale_10": ["pieces"], "null_increase": ["paid"]}.items():
        done = chaos.inject(name, shop.today, columns=columns)
        kept, before = done.frame[columns[0]].dtype, shop.today[columns[0]].dtype
        assert type(kept) is type(before)


def test_whole_numbers_stay_whole(shop):
    done = chaos.inject("noise", shop.today, columns=["pieces"], rows=1.0)
    values = done.frame["pieces"].dropna()
    assert (values == np.floor(values)).all()
    assert done.rows_changed > 500


def test_sign_flip_tells_where_the_values_went(shop):
    down = chaos.inject("sign_flip", shop.today, columns=["tax"])
    up = chaos.inject("sign_flip", shop.today.assign(tax=-shop.today["tax"]), columns=["tax"])
    assert (down.change, up.change) == (Change.SHIFT_DOWN, Change.SHIFT_UP)


def test_segment_is_chosen_and_told(shop):
    done = chaos.inject("segment_drop", shop.today, seed=4)
    gone = chaos.where.rows_where(shop.today, done.where)
    assert done.rows_changed == gone.sum() > 0
    assert not chaos.where.rows_where(done.frame, done.where).any()


def test_intensity_makes_damage_larger(shop):
    mild, strong = (
        chaos.inject("offset_up", shop.today, columns=["tax"], rows=1.0, intensity=much).frame["tax"].mean()
        for much in (0.5, 2.0)
    )
    spread = shop.today["tax"].std()
    assert mild == pytest.approx(shop.today["tax"].mean() + 0.5 * spread)
    assert strong == pytest.approx(shop.today["tax"].mean() + 2 * spread)


def test_mojibake_damages_no_character_twice(shop):
    day = pd.DataFrame({"t": pd.Series(["café", "Ã", "Âé", "€ – ’", "plain"], dtype=object)})  # noqa: RUF001
    done = chaos.inject("mojibake", day, columns=["t"])
    assert list(done.frame["t"]) == [text.encode().decode("cp1252") for text in day["t"]]
    assert len(shop.today) == 600


@pytest.mark.parametrize(
    ("fault", "given", "said"),
    [
        ("nul_increase", {"columns": ["tax"]}, "did you mean null_increase"),
        ("null_increase", {"columns": ["taxx"]}, "no column 'taxx'"),
        ("null_increase", {}, "needs column"),
        ("swap_columns", {"columns": ["tax"]}, "needs two_columns"),
        ("null_increase", {"columns": ["tax"], "rows": 5}, "share from 0 to 1"),
        ("null_increase", {"columns": ["tax"], "intensity": 0}, "intensity is 0"),
        ("null_increase", {"columns": ["tax"], "where": "taxx > 1"}, "cannot be applied"),
        ("replay_yesterday", {}, "rows of the day before"),
        ("late_rows", {}, "needs a time column"),
    ],
)
def test_errors_say_what_and_how_to_mend(shop, fault, given, said):
    with pytest.raises(chaos.ChaosError, match=said) as raised:
        chaos.inject(fault, shop.today, **given)
    assert raised.value.mend
