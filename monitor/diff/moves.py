"""How values moved, from a sample of changed rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from monitor.diff.model import frame_of, kind_of
from monitor.diff.pairs import Pair
from monitor.diff.result import Difference, Move
from monitor.nested import CELLS_MIN, differing, name_of
from monitor.privacy.redact import Gate
from monitor.types import ColumnKind
from monitor.warehouses.canonical import Form

COLUMNS_MAX = 20
PAIRS_TOLD = 3
PATHS_TOLD = 10
CELLS_MAX = 1_000
"""Changed cells that are looked into."""


def moves_of(pairs: tuple[Pair, ...], found: Difference, gate: Gate) -> tuple[Move, ...]:
    """For each column that changed: direction, size, and the commonest changes that enough rows share."""
    rows = found.rows
    if rows is None:
        return ()
    changed = rows[rows["status"] == "changed"]
    told: list[Move] = []
    for pair in pairs:
        if pair.name not in found.columns or len(told) == COLUMNS_MAX:
            continue
        before, after = changed[f"a:{pair.name}"], changed[f"b:{pair.name}"]
        apart = np.asarray((before.to_numpy() != after.to_numpy()) & ~(before.isna() & after.isna()).to_numpy())
        if apart.any():
            told.append(_move(pair, before[apart], after[apart], gate))
    ranked = {name: place for place, name in enumerate(found.columns)}
    return tuple(sorted(told, key=lambda move: ranked[move.column]))


def _move(pair: Pair, before: pd.Series, after: pd.Series, gate: Gate) -> Move:
    n = len(before)
    to_null, from_null = float(after.isna().sum()) / n, float(before.isna().sum()) / n
    up, down, median = _direction(pair, before, after)
    common = Counter(zip(before, after, strict=True)).most_common(PAIRS_TOLD)
    pairs = tuple(
        (gate.value(pair.name, old, rows), gate.value(pair.name, new, rows), rows)
        for (old, new), rows in common
        if rows > 1 and gate.passes(rows)
    )
    return Move(pair.name, n, up, down, to_null, from_null, median, pairs, _paths(pair, before, after))


def _paths(pair: Pair, before: pd.Series, after: pd.Series) -> tuple[tuple[str, int], ...]:
    """The paths inside of JSON that changed, each with its rows; keys that few rows share may be data: left out."""
    if pair.form not in (Form.JSON, Form.TEXT, Form.OTHER):
        return ()
    cells = list(zip(before, after, strict=True))[:CELLS_MAX]
    both = [(a, b) for a, b in cells if all(isinstance(c, str) and c[:1] in "{[" for c in (a, b))]
    counted = Counter(steps for a, b in both for steps in differing(a, b))
    least = min(CELLS_MIN, max(len(both) / 5, 1))
    return tuple((name_of(pair.name, steps), n) for steps, n in counted.most_common(PATHS_TOLD) if n >= least)


def _direction(pair: Pair, before: pd.Series, after: pd.Series) -> tuple[float | None, float | None, float | None]:
    kind = kind_of(pair)
    if kind not in {ColumnKind.NUMBER, ColumnKind.TIMESTAMP}:
        return None, None, None
    old, new = (frame_of({pair.name: side.reset_index(drop=True)}, [pair])[pair.name] for side in (before, after))
    apart = (new - old).dropna()
    if kind is ColumnKind.TIMESTAMP:
        apart = apart.dt.total_seconds()
    finite = apart.to_numpy(dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    median = float(np.median(finite)) if len(finite) else None
    return float((apart > 0).sum()) / len(before), float((apart < 0).sum()) / len(before), median
