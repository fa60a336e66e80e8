"""`python -m benchmarks.readers.drafts FILE [TABLE ...]`: messages of faults of segments, without a warehouse or a run.

They are judged on frames and composed as a run composes them, which takes a tenth of the time of `collect`; there is
no picture, and no past of findings to tell of.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.detection import tables
from benchmarks.detection.case import Case
from benchmarks.detection.replay import SEED, Replay
from benchmarks.detection.segments import dialect
from benchmarks.readers.collect import OWNER, truth
from benchmarks.rootcause.alerted import cases
from monitor.alerting import write_story
from monitor.alerts.message import compose
from monitor.alerts.text import render_text
from monitor.incident import Group, ranked, suspects
from monitor.judge import Verdict
from monitor.past import Past
from monitor.run import _event as event_of
from monitor.story import Sources, tell
from monitor.types import ROWS, SampleSet, Status

TABLES = ("flights", "beijing")
MESSAGES_EACH = 31


def drafts(name: str, seed: int = 9) -> Iterator[dict[str, Any]]:
    """One entry for each alerted fault of quiet days: the truth and the message."""
    entry = tables.entry_named(name)
    replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
    owner = OWNER.format(table=name)
    replay.table = replace(replay.table, owner=owner)
    draw, made = random.Random(seed), 0  # noqa: S311 - a benchmark draws, it keeps no secret
    can = replay.dates[entry.first : -1]
    for day in draw.sample(can, len(can)):
        if replay.judge(day)[1]:
            continue
        for case in cases(replay, entry, day, draw):
            verdicts, groups = replay.judge(day, case.frame)
            if not groups:
                continue
            made += 1
            yield {
                "table": f"main.{name}", "owner": owner, **truth(replay, case),
                **message(replay, case, verdicts, groups[0]),
            }  # fmt: skip
            if made == MESSAGES_EACH:
                return


def message(replay: Replay, case: Case, verdicts: list[Verdict], group: Group) -> dict[str, Any]:
    """The alert of a case as text."""
    samples = SampleSet(replay.sampled(case.frame), replay.references(case.day), SEED)
    counted: dict[Any, float | None] = {ROWS: float(len(case.frame))}
    past = Past(replay.table, ())
    sources = Sources(replay.table, replay.partition(case.day), dialect(), past, counted, samples)
    wrong = {c for v in verdicts if v.status is Status.FAIL for c in suspects(v.evidence)}
    told = (replace(tell(sources, v, wrong), id=f"F-{i}") for i, v in enumerate(verdicts, 1))
    mine = [v in group.verdicts for v in verdicts]
    findings = [replace(f, incident="INC-1") if own else f for f, own in zip(told, mine, strict=True)]
    event = event_of(sources, group, "INC-1", findings, ())
    best = ranked(event, findings)
    found = compose(event, best, write_story(event, best, sources, ()))
    return {"text": render_text(found).split("\nThe rows to look at:")[0], "alt": "", "title": found.title, "alerts": 1}


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        for table in sys.argv[2:] or TABLES:
            for told in drafts(table):
                file.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
                file.flush()
