"""`python -m benchmarks.rootcause.alerted [TABLE | FILE:TIME_COLUMN ...]`: whether alerts tell the segment hit.

Faults are put into one segment of days that alert nothing by themselves: all its rows lost, repeated, empty,
exchanged, or with other values. Of those that alert, the first segment of the leading finding is compared with it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import chaos
from benchmarks.detection import tables
from benchmarks.detection.case import Case
from benchmarks.detection.cases import one_place
from benchmarks.detection.intervals import share_of
from benchmarks.detection.replay import Replay
from benchmarks.detection.segments import segment_place
from chaos.injection import choose_segment

RESULTS = Path(__file__).parents[1] / "results" / "segments_alerted.json"
NAMES = ("flights", "orders", "taxi", "retail", "beijing", "github")
SHARES = (0.05, 0.15, 0.3)
WHOLE = ("null_segment", "segment_drop", "segment_duplicated", "swap_in_segment")
"""Faults of a segment by their nature; the detection benchmark has the same."""
INSIDE = ("default_value", "zeros_increase", "scale_10", "offset_up", "noise", "new_category", "change_case",
          "shuffle", "constant_column", "truncate_text")  # fmt: skip
"""Faults of a column, put on all rows of a segment."""
EACH = 2


def cases(replay: Replay, entry: tables.Entry, day: Any, draw: random.Random) -> Iterator[Case]:
    """Faults of a day: each kind on two segments, of different sizes and columns."""
    frame = replay.days[day]
    for fault in (*WHOLE, *INSIDE):
        suitable = chaos.suitable(fault, frame, time_column=entry.time_column)
        for share in draw.sample(SHARES, EACH):
            if not suitable:
                continue
            columns = one_place(suitable, draw)
            seed = draw.randrange(10**6)
            where = None
            if fault in INSIDE:
                where, _ = choose_segment(frame, columns, share, np.random.default_rng(seed), entry.time_column)
            rows = 1.0 if fault in INSIDE else share
            made = chaos.inject(
                fault, frame, columns=columns, rows=rows, where=where, seed=seed, time_column=entry.time_column
            )
            if made.rows_changed and made.where is not None:
                yield Case(
                    day,
                    made.frame,
                    fault,
                    share,
                    int(made.rows_changed),
                    tuple(made.columns),
                    str(made.change),
                    made.where,
                )


def judged(entry: tables.Entry, days: int, seed: int = 9) -> Iterator[dict[str, Any]]:
    """One row for each case of quiet days: whether it alerted, and at which place its segment was told (0: nowhere)."""
    replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
    draw = random.Random(seed)  # noqa: S311 - a benchmark draws, it keeps no secret
    can = replay.dates[entry.first : -1]
    quiet = 0
    for day in draw.sample(can, len(can)):
        if quiet == days:
            return
        replay.warm(day)
        if replay.judge(day)[1]:
            continue
        quiet += 1
        for case in cases(replay, entry, day, draw):
            groups = replay.judge(day, case.frame)[1]
            place = segment_place(replay, case, groups[0]) if groups else 0
            yield {
                "table": entry.name, "day": str(day), "fault": case.fault, "where": case.where,
                "found": bool(groups), "place": place,
            }  # fmt: skip


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many alerted, and of how many of those the first segment, or any, is the one that was hit."""
    found = [row for row in rows if row["found"]]
    return {
        "cases": len(rows),
        "alerted": len(found),
        "first": share_of(found, lambda row: row["place"] == 1),
        "told": share_of(found, lambda row: row["place"] > 0),
    }


def main() -> int:
    """Judge the chosen tables; without a choice all of the benchmark's, and write the figures down."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(prog="benchmarks.rootcause.alerted")
    parser.add_argument("tables", nargs="*", help="of the benchmark, or FILE:TIME_COLUMN")
    parser.add_argument("--days", type=int, default=2)
    chosen = parser.parse_args()
    tables.prepare()
    rows: list[dict[str, Any]] = []
    for name in chosen.tables or NAMES:
        rows += judged(_entry(name), chosen.days)
        print(name, summary([row for row in rows if row["table"] == rows[-1]["table"]]), flush=True)
    figures = {
        "all": summary(rows),
        "faults of segments": summary([row for row in rows if row["fault"] in WHOLE]),
        "faults of columns, in a segment": summary([row for row in rows if row["fault"] in INSIDE]),
        "by table": {name: summary([row for row in rows if row["table"] == name]) for name in _names(rows, "table")},
        "by fault": {name: summary([row for row in rows if row["fault"] == name]) for name in _names(rows, "fault")},
    }
    print(json.dumps(figures, indent=1))
    if not chosen.tables:
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _names(rows: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))


def _entry(name: str) -> tables.Entry:
    path, _, column = name.rpartition(":")
    return tables.Entry(Path(path).stem, Path(path), column, tuned=False) if path else tables.entry_named(name)


if __name__ == "__main__":
    sys.exit(main())
