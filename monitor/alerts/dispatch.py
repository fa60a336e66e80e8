"""From the outbox to the channels: in order on each, at least once, and in practice once."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from monitor.alerts.outbox import DispatchReport, Failure, Outbox
from monitor.alerts.rounds import BACKOFF_FIRST_S, BACKOFF_MAX_S, GIVE_UP_AFTER, Round, backoff_s
from monitor.alerts.timetable import Timetable
from monitor.notifiers.base import Notifier

if TYPE_CHECKING:
    from monitor.store import OutboxItem

__all__ = [
    "BACKOFF_FIRST_S",
    "BACKOFF_MAX_S",
    "GIVE_UP_AFTER",
    "DispatchReport",
    "Failure",
    "Outbox",
    "backoff_s",
    "dispatch",
]

BATCH_MAX = 500
LEASE_S = 600.0
CHANNELS_AT_ONCE = 8
_WAITING_MAX = 10_000
_EVER = dt.timedelta(days=3650)


def dispatch(
    store: Outbox,
    notifiers: Mapping[str, Notifier],
    now: dt.datetime,
    *,
    limit: int = BATCH_MAX,
    lease_s: float = LEASE_S,
    clock: Callable[[], float] = time.monotonic,
    timetable: Timetable | None = None,
) -> DispatchReport:
    """Send the alerts that are due.

    Each channel gets its alerts one after the other, oldest first; channels do not wait for each other. After a
    failure the rest of the channel's alerts wait, so that order is kept. An alert that was tried before is looked for
    on the channel first. What no retry can mend, and what is three days old, is given up.

    Args:
        store: the outbox.
        notifiers: by the channel's name; an alert whose channel has none fails and is tried again later.
        now: an aware datetime.
        limit: how many alerts one round takes.
        lease_s: how long the taken alerts are this sender's; a round starts no sending after half of it.
        clock: seconds that only go forward.
        timetable: when channels want to be told; at any time by default.
    """
    taken = store.take(limit, now, lease_s)
    if not taken:
        return DispatchReport()
    channels: dict[str, list[OutboxItem]] = {}
    for item in taken:
        channels.setdefault(item.channel, []).append(item)
    heads = _heads(store, now)
    stop = clock() + lease_s / 2
    rounds = [
        Round(
            store,
            channel,
            notifiers.get(channel),
            heads.get(channel),
            now,
            lambda: clock() < stop,
            timetable or Timetable(),
        )
        for channel in channels
    ]
    with ThreadPoolExecutor(min(CHANNELS_AT_ONCE, len(rounds)), thread_name_prefix="alerts") as pool:
        reports = list(pool.map(lambda turn: turn.send_all(channels[turn.channel]), rounds))
    return DispatchReport(
        tuple(entry for report in reports for entry in report.delivered),
        tuple(entry for report in reports for entry in report.failures),
        tuple(entry for report in reports for entry in report.held),
        tuple(entry for report in reports for entry in report.put_off),
    )


def _heads(store: Outbox, now: dt.datetime) -> dict[str, OutboxItem]:
    """The oldest alert of each channel that is wanted and not settled, due or not: nothing may overtake it."""
    heads: dict[str, OutboxItem] = {}
    for item in store.pending(_WAITING_MAX, now + _EVER):
        if item.not_before is None or item.not_before <= now:
            heads.setdefault(item.channel, item)
    return heads
