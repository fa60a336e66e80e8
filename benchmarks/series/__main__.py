"""`python -m benchmarks.series`: one-step forecasts of daily series, daywatch beside what others use.

make series-peers                     # the peers' environment, once
python -m benchmarks.series           # everything; the peers answer a sample, half an hour
python -m benchmarks.series --only    # daywatch and the simple bands alone; two minutes
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.series import cases, nab, score, sets, speed
from benchmarks.series.cases import Block
from benchmarks.series.methods import LEVELS, METHODS

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
PEERS = HERE.parents[1] / ".venv-peers" / "series" / "bin" / "python"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nab", type=Path, help="folder with NAB's real series as CSV and combined_windows.json")
    parser.add_argument("--only", action="store_true", help="without the peers; nothing is written")
    parser.add_argument("--answers", type=Path, help="where the peers' answers are kept, and read if they are there")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = list(cases.blocks([*sets.load(), *(nab.load(given.nab) if given.nab else [])]))
    rows, spent = _answer(chosen)
    frame = pd.DataFrame(rows)
    if not given.only:
        answers = _ask_peers(chosen, given.answers)
        frame = pd.concat([frame, _rows_of_peers(chosen, answers)], ignore_index=True)
        spent |= {str(k): round(float(v), 2) for k, v in answers.groupby("method")["ms"].mean().items()}
    figures = summarise(frame, spent)
    figures["ms a point"] = speed.measure()
    print_table(figures)
    if not given.only:
        from benchmarks.series import picture

        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "series.json").write_text(json.dumps(figures, separators=(",", ":")) + "\n")
        picture.draw(figures, RESULTS / "series.png")
    return 0


def _answer(chosen: Sequence[Block]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    rows: list[dict[str, Any]] = []
    spent: dict[str, float] = {}
    for name, method in METHODS.items():
        asked, started = 0, 0.0
        for block in chosen:
            if len(block.asked):
                begun = time.process_time()
                bounds = method(block)
                started += time.process_time() - begun
                asked += len(block.asked)
                rows += score.rows_of(block, name, bounds)
        spent[name] = round(1e3 * started / asked, 3)
    return rows, spent


def _ask_peers(chosen: Sequence[Block], kept: Path | None) -> pd.DataFrame:
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.parquet"
        answers = kept or Path(folder) / "answers.parquet"
        cases.write_questions(chosen, questions)
        subprocess.run([PEERS, HERE / "peers.py", questions, answers], check=True)
        return pd.read_parquet(answers)


def _rows_of_peers(chosen: Sequence[Block], answers: pd.DataFrame) -> pd.DataFrame:
    place = {block.key(int(j)): (block, int(j)) for block in chosen for j in block.asked}
    spreads = {id(block.of): block.of.spread for block in chosen}
    rows: list[dict[str, Any]] = []
    for answer in answers.to_dict("records"):
        block, j = place[answer["id"]]
        low, high = (np.array([answer[f"{side} {level}"] for level in LEVELS]) for side in ("low", "high"))
        rows += score.row_of(block, j, answer["method"], low, high, float(spreads[id(block.of)][j]))
    return pd.DataFrame(rows)


def summarise(frame: pd.DataFrame, spent: dict[str, float]) -> dict[str, Any]:
    """All figures by group of series: real ones, the synthetic set, NAB."""
    figures: dict[str, Any] = {"ms a forecast": spent}
    for group, part in frame.groupby("group"):
        calm = part[part["calm"]]
        figures[str(group)] = {
            "methods": {
                str(name): {
                    **score.by(rows, score.summary, "history", "kind", "set"),
                    "stationary": score.by(calm[calm["method"] == name], score.summary, "history"),
                }
                for name, rows in part.groupby("method")
            },
            "duels": score.duels(part),
        }
    return figures


def print_table(figures: dict[str, Any]) -> None:
    """Coverage at 99% and Winkler score, then the duels."""
    print(figures["ms a point"])
    for group in (g for g in figures if not g.startswith("ms ")):
        print(f"\n{group}")
        for name, found in figures[group]["methods"].items():
            told, calm = found["all"], found["stationary"]["all"]
            shares = " ".join(f"{told[f'coverage {level}']['share']:.3f}" for level in LEVELS)
            still = calm["coverage 0.99"]
            lengths = " ".join(f"{h}:{found['history'][str(h)]['winkler']['mean']:.1f}"
                               for h in cases.HISTORIES if str(h) in found["history"])  # fmt: skip
            print(
                f"  {name:14} {told['forecasts']:6} coverage {shares}; stationary {still['share']:.4f} "
                f"({still['low']:.4f}-{still['high']:.4f}); Winkler {told['winkler']['mean']:6.2f}; {lengths}"
            )
        for name, duel in figures[group]["duels"].items():
            told = duel["all"]
            lengths = " ".join(f"{h}:{duel['history'][str(h)]['behind by']['mean']:+.1f}"
                               for h in cases.HISTORIES if str(h) in duel["history"])  # fmt: skip
            print(f"  v {name:14} {told['forecasts']:6} {told['winkler']:6.2f} v {told['daywatch']:6.2f}; {lengths}")


if __name__ == "__main__":
    sys.exit(main())
