"""What is kept of a sample tells what the table is like, and of nobody what they are."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.privacy.redact import Gate
from monitor.snapshot.hidden import _redraw, hide, reconcile
from monitor.types import Table
from tests.snapshot.conftest import Rows, texts


def test_what_few_rows_share_is_not_kept(customers: Table, rows: Rows) -> None:
    frame = rows()
    kept = hide(customers, frame)
    assert list(kept.columns) == ["name", "plan", "salary", "born", "active"]  # the key is told by hashes alone
    assert set(kept["name"].unique()) == {"⟨Aaaaa Aa 9999⟩"} or not set(kept["name"]) & set(frame["name"])
    assert set(kept["plan"].unique()) == {"free", "plus", "pro"}
    assert np.mean(np.isin(kept["salary"], frame["salary"])) < 0.01


def test_no_row_keeps_its_own_value_but_by_chance(customers: Table, rows: Rows) -> None:
    frame = rows()
    kept = hide(customers, frame)
    for name in ("salary", "born"):
        assert (kept[name] == frame[name]).mean() < 0.05  # one of about twenty gets its own back, drawn anew


def test_distributions_and_dependence_stay(customers: Table, rows: Rows) -> None:
    salary = np.random.default_rng(1).lognormal(10, 0.5, 5_000)
    frame = rows(5_000, salary=salary)
    frame = frame.assign(born=(salary * 1e9).astype("int64").astype("datetime64[us]"))
    kept = hide(customers, frame)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        assert kept["salary"].quantile(share) == pytest.approx(float(np.quantile(salary, share)), rel=0.02)
    assert np.corrcoef(kept["salary"].rank(), kept["born"].rank())[0, 1] > 0.999


def test_the_same_frame_is_hidden_the_same(customers: Table, rows: Rows) -> None:
    pd.testing.assert_frame_equal(hide(customers, rows()), hide(customers, rows()))


def test_ignored_columns_are_left_out_and_an_owner_may_show_all(customers: Table, rows: Rows) -> None:
    ignoring = dataclasses.replace(customers, ignore_columns=frozenset({"salary"}))
    assert "salary" not in hide(ignoring, rows()).columns
    showing = dataclasses.replace(customers, show_values=True)
    pd.testing.assert_frame_equal(hide(showing, rows()), rows())


def test_numbers_stay_as_fine_as_they_were(customers: Table, rows: Rows) -> None:
    kept = hide(customers, rows(salary=np.random.default_rng(2).integers(0, 10**6, 1_000) / 4.0))
    assert np.allclose(kept["salary"] * 100, (kept["salary"] * 100).round(), rtol=1e-12)
    assert kept["born"].dt.normalize().equals(kept["born"])


def test_what_is_missing_stays_missing(customers: Table, rows: Rows) -> None:
    frame = rows()
    frame.loc[::3, ["salary", "born"]] = None
    frame["name"] = frame["name"].astype(object).where(np.arange(1_000) % 4 > 0, None).astype("category")
    frame["name"] = pd.Categorical(frame["name"], categories=pd.Index(frame["name"].cat.categories, dtype="str"))
    kept = hide(customers, frame)
    for name in ("salary", "born", "name", "active"):
        assert kept[name].isna().equals(frame[name].isna())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.integers(-50, 50).map(float), st.floats(-1e300, 1e300)), max_size=200))
def test_values_are_drawn_within_their_bounds_and_shared_ones_stay(values: list[float]) -> None:
    numbers = np.array(values)
    drawn = _redraw(numbers, 20, np.random.default_rng(0), None)
    assert len(drawn) == len(numbers)
    assert np.isfinite(drawn).all()
    if len(numbers):
        slack = 1e-6 * np.abs(numbers).max() + 1e-30
        assert numbers.min() - slack <= drawn.min() <= drawn.max() <= numbers.max() + slack
    for value in set(values):
        if values.count(value) >= 20:
            assert (drawn[numbers == value] == value).all()


def test_infinities_stay_where_they_are(customers: Table, rows: Rows) -> None:
    salary = np.linspace(1.0, 2.0, 1_000)
    salary[:3] = [np.inf, -np.inf, np.nan]
    kept = hide(customers, rows(salary=salary))["salary"].to_numpy()
    assert kept[0] == np.inf
    assert kept[1] == -np.inf
    assert np.isnan(kept[2])
    assert np.isfinite(kept[3:]).all()


def plans(customers: Table, rows: Rows, rare: int) -> Any:
    """A sample in which so many of a thousand rows have the plan `old`."""
    return hide(customers, rows(plan=texts(["old"] * rare + ["free"] * (1_000 - rare))))


@pytest.mark.parametrize(("now", "then", "shown"), [(25, 15, False), (15, 25, False), (25, 25, True), (100, 0, True)])
def test_a_text_that_is_shown_by_chance_is_hidden_on_both_sides(
    customers: Table, rows: Rows, now: int, then: int, shown: bool
) -> None:
    today, past = reconcile([plans(customers, rows, now), plans(customers, rows, then)])
    assert ("old" in set(today["plan"])) is shown
    assert int((today["plan"] == ("old" if shown else "⟨aaa⟩")).sum()) == now
    assert int((past["plan"] == ("old" if shown and then else "⟨aaa⟩")).sum()) == then


def test_the_gate_decides_how_many_rows_must_share(customers: Table, rows: Rows) -> None:
    for count, known in ((19, False), (20, True)):
        assert Gate(customers).passes(count) is known
        assert ("old" in set(plans(customers, rows, count)["plan"])) is known
