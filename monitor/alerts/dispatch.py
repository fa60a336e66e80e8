"""From the outbox to the channels: in order on each, at least once, and in practice once."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from monitor.alerts.blocks import Message
from monitor.alerts.payload import from_payload
from monitor.errors import mask_secrets
from monitor.failpoint import reach
from monitor.notifiers.base import DeliveryError, Notifier
from monitor.privacy.shapes import clean_text

if TYPE_CHECKING:
    from monitor.store import OutboxItem

BATCH_MAX = 50
LEASE_S = 600.0
BACKOFF_FIRST_S = 30.0
BACKOFF_MAX_S = 1800.0
GIVE_UP_AFTER = dt.timedelta(days=3)
CHANNELS_AT_ONCE = 8
_ERROR_MAX = 300
_WAITING_MAX = 10_000
_EVER = dt.timedelta(days=3650)


class Outbox(Protocol):
    """What dispatching needs of the store (see `monitor.store.Store`)."""

    def pending(self, limit: int, now: dt.datetime) -> list[OutboxItem]:
        """Alerts due at `now`, oldest first."""
        ...

    def take(self, limit: int, now: dt.datetime, lease_s: float = ...) -> list[OutboxItem]:
        """The same for this sender alone, until the lease ends."""
        ...

    def delivered(self, alert: str, now: dt.datetime, receipt: str | None = None) -> bool:
        """The channel has it."""
        ...

    def failed(self, alert: str, error: str, retry_at: dt.datetime) -> bool:
        """It is due again at `retry_at`."""
        ...

    def give_up(self, alert: str, error: str) -> bool:
        """Nobody tries again."""
        ...

    def put_back(self, alert: str, due: dt.datetime) -> bool:
        """Nobody tried: it is due again at `due`."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """An alert that a channel did not take; `retry_at` is None when nobody tries again.

    `repeated`: its last attempt failed for the same reason, so that this is no news.
    """

    alert: str
    incident: str
    channel: str
    error: str
    retry_at: dt.datetime | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """How one round went: alert ids with receipts, failures, and alerts that wait behind an earlier one."""

    delivered: tuple[tuple[str, str], ...] = ()
    failures: tuple[Failure, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every alert that was due has reached its channel."""
        return not self.failures and not self.held


def dispatch(
    store: Outbox,
    notifiers: Mapping[str, Notifier],
    now: dt.datetime,
    *,
    limit: int = BATCH_MAX,
    lease_s: float = LEASE_S,
    clock: Callable[[], float] = time.monotonic,
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
        _Round(store, channel, notifiers.get(channel), heads.get(channel), now, lambda: clock() < stop)
        for channel in channels
    ]
    with ThreadPoolExecutor(min(CHANNELS_AT_ONCE, len(rounds)), thread_name_prefix="alerts") as pool:
        reports = list(pool.map(lambda turn: turn.send_all(channels[turn.channel]), rounds))
    return DispatchReport(
        tuple(entry for report in reports for entry in report.delivered),
        tuple(entry for report in reports for entry in report.failures),
        tuple(entry for report in reports for entry in report.held),
    )


def _heads(store: Outbox, now: dt.datetime) -> dict[str, OutboxItem]:
    """The oldest alert of each channel that is not settled, due or not: nothing may overtake it."""
    heads: dict[str, OutboxItem] = {}
    for item in store.pending(_WAITING_MAX, now + _EVER):
        heads.setdefault(item.channel, item)
    return heads


@dataclass(frozen=True)
class _Round:
    """One channel's turn."""

    store: Outbox
    channel: str
    notifier: Notifier | None
    head: OutboxItem | None
    now: dt.datetime
    has_time: Callable[[], bool]

    def send_all(self, items: Sequence[OutboxItem]) -> DispatchReport:
        """Send in order until the channel refuses in a way that may pass."""
        delivered: list[tuple[str, str]] = []
        failures: list[Failure] = []
        if self.head is not None and all(item.alert != self.head.alert for item in items):
            wait_s = backoff_s(max(self.head.attempts - 1, 0))
            return DispatchReport(held=self._hold(items, self.now + dt.timedelta(seconds=wait_s)))
        for place, item in enumerate(items):
            if not self.has_time():
                return DispatchReport(tuple(delivered), tuple(failures), self._hold(items[place:], self.now))
            outcome = self._send(item)
            if isinstance(outcome, str):
                delivered.append((item.alert, outcome))
                continue
            failures.append(outcome)
            if outcome.retry_at is not None:
                held = self._hold(items[place + 1 :], outcome.retry_at)
                return DispatchReport(tuple(delivered), tuple(failures), held)
        return DispatchReport(tuple(delivered), tuple(failures))

    def _send(self, item: OutboxItem) -> str | Failure:
        """The receipt, or why there is none; either is written to the outbox."""
        try:
            message = replace(from_payload(item.payload), alert_id=item.alert, incident=item.incident)
        except ValueError as error:
            return self._fail(item, f"the stored message cannot be read: {error}", retryable=False)
        if self.notifier is None:
            return self._fail(item, f"no notifier is configured for channel {self.channel}")
        reach("before the sending")
        try:
            receipt = self._deliver(self.notifier, item, message)
        except DeliveryError as error:
            return self._fail(item, str(error), retryable=error.retryable, after_s=error.retry_after_s)
        except Exception as error:  # noqa: BLE001 - a channel that breaks must not break the others
            return self._fail(item, f"{type(error).__name__}: {error}")
        reach("after the sending")
        self.store.delivered(item.alert, self.now, receipt)
        reach("after the receipt")
        return receipt

    def _deliver(self, notifier: Notifier, item: OutboxItem, message: Message) -> str:
        """A failed or interrupted attempt may have arrived all the same: ask before sending again."""
        known = notifier.find(item.alert) if item.uncertain or item.attempts else None
        return known if known is not None else notifier.send(message)

    def _fail(self, item: OutboxItem, error: str, *, retryable: bool = True, after_s: float | None = None) -> Failure:
        told = clean_text(mask_secrets(error), _ERROR_MAX)
        retry_at = self.now + dt.timedelta(seconds=max(backoff_s(item.attempts), min(after_s or 0.0, BACKOFF_MAX_S)))
        if not retryable or self.now - item.enqueued_at >= GIVE_UP_AFTER:
            self.store.give_up(item.alert, told)
            return Failure(item.alert, item.incident, self.channel, told, None)
        self.store.failed(item.alert, told, retry_at)
        return Failure(item.alert, item.incident, self.channel, told, retry_at, repeated=told == item.error)

    def _hold(self, items: Sequence[OutboxItem], until: dt.datetime) -> tuple[str, ...]:
        """Give alerts back unsent; one whose earlier sending is uncertain counts as tried, so that it is asked for."""
        for item in items:
            if item.uncertain:
                self.store.failed(item.alert, item.error or "an earlier sender never said how it ended", until)
            else:
                self.store.put_back(item.alert, until)
        return tuple(item.alert for item in items)


def backoff_s(attempts: int) -> float:
    """How long to wait after one more failure, in seconds: 30, 60, 120, ... half an hour.

    >>> backoff_s(0), backoff_s(3), backoff_s(500)
    (30.0, 240.0, 1800.0)
    """
    return float(min(BACKOFF_FIRST_S * 2 ** min(attempts, 20), BACKOFF_MAX_S))
