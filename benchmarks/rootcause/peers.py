"""Other tools on the same cases: columns coded alike for all, rows counted alike."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]
PYTHON = Path(__file__).parents[2] / ".venv-peers" / "rootcause" / "bin" / "python"
TOOLS = ("pysubgroup", "sliceline")
VALUES_MAX, BINS = 30, 10
LIMIT_S = 10.0
"""CPU seconds after which a case is given up: daywatch needs less than one."""


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns as codes: the 30 most frequent values, tenths of numbers, hours of times; 0 is NULL, 1 all others."""
    made = {}
    for place, name in enumerate(frame.columns):
        values = frame[name]
        if values.dtype.kind == "M":
            values = values.dt.hour
        if values.dtype.kind in "fi" and values.nunique() > VALUES_MAX:
            values = pd.qcut(values, BINS, labels=False, duplicates="drop")
        often = values.value_counts().index[:VALUES_MAX]
        codes = values.astype(object).map({value: code for code, value in enumerate(often, 2)}).fillna(1)
        made[f"c{place}"] = np.where(values.isna(), 0, codes).astype(np.int64)
    return pd.DataFrame(made)


def run(tool: str, cases: Mapping[str, tuple[pd.DataFrame, Mask]]) -> dict[str, dict[str, Any]]:
    """By case the mask of the tool's best segment, its conditions as (place of column, code), CPU seconds, error."""
    with tempfile.TemporaryDirectory() as folder:
        frames = {}
        for name, (frame, bad) in cases.items():
            frames[name] = coded(frame)
            frames[name].assign(bad=bad).to_csv(Path(folder) / f"{name}.csv", index=False)
        command = [str(PYTHON), str(Path(__file__).parent / "driver.py"), tool, folder, str(LIMIT_S)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    told: dict[str, dict[str, Any]] = {answer["case"]: answer for answer in answers}
    for name, answer in told.items():
        mask = np.full(len(frames[name]), bool(answer["found"]))
        for place, code in answer["found"]:
            mask &= (frames[name][f"c{place}"] == code).to_numpy()
        answer["mask"] = mask
    return told
