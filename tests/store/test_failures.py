"""What goes wrong around the store leaves it whole, and is said in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.errors import SourceError, UsageError
from monitor.store import Store
from monitor.store import engine as engines

KILLED = """
import datetime as dt, importlib.util, os, signal, sys
import sqlalchemy as sa
from monitor.store import Store

spec = importlib.util.spec_from_file_location("builders", sys.argv[1])
builders = importlib.util.module_from_spec(spec)
sys.modules["builders"] = builders
spec.loader.exec_module(builders)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

store = Store.open(sys.argv[2])
sa.event.listen(store._engine, sys.argv[3], die)
store.record(builders.bad_run(1))
"""


def record_and_die(url: str, when: str) -> None:
    conftest = str(Path(__file__).parent / "conftest.py")
    command = [sys.executable, "-c", KILLED, conftest, url, when]
    process = subprocess.run(command, env=dict(os.environ), timeout=60, check=False)  # noqa: S603 - our own code
    assert process.returncode == -signal.SIGKILL


def test_killed_before_the_commit_nothing_is_recorded(store_url: str, make: Any) -> None:
    with Store.open(store_url) as store:
        store.record(make.bad_run(0))
        record_and_die(store_url, "commit")
        assert len(store.history("main.flights")) == 1
        assert len(store.findings()) == len(store.incidents()) == len(store.pending(10, make.now)) == 1
        again = store.record(make.bad_run(1))
        assert (again.revision, again.findings[0].id, again.incidents[0].incident) == (1, "F-2", "INC-2")
        assert len(again.alerts) == 1


def test_killed_after_the_commit_all_is_recorded(store_url: str, make: Any) -> None:
    with Store.open(store_url) as store:
        store.record(make.bad_run(0))
        record_and_die(store_url, "checkin")  # the connection goes back to the pool right after the commit
        assert len(store.history("main.flights")) == 2
        assert len(store.findings()) == len(store.incidents()) == len(store.pending(10, make.now)) == 2
        again = store.record(make.bad_run(1))
        assert (again.revision, again.incidents[0].incident, again.alerts) == (2, "INC-2", ())


def fill_disk(store: Store) -> None:
    """Let the file grow by no more than a page, on every connection of this store."""

    def limit(connection: Any, *_: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    sa.event.listen(store._engine, "checkout", limit)


def test_a_full_disk_records_nothing(sqlite_url: str, make: Any) -> None:
    with Store.open(sqlite_url) as store:
        store.record(make.bad_run(0))
        fill_disk(store)
        big = make.bad_run(1, values={f"mean.c{number}": number / 7 for number in range(10_000)})
        with pytest.raises(SourceError, match=r"disk is full.*nothing was recorded"):
            store.record(big)
        assert len(store.history("main.flights")) == len(store.findings()) == len(store.pending(9, make.now)) == 1
    with Store.open(sqlite_url) as store:  # there is room again
        assert store.record(big).findings[0].id == "F-2"


def test_a_store_held_by_another_says_so(sqlite_url: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_S", 0.01)
    with Store.open(sqlite_url) as holder, Store.open(sqlite_url) as store, holder._writer.begin():
        with pytest.raises(SourceError, match="another process has held the store"):
            store.record(make.bad_run())
        assert store.history("main.flights") == []  # readers do not wait


def test_a_damaged_store_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    Store.open(sqlite_url).close()
    path = tmp_path / "daywatch.db"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(UsageError, match="damaged"):
        Store.open(sqlite_url)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused', "cannot be reached"),
        ('FATAL: password authentication failed for user "ana" (s3cret)', "cannot be reached"),
        ('could not extend file "base/1": No space left on device', "disk is full"),
        ("permission denied for schema public", "may not write"),
        ("cannot execute INSERT in a read-only transaction", "cannot be written to"),
    ],
)
def test_a_servers_troubles_in_words(said: str, expected: str) -> None:
    url = sa.make_url("postgresql+psycopg://ana:s3cret@db/daywatch")

    def fail() -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception(said))

    with pytest.raises(SourceError, match=expected) as raised, engines.telling(url):
        fail()
    assert "s3cret" not in str(raised.value)
    assert "ana" in str(raised.value)


def test_a_statement_that_is_wrong_is_a_defect_and_stays_one() -> None:
    def fail() -> None:
        raise sa.exc.ProgrammingError("SELEC 1", {}, Exception("syntax error"))

    with pytest.raises(sa.exc.ProgrammingError), engines.telling(sa.make_url("sqlite://")):
        fail()


def test_errors_never_show_what_was_recorded(store: Store, make: Any) -> None:
    with store._writer.begin() as connection:
        connection.execute(sa.text("DROP TABLE daywatch_outbox"))
    with pytest.raises((SourceError, sa.exc.DBAPIError)) as raised:
        store.record(make.bad_run(findings=[make.finding(incident="new:0", summary="Mr Miller, 4711")]))
    assert "Miller" not in str(raised.value)
    assert "slack:#data" not in str(raised.value)
