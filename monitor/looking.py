"""Looks that come before judging: into nested columns, and at tables that have no time column."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.answers import Answers
from monitor.errors import SourceError, UnavailableError
from monitor.past import Past
from monitor.read import newest_schema
from monitor.receipts import spending
from monitor.store import KeptSample
from monitor.types import Partition, SampleSet

if TYPE_CHECKING:
    from monitor.run import Gate, Watch

PATHS_REACH = 28
"""Partitions among which the columns last seen are looked for."""


def follow_paths(watch: Watch, partition: Partition, now: dt.datetime) -> None:
    """Look into nested columns, and watch the paths in them as columns from now on."""
    columns = watch.paths.candidates(watch.table, every=watch.request.samples)
    if not columns:
        return
    past = watch.past
    if past is None:
        past = Past(watch.table, watch.store.history(watch.table.name, partition.order, PATHS_REACH))
    before = newest_schema(past.schemas(partition)) or ()
    rows = sorted(day.rows for day in past.known(partition)[-PATHS_REACH:])
    usual = int(rows[len(rows) // 2]) if rows else None
    with spending(watch.store, watch.warehouse, watch.table.name, "poll", now):
        found = watch.paths.follow(watch.table, columns, partition, before, usual)
    watch.seen, watch.usual = found.seen, found.usual
    if [(c.name, c.kind) for c in found.table.columns] != [(c.name, c.kind) for c in watch.table.columns]:
        watch.adopt(found.table)
        watch.past = None


@dataclass(frozen=True)
class Look:
    """What looking at a whole table brought: samples to judge by, what is kept of it, or why there is none."""

    samples: SampleSet | None = None
    kept: KeptSample | None = None
    failure: str | None = None


NO_LOOK = Look()


def take_look(watch: Watch, partition: Partition, past: Past, gate: Gate) -> tuple[Gate, Look]:
    """Look at a table that has no time column, and learn what changed since the last look; nothing for others."""
    if watch.table.time is not None:
        return gate, NO_LOOK
    answers = Answers()
    answers.take(gate.aggregates)
    look = NO_LOOK
    if watch.request.samples and gate.closed is None:
        try:
            looks, is_over = watch.looks, watch.kept is not None
            seen = looks.recall(partition, past) if is_over else looks.take(partition, past, gate.rows)
            if seen is not None:
                look = Look(seen.samples, seen.kept)
                answers.update(seen.changes)
        except UnavailableError:
            raise
        except SourceError as error:
            look = Look(failure=str(error))
    stillness = past.stillness(partition, {m.key: value for m, value in answers.items()})
    return replace(gate, aggregates=answers, arrival=replace(gate.arrival, stillness=stillness)), look
