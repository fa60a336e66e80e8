"""Figures of the main chapter: recall beside the oracle's, ranking power, columns, kinds and segments named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.detection.intervals import Row, ratio_of, share_of

__all__ = ["found_of", "recalls", "share_of", "summarise"]
LARGE_ROWS = 100


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """All figures of these rows; shares with [low, high] of a 95% bootstrap over the days of the tables."""
    clean = [r for r in rows if r["fault"] is None]
    # a day that alerts by itself cannot show whether its fault was found
    faulted = [r for r in rows if r["fault"] is not None and not r["noisy"]]
    found = [r for r in faulted if r["found"]]
    named = [r for r in found if r["truth"]]
    parted = [r for r in found if r["segment"] is not None]
    followed = [r for r in found if "outlived" in r]
    return {
        "clean_days": len(clean),
        "clean_days_alerted": sum(r["found"] for r in clean),
        "cases": len(faulted),
        "auc_paired": share_of(faulted, _ahead),
        "auc_paired_100_rows": share_of([r for r in faulted if r["hit"] >= LARGE_ROWS], _ahead),
        **recalls("", faulted),
        **recalls("_100_rows", [r for r in faulted if r["hit"] >= LARGE_ROWS]),
        **recalls("_below_100_rows", [r for r in faulted if r["hit"] < LARGE_ROWS]),
        "recall_all": found_of(faulted),
        "of_oracle_all": ratio_of(faulted, _found, _oracle),
        "column_first": share_of(named, lambda r: r["named"][:1] != [] and r["named"][0] in r["truth"]),
        "column_in_three": share_of(named, lambda r: bool(set(r["named"]) & set(r["truth"]))),
        "kind_said": share_of(found, lambda r: r["said"] == r["change"]),
        "segment_first": share_of(parted, lambda r: r["segment"] == 1),
        "segment_told": share_of(parted, lambda r: r["segment"] > 0),
        "further_incidents": sum(r["further"] for r in found),
        "outlived_its_day": share_of(followed, lambda r: r["outlived"]),
        "alerted_the_day_after": share_of(followed, lambda r: r["alerted_after"] > 0),
        "cpu_s_table_day": round(float(np.mean([r["cpu_s"] for r in rows])), 3) if rows else None,
        "by_fault": {
            f: _by_fault([r for r in faulted if r["fault"] == f]) for f in sorted({r["fault"] for r in faulted})
        },
    }


def recalls(suffix: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Recall, the oracle's, and the one as a part of the other, by share."""
    by_share = {str(s): [r for r in rows if r["share"] == s] for s in sorted({r["share"] for r in rows})}
    return {
        f"recall{suffix}": {s: share_of(found, _found) for s, found in by_share.items()},
        f"oracle{suffix}": {s: share_of(found, _oracle) for s, found in by_share.items()},
        f"of_oracle{suffix}": {s: ratio_of(found, _found, _oracle) for s, found in by_share.items()},
    }


def found_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The share of these faults that were found."""
    return share_of(rows, _found)


def _found(row: Row) -> float:
    return float(row["found"])


def _oracle(row: Row) -> float:
    return float(row["oracle"])


def _ahead(row: Row) -> float:
    """Whether a faulted day surprises more than its own clean self, all checks together; a tie is half of it."""
    here, clean = row["surprise"], row["clean_surprise"]
    return float(here > clean) + 0.5 * float(here == clean)


def _by_fault(rows: Sequence[Row]) -> dict[str, Any]:
    oracle = round(float(np.mean([r["oracle"] for r in rows])), 3) if rows else None
    return {"cases": len(rows), "found": sum(bool(r["found"]) for r in rows), "oracle": oracle}
