"""An earlier look once more, from what was kept of it: the table as it was then is no longer in the warehouse."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.answers import Answers
from monitor.read import SEEN, Request
from monitor.types import Measure, Partition, Table

if TYPE_CHECKING:
    from monitor.store import PastPartition, Store


def looked_at(store: Store, table: Table, partition: Partition, now: dt.datetime) -> PastPartition | None:
    """What is kept of a look that is over; None for one that is still to be taken, or was never taken.

    A table with a time column is never recalled: its days are still in the warehouse.
    """
    if table.time is not None or partition.end is None or now < partition.end:
        return None
    rows = store.history(table.name, f"{partition.order}~", 1)
    found = rows[-1] if rows and rows[-1].partition.order == partition.order else None
    return found if found is not None and found.source == "run" else None


def as_then(table: Table, look: PastPartition) -> Table:
    """The table with the columns that it had then."""
    return table if look.schema is None else replace(table, columns=look.schema)


def recall_aggregates(look: PastPartition, request: Request) -> Answers:
    """The measures of that look, as far as they were taken then."""
    answers = Answers()
    followed = [Measure(kind, name) for kind in sorted(SEEN) for name in ("", *(c.name for c in look.schema or ()))]
    for measure in (*request.measures, *(m for m in followed if m.key in look.values)):
        answers[measure] = look.values.get(measure.key)
    return answers
