"""What sending needs of the store, and how one round of it went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from monitor.alerts.following import Records

if TYPE_CHECKING:
    from monitor.store import OutboxItem


class Outbox(Records, Protocol):
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

    def put_off(self, alert: str, until: dt.datetime) -> bool:
        """It is not wanted before `until`."""
        ...

    def bundle(self, alerts: Sequence[str], name: str) -> None:
        """These are one message from now on."""
        ...

    def last_bundle(self, channel: str, prefix: str, since: dt.datetime) -> str | None:
        """The newest such message that reached a channel after `since`."""
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
    """How one round went: alert ids with receipts, failures, alerts that wait behind an earlier one, or for a time."""

    delivered: tuple[tuple[str, str], ...] = ()
    failures: tuple[Failure, ...] = ()
    held: tuple[str, ...] = ()
    put_off: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every alert that was due has reached its channel."""
        return not self.failures and not self.held
