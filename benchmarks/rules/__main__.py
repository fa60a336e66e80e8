"""`python -m benchmarks.rules`: CPU seconds of twenty rules beside one hand-written statement; JSON under results/.

Figures are of client and server together, the median of runs that take turns, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.rules.cases import TABLE

TARGET = Path(__file__).parents[1] / "results" / "rules.json"
PEER = Path(__file__).parents[2] / ".venv-peers" / "rules" / "bin" / "python"
"""Soda Core's own environment; where it is not made (`make rules-peers`), it is left out."""
WAYS = ("naive", "naive_without_unique", "daywatch", "daywatch_without_unique")
BARS = {"to_naive": 1.0, "to_naive_without_unique": 1.1}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the DuckDB table")
    parser.add_argument("--postgres-rows", type=int, default=2_000_000, help="rows of the PostgreSQL table; 0: none")
    parser.add_argument("--runs", type=int, default=3, help="runs of each way")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = {"duckdb": in_duckdb(Path(folder), given.rows, given.runs)}
        results["thousand"] = thousand(Path(folder))
    if given.postgres_rows:
        results["postgresql"] = in_postgres(given.postgres_rows, given.runs)
    results["bars"] = BARS
    TARGET.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(json.dumps(results, indent=1, sort_keys=True))
    return 0


def in_duckdb(folder: Path, rows: int, runs: int) -> dict[str, Any]:
    file = folder / "rules.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE t AS {TABLE.format(rows=rows, source=f'range({rows}) AS r(i)')}")
    found = {"rows": rows, **compared(f"duckdb:///{file}", runs)}
    if PEER.exists():
        for name, unique, beside in (
            ("soda", "yes", "naive"),
            ("soda_without_unique", "no", "naive_without_unique"),
        ):
            taken = [by_soda(file, unique) for _ in range(runs)]
            found[name] = {key: round(median(r[key] for r in taken), 3) for key in taken[0]}
            found[f"{name}_to_naive"] = round(found[name]["cpu_s"] / found[beside]["cpu_s"], 3)
    return found


def by_soda(file: Path, unique: str) -> dict[str, float]:
    """The same rules by Soda Core."""
    command = [str(PEER), str(Path(__file__).with_name("soda_work.py")), str(file), unique]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_postgres(rows: int, runs: int) -> dict[str, Any]:
    from tests.postgres_server import running

    with running() as server, server.schema() as url:
        with server.connect(url) as connection:
            source = f"generate_series(0, {rows - 1}) AS r(i)"
            table = TABLE.format(rows=rows, source=source).replace("i * 7919", "CAST(i AS BIGINT) * 7919")
            connection.execute(f"CREATE TABLE t AS {table.replace('i * 104729', 'CAST(i AS BIGINT) * 104729')}")
            connection.commit()
        return {"rows": rows, **compared(str(url), runs)}


def compared(url: str, runs: int) -> dict[str, Any]:
    seconds: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            seconds[way].append(once(url, way))
    found = {way: {key: round(median(r[key] for r in s), 3) for key in s[0]} for way, s in seconds.items()}
    ratios = {
        "to_naive": found["daywatch"]["cpu_s"] / found["naive"]["cpu_s"],
        "to_naive_without_unique": found["daywatch_without_unique"]["cpu_s"] / found["naive_without_unique"]["cpu_s"],
    }
    return {**found, **{name: round(ratio, 3) for name, ratio in ratios.items()}}


def thousand(folder: Path) -> dict[str, float]:
    """A thousand rules on a million rows: statements, CPU seconds and memory."""
    file = folder / "thousand.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE t AS {TABLE.format(rows=1_000_000, source='range(1000000) AS r(i)')}")
    return once(f"duckdb:///{file}", "thousand")


def once(url: str, way: str) -> dict[str, float]:
    """One way, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.rules.work", url, way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
