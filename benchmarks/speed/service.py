"""Memory of `daywatch serve` over 50 tables: idle after some polls, and while a day is judged, workers included."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

TABLES = 50
POLLS = 8
TIMEOUT_S = 600


def service(folder: Path) -> dict[str, float]:
    """Resident memory of the process alone, when its day is judged and its workers are gone; and the most with them."""
    _build(folder)
    command = [sys.executable, "-c", "from monitor.cli import main; main()", "serve", "--log-format", "json"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            port = next(entry["port"] for entry in map(json.loads, running.stderr) if entry["event"] == "serving")
            with (folder / "log").open("w") as log:  # a full pipe would stop it
                drain = subprocess.Popen(["cat"], stdin=running.stderr, stdout=log)  # noqa: S607
            return _measure(psutil.Process(running.pid), port)
        finally:
            running.terminate()
            running.wait(60)
            drain.wait(10)


def _build(folder: Path) -> None:
    import duckdb

    today = dt.datetime.now(dt.UTC).date()
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        for number in range(TABLES):
            connection.execute(
                f"CREATE TABLE t{number} AS SELECT DATE '{today}' - 60 + CAST(i // 200 AS INTEGER) AS d, i AS id,"
                f" 'c' || (i % 5) AS kind, random() AS price, i % 3 AS flag FROM range(12000) AS x(i)"
            )
    (folder / "daywatch.yaml").write_text(
        'warehouses: {main: "duckdb:///shop.duckdb"}\nserve: {port: 0, poll_minutes: 0.05}\n'
        'defaults: {drift_backfill_days: 1}\ntables:\n  - {name: main.*, time_column: d, due: "00:00"}\n'
    )


def _measure(process: psutil.Process, port: int) -> dict[str, float]:
    most = alone = 0.0
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        workers = process.children(recursive=True)
        alone = process.memory_info().rss
        most = max(most, alone + sum(_rss(worker) for worker in workers))
        judged, polls = _counts(port)
        if judged >= TABLES and polls >= POLLS and not [w for w in workers if "multiprocessing.spawn" in _line(w)]:
            break
    return {"serve_idle_rss_mb": alone / 2**20, "serve_judging_rss_mb": most / 2**20}


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _counts(port: int) -> tuple[float, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    wanted = ('daywatch_partitions_total{outcome="judged"}', 'daywatch_poll_seconds_count{warehouse="main"}')
    found = [next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0) for name in wanted]
    return found[0], found[1]
