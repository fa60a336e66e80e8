"""The store for those who only look: what they learn on the way is theirs, and leaves no trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from monitor.store.engine import file_of, parse_url
from monitor.store.records import Measured, Receipt
from monitor.store.store import Store
from monitor.types import Grouped


class Looking(Store):
    """A store whose history can be read, and which takes what a reading adds to it for done."""

    def record_backfill(self, table: str, rows: Sequence[Measured], now: dt.datetime) -> int:  # noqa: ARG002
        """Keep nothing."""
        return len(rows)

    def record_groups(self, table: str, readings: Mapping[str, Mapping[str, Grouped]], now: dt.datetime) -> int:  # noqa: ARG002
        """Keep nothing."""
        return 0

    def update_scores(
        self,
        table: str,  # noqa: ARG002
        scores: Mapping[str, Mapping[str, float]],
        now: dt.datetime,  # noqa: ARG002
        *,
        surprises: Mapping[str, Mapping[str, float]] | None = None,  # noqa: ARG002
    ) -> int:
        """Keep nothing."""
        return len(scores)

    def spend(self, receipt: Receipt, now: dt.datetime) -> None:
        """Keep nothing."""


@contextmanager
def looking(url: str | None) -> Iterator[Store]:
    """Open a store to look at; one that is not there yet, or None, is empty.

    Raises:
        UsageError: not a daywatch store, or not one of this version.
        SourceError: it cannot be reached.
    """
    path = None if url is None else file_of(parse_url(url))
    is_there = url is not None and (path is None or path.exists())
    found = Looking.open(url, read_only=True) if url is not None and is_there else Looking.open("sqlite://")
    try:
        yield found
    finally:
        found.close()
