"""Which forecasts are asked for: blocks of series of one set over one history, and the sample that peers answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.series.sets import Array, Set
from checks.series import Calendar, calendar_of
from monitor.types import Partition

HISTORIES = (3, 7, 14, 28, 60, 180, 400)
TARGETS = 20
"""Days of each set that are forecast, for each length of history."""
TARGETS_NAB = 4
"""The same for each of NAB's files, as each is a set of its own."""
PEER_CASES = {"real": 150, "synthetic": 90, "nab": 40}
"""How many forecasts a history length the peers are asked for; they cost up to a second each."""


@dataclass(frozen=True)
class Block:
    """Forecast point `target` of each series of a set from the `history` points before it."""

    of: Set
    history: int
    target: int

    @property
    def window(self) -> slice:
        return slice(self.target - self.history, self.target)

    @property
    def calendar(self) -> Calendar:
        days = self.of.days[self.target - self.history : self.target + 1]
        return calendar_of([_partition(day) for day in days], self.of.cadence, self.of.country)

    @property
    def asked(self) -> np.ndarray:
        """The series (indices) with a target and at most a tenth of their history missing."""
        past, target = self.of.values[self.window], self.of.values[self.target]
        return np.flatnonzero(np.isfinite(target) & (np.isfinite(past).mean(axis=0) > 0.9))

    def key(self, series: int) -> str:
        return f"{self.of.name}|{self.of.names[series]}|{self.history}|{self.of.days[self.target]}"


def _partition(day: Any) -> Partition:
    if isinstance(day, dt.datetime):
        return Partition(day.isoformat(), day.isoformat(), day, day + dt.timedelta(hours=1))
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    return Partition(str(day), str(day), start, start + dt.timedelta(days=1))


def blocks(sets: Sequence[Set], seed: int = 3) -> Iterator[Block]:
    """The same target days for all histories where the past allows it."""
    random = np.random.default_rng(seed)
    for of in sets:
        targets = random.permutation(np.arange(HISTORIES[0], len(of.days)))
        for history in HISTORIES:
            possible = [int(t) for t in targets if t >= history][: TARGETS_NAB if of.name == "nab" else TARGETS]
            yield from (Block(of, history, target) for target in sorted(possible))


def write_questions(chosen: Sequence[Block], path: Path, seed: int = 4) -> None:
    """A sample of the forecasts for the peers: each with its history on a grid without gaps."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for history in HISTORIES:
        for group, wanted in PEER_CASES.items():
            pairs = [
                (block, int(j)) for block in chosen if block.history == history and group_of(block.of) == group
                for j in block.asked
            ]  # fmt: skip
            picked = random.permutation(len(pairs))[:wanted]
            rows += [_question(block, j, order) for order, (block, j) in enumerate(pairs[i] for i in picked)]
    pq.write_table(pa.Table.from_pylist(rows), path)


def group_of(of: Set) -> str:
    return of.name if of.name in ("synthetic", "nab") else "real"


def _question(block: Block, series: int, order: int) -> dict[str, Any]:
    days, past = gridded(block.of.days[block.window], block.of.values[block.window, series], block)
    return {
        "id": block.key(series),
        "order": order,  # those that only a part is asked of answer the first ones
        "group": group_of(block.of),
        "season": block.of.season,
        "country": block.of.country,
        "days": [str(day) for day in days],
        "target": str(block.of.days[block.target]),
        "values": past,
    }


def gridded(days: Sequence[Any], values: Array, block: Block) -> tuple[list[Any], list[float]]:
    """The history with a point for every day up to the target: gaps take the value of a season before, or the last."""
    step = days[1] - days[0] if block.of.season == 24 else dt.timedelta(days=1)
    known = dict(zip(days, values, strict=True))
    grid: list[Any] = []
    filled: list[float] = []
    day = days[0]
    while day < block.of.days[block.target]:
        value = known.get(day, np.nan)
        if not np.isfinite(value):
            season = filled[-block.of.season] if len(filled) >= block.of.season else np.nan
            value = season if np.isfinite(season) else (filled[-1] if filled else np.nan)
        grid.append(day)
        filled.append(float(value))
        day += step
    first = int(np.flatnonzero(np.isfinite(filled))[0])
    return grid[first:], filled[first:]
