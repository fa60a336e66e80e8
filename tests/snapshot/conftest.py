"""A table of customers, and samples of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitor.types import Column, ColumnKind, Table

KINDS = {
    "id": ColumnKind.NUMBER, "name": ColumnKind.TEXT, "plan": ColumnKind.TEXT, "salary": ColumnKind.NUMBER,
    "born": ColumnKind.DATE, "active": ColumnKind.BOOLEAN,
}  # fmt: skip
Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def customers() -> Table:
    columns = tuple(Column(name, kind, kind.value) for name, kind in KINDS.items())
    return Table("main.customers", "main", ("customers",), columns, None, key=("id",))


@pytest.fixture
def rows() -> Rows:
    """As a warehouse brings them: the first so many customers, the same each time."""

    def make(count: int = 1_000, **changed: Any) -> pd.DataFrame:
        random = np.random.default_rng(5)
        numbers = np.arange(count)
        plans = np.array(["free", "plus", "pro"], dtype=object)[numbers % 3]
        values = {
            "id": numbers.astype("float64"),
            "name": texts([f"Customer No {n * 7919 % 100_003}" for n in numbers]),
            "plan": texts(list(plans)),
            "salary": np.round(random.lognormal(10, 0.5, count), 2),
            "born": np.datetime64("1960-01-01", "us") + random.integers(0, 15_000, count).astype("timedelta64[D]"),
            "active": np.where(numbers % 5 == 0, None, numbers % 2 == 0),
        }
        return pd.DataFrame({**values, **changed})

    return make


def texts(values: list[str]) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.Index(sorted(set(values)), dtype="str"))
