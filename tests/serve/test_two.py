"""Two services on one store: no table-day twice, and what one leaves when it is killed the other takes over."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from monitor.store import Store
from tests.e2e.desk import Desk
from tests.serve.driven import TIMEOUT_S, Driven
from tests.serve.test_faults import NOON

TABLES = tuple(f"t{i}" for i in range(4))
CONFIG = """warehouses: {main: "duckdb:///shop.duckdb"}
serve: {port: 0, workers: 1}
defaults: {channels: ["folder:alerts"]}
tables:
  - {name: main.*, time_column: d, due: "06:00", automatic: false, rules: [{not_null: v}]}
"""


def build(folder: Path) -> None:
    """Some tables; the last day of each has values that are missing."""
    made = (
        f"CREATE TABLE {name} AS SELECT DATE '2024-02-20' + CAST(i // 20 AS INT) AS d,"
        " CASE WHEN i >= 260 AND i % 2 = 0 THEN NULL ELSE i END AS v FROM range(280) t(i)"
        for name in TABLES
    )
    Desk(folder).sql(*made)
    (folder / "daywatch.yaml").write_text(CONFIG)


def records(folder: Path) -> list[tuple[str, int]]:
    connection = sqlite3.connect(folder / "daywatch.db")
    try:
        return connection.execute(
            "SELECT table_name, count(*) FROM daywatch_revisions WHERE judged GROUP BY 1 ORDER BY 1"
        ).fetchall()
    finally:
        connection.close()


@pytest.mark.slow
def test_one_of_two_is_killed_in_the_middle_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    build(tmp_path)
    point = tmp_path / "failpoint"
    point.write_text("claimed parent\n")
    first = Driven(tmp_path, NOON, {"DAYWATCH_FAILPOINT": str(point)})
    second = Driven(tmp_path, NOON)
    assert first.process.stdin is not None
    first.process.stdin.write(NOON.isoformat() + "\n")
    first.process.stdin.flush()
    assert first.process.wait(TIMEOUT_S) == -9  # Before the second looks: else it may claim all of them first.
    first.close()
    for minutes in (0, 10, 20, 45):
        assert second.at(NOON + dt.timedelta(minutes=minutes))
    assert second.close() == 0
    assert records(tmp_path) == [(f"main.{name}", 1) for name in TABLES]
    with Store.open(f"sqlite:///{tmp_path / 'daywatch.db'}") as store:
        assert sorted(i.table for i in store.incidents(open_only=True)) == [f"main.{name}" for name in TABLES]
        assert all(store.holder(f"main.{name}", "2024-03-04T00:00:00Z") is None for name in TABLES)
    assert len(list((tmp_path / "alerts").glob("*INC*"))) == len(TABLES)


@pytest.mark.slow
def test_two_at_the_same_moment_judge_each_day_once(tmp_path: Path) -> None:
    build(tmp_path)
    services = [Driven(tmp_path, NOON) for _ in range(2)]
    for service in services:
        assert service.process.stdin is not None
        service.process.stdin.write(NOON.isoformat() + "\n")
        service.process.stdin.flush()
    for service in services:
        assert service.process.stdout is not None
        assert service.process.stdout.readline() == "done\n"
    for service in services:
        assert service.at(NOON + dt.timedelta(minutes=20))
        assert service.close() == 0
    assert records(tmp_path) == [(f"main.{name}", 1) for name in TABLES]
    assert len(list((tmp_path / "alerts").glob("*INC*"))) == len(TABLES)
