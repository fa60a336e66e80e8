"""Receipts: whatever was asked for is counted once, and told apart by what it was for."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.store import CostSum, Receipt, Store
from monitor.store import migrate as steps
from monitor.store.engine import connect, for_writing, parse_url
from monitor.store.spending import warehouse_of
from monitor.types import Cost, Partition
from tests.store.frozen import VERSIONS, thaw

DAY_S = 86_400.0
HOUR = dt.timedelta(hours=1)


def told(store: Store, since: dt.datetime | None = None) -> dict[tuple[str | None, str], tuple[CostSum, float]]:
    return {(s.table, s.purpose): (s.cost, s.covered_s) for s in store.spent(since)}


def test_purposes_are_told_apart_and_summed(store: Store, make: Any) -> None:
    store.record(make.run(0, cost=Cost(3, 100, None), seconds=1.5))
    store.record(make.run(1, cost=Cost(3, 200, 7), seconds=0.5))
    for purpose in ("backfill", "failed", "backfill"):
        store.spend(Receipt("main", "main.flights", purpose, Cost(1, 10, 5), 2.0), make.now)
    store.spend(Receipt("main", None, "poll", Cost(4, 4, None), 0.25), make.now + HOUR)
    assert told(store) == {
        (None, "poll"): (CostSum(1, 4, 4, None, 0.25), 0.0),
        ("main.flights", "backfill"): (CostSum(2, 2, 20, 10, 4.0), 0.0),
        ("main.flights", "failed"): (CostSum(1, 1, 10, 5, 2.0), 0.0),
        ("main.flights", "judge"): (CostSum(2, 6, 300, 7, 2.0), 2 * DAY_S),
    }
    assert store.costs() == CostSum(6, 13, 334, 22, 8.25)
    assert set(told(store, make.now + HOUR)) == {(None, "poll")}
    assert {s.warehouse for s in store.spent()} == {"main"}
    assert {(s.first, s.last) for s in store.spent() if s.table} == {(make.now, make.now)}


def test_a_partition_judged_again_costs_again_and_is_covered_once(store: Store, make: Any) -> None:
    for _ in range(3):
        store.record(make.run(0, cost=Cost(2, 5, None)))
    store.record(make.run(0, partition=Partition("0017", "17", value=17), cost=Cost(2, 5, None)))
    assert told(store) == {("main.flights", "judge"): (CostSum(4, 8, 20, None, 0.0), DAY_S)}


def test_a_run_that_is_not_recorded_is_not_counted(store: Store, make: Any) -> None:
    with pytest.raises(ValueError, match="refer to"):
        store.record(make.bad_run(0, incidents=(), cost=Cost(2, 5, None)))
    assert store.spent() == []


def test_old_receipts_go_with_old_partitions(store: Store, make: Any) -> None:
    store.spend(Receipt("main", None, "poll", Cost(1)), make.now)
    store.spend(Receipt("main", None, "poll", Cost(1)), make.now + HOUR)
    store.prune(make.now + HOUR)
    assert store.costs().queries == 1


def test_runs_from_before_there_were_receipts_are_counted(store_url: str, make: Any) -> None:
    engine = connect(parse_url(store_url), read_only=False)
    frozen = json.loads((VERSIONS / "0001.json").read_text("utf-8"))
    with for_writing(engine).begin() as connection:
        steps.upgrade(connection, "0001")
        thaw(connection, frozen["rows"])
        judged = connection.execute(sa.text("SELECT sum(queries) FROM daywatch_revisions WHERE judged")).scalar_one()
    engine.dispose()
    with Store.open(store_url) as store:
        ((key, (cost, covered_s)),) = told(store).items()
        assert key == ("main.flights", "judge")
        assert (cost.runs, cost.queries, cost.bytes) == (5, judged, 30_000)
        assert covered_s == 4 * DAY_S  # five runs, of which two on one day
        store.record(make.run(3, at=store.spent()[0].first, cost=Cost(1)))
        assert told(store)[key][1] == covered_s


@pytest.mark.parametrize(
    ("table", "warehouse"), [("main.a", "main"), ("lake.b.c", "lake"), ('"a.b".c', "a.b"), ('"a""b".c', 'a"b')]
)
def test_the_warehouse_is_a_names_first_part(table: str, warehouse: str) -> None:
    assert warehouse_of(table) == warehouse
