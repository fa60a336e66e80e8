"""Faults put into days, each judged beside its own untouched self, so that the day's own oddity cancels."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

import chaos
from benchmarks.detection.case import Case
from benchmarks.detection.oracle import Oracle
from benchmarks.detection.replay import Replay
from benchmarks.detection.segments import has_segment, segment_place
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import known_days
from chaos.frame import differing
from monitor.judge import surprise_of

__all__ = ["EXCLUDED", "SHARES", "Case", "cases_of", "faulted", "margin_of", "run"]
SHARES = (0.01, 0.03, 0.1, 0.3)
FOLLOWED = 3
"""Faults of a day whose day after is judged too."""
EXCLUDED = {
    "column_lost": "a catalog change; told by `schema`, whose tests cover it",
    "column_renamed": "as column_lost",
    "type_change": "as column_lost",
    "json_key_lost": "the tables hold no JSON",
    "json_key_renamed": "as json_key_lost",
    "slow_drift": "one day of a drift is no fault yet; has its own chapter, over days",
}


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
    for day in sorted(_drawn(replay, entry, days, draw)):
        yield Case(day, replay.days[day])
        for fault, share in _pairs(draw, keep):
            yield from faulted(replay, entry, day, fault, share, draw)


def run(
    entry: Entry, days: int, keep: float, seed: int = 5, replay: Replay | None = None, *, oracle: bool = True
) -> Iterator[dict[str, Any]]:
    """One row for each clean day and one for each faulted one; arguments as of `cases_of`.

    Beside each faulted one stands, with `oracle`, what could be found at all, and for the first few found on a day what
    came after.
    """
    replay = replay or Replay(entry.name, entry.path, entry.time_column, entry.key)
    ceiling = Oracle(replay)
    clean: dict[str, Any] = {}
    followed = 0
    for case in cases_of(replay, entry, days, keep, seed):
        if case.fault is None:
            replay.warm(case.day)
        started = time.process_time()
        verdicts, groups = replay.judge(case.day, case.frame)
        row = {
            "table": entry.name,
            "tuned": entry.tuned,
            "day": str(case.day),
            "rows": len(replay.days[case.day]),
            "fault": case.fault,
            "margin": margin_of(verdicts),
            "surprise": round(surprise_of(verdicts), 6),
            "found": bool(groups),
            "cpu_s": time.process_time() - started,
        }
        if case.fault is None:
            clean, followed = row, 0
            yield row
            continue
        found = groups[0] if groups else None
        row |= {
            "clean": clean["margin"],
            "clean_surprise": clean["surprise"],
            "noisy": clean["found"],
            "share": case.share,
            "hit": case.hit,
            "truth": list(case.columns),
            "named": list(found.columns[:3]) if found else [],
            "change": case.change,
            "said": found.change.value if found else None,
            "check": found.checks[0] if found else None,
            "further": max(len(groups) - 1, 0),
            "oracle": ceiling.power(case) if oracle else 1.0,
            "segment": segment_place(replay, case, found) if found and has_segment(case) else None,
        }
        if found and oracle and not clean["found"] and followed < FOLLOWED:
            followed += 1
            row |= _aftermath(replay, case)
        yield row


def _aftermath(replay: Replay, case: Case) -> dict[str, Any]:
    """The first day after a fault, untouched: whether the incident lives on, and whether it alerts once more."""
    later = [day for day in replay.dates if day > case.day]
    if not later or not case.hit:
        return {}
    watched = Watched(replay, case.day)
    watched.step(case.day, case.frame)
    after = watched.step(later[0])
    return {"outlived": bool(watched.open), "alerted_after": len(after.alerts)}


def _pairs(draw: random.Random, keep: float) -> list[tuple[str, float]]:
    pairs = [(fault, share) for fault in chaos.FAULTS if fault not in EXCLUDED for share in SHARES]
    return [pair for pair in pairs if draw.random() < keep]


def _drawn(replay: Replay, entry: Entry, days: int, draw: random.Random) -> set[dt.date]:
    """Days by chance; instead of one with a real fault or event, the next."""
    can = replay.dates[entry.first : -1]
    places = [can.index(day) for day in draw.sample(can, min(days, len(can)))]
    known = known_days(entry.name)
    usual = [i for i in range(len(can)) if can[i] not in known]
    return {can[min((u for u in usual if u >= i), default=usual[-1])] for i in places}


def faulted(
    replay: Replay, entry: Entry, day: dt.date, fault: str, share: float, draw: random.Random
) -> Iterator[Case]:
    """A day with one fault in it, in columns of chance; nothing where the fault leaves no trace there."""
    frame, before = replay.days[day], replay.before(day)[-1:]
    yesterday = replay.days[before[0]] if before else None
    suitable = chaos.suitable(fault, frame, time_column=entry.time_column)
    if not suitable:
        return
    columns = one_place(suitable, draw)
    injected = chaos.inject(
        fault, frame, columns=columns, rows=share, seed=draw.randrange(10**6), yesterday=yesterday,
        time_column=entry.time_column,
    )  # fmt: skip
    if injected.rows_changed == 0:
        return
    hit = int(injected.rows_changed)
    change = str(injected.change)
    if change == "format" and _became_zeros(frame, injected.frame, tuple(injected.columns)):
        change = "zeros_up"  # what truncating left of fractions is 0, like what a default wrote
    yield Case(day, injected.frame, fault, share, hit, tuple(injected.columns), change, injected.where)


def _became_zeros(before: pd.DataFrame, after: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether all numbers that changed are 0 now."""
    if len(before) != len(after) or not all(pd.api.types.is_numeric_dtype(after[name]) for name in columns):
        return False
    now = [after[name].to_numpy()[differing(before[[name]], after[[name]])] for name in columns]
    return sum(map(len, now)) > 0 and all((own == 0).all() for own in now)


def one_place(suitable: Sequence[str | tuple[str, ...]], draw: random.Random) -> tuple[str, ...]:
    """One of the places where a fault can be put, as its columns; none for a fault of whole rows."""
    chosen = draw.choice(suitable)
    return (chosen,) if isinstance(chosen, str) else tuple(chosen)


def margin_of(verdicts: Sequence[Any]) -> float:
    """How far the most surprising check went beyond (>= 0) or stayed below its threshold, in decades."""
    return max((v.margin for v in verdicts if v.margin is not None), default=-9.0)
