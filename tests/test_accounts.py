"""What watching costs, as `status --cost` tells it, and which alerts wait."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest

from monitor.accounts import MONTH_S, draw_accounts, sum_accounts
from monitor.receipts import spending
from monitor.store import CostSum, Spent, Store
from monitor.store.models import costs
from monitor.store.records import Purpose
from monitor.warehouses import open_warehouse
from tests.e2e.desk import ORDERS, Answer, Desk

NOW = dt.datetime(2026, 11, 21, 5, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
JUDGE: Purpose = "judge"
BACKFILL: Purpose = "backfill"


def spent(purpose: str, queries: int, seconds: float, table: str | None = "main.t", **more: object) -> Spent:
    fields = {"covered_s": 0.0, "first": NOW - 10 * DAY, "last": NOW, **more}
    return Spent("main", table, purpose, CostSum(1, queries, 10 * queries, None, seconds), **fields)  # type: ignore[arg-type]


def test_a_month_is_told_by_what_was_covered_and_by_the_time_that_went_by() -> None:
    judged = spent("judge", 60, 6.0, covered_s=2 * 86_400.0)
    (account,) = draw_accounts([judged, spent("poll", 20, 2.0), spent("backfill", 400, 32.0)], NOW)
    assert account.month.queries == round(60 * MONTH_S / 2 / 86_400) + round(20 * 30.44 / 10)
    assert account.total.queries == 480
    assert account.backfill.queries == 400
    assert account.backfill_share == pytest.approx(0.8)


def test_a_few_minutes_are_not_taken_for_a_rate() -> None:
    (account,) = draw_accounts([spent("poll", 20, 2.0, first=NOW - DAY / 100)], NOW)
    assert account.month.queries == round(20 * 30.44)


def test_the_dearest_comes_first_and_all_sum_up() -> None:
    accounts = draw_accounts(
        [spent("judge", 1, 1.0, "main.a"), spent("judge", 1, 9.0, "main.b"), spent("poll", 0, 0.0, "main.c")], NOW
    )
    assert [account.table for account in accounts] == ["main.b", "main.a"]
    assert sum_accounts(accounts).total == CostSum(2, 2, 20, None, 10.0)


def cost(desk: Desk, *words: str) -> Answer:
    return desk.say("status", "--cost", "--format", "json", *words)


def test_status_tells_what_watching_cost(desk: Desk) -> None:
    assert "nothing was asked" in desk.say("status", "--cost").out
    desk.judge("--no-alerts")
    answer = cost(desk)
    *tables, total = answer.lines
    assert answer.code == 0
    assert (total["total"], total["table"], total["backfill_share"] > 0) == (True, None, True)
    (orders,) = tables
    assert orders["table"] == "main.orders"
    assert set(orders["purposes"]) == {"judge", "backfill", "poll"}
    assert sum(p["queries"] for p in orders["purposes"].values()) == orders["queries"] == total["queries"]
    judged = orders["purposes"]["judge"]["queries"]
    assert orders["month"]["queries"] == pytest.approx(30.44 * (judged + orders["purposes"]["poll"]["queries"]), abs=2)
    (desk.folder / "shop.duckdb").unlink()  # the store alone is asked
    text = desk.say("status", "--cost").out
    assert "reading the past" in text
    assert "main.orders" in text
    assert cost(desk, "--since", "2026-11-22").lines[-1]["queries"] == 0


def test_finding_a_time_column_costs_too(desk: Desk) -> None:
    desk.write('warehouses: {main: "duckdb:///shop.duckdb"}\ntables: [{name: main.orders}]\n')
    desk.say("plan")
    assert not (desk.folder / "daywatch.db").exists()
    desk.judge("--no-alerts", "--date", "2026-10-21")
    many = [line for line in cost(desk).lines[:-1] if line["table"] is None]
    assert [set(line["purposes"]) for line in many] == [{"poll"}]
    assert many[0]["queries"] >= 3


def test_a_run_that_fails_costs_too(desk: Desk, tmp_path: Path) -> None:
    warehouse = open_warehouse("main", f"duckdb:///{desk.folder / 'shop.duckdb'}")
    with Store.open(f"sqlite:///{tmp_path / 'daywatch.db'}") as store:

        def fail(purpose: Purpose) -> None:
            with spending(store, warehouse, "main.orders", purpose, NOW):
                warehouse.fetch("SELECT 1 UNION ALL SELECT 2")
                raise KeyError(purpose)

        for purpose in (JUDGE, BACKFILL):
            with pytest.raises(KeyError):
                fail(purpose)
        with spending(store, warehouse, "main.orders", "judge", NOW):
            warehouse.fetch("SELECT 1")  # the record of the partition counts it
        (told,) = store.spent()
    warehouse.close()
    assert (told.purpose, told.cost.runs, told.cost.queries, told.cost.rows) == ("failed", 2, 2, 4)


@pytest.mark.parametrize(
    ("words", "said"), [(["--since", "2026-01-01"], "--cost"), (["--cost", "--since", "monday"], "no date")]
)
def test_a_since_that_means_nothing_is_told(desk: Desk, words: list[str], said: str) -> None:
    answer = desk.say("status", *words)
    assert answer.code == 2
    assert said in answer.err


def test_five_hundred_tables_over_sixty_days_are_told_at_once(empty_desk: Desk) -> None:
    empty_desk.write()
    rows = [
        {
            "at": NOW - day * DAY, "warehouse": "main", "table_name": f"main.t{table}", "purpose": purpose, "runs": 1,
            "covered_s": 86_400.0, "queries": 3, "rows_read": 10_000, "bytes_read": None, "seconds": 1.0,
        }
        for day in range(60) for table in range(500) for purpose in ("judge", "poll")
    ]  # fmt: skip
    with Store.open(f"sqlite:///{empty_desk.folder / 'daywatch.db'}") as store, store._writing() as connection:
        connection.execute(costs.insert(), rows)
    started = time.perf_counter()
    answer = cost(empty_desk, "--since", "2026-01-01")
    assert time.perf_counter() - started <= 2.0
    assert len(answer.lines) == 501
    assert answer.lines[-1]["queries"] == 60 * 500 * 2 * 3


@pytest.fixture(name="desk")
def _desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk")).sql(ORDERS).write()


@pytest.fixture
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("empty"))
