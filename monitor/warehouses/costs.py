"""Receipts: what was asked of a warehouse since when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from monitor.types import Cost


@dataclass
class Receipt:
    """A running count of statements, rows brought back, and bytes scanned (None until an engine tells)."""

    queries: int = 0
    rows: int = 0
    bytes: int | None = None

    @property
    def cost(self) -> Cost:
        """The count so far."""
        return Cost(self.queries, self.rows, self.bytes)

    def add(self, rows: int, scanned_bytes: int | None) -> None:
        """Count one statement."""
        self.queries += 1
        self.rows += rows
        if scanned_bytes is not None:
            self.bytes = (self.bytes or 0) + scanned_bytes


@dataclass
class Ledger:
    """All receipts of one warehouse: one since opening, and those open in the current thread or task."""

    total: Receipt = field(default_factory=Receipt)
    _open: ContextVar[tuple[Receipt, ...]] = field(default_factory=lambda: ContextVar("receipts", default=()))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def receipt(self) -> Iterator[Receipt]:
        """Count what is asked inside the `with` by this thread; may be nested."""
        receipt = Receipt()
        token = self._open.set((*self._open.get(), receipt))
        try:
            yield receipt
        finally:
            self._open.reset(token)

    def add(self, rows: int, scanned_bytes: int | None = None) -> None:
        """Count one statement on every open receipt."""
        with self._lock:
            for receipt in (self.total, *self._open.get()):
                receipt.add(rows, scanned_bytes)
