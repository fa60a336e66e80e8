"""One process judges one partition: a claim with a lease in the store, taken over from a process that has died."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.errors import ClaimError, StoreError

if TYPE_CHECKING:
    from monitor.store import Store

LEASE_S = 900.0
BEATS_A_LEASE = 3
"""So many times in a lease it is made longer, while the work goes on."""
_log = logging.getLogger(__name__)


@contextmanager
def claimed(store: Store, table: str, order: str, now: dt.datetime, lease_s: float = LEASE_S) -> Iterator[str]:
    """Hold the claim on a partition while it is judged, however long that takes; gives the owner's name.

    Whoever records what was found names the owner, so that nothing is recorded once the claim is lost.

    Raises:
        ClaimError: another living process holds it.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if not store.claim(table, order, owner, now, lease_s) and not _take_over(store, table, order, owner, now, lease_s):
        raise ClaimError(
            f"another process is judging this partition ({store.holder(table, order)})",
            where=table,
            mend="wait for it to finish, or run again later",
        )
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(store, table, order, owner, now, lease_s, done), daemon=True)
    heart.start()
    try:
        yield owner
    finally:
        done.set()
        heart.join()
        _release(store, table, order, owner)


def _beat(
    store: Store, table: str, order: str, owner: str, now: dt.datetime, lease_s: float, done: threading.Event
) -> None:
    """Make the lease longer again and again; a store that fails for a moment is tried again at the next beat."""
    started = time.monotonic()
    while not done.wait(lease_s / BEATS_A_LEASE):
        moment = now + dt.timedelta(seconds=time.monotonic() - started)
        try:
            if not store.heartbeat(table, order, owner, moment, lease_s):
                _log.warning("%s: the work on %s was taken over by another process", table, order)
                return
        except StoreError as error:
            _log.warning("%s: the claim could not be made longer: %s", table, error)


def _release(store: Store, table: str, order: str, owner: str) -> None:
    """Let go; where the store cannot be asked, the lease ends by itself, and what went wrong before is told."""
    try:
        store.release(table, order, owner)
    except StoreError as error:
        _log.warning("%s: the claim on %s ends with its lease: %s", table, order, error)


def _take_over(store: Store, table: str, order: str, owner: str, now: dt.datetime, lease_s: float) -> bool:
    """Take the claim of a process of this machine that is no longer alive."""
    holder = store.holder(table, order)
    if holder is not None:
        host, pid, _ = holder.split(":")
        if host != socket.gethostname() or _is_alive(int(pid)):
            return False
        store.release(table, order, holder)
    return store.claim(table, order, owner, now, lease_s)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
