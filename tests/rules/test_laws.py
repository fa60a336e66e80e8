"""Laws of rules: parts add up to the whole, one scan says what separate ones say, and what fails stands alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.rules import Rules
from monitor.asking import WRITTEN_MAX, measure_all
from monitor.config.rules import RuleEntry
from monitor.types import ROWS, Aggregate, Evidence, Measure, Partition, Point, Series, Table
from monitor.warehouses import Limits
from monitor.warehouses.base import Warehouse
from monitor.warehouses.duckdb import DuckDB
from tests.rules.conftest import TODAY, cases, judge_rules, table_for

T = TypeVar("T")
_ADDING = {"not_null", "not_empty", "in_set", "in_range", "positive", "ordered", "adds_up", "sql", "if_then", "length",
           "matches_regex", "format", "is_json", "like", "compare", "letter_case", "all_or_none"}  # fmt: skip


def some(warehouse: Warehouse, them: Sequence[T]) -> Sequence[T]:
    """All of them in DuckDB; elsewhere each third, as what writes the statements is the same."""
    return them if type(warehouse) is DuckDB else them[::3]


def test_a_rule_on_two_halves_adds_up_to_the_whole(warehouse: Warehouse) -> None:
    """Of rules on single rows: what is bad under a condition, and what is under its opposite, is what is bad at all."""
    for case in some(warehouse, cases()):
        if case.kind not in _ADDING or "where" in case.expected:
            continue
        columns = warehouse.columns((f"{case.kind}_t",))
        half = f'"{columns[0].name}" IS NULL OR LENGTH(CAST("{columns[0].name}" AS VARCHAR)) > 3'
        parts = [case.rule(name=f"r{n}", where=w) for n, w in enumerate((None, half, f"NOT ({half})"))]
        whole, first, second = judge_rules(warehouse, table_for(warehouse, case.kind, *parts))
        assert (first.score or 0) + (second.score or 0) == whole.score, (case.kind, case.number)


def test_one_scan_says_what_separate_scans_say(warehouse: Warehouse) -> None:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        if "error" not in case.expected:
            by_kind.setdefault(case.kind, []).append(case.rule(name=f"r{case.number}"))
    for kind, rules in by_kind.items():
        together = judge_rules(warehouse, table_for(warehouse, kind, *rules))
        alone = [judge_rules(warehouse, table_for(warehouse, kind, rule))[0] for rule in some(warehouse, rules)]
        assert [(e.check, e.score) for e in some(warehouse, together)] == [(e.check, e.score) for e in alone]


def rule(body: dict[str, Any]) -> dict[str, Any]:
    return dict(RuleEntry.model_validate(body).normal())


def opened(folder: Path, *statements: str, limits: Limits = Limits()) -> DuckDB:  # noqa: B008 - a frozen value
    file = folder / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return DuckDB("main", f"duckdb:///{file}", limits)


def judged(warehouse: Warehouse, *bodies: dict[str, Any]) -> list[Evidence]:
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), None, rules=tuple(map(rule, bodies)))
    return judge_rules(warehouse, table)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.integers(-40, 40), st.integers(-(2**62), 2**62)), max_size=60))
def test_repeats_are_counted_exactly_by_bits_and_by_groups(tmp_path_factory: Any, values: list[int | None]) -> None:
    listed = ", ".join(f"({'NULL' if v is None else v}::BIGINT)" for v in values) or "(NULL::BIGINT)"
    warehouse = opened(tmp_path_factory.mktemp("w"), f"CREATE TABLE t AS SELECT * FROM (VALUES {listed}) AS v(a)",
                       "ALTER TABLE t ADD COLUMN b VARCHAR", "UPDATE t SET b = a::VARCHAR")  # fmt: skip
    known = [v for v in values if v is not None]
    found = [evidence.score for evidence in judged(warehouse, {"unique": "a"}, {"unique": "b"})]
    warehouse.close()
    assert found == [len(known) - len(set(known))] * 2


def test_a_thousand_rules_take_a_few_statements(tmp_path: Path) -> None:
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT range AS a FROM range(1000)")
    bodies = [{"name": f"r{i}", "in_range": {"column": "a", "min": i}} for i in range(1_000)]
    with warehouse.costing() as receipt:
        found = judged(warehouse, *bodies)
    assert [e.score for e in found] == [float(i) for i in range(1_000)]
    assert receipt.cost.queries <= -(-1_000 // WRITTEN_MAX) + 1


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a type that does not fit": ({"in_range": {"column": "b", "min": 3}}, "Conver|cast|compare"),
    "a cast of a value": ({"sql": "CAST(b AS INTEGER) > 0"}, "Conver"),
    "a function that is not there": ({"sql": "no_such(a) > 0"}, "no_such"),
    "a column that is not there": ({"sql": "zz > 0"}, "zz"),
    "a table that is not there": ({"query": "SELECT * FROM gone"}, "gone"),
    "a statement that gives many rows": ({"query": {"sql": "SELECT a FROM {rows} AS r", "min": 1}}, "row|number"),
    "no rows to compute from": ({"mean": {"column": "n", "min": 1}}, "no number"),
    "division by zero": ({"aggregate": {"sql": "sum(a) / nullif(sum(a) - sum(a), 0)", "min": 1}}, "no number"),
    "a file that is not there": ({"python": "gone.py:x"}, "gone.py"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_an_error_and_costs_nobody_else_an_answer(name: str, tmp_path: Path) -> None:
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT range AS a, 'x' AS b, NULL::DOUBLE AS n FROM range(10)")
    body, said = BROKEN[name]
    sound = [{"name": f"s{i}", "in_range": {"column": "a", "min": i}} for i in range(7)]
    *before, broken, after = judged(warehouse, *sound, {"name": "broken", **body}, {"name": "u", "unique": "b"})
    assert [e.score for e in before] == [float(i) for i in range(7)]
    assert after.score == 9.0
    assert broken.score is None
    import re

    assert re.search(said, broken.error or "")


def test_a_statement_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    limits = Limits(statement_timeout_s=1)
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT range AS a FROM range(10)", limits=limits)
    endless = "SELECT count(*) FROM range(1000000) AS x, range(1000000) AS y, range(1000) AS z WHERE x.range < y.range"
    found = judged(warehouse, {"name": "e", "query": {"sql": endless, "max": 1}}, {"name": "u", "unique": "a"})
    assert "statement_timeout_s" in (found[0].error or "")
    assert found[1].score == 0.0


def test_a_key_of_nulls_repeats_nothing(tmp_path: Path) -> None:
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT NULL::BIGINT AS a, NULL AS b FROM range(5)")
    assert [e.score for e in judged(warehouse, {"unique": "a"}, {"unique": "b"}, {"unique": ["a", "b"]})] == [0, 0, 0]


def test_tolerance_is_a_share_or_a_number_of_rows(tmp_path: Path) -> None:
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT range AS a FROM range(100)")
    bad = {"in_range": {"column": "a", "min": 10}}
    bodies = [{"name": f"r{i}", "tolerance": t, **bad} for i, t in enumerate([0.0, 0.05, 0.1, 9, 10, 50])]
    assert [e.score for e in judged(warehouse, *bodies)] == [10.0, 5.0, 0.0, 1.0, 0.0, 0.0]


def only_new(counts: list[float | None], today: float) -> Evidence:
    written = rule({"not_null": "a", "only_new": True})
    from monitor.types import Column, ColumnKind

    table = Table("main.t", "main", ("t",), (Column("a", ColumnKind.NUMBER, "BIGINT"),), None, rules=(written,))
    rows, bad = list(Rules().inputs(table))
    assert isinstance(bad, Aggregate)
    assert bad.past
    past = tuple(Point(TODAY, value) for value in counts)
    return Rules().evaluate(table, TODAY, {rows: Series(100.0), bad: Series(today, past)})[0]


def test_only_new_counts_what_is_beyond_the_partition_before() -> None:
    assert only_new([1.0, 5.0], 5.0).score == 0.0
    assert only_new([9.0, 5.0, None], 7.0).score == 2.0
    assert only_new([], 7.0).score is None  # nobody knows yet what was bad before
    assert only_new([7.0], 7.0).detail["known_bad"] == 7.0


def test_only_new_by_key_leaves_out_what_was_bad_in_the_week_before(warehouse: Warehouse) -> None:
    table = table_for(warehouse, "in_range", rule({"sql": "age > 100", "only_new": ["age"], "name": "x"}))
    day = dt.timedelta(days=1)
    for shift, expected in ((0, 2.0), (1, 0.0)):
        start = dt.datetime(2024, 3, 2, tzinfo=dt.UTC) + shift * day
        today = Partition(start.isoformat(), start.date().isoformat(), start, start + day)
        assert judge_rules(warehouse, table, today)[0].score == expected


def test_what_is_asked_of_no_rows_is_not_asked(tmp_path: Path) -> None:
    warehouse = opened(tmp_path, "CREATE TABLE t AS SELECT 1 AS a WHERE FALSE")
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), None)
    answers = measure_all(warehouse, table, TODAY, [ROWS, Measure("asked", "", "SELECT no_such(1)")])
    assert answers == {ROWS: 0.0, Measure("asked", "", "SELECT no_such(1)"): None}
    assert answers.errors == {}
