from __future__ import annotations

import datetime as dt
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.errors import SourceError, UsageError
from monitor.store import Store


def test_a_fresh_store_is_empty_and_stays_after_closing(store_url: str, make: Any) -> None:
    with Store.open(store_url) as store:
        assert store.history("main.flights") == []
        assert store.findings() == []
        assert store.incidents() == []
        assert store.status_rows() == []
        assert store.pending(10, make.now) == []
        store.record(make.run())
    with Store.open(store_url) as store:
        assert [past.partition for past in store.history("main.flights")] == [make.day(0)]


def test_folders_are_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/state/of things/daywatch.db").close()
    assert (tmp_path / "state" / "of things" / "daywatch.db").is_file()


def test_sqlite_writes_ahead_and_holds_foreign_keys(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store, store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_store_in_memory_lives_as_long_as_its_object(make: Any) -> None:
    with Store.open("sqlite://") as store:
        store.record(make.bad_run())
        assert len(store.findings()) == 1
    with Store.open("sqlite://") as store:
        assert store.findings() == []


def test_many_threads_open_one_new_store(store_url: str, make: Any) -> None:
    def open_and_record(number: int) -> int:
        with Store.open(store_url) as store:
            return store.record(make.run(number)).revision

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_and_record, range(8))) == [1] * 8
    with Store.open(store_url) as store:
        assert len(store.history("main.flights")) == 8


def test_processes_open_one_new_store(store_url: str) -> None:
    code = "import sys; from monitor.store import Store; Store.open(sys.argv[1]).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code, store_url]) for _ in range(3)]  # noqa: S603 - our code
    assert [process.wait(60) for process in processes] == [0, 0, 0]


def test_a_store_of_a_newer_daywatch_is_left_alone(store_url: str) -> None:
    with Store.open(store_url) as store, store._writer.begin() as connection:
        connection.execute(sa.text("UPDATE daywatch_version SET version_num = '9999'"))
    for arguments in ({}, {"migrate": False}, {"read_only": True}):
        with pytest.raises(UsageError, match=r"newer daywatch.*9999.*upgrade"):
            Store.open(store_url, **arguments)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a shopping list\n" * 1000)
    with pytest.raises(UsageError, match="not a daywatch store"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("a shopping list")


def test_a_database_that_is_no_store(store_url: str) -> None:
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id INTEGER)")
    for arguments in ({}, {"migrate": False}, {"read_only": True}):
        with pytest.raises(UsageError, match=r"not a daywatch store.*customers.*name another"):
            Store.open(store_url, **arguments)
    assert sa.inspect(engine).get_table_names() == ["customers"]
    engine.dispose()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be made"):
        Store.open(f"sqlite:///{tmp_path}/file/daywatch.db")
    with pytest.raises(SourceError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}")


def test_reading_only(store_url: str, make: Any) -> None:
    with Store.open(store_url) as store:
        store.record(make.bad_run())
    with Store.open(store_url, read_only=True) as store:
        assert len(store.history("main.flights")) == 1
        assert store.finding("F-1") is not None
        with pytest.raises(UsageError, match="reading only"):
            store.record(make.run(1))
        with pytest.raises(UsageError, match="reading only"):
            store.vacuum()
        assert len(store.history("main.flights")) == 1


def test_reading_only_wants_a_store(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store here yet"):
        Store.open(sqlite_url, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_without_migrations_a_store_must_be_there(store_url: str) -> None:
    with pytest.raises(UsageError, match="no store here yet"):
        Store.open(store_url, migrate=False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("daywatch.db", "cannot be read"),
        ("", "cannot be read"),
        ("postgresql://ana:s3cret@host:port/db", "cannot be read"),
        ("mysql://ana:s3cret@host/db", "not on mysql"),
        ("postgresql+nosuch://ana:s3cret@host/db", "not installed"),
        ("sqlite+nosuch:///daywatch.db", "not installed"),
    ],
)
def test_urls_that_lead_nowhere(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        Store.open(url)
    assert "s3cret" not in str(raised.value)


def test_the_password_is_never_shown(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store:
        for url in ("postgresql://ana:s3cret@host/db", "postgresql://host/db?user=ana&password=s3cret"):
            store._url = sa.make_url(url)
            assert "s3cret" not in repr(store) + store.url
            assert "ana" in store.url


def test_times_need_a_zone(store: Store, make: Any) -> None:
    naive = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(sa.exc.StatementError, match="times with a zone"):
        store.record(make.run(at=naive))
    assert store.history("main.flights") == []
