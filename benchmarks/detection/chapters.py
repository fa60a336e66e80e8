"""Figures of the chapters beside the main one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.detection.intervals import Row, monthly, share_of
from benchmarks.detection.slow_drift import DAYS_MAX


def summarise(rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """Every chapter that has rows, by its name."""
    told = {
        "clean_days": clean_days,
        "cold_start": cold_start,
        "slow_drift": slow_drift,
        "real_faults": real_faults,
        "true_events": true_events,
        "second_fault": second_fault,
    }
    return {name: summary(rows[name]) for name, summary in told.items() if rows.get(name)}


def clean_days(rows: Sequence[Row]) -> dict[str, Any]:
    """False alerts a table-month: all tables, those tuned on and held out apart, each table, and the worst of them."""
    counted = [row for row in rows if not row["known"]]
    tables = dict.fromkeys(row["table"] for row in counted)
    by_table = {name: _rate([row for row in counted if row["table"] == name]) for name in tables}
    return {
        "all": _rate(counted),
        "tuned": _rate([row for row in counted if row["tuned"]]),
        "held_out": _rate([row for row in counted if not row["tuned"]]),
        "worst": max(by_table, key=lambda name: by_table[name]["a_month"]),
        "by_table": by_table,
        "alerts": [
            {"table": row["table"], "day": row["day"], "about": about} for row in counted for about in row["about"]
        ],
    }


def _rate(rows: Sequence[Row]) -> dict[str, Any]:
    """The rate with its Poisson bound, and beside it alerts a day with their bootstrap over days."""
    return {**monthly(sum(row["alerts"] for row in rows), len(rows)), "a_day": share_of(rows, _alerts)}


def _alerts(row: Row) -> float:
    return float(row["alerts"])


def cold_start(rows: Sequence[Row]) -> dict[str, Any]:
    """By number of the day: what was found of faults, and how many untouched days alerted; the same from day 8 on."""
    clean = [row for row in rows if row["fault"] is None and not row["known"]]
    faulted = [row for row in rows if row["fault"] is not None and not row["noisy"]]
    numbers = sorted({row["number"] for row in faulted})
    return {
        "recall": {str(n): share_of([r for r in faulted if r["number"] == n], _found) for n in numbers},
        "recall_from_day_8": share_of([r for r in faulted if r["number"] >= 8], _found),
        "clean_days_1_and_2_alerted": sum(row["alerts"] > 0 for row in clean if row["number"] <= 2),
        "false_alerts": {
            "days_1_to_7": _rate([row for row in clean if row["number"] < 8]),
            "days_8_to_30": _rate([row for row in clean if row["number"] >= 8]),
        },
    }


def _found(row: Row) -> float:
    return float(row["found"])


def slow_drift(rows: Sequence[Row]) -> dict[str, Any]:
    """Days until it was told, and the share told within a week, a fortnight, three weeks, never."""
    days = [row["told_after"] if row["told_after"] is not None else np.inf for row in rows]
    median = float(np.median(days))
    return {
        "drifts": len(rows),
        "days_max": DAYS_MAX,
        "days_median": median if np.isfinite(median) else None,
        "told_within": {str(d): share_of(rows, _told_within(d)) for d in (3, 7, 14, 21)},
        "never": share_of(rows, lambda r: r["told_after"] is None),
        "other_alerts": sum(row["other_alerts"] for row in rows),
        "each": list(rows),
    }


def _told_within(days: int) -> Callable[[Row], float]:
    return lambda row: float((row["told_after"] or np.inf) <= days)


def real_faults(rows: Sequence[Row]) -> dict[str, Any]:
    """How many of them were found on their first day, and each."""
    return {"faults": len(rows), "found_first_day": sum(row["found"] for row in rows), "each": list(rows)}


def true_events(rows: Sequence[Row]) -> dict[str, Any]:
    """How many of them brought one alert at most, and each."""
    return {"events": len(rows), "one_alert_at_most": sum(row["alerts"] <= 1 for row in rows), "each": list(rows)}


def second_fault(rows: Sequence[Row]) -> dict[str, Any]:
    """How many faults beside one that goes on were told, which were not, and how often the first alerted once more."""
    beside = [row for row in rows if row["second"] is not None]
    alone = [row for row in rows if row["second"] is None]
    return {
        "told": share_of(beside, lambda row: float(row["told"])),
        "alerted_again": share_of(alone, lambda row: float(row["told"])),
        "missed": [row for row in beside if not row["told"]],
    }
