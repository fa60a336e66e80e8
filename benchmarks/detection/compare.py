"""Whether a quick run has fallen behind the committed figures of the same run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.detection.intervals import monthly

SMALL = 0.02
"""Less than this is never called behind: figures are rounded, and a case more or less is one."""


def behind(committed: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is worse than committed by more than the committed figure's own interval; a sentence each.

    Args:
        committed: of `quick_figures`, as they were written down.
        now: likewise, of this run.
    """
    told = []
    for name, before in committed["recall"].items():
        found = now["recall"].get(name)
        if before["share"] is None:
            continue
        if found is None or found["share"] is None or found["share"] < before["low"] - SMALL:
            what = "not measured" if found is None else found["share"]
            told.append(f"recall, {name}: {what}, committed {before['share']} (at least {before['low']})")
    before, found = committed["false_alerts"], now["false_alerts"]
    allowed = monthly(before["alerts"], before["days"])["upper"]
    if found["a_month"] is None or found["a_month"] > allowed:
        told.append(f"false alerts a table-month: {found['a_month']}, committed {before['a_month']} (up to {allowed})")
    return told
