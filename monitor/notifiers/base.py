"""What a channel must be able to do, and how one is found by name."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from monitor.alerts.blocks import Message
from monitor.errors import DaywatchError, SourceError, UsageError

GROUP = "daywatch.notifiers"


class DeliveryError(SourceError):
    """A channel did not take a message.

    Args:
        what: what went wrong.
        where: the channel.
        mend: what to do about it.
        retryable: whether the same message may be taken later; False for a message or an address that never will.
        retry_after_s: when the channel itself said how long to wait, in seconds.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        mend: str = "",
        retryable: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.retryable = retryable
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        """With its advice on retrying."""
        return _rebuild, (self.what, self.where, self.mend, self.retryable, self.retry_after_s)


def _rebuild(what: str, where: str, mend: str, retryable: bool, retry_after_s: float | None) -> DeliveryError:
    return DeliveryError(what, where=where, mend=mend, retryable=retryable, retry_after_s=retry_after_s)


@runtime_checkable
class Notifier(Protocol):
    """A channel. Calls come from one thread at a time a notifier; each bounds its own time on the network."""

    name: str
    """The channel's full name, as the configuration writes it."""

    def send(self, message: Message) -> str:
        """Deliver a message; returns a receipt (a link, a path, an id of the channel's own).

        A message whose `alert_id` the channel already has is not delivered twice where the channel can tell.

        Raises:
            DeliveryError: it was not taken. Any other exception counts as an outcome nobody knows.
        """
        ...

    def find(self, alert_id: str) -> str | None:
        """The receipt of an alert that the channel has; None where it has not, or cannot tell."""
        ...


@runtime_checkable
class Threaded(Notifier, Protocol):
    """A channel that can change a message that it has, and put replies under it.

    Where it also has a true `gathers`, storms and digests reach it as one message.
    """

    def update(self, receipt: str, message: Message) -> bool:
        """Make the message of a receipt say this instead; False where it is gone, or can no longer be changed.

        Raises:
            DeliveryError: it was not taken.
        """
        ...

    def reply(self, receipt: str, message: Message) -> str:
        """Put a reply under the message of a receipt; returns its own receipt.

        Raises:
            DeliveryError: it was not taken.
        """
        ...

    def find_reply(self, receipt: str, alert_id: str) -> str | None:
        """The receipt of a reply that is there; None where it is not, or the channel cannot tell."""
        ...


class NotifierFactory(Protocol):
    """What an entry point of the group `daywatch.notifiers` names: usually the notifier's class."""

    def __call__(self, name: str, address: str, settings: Mapping[str, Any], base: Path) -> Notifier:
        """Make the notifier of a channel, without speaking to it yet.

        Args:
            name: the channel's full name, `slack:#data-alerts`.
            address: what follows the first colon of it, "" where there is none.
            settings: what the configuration says of the channel.
            base: where relative paths begin.
        """
        ...


def load_notifier(channel: str, settings: Mapping[str, Any] | None = None, *, base: Path | None = None) -> Notifier:
    """The notifier of a channel by its name.

    Args:
        channel: `scheme` or `scheme:address`.
        settings: what the configuration says of the channel.
        base: where relative paths begin, the current folder if not given.

    Raises:
        UsageError: no notifier has the scheme, or the one that has cannot be loaded.
    """
    scheme, _, address = channel.partition(":")
    known = {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}
    if scheme not in known:
        names = ", ".join(sorted(known)) or "none; daywatch is not installed with its entry points"
        raise UsageError(f"there is no notifier {scheme!r}", where=f"channel {channel}", mend=f"known are: {names}")
    try:
        factory: NotifierFactory = known[scheme].load()
        return factory(channel, address, dict(settings or {}), base or Path())
    except DaywatchError:
        raise
    except Exception as error:  # a plugin may fail in any way; what it says is told, and the run stops
        raise UsageError(
            f"the notifier {scheme!r} ({known[scheme].value}) cannot be loaded: {type(error).__name__}: {error}",
            where=f"channel {channel}",
            mend="install what it needs, or take the channel out of the configuration",
        ) from error
