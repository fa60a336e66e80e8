from __future__ import annotations

import datetime as dt
from typing import Any

from monitor.store import CostSum, Measured, Seen, Store
from monitor.types import Cost, Status


def test_where_each_table_stands(store: Store, make: Any) -> None:
    store.record(make.bad_run(0, cost=Cost(3, 100, None), seconds=1.5))
    verdicts = {"a": Status.ERROR, "b": Status.SKIPPED, "c": Status.FAIL, "d": Status.PASS, "e": Status.LEARNING}
    findings = [make.finding(f"new:{check}", check, status=status) for check, status in verdicts.items()]
    store.record(make.run(1, findings=[make.finding()]))  # taken back by the next revision
    store.record(make.run(1, findings=findings, cost=Cost(1, 10, 2_000), seconds=0.5))
    store.record_backfill("main.flights", [Measured(make.day(9))], make.now)  # measured, not judged
    store.record(make.run(0, table="main.airports"))
    airports, flights = store.status_rows()
    assert (airports.table, airports.failing, airports.incidents) == ("main.airports", (), ())
    assert flights.partition == Seen(make.day(1).label, make.day(1).order)
    assert flights.judged_at == make.now
    assert (flights.failing, flights.errored, flights.skipped) == (("c",), ("a",), ("b",))
    assert [state.id for state in flights.incidents] == ["INC-1"]
    assert flights.cost == CostSum(runs=3, queries=4, rows=110, bytes=2_000, seconds=2.0)


def test_costs_since(store: Store, make: Any) -> None:
    hour = dt.timedelta(hours=1)
    store.record(make.run(0, cost=Cost(1, 10, None), seconds=1.0))
    store.record(make.run(1, at=make.now + hour, cost=Cost(2, 2**40, 2**50), seconds=2.0))
    store.record(make.run(1, at=make.now + hour, table="main.planes", cost=Cost(4, 1, None)))
    assert store.costs("main.flights") == CostSum(2, 3, 10 + 2**40, 2**50, 3.0)
    assert store.costs("main.flights", make.now + hour) == CostSum(1, 2, 2**40, 2**50, 2.0)
    assert store.costs("main.planes").bytes is None
    assert store.costs().runs == 3
    assert store.costs("main.nothing") == CostSum()
    assert store.status_rows(make.now + 2 * hour)[0].cost == CostSum()
