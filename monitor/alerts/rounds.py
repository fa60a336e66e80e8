"""One channel's turn: what it is told now, as how many messages, and what becomes of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.alerts.bundles import DIGEST, STORM, STORM_WITHIN, compose_bundle, storm_of
from monitor.alerts.following import Follower
from monitor.alerts.outbox import DispatchReport, Failure, Outbox
from monitor.alerts.payload import from_payload
from monitor.alerts.timetable import Timetable
from monitor.errors import mask_secrets
from monitor.failpoint import reach
from monitor.notifiers.base import DeliveryError, Notifier, Threaded
from monitor.privacy.shapes import clean_text

if TYPE_CHECKING:
    from monitor.alerts.blocks import Message
    from monitor.store import OutboxItem

BACKOFF_FIRST_S = 30.0
BACKOFF_MAX_S = 1800.0
GIVE_UP_AFTER = dt.timedelta(days=3)
_ERROR_MAX = 300
_A_MOMENT = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Round:
    """One channel's turn."""

    store: Outbox
    channel: str
    notifier: Notifier | None
    head: OutboxItem | None
    now: dt.datetime
    has_time: Callable[[], bool]
    timetable: Timetable

    @property
    def gathers(self) -> bool:
        """Whether storms and digests reach the channel as one message."""
        return bool(getattr(self.notifier, "gathers", False))

    def send_all(self, items: Sequence[OutboxItem]) -> DispatchReport:
        """Send in order until the channel refuses in a way that may pass."""
        if self.head is not None and all(item.alert != self.head.alert for item in items):
            wait_s = backoff_s(max(self.head.attempts - 1, 0))
            return DispatchReport(held=self._hold(items, self.now + dt.timedelta(seconds=wait_s)))
        wanted, put_off = self._wanted_now(items)
        report = self._send_sendings(self._gather(wanted))
        return replace(report, put_off=(*put_off, *report.put_off))

    def _send_sendings(self, sendings: Sequence[Sequence[OutboxItem]]) -> DispatchReport:
        delivered: list[tuple[str, str]] = []
        failures: list[Failure] = []
        put_off: list[str] = []
        held: tuple[str, ...] = ()
        for place, sending in enumerate(sendings):
            rest = [item for later in sendings[place + 1 :] for item in later]
            if not self.has_time():
                held = self._hold([*sending, *rest], self.now)
                break
            outcome = self._send_bundle(sending) if sending[0].bundle else self._send(sending[0], rest)
            if outcome is None:
                put_off += [item.alert for item in sending]
            elif isinstance(outcome, str):
                delivered += [(item.alert, outcome) for item in sending]
            else:
                failures.append(outcome)
                if outcome.retry_at is not None:
                    held = self._hold(rest, outcome.retry_at)
                    break
        return DispatchReport(tuple(delivered), tuple(failures), held, tuple(put_off))

    def _wanted_now(self, items: Sequence[OutboxItem]) -> tuple[list[OutboxItem], list[str]]:
        """What the channel wants to be told now, and what was put off; what was tried once is not put off."""
        wanted: list[OutboxItem] = []
        put_off: list[str] = []
        for item in items:
            until = self._opens_at(item) if _is_fresh(item) and item.not_before is None else None
            if until is None:
                wanted.append(item)
            else:
                self.store.put_off(item.alert, until)
                put_off.append(item.alert)
        return wanted, put_off

    def _opens_at(self, item: OutboxItem) -> dt.datetime | None:
        severity, priority = _weight(item)
        if self.timetable.in_digest(self.channel, severity, priority) and not self.gathers:
            return None
        return self.timetable.opens_at(self.channel, severity, priority, self.now)

    def _gather(self, items: Sequence[OutboxItem]) -> list[list[OutboxItem]]:
        """The alerts by messages, in order: most are one of their own."""
        named = {item.alert: item.bundle for item in items}
        if self.gathers:
            for name, members in self._new_bundles(items):
                self.store.bundle([item.alert for item in members], name)
                named |= {item.alert: name for item in members}
        sendings: dict[str, list[OutboxItem]] = {}
        for item in items:
            together = named[item.alert]
            sendings.setdefault(together or item.alert, []).append(replace(item, bundle=together))
        return list(sendings.values())

    def _new_bundles(self, items: Sequence[OutboxItem]) -> list[tuple[str, list[OutboxItem]]]:
        fresh = [item for item in items if _is_fresh(item)]
        digest = [item for item in fresh if self.timetable.in_digest(self.channel, *_weight(item))]
        opened = [item for item in fresh if item not in digest and item.event == "opened"]
        found = [(f"{DIGEST}{digest[0].alert}", digest)] if digest else []
        going_on = self.store.last_bundle(self.channel, STORM, self.now - STORM_WITHIN) if opened else None
        if going_on is not None:
            return [*found, (going_on, opened)]
        storm = storm_of(opened)
        return [*found, (f"{STORM}{storm[0].alert}", storm)] if storm else found

    def _send_bundle(self, items: Sequence[OutboxItem]) -> str | Failure:
        """The receipt of the one message of many alerts; one that is there already is told of those that join it."""
        name = items[0].bundle or ""
        if self.notifier is None:
            return self._fail_all(items, f"no notifier is configured for channel {self.channel}")
        try:
            members = self.store.bundled(name)
            message = compose_bundle(name, members, Follower(self.store, self.channel).standing)
            receipt = next((item.receipt for item in members if item.delivered_at and item.receipt), None)
            if receipt is None and any(item.uncertain or item.attempts for item in items):
                receipt = self.notifier.find(message.alert_id)
            there = receipt is not None and isinstance(self.notifier, Threaded)
            if receipt is None or (there and not self.notifier.update(receipt, message)):  # type: ignore[attr-defined]
                receipt = self.notifier.send(message)
        except DeliveryError as error:
            return self._fail_all(items, str(error), retryable=error.retryable, after_s=error.retry_after_s)
        except Exception as error:  # noqa: BLE001 - a channel that breaks must not break the others
            return self._fail_all(items, f"{type(error).__name__}: {error}")
        for item in items:
            self.store.delivered(item.alert, self.now, receipt)
        return receipt

    def _send(self, item: OutboxItem, rest: Sequence[OutboxItem]) -> str | Failure | None:
        """The receipt, or why there is none, None where its time has not come; it is written to the outbox."""
        if not item.is_root:
            return self._follow(item, rest)
        try:
            message = replace(from_payload(item.payload), alert_id=item.alert, incident=item.incident)
            if item.not_before is not None:  # much may have happened since
                message = Follower(self.store, self.channel).standing(item).on(message)
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

    def _follow(self, item: OutboxItem, rest: Sequence[OutboxItem]) -> str | Failure | None:
        """Bring the messages of an incident up to date, and reply where it is wanted."""
        if self.notifier is None:
            return self._fail(item, f"no notifier is configured for channel {self.channel}")
        last = not any(later.incident == item.incident and not later.is_root for later in rest)
        try:
            receipt = Follower(self.store, self.channel).follow(self.notifier, item, update=last)
        except DeliveryError as error:
            return self._fail(item, str(error), retryable=error.retryable, after_s=error.retry_after_s)
        except Exception as error:  # noqa: BLE001 - as for alerts
            return self._fail(item, f"{type(error).__name__}: {error}")
        if isinstance(receipt, dt.datetime):
            self.store.put_off(item.alert, max(receipt, self.now + _A_MOMENT))
            return None
        self.store.delivered(item.alert, self.now, receipt)
        return receipt

    def _deliver(self, notifier: Notifier, item: OutboxItem, message: Message) -> str:
        """A failed or interrupted attempt may have arrived all the same: ask before sending again."""
        known = notifier.find(item.alert) if item.uncertain or item.attempts else None
        return known if known is not None else notifier.send(message)

    def _fail_all(self, items: Sequence[OutboxItem], error: str, **advice: Any) -> Failure:
        """All alerts of one message fail together; told once."""
        failures = [self._fail(item, error, **advice) for item in items]
        return failures[0]

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


def _is_fresh(item: OutboxItem) -> bool:
    """Whether it is a message of its own that nobody has tried to send."""
    return item.is_root and item.bundle is None and not item.attempts and not item.uncertain


def _weight(item: OutboxItem) -> tuple[str, str]:
    """Severity and priority of an alert, as it was written."""
    return str(item.payload.get("severity", "")), str(item.payload.get("priority", "normal"))


def backoff_s(attempts: int) -> float:
    """How long to wait after one more failure, in seconds: 30, 60, 120, ... half an hour.

    >>> backoff_s(0), backoff_s(3), backoff_s(500)
    (30.0, 240.0, 1800.0)
    """
    return float(min(BACKOFF_FIRST_S * 2 ** min(attempts, 20), BACKOFF_MAX_S))
