"""`python -m benchmarks.rootcause [--cases N] [--peers N] [INCIDENTS]`: segments planted, chance, incidents, speed.

INCIDENTS is the folder of real incidents (see `incidents.py`); without it they are left out, as are other tools
without their environment (`make rootcause-peers`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.rootcause import peers
from benchmarks.rootcause.incidents import Incident, incidents
from benchmarks.rootcause.planted import CASES, TABLES, Mask, cases, rows_of
from checks.rootcause import find_moves, find_segments
from checks.rootcause.apply import mask_of
from monitor.types import Column, ColumnKind

RESULTS = Path(__file__).parents[1] / "results" / "rootcause.json"
GOOD = 0.8
CHANCE_SHARES = (0.005, 0.05, 0.3)
CHANCE_RUNS = 14
PRIOR_ROWS = 20.0
"""Rows at the whole's rate by which a leaf's usual rate is steadied."""
ROWS_MAX = 10_000


def row_f1(found: Mask, true: Mask) -> float:
    """F1 between two sets of rows."""
    both = int(found.sum() + true.sum())
    return 2.0 * int((found & true).sum()) / both if both else 0.0


def planted(most: int, of_peers: int) -> dict[str, Any]:
    """F1 between found and planted rows, by number of conditions and by share of bad rows; other tools on some."""
    scores: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, Any] = {}
    seconds: list[float] = []
    mine: dict[str, float] = {}
    seen: set[tuple[str, int]] = set()
    for number, case in enumerate(cases(most=most)):
        started = time.process_time()
        found = find_segments(case.frame, case.columns, case.bad)
        seconds.append(time.process_time() - started)
        f1 = row_f1(mask_of(case.frame, found[0].conditions), case.inside) if found else 0.0
        length, share, noise = f"{case.conditions} conditions", f"{case.share:.0%} bad", f"{case.noise:.1%} noise"
        for key in (length, share, noise, f"{length}, {share}, {noise}", case.table, "all"):
            scores[key].append(f1)
        first = (case.table, case.conditions) not in seen
        seen.add((case.table, case.conditions))
        if first and (TABLES.index(case.table) + case.conditions) % len(TABLES) < of_peers:
            asked[str(number)] = (case.frame, case.bad, case.inside)
            mine[str(number)] = f1
    told: dict[str, Any] = {key: _summary(values) for key, values in scores.items()}
    told["seconds a case"] = round(float(np.mean(seconds)), 3)
    if of_peers and peers.PYTHON.exists():
        same = {**_summary(list(mine.values())), "seconds a case": told["seconds a case"]}
        told["same cases"] = {"daywatch": same, "limit of other tools, seconds": peers.LIMIT_S}
        for tool in peers.TOOLS:
            answers = peers.run(tool, {name: (frame, bad) for name, (frame, bad, _) in asked.items()})
            told["same cases"][tool] = _told(answers, [row_f1(answers[n]["mask"], asked[n][2]) for n in answers])
    return told


def _summary(values: list[float]) -> dict[str, Any]:
    return {
        "cases": len(values),
        "F1": round(float(np.mean(values)), 3),
        "at least 0.8": round(float(np.mean(np.array(values) >= GOOD)), 3),
    }


def _told(answers: dict[str, dict[str, Any]], scores: list[float]) -> dict[str, Any]:
    seconds = round(float(np.mean([a["seconds"] for a in answers.values()])), 3)
    late = sum(str(a["error"]).startswith("TimeoutError") for a in answers.values())
    errors = sum(a["error"] is not None for a in answers.values()) - late
    return {**_summary(scores), "seconds a case": seconds, "given up": late, "errors": errors}


def chance() -> dict[str, Any]:
    """Random bad rows: in how many runs a segment is named."""
    named, runs = 0, 0
    for name in TABLES:
        frame, columns = rows_of(name)
        for share in CHANCE_SHARES:
            for seed in range(CHANCE_RUNS):
                bad = np.random.default_rng([seed, int(1000 * share)]).random(len(frame)) < share
                named += bool(find_segments(frame, columns, bad))
                runs += 1
    return {"runs": runs, "named a segment": named}


def real(folder: Path) -> dict[str, Any]:
    """Real incidents: causes found exactly, and the rows of the first segment beside those of the nearest cause.

    Other tools are given rows drawn from the incident's minute, and so is the search for bad rows.
    """
    every = list(incidents(folder))
    drawn: dict[str, Any] = {}
    moves = _Answers()
    rows_alone = _Answers()
    for place, incident in enumerate(every):
        leaves, came, expected, rows = _leaves(incident)
        columns = [Column(a, ColumnKind.OTHER, "text") for a in incident.attributes]
        name = f"{place:03d}"
        drawn[name] = _rows(leaves, came, rows)
        found, seconds = _timed(find_moves, leaves, columns, came, expected, rows)
        moves.add(incident, drawn[name][0], [_named(s.conditions) for s in found], seconds)
        found, seconds = _timed(find_segments, drawn[name][0], columns, drawn[name][1])
        rows_alone.add(incident, drawn[name][0], [_named(s.conditions) for s in found[:1]], seconds)
    told: dict[str, Any] = {"incidents": len(every), "daywatch": moves.told(), "daywatch, of rows": rows_alone.told()}
    if peers.PYTHON.exists():
        for tool in peers.TOOLS:
            theirs, answers = _Answers(), peers.run(tool, drawn)
            for name, answer in answers.items():
                frame = drawn[name][0]
                theirs.add(every[int(name)], frame, _causes(frame, answer["found"]), answer["seconds"])
            told[tool] = {**theirs.told(), "given up": sum(a["error"] is not None for a in answers.values())}
            print(tool, told[tool], file=sys.stderr, flush=True)
    return told


Named = frozenset[tuple[str, str]]
"""A segment as columns and their values."""


class _Answers:
    """One tool's answers to all incidents."""

    def __init__(self) -> None:
        self.pairs: list[tuple[set[Named], frozenset[Named]]] = []
        self.scores: list[float] = []
        self.seconds: list[float] = []

    def add(self, incident: Incident, frame: pd.DataFrame, named: Sequence[Named], seconds: float) -> None:
        """One incident's answer: its segments, the first one first."""
        masks = [_inside(frame, cause) for cause in incident.causes]
        first = _inside(frame, named[0]) if named else np.zeros(len(frame), dtype=bool)
        self.pairs.append((set(named), incident.causes))
        self.scores.append(max(row_f1(first, mask) for mask in masks))
        self.seconds.append(seconds)

    def told(self) -> dict[str, Any]:
        """Causes named exactly, F1 between rows, and seconds."""
        return {**_exact(self.pairs), "rows": _summary(self.scores), "seconds": round(float(np.mean(self.seconds)), 4)}


def _timed(search: Any, *given: Any) -> tuple[Any, float]:
    started = time.process_time()
    return search(*given), time.process_time() - started


def _named(conditions: Sequence[Any]) -> Named:
    return frozenset((c.column, str(c.value)) for c in conditions)


def _inside(frame: pd.DataFrame, named: Named) -> Mask:
    found = np.ones(len(frame), dtype=bool)
    for column, value in named:
        found &= (frame[column].astype(str) == value).to_numpy() if column in frame else False
    return found


def _leaves(incident: Incident) -> tuple[pd.DataFrame, Any, Any, Any]:
    """Leaves now, what came, what was expected, and their rows."""
    names = list(incident.attributes)
    before = incident.before.groupby(names, as_index=False)[["value", "cnt"]].sum()
    now = incident.now.groupby(names, as_index=False)[["value", "cnt"]].sum()
    both = now.merge(before, on=names, how="left", suffixes=("", "_before")).fillna(0)
    usual = before["value"].sum() / max(before["cnt"].sum(), 1)
    rate = (both["value_before"] + PRIOR_ROWS * usual) / (both["cnt_before"] + PRIOR_ROWS)
    leaves = both[names].astype("category")
    return leaves, both["value"].to_numpy(float), (both["cnt"] * rate).to_numpy(), both["cnt"].to_numpy(float)


def _rows(leaves: pd.DataFrame, came: Any, rows: Any) -> tuple[pd.DataFrame, Mask]:
    """Single rows of the incident's minute: each leaf's, with as many bad ones as it has, ten thousand at most."""
    part = min(1.0, ROWS_MAX / rows.sum())
    bad, good = np.rint(part * came).astype(int), np.rint(part * (rows - came)).clip(0).astype(int)
    places = np.concatenate([np.repeat(np.arange(len(leaves)), bad), np.repeat(np.arange(len(leaves)), good)])
    return leaves.iloc[places].reset_index(drop=True), np.arange(len(places)) < bad.sum()


def _causes(frame: pd.DataFrame, found: list[list[int]]) -> list[Named]:
    """A tool's answer in the words of the labels."""
    codes = peers.coded(frame)
    told = set()
    for place, code in found:
        row = int(np.argmax((codes[f"c{place}"] == code).to_numpy()))
        told.add((str(frame.columns[place]), str(frame.iloc[row, place])))
    return [frozenset(told)] if told else []


def _exact(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    true = sum(len(named & causes) for named, causes in pairs)
    wrong = sum(len(named - causes) for named, causes in pairs)
    missed = sum(len(causes - named) for named, causes in pairs)
    return {"right": true, "wrong": wrong, "missed": missed, "F1": round(2 * true / (2 * true + wrong + missed), 3)}


def speed() -> dict[str, Any]:
    """20,000 rows x 200 columns x 200 values, a segment of two conditions planted; CPU seconds."""
    random = np.random.default_rng(0)
    labels = [f"v{i}" for i in range(200)]
    codes = np.minimum((random.pareto(1.0, (20_000, 200)) * 4).astype(int), 199)
    frame = pd.DataFrame({f"c{i}": pd.Categorical.from_codes(codes[:, i], labels) for i in range(200)})
    columns = [Column(name, ColumnKind.TEXT, "text") for name in frame.columns]
    inside = (frame["c0"] == "v0").to_numpy() & (frame["c3"] == "v1").to_numpy()
    bad = np.where(inside, random.random(20_000) < 0.7, random.random(20_000) < 0.02)
    started = time.process_time()
    found = find_segments(frame, columns, bad)
    seconds = time.process_time() - started
    return {"seconds": round(seconds, 2), "F1": round(row_f1(mask_of(frame, found[0].conditions), inside), 3)}


def main() -> int:
    """Run all that there is data and tools for; the figures are written down after each chapter."""
    parser = argparse.ArgumentParser(prog="benchmarks.rootcause")
    parser.add_argument("incidents", nargs="?", type=Path)
    parser.add_argument("--cases", type=int, default=CASES, help="planted segments of each table and length")
    parser.add_argument("--peers", type=int, default=2, help="tables of which other tools get one of each length")
    parser.add_argument("--chapter", action="append", help="only this one; the others' figures stay")
    chosen = parser.parse_args()
    chapters: dict[str, Callable[[], dict[str, Any]]] = {"speed": speed, "chance": chance}
    if chosen.incidents is not None and (chosen.incidents / "anomaly.yaml").exists():
        chapters["incidents"] = lambda: real(chosen.incidents)
    chapters["planted"] = lambda: planted(chosen.cases, chosen.peers)
    figures: dict[str, Any] = json.loads(RESULTS.read_text()) if chosen.chapter and RESULTS.exists() else {}
    for name, chapter in chapters.items():
        if chosen.chapter and name not in chosen.chapter:
            continue
        figures[name] = chapter()
        print(name, figures[name], file=sys.stderr, flush=True)
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
