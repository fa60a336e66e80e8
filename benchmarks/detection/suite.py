"""All chapters of one table, in one process: what clean days measured and scored serves all of them."""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from benchmarks.detection import (
    cases,
    clean_days,
    cold_start,
    real_faults,
    second_fault,
    slow_drift,
    tables,
    true_events,
)
from benchmarks.detection.replay import Replay

Row = dict[str, Any]
CHAPTERS = ("cases", "clean_days", "cold_start", "slow_drift", "real_faults", "true_events", "second_fault")
WORKERS = 2


@dataclass(frozen=True)
class Plan:
    """How much is tried: of each table, `days` with faults and `keep` of all (fault, share) pairs on them, `clean`
    untouched days in order, `cold` faults on each of the first days, `drifts` columns that creep,
    `seconds` days on which a fault goes on and another one comes.
    """

    days: int = 3
    keep: float = 0.25
    clean: int = 70
    cold: int = 6
    drifts: int = 2
    seconds: int = 1
    oracle: bool = True
    chapters: tuple[str, ...] = CHAPTERS


QUICK = Plan(days=2, keep=0.12, clean=20, oracle=False, chapters=("cases", "clean_days"))
QUICK_TABLES = ("flights", "retail", "beijing", "taxi")
SLOWEST = ("orders", "github", "wide", "flights")
"""They are begun first, so that both workers end together."""


def run(names: Iterable[str], plan: Plan) -> dict[str, list[Row]]:
    """Rows by chapter, and under `tables` what each table took."""
    wanted = sorted(names, key=lambda name: (SLOWEST.index(name) if name in SLOWEST else len(SLOWEST), name))
    # a process for each table, so that its memory is told apart from that of others
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        parts = list(pool.map(run_table, wanted, [plan] * len(wanted)))
    return {chapter: [row for part in parts for row in part.get(chapter, [])] for chapter in (*plan.chapters, "tables")}


def run_table(name: str, plan: Plan) -> dict[str, list[Row]]:
    """The same for one table, in this process."""
    warnings.simplefilter("ignore")
    entry = tables.entry_named(name)
    replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
    keep = plan.keep * entry.part
    parts: dict[str, Callable[[], Iterable[Row]]] = {
        "real_faults": lambda: real_faults.run(replay, entry),
        "true_events": lambda: true_events.run(replay, entry),
        "clean_days": lambda: clean_days.run(replay, entry, int(plan.clean * entry.part**0.5)),
        "cold_start": lambda: cold_start.run(replay, entry, plan.cold if entry.part == 1 else 0),
        "slow_drift": lambda: slow_drift.run(replay, entry, plan.drifts if entry.part == 1 else 0),
        "second_fault": lambda: second_fault.run(replay, entry, plan.seconds if entry.name in QUICK_TABLES else 0),
        "cases": lambda: cases.run(entry, plan.days, keep, replay=replay, oracle=plan.oracle),
    }
    rows: dict[str, list[Row]] = {}
    seconds: Row = {}
    for chapter, rows_of in parts.items():
        if chapter in plan.chapters and (entry in tables.TABLES or chapter == "real_faults"):
            started = time.process_time()
            rows[chapter] = list(rows_of())
            seconds[chapter] = round(time.process_time() - started, 1)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    rows["tables"] = [{"table": name, "cpu_s": seconds, "memory_mb": round(memory)}]
    print(f"{name}: {sum(seconds.values()):.0f} CPU seconds, {memory:.0f} MB", file=sys.stderr, flush=True)
    return rows
