"""What is DuckDB's own: files that are missing, locked or damaged, views, schemas, types, and the time limit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from monitor.errors import SourceError, UsageError
from monitor.types import ColumnKind, Measure, Table
from monitor.warehouses import DEFAULT_LIMITS, Limits
from monitor.warehouses.duckdb import DuckDB

TableOf = Callable[..., Table]
Built = Callable[..., DuckDB]


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Built]:
    """`built("CREATE ...", ...)` opens a file made by these statements."""
    opened: list[DuckDB] = []

    def build(*statements: str, limits: Limits = DEFAULT_LIMITS) -> DuckDB:
        file = tmp_path / f"{len(opened)} ä.duckdb"
        with duckdb.connect(str(file)) as connection:
            for statement in statements:
                connection.execute(statement)
        opened.append(DuckDB("main", f"duckdb:///{file}", limits))
        return opened[-1]

    yield build
    for warehouse in opened:
        warehouse.close()


def test_the_file_is_only_read(built: Built) -> None:
    warehouse = built("CREATE TABLE t AS SELECT 1 AS x")
    with pytest.raises(SourceError, match="read-only"):
        warehouse.fetch("INSERT INTO t VALUES (2)")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file .*nowhere\.duckdb"):
        DuckDB("main", f"duckdb:///{tmp_path}/nowhere.duckdb")
    assert not (tmp_path / "nowhere.duckdb").exists()


@pytest.mark.parametrize("content", [b"", b"PAR1 not a database" * 1_000])
def test_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.duckdb"
    file.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be opened"):
        DuckDB("main", f"duckdb:///{file}")


def test_a_file_locked_by_another_process(tmp_path: Path) -> None:
    file = tmp_path / "held.duckdb"
    script = f"import duckdb; c = duckdb.connect({str(file)!r}); print('held', flush=True); input()"
    with subprocess.Popen(  # noqa: S603 - the test's own interpreter
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline().strip() == "held"
        try:
            with pytest.raises(SourceError, match=rf"is locked by .*PID {holder.pid}") as caught:
                DuckDB("main", f"duckdb:///{file}")
            assert caught.value.mend
        finally:
            holder.stdin.write("\n")
            holder.stdin.close()
    DuckDB("main", f"duckdb:///{file}").close()


def test_a_file_that_this_process_writes(tmp_path: Path) -> None:
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)), pytest.raises(SourceError, match="open in this process"):
        DuckDB("main", f"duckdb:///{file}")


def test_several_warehouses_on_one_file(built: Built) -> None:
    first = built("CREATE TABLE t AS SELECT 1 AS x")
    second = DuckDB("again", first.url)
    second.close()
    assert first.tables() == [("t",)]


def test_settings_in_the_url(built: Built) -> None:
    warehouse = built("CREATE TABLE t AS SELECT 1 AS x")
    with pytest.raises(SourceError, match="with other settings"):
        DuckDB("again", f"{warehouse.url}?threads=1")
    warehouse.close()
    with pytest.raises(UsageError, match="no_such_setting"):
        DuckDB("again", f"{warehouse.url}?no_such_setting=1")
    once = DuckDB("again", f"{warehouse.url}?threads=1")
    assert once.fetch("SELECT current_setting('threads') AS n")["n"].to_pylist() == [1]
    once.close()


def test_memory() -> None:
    warehouse = DuckDB("main", "duckdb:///:memory:")
    assert warehouse.tables() == []
    with pytest.raises(UsageError, match="there are none"):
        warehouse.columns(("t",))
    warehouse.close()


def test_a_closed_warehouse_says_so(built: Built) -> None:
    warehouse = built("CREATE TABLE t AS SELECT 1 AS x")
    warehouse.close()
    with pytest.raises(SourceError, match="warehouse main"):
        warehouse.tables()


def test_views_and_schemas(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        'CREATE SCHEMA "raw.data"',
        'CREATE TABLE "raw.data".t AS SELECT range AS x FROM range(5000)',
        'CREATE VIEW v AS SELECT x, x % 2 AS odd FROM "raw.data".t',
    )
    assert warehouse.tables() == [("raw.data", "t"), ("v",)]
    assert [column.name for column in warehouse.columns(("v",))] == ["x", "odd"]
    table = Table("main.raw.data.t", "main", ("raw.data", "t"), warehouse.columns(("raw.data", "t")), None)
    assert warehouse.count(table) == 5_000
    view = table_of(warehouse, "v")
    first = warehouse.sample(view, None, 100, 1)
    pd.testing.assert_frame_equal(first, warehouse.sample(view, None, 100, 1))
    assert len(first) == 100
    with pytest.raises(UsageError, match=r"did you mean raw\.data\.t\?"):
        warehouse.columns(("raw_data", "t"))


def test_types_of_its_own(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', '')",
        """CREATE TABLE t AS SELECT 'ok'::mood AS e, '' AS blank, uuid() AS u, 5::HUGEINT AS h, '{"a": 1}'::JSON AS j,
           [1, 2] AS l, {'a': 1} AS s, MAP {'a': 1} AS m, INTERVAL 1 DAY AS i, '101'::BIT AS b, 'x'::BLOB AS d,
           TIME '05:00' AS c, 'infinity'::TIMESTAMP AS inf, TIMESTAMP_NS '2013-01-01' AS ns, 2.5::DECIMAL(4, 1) AS n
           UNION ALL
           SELECT '', ' \t', NULL, 170141183460469231731687303715884105727, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, TIMESTAMP '-infinity', NULL, NULL""",
    )
    table = table_of(warehouse, "t")
    kinds = {column.name: column.kind for column in table.columns}
    assert {name for name, kind in kinds.items() if kind is ColumnKind.TEXT} == {"e", "blank", "u"}
    assert {name for name, kind in kinds.items() if kind is ColumnKind.OTHER} == {"l", "s", "m", "i", "b"}
    assert kinds["j"] is ColumnKind.JSON
    measured = ["nulls", "distinct", "mean", "stddev", "min", "max", "zeros", "length_mean", "true", "empty"]
    measures = [Measure(kind, name) for kind in measured for name in kinds] + [Measure("duplicate_rows")]
    values = warehouse.aggregates(table, None, measures)
    assert values[Measure("empty", "e")] == 1
    assert values[Measure("nulls", "blank")] == 2
    assert values[Measure("max", "h")] == pytest.approx(2.0**127)
    assert values[Measure("mean", "h")] == pytest.approx(2.0**126)
    assert values[Measure("max", "inf")] is None
    assert values[Measure("duplicate_rows")] == 0
    frame = warehouse.sample(table, None, 10, 0)
    assert frame["e"].tolist() == ["ok", ""]
    assert frame["inf"].isna().all()
    assert frame["ns"][0] == pd.Timestamp("2013-01-01")
    assert warehouse.peek(("t",), 5).num_rows == 2


def test_the_time_limit_is_enforced_and_named(built: Built, table_of: TableOf) -> None:
    slow = (
        "CREATE VIEW t AS SELECT a.range AS x FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1"
    )
    warehouse = built(slow, limits=Limits(statement_timeout_s=0.2))
    table = table_of(warehouse, "t")
    with pytest.raises(SourceError, match=r"statement_timeout_s = 0\.2"):
        warehouse.count(table)
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1  # the connection lives on


def test_a_large_partition_is_refused_before_it_is_scanned(built: Built, table_of: TableOf) -> None:
    warehouse = built(
        "CREATE TABLE t AS SELECT DATE '2013-01-01' + (range > 10)::INT AS day, range AS x FROM range(100)",
        limits=Limits(cost_rows_max=50),
    )
    table = table_of(warehouse, "t", "day")
    small, large = (partition for partition, _rows in warehouse.partitions(table))
    mean = Measure("mean", "x")
    assert warehouse.aggregates(table, small, [mean]) == {mean: 5.0}
    with pytest.raises(SourceError, match="cost_rows_max = 50"):
        warehouse.aggregates(table, large, [mean])
    with warehouse.costing() as receipt, pytest.raises(SourceError, match="2013-01-02"):
        warehouse.sample(table, large, 10, 0, total=89)
    assert receipt.cost.queries == 0
    with pytest.raises(SourceError, match="89 rows"):
        warehouse.aggregates_by_partition(table, [mean], small, warehouse.partition(table, "2013-02-01"))


@pytest.mark.parametrize(
    "condition",
    [
        "x::INTEGER = 1",
        "strptime(x, '%Y-%m-%d') IS NULL",
        "abs(n::TINYINT) = 1",
        "n * n * n * n * n * n = 1",
        "x::JSON IS NULL",
    ],
)
def test_values_of_rows_do_not_appear_in_messages(built: Built, table_of: TableOf, condition: str) -> None:
    warehouse = built("CREATE TABLE t AS SELECT 'secret of Ana' AS x, 4075551234 AS n")
    with pytest.raises(UsageError) as caught:
        warehouse.count(table_of(warehouse, "t"), None, condition)
    assert "secret" not in str(caught.value)
    assert "4075551234" not in str(caught.value)


def test_the_partitions_range_reaches_the_scan(built: Built, table_of: TableOf) -> None:
    warehouse = built("CREATE TABLE t AS SELECT TIMESTAMP '2013-01-01' + INTERVAL 1 HOUR * range AS at FROM range(99)")
    table = table_of(warehouse, "t", "at")
    shown = warehouse.select_sql(table, warehouse.partition(table, "2013-01-01"))
    plan = "\n".join(map(str, warehouse.fetch(f"EXPLAIN {shown}")["explain_value"].to_pylist()))
    assert "Filters" in plan
    assert "FILTER" not in plan  # nothing is left to do after the scan
