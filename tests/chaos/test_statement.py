"""The SELECT of a fault: in every dialect, for every source, and never more than a SELECT."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
import sqlglot
from sqlglot import exp

import chaos
from chaos.statement import DIALECTS
from monitor.types import Column, ColumnKind

TABLE = sa.table(
    "orders",
    sa.column("id", sa.BigInteger),
    sa.column("at", sa.DateTime),
    sa.column("seen", sa.DateTime),
    sa.column("amount", sa.Numeric(10, 2)),
    sa.column("tax", sa.Float),
    sa.column("city", sa.String),
    sa.column("note", sa.String),
    schema="shop",
)
NEEDED = {
    "column": "amount",
    "number_column": "amount",
    "text_column": "note",
    "category_column": "city",
    "time_column": "seen",
    "key": "id",
}


def columns_for(fault):
    needs = chaos.FAULTS[fault].needs
    if "two_columns" in needs or needs == ("column", "column"):
        return ("amount", "tax")
    return tuple(NEEDED[need] for need in needs if need in NEEDED)


def select(fault, dialect, **more):
    return chaos.sql(
        fault,
        TABLE,
        dialect,
        columns=columns_for(fault),
        where="city = 'Rome'",
        partition="at >= DATE '2024-03-02'",
        yesterday="at < DATE '2024-03-02'",
        time_column="at",
        **more,
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", chaos.FAULTS)
def test_every_fault_is_one_select_in_every_dialect(fault, dialect):
    parsed = sqlglot.parse(select(fault, dialect), read=dialect)
    assert len(parsed) == 1
    assert isinstance(parsed[0], exp.Select)
    assert not list(parsed[0].find_all(exp.DDL, exp.DML, exp.Command))
    tables = {table.name for table in parsed[0].find_all(exp.Table)}
    assert {name for name in tables if not name.startswith("chaos_")} == {"orders"}


@pytest.mark.parametrize("where", ["1; DROP TABLE orders", "SELECT 1", "DELETE FROM orders", "a = ", ""])
def test_a_condition_that_is_none_is_refused(where):
    with pytest.raises(chaos.ChaosError):
        chaos.sql("volume_drop", TABLE, where=where)


def test_a_segment_and_yesterday_must_be_given():
    with pytest.raises(chaos.ChaosError, match="needs a segment"):
        chaos.sql("segment_drop", TABLE)
    with pytest.raises(chaos.ChaosError, match="needs the day before"):
        chaos.sql("replay_yesterday", TABLE, time_column="at")
    with pytest.raises(chaos.ChaosError, match="no dialect"):
        chaos.sql("volume_drop", TABLE, "oracle")


def test_odd_names_are_quoted():
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.StaticPool)
    columns = (Column('a "b"', ColumnKind.NUMBER, "INTEGER"), Column("order", ColumnKind.TEXT, "VARCHAR"))
    with engine.connect() as connection:
        connection.exec_driver_sql(
            'CREATE TABLE "my day" AS SELECT range AS "a ""b""", \'x\' AS "order" FROM range(10)'
        )
        query = chaos.sql("null_increase", (("main", "my day"), columns), columns=['a "b"'], rows=0.5)
        found = connection.exec_driver_sql(query).all()
    assert sum(row[0] is None for row in found) == 5


def test_identical_rows_are_hit_one_by_one():
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.StaticPool)
    columns = (Column("a", ColumnKind.NUMBER, "INTEGER"),)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE same AS SELECT 1 AS a FROM range(200)")
        query = chaos.sql("null_increase", (("same",), columns), columns=["a"], rows=0.25)
        found = connection.exec_driver_sql(query).scalars().all()
    assert found.count(None) == 50


def test_a_relation_in_words_can_be_the_source(tmp_path):
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.StaticPool)
    file = tmp_path / "day.parquet"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"COPY (SELECT range AS a FROM range(40)) TO '{file}'")
        source = (f"read_parquet('{file}')", (Column("a", ColumnKind.NUMBER, "BIGINT"),))
        found = connection.exec_driver_sql(chaos.sql("volume_drop", source, rows=0.5)).all()
    assert len(found) == 20


@pytest.mark.parametrize("kind", ["TINYINT", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL(10,2)", "DATE", "TIMESTAMP"])
def test_types_stay_unless_they_are_too_narrow(kind):
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.StaticPool)
    is_time = kind in ("DATE", "TIMESTAMP")
    columns = (Column("a", ColumnKind.DATE if is_time else ColumnKind.NUMBER, kind),)
    value = "DATE '2024-01-01'" if is_time else "100"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE typed AS SELECT CAST({value} AS {kind}) AS a FROM range(20)")
        query = chaos.sql("default_value" if is_time else "scale_100", (("typed",), columns), columns=["a"], rows=0.5)
        found = connection.exec_driver_sql(f"SELECT DISTINCT typeof(a) FROM ({query})").scalars().all()
    assert found == ["INTEGER" if kind == "TINYINT" else kind]


def test_importing_chaos_and_its_commands_loads_nothing_heavy():
    heavy = "{'pandas', 'duckdb', 'sqlglot', 'sqlalchemy', 'lightgbm'}"
    code = f"import sys, chaos, chaos.cli; sys.exit(','.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.stderr.strip() == ""
    assert done.returncode == 0
