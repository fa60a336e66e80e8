"""Laws of comparisons on random tables with nasty keys and values, on every pair of engines, beside brute force."""

# ruff: noqa: DTZ001 - times without zone are what is tested
from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from monitor.diff import Method, Options, diff
from monitor.diff.pairs import Side, align
from monitor.diff.rows import Rows
from monitor.types import Table
from tests.diff.counts import counted

LAWS = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking asks servers for minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
COLUMNS = ("k0", "k1", "k2", "n", "d", "f", "t", "ts", "b", "day")
TYPES = {
    "duckdb": "k0 BIGINT, k1 VARCHAR, k2 TIMESTAMP, n INTEGER, d DECIMAL(18,4), f DOUBLE, t VARCHAR, ts TIMESTAMP,"
    " b BOOLEAN, day DATE",
    "postgres": "k0 integer, k1 text, k2 timestamp, n bigint, d numeric, f double precision, t varchar(40),"
    " ts timestamptz, b boolean, day date",
}
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            " ",
            "a",
            "A",
            "a ",
            "|",
            "=",
            "-",
            "1=a|",
            "NULL",
            "null",
            "é",
            "e\u0301",
            "ß",
            "ss",
            "'",
            '"',
            "\\",
            "\n",
            "😀",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
)
TIMES = st.one_of(
    st.none(),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    st.sampled_from(
        [
            dt.datetime(2020, 1, 1),
            dt.datetime(2020, 1, 1, 0, 0, 0, 500_000),
            dt.datetime(1, 1, 1),
            dt.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        ]
    ),
)
FLOATS = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 0.1, 1e15, 1e16, 1234567890123456.5, 1e-5, 1e22, 5e-324, 1.7e308, 2.0**53, 0.30000000000000004]
    ),
)
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**31), 2**31 - 1)),
        TEXTS,
        st.one_of(st.none(), st.sampled_from([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 0, 0, 0, 1)])),
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(
            st.none(),
            st.decimals(-(10**9), 10**9, places=4, allow_nan=False),
            st.sampled_from([Decimal("0.1000"), Decimal(0)]),
        ),
        FLOATS,
        TEXTS,
        TIMES,
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))),
    ),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Table A, and B with some of A's rows changed, left out or doubled, and some of its own."""
    a = draw(ROWS)
    b = list(draw(ROWS))
    for row in a:
        fate = draw(st.sampled_from(["same", "same", "same", "gone", "changed", "double"]))
        if fate in {"same", "double"}:
            b.extend([row] * (2 if fate == "double" and draw(st.booleans()) else 1))
        elif fate == "changed":
            other = list(row)
            place = draw(st.integers(3, len(row) - 1))
            other[place] = draw(ROWS.filter(len))[0][place]
            b.append(tuple(other))
    return a, draw(st.permutations(b))


def plain(value: Any) -> Any:
    """A value so that values that are equal to a comparison are equal here."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    return value


def brute(a: list[Any], b: list[Any], key: tuple[int, ...]) -> tuple[int, int, int, int, int, int]:
    """Added, removed, changed, repeated keys of both, and rows of repeated keys that differ, by looking at each row."""
    sides = []
    for rows in (a, b):
        side: dict[Any, list[Any]] = {}
        for row in rows:
            side.setdefault(tuple(plain(row[i]) for i in key), []).append(tuple(map(plain, row)))
        sides.append(side)
    repeated = [{k for k, rows in side.items() if len(rows) > 1} for side in sides]
    left = [{k: rows[0] for k, rows in side.items() if k not in repeated[0] | repeated[1]} for side in sides]
    counts = Counter(r for k in repeated[0] | repeated[1] for r in sides[0].get(k, []))
    counts.subtract(Counter(r for k in repeated[0] | repeated[1] for r in sides[1].get(k, [])))
    both = left[0].keys() & left[1].keys()
    return (
        len(left[1].keys() - both),
        len(left[0].keys() - both),
        sum(left[0][k] != left[1][k] for k in both),
        len(repeated[0]),
        len(repeated[1]),
        sum(map(abs, counts.values())),
    )


Loaded = Callable[[str, list[Any]], Side]


@contextmanager
def engine(name: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Loaded]:
    """`load("a", rows)` makes a table and opens it."""
    with {"duckdb": duck, "postgres": postgres}[name](request, folder) as load:
        yield load


@contextmanager
def duck(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Loaded]:
    import duckdb

    from monitor.warehouses.duckdb import DuckDB

    url = f"duckdb:///:memory:{folder.name}"
    warehouse = DuckDB("duck", url)
    with duckdb.connect(f":memory:{folder.name}") as connection:
        connection.execute("SET TimeZone = 'UTC'")

        def load(table: str, rows: list[Any]) -> Side:
            connection.execute(f"CREATE OR REPLACE TABLE {table} ({TYPES['duckdb']})")
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            return opened(warehouse, table)

        yield load
    warehouse.close()


@contextmanager
def postgres(request: pytest.FixtureRequest, _folder: Path) -> Iterator[Loaded]:
    from monitor.warehouses.postgres import Postgres

    server = request.getfixturevalue("postgres")
    with server.schema() as url, server.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        warehouse = Postgres("pg", url)

        def load(table: str, rows: list[Any]) -> Side:
            connection.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({TYPES['postgres']})")
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
            return opened(warehouse, table)

        yield load
        warehouse.close()


def opened(warehouse: Any, name: str) -> Side:
    return Side(warehouse, Table(f"{warehouse.name}.{name}", warehouse.name, (name,), warehouse.columns((name,)), None))


KEYS = st.sampled_from([("k0",), ("k1",), ("k2",), ("f",), ("k0", "k1"), ("k2", "k1", "k0"), ("t", "d"), ("b", "ts")])


@pytest.mark.parametrize(
    ("first", "second", "method"),
    [
        ("duckdb", "duckdb", Method.JOIN),
        ("duckdb", "duckdb", Method.CHECKSUM),
        ("postgres", "postgres", Method.JOIN),
        ("postgres", "postgres", Method.CHECKSUM),
        ("duckdb", "postgres", Method.CHECKSUM),
        ("postgres", "duckdb", Method.CHECKSUM),
    ],
)
def test_every_way_finds_what_brute_force_finds(
    first: str, second: str, method: Method, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with engine(first, request, tmp_path) as load_a, engine(second, request, tmp_path) as other:
        load_b = load_a if first == second else other

        @LAWS
        @given(tables(), KEYS)
        def law(pair: tuple[list[Any], list[Any]], key: tuple[str, ...]) -> None:
            a, b = pair
            sides = load_a("a", a), load_b("b", b)
            found = diff(*sides, Options(key=key, method=method))
            places = tuple(COLUMNS.index(name) for name in key)
            assert counted(found) == brute(a, b, places)
            assert (found.rows_a, found.rows_b) == (len(a), len(b))
            assert found.is_equal == (sum(counted(found)[:3]) + found.duplicates_differ == 0)
            assert sum(found.columns.values()) >= (found.changed or 0)
            same = diff(sides[0], sides[0], Options(key=key, method=method))
            assert same.is_equal

        law()


@pytest.mark.parametrize("name", ["duckdb", "postgres"])
def test_a_join_that_takes_keys_for_unique_finds_what_brute_force_finds(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.diff.rows.EXACT_ROWS", 0)
    with engine(name, request, tmp_path) as load:

        @LAWS
        @given(tables(), KEYS)
        def law(pair: tuple[list[Any], list[Any]], key: tuple[str, ...]) -> None:
            found = diff(load("a", pair[0]), load("b", pair[1]), Options(key=key, method=Method.JOIN))
            assert counted(found) == brute(*pair, tuple(COLUMNS.index(name) for name in key))

        law()


@pytest.mark.parametrize(("first", "second"), [("duckdb", "postgres"), ("postgres", "duckdb")])
def test_equal_rows_have_equal_checksums_on_every_engine(
    first: str, second: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with engine(first, request, tmp_path) as load_a, engine(second, request, tmp_path) as load_b:

        @LAWS
        @given(ROWS, KEYS)
        def law(rows: list[Any], key: tuple[str, ...]) -> None:
            found = diff(load_a("a", rows), load_b("b", rows), Options(key=key))
            assert found.is_equal
            assert found.cost.rows <= 8  # counts and sums alone: no row has travelled

        law()


def test_parts_are_cut_alike_on_both_sides(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monitor.diff import checksum

    monkeypatch.setattr(checksum, "PART_ROWS", 1)
    monkeypatch.setattr(checksum, "PARTS", (1, 2, 3, 5, 7))
    with engine("duckdb", request, tmp_path) as load_a, engine("postgres", request, tmp_path) as load_b:

        @LAWS
        @given(tables(), KEYS, st.integers(0, 3))
        def law(pair: tuple[list[Any], list[Any]], key: tuple[str, ...], listed: int) -> None:
            monkeypatch.setattr(checksum, "LISTED_MAX", listed)
            found = diff(load_a("a", pair[0]), load_b("b", pair[1]), Options(key=key))
            assert counted(found) == brute(*pair, tuple(COLUMNS.index(name) for name in key))

        law()


@pytest.mark.parametrize("method", [Method.JOIN, Method.CHECKSUM])
def test_a_difference_applied_to_a_gives_b(method: Method, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with engine("duckdb", request, tmp_path) as load:

        @LAWS
        @given(tables(), st.sampled_from([("k0",), ("k1", "f")]))
        def law(pair: tuple[list[Any], list[Any]], key: tuple[str, ...]) -> None:
            places = [COLUMNS.index(name) for name in key]
            a, b = ({tuple(plain(row[i]) for i in places): row for row in rows} for rows in pair)
            sides = load("a", list(a.values())), load("b", list(b.values()))
            found = diff(*sides, Options(key=key, method=method))
            texts_a, texts_b = (all_texts(side, sides, key) for side in sides)
            for row in (found.rows if found.rows is not None else pd.DataFrame()).to_dict("records"):
                its_key = tuple(row[f"k:{name}"] for name in key)
                if row["status"] == "removed":
                    del texts_a[its_key]
                else:
                    texts_a[its_key] = {n: row[f"b:{n}"] for n in COLUMNS if n not in key}
            assert texts_a == texts_b

        law()


def all_texts(side: Side, sides: tuple[Side, Side], key: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
    """Every row of a table as a difference tells rows: what an empty table lacks of it."""
    columns = align(*sides, Options(key=key))
    rows = Rows(side, "a", columns)
    whole = rows.select().subquery("whole")
    keys, values = rows.texts(whole)
    found = rows.ask(sa.select(*keys, *values).select_from(whole))
    names = [pair.name for pair in columns.values]
    table = zip(*(column.to_pylist() for column in found.columns), strict=True)
    return {row[: len(keys)]: dict(zip(names, row[len(keys) :], strict=True)) for row in table}


@pytest.mark.parametrize(
    ("first", "second"),
    [("duckdb", "duckdb"), ("postgres", "postgres"), ("duckdb", "postgres"), ("postgres", "duckdb")],
)
def test_without_a_key_rows_are_a_multiset(
    first: str, second: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with engine(first, request, tmp_path) as load_a, engine(second, request, tmp_path) as other:
        load_b = load_a if first == second else other

        @LAWS
        @given(tables())
        def law(pair: tuple[list[Any], list[Any]]) -> None:
            found = diff(load_a("a", pair[0]), load_b("b", pair[1]), Options())
            counts = Counter(tuple(map(plain, row)) for row in pair[0])
            counts.subtract(Counter(tuple(map(plain, row)) for row in pair[1]))
            assert found.removed == sum(n for n in counts.values() if n > 0)
            assert found.added == -sum(n for n in counts.values() if n < 0)
            assert (found.rows_a, found.rows_b, found.changed) == (len(pair[0]), len(pair[1]), None)
            assert found.is_equal == (not any(counts.values()))

        law()
