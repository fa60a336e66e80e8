"""Which column's values decide whether a row comes more than once: where a join found several partners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.frames import row_hashes

ROWS_MIN = 3
"""Different rows that a value must have to show that all of them are repeated, or none."""
DECIDED_MIN = 0.9
"""Part of the repeated rows, and of the rows of their values, that must agree."""
COVERED_MIN = 0.5
"""Part of the repeated rows that have such values."""


def deciding_column(rows: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """The column of which some values' rows are all repeated and the others' are not; None where none decides.

    Args:
        rows: of one day.
        columns: to look at, in the order in which they are preferred.

    >>> rows = pd.DataFrame({"kind": ["a"] * 4 + ["b"] * 6, "number": range(10)})
    >>> deciding_column(pd.concat([rows, rows[rows.kind == "a"]]), ["number", "kind"])
    'kind'
    """
    _, first, counts = np.unique(row_hashes(rows), return_index=True, return_counts=True)
    repeated = counts > 1
    if not repeated.any() or repeated.all():
        return None
    single = rows.iloc[first]
    told = {name: _decided(pd.factorize(single[name])[0], repeated) for name in columns if name in rows.columns}
    best = max(told, key=lambda name: told[name], default=None)
    return best if best is not None and told[best] >= DECIDED_MIN else None


def _decided(codes: npt.NDArray[np.int64], repeated: npt.NDArray[np.bool_]) -> float:
    """How well single values tell repeated rows from the others, as F1; 0 where too few rows have such values."""
    known = codes >= 0
    if not known.any():
        return 0.0
    total = np.bincount(codes[known])
    hit = np.bincount(codes[known], weights=repeated[known])
    whole = (total >= ROWS_MIN) & (hit >= DECIDED_MIN * total)
    covered = float(hit[whole].sum())
    if not whole.any() or whole.sum() == len(total) or covered < COVERED_MIN * repeated.sum():
        return 0.0
    precision, recall = covered / float(total[whole].sum()), covered / float(repeated.sum())
    return 2 * precision * recall / (precision + recall)
