"""Whether the segment that an incident names is the one that the fault hit."""

from __future__ import annotations

import functools

import numpy as np

import chaos
from benchmarks.detection.case import Case
from benchmarks.detection.replay import SEED, Replay
from chaos.where import rows_where
from monitor.incident import Group, suspects
from monitor.past import Past
from monitor.story import Sources, tell
from monitor.types import SampleSet
from monitor.warehouses import open_warehouse
from monitor.warehouses.base import Warehouse

ALIKE_MIN = 0.8
"""The F1 of the named segment's rows and the true one's from which they are the same."""


def has_segment(case: Case) -> bool:
    """Whether the fault hit all rows of one segment and nothing else."""
    return case.fault is not None and case.where is not None and "segment" in chaos.FAULTS[case.fault].needs


def segment_place(replay: Replay, case: Case, found: Group) -> int:
    """At which place (1 is the first) the incident names the fault's segment; 0 if it does not.

    The rows of both conditions are compared on the untouched day.
    """
    day = replay.days[case.day]
    partition = replay.partition(case.day)
    samples = SampleSet(replay.sampled(case.frame), replay.references(case.day), SEED)
    sources = Sources(replay.table, partition, dialect(), Past(replay.table, ()), {}, samples)
    wrong = {column for verdict in found.verdicts for column in suspects(verdict.evidence)}
    truth = rows_where(day, case.where)
    for place, segment in enumerate(tell(sources, found.lead, wrong).segments, start=1):
        named = rows_where(day, segment.where)
        both = int(np.sum(named & truth))
        if both and 2 * both / int(named.sum() + truth.sum()) >= ALIKE_MIN:
            return place
    return 0


@functools.cache
def dialect() -> Warehouse:
    """An empty warehouse, which says how SQL is written."""
    return open_warehouse("main", "duckdb:///:memory:")
