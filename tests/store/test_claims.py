from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from monitor.store import Store

WORK = ("main.flights", "2013-01-01T00:00:00+00:00")
MINUTE = dt.timedelta(minutes=1)


def test_one_owner_at_a_time(store: Store, make: Any) -> None:
    assert store.claim(*WORK, "a", make.now, 60)
    assert not store.claim(*WORK, "b", make.now, 60)
    assert not store.claim(*WORK, "a", make.now, 60)
    assert store.claim("main.planes", WORK[1], "b", make.now, 60)
    assert not store.release(*WORK, "b")
    assert store.release(*WORK, "a")
    assert not store.release(*WORK, "a")
    assert store.claim(*WORK, "b", make.now, 60)


def test_an_ended_lease_is_taken_over(store: Store, make: Any) -> None:
    assert store.claim(*WORK, "a", make.now, 60)
    assert store.claim(*WORK, "b", make.now + MINUTE, 60)
    assert not store.heartbeat(*WORK, "a", make.now + MINUTE, 60)
    assert not store.release(*WORK, "a")
    assert store.heartbeat(*WORK, "b", make.now + MINUTE, 60)


def test_a_heartbeat_holds_the_claim(store: Store, make: Any) -> None:
    assert store.claim(*WORK, "a", make.now, 60)
    assert store.heartbeat(*WORK, "a", make.now, 120)
    assert not store.claim(*WORK, "b", make.now + MINUTE, 60)
    assert store.claim(*WORK, "b", make.now + 2 * MINUTE, 60)


def test_finished_work_is_never_claimed_again(store: Store, make: Any) -> None:
    assert store.claim(*WORK, "a", make.now, 60)
    assert store.release(*WORK, "a", finished=True)
    assert not store.claim(*WORK, "b", make.now + 1_000_000 * MINUTE, 60)
    assert not store.heartbeat(*WORK, "a", make.now, 60)


def test_times_compare_across_zones(store: Store, make: Any) -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert store.claim(*WORK, "a", make.now.astimezone(tokyo), 60)
    assert not store.claim(*WORK, "b", make.now + MINUTE / 2, 60)
    assert store.claim(*WORK, "b", (make.now + MINUTE).astimezone(tokyo), 60)


def test_eight_threads_claim_each_partition_once(store_url: str, make: Any) -> None:
    partitions = [make.day(number).order for number in range(25)]

    def work(owner: int) -> list[str]:
        with Store.open(store_url) as store:
            return [p for p in partitions if store.claim("main.flights", p, str(owner), make.now, 60)]

    Store.open(store_url).close()
    with ThreadPoolExecutor(8) as pool:
        claimed = [partition for won in pool.map(work, range(8)) for partition in won]
    assert sorted(claimed) == partitions


def test_eight_threads_take_over_one_ended_lease(store_url: str, make: Any) -> None:
    with Store.open(store_url) as store:
        assert store.claim(*WORK, "dead", make.now, 60)

        def take_over(owner: int) -> bool:
            return store.claim(*WORK, str(owner), make.now + MINUTE, 60)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(take_over, range(8))) == 1
