"""Equations are found in what every engine returns, and their SQL lists the broken rows there."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.drift.unequal import look_for_unequal
from monitor.types import ColumnKind, Measure

ROWS, BROKEN = 600, 24
Load = Callable[..., Any]


def bookings(day: int, broken: int = 0) -> dict[str, list[Any]]:
    """Sums of decimals, and products of them with whole numbers and percentages."""
    random = np.random.default_rng(day)
    price = [decimal.Decimal(int(cents)) / 100 for cents in random.integers(100, 50_000, ROWS)]
    nights, percent = random.integers(1, 9, ROWS).tolist(), random.choice([0, 10, 25], ROWS).tolist()
    cent = decimal.Decimal("0.01")
    net = [
        (p * n * (100 - off) / 100).quantize(cent, decimal.ROUND_HALF_EVEN)
        for p, n, off in zip(price, nights, percent, strict=True)
    ]
    fee = [decimal.Decimal(int(cents)) / 100 for cents in random.integers(200, 9_000, ROWS)]
    paid = [(n + f) * (10 if row < broken else 1) for row, (n, f) in enumerate(zip(net, fee, strict=True))]
    dates = [dt.date(2024, 3, 1) + dt.timedelta(days=day)] * ROWS
    return {"day": dates, "price": price, "nights": nights, "percent": percent, "net": net, "fee": fee, "paid": paid}


def loaded(days: list[dict[str, list[Any]]]) -> pa.Table:
    money = pa.decimal128(12, 2)
    types = {"day": pa.date32(), "nights": pa.int32(), "percent": pa.int32()}
    return pa.table({n: pa.array([v for day in days for v in day[n]], types.get(n, money)) for n in days[0]})


@pytest.mark.parametrize("wrong", ["paid", "nights"])
def test_equations_of_decimals_and_whole_numbers(load: Load, table_of: Load, wrong: str) -> None:
    today = bookings(4, BROKEN if wrong == "paid" else 0)
    if wrong == "nights":
        today["nights"] = [n * 10 if row < BROKEN else n for row, n in enumerate(today["nights"])]
    warehouse = load({"bookings": loaded([*(bookings(day) for day in range(4)), today])})
    table = table_of(warehouse, "bookings", "day")
    days = [warehouse.partition(table, f"2024-03-0{day}") for day in range(1, 6)]
    *past, now = (warehouse.sample(table, day, 10 * ROWS, seed=1) for day in days)
    names = [c.name for c in table.columns if c.kind is ColumnKind.NUMBER]
    found = look_for_unequal(now, past, names)
    assert {str(one.equation) for one in found.values()} == {
        "paid = net + fee",
        "net = price * nights * (1 - percent / 100)",
    }
    (broken,) = [one for one in found.values() if one.share]
    assert (broken.culprit, int(broken.rows.sum())) == (wrong, BROKEN)
    measure = Measure("count_where", argument=broken.equation.condition(warehouse.identifier))
    assert warehouse.aggregates(table, days[-1], [measure])[measure] == BROKEN
    assert warehouse.aggregates(table, days[0], [measure])[measure] == 0
