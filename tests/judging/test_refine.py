"""The second look at findings: what rows say of a value that no longer comes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.companions import rows_are_gone
from monitor.partitions import partition_at
from monitor.refine import refine
from monitor.types import Cadence, Change, Column, ColumnKind, Observation, SampleSet, Table

COLUMNS = (
    Column("reason", ColumnKind.TEXT, ""),
    Column("state", ColumnKind.TEXT, ""),
    Column("n", ColumnKind.NUMBER, ""),
)
PAYMENTS = Table("main.payments", "main", ("payments",), COLUMNS, None)


def payments(seed: int, rows: int = 800) -> pd.DataFrame:
    """Payments of which a tenth is refused; those have states of their own."""
    random = np.random.default_rng(seed)
    refused = random.random(rows) < 0.1
    state = np.where(refused, random.choice(["failed", "returned"], rows), random.choice(["sent", "done"], rows))
    frame = pd.DataFrame(
        {"reason": np.where(refused, "refused", "none"), "state": state, "n": random.integers(0, 5, rows)}
    )
    return frame.astype({"reason": "category", "state": "category"})


PAST = tuple((partition_at(Cadence.DAY, "UTC", dt.date(2024, 5, 10 - n)), payments(n)) for n in range(1, 6))
TODAY = payments(0)
GONE = TODAY[TODAY["reason"] != "refused"].reset_index(drop=True)
RENAMED = TODAY.assign(reason="none").astype({"reason": "category"})


@pytest.mark.parametrize(
    ("today", "rows", "change"),
    [
        (RENAMED, 730, Change.VALUES_GONE),  # a day that is short, by chance
        (RENAMED, 800, Change.VALUES_GONE),
        (GONE, 800, Change.ROWS_MISSING),  # a day that would have been longer
        (GONE, 720, Change.ROWS_MISSING),
    ],
)
def test_what_else_rows_have_tells_whether_they_are_missing(
    make: Any, today: pd.DataFrame, rows: float, change: Change
) -> None:
    missing = make.verdict("missing", ["reason"], change=Change.ROWS_MISSING, effect=0.1)
    segments = [{"columns": ["reason"], "key": ["refused"], "quarters": None}]
    missing = replace(missing, evidence=replace(missing.evidence, detail={"segments": segments}))
    volume = make.verdict("volume")
    volume = replace(volume, evidence=replace(volume.evidence, observation=Observation("rows", rows, 800.0)))
    told = refine(PAYMENTS, [missing, volume], SampleSet(today, PAST))
    assert told[0].evidence.change is change


def test_where_nothing_stands_beside_a_value_nothing_is_told() -> None:
    alone = [frame[["reason", "n"]] for _, frame in PAST]
    assert rows_are_gone(RENAMED[["reason", "n"]], alone, "reason", "refused") is None
    assert rows_are_gone(RENAMED, [frame for _, frame in PAST], "reason", "never seen") is None


def test_numbers_are_values_whatever_type_they_were_read_as() -> None:
    codes = [frame.assign(reason=(frame["reason"] == "refused").astype(int)) for _, frame in PAST]
    today = TODAY.assign(reason=0.0)
    assert rows_are_gone(today, codes, "reason", 1.0) is False


@pytest.mark.parametrize(
    ("said", "facts", "change"),
    [
        (Change.RELATION, {"swapped_with": "state"}, Change.RELATION),  # its NULLs are the other column's
        (Change.RELATION, {}, Change.NULLS_UP),
        (Change.VALUES_NEW, {}, Change.NULLS_UP),
    ],
)
def test_nulls_that_came_from_another_column_are_an_exchange(
    make: Any, said: Change, facts: dict[str, str], change: Change
) -> None:
    drift = make.verdict("drift", ["reason"], change=Change.RELATION, effect=0.1)
    columns = {"reason": {"change": said.value, "effect": 0.1, **facts}}
    drift = replace(drift, evidence=replace(drift.evidence, detail={"columns": columns}))
    nulls = make.verdict("nulls.reason", ["reason"], change=Change.NULLS_UP, effect=0.05)
    assert refine(PAYMENTS, [nulls, drift], SampleSet(TODAY, PAST))[0].evidence.change is change


def test_a_value_never_seen_in_place_of_nulls_is_that_value(make: Any) -> None:
    drift = make.verdict("drift", ["n"], change=Change.VALUES_NEW, effect=0.1)
    columns = {"n": {"change": "values_new", "effect": 0.099}}
    drift = replace(drift, evidence=replace(drift.evidence, detail={"columns": columns}))
    nulls = make.verdict("nulls.n", ["n"], change=Change.NULLS_DOWN, effect=0.1)
    assert refine(PAYMENTS, [nulls, drift], SampleSet(TODAY, PAST))[0].evidence.change is Change.VALUES_NEW
