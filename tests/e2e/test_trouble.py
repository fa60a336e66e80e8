from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.desk import NOW, Desk

COMMAND = (sys.executable, "-c", "from monitor.cli import main; main()")


def _start(desk: Desk, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *words], cwd=desk.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "DAYWATCH_NOW": NOW},
    )  # fmt: skip


def test_a_warehouse_that_another_process_holds_is_an_error_that_names_it(desk: Desk) -> None:
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(desk.folder / 'shop.duckdb')!r}); print(1, flush=True); input()"
    )
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        answer = desk.judge("--date", "2026-11-09")
        holder.communicate("\n")
    assert answer.code == 3
    assert [(f["table"], f["check"], f["status"]) for f in answer.findings] == [("main", "source", "error")]
    assert [(e["table"], e["event"]) for e in answer.events] == [("main", "opened")]
    assert "shop.duckdb is locked by" in answer.err
    assert str(holder.pid) in answer.err


def _overwrite(store: Path) -> None:
    store.write_bytes(b"not a database, and long enough to be taken for one " * 100)


def _make_foreign(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE foo(a)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(_overwrite, "not a daywatch store, or it is damaged"), (_make_foreign, "holds the table foo")],
)
def test_a_store_that_is_none_is_refused_untouched(desk: Desk, spoil: Callable[[Path], None], told: str) -> None:
    store = desk.folder / "daywatch.db"
    spoil(store)
    before = store.read_bytes()
    answer = desk.judge("--date", "2026-11-09")
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
    assert store.read_bytes() == before


def test_a_store_that_lost_a_table_is_told_without_a_stack_trace(seasoned: Desk) -> None:
    seasoned.judge("--date", "2026-11-09")
    connection = sqlite3.connect(seasoned.folder / "daywatch.db")
    connection.execute("DROP TABLE daywatch_findings")
    connection.close()
    answer = seasoned.judge("--date", "2026-11-09")
    assert answer.code == 3
    assert "restore it from a copy" in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_that_cannot_be_written_to_loses_no_finding(seasoned: Desk) -> None:
    blocked = seasoned.folder / "alerts"
    blocked.write_text("a file where a folder should be")
    answer = seasoned.judge("--date", "2026-11-10")
    assert answer.code == 3
    assert [e["event"] for e in answer.events] == ["opened"]
    assert "alerts" in answer.err
    blocked.unlink()
    again = seasoned.judge("--date", "2026-11-09", now="2026-11-22T05:00+00:00")
    assert again.code == 0
    assert len(seasoned.alerts()) == 1


def test_an_exception_in_one_table_does_not_stop_the_others(seasoned: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import monitor.run

    seasoned.sql("CREATE TABLE other AS SELECT d, price FROM orders")
    seasoned.write((seasoned.folder / "daywatch.yaml").read_text() + "  - {name: main.other, time_column: d}\n")
    gate = monitor.run.read_gate

    def raising(watch: monitor.run.Watch, *rest: object) -> object:
        if watch.table.name == "main.orders":
            raise ZeroDivisionError("token=abc123secret")
        return gate(watch, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(monitor.run, "read_gate", raising)
    answer = seasoned.judge("--date", "2026-11-09")
    assert answer.code == 3
    assert [f["status"] for f in answer.findings if f["table"] == "main.orders"] == ["error"]
    assert {f["status"] for f in answer.findings if f["table"] == "main.other"} == {"pass", "learning"}
    assert "abc123secret" not in answer.out + answer.err


def test_an_interrupted_run_says_that_it_can_go_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import monitor.run

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(monitor.run, "read_gate", interrupt)
    answer = desk.judge("--date", "2026-11-09")
    assert answer.code == 3
    assert "run again to go on" in answer.err


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_taken_up_and_doubles_nothing(desk: Desk) -> None:
    days = ("--from", "2026-11-09", "--to", "2026-11-11")
    for moment_s in (1.5, 2.5, 3.5):
        process = _start(desk, "run", *days)
        try:
            process.communicate(timeout=moment_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    answer = desk.judge(*days)
    assert answer.code == 1
    assert [(e["event"], e["incident"]) for e in answer.events] == [("opened", "INC-1"), ("recovered", "INC-1")]
    assert len(desk.alerts()) == 1


@pytest.mark.slow
def test_two_runs_at_once_double_nothing(seasoned: Desk) -> None:
    runs = [_start(seasoned, "run", "--date", "2026-11-10", "--format", "json") for _ in range(2)]
    codes = [run.wait(600) for run in runs]
    for run in runs:
        run.communicate()
    assert set(codes) <= {1, 3}
    assert 1 in codes
    answer = seasoned.judge("--date", "2026-11-10")
    assert {e["incident"] for e in answer.events} == {"INC-1"}
    assert len(seasoned.alerts()) == 1
