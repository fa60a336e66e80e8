"""`python -m benchmarks.relations`: how well relations that nobody declared are found; JSON under results/."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from benchmarks.relations.schemas import SCHEMAS, Truth, make, truth_of
from monitor.discover.relations import find_relations
from monitor.types import Table
from monitor.warehouses import open_warehouse

TARGET = Path(__file__).parents[1] / "results" / "relations.json"
BARS = {"f1": 0.92, "seconds_50_tables": 60.0}
TABLES = 50


def main() -> int:
    results: dict[str, Any] = {}
    sums = [0, 0, 0]
    for name, spec in SCHEMAS.items():
        results[name], counts = judged(make(spec), truth_of(spec))
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
    results["all"] = scores(*sums)
    results["fifty_tables"] = fifty()
    results["bars"] = BARS
    TARGET.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(json.dumps(results, indent=1, sort_keys=True))
    return 0


def judged(frames: Mapping[str, pd.DataFrame], truth: Truth) -> tuple[dict[str, Any], tuple[int, int, int]]:
    """What was found of a schema beside what is true, and (right, wrong, missed)."""
    found, seconds = search(frames)
    right, wrong, missed = found & truth, found - truth, truth - found
    told: dict[str, Any] = {"tables": len(frames), "relations": len(truth), "seconds": round(seconds, 2)}
    told |= {"wrong": [" ".join(item) for item in sorted(wrong)], "missed": [" ".join(item) for item in sorted(missed)]}
    counts = (len(right), len(wrong), len(missed))
    return {**told, **scores(*counts)}, counts


def scores(right: int, wrong: int, missed: int) -> dict[str, float]:
    """Precision, recall and F1."""
    precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}


def search(frames: Mapping[str, pd.DataFrame]) -> tuple[Truth, float]:
    """The relations found among tables that are put into a warehouse of their own, and how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "w.duckdb"
        with duckdb.connect(str(file)) as connection:
            for name, frame in frames.items():
                connection.register("frame", frame)
                connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM frame')
                connection.unregister("frame")
        warehouse = open_warehouse("w", f"duckdb:///{file}")
        try:
            started = time.perf_counter()
            paths = warehouse.tables()
            tables = [Table(".".join(("w", *path)), "w", path, warehouse.columns(path), None) for path in paths]
            found = find_relations(warehouse, tables)
            seconds = time.perf_counter() - started
        finally:
            warehouse.close()
    return frozenset((r.path[-1], r.column, r.to[-1], r.key) for r in found), seconds


def fifty() -> dict[str, Any]:
    """All schemas side by side, as a warehouse of fifty tables holds them, names that clash told apart."""
    frames: dict[str, pd.DataFrame] = {}
    for name, spec in SCHEMAS.items():
        for table, frame in make(spec).items():
            frames[f"{name}_{table}" if table.lower() in {t.lower() for t in frames} else table] = frame
    chosen = dict(list(frames.items())[:TABLES])
    found, seconds = search(chosen)
    return {
        "tables": len(chosen),
        "rows": sum(map(len, chosen.values())),
        "found": len(found),
        "seconds": round(seconds, 2),
    }


if __name__ == "__main__":
    raise SystemExit(main())
