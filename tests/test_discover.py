# ruff: noqa: E501 - a case stands on one line, beside what is told of it
from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config, load_config, resolve_tables
from monitor.discover import TableDescription, describe, starter_yaml, write_starter
from monitor.discover.names import is_calendar, is_key_like, time_likeness, words_of
from monitor.errors import SourceError, UsageError
from monitor.types import Cadence, Column, ColumnKind, Table, TimeForm
from monitor.warehouses.base import Warehouse

NOW = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
ENVIRONMENT: Mapping[str, str] = {}

# 60 days of 40 rows: d counts days from 2024-03-01, n rows of a day, i all rows
ROWS = "(select d, n, d * 40 + n as i from range(60) days(d), range(40) numbers(n))"
SHAPES: dict[str, tuple[str, str | None, TimeForm | None, Cadence]] = {
    "plain_date": ("date '2024-03-01' + d::int as happened, n as x", "happened", TimeForm.DATE, Cadence.DAY),
    "event_over_update": (
        "timestamp '2024-03-01' + to_days(d::int) + to_minutes(n * 30) as created_at, timestamp '2024-05-28' + to_minutes(n) as updated_at",
        "created_at",
        TimeForm.TIMESTAMP,
        Cadence.DAY,
    ),
    "partition_over_event": (
        "(date '2024-03-01' + d::int)::timestamp as load_date, timestamp '2024-03-01' + to_days(d::int) + to_minutes(n) as event_time",
        "load_date",
        TimeForm.TIMESTAMP,
        Cadence.DAY,
    ),
    "update_alone": ("timestamp '2024-03-01' + to_days(d::int) as updated_at", "updated_at", TimeForm.TIMESTAMP, Cadence.DAY),
    "epoch_ms": ("(1709251200 + d * 86400 + n * 60) * 1000 as ts, n as amount", "ts", TimeForm.EPOCH_MS, Cadence.DAY),
    "epoch_s": ("1709251200 + d * 86400 + n * 60 as event_time", "event_time", TimeForm.EPOCH_S, Cadence.DAY),
    "iso_text": (
        "strftime(timestamp '2024-03-01' + to_days(d::int), '%Y-%m-%dT%H:%M:%SZ') as \"logged at\"",
        "logged at",
        TimeForm.ISO_TEXT,
        Cadence.DAY,
    ),
    "digits": ("strftime(date '2024-03-01' + d::int, '%Y%m%d')::int as date_id", "date_id", TimeForm.INTEGER_ID, Cadence.DAY),
    "partition_id": ("d as partition, n as x", "partition", TimeForm.INTEGER_ID, Cadence.DAY),
    "partition_of_weeks": ("d as partition, 'w' || d as week", "partition", TimeForm.INTEGER_ID, Cadence.WEEK),
    "text_partition": ("'run-' || lpad(d::text, 3, '0') as batch", "batch", TimeForm.TEXT_ID, Cadence.DAY),
    "weekly": ("date '2022-01-03' + (d * 7)::int as snapshot_date", "snapshot_date", TimeForm.DATE, Cadence.WEEK),
    "birth_date_only": ("date '1950-01-01' + (i * 9)::int as birth_date, n as x", None, None, Cadence.DAY),
    "expiry_only": ("date '2027-01-01' + d::int as expires_on", None, None, Cadence.DAY),
    "expiry_by_another_name": ("date '2027-01-01' + d::int as some_date", None, None, Cadence.DAY),
    "mostly_null": ("case when n = 0 then date '2024-03-01' + d::int end as created_at", None, None, Cadence.DAY),
    "no_time": ("n as x, 'a' || n as y, d as month, 1709251200 + n as amount", None, None, Cadence.DAY),
    "calendar_numbers": ("2024 as year, 3 as month, d % 28 + 1 as day, n as hour", None, None, Cadence.DAY),
    "odd names": ('date \'2024-03-01\' + d::int as "Event.Date ""x""", n as "select"', 'Event.Date "x"', TimeForm.DATE, Cadence.DAY),
}  # fmt: skip
EXTRA = {
    "hourly": (
        "select timestamp '2024-05-01' + to_hours(h::int) as loaded_at, n as x from range(240) h(h), range(60) numbers(n)"
    ),
    "orders": (
        "select date '2024-03-01' + d::int as order_date, i as order_id, n as line, i * 1.37 as amount,"
        " case n % 3 when 0 then 'web' when 1 then 'shop' else 'phone' end as channel, n % 2 = 0 as paid,"
        f" case when n > 3 then n % 5 end as status, 'EUR' as currency, 'text ' || i as note from {ROWS}"
    ),
    "ranking": (
        "select date '2024-03-01' + d::int as snapshot_date, n % 8 as rank, 'list' || n // 8 as item, 0.5 + n as score"
        f" from {ROWS}"
    ),
    "doubled_once": (
        f"select date '2024-03-01' + d::int as day, case when d = 57 and n > 30 then 1 else i end as id from {ROWS}"
    ),
    "often_doubled": f"select date '2024-03-01' + d::int as day, n // 2 as id from {ROWS}",
    "empty": "select date '2024-01-01' as created_at, 1 as x where false",
    "one_row": "select timestamp '2024-01-01 10:00' as created_at, 1 as x",
    "far": (
        "select case when n = 0 then date '9999-12-31' else date '2024-03-01' + d::int end as valid_from,"
        f" [n] as list, {{'a': n}} as struct from {ROWS}"
    ),
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    import duckdb

    from monitor.warehouses.duckdb import DuckDB

    path = tmp_path_factory.mktemp("discover") / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        for name, (columns, *_) in SHAPES.items():
            connection.execute(f'create table "{name}" as select {columns} from {ROWS}')
        for name, select in EXTRA.items():
            connection.execute(f'create table "{name}" as {select}')
        connection.execute("create schema raw")
        connection.execute(f"create table raw.events as select date '2024-03-01' + d::int as day, n from {ROWS}")
    opened = DuckDB("main", f"duckdb:///{path}")
    yield opened
    opened.close()


class TestTimes:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_the_column_form_and_cadence_of_each_shape(self, warehouse: Warehouse, shape: str) -> None:
        _, column, form, cadence = SHAPES[shape]
        found = describe(warehouse, (shape,), now=NOW)
        got = (found.time.name, found.time.form) if found.time else (None, None)
        assert got == (column, form), found
        assert found.cadence is cadence
        assert found.reason

    def test_whole_hours_of_many_rows_are_hourly(self, warehouse: Warehouse) -> None:
        assert describe(warehouse, ("hourly",), now=NOW).cadence is Cadence.HOUR

    def test_reasons_for_no_time_column(self, warehouse: Warehouse) -> None:
        assert describe(warehouse, ("empty",), now=NOW).reason == "the table is empty"
        assert "created_at: NULL in 9" in describe(warehouse, ("mostly_null",), now=NOW).reason
        assert "in the future" in describe(warehouse, ("expiry_only",), now=NOW).reason
        assert "no column that looks like" in describe(warehouse, ("no_time",), now=NOW).reason

    @pytest.mark.parametrize("name", [*EXTRA])
    def test_any_shape_is_described(self, warehouse: Warehouse, name: str) -> None:
        assert describe(warehouse, (name,), now=NOW).path == (name,)

    def test_a_table_that_is_not_there(self, warehouse: Warehouse) -> None:
        with pytest.raises(UsageError):
            describe(warehouse, ("nothing",))

    def test_names(self) -> None:
        assert words_of("lastUpdatedAt") == words_of("last updated_at") == ["last", "updated", "at"]
        assert words_of("InvoiceDate") == ["invoice", "date"]
        assert time_likeness("created_at") > time_likeness("updated_at") > time_likeness("birth_date")
        assert is_key_like("InvoiceNo")
        assert not is_key_like("note")
        assert is_calendar("month")
        assert not is_calendar("month_end")


class TestKeysAndSegments:
    def test_a_table_of_orders(self, warehouse: Warehouse) -> None:
        found = describe(warehouse, ("orders",), now=NOW)
        assert found.keys == (("order_id",),)
        assert set(found.segments) == {"channel", "paid", "status"}
        assert found.constants == ("currency",)
        assert "status" not in found.full_columns
        assert "channel" in found.full_columns

    def test_a_pair_is_suggested_not_taken(self, warehouse: Warehouse) -> None:
        found = describe(warehouse, ("ranking",), now=NOW)
        assert found.keys == ()
        assert ("rank", "item") in found.key_suggestions

    def test_one_bad_day_does_not_hide_a_key(self, warehouse: Warehouse) -> None:
        assert describe(warehouse, ("doubled_once",), now=NOW).keys == (("id",),)

    def test_repeated_values_are_no_key(self, warehouse: Warehouse) -> None:
        assert describe(warehouse, ("often_doubled",), now=NOW).keys == ()


class TestStarter:
    URL = "postgresql+psycopg://ana:s3:cr$t@db:5432/sales?sslmode=require&sslpassword=deep"

    def write(self, folder: Path, descriptions: Sequence[TableDescription], url: str) -> tuple[str, Config]:
        text = starter_yaml(url, "main", descriptions)
        path = folder / "daywatch.yaml"
        write_starter(path, text, force=True)
        return text, load_config(path, {"DAYWATCH_MAIN_PASSWORD": "p", "DAYWATCH_MAIN_SSLPASSWORD": "q"})

    def test_all_shapes_make_a_valid_file_that_resolves(self, warehouse: Warehouse, tmp_path: Path) -> None:
        found = [describe(warehouse, path, now=NOW) for path in warehouse.tables()]
        text, config = self.write(tmp_path, found, "duckdb:///w.duckdb")
        assert [entry.name for entry in config.tables][:2] == ["main.*", "main.raw.*"]
        assert "#   main.no_time: no column that looks like a date" in text
        tables = {table.path: table for table in resolve_tables(config, {"main": warehouse})}
        assert set(tables) == set(warehouse.tables())
        for item in found:
            if item.time is not None:
                assert tables[item.path].time == item.time
                assert tables[item.path].cadence is item.cadence
        assert tables["orders",].key == ("order_id",)
        assert tables["raw", "events"].time is not None

    def test_secrets_become_variables(
        self, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("monitor.config.crosscheck.WAREHOUSE_SCHEMES", frozenset({"postgresql"}))
        text, config = self.write(tmp_path, [describe(warehouse, ("orders",), now=NOW)], self.URL)
        assert "s3" not in text
        assert "deep" not in text
        assert "# export DAYWATCH_MAIN_PASSWORD=" in text
        expected = "postgresql+psycopg://ana:p@db:5432/sales?sslmode=require&sslpassword=q"
        assert config.warehouses["main"].url.get_secret_value() == expected

    def test_an_empty_warehouse(self, tmp_path: Path) -> None:
        _, config = self.write(tmp_path, [], "duckdb:///my $dollar.duckdb")
        assert [entry.name for entry in config.tables] == ["main.*"]
        assert config.warehouses["main"].url.get_secret_value() == f"duckdb:///{tmp_path}/my $dollar.duckdb"

    def test_an_existing_file_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "daywatch.yaml"
        write_starter(path, "one")
        with pytest.raises(UsageError, match="exists already; use --force"):
            write_starter(path, "two")
        assert path.read_text() == "one"
        write_starter(path, "two", force=True)
        assert path.read_text() == "two"
        with pytest.raises(UsageError, match="cannot be written"):
            write_starter(tmp_path / "none" / "x.yaml", "three")


class Listing:
    """A warehouse of names and columns only, that can be asked for nothing else."""

    dialect = "duckdb"

    def __init__(self, tables: Mapping[tuple[str, ...], Sequence[str]]) -> None:
        self.listing = tables
        self.looked_at: list[tuple[str, ...]] = []

    def tables(self) -> list[tuple[str, ...]]:
        return list(self.listing)

    def columns(self, path: tuple[str, ...]) -> tuple[Column, ...]:
        self.looked_at.append(path)
        kinds = {"day": ColumnKind.DATE}
        return tuple(Column(name, kinds.get(name, ColumnKind.NUMBER), "x") for name in self.listing[path])

    def time_form(self, path: tuple[str, ...], column: str, unit: str | None = None) -> TimeForm:
        if column == "flag":
            raise UsageError("flag holds booleans", where=".".join(path))
        return TimeForm.DATE if unit is None else TimeForm(unit)

    def partitions(self, table: Table, **_: Any) -> list[Any]:
        assert table.time is not None
        return []


COLUMNS = ["day", "id", "x", "flag", "carrier"]
TABLES = {
    ("flights",): COLUMNS,
    ("planes",): ["day", "tailnum"],
    ("raw_a",): ["day", "x"],
    ("raw_b",): ["day", "y"],
    ("Mixed",): COLUMNS,
    ("sales", "orders"): COLUMNS,
}


def resolve(
    folder: Path, body: str, only: Sequence[str] | None = None, listing: Listing | None = None
) -> tuple[dict[str, Table], list[str]]:
    path = folder / "daywatch.yaml"
    path.write_text("warehouses: {main: 'duckdb:///w.duckdb'}\ntables:\n" + body, encoding="utf-8")
    warnings: list[str] = []
    warehouse: Any = listing or Listing(TABLES)
    tables = resolve_tables(load_config(path, {}), {"main": warehouse}, only, warnings.append)
    assert len({table.name for table in tables}) == len(tables)
    return {table.name: table for table in tables}, [line[max(line.find("daywatch.yaml"), 0) :] for line in warnings]


def refusals(folder: Path, body: str, only: Sequence[str] | None = None) -> list[str]:
    with pytest.raises(UsageError) as caught:
        resolve(folder, body, only)
    return [line[line.index("daywatch.yaml:") :] for line in str(caught.value).splitlines()]


class TestResolve:
    def test_settings_come_from_the_table_then_defaults_then_daywatch(self, tmp_path: Path) -> None:
        body = (
            "  - {name: main.flights, time_column: day, owner: '@ana', due: '06:00', key: id, where: x > 1,\n"
            "     rules: [not_null: x], labels: [a], cadence: week}\n"
            "  - {name: main.planes, time_column: day}\n"
            "defaults: {owner: '@all', sample_rows: 500, timezone: Europe/Berlin}\n"
        )
        tables, _ = resolve(tmp_path, body)
        flights, planes = tables["main.flights"], tables["main.planes"]
        assert (flights.owner, planes.owner) == ("@ana", "@all")
        assert (flights.sample_rows, flights.backfill_days, flights.timezone) == (500, 400, "Europe/Berlin")
        assert (flights.due, flights.key, flights.where) == (dt.time(6), ("id",), "x > 1")
        assert (flights.cadence, planes.cadence) == (Cadence.WEEK, Cadence.DAY)
        assert flights.rules[0]["name"] == "not_null_x"
        assert flights.time is not None
        assert flights.time.form is TimeForm.DATE

    def test_exact_names_win_and_patterns_in_order(self, tmp_path: Path) -> None:
        body = (
            "  - {name: main.raw_*, time_column: day, owner: first}\n"
            "  - {name: main.*, time_column: day, owner: second}\n"
            "  - {name: main.raw_b, time_column: day, owner: exact}\n"
            "  - {name: main.sales.*, time_column: day, owner: schema}\n"
        )
        tables, warnings = resolve(tmp_path, body)
        assert warnings == []
        assert {name: table.owner for name, table in tables.items()} == {
            "main.raw_a": "first",
            "main.Mixed": "second",
            "main.flights": "second",
            "main.planes": "second",
            "main.raw_b": "exact",
            "main.sales.orders": "schema",
        }
        assert tables["main.sales.orders"].path == ("sales", "orders")

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ("  - name: main.flihgts", "3: tables.0.name: no table main.flihgts in the warehouse; did you mean main.flights?"),
            ("  - name: main.FLIGHTS", "did you mean main.flights?"),
            ("  - name: main.orders", "did you mean main.sales.orders?"),
            ("  - {name: main.flights,\n    time_column: dya}", "4: tables.0.time_column: no column dya in main.flights; did you mean day?"),
            ("  - {name: main.flights, time_column: Day}", "did you mean day?"),
            ("  - {name: main.flights, time_column: flag}", "tables.0.time_column: main.flights: flag holds booleans"),
            ("  - {name: main.flights, time_column: day, time_unit: s}", "time_unit is for numbers, and day holds dates"),
            ("  - {name: main.flights, time_column: day, key: [id, nox]}", "tables.0.key.1: no column nox"),
            ("  - {name: main.flights, time_column: day, ignore_columns: [y]}", "ignore_columns.0: no column y"),
            ("  - {name: main.flights, time_column: day, where: \"carrier = \\\"AA\\\"\"}", "tables.0.where: no column AA in main.flights; a text stands in single quotes: 'AA'"),
            ("  - {name: main.flights, time_column: day, rules: [not_null: carier]}", "rules.0.not_null: no column carier in main.flights; did you mean carrier?"),
            ("  - {name: main.flights, time_column: day, rules: [{sql: distance > 0}]}", "rules.0.sql: no column distance"),
            ("  - {name: main.flights, time_column: day, rules: [{unique: id, where: z = 1}]}", "rules.0.where: no column z"),
            ("  - {name: main.flights, time_column: day, metrics: [{sql: avg(z)}]}", "metrics.0.sql: no column z"),
            ("  - {name: main.flights, time_column: day, metrics: [{sql: avg(x), by: z}]}", "metrics.0.by: no column z"),
            ("  - {name: main.flights, time_column: day, entities: [{entity: z}]}", "entities.0.entity: no column z"),
            ("  - {name: main.flights, time_column: day, relations: [{column: id, references: main.plans.id}]}", "did you mean main.planes?"),
            ("  - {name: main.flights, time_column: day, relations: [{column: id, references: main.planes.tailnumb}]}", "no column tailnumb in main.planes; did you mean tailnum?"),
            ("  - {name: main.raw_*, time_column: dya}", "3: tables.0.time_column: no column dya in main.raw_a; did you mean day?"),
        ],
    )  # fmt: skip
    def test_what_does_not_exist_is_told_with_its_line(self, tmp_path: Path, body: str, told: str) -> None:
        found = refusals(tmp_path, body)
        assert len(found) == 1
        assert told in found[0]

    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        body = "  - {name: main.nope}\n  - {name: main.nada}\n"
        assert len(refusals(tmp_path, body)) == 2

    def test_sql_columns_may_differ_in_case(self, tmp_path: Path) -> None:
        tables, _ = resolve(tmp_path, "  - {name: main.flights, time_column: day, where: CARRIER = 'AA' and X > 1}\n")
        assert tables["main.flights"].where == "CARRIER = 'AA' and X > 1"

    def test_a_pattern_without_tables_warns(self, tmp_path: Path) -> None:
        _, warnings = resolve(tmp_path, "  - name: main.stage_*\n  - name: main.mixe*\n")
        assert warnings[0].startswith("daywatch.yaml:3: the pattern main.stage_* names no table")
        assert "case matters: there is main.Mixed" in warnings[1]

    def test_of_a_pattern_one_table_may_lack_a_column(self, tmp_path: Path) -> None:
        body = "  - {name: main.raw_*, time_column: day, rules: [not_null: x, not_null: y, {sql: x > 0}], ignore_columns: [x]}\n"
        body = body.replace("not_null: x, not_null: y", "{not_null: x}, {not_null: y}")
        tables, warnings = resolve(tmp_path, body)
        assert [rule["name"] for rule in tables["main.raw_a"].rules] == ["not_null_x", "x_gt_0"]
        assert [rule["name"] for rule in tables["main.raw_b"].rules] == ["not_null_y"]
        assert tables["main.raw_b"].ignore_columns == frozenset()
        assert len(warnings) == 4
        assert "daywatch.yaml:3: no column y in main.raw_a; the table is watched without this" in warnings

    def test_one_table_of_a_pattern_may_lack_a_column_when_run_alone(self, tmp_path: Path) -> None:
        body = "  - {name: main.raw_*, time_column: day, rules: [not_null: x]}\n"
        tables, warnings = resolve(tmp_path, body, ["main.raw_b"])
        assert tables["main.raw_b"].rules == ()
        assert len(warnings) == 1

    def test_what_cannot_be_read_or_looked_at(self, tmp_path: Path) -> None:
        class Broken(Listing):
            def columns(self, path: tuple[str, ...]) -> tuple[Column, ...]:
                if path == ("raw_a",):
                    raise SourceError("the view is broken")
                return super().columns(path)

            def partitions(self, table: Table, **_: Any) -> list[Any]:
                raise SourceError(f"{table.name} took too long")

        tables, warnings = resolve(tmp_path, "  - {name: main.raw_*, time_column: day}\n", None, Broken(TABLES))
        assert list(tables) == ["main.raw_b"]
        assert "raw_a is left out: the view is broken" in warnings[0]
        assert "no key was found by looking" in warnings[1]
        with pytest.raises(SourceError, match="broken"):
            resolve(tmp_path, "  - {name: main.raw_a, time_column: day}\n", None, Broken(TABLES))

    def test_a_broken_scope_is_told_at_its_line(self, tmp_path: Path) -> None:
        class Refusing(Listing):
            def partitions(self, table: Table, **_: Any) -> list[Any]:
                raise UsageError("no function nofun", culprit=table.where)

        body = "  - {name: main.flights, time_column: day,\n    where: nofun(x)}\n"
        with pytest.raises(UsageError, match=r"daywatch\.yaml:4: tables\.0\.where: main\.flights: no function nofun"):
            resolve(tmp_path, body, None, Refusing(TABLES))

    def test_no_tables_at_all_warns(self, tmp_path: Path) -> None:
        _, warnings = resolve(tmp_path, "")
        assert "no tables are configured" in warnings[0]

    def test_only_some_tables_are_looked_at(self, tmp_path: Path) -> None:
        listing = Listing(TABLES)
        body = "  - {name: main.*, time_column: day}\n  - {name: main.gone, time_column: day}\n"
        tables, _ = resolve(tmp_path, body, ["main.flights", "main.raw_*"], listing)
        assert list(tables) == ["main.flights", "main.raw_a", "main.raw_b"]
        assert set(listing.looked_at) == {("flights",), ("raw_a",), ("raw_b",)}

    @pytest.mark.parametrize(
        ("only", "told"),
        [
            ("main.flihgts", "did you mean main.flights?"),
            ("flights", "a name has 2 to"),
            ("man.flights", "names no warehouse man; did you mean main?"),
            ("main.sales.orders", "no such table among those"),
        ],
    )
    def test_only_a_table_that_is_not_watched(self, tmp_path: Path, only: str, told: str) -> None:
        with pytest.raises(UsageError, match=f"--table {only}") as caught:
            resolve(tmp_path, "  - {name: main.*, time_column: day}\n", [only])
        assert told in str(caught.value)

    def test_any_order_of_entries_gives_each_table_once(self, tmp_path: Path) -> None:
        lines = [
            f"  - {{name: {name}, time_column: day}}\n" for name in ("main.*", "main.raw_*", "main.raw_a", "main.?aw_*")
        ]
        for seed in range(8):
            random.Random(seed).shuffle(lines)  # noqa: S311 - an order, not a secret
            tables, _ = resolve(tmp_path, "".join(lines))
            assert set(tables) == {"main.flights", "main.planes", "main.raw_a", "main.raw_b", "main.Mixed"}

    def test_the_engine_that_is_real(self, warehouse: Warehouse, tmp_path: Path) -> None:
        path = tmp_path / "daywatch.yaml"
        path.write_text(
            "warehouses: {main: 'duckdb:///w.duckdb'}\ntables:\n  - name: main.*\n"
            "  - {name: main.epoch_ms, time_column: ts, time_unit: ms, rules: [{sql: amount >= 0}]}\n",
            encoding="utf-8",
        )
        tables = {table.name: table for table in resolve_tables(load_config(path, {}), {"main": warehouse})}
        assert tables["main.epoch_ms"].time is not None
        assert tables["main.epoch_ms"].time.form is TimeForm.EPOCH_MS
        assert tables["main.no_time"].time is None
        assert tables["main.orders"].key == ("order_id",)
        assert 'main."odd names"' in tables
