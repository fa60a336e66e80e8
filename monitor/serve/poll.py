"""One warehouse looked at from afar: which of its tables have partitions to judge."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.config import open_one, resolve_tables
from monitor.errors import DaywatchError, StoreError, UnavailableError
from monitor.opening import meet_warehouses
from monitor.past import CHECKED, LAG, LAG_PARTITIONS, is_timed
from monitor.receipts import spending
from monitor.serve.decide import (
    CATCH_UP_IDS,
    CATCH_UP_PARTITIONS,
    LATE_PARTITIONS,
    Decision,
    Judged,
    Looked,
    Wish,
    decide,
    first_asked,
)
from monitor.types import ROWS, Partition, Table, TimeForm

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import PastPartition, Store
    from monitor.warehouses.base import Warehouse

RESOLVE_EVERY_S = 86_400.0
"""How often the warehouse is asked which tables a pattern means."""
LAG_SHARE_MAX = 0.75
"""Rows that come later than this share of a partition's length are corrections: nobody waits for such again."""
_log = logging.getLogger(__name__)


@dataclass
class Watched:
    """One table: what is recorded of it, what was counted last, and when its partitions were seen to grow."""

    table: Table
    judged: dict[str, Judged]
    lag_s: float
    looked: Looked | None = None
    mark: str | None = None
    counted_s: float | None = None
    lags: dict[str, float] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Work:
    """A table with partitions to judge, oldest first; `lags` as `Watch` takes them."""

    table: Table
    wishes: tuple[Wish, ...]
    lags: Mapping[str, float]


@dataclass(frozen=True)
class Look:
    """What one poll brought: work, tables that could not be counted, those that could, and what is too old to judge."""

    work: tuple[Work, ...]
    troubles: Mapping[str, tuple[Table, DaywatchError]]
    counted: tuple[Table, ...]
    skipped: Mapping[str, tuple[str, ...]]
    tables: int


@dataclass
class Poll:
    """The looks at one warehouse; it is open only while it is looked at, as some files have one user at a time.

    `busy` says whether a table is being judged, or waits after a failure, so that it is left alone.
    """

    config: Config
    name: str
    store: Store
    warn: Callable[[str], None] = _log.warning
    tables: list[Table] | None = None
    resolved_s: float = 0.0
    met: bool = False
    watched: dict[str, Watched] = field(default_factory=dict)

    def look(self, now: dt.datetime, seconds: float, busy: Callable[[str], bool]) -> Look:
        """Look once.

        Raises:
            UnavailableError: the warehouse cannot be used.
            StoreError: the store cannot be read.
            UsageError: the tables of the configuration are not there (at the first look; later the old ones stay).
        """
        warehouse = open_one(self.config, self.name)
        try:
            if not self.met:
                meet_warehouses(self.config, [self.name], self.store, now, self.warn)
                self.met = True
            with spending(self.store, warehouse, None, "poll", now):
                self._resolve(warehouse, seconds)
                return self._look(warehouse, now, seconds, busy)
        finally:
            warehouse.close()

    def forget(self, table: str) -> None:
        """Read anew from the store what is recorded of a table, before the next look."""
        known = self.watched.get(table)
        if known is not None:
            known.judged, known.lag_s = self._recorded(known.table)

    def _resolve(self, warehouse: Warehouse, seconds: float) -> None:
        if self.tables is not None and seconds - self.resolved_s < RESOLVE_EVERY_S:
            return
        try:
            self.tables = resolve_tables(self.config, {self.name: warehouse}, None, self.warn, of={self.name})
        except (UnavailableError, StoreError):
            raise
        except DaywatchError as error:
            if self.tables is None:
                raise
            self.warn(f"the tables stay as they were: {error}")
        self.resolved_s = seconds
        names = {table.name for table in self.tables}
        self.watched = {name: known for name, known in self.watched.items() if name in names}

    def _look(self, warehouse: Warehouse, now: dt.datetime, seconds: float, busy: Callable[[str], bool]) -> Look:
        tables = [table for table in self.tables or () if not busy(table.name)]
        for table in tables:
            if table.name not in self.watched:
                self.watched[table.name] = Watched(table, *self._recorded(table))
            self.watched[table.name].table = table
        troubles = self._count(warehouse, tables, now, seconds)
        work, skipped = [], {}
        for table in tables:
            if table.name in troubles:
                continue
            known = self.watched[table.name]
            found = decide(table, known.looked, known.judged, known.lag_s, now)
            new = tuple(label for label in found.skipped if label not in known.skipped)
            known.skipped = frozenset(found.skipped)
            if new:
                skipped[table.name] = new
            if found.wishes:
                work.append(Work(table, found.wishes, _lags_of(table, known, found)))
        counted = tuple(table for table in tables if table.name not in troubles)
        return Look(tuple(work), troubles, counted, skipped, len(self.tables or ()))

    def _recorded(self, table: Table) -> tuple[dict[str, Judged], float]:
        reach = CATCH_UP_PARTITIONS[table.cadence] + LATE_PARTITIONS + LAG_PARTITIONS + CATCH_UP_IDS
        rows = self.store.history(table.name, None, reach)
        lags = [row.values.get(LAG) for row in rows[-LAG_PARTITIONS:]]
        judged = {row.partition.order: judged_of(row) for row in rows if row.source == "run"}
        return judged, max((lag for lag in lags if lag is not None), default=0.0)

    def _count(
        self, warehouse: Warehouse, tables: Sequence[Table], now: dt.datetime, seconds: float
    ) -> dict[str, tuple[Table, DaywatchError]]:
        """Bring the counts up to date, of as few tables as possible; errors of single tables."""
        timed = [table for table in tables if table.time is not None]
        states = warehouse.states([table.path for table in timed]) if timed else {}
        asked: list[tuple[Table, Partition]] = []
        troubles: dict[str, tuple[Table, DaywatchError]] = {}
        for table in timed:
            known = self.watched[table.name]
            state = states.get(table.path)
            mark = state.mark if state is not None else None
            if known.looked is not None and mark is not None and mark == known.mark:
                known.looked = Looked(known.looked.counts, known.looked.counts, known.looked.since)
            elif self._may_wake(warehouse, known, mark, seconds):
                known.mark, known.counted_s = mark, seconds
                try:
                    asked += self._first(warehouse, known, now)
                except UnavailableError:
                    raise
                except DaywatchError as error:
                    known.mark, troubles[table.name] = None, (table, error)
        for name, counts in warehouse.recent(asked).items() if asked else ():
            known = self.watched[name]
            if isinstance(counts, DaywatchError):
                known.mark, troubles[name] = None, (known.table, counts)
            else:
                since = next(first.order for table, first in asked if table.name == name)
                _take(known, counts, since, now)
        return troubles

    def _may_wake(self, warehouse: Warehouse, known: Watched, mark: str | None, seconds: float) -> bool:
        """Whether the table may be counted: one that metadata tells nothing of, only so often."""
        bound = warehouse.limits.wake_interval_s
        if mark is not None or not bound or known.counted_s is None:
            return True
        return seconds - known.counted_s >= bound

    def _first(self, warehouse: Warehouse, known: Watched, now: dt.datetime) -> Iterator[tuple[Table, Partition]]:
        """The table with the partition to count from; one whose ids are texts, or new, is counted at once."""
        table = known.table
        if is_timed(table):
            yield table, first_asked(table, known.judged, now)
        elif table.time is not None and table.time.form is TimeForm.INTEGER_ID and known.judged:
            orders = sorted(known.judged)[-LATE_PARTITIONS:]
            yield table, known.judged[orders[0]].partition
        else:
            counts = warehouse.partitions(table, last=LATE_PARTITIONS + 1)
            _take(known, counts, counts[0][0].order if counts else "", now)


def judged_of(row: PastPartition) -> Judged:
    """What a record says of a partition."""
    return Judged(row.partition, int(row.values.get(ROWS.key) or 0), row.revision, row.values.get(CHECKED))


def _take(known: Watched, counts: Iterable[tuple[Partition, int]], since: str, now: dt.datetime) -> None:
    """Keep new counts beside those of the look before, and when partitions that have ended grew."""
    found = {partition.order: (partition, rows) for partition, rows in counts}
    before = known.looked.counts if known.looked is not None else None
    for order, (partition, rows) in found.items():
        grew = before is not None and rows > (before[order][1] if order in before else 0)
        if grew and partition.end is not None and now > partition.end:
            known.lags[order] = (now - partition.end).total_seconds()
    known.lags = {order: lag for order, lag in known.lags.items() if order in found}
    known.looked = Looked(found, before, since)


def _lags_of(table: Table, known: Watched, found: Decision) -> dict[str, float]:
    """How late the partitions to judge came, where they came late enough to wait for, and were no corrections."""
    lags = {}
    for wish in found.wishes:
        partition, lag = wish.partition, known.lags.get(wish.partition.order)
        if lag is not None and table.due is None and partition.start is not None and partition.end is not None:
            longest = LAG_SHARE_MAX * (partition.end - partition.start).total_seconds()
            if lag <= longest:
                lags[partition.order] = lag
    return lags
