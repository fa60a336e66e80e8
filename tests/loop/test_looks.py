"""Looks at a table that is rewritten in place: laws of the loop, by the hour too, and a process that dies amid one."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import duckdb
import pytest

from monitor.check import load_checks
from monitor.run import Outcome, Watch, judge_partition
from monitor.select import select_partitions
from monitor.store import Store
from monitor.types import Cadence, Status, Table
from monitor.warehouses import open_warehouse

START = dt.datetime(2024, 3, 4, 7, tzinfo=dt.UTC)
STATE = """CREATE OR REPLACE TABLE state AS SELECT i AS id, ['a', 'b', 'c'][1 + i % 3] AS kind,
    (hash(i + {seed}) % 10000) / 7.0 AS amount FROM range({rows}) t(i)"""


def write(folder: Path, rows: int = 500, seed: int = 0) -> None:
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        connection.execute(STATE.format(rows=rows, seed=seed))


def look(folder: Path, now: dt.datetime, **settings: object) -> Outcome:
    """In a process of its own, as far as it knows."""
    warehouse = open_warehouse("main", f"duckdb:///{folder / 'w.duckdb'}")
    try:
        with Store.open(f"sqlite:///{folder / 'store.db'}") as store:
            table = Table("main.state", "main", ("state",), warehouse.columns(("state",)), None, **settings)  # type: ignore[arg-type]
            watch = Watch(table, warehouse, store, load_checks())
            (partition,) = select_partitions(watch, None, None, now, print)
            return judge_partition(watch, partition, now)
    finally:
        warehouse.close()


def kept(folder: Path) -> list[tuple[int, int]]:
    """Rows and bytes of each sample in the store."""
    with sqlite3.connect(folder / "store.db") as store:
        return store.execute("SELECT rows_kept, length(document) FROM daywatch_samples").fetchall()


@pytest.mark.parametrize("key", [("id",), ()])
def test_the_same_data_every_day_is_silent_and_sampled_the_same(tmp_path: Path, key: tuple[str, ...]) -> None:
    write(tmp_path, rows=3_000)
    days = [look(tmp_path, START + dt.timedelta(days=n), key=key, sample_rows=400) for n in range(8)]
    assert {f.status for d in days for f in d.findings} <= {Status.PASS, Status.LEARNING}
    assert all(f.score in (None, 0.0) for d in days for f in d.findings if f.check.startswith("drift"))
    with sqlite3.connect(tmp_path / "store.db") as store:
        assert len({bytes(d) for (d,) in store.execute("SELECT document FROM daywatch_samples")}) == 1


@pytest.mark.parametrize("rows", [100, 5_000, 200_000])
def test_what_is_kept_is_bounded_whatever_the_size(tmp_path: Path, rows: int) -> None:
    write(tmp_path, rows=rows)
    look(tmp_path, START, key=("id",), sample_rows=2_000)
    ((count, size),) = kept(tmp_path)
    assert count == min(rows, 2_000)
    assert size < 100_000


def test_hours_are_looked_at_as_hours(tmp_path: Path) -> None:
    for hour in range(3):
        write(tmp_path, seed=hour)
        found = look(tmp_path, START + dt.timedelta(hours=hour), cadence=Cadence.HOUR)
        assert found.partition.label == f"2024-03-04T{7 + hour:02d}:00+00:00"
    assert len(kept(tmp_path)) == 3


def test_a_key_that_was_found_stays_when_it_repeats(tmp_path: Path) -> None:
    write(tmp_path)
    look(tmp_path, START, key=("id",))
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("INSERT INTO state SELECT * FROM state LIMIT 50")
    again = look(tmp_path, START + dt.timedelta(days=1))  # nobody could find the key today
    assert again.table.key == ("id",)
    assert next(f for f in again.findings if f.check == "changes").status is Status.LEARNING


def test_a_day_without_a_look_is_unknown_and_not_empty(tmp_path: Path) -> None:
    for day in (*range(7), *range(10, 15)):
        write(tmp_path, seed=day)
        found = look(tmp_path, START + dt.timedelta(days=day), key=("id",))
    assert {f.check: f.status for f in found.findings}["volume"] is Status.PASS
    assert next(f for f in found.findings if f.check == "volume").observation.expected == pytest.approx(500)  # type: ignore[union-attr]
    assert not [f for f in found.findings if f.status is Status.FAIL]


def test_a_table_that_was_emptied_is_told(tmp_path: Path) -> None:
    for day in range(5):
        write(tmp_path, seed=day)
        look(tmp_path, START + dt.timedelta(days=day), key=("id",))
    write(tmp_path, rows=0)
    found = look(tmp_path, START + dt.timedelta(days=5), key=("id",))
    assert {f.check for f in found.findings if f.status is Status.FAIL} >= {"freshness"}
    assert len(kept(tmp_path)) == 5


def test_a_look_that_breaks_off_leaves_nothing_and_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    look(tmp_path, START, key=("id",))

    def break_off(place: str) -> None:
        if place == "before the record":
            raise RuntimeError("power cut")

    tomorrow = START + dt.timedelta(days=1)
    with monkeypatch.context() as patched:
        patched.setattr("monitor.run.reach", break_off)
        with pytest.raises(RuntimeError):
            look(tmp_path, tomorrow, key=("id",))
    assert len(kept(tmp_path)) == 1
    assert look(tmp_path, tomorrow + dt.timedelta(hours=1), key=("id",)).recorded
    assert len(kept(tmp_path)) == 2
