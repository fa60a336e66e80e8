"""What every peer is asked of a table: the days to judge, faulted and untouched, and the clean days before them.

All rows are written once, as Parquet, so that every peer reads the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.detection.cases import Case, cases_of
from benchmarks.detection.replay import Replay
from benchmarks.detection.tables import Entry
from checks.drift.sides import PAST_ROWS_MIN
from monitor.types import ColumnKind

MADE = Path(__file__).parent / "made"
PAST_DAYS = 28
"""Clean days before a judged one on which a peer's own values are learnt."""
SERIES_DAYS = 60
"""Earlier days that a peer may look at."""
CALENDAR: Mapping[str, tuple[str, ...]] = {
    "flights": ("year", "month", "day", "time_hour"),
    "orders": ("order_id",),
    "taxi": ("source_month",),
    "retail": ("InvoiceNo",),
    "beijing": ("No", "year", "month", "day"),
    "github": (),
    "wide": (),
}
"""Columns that a person setting up a tool would leave out, as they tell one day from another by their nature."""
SEED = 17

_KINDS = {
    ColumnKind.NUMBER: "number",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.DATE: "time",
    ColumnKind.TIMESTAMP: "time",
}


@dataclass
class Work:
    """All that is asked of a table.

    `cases` by request id; `requests` those ids, and the untouched days "<date>" whose values are learnt from;
    `learnt` the days before a judged one, oldest first.
    """

    entry: Entry
    replay: Replay
    cases: dict[str, Case] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def learnt(self, day: dt.date) -> list[dt.date]:
        return self.replay.before(day)[-PAST_DAYS:]

    def clean_days(self) -> set[dt.date]:
        """Days that are judged as they were."""
        return {case.day for case in self.cases.values() if case.fault is None}


def prepare(entry: Entry, days: int, keep: float, clean: int, folder: Path = MADE) -> Work:
    """Draw the cases and write every frame that a request names.

    Args:
        entry: the table.
        days: days with faults, the same as the detection benchmark draws.
        keep: part of all (fault, share) pairs tried a day.
        clean: further days judged only as they were, for false alerts.
        folder: where the files go.
    """
    work = Work(entry, Replay(entry.name, entry.path, entry.time_column, entry.key))
    files = _Files(work, folder / entry.name)
    for number, case in enumerate(cases_of(work.replay, entry, days, keep)):
        if case.fault is None:
            _add(work, files, case.day)
        else:
            name = f"{case.day}-{number:04d}-{case.fault}-{case.share}"
            work.cases[name] = case
            work.requests[name] = files.request(name, case.day, files.write(name, case.frame))
    rest = [day for day in work.replay.dates[entry.first : -1] if day not in work.clean_days()]
    draw = random.Random(SEED)  # noqa: S311 - a benchmark draws, it keeps no secret
    for day in draw.sample(rest, min(clean, len(rest))):
        _add(work, files, day)
    for day in sorted({d for case in work.cases.values() for d in work.learnt(case.day)}):
        if str(day) not in work.requests:
            work.requests[str(day)] = files.request(str(day), day, files.of_day(day))
    return work


def _add(work: Work, files: _Files, day: dt.date) -> None:
    work.cases[str(day)] = Case(day, work.replay.days[day])
    work.requests[str(day)] = files.request(str(day), day, files.of_day(day))


class _Files:
    """The Parquet files of a table; each day is written once, with a digest of its bytes."""

    def __init__(self, work: Work, folder: Path) -> None:
        self.work = work
        self.folder = folder
        self.digests: dict[str, str] = {}
        self.kinds = {c.name: _KINDS.get(c.kind, "text") for c in work.replay.table.columns}
        for part in ("days", "cases"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    def of_day(self, day: dt.date) -> str:
        return self._put(self.folder / "days" / f"{day}.parquet", self.work.replay.days[day])

    def write(self, name: str, frame: pd.DataFrame) -> str:
        return self._put(self.folder / "cases" / f"{name}.parquet", frame)

    def request(self, name: str, day: dt.date, today: str) -> dict[str, Any]:
        references = [self.of_day(p.start.date()) for p, _ in self.work.replay.references(day) if p.start]
        rows = max(len(self.work.replay.days[day]), PAST_ROWS_MIN)
        past = [self.of_day(d) for d in self.work.replay.before(day)[-SERIES_DAYS:]]
        return {
            "id": name,
            "day": str(day),
            "today": today,
            "references": references,
            "past": past,
            "kinds": self.kinds,
            "reference_rows": rows,
            "calendar": list(CALENDAR[self.work.entry.name]),
            "digest": _digest([self.digests[path] for path in (today, *references, *past)] + [str(rows)]),
        }

    def _put(self, path: Path, frame: pd.DataFrame) -> str:
        if str(path) not in self.digests:
            self.work.replay.sampled(frame).to_parquet(path, index=False)
            self.digests[str(path)] = _digest([path.read_bytes().hex()])
        return str(path)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
