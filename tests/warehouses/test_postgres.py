"""What is PostgreSQL's own: its types, names, kinds of tables and rights, over both drivers."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import psycopg
import pytest

from monitor.errors import SourceError, UsageError
from monitor.types import ColumnKind, Measure, Table, TimeColumn, TimeForm
from monitor.warehouses import DEFAULT_LIMITS, Limits, open_warehouse
from monitor.warehouses.base import StatementError
from monitor.warehouses.postgres import Postgres
from monitor.warehouses.postgres_drivers import Adbc, Driver, Psycopg, best_driver
from tests.postgres_server import Server

TableOf = Callable[..., Table]
Built = Callable[..., Postgres]


def _sorts(connection: psycopg.Connection[Any], collation: str) -> bool:
    try:
        connection.execute(f"SELECT 'a' < 'B' COLLATE \"{collation}\"")
    except psycopg.Error:
        return False
    return True


@pytest.fixture(params=[Adbc, Psycopg], ids=["adbc", "psycopg"])
def driver(request: pytest.FixtureRequest) -> Driver:
    made: Driver = request.param()
    return made


@pytest.fixture
def built(postgres: Server, driver: Driver) -> Iterator[Built]:
    """`built("CREATE ...", ...)` opens a new schema made by these statements."""
    opened: list[Postgres] = []
    with postgres.schema() as url:

        def build(*statements: str, limits: Limits = DEFAULT_LIMITS) -> Postgres:
            with postgres.connect(url) as connection:
                for statement in statements:
                    connection.execute(statement)
            opened.append(Postgres("main", url, limits, driver))
            return opened[-1]

        yield build
        for warehouse in opened:
            warehouse.close()


MANY_TYPES = """CREATE TABLE t AS SELECT 1::int2 AS i2, 1.5::real AS f4, 1.50::numeric(10, 2) AS fixed,
    'NaN'::numeric AS loose, 'c'::char(3) AS padded, 'ok'::mood AS mood, 3::positive AS domain,
    gen_random_uuid() AS u, '{"a": 1}'::json AS j, '{"a": 1}'::jsonb AS jb, ARRAY[1, 2] AS list, 'x'::bytea AS data,
    'infinity'::date AS day, '-infinity'::timestamp AS naive, timestamptz '2013-07-01 22:30+00' AS zoned,
    timestamptz(3) '2013-07-01 22:30+00' AS milli, time '05:06:07' AS clock, interval '1 day 2 hours' AS span,
    '1.2.3.4'::inet AS address, point(1, 2) AS place, 5::money AS price, B'101' AS bits, true AS flag,
    '<a/>'::text AS doc, int4range(1, 3) AS range, date '0044-03-15 BC' AS ides
  UNION ALL SELECT NULL, 'NaN', NULL, 1e400, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""


def test_types_of_its_own(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN whole AS integer",
        "CREATE DOMAIN positive AS whole CHECK (VALUE > 0)",
        MANY_TYPES,
        "ALTER TABLE t ALTER milli TYPE timestamptz(3), ALTER domain TYPE positive",
    )
    table = table_of(warehouse, "t")
    kinds = {column.name: column.kind for column in table.columns}
    types = {column.name: column.type for column in table.columns}
    assert {n for n, kind in kinds.items() if kind is ColumnKind.TEXT} == {"padded", "mood", "u", "doc"}
    assert {n for n, kind in kinds.items() if kind is ColumnKind.NUMBER} == {"i2", "f4", "fixed", "loose", "domain"}
    assert {n for n, kind in kinds.items() if kind is ColumnKind.JSON} == {"j", "jb"}
    assert types["domain"] == "integer"
    assert types["milli"] == "timestamp(3) with time zone"
    every = ["nulls", "distinct", "distinct_exact", "mean", "stddev", "min", "max", "zeros", "length_mean", "true"]
    measures = [Measure(kind, name) for kind in every for name in kinds] + [Measure("duplicate_rows")]
    measures += [Measure("nonfinite", "loose"), Measure("nonfinite", "f4"), Measure("quantile", "loose", "0.5")]
    values = warehouse.aggregates(table, None, measures)
    assert all(values[Measure("nulls", name)] == 1 for name in kinds if name not in {"f4", "loose"})
    assert all(values[Measure("distinct", name)] == 1 for name in kinds if name not in {"f4", "loose"})
    assert values[Measure("max", "fixed")] == 1.5
    assert values[Measure("nonfinite", "loose")] == values[Measure("nonfinite", "f4")] == 1
    assert values[Measure("max", "loose")] is None  # NaN is no value, and 1e400 none that a float holds
    assert values[Measure("mean", "f4")] == 1.5
    assert values[Measure("max", "day")] is None
    assert values[Measure("duplicate_rows")] == 0
    table = table_of(warehouse, "t", timezone="Europe/Berlin")
    for frame in (warehouse.sample(table, None, 10, 0), warehouse.rows_where(table, None, None, 10)):
        first = frame.iloc[0]
        assert first["zoned"] == first["milli"] == pd.Timestamp("2013-07-02T00:30")
        assert frame[["day", "naive", "ides", "loose"]].isna().all(axis=None)
        assert (first["mood"], first["padded"], first["j"], first["list"]) == ("ok", "c", '{"a": 1}', "{1,2}")
        assert (first["clock"], first["span"], first["address"]) == ("05:06:07", "1 day 02:00:00", "1.2.3.4/32")
        assert first["flag"] is True
        assert frame.iloc[1].isna().all()
    assert warehouse.peek(("t",), 5).num_rows == 2


def test_rows_come_as_they_are(built: Built) -> None:
    warehouse = built()
    found = warehouse.fetch(
        "SELECT 12345678901234567890.123456789::numeric AS exact, 'Infinity'::numeric AS infinite,"
        " 'NaN'::float8 AS nan, '{1.5,NULL}'::float8[] AS list, '\\x0001'::bytea AS data,"
        " timestamptz '2013-01-01 05:00+01' AS zoned,"
        " 'infinity'::timestamp AS never, date '2013-02-08' AS day, E'a\\n%s 50%' AS text, true AS yes, NULL AS nothing"
    ).to_pylist()[0]
    assert found["exact"] == decimal.Decimal("12345678901234567890.123456789")
    assert found["infinite"] == math.inf
    assert math.isnan(found["nan"])
    assert found["list"] == [1.5, None]
    assert found["data"] == b"\x00\x01"
    assert found["zoned"].isoformat() == "2013-01-01T04:00:00+00:00"
    assert found["never"] is None
    assert (str(found["day"]), found["text"], found["yes"]) == ("2013-02-08", "a\n%s 50%", True)
    assert warehouse.fetch("SELECT 1::numeric AS n, 'x'::text AS t WHERE false").column_names == ["n", "t"]
    assert warehouse.fetch("EXPLAIN SELECT 1").num_rows == 1


def test_every_kind_of_table_is_seen(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        "CREATE TABLE plain AS SELECT g AS x FROM generate_series(1, 3000) g",
        "CREATE VIEW seen AS SELECT x, x % 2 AS odd FROM plain",
        "CREATE MATERIALIZED VIEW kept AS SELECT x FROM plain",
        "CREATE TABLE parted (d date, x int) PARTITION BY RANGE (d)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2013-01-01') TO ('2013-02-01')",
        "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2013-02-01') TO ('2013-03-01')",
        "INSERT INTO parted SELECT date '2013-01-01' + g % 59, g FROM generate_series(1, 3000) g",
        "CREATE TABLE parent (x int)",
        "CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO child SELECT generate_series(1, 1000)",
        "INSERT INTO parent SELECT generate_series(1001, 2000)",
        "CREATE TEMP TABLE passing (x int)",
    )
    assert warehouse.tables() == [("child",), ("kept",), ("parent",), ("parted",), ("plain",), ("seen",)]
    assert [column.name for column in warehouse.columns(("parted_1",))] == ["d", "x"]  # though not listed
    for name in ("kept", "parent", "parted", "plain", "seen"):
        table = table_of(warehouse, name)
        frame = warehouse.sample(table, None, 500, seed=3)
        pd.testing.assert_frame_equal(frame, warehouse.sample(table, None, 500, seed=3))
        assert len(frame) == 500
        assert frame["x"].is_unique
        assert not frame["x"].equals(warehouse.sample(table, None, 500, seed=4)["x"])


def test_a_view_over_a_large_table_is_numbered_the_same_each_time(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        "CREATE TABLE large AS SELECT g AS x FROM generate_series(1, 100000) g",
        "ALTER TABLE large SET (parallel_workers = 4)",
        "CREATE VIEW t AS SELECT x FROM large WHERE x > 0",
        "ANALYZE large",
    )
    drawn = warehouse._sampled(table_of(warehouse, "t"), None, 1_000, 1, 100_000)
    plan = "\n".join(warehouse.fetch(f"EXPLAIN {warehouse.sql(drawn)}")["QUERY PLAN"].to_pylist())
    assert "WindowAgg" in plan
    assert "Gather" not in plan


def test_names_of_any_shape(built: Built) -> None:
    warehouse = built(
        'CREATE TABLE "Über %s ""x""" ("Größe" int, "a.b" int, "SELECT" int)', "CREATE TABLE mixed (a int)"
    )
    assert warehouse.tables() == [("mixed",), ('Über %s "x"',)]
    assert [column.name for column in warehouse.columns(('Über %s "x"',))] == ["Größe", "a.b", "SELECT"]
    with pytest.raises(UsageError, match="did you mean mixed"):
        warehouse.columns(("Mixed",))
    with pytest.raises(UsageError, match="longer than PostgreSQL's 63 bytes"):
        warehouse.columns(("ü" * 32,))


def test_a_name_means_its_own_schema_only(built: Built) -> None:
    warehouse = built("CREATE TABLE pg_class AS SELECT 7 AS x")
    assert warehouse.tables() == [("pg_class",)]
    table = Table("main.pg_class", "main", ("pg_class",), warehouse.columns(("pg_class",)), None)
    assert warehouse.count(table) == 1
    assert warehouse.fetch(warehouse.select_sql(table)).to_pylist() == [{"x": 7}]


def test_only_what_may_be_read_is_listed(built: Built, postgres: Server, driver: Driver, table_of: TableOf) -> None:
    owner = built("CREATE TABLE open (x int)", "CREATE TABLE shut (x int)")
    role, schema = f"{owner.default_schema}_reader", owner.default_schema
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'reads-only'")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.open TO {role}")
        try:
            url = postgres.at("postgres", role, "reads-only") + f"?options=-csearch_path%3D{schema}"
            reader = Postgres("main", url, DEFAULT_LIMITS, driver)
            assert reader.tables() == [("open",)]
            table = table_of(reader, "open")
            assert reader.count(table) == 0
            with pytest.raises(StatementError, match=r"permission denied for `shut`.*GRANT SELECT"):
                reader.columns(("shut",))
            connection.execute(f"REVOKE SELECT ON {schema}.open FROM {role}")
            with pytest.raises(StatementError, match=r"main.open: permission denied for table open.*GRANT SELECT"):
                reader.count(table)
            connection.execute(f"REVOKE USAGE ON SCHEMA {schema} FROM {role}")
            assert reader.tables() == []
            reader.close()
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_text_ids_sort_by_bytes_whatever_the_collation(built: Built, table_of: TableOf, postgres: Server) -> None:
    other = "SELECT collname FROM pg_collation WHERE collname ~ '^(en_US|de_DE|unicode)' AND collprovider IN ('c', 'i')"
    with postgres.connect() as connection:
        names = [row[0] for row in connection.execute(other) if _sorts(connection, str(row[0]))]
    collation = names[0] if names else "C"  # the wheel's server knows those of the machine alone
    warehouse = built(
        f'CREATE TABLE t (batch text COLLATE "{collation}")',
        "INSERT INTO t VALUES ('a'), ('B'), ('b'), ('ä'), ('b')",
    )
    table = table_of(warehouse, "t", "batch")
    assert [p.value for p, _rows in warehouse.partitions(table)] == ["B", "a", "b", "ä"]
    assert warehouse.latest(table) == "ä"
    assert [p.value for p, _rows in warehouse.partitions(table, before=warehouse.partition(table, "b"))] == ["B", "a"]


def test_iso_texts_that_are_no_days_are_left_out(built: Built) -> None:
    texts = [
        "2012-02-29",
        "2013-02-28T23:59:59.5Z",
        "2013-02-29",
        "2013-02-30",
        "1900-02-29",
        "now",
        "infinity",
        "2013-13-01",
    ]
    warehouse = built("CREATE TABLE t (at text)", *(f"INSERT INTO t VALUES ('{text}')" for text in texts))
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), TimeColumn("at", TimeForm.ISO_TEXT))
    assert [(p.label, rows) for p, rows in warehouse.partitions(table)] == [("2012-02-29", 1), ("2013-02-28", 1)]


def test_the_session_reads_in_utc_and_leaves_nothing_open(built: Built, postgres: Server) -> None:
    warehouse = built("CREATE TABLE t (x int)")
    settings = "default_transaction_read_only", "TimeZone", "application_name", "statement_timeout"
    asked = ", ".join(f"current_setting('{name}') AS a{i}" for i, name in enumerate(settings))
    assert list(warehouse.fetch(f"SELECT {asked}").to_pylist()[0].values()) == ["on", "UTC", "daywatch", "5min"]
    pid = warehouse.fetch("SELECT pg_backend_pid() AS p")["p"][0].as_py()
    with postgres.connect() as connection:
        state = connection.execute(f"SELECT state, xact_start FROM pg_stat_activity WHERE pid = {pid}").fetchone()
    assert state == ("idle", None)


def test_rows_beyond_the_limit_stay_on_the_server(built: Built) -> None:
    warehouse = built(limits=Limits(rows_max=10, statement_timeout_s=20))
    assert warehouse.fetch("SELECT g AS x FROM (SELECT generate_series(1, 10000000) AS g) s").num_rows == 10
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1


def test_it_is_found_by_its_url(postgres: Server) -> None:
    for scheme in ("postgresql+psycopg", "postgresql", "postgres"):
        url = postgres.at("postgres").replace("postgresql+psycopg", scheme)
        warehouse = open_warehouse("main", url)
        assert (warehouse.dialect, warehouse.sqlglot_dialect) == ("postgresql", "postgres")
        warehouse.close()


def test_the_driver_is_adbc_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(best_driver(), Adbc)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert isinstance(best_driver(), Psycopg)


def test_a_wrong_url() -> None:
    for url in ("postgresql://u:s3cret@host:port/db", "postgresql://u:s3cret@host/db?no_such_option=1"):
        with pytest.raises(UsageError, match="the URL is wrong") as caught:
            Postgres("main", url)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "condition",
    [
        "x::integer = 1",
        "n::smallint = 1",
        "x::json IS NULL",
        "x::date IS NULL",
        "n * n * n * n = 1",
        "('{' || x)::int[] IS NULL",
        "substr(x, 1, (-n)::int) = ''",
    ],
)
def test_values_of_rows_do_not_appear_in_messages(built: Built, table_of: TableOf, condition: str) -> None:
    warehouse = built("CREATE TABLE t AS SELECT 'secret of Ana' AS x, 4075551234 AS n")
    with pytest.raises(UsageError) as caught:
        warehouse.count(table_of(warehouse, "t"), None, condition)
    told: BaseException | None = caught.value
    while told is not None:
        assert "secret" not in str(told)
        assert "4075551234" not in str(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)


def test_nothing_is_written(built: Built) -> None:
    warehouse = built("CREATE TABLE t (x int)")
    for statement in (
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE u (x int)",
        "WITH a AS (DELETE FROM t RETURNING 1) SELECT 1",
    ):
        with pytest.raises(SourceError, match=r"read-only transaction|only reads|data-modifying"):
            warehouse.fetch(statement)
    assert warehouse.fetch("SELECT * FROM t").num_rows == 0
