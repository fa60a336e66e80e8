"""A fault is offered where it leaves a trace, and only there."""

from __future__ import annotations

import pandas as pd
import pytest

import chaos


@pytest.mark.parametrize("fault", chaos.FAULTS)
def test_what_is_suitable_leaves_a_trace(shop, fault):
    found = chaos.suitable(fault, shop.today, "at", yesterday=shop.yesterday)
    assert found
    for chosen in found[:5]:
        columns = (chosen,) if isinstance(chosen, str) else chosen
        done = chaos.inject(
            fault, shop.today, columns=columns, rows=0.5, yesterday=shop.yesterday, time_column="at", seed=1
        )
        assert done.rows_changed > 0


@pytest.mark.parametrize(
    ("fault", "column", "values"),
    [
        ("null_increase", "x", [None] * 50),
        ("scale_10", "x", [0.0] * 50),
        ("zeros_increase", "x", [0.0] * 50),
        ("offset_up", "x", [3.0] * 50),
        ("truncate_numbers", "x", [1.0, 2.0] * 25),
        ("lose_category", "x", ["only"] * 50),
        ("constant_column", "x", ["only"] * 50),
        ("mojibake", "x", ["plain", "ascii"] * 25),
        ("date_format", "x", ["1 May", "2 May"] * 25),
        ("json_key_lost", "x", ["none", ""] * 25),
        ("change_case", "x", ["12", "34"] * 25),
        ("null_fill", "x", [1.0] * 50),
        ("duplicate_keys", "x", [1.0, 1.0] * 25),
    ],
)
def test_what_leaves_no_trace_is_not_offered(fault, column, values):
    day = pd.DataFrame({column: values, "other": [float(i) for i in range(len(values))]})
    found = [chosen if isinstance(chosen, tuple) else (chosen,) for chosen in chaos.suitable(fault, day)]
    assert not any(column in chosen for chosen in found)


def test_shuffle_needs_a_related_column():
    day = pd.DataFrame({"a": [float(i) for i in range(400)], "b": [float(2 * i) for i in range(400)]})
    day["alone"] = [float(i * 7919 % 401) for i in range(400)]
    assert set(chaos.suitable("shuffle", day)) == {"a", "b"}


def test_faults_of_time_need_a_time_of_day(shop):
    dates = shop.today.assign(at=shop.today["at"].dt.normalize(), seen=shop.today["seen"].dt.normalize())
    assert chaos.suitable("last_hours_missing", shop.today, "at") == ["at", "seen"]
    assert chaos.suitable("last_hours_missing", dates, "at") == []


def test_the_time_column_itself_is_left_alone(shop):
    assert "at" not in chaos.suitable("null_increase", shop.today, "at")
    assert "at" in chaos.suitable("null_increase", shop.today)
