"""Keys that are held to be unique until counts prove otherwise, and what is known of them without counting."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from monitor.diff import Options, diff
from monitor.diff.options import Method
from monitor.diff.pairs import Alignment, align
from monitor.diff.result import Difference
from monitor.diff.rows import Rows
from tests.diff.counts import counted

ENGINES = ["duckdb", "postgres"]


@pytest.fixture(autouse=True)
def _small_tables_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.diff.rows.EXACT_ROWS", 0)
    monkeypatch.setattr("monitor.diff.checksum.PART_ROWS", 1)


def compared(bench: Any, engine: str, columns: str, a: list[Any], b: list[Any], *key: str) -> Difference:
    return diff(*bench.pair(engine, columns, a, b), Options(key=key or ("k",)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_key_may_repeat_among_rows_of_one_side_alone(bench: Any, engine: str) -> None:
    few, more = [(1, 1), (2, 2)], [(1, 1), (2, 2), (3, 1), (3, 2), (4, 4)]
    assert counted(compared(bench, engine, "k integer, n integer", few, more)) == (1, 0, 0, 0, 1, 2)
    assert counted(compared(bench, engine, "k integer, n integer", more, few)) == (0, 1, 0, 1, 0, 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_key_may_repeat_on_the_side_that_was_not_drawn_from(bench: Any, engine: str) -> None:
    a, b = [(1, 1), (2, 2)], [(1, 1), (1, 1), (2, 3)]
    assert counted(compared(bench, engine, "k integer, n integer", a, b)) == (0, 0, 1, 0, 1, 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", [("k",), ("m",), ("k", "m")])
def test_null_keys_match_in_a_table_that_is_drawn_from(bench: Any, engine: str, key: tuple[str, ...]) -> None:
    columns = "k integer, m integer, n integer"
    a = [(1, 1, 1), (None, None, 2), (2, 3, 3)]
    b = [(1, 1, 1), (None, None, 5), (2, 3, 3)]
    found = compared(bench, engine, columns, a, b, *key)
    assert (counted(found), found.columns["n"]) == ((0, 0, 1, 0, 0, 0), 1)
    half = compared(bench, engine, columns, [(1, None, 1), (2, 2, 2)], [(1, None, 1), (2, 2, 2)], "k", "m")
    assert half.is_equal


@pytest.mark.parametrize("engine", ENGINES)
def test_changes_of_a_hundred_columns_are_counted_apart(bench: Any, engine: str) -> None:
    columns = ", ".join(["k integer NOT NULL", *(f"c{i} integer" for i in range(100))])
    a = [(k, *range(100)) for k in range(3)]
    b = [(k, *(i + (i <= k or i == 99) for i in range(100))) for k in range(3)]
    found = compared(bench, engine, columns, a, b)
    assert found.changed == 3
    assert found.columns == {"c0": 3, "c99": 3, "c1": 2, "c2": 1}


def test_texts_are_keys_by_their_characters_whatever_the_collation(bench: Any, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres")
    from monitor.warehouses.postgres import Postgres

    url = bench.stack.enter_context(server.schema())
    with server.connect(url) as connection:
        try:
            connection.execute(
                "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
            )
        except Exception as error:  # noqa: BLE001 - which error depends on the driver
            pytest.skip(f"no ICU: {error}")
        for name, rows in (("a", "('x', 'V'), ('Y', 'v')"), ("b", "('X', 'V'), ('Y', 'V'), ('y', 'v')")):
            connection.execute(f"CREATE TABLE {name} (k text COLLATE nocase, v text COLLATE nocase)")
            connection.execute(f"INSERT INTO {name} VALUES {rows}")
    warehouse = Postgres("pg", url)
    bench.stack.callback(warehouse.close)
    found = diff(bench.opened(warehouse, "a"), bench.opened(warehouse, "b"), Options(key=("k",)))
    assert counted(found) == (2, 1, 1, 0, 0, 0)


ASCENDING = [
    ("k integer, n integer", [(1, 0), (2, 0), (5, 0)], ("k",), True),
    ("k integer, n integer", [(1, 0), (2, 0), (2, 0)], ("k",), False),
    ("k integer, n integer", [(2, 0), (1, 0), (3, 0)], ("k",), False),
    ("k integer, n integer", [(1, 0), (2, 0), (None, 0)], ("k",), False),
    ("k integer, n integer", [(1, 1), (1, 2), (2, 1)], ("k", "n"), True),
    ("k integer, n integer", [(1, 1), (1, 2), (1, 2)], ("k", "n"), False),
    ("k text, n integer", [("B", 0), ("a", 0), ("é", 0)], ("k",), True),
    ("k text, n integer", [("a", 0), ("B", 0), ("c", 0)], ("k",), False),
    ("k double precision, n integer", [(1.0, 0), (float("nan"), 0), (float("nan"), 0)], ("k",), False),
    ("k integer, n integer", [], ("k",), True),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("columns", "rows", "key", "expected"), ASCENDING)
def test_keys_that_ascend_cannot_repeat(
    bench: Any, engine: str, columns: str, rows: list[Any], key: tuple[str, ...], expected: bool
) -> None:
    a, b = bench.pair(engine, columns, rows, rows)
    aligned: Alignment = align(a, b, Options(key=key))
    assert Rows(a, "a", aligned).ascends() is expected


@pytest.mark.parametrize("engines", [("duckdb", "duckdb"), ("duckdb", "postgres"), ("postgres", "duckdb")])
def test_repeated_keys_of_both_sides_are_known_from_one(bench: Any, engines: tuple[str, str]) -> None:
    columns = "k integer, n integer"
    shared = [(1, 1), (1, 1), (9, 9), (3, 3)]
    a = bench.side(engines[0], columns, [*shared, (20, 1), (20, 2)])
    b = bench.side(engines[1], columns, [*shared, (20, 1), (31, 1), (31, 1)])
    for one, other, expected in ((a, b, (0, 0, 0, 2, 2, 3)), (b, a, (0, 0, 0, 2, 2, 3))):
        assert counted(diff(one, other, Options(key=("k",), method=Method.CHECKSUM))) == expected


def test_an_ascending_key_spares_the_count(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(k, k) for k in range(100)]
    a, b = (bench.side("duckdb", "k integer, n integer", rows) for _ in range(2))

    def count(_rows: Rows) -> int:
        raise AssertionError("counted")

    monkeypatch.setattr(Rows, "count_repeated", count)
    assert diff(a, b, Options(key=("k",))).is_equal
    swapped = dataclasses.replace(b, table=dataclasses.replace(b.table, where="k <> 3"))
    assert counted(diff(a, swapped, Options(key=("k",)))) == (0, 1, 0, 0, 0, 0)
