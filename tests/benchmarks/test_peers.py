from __future__ import annotations

import datetime as dt
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.peers import learnt, registry, report, session
from benchmarks.peers.drivers.columns import Columns, corrected, stability
from benchmarks.peers.drivers.elementary import Elementary, z_score
from benchmarks.peers.drivers.novelty import Novelty
from benchmarks.peers.protocol import Peer, answer, case_of, serve
from monitor.partitions import partition_at
from monitor.types import Cadence, Column, ColumnKind, Table, TimeColumn, TimeForm

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(20)]
KINDS = {"day": "time", "size": "number", "colour": "text", "number_of_day": "number"}


def rows(day: dt.date, shift: float = 0.0, red: float = 0.5) -> pd.DataFrame:
    random = np.random.default_rng(day.toordinal())
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "size": random.normal(shift, 1, 400),
            "colour": np.where(random.random(400) < red, "red", "blue"),
            "number_of_day": float(day.day),
        }
    )


@pytest.fixture
def days(tmp_path: Path) -> list[str]:
    for day in DAYS:
        rows(day).to_parquet(tmp_path / f"{day}.parquet", index=False)
    return [str(tmp_path / f"{day}.parquet") for day in DAYS]


def request(days: list[str], today: pd.DataFrame, name: str = "x") -> dict[str, Any]:
    path = Path(days[0]).parent / f"{name}.parquet"
    today.to_parquet(path, index=False)
    return {
        "id": name, "day": str(DAYS[-1]), "today": str(path), "references": days[-2:-8:-1], "past": days[:-1],
        "kinds": KINDS, "calendar": ["number_of_day"], "reference_rows": 600,
    }  # fmt: skip


def test_a_case_holds_times_within_their_own_day_and_so_many_reference_rows(days: list[str]) -> None:
    case = case_of(request(days, rows(DAYS[-1])))
    assert (case.today["day"] == 0).all()
    assert (case.reference["day"] == 0).all()
    assert len(case.reference) == 600
    assert case.numbers == ["day", "size", "number_of_day"]
    assert case.categories == ["colour"]


def test_columns_that_tell_the_day_can_be_left_out(days: list[str]) -> None:
    asked = request(days, rows(DAYS[-1]))
    assert "number_of_day" in answer(Columns({}), asked)["columns"]
    assert "number_of_day" not in answer(Columns({}), asked, leave_out=True)["columns"]


def test_the_protocol_answers_line_by_line(days: list[str]) -> None:
    asked = [request(days, rows(DAYS[-1]), "same"), request(days, rows(DAYS[-1], red=0.9), "redder")]
    out = io.StringIO()
    serve(Columns, [json.dumps(r) + "\n" for r in asked], out, {"leave_out": True})
    same, redder = (json.loads(line) for line in out.getvalue().splitlines())
    assert (same["id"], redder["id"]) == ("same", "redder")
    assert not same["alarm"]
    assert redder["alarm"]
    assert max(redder["columns"], key=redder["columns"].get) == "colour"
    assert redder["cpu_s"] >= 0
    assert redder["memory_mb"] > 10


def test_a_failure_is_an_answer(days: list[str]) -> None:
    told = answer(Columns({}), {**request(days, rows(DAYS[-1])), "today": "gone.parquet"})
    assert told["id"] == "x"
    assert told["error"].startswith("FileNotFoundError")


@pytest.mark.parametrize("peer", [Columns({"test": "psi"}), Elementary({"apart": True}), Novelty({})])
def test_a_changed_day_has_a_higher_value_and_its_column_leads(peer: Peer, days: list[str]) -> None:
    same = answer(peer, request(days, rows(DAYS[-1])), leave_out=True)
    moved = answer(peer, request(days, rows(DAYS[-1], shift=3.0)), leave_out=True)
    assert moved["table"] > same["table"]
    assert moved["alarm"]
    assert max(moved["columns"], key=moved["columns"].get) == "size"


def test_a_z_score_needs_seven_points_and_a_spread() -> None:
    assert z_score(9.0, np.arange(6.0)) == 0.0
    assert z_score(9.0, np.ones(14)) == 0.0
    assert z_score(9.0, np.arange(9.0)) == pytest.approx((9 - 4) / np.std(np.arange(9), ddof=1))


def test_a_z_score_that_includes_its_own_day_is_bounded(days: list[str]) -> None:
    moved = request(days, rows(DAYS[-1], shift=1000.0))
    assert answer(Elementary({}), moved)["table"] == pytest.approx(13 / np.sqrt(14), rel=1e-3)
    assert answer(Elementary({"apart": True}), moved)["table"] > 100


def test_bonferroni_is_stricter_than_benjamini_hochberg() -> None:
    tails = {"a": 0.02, "b": 0.02, "c": 0.02, "d": 0.9}
    assert corrected(tails, "bonferroni")[0] == pytest.approx(0.08)
    assert corrected(tails, "fdr")[0] == pytest.approx(0.02 * 4 / 3)


def test_nulls_are_a_bin_of_the_stability_index() -> None:
    full = pd.Series(np.arange(1000.0))
    assert stability(full, full) == pytest.approx(0.0)
    assert stability(full.where(full > 300), full) > 0.2


TABLE = Table(
    "t", "main", ("t",), (Column("a", ColumnKind.NUMBER, ""), Column("b", ColumnKind.NUMBER, "")),
    TimeColumn("day", TimeForm.DATE),
)  # fmt: skip


def judged(a: float, wild: bool = False) -> tuple[float, bool, list[str]]:
    random = np.random.default_rng(1)
    past = [
        (
            partition_at(Cadence.DAY, "UTC", dt.date(2024, 1, 1) + dt.timedelta(days=i)),
            {"": 1.0, "a": float(np.exp(random.normal(0, 2.0 if wild else 0.1))), "b": float(random.uniform(0.9, 1.1))},
        )
        for i in range(28)
    ]
    return learnt.judge_values(
        TABLE, partition_at(Cadence.DAY, "UTC", dt.date(2024, 1, 29)), {"": 1.0, "a": a, "b": 1.0}, past
    )


def test_learnt_thresholds_fail_a_leap_and_name_its_column() -> None:
    assert judged(1.0)[:2] == (pytest.approx(judged(1.0)[0]), False)
    margin, found, named = judged(20.0)
    assert found
    assert margin >= 0
    assert named[0] == "a"


def test_learnt_thresholds_bear_what_the_past_was_like() -> None:
    assert not judged(20.0, wild=True)[1]


def test_nothing_fails_without_a_past() -> None:
    assert learnt.judge_values(TABLE, partition_at(Cadence.DAY, "UTC", dt.date(2024, 1, 29)), {"": 9.0}, []) == (
        -9.0,
        False,
        [],
    )


def row(fault: str | None, value: float | None, *, alarm: bool = False, **more: Any) -> report.Row:
    told = {"table": "t", "day": "2024-01-01", "fault": fault, "value": value, "margin": value, "alarm": alarm}
    told |= {
        "level": alarm,
        "found": alarm,
        "named": ["a"],
        "leading": ["a"],
        "cpu_s": 0.1,
        "memory_mb": 9.0,
        "error": None,
    }
    clean = {"clean_value": 1.0, "clean_margin": 1.0, "clean_alarm": False, "clean_level": False, "clean_found": False}
    return told | (clean | {"share": 0.1, "hit": 200, "truth": ["a"]} if fault else {}) | more


def test_figures_count_ties_and_failures_half_and_leave_out_noisy_days() -> None:
    told = report.summarise(
        [
            row(None, 1.0),
            row("x", 2.0, alarm=True),
            row("x", 1.0),
            row("x", None, error="no"),
            row("x", 3.0, clean_alarm=True),
        ]
    )
    assert told["auc"] == pytest.approx((1 + 0.5 + 0.5 + 1) / 4)
    assert told["own_alarm"]["recall"]["n"] == 3
    assert told["own_alarm"]["recall"]["share"] == pytest.approx(0.333)
    assert told["own_alarm"]["column_first"]["share"] == 1.0
    assert told["failed"] == 1


def test_figures_are_written_as_one_line_for_default_and_best() -> None:
    found = {"all": report.summarise([row(None, 1.0), row("x", 2.0, alarm=True)])}
    text = report.markdown({"p": {"best": "b", "default": found, "b": found}, "q": {"best": None, "default": found}})
    lines = text.splitlines()
    assert [line.split(" | ")[:3] for line in lines[2:]] == [
        ["| p", "default", "1.00"], ["| p", "b", "1.00"], ["| q", "default", "1.00"]
    ]  # fmt: skip
    assert {line.count("|") for line in lines} == {12}


def figure(recall: float | None, auc: float) -> Mapping[str, Any]:
    return {"equal_level": {"recall": {"share": recall}}, "auc": auc}


def test_the_best_setting_finds_most_at_the_equal_level_then_ranks_best() -> None:
    assert report.best({"default": figure(0.5, 0.9), "b": figure(0.6, 0.5), "c": figure(0.6, 0.7)}) == "c"


def test_answers_are_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def converse(_peer: registry.Entry, _options: str, requests: list[Mapping[str, Any]]) -> Any:
        for r in requests:
            asked.append(r["id"])
            yield {"id": r["id"], "table": 1.0}

    monkeypatch.setattr(session, "_converse", converse)
    peer = registry.Entry("p", "columns", "plain")
    monkeypatch.setattr(registry.Entry, "python", property(lambda _self: tmp_path))
    first, again = {"id": "a", "digest": "1"}, {"id": "b", "digest": "1"}
    session.ask(peer, "default", [first], tmp_path / "kept.jsonl")
    told = session.ask(peer, "default", [first, again, {"id": "c", "digest": "2"}], tmp_path / "kept.jsonl")
    assert asked == ["a", "c"]
    assert told["b"] == {"id": "b", "table": 1.0}


def test_a_peer_answers_from_a_process_of_its_own(days: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.Entry, "python", property(lambda _self: Path(sys.executable)))
    asked = [{**request(days, rows(DAYS[-1]), name), "digest": name} for name in ("x", "y")]
    told = session.ask(registry.Entry("p", "columns", "plain"), "default", asked, Path(days[0]).parent / "kept.jsonl")
    assert told["x"]["columns"] == told["y"]["columns"] == answer(Columns({}), asked[0])["columns"]


def test_a_peer_that_ends_early_is_an_answer_with_its_last_word_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho ModuleNotFoundError >&2\n")
    python.chmod(0o755)
    monkeypatch.setattr(registry.Entry, "python", property(lambda _self: python))
    peer, asked = registry.Entry("p", "columns", "plain"), [{"id": name, "digest": name} for name in "ab"]
    told = session.ask(peer, "default", asked, tmp_path / "kept")
    assert [told[name]["error"] for name in "ab"] == ["ended or took too long: ModuleNotFoundError"] * 2
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("peer", registry.PEERS, ids=lambda p: p.name)
def test_every_peer_has_a_driver_and_pinned_requirements(peer: registry.Entry) -> None:
    folder = Path(registry.__file__).parent
    assert (folder / "drivers" / f"{peer.driver}.py").exists()
    lines = (folder / "requirements" / f"{peer.environment}.txt").read_text().splitlines()
    assert all(line.count("==") == 1 for line in lines)
