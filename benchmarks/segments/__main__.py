"""`python -m benchmarks.segments`: segments and hours taken out of real days, entities trebled, metrics moved.

Each table's `missing` and `entity` evidence is judged under one budget beside automatic checks of the usual weight, on
clean days too. A day that lost a segment is filled up with copies of other rows seven times of ten: its total then says
nothing.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection import tables
from benchmarks.detection.replay import Replay
from benchmarks.detection.segmented import counted
from benchmarks.segments.metrics import moved
from checks.entities import Entities
from checks.entities import groups_of as entity_groups
from checks.groups import series_of
from checks.missing import Missing
from monitor.judge import judge
from monitor.types import Evidence, Grouped, Groups, Status

RESULTS = Path(__file__).parents[1] / "results"
OTHERS = Evidence("others", "others", None, weight=27.0)
HISTORY, CLEAN_DAYS, DAYS, PLANTS = 150, 60, 6, 6
ROWS_MIN, SHARES = 100.0, (0.02, 0.6)
ENTITIES = {"flights": ("dest", "carrier"), "orders": ("category",), "retail": ("CustomerID",)}
NOBODY: frozenset[str] = frozenset()


class Bench:
    """One table, its days read by group once."""

    def __init__(self, entry: tables.Entry) -> None:
        self.replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
        self.first = max(entry.first, 30)
        self.asked = self.replay.segmented.asked

    def counts(self, day: Any, groups: Groups) -> Grouped:
        """Rows of a day by group; for entities the count is the statistic too."""
        return self.replay.segmented.count(day, groups)

    def groups(self, place: int) -> list[Groups]:
        """The groupings that the reader would choose on this day."""
        return self.replay.segmented.chosen(self.replay.dates[place])

    def series(self, place: int, groups: Groups, today: Grouped, bad: frozenset[Any], check: str) -> Any:
        """The series of a grouping up to a day; days judged bad teach nothing."""
        past = [
            (self.replay.partition(d), self.counts(d, groups), frozenset({check}) if d in bad else NOBODY)
            for d in self.replay.dates[max(0, place - HISTORY) : place]
        ]
        return series_of(groups, past, today)

    def missing(self, place: int, frame: pd.DataFrame | None = None, bad: frozenset[Any] = frozenset()) -> bool:
        """Whether a day, or a frame in its place, has missing segments."""
        day = self.replay.dates[place]
        asked = self.groups(place)
        today = [self.counts(day, g) if frame is None else counted(frame, g) for g in asked]
        series = tuple(self.series(place, g, t, bad, "missing") for g, t in zip(asked, today, strict=True))
        evidence = Missing().evaluate(self.replay.table, self.replay.partition(day), {self.asked: series})  # type: ignore[dict-item]
        return failing(self.replay.table, evidence)

    def entity(self, place: int, column: str, today: Grouped | None = None, bad: frozenset[Any] = frozenset()) -> bool:
        """Whether an entity of a day is out of line."""
        entry = {"name": "e", "entity": column, "statistic": "count(*)"}
        table = replace(self.replay.table, entities=(entry,))
        groups = entity_groups(entry, table)
        now = self.counts(self.replay.dates[place], groups) if today is None else today
        series = self.series(place, groups, now, bad, "entity.e")
        day = self.replay.partition(self.replay.dates[place])
        return failing(table, Entities().evaluate(table, day, {groups: series}))


def failing(table: Any, evidence: Any) -> bool:
    return any(v.status is Status.FAIL for v in judge(table, [*evidence, OTHERS]))


def clean(bench: Bench, judged: Any) -> tuple[int, int]:
    """Days on which nothing was done and that alert, of all."""
    bad: set[Any] = set()
    last = len(bench.replay.dates)
    places = range(max(bench.first, last - CLEAN_DAYS), last)
    for place in places:
        if judged(place, frozenset(bad)):
            bad.add(bench.replay.dates[place])
    return len(bad), len(places)


def planted(bench: Bench, draw: random.Random) -> Iterator[tuple[str, bool]]:
    """Segments, pairs and hours of 2% of the rows and 100 rows and more, as the last two weeks had them, taken out."""
    for place in draw.sample(range(bench.first + 14, len(bench.replay.dates) - 1), DAYS):
        frame, asked = bench.replay.days[bench.replay.dates[place]], bench.groups(place)
        for _ in range(PLANTS):
            kind = draw.choice(["value", "value", "pair", "hour"])
            size = {"value": 1, "pair": 2, "hour": 0}[kind]
            groups = [g for g in asked if len(g.columns) == size]
            masks = _masks(bench, place, frame, draw.choice(groups)) if groups else []
            if masks:
                yield kind, bench.missing(place, _without(frame, draw.choice(masks), draw))


def _masks(bench: Bench, place: int, frame: pd.DataFrame, groups: Groups) -> list[Any]:
    before = [bench.counts(d, groups) for d in bench.replay.dates[place - 14 : place]]
    if groups.clock:
        hours = pd.to_datetime(frame[groups.clock]).dt.hour.to_numpy()
        usual = {
            h: [sum(c.groups.get((4 * h + q,), (0.0,))[0] or 0 for q in range(4)) for c in before] for h in range(24)
        }
        return [hours == h for h in range(24) if _is_large(usual[h], before)]
    masks = []
    for key in bench.counts(bench.replay.dates[place], groups).groups:
        if not _is_large([c.groups.get(key, (0.0,))[0] for c in before], before):
            continue
        mask = np.ones(len(frame), dtype=bool)
        for name, value in zip(groups.columns, key, strict=True):
            column = frame[name].astype(object)
            mask &= (column.isna() if value is None else column == value).to_numpy(dtype=bool)
        masks.append(mask)
    return masks


def _is_large(rows: Any, before: list[Grouped]) -> bool:
    share = np.median([n / max(c.total, 1.0) for n, c in zip(rows, before, strict=True)])
    return bool(np.median(rows) >= ROWS_MIN and SHARES[0] <= share <= SHARES[1])


def _without(frame: pd.DataFrame, mask: Any, draw: random.Random) -> pd.DataFrame:
    kept = frame[~mask]
    if draw.random() < 0.7 and len(kept):
        lost = int(mask.sum())
        kept = pd.concat([kept, kept.sample(lost, replace=True, random_state=draw.randrange(10**6))])
    return kept.reset_index(drop=True)


def spiked(bench: Bench, column: str, draw: random.Random) -> Iterator[bool]:
    """Entities whose share of the rows is trebled, to 1% of them and 30 rows at least."""
    groups = entity_groups({"name": "e", "entity": column, "statistic": "count(*)"}, bench.replay.table)
    for place in draw.sample(range(bench.first + 14, len(bench.replay.dates) - 1), 15):
        today = bench.counts(bench.replay.dates[place], groups)
        before = [bench.counts(d, groups) for d in bench.replay.dates[place - 14 : place]]
        for key in draw.sample(sorted(today.groups, key=str), min(len(today.groups), 40))[:PLANTS]:
            usual = float(np.median([(c.groups.get(key, (0.0,))[0] or 0) / c.total for c in before]))
            rows = round(3.0 * usual * today.total)
            added = rows - (today.groups[key][0] or 0.0)
            if usual > 0.3 or 3.0 * usual < 0.01 or rows < 30 or added <= 0:
                continue
            grown = {**today.groups, key: (float(rows), float(rows))}
            yield bench.entity(place, column, Grouped(today.total + added, grown))


def main() -> int:
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    tables.prepare()
    chosen = sys.argv[1:] or ["flights", "orders", "taxi", "retail", "beijing", "github"]
    figures: dict[str, Any] = {}
    for entry in tables.TABLES:
        if entry.name not in chosen:
            continue
        bench, draw = Bench(entry), random.Random(3)  # noqa: S311 - a benchmark draws, it keeps no secret
        found = list(planted(bench, draw))
        told: dict[str, Any] = {
            kind: [sum(hit for k, hit in found if k == kind), sum(k == kind for k, _ in found)]
            for kind in ("value", "pair", "hour")
        }
        told["clean"] = clean(bench, lambda place, bad, b=bench: b.missing(place, bad=bad))
        for column in ENTITIES.get(entry.name, ()):
            hits = list(spiked(bench, column, draw))
            told[f"entity {column}"] = [sum(hits), len(hits)]
            told[f"clean {column}"] = clean(bench, lambda p, bad, b=bench, c=column: b.entity(p, c, bad=bad))
        told |= moved(bench.replay, OTHERS, draw)
        figures[entry.name] = told
        print(entry.name, told, flush=True)
    figures["seconds"] = round(time.perf_counter() - started)
    if not sys.argv[1:]:
        (RESULTS / "segments.json").write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
