"""Every kind of rule on every engine, by the fixture files beside."""

from __future__ import annotations

import pytest

from checks.rules import KINDS
from monitor.warehouses.base import Warehouse
from tests.rules.conftest import KINDS_FOLDER, Case, cases, judge_rules, table_for

CASES = cases()


def test_every_kind_has_its_fixture() -> None:
    assert {path.stem for path in KINDS_FOLDER.glob("*.yaml")} == set(KINDS)


def test_every_fixture_tells_good_from_bad() -> None:
    """One rule that is kept, and one that is broken, or fewer bad rows than another finds."""
    few = {kind: {str(case.expected.get("bad")) for case in CASES if case.kind == kind} for kind in KINDS}
    alone = {"any_not_null", "all_or_none", "pairs_in_set", "positive", "not_negative", "not_in_range", "trimmed",
             "if_then", "not_matches_regex", "like", "not_like", "is_json", "near_unique", "no_overlap", "no_future",
             "different", "date_format", "ordered"}  # fmt: skip
    assert {kind for kind, found in few.items() if len(found) < 2} <= alone


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.number}")
def test_bad_rows_are_found(case: Case, warehouse: Warehouse) -> None:
    (evidence,) = judge_rules(warehouse, table_for(warehouse, case.kind, case.rule()))
    expected = case.expected
    if "error" in expected:
        assert expected["error"] in (evidence.error or "")
        return
    assert evidence.error is None
    assert evidence.score == pytest.approx(expected["bad"], abs=1e-4)
    if "number" in expected:
        assert evidence.detail["number"] == pytest.approx(expected["number"], abs=1e-4)
