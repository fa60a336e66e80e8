"""The forms that a verdict takes, and the functions behind the command."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from daywatch import gate, run
from monitor.gate.render import to_junit, to_markdown, to_text
from monitor.gate.result import Promotion
from tests.gate.conftest import DAY, Desk

GITHUB_MAX = 65_536


@pytest.fixture(scope="module")
def unsafe(desk: Desk) -> Promotion:
    return gate("main.staging.both", "main.orders", config=desk.folder / "daywatch.yaml", date=DAY)


def test_from_python(desk: Desk, unsafe: Promotion) -> None:
    assert unsafe.safe is False
    assert (unsafe.exit_code, unsafe.partition) == (1, DAY)
    assert unsafe.difference is not None
    assert unsafe.difference.changed == 400
    mapped = {"bought": "d", "id": "order_id"}
    found = gate("main.staging.renamed", "main.orders", columns=mapped, config=desk.folder / "daywatch.yaml", date=DAY)
    assert found.safe


def test_text_tells_the_verdict_first(unsafe: Promotion) -> None:
    lines = to_text(unsafe).splitlines()
    assert lines[0].startswith("Not safe: main.staging.both in place of main.orders, 2026-11-20: ")
    assert any(line.startswith("  ! nulls.color") for line in lines)
    assert any("Different: 400 changed" in line for line in lines)


def test_markdown_fits_into_a_comment(unsafe: Promotion) -> None:
    text = to_markdown(unsafe)
    assert text.startswith("## ❌ daywatch gate")
    assert "| `nulls.color` | nulls_up |" in text
    assert "```sql" in text
    assert "### ❌ `main.orders` → `main.staging.both`" in text
    long = replace(unsafe.would_alert[0], summary="x|*y" * 50_000, sql_bad="SELECT 1 -- ```" * 20_000)
    assert unsafe.difference is not None
    many = replace(unsafe.difference, sample=unsafe.difference.sample * 5_000, sql="SELECT 2" * 20_000)
    whole = to_markdown(replace(unsafe, would_alert=(long,) * 500, notes=("n" * 3_000,) * 50, difference=many))
    assert len(whole) < GITHUB_MAX
    assert whole.count("```") % 2 == 0
    assert whole.count("<details>") == whole.count("</details>")
    assert "Different: 400 changed" in whole


def test_junit_has_a_case_for_each_check(unsafe: Promotion) -> None:
    root = ET.fromstring(to_junit(unsafe))  # noqa: S314 - our own text
    suite = root.find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert set(cases) == {*(f.check for f in unsafe.findings), "gate"}
    assert suite.get("tests") == str(len(unsafe.findings) + 1)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {f.check for f in unsafe.would_alert}
    assert suite.get("failures") == root.get("failures") == str(len(failed))
    nasty = replace(unsafe.would_alert[0], summary="\x00 <&> \x1f \ufffe")
    ET.fromstring(to_junit(replace(unsafe, would_alert=(nasty,), findings=(nasty,), reasons=("\x01",))))  # noqa: S314 - our own text


def test_reasons_and_errors_fail_the_gate_itself(unsafe: Promotion) -> None:
    found = replace(unsafe, would_alert=(), reasons=("staging has no rows",))
    assert (found.safe, found.exit_code) == (False, 1)
    root = ET.fromstring(to_junit(found))  # noqa: S314 - our own text
    assert root.find(".//testcase[@name='gate']/failure") is not None
    errored = replace(unsafe, errors=(unsafe.would_alert[0],))
    assert (errored.safe, errored.exit_code) == (False, 3)
    assert unsafe.difference is not None
    moved = replace(unsafe, would_alert=(), difference=replace(unsafe.difference, is_stable=False))
    assert (moved.safe, moved.exit_code) == (False, 3)


def test_run_hands_over_what_it_found(desk: Desk, tmp_path: Path) -> None:
    for name in ("daywatch.db", "daywatch.yaml", "shop.duckdb"):
        shutil.copy(desk.folder / name, tmp_path)
    report = run(["main.orders"], date=DAY, alerts=False, config=tmp_path / "daywatch.yaml")
    (outcome,) = report.outcomes
    assert (report.exit_code, report.troubles, outcome.partition.label) == (0, (), DAY)
    assert {"drift", "volume", "rule.not_null_color"} <= {f.check for f in outcome.findings}


def test_run_reports_a_warehouse_out_of_reach(tmp_path: Path) -> None:
    config = tmp_path / "daywatch.yaml"
    config.write_text(
        "warehouses: {main: 'postgresql://nobody@127.0.0.1:1/none'}\ntables: [{name: main.orders, time_column: d}]\n"
    )
    report = run(alerts=False, config=config)
    assert (report.exit_code, report.outcomes, len(report.troubles)) == (3, (), 1)
