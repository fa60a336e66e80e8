"""Chapter: a fault goes on from the day before; is another one beside it told, and is the first told only once?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

import chaos
from benchmarks.detection.cases import one_place
from benchmarks.detection.replay import Replay
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import known_days

FIRST = ("null_increase", "scale_10", "rename_value", "offset_up", "duplicate_rows")
SECOND = (
    "null_increase", "scale_10", "offset_up", "round_numbers", "empty_strings", "rename_value", "sign_flip",
    "change_case", "noise", "constant_column", "new_category", "merge_categories", "truncate_text", "date_format",
)  # fmt: skip
SHARE = 0.3


@dataclass(frozen=True)
class Chosen:
    """A fault, where it is put, and which rows it hits."""

    fault: str
    columns: tuple[str, ...]
    seed: int


def run(replay: Replay, entry: Entry, days: int, seed: int = 11) -> Iterator[dict[str, Any]]:
    """Rows for first faults alone on their second day, and with a second one, which is told where it stands alone.

    The first stands in 30% of the rows of a day and of the next; the second in 30% of the rows of that next day, in
    another column. The second is told by an alert with its column among the first three; of a first fault alone
    `told` says that it alerts once more.

    Args:
        replay: the table's days.
        entry: the table.
        days: how many days, drawn with the seed.
        seed: of days, columns and rows.
    """
    draw = random.Random(seed)  # noqa: S311 - a benchmark draws, it keeps no secret
    known = known_days(entry.name)
    can = [n for n in range(entry.first, len(replay.dates) - 1) if not known & set(replay.dates[n : n + 2])]
    for number in sorted(draw.sample(can, min(days, len(can)))):
        yield from _judged(replay, entry, number, draw)


def _judged(replay: Replay, entry: Entry, number: int, draw: random.Random) -> Iterator[dict[str, Any]]:
    day, after = replay.dates[number], replay.dates[number + 1]
    alone = Watched(replay, day)
    alone.step(day)
    second = [
        chosen
        for chosen in _choose(SECOND, replay.days[after], entry, draw)
        if _told(alone, replay, entry, number + 1, replay.days[after], chosen)
    ]
    for first in _choose(FIRST, replay.days[day], entry, draw):
        watched = Watched(replay, day)
        if not watched.step(day, _put(replay, entry, number, replay.days[day], first).frame).alerts:
            continue
        going_on = _put(replay, entry, number + 1, replay.days[after], first)
        again = watched.step(after, going_on.frame, learn=False)
        row = {"table": entry.name, "tuned": entry.tuned, "day": str(after), "first": first.fault}
        yield {**row, "second": None, "told": bool(again.alerts)}
        for chosen in second:
            if not set(chosen.columns) & set(going_on.columns):
                told = _told(watched, replay, entry, number + 1, going_on.frame, chosen)
                yield {**row, "second": chosen.fault, "column": chosen.columns[0], "told": told}


def _choose(faults: Sequence[str], frame: pd.DataFrame, entry: Entry, draw: random.Random) -> list[Chosen]:
    """Those that can be put into the rows, each in columns of chance."""
    found = []
    for fault in faults:
        suitable = chaos.suitable(fault, frame, time_column=entry.time_column)
        if suitable:
            found.append(Chosen(fault, one_place(suitable, draw), draw.randrange(10**6)))
    return found


def _put(replay: Replay, entry: Entry, number: int, frame: pd.DataFrame, chosen: Chosen) -> chaos.Injected:
    return chaos.inject(
        chosen.fault, frame, columns=chosen.columns, rows=SHARE, seed=chosen.seed,
        yesterday=replay.days[replay.dates[number - 1]], time_column=entry.time_column,
    )  # fmt: skip


def _told(watched: Watched, replay: Replay, entry: Entry, number: int, frame: pd.DataFrame, chosen: Chosen) -> bool:
    """Whether an alert tells a fault in these rows of the day; the day teaches nothing."""
    injected = _put(replay, entry, number, frame, chosen)
    if not injected.rows_changed:
        return False
    return watched.step(replay.dates[number], injected.frame, learn=False).names(injected.columns)
