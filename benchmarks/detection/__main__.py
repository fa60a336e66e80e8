"""`python -m benchmarks.detection`: faults into real tables, and what daywatch says of them.

Without arguments all figures are made anew and written to `benchmarks/results/detection.json`, with their pictures.
`--quick` takes minutes, and compares with the committed figures of the same quick run: exit code 1 if it fell behind.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.detection import chapters, report, suite, tables
from benchmarks.detection.cases import EXCLUDED
from benchmarks.detection.compare import behind

RESULTS = Path(__file__).parents[1] / "results" / "detection.json"


def main(arguments: Sequence[str] | None = None) -> int:
    given = _arguments(arguments)
    started = time.perf_counter()
    tables.prepare()
    if given.quick:
        return _quick(given.table or suite.QUICK_TABLES, given.committed)
    plan = replace(_planned(given), chapters=tuple(given.chapter or suite.CHAPTERS))
    rows = suite.run(given.table or [e.name for e in (*tables.TABLES, *tables.TOLD_ONLY)], plan)
    (tables.MADE / "rows.json").write_text(json.dumps(rows))
    figures = figures_of(rows)
    print_figures(figures)
    if not given.table and not given.chapter:
        quick = quick_figures(suite.run(suite.QUICK_TABLES, suite.QUICK))
        took = {"wall_s": round(time.perf_counter() - started), "tables": rows["tables"]}
        told = {"plan": asdict(plan), "excluded": EXCLUDED, **figures, "quick": quick, "took": took}
        RESULTS.write_text(json.dumps(told, indent=1) + "\n")
        from benchmarks.detection import pictures

        pictures.draw_all(RESULTS.parent)
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    plan = suite.Plan()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a few days of small tables, against the committed figures"
    )
    parser.add_argument("--days", type=int, default=plan.days, help="days with faults of each table")
    parser.add_argument("--keep", type=float, default=plan.keep, help="part of all (fault, share) pairs tried a day")
    parser.add_argument("--clean", type=int, default=plan.clean, help="untouched days in order of each table")
    parser.add_argument("--cold", type=int, default=plan.cold, help="faults on each of a young table's days")
    parser.add_argument("--drifts", type=int, default=plan.drifts, help="columns of each table that drift slowly")
    parser.add_argument("--seconds", type=int, default=plan.seconds, help="days on which a second fault comes")
    parser.add_argument("--table", action="append", help="only this table; may be repeated; nothing is written")
    parser.add_argument("--chapter", action="append", choices=suite.CHAPTERS, help="only this chapter; likewise")
    parser.add_argument("--committed", type=Path, default=RESULTS, help="what --quick is compared with")
    return parser.parse_args(arguments)


def _planned(given: argparse.Namespace) -> suite.Plan:
    return suite.Plan(given.days, given.keep, given.clean, given.cold, given.drifts, given.seconds)


def figures_of(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The main chapter for all tables, those tuned on, those held out, and each; then the other chapters."""
    cases = rows.get("cases", [])
    parts = {
        "all": cases,
        "tuned": [row for row in cases if row["tuned"]],
        "held_out": [row for row in cases if not row["tuned"]],
        **{e.name: [row for row in cases if row["table"] == e.name] for e in tables.TABLES},
    }
    return {
        "figures": {name: report.summarise(part) for name, part in parts.items() if part},
        "chapters": chapters.summarise(rows),
    }


def quick_figures(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What a quick run is judged by: recall by share over all its tables, and false alerts."""
    cases = [row for row in rows["cases"] if row["fault"] is not None and not row["noisy"]]
    large = [row for row in cases if row["hit"] >= report.LARGE_ROWS]
    recall = {f"{share} of rows": figure for share, figure in report.recalls("", cases)["recall"].items()}
    recall |= {"all": report.found_of(cases), "100 rows and more": report.found_of(large)}
    return {"recall": recall, "false_alerts": chapters.clean_days(rows["clean_days"])["all"]}


def _quick(names: Sequence[str], path: Path) -> int:
    """Judge little and compare: 1 if anything is behind."""
    now = quick_figures(suite.run(names, suite.QUICK))
    (tables.MADE / "quick.json").write_text(json.dumps(now, indent=1) + "\n")
    for name, figure in now["recall"].items():
        print(f"recall, {name}: {figure['share']} of {figure['n']}")
    print(f"false alerts a table-month: {now['false_alerts']['a_month']} in {now['false_alerts']['days']} days")
    committed = json.loads(path.read_text()).get("quick") if path.exists() else None
    if committed is None:
        print("no committed figures to compare with: make bench", file=sys.stderr)
        return 1
    told = behind(committed, now)
    for line in told:
        print(f"behind: {line}")
    return 1 if told else 0


def print_figures(figures: Mapping[str, Any]) -> None:
    """The main figures, two lines a table, and one line a chapter."""
    for name, found in figures["figures"].items():
        print(f"{name}: {found['cases']} faults, AUC {found['auc_paired']['share']}, {_recall(found, '')}")
        print(f"    hitting 100 rows and more: {_recall(found, '_100_rows')}")
        print(
            f"    clean days alerted {found['clean_days_alerted']} of {found['clean_days']}; column first "
            f"{found['column_first']['share']}; kind said {found['kind_said']['share']}; segment told "
            f"{found['segment_told']['share']}; {found['cpu_s_table_day']} CPU s a table-day"
        )
    told = figures["chapters"]
    if "clean_days" in told:
        rates = told["clean_days"]["by_table"] | {"all": told["clean_days"]["all"]}
        each = "  ".join(f"{name} {rate['a_month']} (< {rate['upper']})" for name, rate in rates.items())
        print(f"false alerts a table-month: {each}")
    if "cold_start" in told:
        each = "  ".join(f"day {n} {found['share']}" for n, found in told["cold_start"]["recall"].items())
        print(f"cold start, recall: {each}")
    if "slow_drift" in told:
        print(f"slow drift: told after {told['slow_drift']['days_median']} days (median)")
    if "second_fault" in told:
        beside = told["second_fault"]
        print(f"second fault: told {beside['told']['share']}, the first again {beside['alerted_again']['share']}")
    for name in ("real_faults", "true_events"):
        if name in told:
            print(f"{name}: {told[name].get('found_first_day', told[name].get('one_alert_at_most'))} as wanted")
            for row in told[name]["each"]:
                print(f"    {row['table']} {row['day']} {row['about']}: {row.get('found', row.get('alerts'))}")


def _recall(found: Mapping[str, Any], suffix: str) -> str:
    shares = found[f"recall{suffix}"]
    oracle = found[f"oracle{suffix}"]
    return "recall (oracle) by share: " + "  ".join(
        f"{s} {figure['share']} ({oracle[s]['share']})" for s, figure in shares.items()
    )


if __name__ == "__main__":
    sys.exit(main())
