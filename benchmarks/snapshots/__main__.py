"""Replay states: `python -m benchmarks.snapshots [--days 45] [--write]`."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from benchmarks.snapshots.states import FAULTS, STATES, State, days_of
from monitor.check import checks_of, load_checks
from monitor.cli.common import note
from monitor.run import Outcome, Watch, judge_partition
from monitor.select import select_partitions
from monitor.store import Store
from monitor.types import Table
from monitor.warehouses import open_warehouse

RESULTS = Path(__file__).parents[1] / "results" / "snapshots.json"
FAULTS_FROM, FAULTS_EVERY = 15, 5
LEARNING = 7


@dataclass
class Replay:
    """One state, its warehouse of one day and its store."""

    state: State
    folder: Path
    alerts: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def write(self, frame: pd.DataFrame) -> None:
        """Rewrite the table."""
        with duckdb.connect(str(self.folder / "state.duckdb")) as connection:
            connection.register("frame", frame)
            connection.execute("CREATE OR REPLACE TABLE state AS SELECT * FROM frame")

    def look(self, day: dt.date, store: str) -> Outcome:
        """Judge the table as it is, as a command of its own would."""
        now = dt.datetime.combine(day, dt.time(7), dt.UTC)
        warehouse = open_warehouse("main", f"duckdb:///{self.folder / 'state.duckdb'}")
        try:
            with Store.open(f"sqlite:///{self.folder / store}") as opened:
                columns = warehouse.columns(("state",))
                table = Table("main.state", "main", ("state",), columns, None, key=self.state.key)
                watch = Watch(table, warehouse, opened, checks_of(load_checks(), table))
                (partition,) = select_partitions(watch, None, None, now, note)
                return judge_partition(watch, partition, now)
        finally:
            warehouse.close()

    def run(self, days: int) -> None:
        """Every day as it was; on some of them each fault first, in copies."""
        before: pd.DataFrame | None = None
        for number, day in enumerate(days_of(self.state, days)):
            today = self.state.frame(day)
            if today.empty:
                continue
            spoilt = []
            if before is not None and number >= FAULTS_FROM and number % FAULTS_EVERY == 0:
                spoilt = [self._spoil(name, day, today, before) for name in FAULTS]
            self.write(today)
            started = time.process_time()
            outcome = self.look(day, "daywatch.db")
            found = _opened(outcome)
            self.seconds.append(time.process_time() - started)
            self.alerts += [{"day": day.isoformat(), "number": number + 1, **alert} for alert in found]
            is_quiet = all(event.event == "recovered" for event in outcome.incidents)
            self.cases += spoilt if is_quiet else []  # what goes wrong amid an incident opens none of its own
            before = today

    def _spoil(self, name: str, day: dt.date, today: pd.DataFrame, before: pd.DataFrame) -> dict[str, Any]:
        fault, part = FAULTS[name]
        self.write(fault(self.state, today, before))
        for path in self.folder.glob("daywatch.db*"):
            shutil.copy(path, self.folder / path.name.replace("daywatch", "copy"))
        found = _opened(self.look(day, "copy.db"))
        for path in self.folder.glob("copy.db*"):
            path.unlink()
        column = getattr(self.state, part) if part else None
        first = any(column in alert["columns"][:1] for alert in found) if column and found else None
        return {"day": day.isoformat(), "fault": name, "found": bool(found), "column_first": first, "told": found[:1]}


def _opened(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "title": event.title,
            "checks": list(event.checks),
            "columns": list(event.columns),
            "change": event.change.value,
        }
        for event in outcome.incidents
        if event.alerted
    ]


def summary(replay: Replay, days: int) -> dict[str, Any]:
    """Figures of one state."""
    judged = [alert for alert in replay.alerts if alert["number"] > LEARNING]
    by_fault = {}
    for name in FAULTS:
        mine = [case for case in replay.cases if case["fault"] == name]
        known = [case for case in mine if case["column_first"] is not None]
        by_fault[name] = {
            "cases": len(mine),
            "found": sum(case["found"] for case in mine),
            "column_first": f"{sum(case['column_first'] for case in known)}/{len(known)}",
        }
    store = replay.folder / "daywatch.db"
    return {
        "days": days,
        "alerts_first_week": len(replay.alerts) - len(judged),
        "alerts_after": len(judged),
        "alerts": replay.alerts,
        "faults": by_fault,
        "missed": [case for case in replay.cases if not case["found"]],
        "cpu_s_a_look": round(sum(replay.seconds) / max(len(replay.seconds), 1), 2),
        "store_bytes": store.stat().st_size,
    }


def main() -> None:
    """Replay all states, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=45)
    parser.add_argument("--state", action="append")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    told = {}
    for state in STATES:
        if options.state and state.name not in options.state:
            continue
        with tempfile.TemporaryDirectory() as folder:
            replay = Replay(state, Path(folder))
            replay.run(options.days)
            told[state.name] = summary(replay, options.days)
        sys.stdout.write(json.dumps({state.name: told[state.name]}, indent=1) + "\n")
        sys.stdout.flush()
    if options.write:
        RESULTS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
