"""One process judges one partition: a claim with a lease in the store, taken over from a process that has died."""

from __future__ import annotations

import datetime as dt
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.errors import SourceError

if TYPE_CHECKING:
    from monitor.store import Store

LEASE_S = 900.0


@contextmanager
def claimed(store: Store, table: str, order: str, now: dt.datetime) -> Iterator[None]:
    """Hold the claim on a partition while it is judged.

    Raises:
        SourceError: another living process holds it.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if not store.claim(table, order, owner, now, LEASE_S) and not _take_over(store, table, order, owner, now):
        raise SourceError(
            f"another process is judging this partition ({store.holder(table, order)})",
            where=table,
            mend="wait for it to finish, or run again later",
        )
    try:
        yield
    finally:
        store.release(table, order, owner)


def _take_over(store: Store, table: str, order: str, owner: str, now: dt.datetime) -> bool:
    """Take the claim of a process of this machine that is no longer alive."""
    holder = store.holder(table, order)
    if holder is not None:
        host, pid, _ = holder.split(":")
        if host != socket.gethostname() or _is_alive(int(pid)):
            return False
        store.release(table, order, holder)
    return store.claim(table, order, owner, now, LEASE_S)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
