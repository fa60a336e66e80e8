"""Expected changes: what a file lets through, until when, and what it never does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.gate.allow import Allowance, Entry, read_allowance
from monitor.types import Change, Finding, Priority, Severity, Status
from tests.gate.conftest import Desk

TODAY = dt.date(2026, 11, 21)
WHO = 'reason: "prices in cents", expires: 2026-12-31, author: ana'
PRICES = f"- {{column: price, {WHO}}}\n- {{check: 'metric.mean_price*', {WHO}}}\n"


def finding(check: str = "drift", columns: tuple[str, ...] = ("price",), change: Change = Change.SCALE) -> Finding:
    return Finding(
        id="G-1", table="t", partition="p", check=check, kind=check.partition(".")[0], status=Status.FAIL, score=1.0,
        threshold=0.1, surprise=5.0, severity=Severity.STRONG, priority=Priority.NORMAL, columns=columns, segments=(),
        summary="", change=change,
    )  # fmt: skip


def entry(**said: str) -> Entry:
    return Entry.model_validate({"reason": "r", "expires": TODAY, "author": "a", **said})


def test_expected_changes_are_let_through_and_named(desk: Desk) -> None:
    file = desk.write("allow.yaml", PRICES)
    code, found = desk.gate("main.staging.dear", "--allow", file)
    assert code == 0, found["would_alert"]
    assert found["safe"] is True
    assert found["would_alert"] == []
    assert {"drift", "stats.price"} <= {f["check"] for f in found["allowed"]}
    assert found["allowed"][0]["allowed_by"][0]["author"] == "ana"
    assert found["diff"]["columns"] == {"price": 400}


def test_what_is_not_expected_still_counts(desk: Desk) -> None:
    file = desk.write("allow.yaml", PRICES)
    code, found = desk.gate("main.staging.both", "--allow", file)
    assert code == 1
    alerting = {f["check"] for f in found["would_alert"]}
    assert {"nulls.color", "drift"} <= alerting  # drift is about color too
    assert "stats.price" not in alerting


def test_expired_entries_do_not_count_and_are_named(desk: Desk) -> None:
    old = WHO.replace("2026-12-31", "2026-11-20")
    file = desk.write("old.yaml", f"- {{column: price, {old}}}\n- {{check: nulls.note, {old}}}\n")
    code, found = desk.gate("main.staging.dear", "--allow", file)
    assert (code, found["allowed"]) == (1, [])
    assert [e["column"] for e in found["expired"]] == ["price"]
    text = desk("gate", "main.staging.dear", "--against", "main.orders", "--allow", file)[1]
    assert "Expired on 2026-11-20: price: prices in cents (ana)" in text


def test_an_empty_partition_cannot_be_allowed(desk: Desk) -> None:
    file = desk.write("all.yaml", f'- {{check: "*", {WHO}}}\n')
    code, found = desk.gate("main.staging.empty", "--allow", file)
    assert (code, found["safe"], found["would_alert"]) == (1, False, [])


def test_every_column_that_carries_a_change_must_be_expected() -> None:
    one, other = entry(column="price"), entry(column="color", check="drift")
    found = finding(columns=("price", "color"))
    assert Allowance((one,)).for_(found, ("price", "color")) == ()
    assert Allowance((one, other)).for_(found, ("price", "color")) == (one, other)
    assert Allowance((one,)).for_(found, ()) == ()


def test_what_an_entry_says_must_all_fit() -> None:
    found = finding("nulls.price", change=Change.NULLS_UP)
    fitting = [entry(check="nulls.*"), entry(kind="nulls"), entry(kind="nulls_up", column="price")]
    assert [bool(Allowance((e,)).for_(found, ("price",))) for e in fitting] == [True, True, True]
    others = [entry(check="null"), entry(kind="nulls_down"), entry(kind="nulls_up", column="color")]
    assert [Allowance((e,)).for_(found, ("price",)) for e in others] == [(), (), ()]


def test_the_last_day_still_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("- {check: drift, reason: r, expires: 2026-11-21, author: a}\n")
    assert len(read_allowance(file, TODAY).live) == 1
    assert len(read_allowance(file, TODAY + dt.timedelta(days=1)).expired) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {check: drift, reason: r, author: a}", "expires"),
        ("- {check: drift, expires: 2026-11-21, author: a}", "reason"),
        ("- {check: drift, reason: r, expires: 2026-11-21}", "author"),
        ("- {check: drift, reason: ' ', expires: 2026-11-21, author: a}", "reason"),
        ("- {reason: r, expires: 2026-11-21, author: a}", "say what is expected"),
        ("- {check: drift, reason: r, expires: soon, author: a}", "expires"),
        ("- {chek: drift, reason: r, expires: 2026-11-21, author: a}", "chek"),
        ("check: drift", "wanted a list"),
        ("- [", "is no YAML"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_allowance(file, TODAY)


def test_an_empty_file_allows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("# nothing yet\n")
    assert read_allowance(file, TODAY) == Allowance()
