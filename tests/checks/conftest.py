"""Tables, days and pasts that the tests of the checks are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitor.types import (
    ROWS,
    Aggregate,
    Column,
    ColumnKind,
    Input,
    Measure,
    Partition,
    Point,
    Series,
    Table,
    TimeColumn,
    TimeForm,
)

START = dt.datetime(2023, 1, 2, tzinfo=dt.UTC)  # a Monday


def day(number: int) -> Partition:
    start = START + dt.timedelta(days=number)
    return Partition(start.isoformat(), start.date().isoformat(), start, start + dt.timedelta(days=1))


def table(
    columns: Mapping[str, ColumnKind], time: str | None = None, form: TimeForm | None = None, **settings: Any
) -> Table:
    types = {ColumnKind.NUMBER: "DOUBLE", ColumnKind.TEXT: "VARCHAR", ColumnKind.DATE: "DATE"}
    made = tuple(Column(name, kind, types.get(kind, kind.value.upper())) for name, kind in columns.items())
    clock = TimeColumn(time, form or TimeForm.TIMESTAMP) if time else None
    return Table("main.t", "main", ("t",), made, clock, **settings)


def series(values: Sequence[float | None], today: float | None, bad: Sequence[int] = ()) -> Series:
    return Series(today, tuple(Point(day(i), v, i not in bad) for i, v in enumerate(values)))


def aggregates(
    past: Mapping[Measure, Sequence[float | None]], today: Mapping[Measure, float | None]
) -> dict[Input, Any]:
    return {Aggregate(m): series(past[m], today[m]) for m in past}


def text(values: Sequence[Any]) -> pd.Categorical:
    made = pd.Series(list(values), dtype=object)
    return pd.Categorical(made, categories=pd.Index(sorted(set(made.dropna())), dtype="str"))


@dataclass(frozen=True)
class Builders:
    start: dt.datetime = START
    rows: Measure = ROWS
    day: Callable[..., Partition] = day
    table: Callable[..., Table] = table
    series: Callable[..., Series] = series
    aggregates: Callable[..., dict[Input, Any]] = aggregates
    text: Callable[..., pd.Categorical] = text


@pytest.fixture(scope="session")
def make() -> Builders:
    return Builders()


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20_240_229)
