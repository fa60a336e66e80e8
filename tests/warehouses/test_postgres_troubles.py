"""What servers go through, with a real one: each trouble is told as what it is, and the next statement goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.types import Measure, Table
from monitor.warehouses import DEFAULT_LIMITS, Limits, postgres
from monitor.warehouses.base import StatementError
from monitor.warehouses.postgres import Postgres
from monitor.warehouses.postgres_drivers import Adbc, Driver, Psycopg
from monitor.warehouses.postgres_errors import told_connecting
from tests.postgres_server import PASSWORD, Server, start

TableOf = Callable[..., Table]
LONG = "SELECT pg_sleep(60)"


@pytest.fixture(params=[Adbc, Psycopg], ids=["adbc", "psycopg"])
def driver(request: pytest.FixtureRequest) -> Driver:
    made: Driver = request.param()
    return made


@pytest.fixture
def warehouse(postgres: Server, driver: Driver) -> Iterator[Postgres]:
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            connection.execute("CREATE TABLE t AS SELECT g AS x FROM generate_series(1, 10) g")
        opened = Postgres("main", url, DEFAULT_LIMITS, driver)
        yield opened
        opened.close()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that this test alone may stop."""
    server = start(max_connections="8", superuser_reserved_connections="3", reserved_connections="0")
    yield server
    server.stop()


def unavailable(url: str, driver: Driver) -> str:
    with pytest.raises(UnavailableError) as caught:
        Postgres("main", url, DEFAULT_LIMITS, driver)
    told = str(caught.value)
    assert told.startswith("warehouse main: cannot connect: ")
    assert PASSWORD not in told
    assert "s3cret" not in told
    assert caught.value.mend
    assert "\n" not in told
    return told


def running(server: Server, count: int = 1) -> list[int]:
    """The processes that run the long statement, as soon as there are so many."""
    deadline = time.monotonic() + 20
    with server.connect() as connection:
        while time.monotonic() < deadline:
            asked = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%'"
            found = connection.execute(f"{asked} AND pid <> pg_backend_pid()").fetchall()
            if len(found) >= count:
                return [int(str(row[0])) for row in found]
    raise AssertionError("the statement does not run")


def in_the_middle(warehouse: Postgres, server: Server, strike: Callable[[int], Any]) -> BaseException:
    """Strike while a statement runs; the error that ended it."""
    with ThreadPoolExecutor(1) as pool:
        ended: Future[Any] = pool.submit(warehouse.fetch, LONG)
        strike(running(server)[0])
        error = ended.exception(30)
    assert error is not None
    return error


def test_an_unreachable_host(driver: Driver) -> None:
    assert "Connection refused; check its host and port" in unavailable("postgresql://u:s3cret@127.0.0.1:1/db", driver)
    assert "correct the host" in unavailable("postgresql://u:s3cret@no-such-host.invalid/db", driver)


def test_a_wrong_password_user_or_database(postgres: Server, driver: Driver) -> None:
    wrong = unavailable(postgres.at("postgres", "postgres", "s3cret-but-wrong"), driver)
    assert 'password authentication failed for user "postgres"; correct the user or the password' in wrong
    assert "correct the user" in unavailable(postgres.at("postgres", user="nobody_here"), driver)
    missing = unavailable(postgres.at("no_such_db"), driver)
    assert 'database "no_such_db" does not exist; correct the name of the database' in missing


def test_too_many_connections(own_server: Server, driver: Driver) -> None:
    with own_server.connect() as connection:
        connection.execute(f"CREATE ROLE ana LOGIN PASSWORD '{PASSWORD}'")
    url = own_server.at("postgres", "ana")
    held = [own_server.connect(url) for _ in range(5)]
    assert "raise max_connections" in unavailable(url, driver)
    for connection in held:
        connection.close()
    with own_server.connect() as connection:
        connection.execute("ALTER ROLE ana CONNECTION LIMIT 0")
    assert "CONNECTION LIMIT" in unavailable(url, driver)


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u"', "pg_hba.conf"),
        ("FATAL:  the database system is starting up", "wait until"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ('FATAL:  permission denied for database "db"', "GRANT CONNECT"),
    ],
)
def test_other_refusals(said: str, mend: str) -> None:
    assert mend in told_connecting(said, "warehouse main").mend


def test_a_dropped_table_is_a_fault_of_the_statement(warehouse: Postgres, table_of: TableOf, postgres: Server) -> None:
    table = table_of(warehouse, "t")
    with postgres.connect(warehouse.url) as connection:
        connection.execute("DROP TABLE t")
    with pytest.raises(StatementError, match=r'main\.t: relation ".*t" does not exist'):
        warehouse.count(table)
    with pytest.raises(UsageError, match="no table `t`"):
        warehouse.columns(("t",))
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1


def test_a_type_that_changed_between_runs(warehouse: Postgres, table_of: TableOf, postgres: Server) -> None:
    table = table_of(warehouse, "t")
    mean = Measure("mean", "x")
    assert warehouse.aggregates(table, None, [mean]) == {mean: 5.5}
    with postgres.connect(warehouse.url) as connection:
        connection.execute("ALTER TABLE t ALTER x TYPE jsonb USING to_jsonb(ARRAY[x])")
    with pytest.raises(StatementError, match=r"main\.t: cannot cast"):
        warehouse.aggregates(table, None, [mean])
    again = table_of(warehouse, "t")
    assert warehouse.aggregates(again, None, [mean]) == {mean: None}
    assert warehouse.sample(again, None, 5, 0)["x"].notna().all()


def test_the_time_limit_is_enforced_and_named(postgres: Server, driver: Driver) -> None:
    warehouse = Postgres("main", postgres.at("postgres"), Limits(statement_timeout_s=0.2), driver)
    for statement in (LONG, "SELECT pg_sleep(0.1) FROM generate_series(1, 100)"):  # before and amid the rows
        with pytest.raises(SourceError, match=r"statement_timeout_s = 0\.2") as caught:
            warehouse.fetch(statement)
        assert type(caught.value) is SourceError
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1
    warehouse.close()


def test_a_lock_that_is_held_ends_by_the_time_limit(warehouse: Postgres, postgres: Server, driver: Driver) -> None:
    hasty = Postgres("main", warehouse.url, Limits(statement_timeout_s=0.2), driver)
    with postgres.connect(warehouse.url) as connection, connection.transaction():
        connection.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SourceError, match="timeout"):
            hasty.fetch("SELECT * FROM t")
        state = hasty.states([("t",)])[("t",)]  # metadata waits for nobody
        assert state.bytes is None
        assert state.mark is not None
    hasty.close()


def test_a_connection_killed_while_idle_is_replaced(
    warehouse: Postgres, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.warehouses.postgres.IDLE_S", 0)
    pid = warehouse.fetch("SELECT pg_backend_pid() AS p")["p"][0].as_py()
    with postgres.connect() as connection:
        connection.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
    assert warehouse.fetch("SELECT pg_backend_pid() AS p")["p"][0].as_py() != pid


def test_a_connection_killed_in_the_middle_is_told_and_the_next_is_new(warehouse: Postgres, postgres: Server) -> None:
    def kill(pid: int) -> None:
        with postgres.connect() as connection:
            connection.execute(f"SELECT pg_terminate_backend({pid})")

    error = in_the_middle(warehouse, postgres, kill)
    assert isinstance(error, UnavailableError)
    assert "the connection was lost: terminating connection due to administrator command" in str(error)
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1


def test_a_statement_that_somebody_cancels(warehouse: Postgres, postgres: Server) -> None:
    def cancel(pid: int) -> None:
        with postgres.connect() as connection:
            connection.execute(f"SELECT pg_cancel_backend({pid})")

    error = in_the_middle(warehouse, postgres, cancel)
    assert type(error) is SourceError
    assert "canceling statement due to user request" in str(error)


@pytest.mark.parametrize("word", ["restart", "kill"])
def test_a_server_restarted_in_the_middle(
    own_server: Server, driver: Driver, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Postgres("main", own_server.at("postgres"), DEFAULT_LIMITS, driver)
    error = in_the_middle(warehouse, own_server, lambda _pid: own_server.signal(word))
    assert isinstance(error, UnavailableError)
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1
    monkeypatch.setattr(postgres, "IDLE_S", 0)
    own_server.signal(word)  # while nobody asks
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1
    warehouse.close()


def test_a_server_that_is_gone_and_comes_back(own_server: Server, driver: Driver) -> None:
    warehouse = Postgres("main", own_server.at("postgres"), DEFAULT_LIMITS, driver)
    own_server.signal("down")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            warehouse.fetch("SELECT 1 AS x")
    own_server.signal("up")
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1
    warehouse.close()


def test_more_threads_than_connections_take_turns(warehouse: Postgres) -> None:
    barrier = threading.Barrier(8)

    def work(_: int) -> int:
        barrier.wait(20)
        return int(warehouse.fetch("SELECT pg_backend_pid() AS p, pg_sleep(0.02)")["p"][0].as_py())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(8)))) <= 4
