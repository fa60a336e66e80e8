"""`python -m benchmarks.speed`: CPU seconds and memory beside a floor measured in the same run; JSON under results/."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.speed.postgres import postgres_polls, postgres_sample
from benchmarks.speed.service import service

TARGET = Path(__file__).parents[1] / "results" / "speed.json"
BARS = {
    "drift_cpu_s": 1.5,
    "drift_to_reference_fit": 4.0,
    "table_day_cpu_s": 2.5,
    "aggregates_to_hand_written": 1.3,
    "thousand_columns_rss_gib": 2.0,
    "help_s": 0.5,
    "postgres_sample_to_driver_fetch": 1.5,
    "postgres_whole_day_to_driver_fetch": 1.5,
    "postgres_poll_500_tables_s": 10.0,
    "serve_idle_rss_mb": 250.0,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table whose aggregates are read")
    measures: dict[str, Callable[[Path], dict[str, float]]] = {
        "drift": drift,
        "table_day": table_day,
        "aggregates": lambda folder: aggregates(folder, given.rows),
        "wide": wide,
        "help": show_help,
        "postgres_sample": postgres_sample,
        "postgres_polls": postgres_polls,
        "service": service,
    }
    parser.add_argument("--only", nargs="+", choices=measures, help="measure these; the other figures stay")
    given = parser.parse_args()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only or measures:
            found |= measures[name](Path(folder))
    report = {name: {"measured": round(value, 3), "bar": BARS.get(name)} for name, value in found.items()}
    for name, value in found.items():
        bar = BARS.get(name)
        verdict = "" if bar is None else ("  met" if round(value, 3) <= bar else "  MISSED")
        print(f"{name:32} {round(value, 3):>9}  bar {bar}{verdict}")
    kept = json.loads(TARGET.read_text()) if given.only and TARGET.exists() else {}
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(kept | report, indent=1) + "\n")
    return 0


def cpu_s(work: Callable[[], Any], repeats: int = 3) -> float:
    """The least CPU time of a few runs."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Twenty columns: twelve numbers, six texts of 5 to 500 values, two flags."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"n{i}": random.normal(i, 1 + i, rows) for i in range(12)}
    for i, size in enumerate((5, 10, 20, 50, 200, 500)):
        columns[f"t{i}"] = pd.Categorical.from_codes(random.integers(0, size, rows), [f"v{k}" for k in range(size)])
    for i in range(2):
        columns[f"b{i}"] = (random.random(rows) < 0.3).astype(object)
    return pd.DataFrame(columns)


def drift(_: Path) -> dict[str, float]:
    """The drift check on 10,000 x 20 against a fixed LightGBM fit of the same 20,000 rows."""
    import lightgbm as lgb

    from checks.drift.compare import compare
    from monitor.partitions import partition_at
    from monitor.types import Cadence, Column, ColumnKind, SampleSet, Table

    days = [frame(10_000, seed) for seed in range(8)]
    kinds = {"n": ColumnKind.NUMBER, "t": ColumnKind.TEXT, "b": ColumnKind.BOOLEAN}
    columns = tuple(Column(name, kinds[name[0]], "") for name in days[0].columns)
    table = Table("main.t", "main", ("t",), columns, None)
    parts = [partition_at(Cadence.DAY, "UTC", dt.date(2024, 1, 9) - dt.timedelta(days=k)) for k in range(8)]
    samples = SampleSet(days[0], tuple(zip(parts[1:], days[1:], strict=True)), 1)

    both = pd.concat(days[:2], ignore_index=True)
    matrix = np.column_stack(
        [both[c].cat.codes if c[0] == "t" else both[c].astype(float) for c in both.columns]
    ).astype(np.float32)
    label = np.repeat([1.0, 0.0], 10_000)
    fixed = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "verbosity": -1}

    mine = cpu_s(lambda: compare(table, parts[0], samples))
    reference = cpu_s(lambda: lgb.train(fixed, lgb.Dataset(matrix, label), num_boost_round=60))
    return {"drift_cpu_s": mine, "reference_fit_cpu_s": reference, "drift_to_reference_fit": mine / reference}


def table_day(folder: Path) -> dict[str, float]:
    """One day of 10,000 x 20 with every check, its past known, on DuckDB and a SQLite store."""
    import duckdb

    from monitor.check import load_checks
    from monitor.run import Watch, judge_partition
    from monitor.store import Store
    from monitor.types import Table, TimeColumn, TimeForm
    from monitor.warehouses import open_warehouse

    path = folder / "day.duckdb"
    with duckdb.connect(str(path)) as connection:
        for day in range(34):
            rows = frame(10_000, 100 + day)
            for name in rows.columns:
                rows[name] = rows[name].astype(str) if name[0] == "t" else rows[name]
            rows["day"] = pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)
            connection.register("rows", rows)
            connection.execute(("CREATE TABLE t AS" if day == 0 else "INSERT INTO t") + " SELECT * FROM rows")
    warehouse = open_warehouse("main", f"duckdb:///{path}")
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), TimeColumn("day", TimeForm.TIMESTAMP))
    now = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    times = []
    with Store.open(f"sqlite:///{folder / 'store.db'}") as store:
        watch = Watch(table, warehouse, store, load_checks())
        for label in ("2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"):
            started = time.process_time()
            judge_partition(watch, warehouse.partition(table, label), now)
            times.append(time.process_time() - started)
    warehouse.close()
    return {"first_day_with_backfill_cpu_s": times[0], "table_day_cpu_s": min(times[1:])}


def aggregates(folder: Path, rows: int) -> dict[str, float]:
    """All aggregates of a 20-column table in one scan against the same written by hand."""
    import duckdb

    from checks.nulls import Nulls
    from checks.stats import Stats
    from checks.volume import Volume
    from checks.zeros import Zeros
    from monitor.types import Aggregate, Table
    from monitor.warehouses import open_warehouse

    path = folder / "large.duckdb"
    numbers = ", ".join(f"random() * {i + 1} AS n{i}" for i in range(14))
    texts = ", ".join(f"'v' || CAST(floor(random() * {10 * (i + 1)}) AS INTEGER) AS t{i}" for i in range(6))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT {numbers}, {texts} FROM range({rows})")
    warehouse = open_warehouse("main", f"duckdb:///{path}")
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), None)
    inputs = {i for check in (Volume(), Nulls(), Zeros(), Stats()) for i in check.inputs(table)}
    measures = sorted(i.measure for i in inputs if isinstance(i, Aggregate))
    warehouse.close()
    hand = f"SELECT {', '.join(by_hand(m.kind, m.column) for m in one_per_call(measures))} FROM t"
    mine, theirs = [], []
    for _ in range(3):  # alternately, so that the machine's moods fall on both
        warehouse = open_warehouse("main", f"duckdb:///{path}")
        mine.append(cpu_s(partial(warehouse.aggregates, table, None, measures), 1))
        warehouse.close()
        with duckdb.connect(str(path), read_only=True) as connection:
            theirs.append(cpu_s(partial(_fetched, connection, hand), 1))
    return {
        "aggregates_cpu_s": min(mine),
        "hand_written_cpu_s": min(theirs),
        "aggregates_to_hand_written": min(mine) / min(theirs),
    }


def one_per_call(measures: list[Any]) -> list[Any]:
    """Quantiles of one column are one call, in daywatch as in what a careful person writes."""
    kept, seen = [], set()
    for measure in measures:
        call = (measure.kind, measure.column)
        if call not in seen:
            kept.append(measure)
            seen.add(call)
    return kept


def by_hand(kind: str, column: str) -> str:
    return {
        "rows": "count(*)",
        "nulls": f"count(*) FILTER (WHERE {column} IS NULL OR trim(CAST({column} AS VARCHAR)) = '')"
        if column.startswith("t")
        else f"count(*) FILTER (WHERE {column} IS NULL)",
        "empty": f"count(*) FILTER (WHERE trim({column}) = '')",
        "zeros": f"count(*) FILTER (WHERE {column} = 0)",
        "mean": f"avg({column})",
        "stddev": f"stddev_samp({column})",
        "min": f"min({column})",
        "max": f"max({column})",
        "quantile": f"approx_quantile({column}, [0.05, 0.5, 0.95])",
        "length_mean": f"avg(length({column}))",
        "distinct": f"approx_count_distinct({column})",
    }[kind]


def wide(folder: Path) -> dict[str, float]:
    """A table of 1,000 columns through the command line: peak memory of the process."""
    import duckdb

    path = folder / "wide.duckdb"
    columns = ", ".join(
        f"random() AS n{i}" if i % 4 else f"'v' || CAST(floor(random() * 50) AS INTEGER) AS t{i}" for i in range(1_000)
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"CREATE TABLE wide AS SELECT DATE '2024-01-01' + CAST(r // 1000 AS INTEGER) AS day, {columns}"
            " FROM range(12000) AS x(r)"
        )
    config = folder / "daywatch.yaml"
    config.write_text(f"warehouses:\n  main: duckdb:///{path}\ntables:\n  - {{name: main.wide, time_column: day}}\n")
    command = [sys.executable, "-c", "from monitor.cli import main; main()", "run", "-c", str(config)]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--date", "2024-01-12", "--no-alerts"], check=False, capture_output=True, text=True
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return {"thousand_columns_rss_gib": peak, "thousand_columns_s": time.monotonic() - started}


def _fetched(connection: Any, statement: str) -> Any:
    return connection.execute(statement).fetchall()


def show_help(_: Path) -> dict[str, float]:
    """`daywatch --help` from a cold interpreter."""
    command = [sys.executable, "-c", "from monitor.cli import main; main()", "--help"]
    times = []
    for _repeat in range(5):
        started = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.monotonic() - started)
    return {"help_s": min(times)}


if __name__ == "__main__":
    sys.exit(main())
