from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.types import Change, Priority, Severity, Status
from tests.e2e.desk import FAULTS, Answer, Desk

NUMBER = (int, float)
MAYBE = (int, float, type(None))
FINDING = {
    "id": str, "table": str, "partition": str, "check": str, "kind": str, "status": str, "score": MAYBE,
    "threshold": MAYBE, "surprise": MAYBE, "severity": str, "priority": str, "columns": list, "segments": list,
    "summary": str, "change": str, "sql_bad": (str, type(None)), "sql_good": (str, type(None)), "pictures": list,
    "incident": (str, type(None)), "seconds": NUMBER, "cost": dict,
}  # fmt: skip
INCIDENT = {
    "incident": str, "table": str, "partition": str, "event": str, "title": str, "checks": list, "columns": list,
    "segments": list, "change": str, "surprise": NUMBER, "alerted": bool,
}  # fmt: skip
VOLATILE = ("seconds", "cost", "pictures")


def test_every_line_has_the_keys_and_types_of_the_contract(replay: tuple[Desk, Answer]) -> None:
    for line in replay[1].lines:
        shape = FINDING if "id" in line else INCIDENT
        wrong = {key: line.get(key) for key, kind in shape.items() if not isinstance(line.get(key, ...), kind)}
        assert wrong == {}, line
        assert line["severity"] in list(Severity)
        assert line["change"] in list(Change)
        assert all(set(s) == {"where", "precision", "recall", "rows"} for s in line["segments"])


def test_findings_keep_to_their_status(replay: tuple[Desk, Answer]) -> None:
    for finding in replay[1].findings:
        assert finding["status"] in list(Status)
        assert finding["priority"] in list(Priority)
        assert finding["summary"]
        assert (finding["incident"] is not None) == (finding["status"] == "fail")
        assert finding["status"] != "learning" or finding["threshold"] is None
        assert set(finding["cost"]) == {"queries", "rows", "bytes"}


def test_each_fault_is_one_alert_of_its_day_and_of_no_other(replay: tuple[Desk, Answer]) -> None:
    opened = [e for e in replay[1].events if e["event"] == "opened" and e["alerted"]]
    assert [e["partition"] for e in opened] == list(FAULTS)
    assert [e["change"] for e in opened] == ["nulls_up", "rows_missing", "duplicates", "scale"]
    assert opened[0]["columns"][0] == "color"
    assert opened[3]["columns"][0] == "price"
    assert "rule.not_null_color" in opened[0]["checks"]


def test_each_incident_recovers_on_the_first_day_that_is_well(replay: tuple[Desk, Answer]) -> None:
    recovered = {e["incident"]: e["partition"] for e in replay[1].events if e["event"] == "recovered"}
    assert list(recovered.values()) == ["2026-11-11", "2026-11-14", "2026-11-16", "2026-11-19"]


def test_a_failing_finding_leads_with_pictures_that_are_there(replay: tuple[Desk, Answer]) -> None:
    leading = {e["incident"]: e["checks"][0] for e in replay[1].events if e["event"] == "opened"}
    found = [f for f in replay[1].findings if leading.get(f["incident"]) == f["check"]]
    assert len(found) == len(FAULTS)
    assert all(f["pictures"] and Path(f["pictures"][0]).is_file() for f in found)


def test_the_sql_of_a_finding_runs_and_shows_the_bad_rows(replay: tuple[Desk, Answer]) -> None:
    duckdb = pytest.importorskip("duckdb")
    desk, answer = replay
    finding = next(f for f in answer.findings if f["check"] == "nulls.color" and f["status"] == "fail")
    with duckdb.connect(str(desk.folder / "shop.duckdb"), read_only=True) as connection:
        bad = connection.execute(finding["sql_bad"]).df()
        good = connection.execute(finding["sql_good"]).df()
    assert len(bad) == 100
    assert bad["color"].isna().all()
    assert len(good)
    assert not good["color"].isna().any()


def test_a_replay_fails_with_one_and_every_alert_is_delivered_once(replay: tuple[Desk, Answer]) -> None:
    desk, answer = replay
    assert answer.code == 1
    assert [name[:10] for name in desk.alerts()] == list(FAULTS)


def test_sentences_give_whole_numbers_and_say_what_changed_first(replay: tuple[Desk, Answer]) -> None:
    titles = {e["partition"]: e["title"] for e in replay[1].events if e["event"] == "opened"}
    assert titles["2026-11-13"].startswith("50 rows came for Fri 13 Nov 2026; expected 200 ")
    assert titles["2026-11-10"].startswith("color is missing in 60.0% of rows; expected ")
    assert "nats" not in titles["2026-11-18"].split(";")[0]


def test_a_range_is_its_days_one_by_one(season: Path, tmp_path: Path) -> None:
    at_once, singly = (Desk(shutil.copytree(season, tmp_path / name)) for name in ("at once", "singly"))
    together = at_once.judge("--from", "2026-11-09", "--to", "2026-11-11", "--no-alerts").lines
    days = ("2026-11-09", "2026-11-10", "2026-11-11")
    apart = [line for day in days for line in singly.judge("--date", day, "--no-alerts").lines]
    assert [_steady(line) for line in together] == [_steady(line) for line in apart]


def _steady(line: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in line.items() if key not in VOLATILE}


def test_status_history_and_explain_tell_the_same_story(replay: tuple[Desk, Answer]) -> None:
    desk, answer = replay
    assert desk.say("status").code == 0
    finding = next(f for f in answer.findings if f["check"] == "nulls.color" and f["status"] == "fail")
    story = desk.say("explain", finding["id"])
    assert story.code == 0
    assert finding["summary"] in story.out
    assert finding["sql_bad"].splitlines()[-1].strip() in story.out
    day = desk.say("history", "main.orders", "2026-11-10", "--format", "json")
    assert {f["id"] for f in day.lines} == {f["id"] for f in answer.findings if f["partition"] == "2026-11-10"}
    past = desk.say("history", "main.orders", "--format", "json").lines
    assert {p["partition"] for p in past if "nulls.color" in p["failed"]} == {"2026-11-10"}


def test_the_message_tells_each_column_once_and_no_noise(replay: tuple[Desk, Answer]) -> None:
    desk, _ = replay
    folder = next(p for p in (desk.folder / "alerts").iterdir() if p.name.startswith("2026-11-10"))
    message = (folder / "message.md").read_text(encoding="utf-8")
    assert "color" in message
    assert "| note" not in message
    assert "First time in" in message
