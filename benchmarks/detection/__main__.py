"""`python -m benchmarks.detection`: faults into real tables, and what daywatch says of them.

`--quick` takes minutes and compares with the committed figures; without it, the figures are made anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.detection import cases, report, tables

RESULTS = Path(__file__).parents[1] / "results"
QUICK = ("flights", "orders")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few days of two tables, against the committed figures")
    parser.add_argument("--days", type=int, default=3, help="days of each table")
    parser.add_argument("--keep", type=float, default=0.4, help="part of all (fault, share) pairs tried a day")
    parser.add_argument("--table", action="append", help="only this table; may be repeated")
    given = parser.parse_args()
    tables.prepare()
    names = given.table or (QUICK if given.quick else [entry.name for entry in tables.TABLES])
    chosen = [entry for entry in tables.TABLES if entry.name in names]
    days, keep = (1, 0.15) if given.quick else (given.days, given.keep)
    with ProcessPoolExecutor(2) as pool:
        rows = [row for part in pool.map(_run, chosen, [days] * len(chosen), [keep] * len(chosen)) for row in part]
    figures = {"all": report.summarise(rows)}
    for entry in chosen:
        figures[entry.name] = report.summarise([row for row in rows if row["table"] == entry.name])
    _print(figures)
    if given.quick:
        return _compare(figures)
    if not given.table:
        RESULTS.mkdir(exist_ok=True)
        told = {"days": days, "keep": keep, "excluded": cases.EXCLUDED, "figures": figures}
        (RESULTS / "detection.json").write_text(json.dumps(told, indent=1) + "\n")
    return 0


def _run(entry: tables.Entry, days: int, keep: float) -> list[dict[str, Any]]:
    warnings.simplefilter("ignore")
    return list(cases.run(entry, days, keep))


def _print(figures: dict[str, Any]) -> None:
    for name, found in figures.items():
        recall = "  ".join(f"{s} {r['share']}" for s, r in found["recall"].items())
        large = "  ".join(f"{s} {r['share']}" for s, r in found["recall_100_rows"].items())
        print(f"{name}: {found['cases']} faults, AUC {found['auc_paired']}, recall by share: {recall}")
        print(f"    hitting 100 rows and more: {large}")
        print(
            f"    clean days alerted {found['clean_days_alerted']} of {found['clean_days']}; column first "
            f"{found['column_first']['share']}; kind said {found['kind_said']['share']}; "
            f"{found['cpu_s_table_day']} CPU s a table-day"
        )


def _compare(figures: dict[str, Any]) -> int:
    """Whether recall has fallen behind the committed figures by more than both intervals."""
    path = RESULTS / "detection.json"
    if not path.exists():
        print("no committed figures to compare with; `make bench` makes them")
        return 0
    committed = json.loads(path.read_text())["figures"]
    behind = []
    for name in QUICK:
        for share, before in committed.get(name, {}).get("recall", {}).items():
            now = figures[name]["recall"].get(share)
            if now and now["n"] >= 8 and before["low"] is not None and now["share"] < before["low"] - 0.3:
                behind.append(f"{name}, {share} of rows: recall {now['share']}, committed {before['share']}")
    for line in behind:
        print(f"behind: {line}")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
