"""What a finding says, and the condition of the rows it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.explain import CHANGE_WORDS, bad_condition, headline, recur, summarise, tell_column
from monitor.judge import Verdict
from monitor.privacy.shapes import OPENING
from monitor.types import (
    Change,
    Column,
    ColumnKind,
    Evidence,
    Finding,
    Observation,
    Priority,
    Segment,
    Severity,
    Status,
    Table,
)


def summary(make: Any, evidence: Evidence, status: Status = Status.FAIL) -> str:
    return summarise(make.table(), make.day(3), Verdict(evidence, status, 8.0, 1.0, 3.0, Severity.STRONG))


GONE = {"missing_before": 0.0, "missing_after": 0.4}


def quote(name: str) -> str:
    return f'"{name}"'


def condition(evidence: Evidence, **settings: Any) -> str | None:
    columns = (Column("a b", ColumnKind.TEXT, "VARCHAR"), Column("x", ColumnKind.NUMBER, "DOUBLE"))
    return bad_condition(Table("main.t", "main", ("t",), columns, None, **settings), evidence, quote, repr)


def test_every_change_has_its_words() -> None:
    assert set(CHANGE_WORDS) == set(Change)
    assert len(set(CHANGE_WORDS.values())) == len(Change)


@pytest.mark.parametrize(
    ("evidence", "parts"),
    [
        (
            Evidence(
                "nulls.x", "nulls", 9.0, columns=("x",),
                observation=Observation("m", 0.412, 0.02, 0.01, 0.03, "share"),
            ),
            ["x is missing in 41.2% of rows", "expected 2.0% (1.0% to 3.0%)"],
        ),
        (
            Evidence(
                "nulls.x", "nulls", 9.0, columns=("x",), change=Change.EMPTY_UP,
                observation=Observation("m", 0.4, 0.02, unit="share"),
            ),
            ["x is empty or missing in 40.0% of rows"],
        ),
        (
            Evidence("zeros.x", "zeros", 9.0, columns=("x",), observation=Observation("z", 0.25, unit="share")),
            ["x is 0 in 25.0%"],
        ),
        (
            Evidence("volume", "volume", 9.0, observation=Observation("rows", 812.0, 1600.0, 1500.0, 1700.0)),
            ["812 rows", "1,600"],
        ),
        (
            Evidence("freshness", "freshness", 1.0, detail={"expected": 1.0, "latest": "2024-01-03T23:10:00+00:00"}),
            ["No rows came for Thu 4 Jan 2024", "100% of such days", "2024-01-03 23:10"],
        ),
        (
            Evidence("schema", "schema", 2.0, detail={"added": ["n"], "removed": ["o"], "retyped": ["p: INT -> TEXT"]}),
            ["gone: o", "new: n", "retyped: p: INT -> TEXT"],
        ),
        (
            Evidence(
                "duplicates", "duplicates", 3.0,
                observation=Observation("rows that repeat another row", 0.1, unit="share"),
            ),
            ["10.0% of rows repeat another row"],
        ),
        (
            Evidence("stats.x", "stats", 3.0, observation=Observation("median of x", 12.0, 3.0, 2.0, 4.0)),
            ["Median of x: 12", "expected 3 (2 to 4)"],
        ),
        (
            Evidence(
                "drift", "drift", 0.4, columns=("x", "y"), shares=(0.9, 0.05),
                detail={"columns": {"x": {"change": "nulls_up", "effect": 0.4} | GONE}},
            ),
            ["x ", "missing in 40.0% of rows, before 0%"],
        ),
    ],
)  # fmt: skip
def test_a_finding_is_said_with_its_numbers(evidence: Evidence, parts: list[str], make: Any) -> None:
    told = summary(make, evidence)
    for part in parts:
        assert part.lower() in told.lower()
    assert told.endswith(".")


def test_errors_and_learning_are_said_as_such(make: Any) -> None:
    broken = Evidence("drift", "drift", None, error="ValueError: too few bins")
    assert "ValueError: too few bins" in summary(make, broken, Status.ERROR)
    assert summary(make, Evidence("volume", "volume", None), Status.LEARNING).startswith("Learning")
    assert summary(make, Evidence("drift", "drift", None), Status.LEARNING).startswith("Learning")


@pytest.mark.parametrize("change", list(Change))
def test_every_change_of_a_column_can_be_told(change: Change) -> None:
    facts = {"change": change.value, "effect": 0.2}
    assert tell_column("x", facts).startswith("x ")
    medians = {"median_before": 1.0, "median_after": 1.0, "mean_before": 2.0, "mean_after": 3.0}
    assert tell_column("x", facts | medians).startswith("x ")


@pytest.mark.parametrize(
    ("look", "told"),
    [
        ("within", "at differs from the other rows of its order in 12% of rows"),
        ("order", "at does not follow the order of order in 12% of rows"),
        ("carried", "at has the value that its order had the day before in 12% of rows"),
        ("strayed", "at strays from what its order had the day before in 12% of rows"),
        ("newcomers", "at is one that the day before did not have in 12% of rows"),
    ],
)
def test_what_bound_a_column_is_named(look: str, told: str) -> None:
    medians = {"median_before": 1.0, "median_after": 2.0}
    facts = {"change": "shift_up", "effect": 0.12, "bound": look, "partner": "order", **medians}
    assert tell_column("at", facts).replace(".0%", "%") == told


def test_an_equation_is_told_by_whose_side_is_wrong_and_cut_where_it_is_long() -> None:
    def told(name: str, parts: int, **facts: Any) -> str:
        terms = [{"column": f"part_{n}", "sign": 1, "form": "value", "optional": n == 9} for n in range(parts)]
        equation = {"target": "total", "terms": terms, "is_product": False, "constant": 0.0, "tolerance": 0.005}
        return tell_column(
            name, {"change": "scale", "effect": 0.125, "bound": "equation", "equation": equation, **facts}
        )

    assert told("total", 2) == "total is not part_0 + part_1 in 12.5% of rows"
    assert told("part_1", 2) == "part_1 breaks total = part_0 + part_1 in 12.5% of rows"
    assert told("total", 2, broken_factor=1.19).endswith("of rows (1.19 times what fits)")
    assert told("total", 2, broken_factor=-1.0).endswith("of rows (of the other sign)")
    assert told("total", 2, broken_median=0.0, right_median=7.5).endswith("of rows (median 0, where 7.5 fits)")
    assert told("total", 2, broken_median=7.5, right_median=7.5).endswith("12.5% of rows")
    long = "part_0 + part_1 + part_2 + part_3 + part_4 + part_5 … (10 columns)"
    assert told("total", 10) == f"total is not {long} in 12.5% of rows"


def test_bad_rows_have_a_condition() -> None:
    nulls = Evidence("nulls.x", "nulls", 9.0, columns=("x",))
    assert condition(nulls) == '"x" IS NULL'
    blanks = condition(replace(nulls, columns=("a b",)))
    assert blanks is not None
    assert '"a b" IS NULL' in blanks
    assert "= ''" in blanks
    assert condition(Evidence("zeros.x", "zeros", 9.0, columns=("x",))) == '"x" = 0'
    high = Evidence("stats.x", "stats", 9.0, columns=("x",), observation=Observation("largest x", 90.0, 5.0, 1.0, 9.5))
    assert condition(high) == '"x" > 9.5'
    assert condition(Evidence("volume", "volume", 9.0)) is None


def moved(rows: int) -> Evidence:
    values = [{"value": "Oslo", "before": 0.0, "after": 0.3}, {"value": "Rome", "before": 0.5, "after": 0.2}]
    detail = {"rows_today": rows, "columns": {"a b": {"change": "values_new", "effect": 0.3, "values": values}}}
    return Evidence("drift", "drift", 0.4, columns=("a b",), detail=detail)


def test_values_are_named_only_where_enough_rows_share_them() -> None:
    assert condition(moved(1_000)) == "\"a b\" IN ('Oslo')"
    assert condition(moved(30)) is None
    assert condition(moved(30), show_values=True) == "\"a b\" IN ('Oslo')"


def finding(check: str, column: str, surprise: float, today: float) -> Finding:
    return Finding(
        id="new:0",
        table="main.t",
        partition="2024-01-04",
        check=check,
        kind=check.split(".", 1)[0],
        status=Status.FAIL,
        score=9.0,
        threshold=4.0,
        surprise=surprise,
        severity=Severity.STRONG,
        priority=Priority.NORMAL,
        columns=(column,),
        segments=(),
        summary=f"{column} is missing in {today:.0%} of rows.",
        change=Change.NULLS_UP,
        observation=Observation("missing", today, 0.01, 0.0, 0.02, "share"),
    )


def test_columns_that_share_a_cause_share_a_headline() -> None:
    lead, other = finding("nulls.x", "x", 9.0, 0.4), finding("nulls.y", "y", 30.0, 0.5)
    assert headline(lead, [lead]) == lead.summary
    assert headline(lead, [lead], ["y", "z"]) == f"now y and z too. {lead.summary}"
    both = headline(lead, [other, lead])
    assert both.startswith("x and y are missing in up to 50.0% of rows")
    drift = replace(lead, kind="drift", check="drift")
    assert headline(drift, [drift, other]) == drift.summary


def test_a_drift_is_told_by_its_leading_column_alone() -> None:
    facts = {
        "x": {"change": "values_new", "effect": 0.3, "median_after": 1.0, "median_before": 1.0},
        "y": {"change": "spread", "effect": 0.2, "median_after": 1.0, "median_before": 1.0, "mean_after": 3.0,
              "mean_before": 2.0},
    }  # fmt: skip
    drift = replace(
        finding("drift", "x", 9.0, 0.4), kind="drift", columns=("x", "y"), change=Change.VALUES_NEW,
        detail={"columns": facts, "shares": {"x": 0.7, "y": 0.2}},
    )  # fmt: skip
    assert headline(drift, [drift]) == "x has values not seen before in 30.0% of rows; y changes too."
    there = replace(drift, segments=(Segment("\"y\" = 'a'", 1.0, 1.0, 30),))
    assert headline(there, [there]) == "x has values not seen before in 30.0% of rows."
    spread = replace(drift, columns=("y",))
    assert headline(spread, [spread]) == "y has another spread (mean 3, before 2)."
    stats = replace(
        finding("stats.y", "y", 9.0, 0.4), kind="stats",
        observation=Observation("standard deviation of y", 4087.0, 511.0, 428.0, 601.0),
    )  # fmt: skip
    assert headline(spread, [spread, stats]) == (
        "y has another spread: standard deviation 4,087, expected 511 (428 to 601)."
    )
    repeated = replace(drift, change=Change.REPLAY)
    assert headline(repeated, [repeated]) == repeated.summary


@pytest.mark.parametrize(
    ("change", "values", "told"),
    [
        ("values_new", [("United", 0.0, 0.2), ("UA", 0.2, 0.0), ("Delta", 0.001, 0.3)], ": Delta and United."),
        ("values_gone", [("United", 0.0, 0.2), ("UA", 0.2, 0.0)], ": UA."),
        ("values_new", [(f"{OPENING}Aaaa 99", 0.0, 0.2)], "."),  # a shape, which names nothing
        ("values_mixed", [("United", 0.0, 0.2)], "."),
    ],
)
def test_values_that_are_new_or_gone_are_named_in_the_title(
    change: str, values: list[tuple[str, float, float]], told: str
) -> None:
    listed = [{"value": v, "before": b, "after": a} for v, b, a in values]
    facts = {"x": {"change": change, "effect": 0.5, "values": listed}}
    detail = {"columns": facts, "shares": {"x": 1.0}}
    lead = replace(finding("drift", "x", 9.0, 0.4), kind="drift", change=Change(change), detail=detail)
    assert headline(lead, [lead]).endswith(f"in 50.0% of rows{told}")


def test_the_history_line_counts() -> None:
    assert recur(0, None, 1) != recur(0, None, 212)
    assert "212" in recur(0, None, 212)
    assert "2013-01-03" in recur(1, "2013-01-03", 40)


@pytest.mark.parametrize(
    ("change", "exactly", "told"),
    [
        ("scale", {"factor": 0.01}, "x has another scale in 30.0% of rows (0.01 times what they were)"),
        ("shift_down", {"difference": -38.0}, "x has lower values in 30.0% of rows (by 38)"),
        (
            "shift_down",
            {"finer_median": 15.6, "others_median": 19.7},
            "x has lower values in 30.0% of rows (those with more decimals than ever: median 15.6, of the others 19.7)",
        ),
        ("relation", {"factor": 10.0}, "x no longer goes with the other columns as before in 30.0% of rows"),
    ],
)
def test_what_was_done_to_numbers_is_told_exactly(change: str, exactly: dict[str, float], told: str) -> None:
    medians = {"median_before": 14.8, "median_after": 18.7, "mean_before": 14.7, "mean_after": 18.8}
    assert tell_column("x", {"change": change, "effect": 0.3, **medians, **exactly}) == told
