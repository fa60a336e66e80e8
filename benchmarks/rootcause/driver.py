"""Runs one other tool on the cases of a folder, in the tool's own environment: `driver.py TOOL FOLDER LIMIT`.

Each case is a CSV file of coded columns (`c0`, `c1`, ...: values, bins and NULLs alike for all tools) with `bad`.
Prints one JSON object a case: the conditions of the best segment as pairs of column and code, and CPU seconds. A case
that takes more than LIMIT of them is given up, and told as such.
"""

import json
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd


def pysubgroup(frame: pd.DataFrame, bad: np.ndarray) -> list[list[int]]:
    """The subgroup of up to three conditions with the highest weighted relative accuracy, by beam search."""
    import pysubgroup as ps

    data = frame.astype(str).astype(object).assign(bad=bad)  # codes are names: numbers would be cut into ranges
    target = ps.BinaryTarget("bad", True)
    task = ps.SubgroupDiscoveryTask(
        data, target, ps.create_nominal_selectors(data, ignore=["bad"]), result_set_size=5, depth=3, qf=ps.WRAccQF()
    )
    found = ps.BeamSearch(beam_width=20).execute(task).to_descriptions()
    if not found:
        return []
    return [[int(s.attribute_name[1:]), int(s.attribute_value)] for s in found[0][1].selectors]


def sliceline(frame: pd.DataFrame, bad: np.ndarray) -> list[list[int]]:
    """The slice of up to three conditions with the highest score, at the package's own settings."""
    from sliceline.slicefinder import Slicefinder

    finder = Slicefinder(alpha=0.95, k=1, max_l=3, min_sup=20, verbose=False)
    finder.fit(frame.to_numpy() + 1, bad.astype(float))
    if not len(finder.top_slices_):
        return []
    return [[place, int(code) - 1] for place, code in enumerate(finder.top_slices_[0]) if code is not None]


def give_up(*_: object) -> None:
    """End a case that takes too long."""
    raise TimeoutError("took longer than the limit")


def main() -> None:
    """Run the tool on all cases of the folder."""
    warnings.simplefilter("ignore")
    limit_s = float(sys.argv[3])
    signal.signal(signal.SIGPROF, give_up)
    tool = {"pysubgroup": pysubgroup, "sliceline": sliceline}[sys.argv[1]]
    for path in sorted(Path(sys.argv[2]).glob("*.csv")):
        frame = pd.read_csv(path)
        bad = frame.pop("bad").to_numpy(bool)
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        try:
            found, error = tool(frame, bad), None
        except Exception as caught:  # noqa: BLE001 - what another tool raises is its result
            found, error = [], f"{type(caught).__name__}: {caught}"[:200]
        signal.setitimer(signal.ITIMER_PROF, 0)
        told = {"case": path.stem, "found": found, "seconds": time.process_time() - started, "error": error}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
