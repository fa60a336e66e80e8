"""A table's past read from the warehouse itself: everything once, and nothing that came later."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from monitor.run import judge_partition, prepare_past
from monitor.types import Status

if TYPE_CHECKING:
    from typing import Any

FIRST = dt.date(2024, 1, 1)
NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)


def label(day: int) -> str:
    return (FIRST + dt.timedelta(days=day)).isoformat()


def days_known(shop: Any, day: int, **settings: Any) -> list[str]:
    with shop.store() as store:
        watch = shop.watch(store, **settings)
        partition = watch.warehouse.partition(watch.table, label(day))
        past = prepare_past(watch, partition, NOW)
        watch.warehouse.close()
        return [found.partition.label for found in past.known(partition)]


def test_the_past_is_what_lies_before_the_day(shop: Any) -> None:
    assert days_known(shop, 12) == [label(i) for i in range(12)]


def test_as_far_back_as_is_asked_for(shop: Any) -> None:
    assert days_known(shop, 30, backfill_days=10, drift_backfill_days=0) == [label(i) for i in range(20, 30)]
    assert days_known(shop, 31, backfill_days=10, drift_backfill_days=0) == [label(i) for i in range(20, 31)]


def test_zero_days_read_nothing(shop: Any) -> None:
    assert days_known(shop, 30, backfill_days=0) == []


def test_days_without_rows_are_no_days(shop: Any) -> None:
    shop.write(f"DELETE FROM orders WHERE day = '{label(5)}'")
    assert days_known(shop, 12) == [label(i) for i in range(12) if i != 5]


def test_read_once_it_is_not_read_again(shop: Any) -> None:
    first = days_known(shop, 20, drift_backfill_days=4)
    shop.write(f"UPDATE orders SET price = 1e6 WHERE day < '{label(20)}'")
    with shop.store() as store:
        watch = shop.watch(store, drift_backfill_days=4)
        partition = watch.warehouse.partition(watch.table, label(20))
        with watch.warehouse.costing() as receipt:
            past = prepare_past(watch, partition, NOW)
        watch.warehouse.close()
        assert receipt.cost.queries == 0
        assert [d.partition.label for d in past.known(partition)] == first
        assert max(d.values["mean.price"] or 0 for d in past.known(partition)) < 1e3
        assert len(store.history("main.orders")) == 20


def test_measured_in_one_statement_it_is_what_each_day_would_say(shop: Any) -> None:
    with shop.store() as store:
        watch = shop.watch(store, drift_backfill_days=0)
        partition = watch.warehouse.partition(watch.table, label(10))
        past = prepare_past(watch, partition, NOW)
        for found in past.known(partition)[::4]:
            alone = watch.warehouse.aggregates(watch.table, found.partition, watch.request.measures)
            exact = {m for m in alone if m.kind not in ("quantile", "distinct")}
            assert {m.key: found.values[m.key] for m in exact} == pytest.approx({m.key: alone[m] for m in exact})
        watch.warehouse.close()


def test_drift_is_replayed_on_the_last_days_by_what_was_known_before_each(shop: Any) -> None:
    with shop.store() as store:
        watch = shop.watch(store, drift_backfill_days=5)
        partition = watch.warehouse.partition(watch.table, label(20))
        past = prepare_past(watch, partition, NOW)
        watch.warehouse.close()
        scored = {d.partition.label: d.scores for d in past.known(partition) if d.scores}
        stored = {row.partition.label: row.scores for row in store.history("main.orders") if row.scores}
    assert list(scored) == [label(i) for i in range(15, 20)]
    assert stored == scored
    assert all("drift" in scores and "drift.price" in scores for scores in scored.values())


def test_a_day_scored_later_keeps_its_columns(shop: Any) -> None:
    """A table of a few rows a day has no drift score from its runs; scoring it must not forget its schema."""
    shop.write(f"DELETE FROM orders WHERE id % 200 > 15 OR day > '{label(20)}'")
    with shop.store() as store:
        watch = shop.watch(store)
        judge_partition(watch, watch.warehouse.partition(watch.table, label(19)), NOW)
        watch.warehouse.close()
        shop.write("ALTER TABLE orders ADD COLUMN extra INTEGER")
        watch = shop.watch(store)
        outcome = judge_partition(watch, watch.warehouse.partition(watch.table, label(20)), NOW)
        watch.warehouse.close()
    schema = next(f for f in outcome.findings if f.check == "schema")
    assert schema.status is Status.FAIL
    assert schema.columns == ("extra",)
