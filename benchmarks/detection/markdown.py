"""`python -m benchmarks.detection.markdown`: the committed figures as tables for docs/BENCHMARKS.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.detection.pictures import RESULTS, SHARES

SIZES = ("", "_100_rows")
_BESIDE = {"told": "another one in another column", "alerted_again": "nothing else: the same once more"}


def main() -> int:
    told = json.loads((RESULTS / "detection.json").read_text())
    sys.stdout.write("\n\n".join((recalls(told["figures"]), *chapters(told["chapters"]))) + "\n")
    return 0


def recalls(figures: Mapping[str, Any]) -> str:
    """The main chapter, one line a table: recall beside the oracle's, as `recall/oracle`."""
    heads = [
        "table",
        "faults",
        "AUC",
        ">= 100 rows",
        *("1%", "3%", "10%", "30%"),
        *(f">= 100 rows: {s}" for s in ("1%", "3%", "10%", "30%")),
    ]
    heads += ["of the oracle's", "column first", "in three", "kind said", "segment told", "CPU s"]
    lines = []
    for name, found in figures.items():
        cells = [name.replace("_", " "), str(found["cases"]), *(_two(found[f"auc_paired{s}"]["share"]) for s in SIZES)]
        for suffix in SIZES:
            recall, oracle = found[f"recall{suffix}"], found[f"oracle{suffix}"]
            cells += [f"{_two(recall[s]['share'])}/{_two(oracle[s]['share'])}" if s in recall else "-" for s in SHARES]
        told = ("of_oracle_all", "column_first", "column_in_three", "kind_said", "segment_told")
        cells += [*(_two(found[key]["share"]) for key in told), str(found["cpu_s_table_day"])]
        lines.append(cells)
    return _table(heads, lines)


def chapters(told: Mapping[str, Any]) -> list[str]:
    """The other chapters, a table each."""
    made = []
    if "clean_days" in told:
        clean = told["clean_days"]
        rates = {**clean["by_table"], "tuned": clean["tuned"], "held out": clean["held_out"], "all": clean["all"]}
        lines = [[n, str(r["days"]), str(r["alerts"]), _two(r["a_month"]), _two(r["upper"])] for n, r in rates.items()]
        made.append(_table(["table", "clean days", "alerts", "a month", "below, with 95%"], lines))
    if "cold_start" in told:
        recall = told["cold_start"]["recall"]
        cells = [f"{_two(r['share'])} ({_two(r['low'])}-{_two(r['high'])}, {r['n']})" for r in recall.values()]
        made.append(_table(["day", *recall], [["recall", *cells]]))
    if "slow_drift" in told:
        lines = [[r["table"], r["column"], str(r["told_after"] or "never")] for r in told["slow_drift"]["each"]]
        made.append(_table(["table", "column that drifts", "told on day"], lines))
    if "real_faults" in told:
        lines = [
            [r["table"], r["day"], r["about"], "yes" if r["found"] else "no", r["check"] or "-"]
            for r in told["real_faults"]["each"]
        ]
        made.append(_table(["table", "first day", "what happened", "found", "by"], lines))
    if "true_events" in told:
        lines = [[r["table"], r["day"], r["about"], str(r["alerts"])] for r in told["true_events"]["each"]]
        made.append(_table(["table", "from", "what happened", "alerts"], lines))
    if "second_fault" in told:
        beside = told["second_fault"]
        lines = [[name, str(beside[key]["n"]), _two(beside[key]["share"])] for key, name in _BESIDE.items()]
        made.append(_table(["beside a fault that goes on", "tried", "told"], lines))
    return made


def _two(value: float | None) -> str:
    """Two places, without the 0 before the point."""
    return "-" if value is None else f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(heads)
    return "\n".join(["| " + " | ".join(heads) + " |", rule, *("| " + " | ".join(line) + " |" for line in lines)])


if __name__ == "__main__":
    sys.exit(main())
