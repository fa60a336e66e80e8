"""Numbers, shares and days as people read them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.types import Observation, Partition
from monitor.words import day, expectation, names, number, quantity, sentence, share


@given(st.floats(-1e14, 1e14))
def test_numbers_keep_three_digits_and_no_exponent(value: float) -> None:
    text = number(value)
    assert re.fullmatch(r"-?[\d,]+(\.\d+)?", text)
    read = float(text.replace(",", ""))
    assert read == pytest.approx(value, rel=0.006, abs=1e-11)


@given(st.floats(0, 1))
def test_shares_are_never_rounded_to_none_or_all(value: float) -> None:
    text = share(value)
    assert (text == "0%") == (value == 0)
    assert (text == "100%") == (value == 1)
    if not text.startswith("under"):
        assert float(text.rstrip("%")) == pytest.approx(100 * value, abs=0.06)


def test_what_is_not_there_is_nothing() -> None:
    assert (number(None), number(float("nan")), share(None)) == ("nothing", "nothing", "nothing")
    assert number(float("inf")) == "inf"
    assert quantity(0.5, "share") == "50.0%"
    assert quantity(0.5, "rows") == "0.5"


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Observation("rows", 5.0), ""),
        (Observation("rows", 5.0, 10.0), "expected 10"),
        (Observation("rows", 5.0, 10.0, 8.0, 12.0), "expected 10 (8 to 12)"),
        (Observation("missing", 0.5, 0.1, 0.1, 0.1, "share"), "expected 10.0%"),
    ],
)
def test_an_expectation_names_its_band_where_there_is_one(seen: Observation, told: str) -> None:
    assert expectation(seen) == told


def test_long_lists_are_cut() -> None:
    assert names([]) == ""
    assert names(list("abcdefgh"), 2) == "a, b and 6 more"


@pytest.mark.parametrize(
    ("hours", "told"), [(24, "Fri 8 Feb 2013"), (1, "Fri 8 Feb 2013, 00:00"), (168, "week of Fri 8 Feb 2013")]
)
def test_a_partition_is_said_by_its_length(hours: int, told: str) -> None:
    start = dt.datetime(2013, 2, 8, tzinfo=dt.UTC)
    assert day(Partition("o", "2013-02-08", start, start + dt.timedelta(hours=hours))) == told
    assert day(Partition("o", "17", value=17)) == "17"


def test_sentences_end() -> None:
    assert sentence("It is late") == "It is late."
    assert sentence("Is it late?") == "Is it late?"
