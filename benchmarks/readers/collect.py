"""Messages of faults: each put into a copy of a table's last day, which `daywatch run` then judges."""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from benchmarks.detection.case import Case
from benchmarks.detection.cases import cases_of
from benchmarks.detection.replay import Replay
from benchmarks.detection.tables import Entry, entry_named
from monitor.cli.app import app
from monitor.cli.common import OK

TABLES = ("flights", "orders", "retail", "taxi", "beijing")
MESSAGES_EACH = 13
DAYS = 4
KEEP = 0.3
"""Which part of all pairs of fault and share is made: each is one injection, most are not judged."""
SHARE_MIN = 0.03
OWNER = "@{table}-team"


def collect(name: str, pictures: Path | None = None) -> Iterator[dict[str, Any]]:
    """One entry for each fault of a table that was alerted: the truth, and the message as the folder channel wrote it.

    Args:
        name: of the benchmark's table.
        pictures: a folder that takes the messages' pictures.
    """
    entry = entry_named(name)
    replay = Replay(entry.name, entry.path, entry.time_column, entry.key)
    with tempfile.TemporaryDirectory() as folder:
        base, desk = Path(folder) / "base", Path(folder) / "case"
        cases = _quiet_day(base, desk, replay, entry)
        random.Random(name).shuffle(cases)  # noqa: S311 - a benchmark draws, it keeps no secret
        seen: set[str] = set()
        for case in cases:
            if len(seen) >= MESSAGES_EACH:
                return
            if case.fault is None or case.fault in seen or case.share < SHARE_MIN:
                continue
            _judge(base, desk, name, case)
            told = _message(desk)
            if told is not None:
                seen.add(case.fault)
                if pictures is not None:
                    _keep_picture(desk, pictures / f"{name}-{case.fault}-{case.share:g}.png")
                yield {"table": f"main.{name}", "owner": OWNER.format(table=name), **truth(replay, case), **told}


def _quiet_day(base: Path, desk: Path, replay: Replay, entry: Entry) -> list[Case]:
    """The faults of the first drawn day that alerts nothing by itself, with `base` standing at the day before."""
    days: dict[Any, list[Case]] = {}
    for case in cases_of(replay, entry, DAYS, KEEP):
        days.setdefault(case.day, []).append(case)
    for clean, *cases in days.values():
        shutil.rmtree(base, ignore_errors=True)
        _begin(base, replay, entry, clean)
        _judge(base, desk, entry.name, clean)
        if _message(desk) is None:
            return cases
    return []


def _judge(base: Path, desk: Path, name: str, case: Case) -> None:
    shutil.rmtree(desk, ignore_errors=True)
    shutil.copytree(base, desk)
    shown = case.frame[[c for c in case.frame.columns if not c.startswith("__")]]
    _write(desk, name, shown, append=True)
    _run(desk, str(case.day))


def _begin(base: Path, replay: Replay, entry: Entry, case: Case) -> None:
    """The table up to the day before, and what is known of it."""
    base.mkdir()
    before = pd.concat([frame for day, frame in replay.days.items() if day < case.day])
    _write(base, entry.name, before)
    key = f"\n    key: [{', '.join(entry.key)}]" if entry.key else ""
    (base / "daywatch.yaml").write_text(
        f"warehouses: {{main: 'duckdb:///w.duckdb'}}\nalerts_folder: alerts\ndefaults: {{channels: [folder]}}\n"
        f"tables:\n  - name: main.{entry.name}\n    time_column: {entry.time_column}\n"
        f"    owner: '{OWNER.format(table=entry.name)}'{key}\n",
        encoding="utf-8",
    )
    last = max(day for day in replay.days if day < case.day)
    _run(base, str(last))
    shutil.rmtree(base / "alerts", ignore_errors=True)


def _write(folder: Path, name: str, frame: pd.DataFrame, *, append: bool = False) -> None:
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        coded = [c for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)]
        frame = frame.astype(dict.fromkeys(coded, object))
        connection.register("frame", frame)
        verb = f"INSERT INTO {name} BY NAME SELECT" if append else f"CREATE TABLE {name} AS SELECT"
        connection.execute(f"{verb} * FROM frame")


def _run(desk: Path, day: str) -> None:
    try:
        app(args=["run", "-c", str(desk / "daywatch.yaml"), "--date", day], standalone_mode=False)
    except SystemExit as left:
        if left.code not in (OK, 1):
            raise


def _message(desk: Path) -> dict[str, Any] | None:
    """The first alert of the day."""
    folders = sorted((desk / "alerts").glob("*_INC-*"))
    if not folders:
        return None
    told = json.loads((folders[0] / "message.json").read_text("utf-8"))
    text = (folders[0] / "message.txt").read_text("utf-8").split("\nThe rows to look at:")[0]
    alt = next((b["alt"] for b in told["blocks"] if b["kind"] == "picture"), "")
    return {"text": text, "alt": alt, "title": told["title"], "alerts": len(folders)}


def _keep_picture(desk: Path, path: Path) -> None:
    found = sorted((desk / "alerts").glob("*/picture-1.png"))
    if found:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found[0], path)


def truth(replay: Replay, case: Case) -> dict[str, Any]:
    """What was done to the day, and the day's own numbers before and after it."""
    clean = replay.days[case.day]
    rows = max(len(case.frame), len(clean), 1)
    numbers = {"rows": [len(clean), len(case.frame)], "hit": case.hit / rows}
    for name in case.columns[:2]:
        numbers[name] = [_facts(frame, name) for frame in (clean, case.frame)]
    return {
        "fault": case.fault, "share": case.share, "day": str(case.day), "change": case.change,
        "columns": list(case.columns), "where": case.where, "numbers": numbers,
    }  # fmt: skip


def _facts(frame: pd.DataFrame, name: str) -> dict[str, float]:
    if name not in frame:
        return {}
    column = frame[name]
    facts = {"missing": float((column.isna() | (column.astype(str).str.strip() == "")).mean())}
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        numbers = column.dropna().astype(float)
        facts |= {"zero": float((column == 0).mean()), "median": float(numbers.median()), "mean": float(numbers.mean()),
                  "min": float(numbers.min()), "max": float(numbers.max()), "sd": float(numbers.std())}  # fmt: skip
    return {key: value for key, value in facts.items() if np.isfinite(value)}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for table in sys.argv[2:] or TABLES:
        with target.open("a", encoding="utf-8") as file:
            for told in collect(table, target.parent / "pictures"):
                file.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
                file.flush()
