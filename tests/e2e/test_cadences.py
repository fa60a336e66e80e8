"""Hourly and weekly tables from end to end: every kind of check judges them, and finds what was put in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desk import Desk

ROWS = {"hour": 240, "week": 300}
SPANS = {"hour": 24 * 10, "week": 60}
MOMENTS = {
    "hour": "TIMESTAMP '2026-10-21 00:00:00' + to_hours(CAST(i // 240 AS INT)) + to_seconds(CAST(i % 240 * 15 AS INT))",
    "week": "TIMESTAMP '2025-09-22 00:00:00' + to_days(CAST(7 * (i // 300) + (i % 300) // 43 AS INT))",
}
JUDGED = {"hour": "2026-10-30T23:00+00:00", "week": "2026-11-09"}
NOW = {"hour": "2026-10-31T00:30+00:00", "week": "2026-11-16T05:00+00:00"}
BEGIN = {"hour": "TIMESTAMP '2026-10-30 23:00:00'", "week": "TIMESTAMP '2026-11-09 00:00:00'"}
FAULTS = {
    "drift": "UPDATE visits SET price = price * 20 + 7 WHERE ts >= {begin}",
    "nulls": "UPDATE visits SET color = NULL WHERE ts >= {begin} AND id % 5 < 4",
    "volume": "DELETE FROM visits WHERE ts >= {begin} AND id % 10 > 0",
    "missing": """UPDATE visits SET app = CASE WHEN id % 2 = 0 THEN 'web' ELSE 'ios' END
        WHERE ts >= {begin} AND app = 'android'""",
    "metric": "UPDATE visits SET load = load + 4 WHERE ts >= {begin}",
    "rule": "UPDATE visits SET id = -1 WHERE ts >= {begin} AND id % 60 = 7",
    "entity": "UPDATE visits SET who = 'p3' WHERE ts >= {begin} AND id % 3 = 0",
}
TOGETHER = (("drift",), ("volume",), ("nulls", "missing", "metric", "rule", "entity"))
"""Faults that are put in at once: those of the last are each found by a check that no other of them touches."""
CONFIG = """warehouses: {{main: "duckdb:///shop.duckdb"}}
tables:
  - name: main.visits
    time_column: ts
    cadence: {cadence}
    key: [id]
    drift_backfill_days: 24
    metrics: [{{name: mean_load, sql: avg(load), by: [app]}}]
    entities: [{{name: by_who, entity: who}}]
    rules: [{{in_range: {{column: id, min: 0}}}}]
"""


@pytest.fixture(scope="module", params=["hour", "week"])
def visits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Desk]:
    """A table whose past has been read, the partition before the one of the faults judged."""
    cadence = str(request.param)
    desk = Desk(tmp_path_factory.mktemp(cadence)).write(CONFIG.format(cadence=cadence))
    desk.sql(
        f"""CREATE TABLE visits AS SELECT {MOMENTS[cadence]} AS ts, i AS id,
        ['red', 'green', 'blue'][1 + CAST(floor(random() * 2.99) AS INT)] AS color,
        ['web', 'web', 'ios', 'ios', 'android'][1 + CAST(i % 5 AS INT)] AS app,
        'p' || (i * 7 % 20) AS who, round(random() * 100, 2) AS price, 10 + random() AS load
        FROM range({ROWS[cadence] * SPANS[cadence]}) t(i)"""
    )
    answer = desk.judge("--no-alerts", now=NOW[cadence])
    assert answer.code == 0, answer.out + answer.err
    assert {f["partition"] for f in answer.findings} == {JUDGED[cadence]}
    return cadence, desk


@pytest.fixture(scope="module")
def ordinary(visits: tuple[str, Desk]) -> Sequence[dict[str, Any]]:
    """The findings of the last partition, which is well."""
    cadence, desk = visits
    return desk.judge("--no-alerts", now=NOW[cadence]).findings


def copy_of(desk: Desk, folder: Path) -> Desk:
    for file in desk.folder.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    return Desk(folder)


def test_an_ordinary_partition_is_judged_by_every_check(ordinary: Sequence[dict[str, Any]]) -> None:
    kinds = {"freshness", "volume", "schema", "drift", "nulls", "stats", "duplicates", "missing", "metric", "entity"}
    assert kinds | {"rule"} <= {f["kind"] for f in ordinary}
    assert {f["check"]: f["status"] for f in ordinary if f["status"] != "pass"} == {"schema": "learning"}


@pytest.mark.parametrize("faults", TOGETHER, ids="-".join)
def test_a_fault_of_the_partition_is_found(visits: tuple[str, Desk], faults: tuple[str, ...], tmp_path: Path) -> None:
    cadence, kept = visits
    desk = copy_of(kept, tmp_path).sql(*(FAULTS[fault].format(begin=BEGIN[cadence]) for fault in faults))
    answer = desk.judge("--no-alerts", now=NOW[cadence])
    failed = {f["kind"] for f in answer.findings if f["status"] == "fail"}
    assert answer.code == 1, answer.err
    assert set(faults) <= failed, {f["check"]: (f["score"], f["threshold"]) for f in answer.findings}


def test_only_hours_are_warned_about(visits: tuple[str, Desk]) -> None:
    cadence, desk = visits
    answer = desk.say("check-config", now=NOW[cadence])
    assert answer.code == 0
    assert ("24 chances of a false alert a day in the same monthly budget" in answer.err) is (cadence == "hour")


def test_the_budget_is_that_of_a_month_whatever_the_cadence(
    visits: tuple[str, Desk], ordinary: Sequence[dict[str, Any]], tmp_path: Path
) -> None:
    """The same table by the day and by another cadence: an hour's chance of an alert is so many times smaller."""
    cadence, kept = visits
    desk = copy_of(kept, tmp_path)
    before = {f["check"]: f["threshold"] for f in ordinary}
    desk.write(CONFIG.format(cadence=cadence) + "    false_alerts_per_month: 24\n")
    after = {f["check"]: f["threshold"] for f in desk.judge("--no-alerts", now=NOW[cadence]).findings}
    assert after["metric.mean_load"] < before["metric.mean_load"]
    assert after["drift"] < before["drift"]
