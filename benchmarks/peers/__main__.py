"""`python -m benchmarks.peers`: other tools on the same faulted and untouched days as daywatch.

Answers are kept in `benchmarks/peers/made`, so a run that was stopped goes on where it was. Without `--peer` and
`--table` the figures are written to `benchmarks/results/peers.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.detection import tables
from benchmarks.peers import own, registry, report, session
from benchmarks.peers.work import MADE, PAST_DAYS, Work, prepare

RESULTS = Path(__file__).parents[1] / "results" / "peers.json"


def main() -> int:
    given = _arguments()
    warnings.simplefilter("ignore")
    tables.prepare()
    chosen = [entry for entry in tables.TABLES if not given.table or entry.name in given.table]
    peers = [peer for peer in registry.PEERS if not given.peer or peer.name in given.peer]
    works = [prepare(entry, given.days, given.keep, given.clean) for entry in chosen]
    figures: dict[str, Any] = {}
    if not given.peer or own.NAME in given.peer:
        rows = [row for entry in chosen for row in own.judge_table(entry, given.days, given.keep, given.clean)]
        figures[own.NAME] = {registry.DEFAULT: _by_table(rows)}
        _print(own.NAME, figures[own.NAME])
    for peer in peers:
        figures[peer.name] = judge_peer(peer, works)
        _print(peer.name, figures[peer.name])
    path = given.out or (None if given.peer or given.table else RESULTS)
    if path:
        run = {"days": given.days, "keep": given.keep, "clean": given.clean, "learnt_days": PAST_DAYS}
        path.write_text(json.dumps({**run, "figures": figures}, indent=1) + "\n")
    for table in ("all", *(entry.name for entry in chosen)):
        print(f"\n{table}\n\n{report.markdown(figures, table)}")
    print(f"\nAUC, recall at the equal level\n\n{report.by_table(figures, [entry.name for entry in chosen])}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [own.NAME, *(peer.name for peer in registry.PEERS)]
    parser.add_argument("--peer", action="append", choices=names, help="only this peer; may be repeated")
    parser.add_argument("--table", action="append", help="only this table; may be repeated")
    parser.add_argument("--days", type=int, default=2, help="days with faults of each table")
    parser.add_argument("--keep", type=float, default=0.1, help="part of all (fault, share) pairs tried a day")
    parser.add_argument("--clean", type=int, default=10, help="further untouched days of each table")
    parser.add_argument("--out", type=Path, help="write the figures here")
    return parser.parse_args()


def judge_peer(peer: registry.Entry, works: Sequence[Work]) -> dict[str, Any]:
    """Figures by setting and table: every setting on the tables for tuning, on the others the default and the best.

    `best` names the setting chosen on the tables for tuning, or is None where there was nothing to choose on.
    """
    rows: dict[str, list[report.Row]] = {}
    for setting in (registry.DEFAULT, *peer.settings):
        rows[setting] = [row for work in works if work.entry.tuned for row in _ask(peer, setting, work)]
    tuned = {name: report.summarise(found) for name, found in rows.items() if found}
    best = report.best(tuned) if tuned else None
    for setting in dict.fromkeys((registry.DEFAULT, best or registry.DEFAULT)):
        rows[setting] += [row for work in works if not work.entry.tuned for row in _ask(peer, setting, work)]
    return {"best": best, **{name: _by_table(found) for name, found in rows.items() if found}}


def _ask(peer: registry.Entry, setting: str, work: Work) -> list[report.Row]:
    kept = MADE / "answers" / work.entry.name / f"{peer.name}.jsonl"
    return report.rows_of(work, session.ask(peer, setting, list(work.requests.values()), kept))


def _by_table(rows: Sequence[report.Row]) -> dict[str, Any]:
    names = list(dict.fromkeys(row["table"] for row in rows))
    told = {name: report.summarise([row for row in rows if row["table"] == name]) for name in names}
    return {"all": report.summarise(rows), **told}


def _print(name: str, settings: dict[str, Any]) -> None:
    for setting, by_table in settings.items():
        if not isinstance(by_table, dict):
            continue
        star = "*" if setting == settings.get("best") else ""
        for table, found in by_table.items():
            kinds = "  ".join(
                f"{kind} {found[kind]['clean_days_alerted']}/{found['clean_days']} {found[kind]['recall']['share']}"
                for kind in ("own_alarm", "equal_level", "learnt")
            )
            print(
                f"{name} {setting}{star}, {table}: AUC {found['auc']} learnt {found['auc_learnt']}; clean alerted and "
                f"recall: {kinds}; own alarm on {found['learnt_days_alerted']}/{found['learnt_days']} past days; "
                f"{found['cpu_s_table_day']} CPU s, {found['memory_mb']} MB, {found['failed']} failed"
            )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
