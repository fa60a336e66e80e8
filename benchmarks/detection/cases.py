"""Faults put into days, each judged beside its own untouched self, so that the day's own oddity cancels."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

import chaos
from benchmarks.detection.replay import Replay
from benchmarks.detection.tables import Entry

SHARES = (0.01, 0.03, 0.1, 0.3)
EXCLUDED = {
    "column_lost": "a catalog change; told by `schema`, whose tests cover it",
    "column_renamed": "as column_lost",
    "type_change": "as column_lost",
    "json_key_lost": "the tables hold no JSON",
    "json_key_renamed": "as json_key_lost",
    "slow_drift": "one day of a drift is no fault yet; wants its own chapter over days",
}


@dataclass(frozen=True)
class Case:
    """A day as it was (`fault` None) or with a fault in it.

    `frame` holds its rows, `hit` how many of them the fault changed, `columns` and `change` the truth.
    """

    day: dt.date
    frame: pd.DataFrame
    fault: str | None = None
    share: float = 0.0
    hit: int = 0
    columns: tuple[str, ...] = ()
    change: str = ""


def cases_of(replay: Replay, entry: Entry, days: int, keep: float, seed: int = 5) -> Iterator[Case]:
    """Each drawn day, untouched first, then with its faults; the same ones whoever judges them.

    Args:
        replay: of the table.
        entry: the table.
        days: how many days, drawn with the seed.
        keep: which part of all (fault, share) pairs is tried.
        seed: of days, columns and faults.
    """
    draw = random.Random(seed)  # noqa: S311 - a benchmark draws, it keeps no secret
    for day in sorted(draw.sample(replay.dates[entry.first : -1], days)):
        yield Case(day, replay.days[day])
        for fault, share in _pairs(draw, keep):
            yield from _faulted(replay, entry, day, fault, share, draw)


def run(entry: Entry, days: int, keep: float, seed: int = 5) -> Iterator[dict[str, Any]]:
    """One row for each clean day and one for each faulted one; arguments as of `cases_of`."""
    replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
    clean: dict[str, Any] = {}
    for case in cases_of(replay, entry, days, keep, seed):
        started = time.process_time()
        verdicts, groups = replay.judge(case.day, case.frame)
        row = {
            "table": entry.name,
            "day": str(case.day),
            "rows": len(replay.days[case.day]),
            "fault": case.fault,
            "margin": margin_of(verdicts),
            "found": bool(groups),
            "cpu_s": time.process_time() - started,
        }
        if case.fault is None:
            clean = row
            yield row
            continue
        yield {
            **row,
            "clean": clean["margin"],
            "noisy": clean["found"],
            "share": case.share,
            "hit": case.hit,
            "truth": list(case.columns),
            "named": list(groups[0].columns[:3]) if groups else [],
            "change": case.change,
            "said": groups[0].change.value if groups else None,
            "check": groups[0].checks[0] if groups else None,
        }


def _pairs(draw: random.Random, keep: float) -> list[tuple[str, float]]:
    pairs = [(fault, share) for fault in chaos.FAULTS if fault not in EXCLUDED for share in SHARES]
    return [pair for pair in pairs if draw.random() < keep]


def _faulted(
    replay: Replay, entry: Entry, day: dt.date, fault: str, share: float, draw: random.Random
) -> Iterator[Case]:
    frame, yesterday = replay.days[day], replay.days[replay.before(day)[-1]]
    suitable = chaos.suitable(fault, frame, time_column=entry.time_column)
    if not suitable:
        return
    chosen = draw.choice(list(suitable))
    columns = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    injected = chaos.inject(
        fault, frame, columns=columns, rows=share, seed=draw.randrange(10**6), yesterday=yesterday,
        time_column=entry.time_column,
    )  # fmt: skip
    if injected.rows_changed == 0:
        return
    hit = int(injected.rows_changed)
    yield Case(day, injected.frame, fault, share, hit, tuple(injected.columns), str(injected.change))


def margin_of(verdicts: Sequence[Any]) -> float:
    """How far the most surprising check went beyond (>= 0) or stayed below its threshold, in decades."""
    return max((v.margin for v in verdicts if v.margin is not None), default=-9.0)
