"""A segment that stops coming, on a real table: found, named, its SQL runs, its past is read once and kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.check import load_checks
from monitor.run import Outcome, Watch, judge_partition
from monitor.store import Store
from monitor.types import Status, Table, TimeColumn, TimeForm
from monitor.warehouses import open_warehouse

NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)
MADE = """
    CREATE TABLE visits AS
    SELECT TIMESTAMP '2024-01-01' + to_days((n // 1500)::INT) + to_seconds((n * 7919 % 86400)::BIGINT) AS seen_at,
           CASE WHEN hash(n, 1) % 100 < 60 THEN 'DE' WHEN hash(n, 1) % 100 < 90 THEN 'FR' ELSE 'IT' END AS country,
           ['web', 'app'][(hash(n, 2) % 2 + 1)::INT] AS device, round(hash(n, 3) % 1000 / 10, 1) AS price, n AS id
    FROM range(60000) t(n)
"""


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    file = tmp_path / "visits.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(MADE)

    class Desk:
        def sql(self, *statements: str) -> None:
            with duckdb.connect(str(file)) as connection:
                for statement in statements:
                    connection.execute(statement)

        def judge(self, label: str, **settings: Any) -> Outcome:
            warehouse = open_warehouse("main", f"duckdb:///{file}")
            table = Table(
                "main.visits", "main", ("visits",), warehouse.columns(("visits",)),
                TimeColumn("seen_at", TimeForm.TIMESTAMP), drift_backfill_days=0,
            )  # fmt: skip
            with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
                watch = Watch(dataclasses.replace(table, **settings), warehouse, store, load_checks())
                try:
                    outcome = judge_partition(watch, warehouse.partition(table, label), NOW)
                    self.rows = {f.check: warehouse.fetch(f.sql_bad).num_rows for f in outcome.findings if f.sql_bad}
                    self.good = {f.check: warehouse.fetch(f.sql_good).num_rows for f in outcome.findings if f.sql_good}
                    self.queries = outcome.cost.queries
                    return outcome
                finally:
                    warehouse.close()

    return Desk()


def finding(outcome: Outcome, check: str) -> Any:
    return next(f for f in outcome.findings if f.check == check)


LOST = """
    UPDATE visits SET country = ['DE', 'FR'][(id % 3 // 2 + 1)::INT]
    WHERE country = 'IT' AND seen_at::DATE = '2024-02-05'
"""
SHIFTED = """
    UPDATE visits SET seen_at = seen_at + INTERVAL 6 HOUR
    WHERE seen_at::DATE = '2024-02-05' AND hour(seen_at) IN (12, 13)
"""


def test_a_lost_segment_is_named_with_sql_that_runs(desk: Any) -> None:
    assert finding(desk.judge("2024-02-04"), "missing").status is Status.PASS
    desk.sql(LOST)
    found = finding(desk.judge("2024-02-05"), "missing")
    assert found.status is Status.FAIL
    assert found.segments[0].where == "\"country\" = 'IT'"
    # its rows came, as those of other countries
    assert (found.segments[0].rows, found.columns[0], found.change.value) == (0, "country", "values_gone")
    assert found.summary.startswith("No rows of country IT came; expected about 1")
    assert desk.rows["missing"] == 0
    assert desk.good["missing"] == 100
    assert len(found.detail["course"]) == 35
    assert "IT" not in str(found.detail)


def test_a_segment_whose_rows_did_not_come_is_rows_missing(desk: Any) -> None:
    desk.sql("DELETE FROM visits WHERE country = 'IT' AND seen_at::DATE = '2024-02-05'")
    found = finding(desk.judge("2024-02-05"), "missing")
    assert found.status is Status.FAIL
    assert (found.columns[0], found.change.value) == ("country", "rows_missing")


def test_lost_hours_are_a_time_of_day(desk: Any) -> None:
    desk.sql(SHIFTED)
    outcome = desk.judge("2024-02-05")
    found = finding(outcome, "missing")
    assert found.status is Status.FAIL
    assert found.summary.startswith("No rows of seen_at from 12:00 to 14:00 came")
    assert found.segments[0].rows == 0
    assert desk.good["missing"] == 100
    assert [event.checks[0] for event in outcome.incidents if event.alerted] == ["missing"]


def test_the_past_is_read_once_and_a_later_run_knows_it(desk: Any, tmp_path: Path) -> None:
    desk.judge("2024-02-04")
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        before = store.costs("main.visits").queries
    desk.judge("2024-02-05")
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        looks = 1  # into texts, for JSON in them
        assert store.costs("main.visits").queries - before == desk.queries + looks  # nothing was read of the past


def test_rare_values_are_kept_without_their_names(desk: Any, tmp_path: Path) -> None:
    desk.sql("UPDATE visits SET country = 'secret ' || (id % 3) WHERE id % 500 = 0")
    desk.judge("2024-02-05")
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store, store._engine.connect() as connection:
        documents = connection.exec_driver_sql("SELECT document FROM daywatch_groups").scalars().all()
    assert any('["DE"]' in document for document in documents)
    assert not any("secret" in document for document in documents)
