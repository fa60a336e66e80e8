"""What a point costs: once the state of a panel is kept, and with its whole past replayed."""

from __future__ import annotations

import time

import numpy as np

from checks.series import Calendar, forecast_panel

SERIES = 60
"""As a table of 20 columns has."""
SHORT, LONG = 200, 400
REPEATS = 3


def measure() -> dict[str, float]:
    """CPU milliseconds a point of one series: of one more day (the difference of two lengths), and of a replay."""
    random = np.random.default_rng(1)
    values = random.normal(0, 1, (LONG, SERIES))
    spent = {steps: min(_seconds(values[:steps]) for _ in range(REPEATS)) for steps in (SHORT, LONG)}
    return {
        "series in a panel": SERIES,
        "one more day": round(1e3 * (spent[LONG] - spent[SHORT]) / (LONG - SHORT) / SERIES, 4),
        f"replay of {LONG} days": round(1e3 * spent[LONG] / SERIES, 3),
    }


def _seconds(values: np.ndarray) -> float:
    days = np.arange(len(values) + 1)
    calendar = Calendar(
        {"weekday": days % 7, "month": np.where(days % 30 < 4, days % 30, 0)}, {"weekday": 7, "month": 7}
    )
    started = time.process_time()
    forecast_panel(values, calendar)
    return time.process_time() - started
