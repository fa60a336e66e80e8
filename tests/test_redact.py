from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.privacy.conditions import WITHHELD
from monitor.privacy.numbers import format_number, format_range
from monitor.privacy.redact import ROWS_MIN, VALUE_MAX, Gate, redact_detail
from monitor.privacy.shapes import SHAPE_MAX, clean_text, shape_of
from monitor.types import Change, Column, ColumnKind, Table

TABLE = Table(
    "main.flights",
    "main",
    ("flights",),
    (
        Column("origin", ColumnKind.TEXT, "VARCHAR"),
        Column("dep_time", ColumnKind.NUMBER, "BIGINT"),
        Column("born", ColumnKind.DATE, "DATE"),
        Column("a b", ColumnKind.TEXT, "VARCHAR"),
    ),
    None,
)
GATE = Gate(TABLE)
OPEN = Gate(replace(TABLE, show_values=True))

# Letters and digits that a shape never contains, so that finding them in an output means that a value came out.
secrets = st.text(st.sampled_from("bcdefghBCDEFGH12345678éßжд京"), min_size=1, max_size=30).filter(
    lambda text: text.isascii() is False or len(text) > 1
)
rare = st.integers(0, ROWS_MIN - 1)


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from texts_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from texts_in(part)
    else:
        yield str(value)


@given(secrets, rare)
def test_a_rare_value_leaves_as_its_shape(secret: str, rows: int) -> None:
    shown = GATE.value("origin", secret, rows)
    assert secret not in shown
    assert shown == shape_of(secret)


@given(secrets, st.integers(ROWS_MIN, 10**9))
def test_a_shared_value_passes(secret: str, rows: int) -> None:
    assert GATE.value("origin", secret, rows) == secret


@pytest.mark.parametrize("rows", [None, math.nan, math.inf, -5, 0, 19, 19.99])
def test_an_unknown_or_small_count_does_not_pass(rows: float | None) -> None:
    assert GATE.value("origin", "Smith", rows) == "Aaaaa"[:5]


def test_twenty_rows_pass_and_show_values_opens_the_gate() -> None:
    assert GATE.value("origin", "Smith", 20) == "Smith"
    assert OPEN.value("origin", "Smith", 1) == "Smith"


def test_an_ignored_column_is_never_shown() -> None:
    gate = Gate(replace(TABLE, show_values=True, ignore_columns=frozenset({"origin"})))
    assert gate.value("origin", "Smith", 1000) == "Aaaaa"


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none(), st.datetimes(), st.decimals()), rare)
def test_any_value_gives_a_short_printable_line(value: object, rows: int) -> None:
    for gate in (GATE, OPEN):
        shown = gate.value("origin", value, rows)
        assert 0 < len(shown) <= VALUE_MAX
        assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in shown)


@pytest.mark.parametrize("value", [None, math.nan, decimal.Decimal("sNaN"), pd.NA, pd.NaT])
def test_missing_values_are_told_as_null(value: object) -> None:
    assert GATE.value("origin", value, 1) == "NULL"


def test_huge_values_cost_and_show_little() -> None:
    huge = "x" * 1_000_000
    assert len(OPEN.value("origin", huge, 1)) == VALUE_MAX
    assert len(GATE.value("origin", huge, 1)) <= SHAPE_MAX


@given(st.text())
def test_a_shape_has_a_small_alphabet_and_length(text: str) -> None:
    shape = shape_of(text)
    assert 0 < len(shape) <= SHAPE_MAX
    assert set(shape) <= set("Aa9? .,:;-_/@+#()…") or shape in {"(empty)", "(blank)"}


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("Anna 42", "Aaaa 99"),
        ("N14228", "A9999"),
        ("+1 (212) 555-0199", "+9 (999) 999-9999"),
        ("", "(empty)"),
        ("  ", "(blank)"),
        ("\x00\x07", "(blank)"),
        (b"\x00secret", "(binary)"),
        (12.75, "99.99"),
        (True, "Aaaa"),
        (dt.date(1987, 3, 1), "9999-99-99"),
    ],
)
def test_shapes(value: object, shape: str) -> None:
    assert shape_of(value) == shape


@given(st.text(), st.integers(0, 50))
def test_cleaned_text_is_one_bounded_line(text: str, length: int) -> None:
    line = clean_text(text, length)
    assert len(line) <= length
    assert not any(unicodedata.category(sign) in {"Cc", "Cs"} or sign in "\u202e\u2066\u2028" for sign in line)


@pytest.mark.parametrize(
    ("where", "rows", "shown"),
    [
        ("origin = 'LGA'", 402, "origin = 'LGA'"),
        ("origin = 'LGA'", 19, "origin = 'AAA'"),
        ("origin = 'LGA'", None, "origin = 'AAA'"),
        ("(origin = 'LGA') AND dep_time = 5", 20, "(origin = 'LGA') AND dep_time = 5"),
        ("origin IN ('LGA')", 20, "origin IN ('LGA')"),
        ("origin IN ('LGA', 'Smith')", 402, "origin IN ('AAA', 'Aaaaa')"),
        ("origin = 'LGA' OR origin = 'Smith'", 402, "origin = 'AAA' OR origin = 'Aaaaa'"),
        ("NOT origin = 'Smith'", 402, "NOT origin = 'Aaaaa'"),
        ("origin <> 'Smith'", 402, "origin <> 'Aaaaa'"),
        ("origin LIKE 'Smith%'", 402, "origin LIKE 'Aaaaa?'"),
        ("lower(origin) = 'smith'", 3, "LOWER(origin) = 'aaaa'"),
        ("dep_time > 512.5 AND origin IS NULL", 1, "dep_time > 512.5 AND origin IS NULL"),
        ("dep_time BETWEEN 5 AND 9", 1, "dep_time BETWEEN 5 AND 9"),
        ("dep_time BETWEEN 57 AND 57", 1, "dep_time BETWEEN '99' AND '99'"),
        ("dep_time >= 57 AND dep_time <= 57", 1, "dep_time >= '99' AND dep_time <= '99'"),
        ("origin > 'Smith'", 1, "origin > 'Aaaaa'"),
        ("born >= DATE '1987-03-01'", 1, "born >= DATE '1987-03-01'"),
        ("born = DATE '1987-03-01'", 1, "born = CAST('9999-99-99' AS DATE)"),
        ("\"a b\" = 'Z1'", 30, "\"a b\" = 'Z1'"),
        ('origin = "Smith"', 30, WITHHELD),
        ("origin = 'x' OR", 500, WITHHELD),
        ("origin IS NULL /* Smith */", 500, "origin IS NULL"),
        ("`origin` = 'LGA'", 500, "`origin` = 'LGA'"),
        ("origin = (SELECT 'Smith')", 500, "origin = (SELECT 'Aaaaa')"),
    ],
)
def test_conditions(where: str, rows: int | None, shown: str) -> None:
    # Shapes cut a run at four signs; a five-letter small word therefore ends in four small letters.
    assert GATE.condition(where, rows) == shown
    assert GATE.condition_passes(where, rows) == (shown == where)


def test_counts_by_value_decide_for_lists() -> None:
    counts = {"LGA": 300.0, "Smith": 2.0}
    assert GATE.condition("origin IN ('LGA', 'Smith')", 302, counts) == "origin IN ('LGA', 'Aaaaa')"
    assert GATE.condition_passes("origin IN ('LGA', 'JFK')", 9, {"LGA": 20, "JFK": 20})


@given(
    secrets, rare, st.sampled_from(["= {}", "<> {}", "IN ({}, 'QQ')", "LIKE {}", "> {}", "= lower({})", "= {}||'x'"])
)
def test_no_rare_text_comes_out_of_a_condition(secret: str, rows: int, form: str) -> None:
    where = "origin " + form.format("'" + secret + "'")
    assert secret not in GATE.condition(where, rows).removeprefix("origin")


@given(st.text(max_size=80), rare)
@example("origin = $$Smith$$", 1)
@example("origin = E'Smith'", 1)
@example("origin = N'Smith'", 1)
@example("origin = :Smith", 1)
@example("origin = x'536d'", 1)
def test_any_text_for_a_condition_is_survived(where: str, rows: int) -> None:
    assert "Smith" not in GATE.condition(where, rows)


details = st.recursive(
    st.one_of(secrets, st.floats(), st.integers(), st.none(), st.booleans()),
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.dictionaries(
            st.sampled_from(["values", "value", "sample", "x", "where", "low", "origin"]), parts, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["values", "value", "note", "rows_past", "sample"]), details, max_size=5))
def test_no_text_of_unknown_standing_comes_out_of_a_detail(detail: dict[str, Any]) -> None:
    secret = {text for text in texts_in(detail) if any(sign in "bcdefghBCDEFGHéßжд京" for sign in text)}
    secret -= {"values", "value", "note", "sample", "where", "rows_past", "low", "origin", "False", "None", "True"}
    secret = {text for text in secret if not _is_number(text)}
    told = set(texts_in(redact_detail(detail, TABLE)))
    assert not told & secret


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(secrets, st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_a_value_in_a_list_passes_exactly_if_enough_sampled_rows_share_it(
    secret: str, today: int, past: int, after: int, before: int
) -> None:
    assume(after <= today and before <= past)
    value = {"value": secret, "before": before / past, "after": after / today}
    detail = {"columns": {"origin": {"values": [value]}}, "rows_today": today, "rows_past": past}
    shown = redact_detail(detail, TABLE)["columns"]["origin"]["values"][0]["value"]
    assert shown == (secret if max(after, before) >= ROWS_MIN else shape_of(secret))


def test_a_value_without_known_sample_sizes_is_rare() -> None:
    detail = {"values": [{"value": "Smith", "before": 0.5, "after": 0.5}, "Jones"]}
    assert redact_detail(detail, TABLE)["values"] == [{"value": "Aaaaa", "before": 0.5, "after": 0.5}, "Aaaaa"]


def test_a_drift_detail_keeps_its_names_and_numbers() -> None:
    detail = {
        "rows_today": 920,
        "rows_past": 2760,
        "left_out": ["month"],
        "nats": {"origin": 0.41},
        "columns": {"dep_time": {"change": "values_new", "effect": 0.1, "value": 517.0, "median_after": 12.5}},
    }
    assert redact_detail(detail, TABLE) == detail


def test_a_number_that_few_rows_share_is_a_value_too() -> None:
    detail = {"columns": {"dep_time": {"effect": 0.01, "value": 517.0}}, "rows_today": 920}
    assert redact_detail(detail, TABLE)["columns"]["dep_time"]["value"] == "999.9"


def test_rows_in_a_detail_are_values_whatever_their_type() -> None:
    detail = {"sample": [{"origin": "Smith", "dep_time": 517}]}
    assert redact_detail(detail, TABLE) == {"sample": [{"origin": "Aaaaa", "dep_time": "999"}]}
    opened = redact_detail(detail, replace(TABLE, show_values=True))
    assert opened == {"sample": [{"origin": "Smith", "dep_time": "517"}]}


def test_bounds_and_words_pass() -> None:
    detail = {
        "due": "2013-02-09T06:00:00+00:00",
        "latest": dt.datetime(2013, 2, 8, tzinfo=dt.UTC),
        "low": 3.5,
        "max": "1234",
        "change": Change.NULLS_UP.value,
        "added": ["note"],
    }
    told = redact_detail(detail, TABLE)
    assert told["due"] == detail["due"]
    assert told["latest"] == "2013-02-08T00:00:00+00:00"
    assert (told["low"], told["change"], told["added"]) == (3.5, "nulls_up", ["note"])
    assert told["max"] == "9999"


def test_a_detail_is_bounded() -> None:
    deep: dict[str, Any] = {}
    part = deep
    for _ in range(50):
        part["x"] = {}
        part = part["x"]
    wide = {"a": ["y"] * 100_000, "deep": deep}
    assert len(json.dumps(redact_detail(wide, TABLE))) < 5000


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "", "0"),
        (1234, "rows", "1,234 rows"),
        (-1234567, "", "-1,234,567"),
        (0.375, "", "0.375"),
        (0.1 + 0.2, "", "0.3"),
        (99.96, "", "100"),
        (1234.5678, "", "1,235"),
        (5e15, "", "5.00e+15"),
        (0.5421, "share", "54.2%"),
        (1.0, "share", "100%"),
        (-0.021, "share", "-2.1%"),
        (2.5, "share", "250%"),
        (math.inf, "", "infinite"),
        (math.nan, "share", "unknown"),
    ],
)
def test_numbers(value: float, unit: str, text: str) -> None:
    assert format_number(value, unit) == text


@given(st.floats(), st.sampled_from(["", "share", "rows", "nats"]))
def test_any_number_is_short(value: float, unit: str) -> None:
    assert 0 < len(format_number(value, unit)) < 30


@given(st.floats(1e-4, 1e11))
def test_a_formatted_number_is_near_the_number(value: float) -> None:
    assert float(format_number(value).replace(",", "")) == pytest.approx(value, rel=0.006)


def test_ranges() -> None:
    assert format_range(None, None, "rows") == ""
    assert format_range(-math.inf, 5) == "at most 5"
    assert format_range(1, math.inf, "rows") == "at least 1 rows"
