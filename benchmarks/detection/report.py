"""Figures of a run: recall, false alerts, ranking power, columns and kinds named, with intervals over days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
DRAWS = 500


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """All figures of these rows; shares with [low, high] of a 95% bootstrap over (table, day)."""
    clean = [r for r in rows if r["fault"] is None]
    # a day that alerts by itself cannot show whether its fault was found
    faulted = [r for r in rows if r["fault"] is not None and not r["noisy"]]
    found = [r for r in faulted if r["found"]]
    named = [r for r in found if r["truth"]]
    large = [r for r in faulted if r["hit"] >= 100]
    return {
        "clean_days": len(clean),
        "clean_days_alerted": sum(r["found"] for r in clean),
        "cases": len(faulted),
        "auc_paired": _auc(faulted),
        "recall": {str(s): share_of([r for r in faulted if r["share"] == s], _found) for s in _shares(faulted)},
        "recall_100_rows": {str(s): share_of([r for r in large if r["share"] == s], _found) for s in _shares(large)},
        "column_first": share_of(named, lambda r: r["named"][:1] != [] and r["named"][0] in r["truth"]),
        "column_in_three": share_of(named, lambda r: bool(set(r["named"]) & set(r["truth"]))),
        "kind_said": share_of(found, lambda r: r["said"] == r["change"]),
        "cpu_s_table_day": round(float(np.mean([r["cpu_s"] for r in rows])), 3) if rows else None,
        "by_fault": {
            f: _by_fault([r for r in faulted if r["fault"] == f]) for f in sorted({r["fault"] for r in faulted})
        },
    }


def _found(row: Row) -> bool:
    return bool(row["found"])


def _shares(rows: Sequence[Row]) -> list[float]:
    return sorted({r["share"] for r in rows})


def _by_fault(rows: Sequence[Row]) -> dict[str, Any]:
    return {"cases": len(rows), "found": sum(r["found"] for r in rows)}


def _auc(rows: Sequence[Row]) -> float | None:
    """How often a faulted day looks worse than its own clean self; ties count half."""
    if not rows:
        return None
    return round(float(np.mean([(r["margin"] > r["clean"]) + 0.5 * (r["margin"] == r["clean"]) for r in rows])), 3)


def share_of(rows: Sequence[Row], of: Callable[[Row], bool]) -> dict[str, Any]:
    """The share of rows for which `of` holds, with [low, high] of a 95% bootstrap over (table, day)."""
    if not rows:
        return {"n": 0, "share": None, "low": None, "high": None}
    days: dict[tuple[str, str], list[bool]] = {}
    for row in rows:
        days.setdefault((row["table"], row["day"]), []).append(of(row))
    groups = list(days.values())
    random = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        picked = [hit for i in random.integers(0, len(groups), len(groups)) for hit in groups[i]]
        draws.append(np.mean(picked))
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "n": len(rows),
        "share": round(float(np.mean([of(r) for r in rows])), 3),
        "low": round(float(low), 3),
        "high": round(float(high), 3),
    }
