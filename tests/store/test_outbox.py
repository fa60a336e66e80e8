from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from monitor.store import Delivery, Store

MINUTE = dt.timedelta(minutes=1)


def test_an_alert_waits_until_it_is_delivered(store: Store, make: Any) -> None:
    (alert,) = store.record(make.bad_run()).alerts
    (item,) = store.pending(10, make.now)
    assert str(uuid.UUID(item.alert)) == alert
    assert (item.attempts, item.uncertain, item.error, item.enqueued_at) == (0, False, None, make.now)
    assert item.table == "main.flights"
    assert store.pending(10, make.now - MINUTE) == []
    assert store.delivered(alert, make.now, "ts=1")
    assert store.pending(10, make.now + MINUTE) == []
    assert not store.delivered(alert, make.now)
    assert not store.delivered("unknown", make.now)


def test_a_failed_attempt_comes_back_with_the_same_id(store: Store, make: Any) -> None:
    (alert,) = store.record(make.bad_run()).alerts
    assert store.failed(alert, "503", make.now + 5 * MINUTE)
    assert store.pending(10, make.now + MINUTE) == []
    (item,) = store.pending(10, make.now + 5 * MINUTE)
    assert (item.alert, item.attempts, item.error, item.uncertain) == (alert, 1, "503", False)


def test_giving_up_is_for_good(store: Store, make: Any) -> None:
    (alert,) = store.record(make.bad_run()).alerts
    assert store.give_up(alert, "channel is archived")
    assert not store.failed(alert, "again", make.now)
    assert store.record(make.bad_run()).alerts == ()
    assert store.pending(10, make.now + 1000 * MINUTE) == []


def test_a_sender_that_died_leaves_an_uncertain_alert(store: Store, make: Any) -> None:
    (alert,) = store.record(make.bad_run()).alerts
    (taken,) = store.take(10, make.now, lease_s=60)
    assert (taken.alert, taken.uncertain) == (alert, False)
    assert store.take(10, make.now, lease_s=60) == []
    (again,) = store.take(10, make.now + MINUTE, lease_s=60)
    assert (again.alert, again.uncertain) == (alert, True)
    assert store.delivered(alert, make.now)


def test_oldest_first_and_no_more_than_asked_for(store: Store, make: Any) -> None:
    alerts = [store.record(make.bad_run(number)).alerts[0] for number in range(5)]
    assert [item.alert for item in store.pending(3, make.now)] == alerts[:3]
    assert [item.alert for item in store.take(2, make.now)] == alerts[:2]
    assert [item.alert for item in store.take(9, make.now)] == alerts[2:]


def test_many_senders_take_each_alert_once(store: Store, make: Any) -> None:
    channels = [f"slack:#{number}" for number in range(40)]
    store.record(make.bad_run(deliveries=[Delivery("new:0", channel) for channel in channels]))

    def send(_: int) -> list[str]:
        return [item.channel for _ in range(20) for item in store.take(1, make.now)]

    with ThreadPoolExecutor(8) as pool:
        sent = [channel for channels_ in pool.map(send, range(8)) for channel in channels_]
    assert sorted(sent) == sorted(channels)
