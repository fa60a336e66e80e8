"""Metrics by segment and entities on a real table: found, explained, with SQL that runs; what breaks is an error."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.check import checks_of, load_checks
from monitor.run import Outcome, Watch, judge_partition
from monitor.store import Store
from monitor.types import Status, Table, TimeColumn, TimeForm
from monitor.warehouses import open_warehouse

NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)
MADE = """
    CREATE TABLE calls AS
    SELECT DATE '2024-01-01' + (n // 2000)::INT AS day, n AS id,
           ['UA', 'AA', 'WN'][(hash(n, 1) % 3 + 1)::INT] AS carrier,
           CASE WHEN hash(n, 2) % 10 < 3 THEN '10.0.0.' || (hash(n, 3) % 10)
                ELSE '99.' || (hash(n, 4) % 5000) END AS ip,
           10.0 + (hash(n, 5) % 100) / 10 AS delay, hash(n, 6) % 50 AS failures
    FROM range(90000) t(n)
"""
METRICS = (
    {"name": "mean_delay", "sql": "avg(delay)", "by": ("carrier",), "priority": "high"},
    {"name": "failed", "sql": "sum(failures) / sum(failures - failures)"},
    {"name": "p90", "sql": 'percentile_cont(0.9) WITHIN GROUP (ORDER BY "delay")', "by": ("carrier",)},
    {"name": "by_nothing", "sql": "count(*)", "by": ("ip",), "where": "delay > 1000"},
)
ENTITIES = ({"name": "by_ip", "entity": "ip", "statistic": "count(*)", "direction": "up"},)


@pytest.fixture
def judge(tmp_path: Path) -> Any:
    file = tmp_path / "calls.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(MADE)

    def judged(label: str, *statements: str, **settings: Any) -> tuple[dict[str, Any], Outcome, dict[str, int]]:
        with duckdb.connect(str(file)) as connection:
            for statement in statements:
                connection.execute(statement)
        warehouse = open_warehouse("main", f"duckdb:///{file}")
        columns = warehouse.columns(("calls",))
        time = TimeColumn("day", TimeForm.DATE)
        table = Table("main.calls", "main", ("calls",), columns, time, automatic=False)
        with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
            table = dataclasses.replace(table, **settings)
            watch = Watch(table, warehouse, store, checks_of(load_checks(), table))
            try:
                outcome = judge_partition(watch, warehouse.partition(table, label), NOW)
                rows = {f.check: warehouse.fetch(f.sql_bad).num_rows for f in outcome.findings if f.sql_bad}
                return {f.check: f for f in outcome.findings}, outcome, rows
            finally:
                warehouse.close()

    return judged


SLOW = "UPDATE calls SET delay = delay + 8 WHERE carrier = 'WN' AND day = '2024-02-05'"
FLOOD = "UPDATE calls SET ip = '10.0.0.3' WHERE id % 15 = 0 AND day = '2024-02-05'"


def test_a_metric_is_explained_by_its_segment(judge: Any) -> None:
    found, _, _ = judge("2024-02-04", metrics=METRICS[:1])
    assert {name: f.status for name, f in found.items() if name.startswith("metric")} == {
        "metric.mean_delay": Status.PASS
    }
    found, outcome, rows = judge("2024-02-05", SLOW, metrics=METRICS[:1])
    whole, segment = found["metric.mean_delay"], found["metric.mean_delay.WN"]
    assert whole.status is segment.status is Status.FAIL
    assert "carrier WN makes" in whole.summary
    assert whole.segments[0].where == segment.segments[0].where == "\"carrier\" = 'WN'"
    assert rows == {"metric.mean_delay": 100, "metric.mean_delay.WN": 100}
    assert len(outcome.incidents) == 1
    assert len(segment.detail["course"]) == 35
    assert segment.priority == "high"


UNSPLIT = (
    {"name": "mean_delay", "sql": "avg(delay)"},
    {"name": "calls", "sql": "count(*)"},
    {"name": "bad_share", "sql": "sum(CASE WHEN failures > 45 THEN 1 ELSE 0 END) / count(*)"},
)
WORSE = "UPDATE calls SET failures = 49 WHERE carrier = 'AA' AND id % 2 = 0 AND day = '2024-02-05'"
FEWER = "DELETE FROM calls WHERE carrier = 'UA' AND id % 4 > 0 AND day = '2024-02-05'"


@pytest.mark.parametrize(
    ("fault", "name", "carrier"), [(SLOW, "mean_delay", "WN"), (FEWER, "calls", "UA"), (WORSE, "bad_share", "AA")]
)
def test_a_metric_that_nobody_split_is_explained_by_the_rows_that_moved_it(
    judge: Any, fault: str, name: str, carrier: str
) -> None:
    judge("2024-02-04", metrics=UNSPLIT)
    found, _, _ = judge("2024-02-05", fault, metrics=UNSPLIT)
    whole = found[f"metric.{name}"]
    assert whole.status is Status.FAIL
    (lead, *_) = whole.segments
    assert lead.where == f"\"carrier\" = '{carrier}'"
    assert lead.recall > 0.8
    assert f"{lead.where} makes " in whole.summary
    assert f"'{carrier}'" in whole.sql_bad
    seen, (move, *_) = whole.observation, whole.detail["moves"]
    assert move["where"] == lead.where
    assert move["change"] == pytest.approx((seen.today - seen.expected) * lead.recall, rel=0.25)


def test_a_move_of_all_rows_is_nobodys(judge: Any) -> None:
    judge("2024-02-04", metrics=UNSPLIT[:1])
    found, _, _ = judge("2024-02-05", SLOW.replace("carrier = 'WN' AND", ""), metrics=UNSPLIT[:1])
    assert found["metric.mean_delay"].status is Status.FAIL
    assert found["metric.mean_delay"].segments == ()
    assert "moves" not in found["metric.mean_delay"].detail


def test_an_entity_out_of_line_is_named_with_its_course(judge: Any) -> None:
    judge("2024-02-04", entities=ENTITIES)
    found, _, rows = judge("2024-02-05", FLOOD, entities=ENTITIES)
    entity = found["entity.by_ip"]
    assert entity.status is Status.FAIL
    assert entity.summary.startswith("ip 10.0.0.3 has count(*) of 1")
    assert entity.segments[0].where == "\"ip\" = '10.0.0.3'"
    assert rows["entity.by_ip"] == 100
    assert len(entity.detail["course"]) == 35


def test_what_cannot_be_computed_is_an_error_and_spoils_nothing_else(judge: Any) -> None:
    entities = ({"name": "broken", "entity": "ip", "statistic": "sum(failuers)"}, *ENTITIES)
    found, _, _ = judge("2024-02-04", metrics=METRICS, entities=entities)
    assert found["metric.failed"].status is Status.ERROR
    assert "divides by zero" in found["metric.failed"].summary
    assert found["entity.broken"].status is Status.ERROR
    assert "failuers" in found["entity.broken"].summary
    fine = {"metric.mean_delay", "metric.p90", "entity.by_ip", "metric.by_nothing"}
    assert {found[name].status for name in fine} == {Status.PASS}


def test_a_metric_added_later_has_its_segments_past_at_once(judge: Any) -> None:
    judge("2024-02-03", metrics=METRICS[1:2])
    found, _, _ = judge("2024-02-05", SLOW, metrics=METRICS[:2])
    assert found["metric.mean_delay.WN"].status is Status.FAIL


def test_behind_a_closed_gate_all_are_skipped_by_name(judge: Any) -> None:
    found, _, _ = judge("2024-05-20", metrics=METRICS[:1], entities=ENTITIES)
    assert {f.status for name, f in found.items() if name.startswith(("metric", "entity"))} == {Status.SKIPPED}
    assert {"metric.mean_delay", "entity.by_ip"} <= set(found)
