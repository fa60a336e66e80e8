# ruff: noqa: DTZ001 - times without zone are what is tested
from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from monitor.diff import Method, Options, Tolerance, diff
from monitor.errors import SourceError, UsageError

ENGINES = ("duckdb", "postgres")
NAN = float("nan")


def compared(bench: Any, engine: str, columns: str, a: list[Any], b: list[Any], **options: Any) -> Any:
    key = options.pop("key", ("k",))
    return diff(*bench.pair(engine, columns, a, b), Options(key=key, **options))


def counts(found: Any) -> tuple[int, int, int | None]:
    return found.added, found.removed, found.changed


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_added_removed_and_changed(bench: Any, engine: str) -> None:
    a = [(1, "x", 1.5), (2, "y", 2.5), (3, None, None)]
    b = [(2, "y", 3.5), (3, None, None), (4, "w", 0.0)]
    found = compared(bench, engine, "k integer, t varchar(9), n double precision", a, b, show_values=True)
    assert counts(found) == (1, 1, 1)
    assert (found.rows_a, found.rows_b, found.columns, found.method) == (3, 3, {"n": 1}, "join")
    assert not found.is_equal
    by_status = {row["status"]: row for row in found.sample}
    assert by_status["changed"] == {
        "status": "changed",
        "key": {"k": 2},
        "columns": {"n": {"before": 2.5, "after": 3.5}},
    }
    assert by_status["added"]["columns"] == {"t": "w", "n": 0.0}
    assert by_status["removed"]["key"] == {"k": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_the_same_is_equal(bench: Any, engine: str) -> None:
    a = [(1, None, NAN, 0.0), (None, "", float("inf"), -0.0)]
    b = [(None, "", float("inf"), 0.0), (1, None, NAN, -0.0)]
    found = compared(bench, engine, "k integer, t text, n double precision, z double precision", a, b)
    assert found.is_equal
    assert counts(found) == (0, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("one", "other"), [(None, ""), (None, "NULL"), ("a", "A"), ("a", "a "), ("é", "e\u0301")])
def test_texts_that_only_look_the_same_differ(bench: Any, engine: str, one: Any, other: Any) -> None:
    assert counts(compared(bench, engine, "k integer, t text", [(1, one)], [(1, other)])) == (0, 0, 1)
    keyed = compared(bench, engine, "k text, t text", [(one, "x")], [(other, "x")])
    assert counts(keyed) == (1, 1, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_null_value_in_a_key_of_several_columns_is_not_another_value(bench: Any, engine: str) -> None:
    a = [(None, "", 1), ("", None, 2), (None, None, 3), ("0", "x", 4)]
    b = [("", None, 2), (None, "", 1), (None, None, 9), ("0", "x", 4)]
    found = compared(bench, engine, "k text, l text, n integer", a, b, key=("k", "l"))
    assert counts(found) == (0, 0, 1)


def test_keys_match_by_their_characters_whatever_the_collation(bench: Any) -> None:
    found = compared(bench, "duckdb", "k varchar COLLATE NOCASE, n integer", [("a", 1), ("A", 2)], [("A", 2), ("a", 1)])
    assert found.is_equal
    assert (found.duplicate_keys_a, found.duplicate_keys_b) == (0, 0)
    folded = 'k text COLLATE "POSIX", n integer'
    found = compared(bench, "postgres", folded, [("a", 1), ("A", 2)], [("A", 2), ("a", 3)])
    assert counts(found) == (0, 0, 1)


@pytest.mark.parametrize("engine", ENGINES)
def test_keys_that_repeat_are_counted_and_left_out(bench: Any, engine: str) -> None:
    a = [(1, "x"), (1, "y"), (2, "z"), (3, "only a"), (None, "n"), (None, "n")]
    b = [(1, "q"), (2, "changed"), (4, "only b"), (5, "r"), (5, "r")]
    found = compared(bench, engine, "k integer, t text", a, b)
    assert (found.duplicate_keys_a, found.duplicate_keys_b) == (2, 1)
    assert counts(found) == (1, 1, 1)
    assert (found.rows_a, found.rows_b) == (6, 5)
    assert found.duplicates_differ == 4 + 3


@pytest.mark.parametrize("engine", ENGINES)
def test_repeated_keys_with_the_same_rows_are_equal_and_told(bench: Any, engine: str) -> None:
    rows = [(1, "x"), (1, "y"), (2, "z")]
    found = compared(bench, engine, "k integer, t text", rows, rows[::-1])
    assert found.is_equal
    assert (found.duplicate_keys_a, found.duplicate_keys_b) == (1, 1)
    other = compared(bench, engine, "k integer, t text", rows, [(1, "x"), (1, "x"), (2, "z")])
    assert not other.is_equal
    assert other.duplicates_differ == 2


def test_a_large_table_with_few_repeated_keys_is_not_taken_for_unique(bench: Any) -> None:

    import duckdb

    file = bench.folder / "large.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE a AS SELECT i AS k, i % 7 AS n FROM range(150000) t(i)")
        connection.execute("CREATE TABLE b AS SELECT * FROM a UNION ALL SELECT 900000, 1 UNION ALL SELECT 900000, 2")
        connection.execute("CREATE TABLE c AS SELECT * FROM a UNION ALL SELECT 17, 17 % 7")
        connection.execute(
            "CREATE TABLE heavy AS SELECT CASE WHEN i < 75000 THEN 1 ELSE i END AS k, 0 AS n FROM range(150000) t(i)"
        )
    from monitor.warehouses.duckdb import DuckDB

    warehouse = DuckDB("duck", f"duckdb:///{file}")
    bench.stack.callback(warehouse.close)
    a, b, c, heavy = (bench.opened(warehouse, name) for name in ("a", "b", "c", "heavy"))
    assert diff(a, a, Options(key=("k",))).is_equal
    lone = diff(a, b, Options(key=("k",)))
    assert (lone.added, lone.duplicate_keys_b, lone.duplicates_differ) == (0, 1, 2)
    matched = diff(a, c, Options(key=("k",)))
    assert (matched.added, matched.duplicate_keys_a, matched.duplicate_keys_b) == (0, 0, 1)
    assert not matched.is_equal
    same = diff(heavy, heavy, Options(key=("k",)))  # 75,000 x 75,000 pairs, were they joined
    assert same.is_equal
    assert same.duplicate_keys_a == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_tolerances(bench: Any, engine: str) -> None:
    columns = "k integer, n double precision, m numeric(12,4), t timestamp"
    start = dt.datetime(2020, 1, 1)
    inf = float("inf")
    a = [
        (1, 100.0, Decimal("1.0"), start),
        (2, inf, Decimal(5), start),
        (3, NAN, Decimal(7), start),
        (4, 1e9, None, start),
    ]
    b = [
        (1, 100.5, Decimal("1.01"), start + dt.timedelta(seconds=1)),
        (2, 1.0, Decimal(5), start),
        (3, 1.0, Decimal(7), start + dt.timedelta(seconds=3)),
        (4, 1e9 + 1, Decimal(0), start),
    ]
    found = compared(bench, engine, columns, a, b, tolerance=Tolerance(absolute=0.5, time_s=2))
    assert found.columns == {"n": 3, "m": 1, "t": 1}
    found = compared(bench, engine, columns, a, b, tolerance=Tolerance(relative=0.01))
    assert found.columns == {"n": 2, "m": 1, "t": 2}
    found = compared(bench, engine, columns, a, b, tolerances={"n": Tolerance(absolute=2)})
    assert found.columns == {"n": 2, "m": 2, "t": 2}


@pytest.mark.parametrize("engine", ENGINES)
def test_case_and_white_space_may_be_ignored(bench: Any, engine: str) -> None:
    a, b = [(1, " Ab  c\t"), (2, "x")], [(1, "ab c"), (2, "y")]
    assert compared(bench, engine, "k integer, t text", a, b).changed == 2
    assert compared(bench, engine, "k integer, t text", a, b, ignore_case=True).changed == 2
    assert compared(bench, engine, "k integer, t text", a, b, ignore_whitespace=True).changed == 2
    assert compared(bench, engine, "k integer, t text", a, b, ignore_case=True, ignore_whitespace=True).changed == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_do_not_meet_the_condition_do_not_count(bench: Any, engine: str) -> None:
    a, b = [(1, 1), (2, 2)], [(1, 1), (3, 3)]
    found = compared(bench, engine, "k integer, n integer", a, b, where="n < 3 -- not all")
    assert counts(found) == (0, 1, 0)
    assert (found.rows_a, found.rows_b) == (2, 1)
    with pytest.raises(UsageError, match="nope"):
        compared(bench, engine, "k integer, n integer", a, b, where="nope < 3")


@pytest.mark.parametrize("engine", ENGINES)
def test_empty_sides(bench: Any, engine: str) -> None:
    rows = [(1, 1), (2, 2)]
    assert compared(bench, engine, "k integer, n integer", [], []).is_equal
    assert counts(compared(bench, engine, "k integer, n integer", [], rows)) == (2, 0, 0)
    assert counts(compared(bench, engine, "k integer, n integer", rows, [])) == (0, 2, 0)


@pytest.mark.parametrize(
    ("type_a", "type_b", "value_a", "value_b"),
    [
        ("integer", "bigint", 7, 7),
        ("integer", "numeric(12,3)", 7, Decimal("7.000")),
        ("numeric(10,2)", "numeric(20,6)", Decimal("1.50"), Decimal("1.5")),
        ("double precision", "numeric(10,2)", 1.25, Decimal("1.25")),
        ("real", "double precision", 0.1, 0.1),
        ("date", "timestamp", dt.date(2020, 2, 29), dt.datetime(2020, 2, 29)),
        ("uuid", "text", "0F8FAD5B-D9CB-469F-A165-70867728950E", "0F8FAD5B-D9CB-469F-A165-70867728950E"),
        ("varchar(20)", "text", "x", "x"),
        ("timestamp", "timestamptz", dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_types_that_differ_are_compared_by_value(
    bench: Any, engine: str, type_a: str, type_b: str, value_a: Any, value_b: Any
) -> None:
    a = bench.side(engine, f"k integer, v {type_a}", [(1, value_a)])
    b = bench.side(engine, f"k integer, v {type_b}", [(1, value_b)])
    assert diff(a, b, Options(key=("k",))).is_equal


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_on_one_side_are_told_and_renamed_ones_proposed(bench: Any, engine: str) -> None:
    sides = bench.pair(engine, "k integer, n integer", [(1, 1)], [(1, 1)])
    import dataclasses

    table = sides[1].table
    columns = tuple(dataclasses.replace(c, name="amount_new") if c.name == "n" else c for c in table.columns)
    renamed = dataclasses.replace(sides[1], table=dataclasses.replace(table, columns=columns))
    found = diff(sides[0], renamed, Options(key=("k",)))
    assert (found.only_a, found.only_b, dict(found.renamed)) == (("n",), ("amount_new",), {"n": "amount_new"})
    assert not found.is_equal
    assert diff(sides[0], renamed, Options(key=("k",), ignore=frozenset({"n", "amount_new"}))).is_equal


def test_mapped_columns_are_compared(bench: Any) -> None:
    a = bench.side("duckdb", "k integer, amount integer", [(1, 1), (2, 2)])
    b = bench.side("duckdb", "id integer, price integer", [(1, 1), (2, 3)])
    found = diff(a, b, Options(key=("k",), columns={"k": "id", "amount": "price"}))
    assert (found.changed, found.columns) == (1, {"amount": 1})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": ("x",)}, "no column `x` in A"),
        ({"key": ("k",), "columns": {"k": "y"}}, "no column `y` in B"),
        ({"key": ("k",), "ignore": frozenset({"z"})}, "no column `z` to ignore"),
        ({"key": (), "method": Method.JOIN}, "needs a key"),
    ],
)
def test_wrong_options_are_told(bench: Any, options: dict[str, Any], said: str) -> None:
    sides = bench.pair("duckdb", "k integer, n integer", [(1, 1)], [(1, 1)])
    with pytest.raises(UsageError, match=said):
        diff(*sides, Options(**options))


def test_types_that_cannot_be_compared_are_told(bench: Any) -> None:
    a = bench.side("duckdb", "k integer, n integer", [(1, 1)])
    b = bench.side("duckdb", "k integer, n varchar", [(1, "1")])
    with pytest.raises(UsageError, match=r"`n` is INTEGER in A and VARCHAR in B.*--ignore n"):
        diff(a, b, Options(key=("k",)))
    assert diff(a, b, Options(key=("k",), ignore=frozenset({"n"}))).is_equal


def test_a_view_without_permission_is_an_error(bench: Any, request: pytest.FixtureRequest) -> None:
    from monitor.warehouses.postgres import Postgres

    server = request.getfixturevalue("postgres")
    url = bench.stack.enter_context(server.schema())
    with server.connect(url) as connection:
        schema = connection.execute("SELECT current_schema()").fetchone()[0]
        connection.execute("CREATE TABLE t AS SELECT 1 AS k")
        connection.execute("CREATE VIEW v AS SELECT * FROM t")
        connection.execute(f"DROP ROLE IF EXISTS poor_{schema}")
        connection.execute(f"CREATE ROLE poor_{schema} LOGIN PASSWORD 'x'")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO poor_{schema}; GRANT SELECT ON t TO poor_{schema}")
    import sqlalchemy as sa

    poor = sa.make_url(url).set(username=f"poor_{schema}", password="x")  # noqa: S106 - of a user of the test
    poor = poor.render_as_string(hide_password=False)
    warehouse = Postgres("pg", poor)
    bench.stack.callback(warehouse.close)
    t = bench.opened(warehouse, "t")
    with pytest.raises(SourceError, match="permission denied"):
        bench.opened(warehouse, "v")
    assert diff(t, t, Options(key=("k",))).is_equal


def test_more_than_sixty_columns(bench: Any) -> None:
    names = [f"c{i}" for i in range(130)]
    columns = ", ".join(["k integer", *(f"{name} integer" for name in names)])
    row = (1, *range(130))
    other = [*row]
    other[1], other[75], other[130] = -1, -1, -1
    found = compared(bench, "duckdb", columns, [row], [tuple(other)])
    assert found.columns == {"c0": 1, "c74": 1, "c129": 1}


def test_more_differences_than_are_held_are_sampled_and_said_so(bench: Any) -> None:
    rows = [(i, i) for i in range(2_000)]
    found = compared(bench, "duckdb", "k integer, n integer", rows, [(i, i + 1) for i in range(2_000)], rows_max=200)
    assert found.changed == 2_000
    assert found.is_sampled
    assert 100 <= len(found.rows) <= 200
    assert any("of 2,000 differing rows" in note for note in found.notes)
