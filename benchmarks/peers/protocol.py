"""How a peer is asked: it reads one JSON object a line and answers with one, in a process and environment of its own.

This side runs in the peers' environments, so it needs nothing but pandas. A request names Parquet files::

    {"id": "…", "day": "2013-02-08", "today": "….parquet", "references": ["2013-02-07.parquet", …],
     "past": ["2013-01-01.parquet", …], "kinds": {"carrier": "text", …}, "calendar": ["year", …],
     "reference_rows": 3000}

Files of earlier days are called by their date; of the references together so many rows are drawn; `calendar` names
columns that tell the day by their nature, which a setting with `leave_out` does not look at.

The answer says how far each column and the whole table have drifted (higher = more; comparable between the columns of
one peer), what the peer's own alarm says, and what it cost::

    {"id": "…", "columns": {"carrier": 0.2}, "table": 0.2, "alarm": true, "cpu_s": 0.31, "memory_mb": 190.0}

or, where the peer failed, `{"id": "…", "error": "…"}`.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TextIO

import pandas as pd

NUMBER, TEXT, FLAG, TIME = "number", "text", "boolean", "time"
FRAMES_KEPT = 80
Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A table-day as a peer sees it.

    `today` and `references` (newest day first) hold times as seconds since the start of their own day, so that a date
    alone is no drift; `past` are the paths of earlier days, oldest first; `kinds` says of each column whether it is
    number, text, boolean or time.
    """

    today: pd.DataFrame
    references: tuple[pd.DataFrame, ...]
    past: tuple[str, ...]
    kinds: Mapping[str, str]

    @property
    def reference(self) -> pd.DataFrame:
        """All reference days in one frame, as a user would hand them over."""
        return pd.concat(self.references, ignore_index=True)

    @property
    def numbers(self) -> list[str]:
        """Columns that hold numbers, times among them."""
        return [name for name, kind in self.kinds.items() if kind in (NUMBER, TIME)]

    @property
    def categories(self) -> list[str]:
        """Columns that hold texts or flags."""
        return [name for name, kind in self.kinds.items() if kind in (TEXT, FLAG)]


@dataclass(frozen=True)
class Answer:
    """What a peer says of a case; see the module's text."""

    columns: Mapping[str, float]
    table: float
    alarm: bool


class Peer(Protocol):
    """A driver: made once with its setting, asked for many cases."""

    def prepare(self, case: Case) -> None:
        """What the tool would have kept from earlier days (not timed)."""
        ...

    def judge(self, case: Case) -> Answer:
        """The work of one table-day (timed)."""
        ...


def read(path: str, kinds: Mapping[str, str], day: str) -> pd.DataFrame:
    """The rows of a file, with flags as texts and times as seconds since the start of `day`."""
    raw = pd.read_parquet(path)
    start = pd.Timestamp(day)
    made = {}
    for name, kind in kinds.items():
        values = raw[name]
        if kind == TIME:
            made[name] = (values - start).dt.total_seconds()
        elif kind == NUMBER:
            made[name] = pd.to_numeric(values, errors="coerce").astype("float64")
        else:
            made[name] = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    return pd.DataFrame(made)


@lru_cache(maxsize=FRAMES_KEPT)
def _read_day(path: str, kinds: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    return read(path, dict(kinds), Path(path).stem)


def read_day(path: str, kinds: Mapping[str, str]) -> pd.DataFrame:
    """The rows of an earlier day, whose file is called by its date; kept, as many cases share it."""
    return _read_day(path, tuple(kinds.items()))


def case_of(request: Mapping[str, Any], leave_out: bool = False) -> Case:
    """Read what a request names; `leave_out`: without the columns that tell the day."""
    unwanted = set(request["calendar"]) if leave_out else set()
    kinds = {name: kind for name, kind in request["kinds"].items() if name not in unwanted}
    share = math.ceil(request["reference_rows"] / max(len(request["references"]), 1))
    days = [read_day(path, kinds) for path in request["references"]]
    return Case(
        read(request["today"], kinds, request["day"]),
        tuple(day.sample(min(share, len(day)), random_state=0) for day in days),
        tuple(request["past"]),
        kinds,
    )


def answer(peer: Peer, request: Mapping[str, Any], leave_out: bool = False) -> dict[str, Any]:
    """Ask the peer; its failure is an answer too, so that one case does not end the run."""
    try:
        case = case_of(request, leave_out)
        peer.prepare(case)
        before = cpu_s()
        found = peer.judge(case)
        spent = cpu_s() - before
    except Exception as error:  # noqa: BLE001 - whatever a peer raises on odd data is its answer
        return {"id": request["id"], "error": f"{type(error).__name__}: {error}"[:300]}
    columns = {name: float(value) for name, value in found.columns.items() if math.isfinite(value)}
    table = float(found.table) if math.isfinite(found.table) else max(columns.values(), default=0.0)
    return {
        "id": request["id"],
        "columns": columns,
        "table": table,
        "alarm": bool(found.alarm),
        "cpu_s": round(spent, 4),
        "memory_mb": round(memory_mb(), 1),
    }


def serve(make: Callable[[Setting], Peer], lines: Iterable[str], out: TextIO, setting: Setting) -> None:
    """Answer every line of `lines` on `out`."""
    peer = make(setting)
    for line in lines:
        print(json.dumps(answer(peer, json.loads(line), bool(setting.get("leave_out")))), file=out, flush=True)


def main(make: Callable[[Setting], Peer], arguments: Sequence[str] | None = None) -> None:
    """Serve standard input; the only argument is the setting as JSON."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    warnings.simplefilter("ignore")
    # what libraries print must not come between the answers
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        serve(make, sys.stdin, out, json.loads(given[0]) if given else {})


def cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def memory_mb() -> float:
    """The most memory this process has held, in MB.

    Linux hands the peak of `getrusage` down from the process that started this one, so its own is read elsewhere.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
