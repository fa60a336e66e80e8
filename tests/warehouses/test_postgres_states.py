"""What PostgreSQL's metadata says of tables: equal marks only where no row has changed."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from monitor.warehouses.polls import TableState
from monitor.warehouses.postgres import Postgres
from tests.postgres_server import Server, start

TABLE = ("t",)


class Writer:
    """A session that changes rows, and reports to the statistics at once instead of within a second."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.connection = connection

    def __call__(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)
        self.connection.execute("SELECT pg_stat_force_next_flush()")
        self.connection.execute("SELECT 1")


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.schema() as url:
        yield url


@pytest.fixture
def write(postgres: Server, url: str) -> Iterator[Writer]:
    with postgres.connect(url) as connection:
        writer = Writer(connection)
        writer("CREATE TABLE t AS SELECT g AS x FROM generate_series(1, 1000) g")
        yield writer


@pytest.fixture
def warehouse(url: str, write: Writer) -> Iterator[Postgres]:  # noqa: ARG001 - the tables are made first
    opened = Postgres("main", url)
    yield opened
    opened.close()


def state(warehouse: Postgres, path: tuple[str, ...] = TABLE) -> TableState:
    return warehouse.states([path])[path]


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET x = 0 WHERE x = 5",
        "DELETE FROM t WHERE x = 5",
        "TRUNCATE t",
        "DROP TABLE t; CREATE TABLE t AS SELECT g AS x FROM generate_series(1, 1000) g",
        "COPY t FROM PROGRAM 'echo 7'",
        "SELECT pg_stat_reset_single_table_counters('t'::regclass); INSERT INTO t SELECT generate_series(1, 1000)",
        "BEGIN; TRUNCATE t; INSERT INTO t SELECT generate_series(1, 1000); COMMIT",
    ],
)
def test_every_change_changes_the_mark(warehouse: Postgres, write: Writer, change: str) -> None:
    before = state(warehouse)
    assert before.mark is not None
    assert state(warehouse) == before
    write(change)
    assert state(warehouse).mark != before.mark


@pytest.mark.parametrize("nothing", ["SELECT count(*) FROM t", "ANALYZE t", "CREATE INDEX ON t (x)", "VACUUM t"])
def test_what_changes_no_row_keeps_the_mark(warehouse: Postgres, write: Writer, nothing: str) -> None:
    before = state(warehouse).mark
    write(nothing)
    assert state(warehouse).mark == before


def test_a_change_not_reported_yet_is_seen_later(warehouse: Postgres, write: Writer) -> None:
    """The mark is read before the rows: a change between both is counted now, and shows in the next mark."""
    before = state(warehouse).mark
    with write.connection.transaction():
        write.connection.execute("INSERT INTO t VALUES (1)")
        assert state(warehouse).mark == before
    write()
    assert state(warehouse).mark != before


def test_rows_and_bytes(warehouse: Postgres, write: Writer) -> None:
    found = state(warehouse)
    assert found.rows == 1_000
    assert found.bytes is not None
    assert found.bytes >= 8_192 * 4
    assert found.altered is None
    write("DELETE FROM t WHERE x <= 400")
    assert state(warehouse).rows == 600


def test_many_tables_are_one_query(warehouse: Postgres, write: Writer) -> None:
    write(*(f"CREATE TABLE t{i} (x int)" for i in range(30)), 'CREATE TABLE "o\'dd %s" (x int)')
    paths = [TABLE, *((f"t{i}",) for i in range(30)), ("o'dd %s",), ("missing",)]
    with warehouse.costing() as receipt:
        found = warehouse.states(paths)
    assert receipt.queries == 1
    assert set(found) == set(paths[:-1])
    assert len({found[path].mark for path in found}) == 32
    assert warehouse.states([]) == {}


def test_parts_are_summed_and_any_of_them_changes_the_mark(warehouse: Postgres, write: Writer) -> None:
    write(
        "CREATE TABLE p (d int, x int) PARTITION BY LIST (d)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (x)",
        "CREATE TABLE p2_1 PARTITION OF p2 DEFAULT",
        "INSERT INTO p SELECT 1 + g % 2, g FROM generate_series(1, 100) g",
        "CREATE TABLE parent (x int)",
        "CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO child VALUES (1)",
    )
    before = state(warehouse, ("p",))
    assert before.rows == 100
    assert before.bytes == sum(state(warehouse, (leaf,)).bytes or 0 for leaf in ("p1", "p2_1"))
    write("INSERT INTO p2_1 VALUES (2, 0)")
    changed = state(warehouse, ("p",))
    assert changed.mark != before.mark
    write("ALTER TABLE p DETACH PARTITION p1")
    assert state(warehouse, ("p",)).mark != changed.mark
    parent = state(warehouse, ("parent",))
    write("INSERT INTO child VALUES (1)")
    assert state(warehouse, ("parent",)).mark != parent.mark


def test_views_have_no_mark_and_kept_views_have_one(warehouse: Postgres, write: Writer) -> None:
    write("CREATE VIEW v AS SELECT * FROM t", "CREATE MATERIALIZED VIEW m AS SELECT * FROM t")
    assert state(warehouse, ("v",)).mark is None
    before = state(warehouse, ("m",))
    assert before.rows == 1_000
    write("REFRESH MATERIALIZED VIEW m")
    assert state(warehouse, ("m",)).mark != before.mark


def test_a_server_that_does_not_count_or_forgot_gives_no_equal_mark() -> None:
    server = start(track_counts="off", autovacuum="off")
    try:
        with server.connect() as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS x")
            opened = Postgres("main", server.at("postgres"))
            assert state(opened).mark is None
            connection.execute("ALTER SYSTEM SET track_counts = on")
        opened.close()
    finally:
        server.stop()


def test_after_a_crash_the_mark_is_another() -> None:
    server = start(synchronous_commit="on")
    try:
        with server.connect() as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS x")
            Writer(connection)()
        before = Postgres("main", server.at("postgres"))
        mark = state(before).mark
        before.close()
        server.signal("kill")  # the counters are lost, and count from zero again
        after = Postgres("main", server.at("postgres"))
        assert state(after).mark not in (None, mark)
        after.close()
    finally:
        server.stop()
