"""Hourly tables are told of at check-config: their chances of a false alert are many, their budget is not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from monitor.cli.setting_up import _note_hours
from monitor.types import Cadence, Column, ColumnKind, Table, TimeColumn, TimeForm

TABLE = Table(
    "main.t", "main", ("t",), (Column("at", ColumnKind.TIMESTAMP, "TIMESTAMP"),), TimeColumn("at", TimeForm.TIMESTAMP)
)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"cadence": Cadence.HOUR}, True),
        ({"cadence": Cadence.DAY}, False),
        ({"cadence": Cadence.HOUR, "automatic": False}, False),
    ],
)
def test_hours_share_the_budget_of_a_month(settings: dict[str, Any], told: bool, capsys: Any) -> None:
    _note_hours([dataclasses.replace(TABLE, **settings)])
    said = capsys.readouterr().err
    assert ("main.t: judged by the hour, with 24 chances of a false alert" in said) is told


def test_an_hour_needs_more_surprise_than_a_day() -> None:
    from checks.series.predictive import AbsoluteT
    from monitor.judge import judge
    from monitor.types import Evidence

    evidence = Evidence("missing", "missing", 3.0, AbsoluteT(20.0))
    hour, day, week = (
        judge(dataclasses.replace(TABLE, cadence=cadence), [evidence])[0].threshold
        for cadence in (Cadence.HOUR, Cadence.DAY, Cadence.WEEK)
    )
    assert hour is not None
    assert day is not None
    assert week is not None
    assert hour > day > week
