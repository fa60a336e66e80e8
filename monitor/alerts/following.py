"""What follows an alert: its message is kept up to date, and its thread told while that is wanted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from monitor.alerts.bundles import DIGEST, compose_bundle
from monitor.alerts.payload import from_payload
from monitor.alerts.standing import Standing, stand, wants_reply
from monitor.notifiers.base import Notifier, Threaded
from monitor.store.records import SAID

if TYPE_CHECKING:
    from monitor.alerts.blocks import Message
    from monitor.store import Feedback, IncidentEvent, IncidentState, OutboxItem

NOTHING = ""
"""The receipt of what the channel need not be told."""


class Records(Protocol):
    """What is read of the store."""

    def roots(self, incident: str, channel: str) -> list[OutboxItem]:
        """The messages of an incident on a channel."""
        ...

    def bundled(self, name: str) -> list[OutboxItem]:
        """All alerts of one message."""
        ...

    def incident(self, incident: str) -> IncidentState | None:
        """How an incident stands."""
        ...

    def incident_events(self, incident: str) -> list[IncidentEvent]:
        """Its steps."""
        ...

    def feedback_on(self, incident: str) -> list[Feedback]:
        """What was said of it."""
        ...


@dataclass(frozen=True)
class Follower:
    """Follows incidents on one channel."""

    store: Records
    channel: str

    def standing(self, item: OutboxItem, *, newer: bool = False) -> Standing:
        """How the incident of an alert stands by now."""
        name = item.incident
        return stand(self.store.incident(name), self.store.incident_events(name), self._said(name), newer=newer)

    def follow(self, notifier: Notifier, item: OutboxItem, *, update: bool = True) -> str | dt.datetime:
        """The receipt, or when to try again because the alert itself has not been sent.

        Args:
            notifier: of the channel; one that cannot change messages is told of recoveries of high priority alone.
            item: what happened: a day that went on, a recovery, a word of a person, a day that was corrected.
            update: whether the message is to be changed; not where the next one does so anyway.

        Raises:
            DeliveryError: the channel did not take it.
        """
        roots = self.store.roots(item.incident, self.channel)
        sent = [root for root in roots if root.delivered_at is not None and root.receipt]
        waiting = [root for root in roots if root.due_at is not None]
        if not sent:
            return waiting[-1].due_at or item.enqueued_at if waiting else NOTHING
        if not isinstance(notifier, Threaded):
            return self._tell_plainly(notifier, item)
        if update:
            for root in sent:
                self._update(notifier, root, newer=root is not roots[-1])
        return self._reply(notifier, item, sent[-1])

    def _tell_plainly(self, notifier: Notifier, item: OutboxItem) -> str:
        if item.event != "recovered" or item.payload.get("priority") != "high":
            return NOTHING
        known = notifier.find(item.alert) if item.uncertain or item.attempts else None
        return known or notifier.send(_message(item))

    def _update(self, notifier: Threaded, root: OutboxItem, *, newer: bool) -> None:
        receipt = root.receipt or ""
        if root.bundle is None:
            notifier.update(receipt, self.standing(root, newer=newer).on(_message(root)))
        elif not root.bundle.startswith(DIGEST):
            notifier.update(receipt, compose_bundle(root.bundle, self.store.bundled(root.bundle), self.standing))

    def _reply(self, notifier: Threaded, item: OutboxItem, root: OutboxItem) -> str:
        name, priority = item.incident, str(item.payload.get("priority", ""))
        state, events = self.store.incident(name), self.store.incident_events(name)
        asked = item.event.startswith(SAID) and "title" in item.payload
        wanted = asked or wants_reply(item.event, item.order, priority, state, events, self._said(name))
        if root.bundle or not wanted:
            return NOTHING
        known = notifier.find_reply(root.receipt or "", item.alert) if item.uncertain or item.attempts else None
        return known or notifier.reply(root.receipt or "", _message(item))

    def _said(self, incident: str) -> list[Feedback]:
        return self.store.feedback_on(incident)


def _message(item: OutboxItem) -> Message:
    return replace(from_payload(item.payload), alert_id=item.alert, incident=item.incident)
