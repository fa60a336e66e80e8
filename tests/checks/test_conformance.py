"""Every installed check keeps the contract, and the contract notices those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from checks.conformance import ConformanceError, conform
from checks.series.predictive import StudentT
from checks.volume import Volume
from monitor.check import DECLARED
from monitor.types import ROWS, Aggregate, Cadence, Column, ColumnKind, Evidence, Measure, Sample, TimeForm

CHECKS = sorted(entry_points(group="daywatch.checks"), key=lambda entry: entry.name)
KINDS = {f"a {kind.value}": kind for kind in ColumnKind}


def tables(make: Any) -> dict[str, Any]:
    timed = {"at": ColumnKind.TIMESTAMP, **KINDS}
    return {
        "every kind": make.table(timed, "at", key=("a number", "a text")),
        "hours": make.table(
            {"at": ColumnKind.TIMESTAMP, "x": ColumnKind.NUMBER}, "at", cadence=Cadence.HOUR, country="US"
        ),
        "weeks": make.table(
            {"at": ColumnKind.TEXT, "x": ColumnKind.BOOLEAN}, "at", TimeForm.ISO_TEXT, cadence=Cadence.WEEK
        ),
        "epoch": make.table({"at": ColumnKind.NUMBER, "x": ColumnKind.NUMBER}, "at", TimeForm.EPOCH_MS),
        "declared": make.table(
            timed,
            "at",
            metrics=(
                {"name": "m", "sql": "avg(x)", "by": ("a text",), "compare": "week", "direction": "down"},
                {"name": "n", "sql": "median(x)", "by": ("a text", "a boolean"), "min_change": 0.1},
                {"name": "o", "sql": "count(*)", "by": ("a text",), "segments_max": 1, "sensitivity": "high"},
            ),
            entities=({"name": "e", "entity": "a text", "statistic": "count(*)", "direction": "both"},),
        ),
        "no time": make.table({"x": ColumnKind.NUMBER, "y": ColumnKind.TEXT}),
        "no time, a key": make.table(KINDS, key=("a text",)),
        "time alone": make.table({"at": ColumnKind.TIMESTAMP}, "at"),
        "all ignored": make.table({"x": ColumnKind.NUMBER}, ignore_columns=frozenset({"x"})),
    }


TABLES = list(tables(type("Names", (), {"table": staticmethod(lambda *_args, **_settings: None)})))


TRIED = [(entry, name) for entry in CHECKS for name in TABLES if name != "declared" or entry.name in DECLARED]
"""What is declared concerns the checks of it; to the others it is the table of every kind once more."""


@pytest.mark.parametrize(("entry", "name"), TRIED, ids=[f"{entry.name}-{name}" for entry, name in TRIED])
def test_every_check_keeps_the_contract(entry: EntryPoint, name: str, make: Any) -> None:
    conform(entry.load()(), [tables(make)[name]])


def test_all_built_in_checks_are_tried() -> None:
    assert {"freshness", "volume", "schema", "nulls", "zeros", "stats", "duplicates", "drift"} <= {
        entry.name for entry in CHECKS
    }


class Broken:
    """A check whose single flaw is given."""

    name = "broken"

    def __init__(self, **flaw: Any) -> None:
        self.flaw = flaw
        self.calls = 0

    def inputs(self, _table: Any) -> Sequence[Any]:
        return self.flaw.get("inputs", [Aggregate(ROWS), Sample()])

    def evaluate(self, _table: Any, _partition: Any, values: Any) -> Sequence[Evidence]:
        self.calls += 1
        if "act" in self.flaw:
            self.flaw["act"](values, self.calls)
        sound = Evidence("broken", "broken", 1.0, StudentT(0.0, 1.0, 5.0), ("x",), (1.0,))
        return [replace(sound, **self.flaw.get("evidence", {}))]


class Rising(StudentT):
    def isf(self, probability: float) -> float:
        return -super().isf(probability)


def write_over(values: Any, _calls: int) -> None:
    values[Sample()].today["x"] = 0.0


def fail_on_an_empty_day(values: Any, _calls: int) -> None:
    1.0 / values[Aggregate(ROWS)].today


def test_a_sound_check_passes(make: Any) -> None:
    conform(Broken(), [make.table({"x": ColumnKind.NUMBER})])


class Counting(Broken):
    def evaluate(self, *_: Any) -> Sequence[Evidence]:
        self.calls += 1
        return [Evidence("broken", "broken", float(self.calls))]


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ({"evidence": {"score": -1.0}}, "neither None nor finite"),
        ({"evidence": {"score": float("nan")}}, "neither None nor finite"),
        ({"evidence": {"check": "other"}}, "does not begin with the check's name"),
        ({"evidence": {"check": "brokenness"}}, "does not begin with the check's name"),
        ({"evidence": {"columns": ("z",)}}, "columns that the table has not: z"),
        ({"evidence": {"shares": (0.7, 0.7), "columns": ("x", "x")}}, "do not split one whole"),
        ({"evidence": {"effect": 1.5}}, "effect 1.5"),
        ({"evidence": {"weight": 0.0}}, "weight 0.0"),
        ({"evidence": {"detail": {"a": object()}}}, "detail holds"),
        ({"evidence": {"past": Rising(0.0, 1.0, 5.0)}}, "isf does not fall"),
        ({"inputs": [Aggregate(Measure("mean", "z"))]}, "a column that the table has not"),
        ({"inputs": ["rows"]}, "is no input"),
        ({"act": write_over}, "changes its inputs"),
        ({"act": fail_on_an_empty_day}, "an empty day: evaluate() raises ZeroDivisionError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_flaw_is_noticed(flaw: dict[str, Any], said: str, make: Any) -> None:
    with pytest.raises(ConformanceError) as raised:
        conform(Broken(**flaw), [make.table({"x": ColumnKind.NUMBER})])
    assert said in str(raised.value)


def test_memory_between_calls_is_noticed(make: Any) -> None:
    with pytest.raises(ConformanceError, match="not a function of its inputs"):
        conform(Counting(), [make.table({"x": ColumnKind.NUMBER})])


def test_inputs_that_change_are_noticed(make: Any) -> None:
    class Fickle(Volume):
        asked = 0

        def inputs(self, _table: Any) -> Any:
            self.asked += 1
            return [Aggregate(ROWS), *([Sample()] if self.asked % 2 else [])]

    with pytest.raises(ConformanceError, match="differs between two calls"):
        conform(Fickle(), [make.table({"x": ColumnKind.NUMBER})])


def test_a_removed_column_may_be_named(make: Any) -> None:
    from checks.conformance import breaches
    from checks.schema import Schema

    extra = Column("y", ColumnKind.TEXT, "VARCHAR")
    table = make.table({"x": ColumnKind.NUMBER})
    assert not list(breaches(Schema(), replace(table, columns=(*table.columns, extra))))
