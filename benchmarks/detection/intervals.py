"""Figures with what chance alone could make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2

Row = Mapping[str, Any]
DRAWS = 1_000
MONTH_DAYS = 30.44


def share_of(rows: Sequence[Row], of: Callable[[Row], float]) -> dict[str, Any]:
    """The mean of `of` over the rows (a share, where it says yes or no), with [low, high] of a 95% bootstrap.

    Days of a table are drawn, not rows: what fails on a day fails together.
    """
    if not rows:
        return {"n": 0, "share": None, "low": None, "high": None}
    sums, counts = _by_day(rows, of)
    random = np.random.default_rng(0)
    picked = random.integers(0, len(sums), (DRAWS, len(sums)))
    draws = sums[picked].sum(axis=1) / counts[picked].sum(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"n": len(rows), **_rounded(share=sums.sum() / counts.sum(), low=low, high=high)}


def ratio_of(rows: Sequence[Row], of: Callable[[Row], float], by: Callable[[Row], float]) -> dict[str, Any]:
    """The sum of `of` over the sum of `by`, likewise: recall over what an oracle reaches."""
    sums, counts = _by_day(rows, of)
    bases, _ = _by_day(rows, by)
    if not len(sums) or not bases.sum():
        return {"n": len(rows), "share": None, "low": None, "high": None}
    random = np.random.default_rng(0)
    picked = random.integers(0, len(sums), (DRAWS, len(sums)))
    below = np.maximum(bases[picked].sum(axis=1), 1e-9)
    low, high = np.quantile(sums[picked].sum(axis=1) / below, [0.025, 0.975])
    return {"n": int(counts.sum()), **_rounded(share=sums.sum() / bases.sum(), low=low, high=high)}


def _by_day(rows: Sequence[Row], of: Callable[[Row], float]) -> tuple[Any, Any]:
    days: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        days.setdefault((row["table"], row["day"]), []).append(float(of(row)))
    return np.array([sum(d) for d in days.values()]), np.array([len(d) for d in days.values()])


def monthly(alerts: int, days: int) -> dict[str, Any]:
    """A rate of alerts a table-month, with the bound that it is below with 95% (Poisson, one-sided; Garwood, 1936)."""
    if not days:
        return {"days": 0, "alerts": 0, "a_month": None, "upper": None}
    months = days / MONTH_DAYS
    upper = chi2.ppf(0.95, 2 * (alerts + 1)) / 2 / months
    return {"days": days, "alerts": alerts, **_rounded(a_month=alerts / months, upper=upper)}


def _rounded(**figures: float) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in figures.items()}
