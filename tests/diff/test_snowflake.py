"""Snowflake beside DuckDB, by its real connector against the protocol server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from monitor.diff import Options, diff
from monitor.diff.pairs import Side
from monitor.types import Table

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
pytestmark = pytest.mark.slow


def rows(changed: int = -1, gone: int = -1) -> list[dict[str, Any]]:
    return [
        {
            "id": i,
            "name": [None, "", "é", "a|b"][i % 4],
            "amount": Decimal(i * (2 if i == changed else 1)).scaleb(-2),
            "size": i / 7,
            "moment": START + dt.timedelta(seconds=i, microseconds=i % 3),
            "flag": i % 2 == 0,
        }
        for i in range(300)
        if i != gone
    ]


SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("amount", pa.decimal128(12, 2)),
        ("size", pa.float64()),
        ("moment", pa.timestamp("us")),
        ("flag", pa.bool_()),
    ]
)


@pytest.fixture
def snow(request: pytest.FixtureRequest) -> Iterator[Any]:
    """`snow({"t": rows})` opens a Snowflake warehouse that holds those tables."""
    from monitor.warehouses.snowflake import Snowflake
    from tests.snowflake_server.tables import load_tables

    server = request.getfixturevalue("snowflake_server")
    database = server.database()
    opened = []

    def load(tables: dict[str, list[dict[str, Any]]]) -> Any:
        load_tables(server, database, {name: pa.Table.from_pylist(r, SCHEMA) for name, r in tables.items()})
        opened.append(Snowflake("snow", server.url(database)))
        return opened[-1]

    yield load
    for warehouse in opened:
        warehouse.close()
    server.drop(database)


def side(warehouse: Any, name: str) -> Side:
    return Side(warehouse, Table(f"{warehouse.name}.{name}", warehouse.name, (name,), warehouse.columns((name,)), None))


def test_one_join_in_snowflake(snow: Any) -> None:
    warehouse = snow({"a": rows(), "b": rows(changed=7, gone=9)})
    found = diff(side(warehouse, "a"), side(warehouse, "b"), Options(key=("id",)))
    assert (found.added, found.removed, found.changed, found.columns) == (0, 1, 1, {"amount": 1})
    assert diff(side(warehouse, "a"), side(warehouse, "a"), Options(key=("id",))).is_equal
    bag = diff(side(warehouse, "a"), side(warehouse, "b"), Options())
    assert (bag.added, bag.removed) == (1, 2)


def test_snowflake_beside_duckdb(snow: Any, bench: Any) -> None:
    columns = "id BIGINT, name VARCHAR, amount DECIMAL(12, 2), size DOUBLE, moment TIMESTAMP, flag BOOLEAN"
    warehouse = snow({"a": rows(), "b": rows(changed=7, gone=9)})
    duck = bench.side("duckdb", columns, [tuple(row.values()) for row in rows()])
    same = diff(duck, side(warehouse, "a"), Options(key=("id",)))
    assert same.is_equal
    found = diff(duck, side(warehouse, "b"), Options(key=("id",)))
    assert (found.added, found.removed, found.changed, found.columns) == (0, 1, 1, {"amount": 1})


def test_digests_are_those_that_snowflake_documents(snow: Any) -> None:
    """The protocol server's own function once had the bytes in reverse, and its digests were no other engine's."""
    warehouse = snow({"a": rows()})
    found = warehouse.fetch(sa.select(sa.func.MD5_NUMBER_LOWER64("Snowflake").label("n")))
    assert int(found["n"][0].as_py()) == 9_203_306_159_527_282_910


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("is_first", [True, False])
def test_rows_without_a_key_beside_another_engine(snow: Any, bench: Any, engine: str, is_first: bool) -> None:
    columns = "id BIGINT, name VARCHAR, amount DECIMAL(12, 2), size DOUBLE PRECISION, moment TIMESTAMP, flag BOOLEAN"
    warehouse = snow({"a": rows(), "b": rows(changed=7, gone=9)})
    other = bench.side(engine, columns, [tuple(row.values()) for row in rows()])
    equal, different = ([other, side(warehouse, name)][:: 1 if is_first else -1] for name in ("a", "b"))
    same = diff(equal[0], equal[1], Options())
    assert (same.rows_a, same.rows_b, same.method) == (300, 300, "bag")
    assert same.is_equal
    found = diff(different[0], different[1], Options())
    assert sorted((found.added, found.removed)) == [1, 2]
    assert diff(equal[0], equal[1], Options(key=("moment",))).is_equal
