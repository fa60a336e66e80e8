"""Segments: the planted one is found and said shortly, chance gives none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.rootcause import find_deficits, find_segments
from monitor.types import Column, ColumnKind

ROWS = 3_000
COLUMNS = (
    Column("origin", ColumnKind.TEXT, "VARCHAR"),
    Column("carrier", ColumnKind.TEXT, "VARCHAR"),
    Column("distance", ColumnKind.NUMBER, "DOUBLE"),
    Column("hour", ColumnKind.NUMBER, "DOUBLE"),
    Column("late", ColumnKind.BOOLEAN, "BOOLEAN"),
)


def flights(seed: int = 5, rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    hour = random.integers(5, 23, rows).astype(float)
    return pd.DataFrame(
        {
            "origin": pd.Series(random.choice(["EWR", "JFK", "LGA"], rows)).astype("category"),
            "carrier": pd.Series(random.choice(["AA", "B6", "DL", "UA", "WN"], rows)).astype("category"),
            "distance": random.gamma(3, 400, rows),
            "hour": np.where(random.random(rows) < 0.05, np.nan, hour),
            "late": pd.Series(random.random(rows) < 0.2, dtype=object),
        }
    )


def conditions(found: Any) -> set[tuple[str, str, Any]]:
    return {(c.column, c.operator, c.value) for c in found.conditions}


def bad_in(frame: pd.DataFrame, inside: Any, share: float = 0.9, outside: float = 0.01) -> np.ndarray:
    draw = np.random.default_rng(9).random(len(frame))
    return np.where(np.asarray(inside), draw < share, draw < outside)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (lambda f: f["origin"] == "LGA", {("origin", "=", "LGA")}),
        (lambda f: (f["origin"] == "LGA") & (f["carrier"] == "DL"), {("origin", "=", "LGA"), ("carrier", "=", "DL")}),
        (lambda f: f["hour"].isna(), {("hour", "is null", None)}),
        (lambda f: f["hour"] == 7.0, {("hour", "=", 7.0)}),
        (lambda f: f["late"].astype(bool), {("late", "=", True)}),
    ],
)
def test_the_planted_segment_leads(where: Any, expected: set[tuple[str, str, Any]]) -> None:
    frame = flights()
    bad = bad_in(frame, where(frame))
    found = find_segments(frame, COLUMNS, bad)
    assert conditions(found[0]) == expected
    assert found[0].precision > 0.7
    assert found[0].recall > 0.7
    assert found[0].f1 == pytest.approx(2 / (1 / found[0].precision + 1 / found[0].recall))


def test_a_range_is_found_near_its_edge() -> None:
    frame = flights()
    found = find_segments(frame, COLUMNS, bad_in(frame, frame["distance"] > frame["distance"].quantile(0.75)))
    (only,) = found[0].conditions
    assert (only.column, only.operator) == ("distance", ">")
    assert (frame["distance"] > only.value).mean() == pytest.approx(0.25, abs=0.12)


def test_the_numbers_of_a_segment_are_those_of_its_rows() -> None:
    frame = flights()
    bad = bad_in(frame, frame["origin"] == "JFK")
    inside = (frame["origin"] == "JFK").to_numpy()
    found = find_segments(frame, COLUMNS, bad)[0]
    assert found.rows == inside.sum()
    assert found.precision == pytest.approx((inside & bad).sum() / inside.sum())
    assert found.recall == pytest.approx((inside & bad).sum() / bad.sum())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 0.6))
def test_random_bad_rows_give_no_segment(seed: int, share: float) -> None:
    bad = np.random.default_rng(seed).random(ROWS) < share
    assert find_segments(flights(), COLUMNS, bad) == []


def test_all_rows_bad_and_none_bad_give_none() -> None:
    frame = flights()
    assert find_segments(frame, COLUMNS, np.ones(ROWS, bool)) == []
    assert find_segments(frame, COLUMNS, np.zeros(ROWS, bool)) == []
    assert find_segments(frame.iloc[:0], COLUMNS, np.zeros(0, bool)) == []


def test_an_excluded_column_says_nothing() -> None:
    frame = flights()
    bad = bad_in(frame, frame["origin"] == "LGA")
    for found in find_segments(frame, COLUMNS, bad, exclude=["origin"]):
        assert all(c.column != "origin" for c in found.conditions)


def test_the_segment_that_is_missing_holds_the_deficit() -> None:
    today = flights(6)
    kept = today[today["carrier"] != "UA"].reset_index(drop=True)
    found = find_deficits(kept, [flights(i) for i in range(7, 12)], COLUMNS, float(len(kept)), float(ROWS))
    assert conditions(found[0]) == {("carrier", "=", "UA")}
    assert found[0].precision > 0.95
    assert found[0].recall > 0.9
    assert found[0].rows == 0


def test_rows_missing_everywhere_have_no_segment() -> None:
    today = flights(6, ROWS // 2)
    past = [flights(i) for i in range(7, 12)]
    assert find_deficits(today, past, COLUMNS, ROWS / 2, float(ROWS)) == [] or all(
        s.recall < 0.8 for s in find_deficits(today, past, COLUMNS, ROWS / 2, float(ROWS))
    )
    assert find_deficits(today, past, COLUMNS, float(ROWS), float(ROWS)) == []
