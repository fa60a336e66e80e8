"""What watching would cost, told beforehand, beside what it cost."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from monitor.check import LIGHT, checks_of, load_checks
from monitor.estimate import MONTH_HOURS, SEGMENT_ROWS, awake_hours, estimate
from monitor.types import Cadence, Column, ColumnKind, Table, TimeColumn, TimeForm, Watching
from monitor.warehouses.polls import TableState
from tests.e2e.desk import CONFIG, ORDERS, Desk

COLUMNS = (Column("d", ColumnKind.DATE, "DATE"), Column("n", ColumnKind.NUMBER, "INT"))
FULL = Table("main.t", "main", ("t",), COLUMNS, TimeColumn("d", TimeForm.DATE))
REPLAYED = 10


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk")).sql(ORDERS).write()


def plan(desk: Desk, code: int, *words: str) -> dict[str, Any]:
    """The lines of the plan, by table or warehouse; what is counted, as `plan`."""
    answer = desk.say("plan", "--format", "json", *words)
    assert answer.code == code, answer.err
    return {line.get("table") or line.get("warehouse") or "plan": line for line in answer.lines}


def test_the_estimate_is_near_what_a_month_of_daily_runs_costs(desk: Desk) -> None:
    """Some days, each in a command of its own; the first reads the past."""
    desk.write(CONFIG + "    backfill_days: 20\n    drift_backfill_days: 3\n    watch: full\n")
    told = plan(desk, 1)["main.orders"]
    first = dt.datetime(2026, 11, 10, 5, tzinfo=dt.UTC)
    for day in range(REPLAYED):
        assert desk.judge("--no-alerts", now=(first + dt.timedelta(days=day)).isoformat()).code in (0, 1)
    cost = desk.say("status", "--cost", "--format", "json", "--since", "2026-10-01").lines[0]
    daily = {
        name: sum(cost["purposes"][p][name] for p in ("judge", "poll")) * told["partitions"] / REPLAYED
        for name in ("queries", "rows")
    }
    assert desk.say("apply").code == 0
    known = plan(desk, 0)["main.orders"]
    assert known["first_day"] is None
    assert known["month_applied"] == known["month"]
    assert known["rows"] == 200
    assert known["month"]["rows_scanned"] == pytest.approx(2 * 200 * 30.44, rel=0.01)
    assert 1 / 1.5 <= known["month"]["statements"] / daily["queries"] <= 1.5
    assert 1 / 1.5 <= known["month"]["rows_fetched"] / daily["rows"] <= 1.5
    past = cost["purposes"]["backfill"]
    assert 1 / 1.5 <= told["first_day"]["statements"] / past["queries"] <= 1.5
    assert cost["month"]["queries"] == pytest.approx(daily["queries"], rel=0.05)


def test_the_plan_tells_what_is_new_and_what_is_gone(desk: Desk) -> None:
    config = CONFIG + "    owner: '@ana'\n    channels: [console]\n"
    desk.write(config)
    before = plan(desk, 1)
    assert not (desk.folder / "daywatch.db").exists()
    orders = before["main.orders"]
    assert (orders["change"], orders["owner"], orders["channels"]) == ("new", "@ana", ["console"])
    assert {"freshness", "drift", "rule"} <= set(orders["checks"])
    assert "metric" not in orders["checks"]
    assert desk.say("apply", "--author", "ana").code == 0
    assert plan(desk, 0)["main.orders"]["change"] is None
    desk.sql("CREATE TABLE other AS SELECT * FROM orders")
    desk.write(config.replace("main.orders", "main.other"))
    after = plan(desk, 1)
    assert (after["main.other"]["change"], after["main.orders"]["change"]) == ("new", "gone")
    assert [c["check"] for c in after["main.orders"]["changes"]] == [None, "rule.not_null_color"]
    text = desk.say("plan").out
    assert "+ main.other (full): console, owner @ana" in text
    assert "- main.orders" in text
    assert "1 new, 1 gone" in text


def test_a_plan_asks_for_no_scan(desk: Desk) -> None:
    """An estimate of a table with nothing but metadata is a bound, and says so."""
    told = plan(desk, 1)["main.orders"]
    assert told["rows"] is None
    assert told["month"]["rows_scanned"] is None
    assert told["month"]["rows_fetched"] >= 8 * 30 * 10_000
    assert "not known yet" in desk.say("plan").out


def test_light_watching_draws_no_sample(desk: Desk) -> None:
    full = plan(desk, 1)["main.orders"]
    desk.write(CONFIG + "    watch: light\n")
    light = plan(desk, 1)["main.orders"]
    assert light["watch"] == "light"
    assert set(light["checks"]) == {"freshness", "volume", "schema", "rule"}
    assert light["month"]["rows_fetched"] < full["month"]["rows_fetched"] / 100
    assert "LIMIT 10000" not in desk.say("run", "--dry-run", "--date", "2026-11-20").out
    answer = desk.judge("--no-alerts", "--date", "2026-11-20")
    assert {f["kind"] for f in answer.findings} == {"freshness", "volume", "schema", "rule"}
    assert {f["cost"]["queries"] for f in answer.findings} == {1}


def test_checks_are_chosen_by_the_tables_settings() -> None:
    checks = load_checks()
    light = Table("main.t", "main", ("t",), COLUMNS, None, watch=Watching.LIGHT)
    assert {check.name for check in checks_of(checks, light)} == set(LIGHT)
    assert checks_of(checks, FULL) == checks
    declared = Table("main.t", "main", ("t",), COLUMNS, None, watch=Watching.LIGHT, automatic=False)
    assert {check.name for check in checks_of(checks, declared)} == {"metric", "entity", "rule", "relation"}


@pytest.mark.parametrize(("cadence", "partitions"), [(Cadence.HOUR, 730.5), (Cadence.DAY, 30.44), (Cadence.WEEK, 4.35)])
def test_a_month_has_so_many_partitions(cadence: Cadence, partitions: float) -> None:
    table = Table("main.t", "main", ("t",), COLUMNS, TimeColumn("d", TimeForm.DATE), cadence)
    told = estimate(table, load_checks(), 1_000.0, TableState(rows=100_000, bytes=10_000_000))
    assert told.partitions == partitions
    assert told.month.scanned == pytest.approx(2 * 1_000 * partitions)  # aggregates, and rows by group
    assert told.month.fetched == pytest.approx((8 * 1_000 + 11 + SEGMENT_ROWS) * partitions)
    assert told.month.bytes == pytest.approx(10 * 1_000 * 100 * partitions)


def test_groupings_over_the_same_rows_are_one_statement() -> None:
    settings = {"direction": "both", "segments_max": 20}
    metrics = [
        {"name": name, "sql": f"avg({name})", "by": by, "where": where, **settings}
        for name, by, where in (("n", ("d",), None), ("m", ("n",), None), ("o", ("n",), "n > 0"))
    ]

    def of(count: int) -> float:
        columns = (*COLUMNS, Column("m", ColumnKind.NUMBER, "INT"), Column("o", ColumnKind.NUMBER, "INT"))
        table = dataclasses.replace(FULL, columns=columns, automatic=False, metrics=tuple(metrics[:count]))
        return estimate(table, checks_of(load_checks(), table), 1_000.0, None).month.statements / 30.44

    assert [round(of(count) - of(0)) for count in (1, 2, 3)] == [1, 1, 2]


def test_a_table_without_time_is_read_whole_every_day() -> None:
    table = Table("main.t", "main", ("t",), COLUMNS, None)
    told = estimate(table, load_checks(), None, TableState(rows=500, bytes=5_000))
    assert (told.rows, told.month.scanned, told.first_day.statements) == (500, pytest.approx(2 * 500 * 30.44), 0)
    assert told.month.bytes == pytest.approx(3 * 5_000 * 30.44)  # aggregates, groups, sample


def test_hours_awake_end_at_a_months() -> None:
    assert awake_hours(30, 3600) == pytest.approx((730.5 + 30) / 30)
    assert awake_hours(30, 60) == MONTH_HOURS


def test_init_tells_a_month_and_looks_at_a_table_without_days_as_a_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk")).sql(ORDERS, "CREATE TABLE lookup AS SELECT 'a' AS code, 'b' AS name")
    answer = desk.say("init", "duckdb:///shop.duckdb")
    assert answer.code == 0, answer.err
    assert "statements" in answer.err
    assert "a month" in answer.err
    assert "on the first day" in answer.err
    written = (desk.folder / "daywatch.yaml").read_text()
    assert "  - name: main.lookup\n    mode: snapshot    # no time column" in written
    planned = plan(desk, 1)
    assert (planned["main.lookup"]["watch"], planned["main.orders"]["watch"]) == ("full", "full")
