"""Looking at a table that is rewritten in place: today's sample beside those that were kept of earlier looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.partitions import previous
from monitor.past import Past
from monitor.read import sample_rows, seed_of_table
from monitor.store import KeptSample
from monitor.types import Cadence, Measure, Partition, SampleSet, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from monitor.snapshot.packing import Look
    from monitor.store import Store
    from monitor.warehouses.base import Warehouse

CELLS_MAX = 200_000
"""Cells of a kept sample: a wide table keeps fewer rows."""
ROWS_MIN = 1_000
LOOKS_MAX = {Cadence.HOUR: 170, Cadence.DAY: 30, Cadence.WEEK: 14}
"""Looks of which a sample is kept: as far back as one is compared with."""


@dataclass(frozen=True)
class Seen:
    """One look: samples to judge by, what is to be kept, and how many followed rows have changed since the last."""

    samples: SampleSet
    kept: KeptSample | None
    changes: Mapping[Measure, float | None]


def with_kept_key(table: Table, store: Store) -> Table:
    """The table with the key of its newest kept look where it has none: one that was found once stays the key.

    A day on which keys repeat would otherwise lose the key just when it is needed.
    """
    if table.key or table.time is not None:
        return table
    from monitor.snapshot.packing import unpack  # noqa: PLC0415 - loads pandas

    newest = store.sampled(table.name)[-1:]
    for document in store.samples(table.name, newest).values():
        look = unpack(document)
        if look is not None and set(look.key) <= {column.name for column in table.checked_columns}:
            return replace(table, key=look.key)
    return table


@dataclass
class Looks:
    """Looks at one table; samples of earlier ones are read once."""

    warehouse: Warehouse
    store: Store
    table: Table
    _known: dict[str, Look] = field(default_factory=dict)

    def take(self, partition: Partition, past: Past, rows: float) -> Seen:
        """Sample the table as it is now; raises as `Warehouse.sample` does.

        Args:
            partition: the day, hour or week that the look is of.
            past: what is known of earlier looks.
            rows: how many the table has.
        """
        from monitor.snapshot.hidden import hide  # noqa: PLC0415 - loads pandas
        from monitor.snapshot.packing import Look, pack  # noqa: PLC0415 - as above
        from monitor.snapshot.prints import prints_of  # noqa: PLC0415 - as above

        table = self.table
        shown, lots = self._draw(int(rows))
        look = Look(hide(table, shown), lots, prints_of(table.name, shown, table.key), table.key)
        document, kept = pack(look)
        samples = replace(self._beside(look, partition, past), shown=shown)
        self._known[partition.order] = look
        changes = self._changes(look, partition, past)
        return Seen(samples, KeptSample(document, kept, LOOKS_MAX[table.cadence]), changes)

    def recall(self, partition: Partition, past: Past) -> Seen | None:
        """A look that is over, from what was kept of it; None where no sample of it is there any more."""
        self._learn([partition.order])
        look = self._known.get(partition.order)
        if look is None:
            return None
        return Seen(self._beside(look, partition, past), None, self._changes(look, partition, past))

    def _beside(self, look: Look, partition: Partition, past: Past) -> SampleSet:
        from monitor.snapshot.hidden import reconcile  # noqa: PLC0415 - loads pandas

        before = self._before(partition, past)
        today, *earlier = reconcile([look.frame, *_dealt([known for _, known in before])])
        pairs = tuple((p, frame) for (p, _), frame in zip(before, earlier, strict=True))
        return SampleSet(today, pairs, seed_of_table(self.table))

    def _draw(self, rows: int) -> tuple[pd.DataFrame, npt.NDArray[np.uint16]]:
        """The same rows of an unchanged table each time, by their key where there is one; and their lots."""
        from monitor.snapshot.prints import order_rows  # noqa: PLC0415 - loads pandas

        table, seed = self.table, seed_of_table(self.table)
        wanted = min(sample_rows(table), max(CELLS_MAX // max(len(table.checked_columns), 1), ROWS_MIN))
        frame = self.warehouse.sample(table, None, wanted, seed, rows, by=table.key)
        order, lots = order_rows(table.name, frame, table.key, seed)
        return frame.iloc[order].reset_index(drop=True), lots

    def _before(self, partition: Partition, past: Past) -> list[tuple[Partition, Look]]:
        """The kept looks that this one is compared with, newest first."""
        kept = {order for order in self.store.sampled(self.table.name) if order < partition.order}
        chosen = past.references(partition, kept)
        self._learn([p.order for p in chosen])
        return [(p, self._known[p.order]) for p in chosen if p.order in self._known]

    def _changes(self, look: Look, partition: Partition, past: Past) -> Mapping[Measure, float | None]:
        """Against the look right before this one; nothing where there was none, or a bad one that is now mended."""
        from monitor.snapshot.prints import compare_prints  # noqa: PLC0415 - loads pandas

        last = previous(partition, self.table.cadence, self.table.timezone).order
        if last in past.bad(partition):
            return {}
        self._learn([last])
        before = self._known.get(last)
        if look.prints is None or before is None or before.prints is None or before.key != look.key:
            return {}
        return compare_prints(look.prints, before.prints)

    def _learn(self, orders: list[str]) -> None:
        from monitor.snapshot.packing import unpack  # noqa: PLC0415 - loads pandas

        missing = [order for order in orders if order not in self._known]
        for order, document in self.store.samples(self.table.name, missing).items():
            look = unpack(document)
            if look is not None:
                self._known[order] = look
        for order in sorted(self._known)[: -LOOKS_MAX[self.table.cadence]]:
            del self._known[order]


def _dealt(looks: Sequence[Look]) -> list[pd.DataFrame]:
    """Each row of the past from one look alone: rows that come again would tell the past by their number."""
    return [look.frame[look.lots % len(looks) == place] for place, look in enumerate(looks)]
