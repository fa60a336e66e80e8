"""Numbers that are too large, too small, too coarse, too noisy, or not there."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import RANDOM
from chaos.fault import Fault, options
from chaos.frame import FrameDay, is_whole, numbers, rewrite, spread
from chaos.query import SqlDay, rewrite_sql
from monitor.types import Change

Floats = np.ndarray[Any, np.dtype[np.float64]]
FEET_IN_METRE = 3.280839895
OUTLIER_SPREADS = 25.0
DRIFT_SPREADS_A_DAY = 0.1


def _numeric(
    name: str,
    change: Change,
    about: str,
    frame: Callable[[FrameDay, str, Floats], Any],
    sql: Callable[[SqlDay, str, str], str],
    **more: Any,
) -> Fault:
    """A fault of a number column: new numbers from old ones; whole columns stay whole."""

    def values(day: FrameDay, column: str, old: pd.Series[Any]) -> Any:
        changed = np.broadcast_to(frame(day, column, numbers(old)), len(old))
        return np.floor(changed + 0.5) if is_whole(day.frame[column]) else changed

    def sql_values(day: SqlDay, column: str) -> str:
        return day.typed(column, day.kept_whole(column, sql(day, column, day.number(column))))

    more.setdefault("options", options(intensity=1.0))
    return Fault(
        name=name,
        change=change,
        needs=("number_column",),
        moves="column",
        about=about,
        choice=more.pop("choice", RANDOM),
        frame=rewrite(values),
        sql=rewrite_sql(sql_values),
        **more,
    )


def _scaled(name: str, factor: float, about: str) -> Fault:
    return _numeric(
        name,
        Change.SCALE,
        about,
        lambda day, _, old: old * factor**day.intensity,
        lambda day, _, old: f"({old} * {factor**day.intensity!r})",
        traceless_when="the values hit are 0 or NULL",
    )


def _shifted(name: str, change: Change, direction: int, spreads: float, about: str) -> Fault:
    return _numeric(
        name,
        change,
        about,
        lambda day, column, old: old + direction * spreads * day.intensity * spread(day.frame[column]),
        lambda day, column, old: f"({old} + {direction * spreads * day.intensity!r} * {day.spread(column)})",
        traceless_when="the column does not vary",
    )


def _step(width: float) -> float:
    """The largest power of ten that is not above `width`; 1.0 for no width."""
    return float(10.0 ** math.floor(math.log10(width))) if width > 0 else 1.0


def _rounded(day: FrameDay, column: str, old: Floats) -> Floats:
    step = _step(spread(day.frame[column]) * day.intensity)
    return np.asarray(np.floor(old / step + 0.5) * step)


def _rounded_sql(day: SqlDay, column: str, old: str) -> str:
    width = f"({day.spread(column)} * {day.intensity!r})"
    positive = f"CASE WHEN {width} > 0 THEN {width} ELSE 1.0 END"
    step = f"POWER(10.0, FLOOR(LN({positive}) / LN(10.0) + 1e-12))"
    return f"(FLOOR({old} / {step} + 0.5) * {step})"


def _tail(intensity: float) -> float:
    return min(0.45, 0.1 * intensity)


def _clipped(day: FrameDay, column: str, old: Floats) -> Floats:
    tail = _tail(day.intensity)
    known = numbers(day.frame[column].dropna())
    if not len(known):
        return old
    return np.clip(old, np.quantile(known, tail), np.quantile(known, 1 - tail))


def _clipped_sql(day: SqlDay, column: str, old: str) -> str:
    tail = _tail(day.intensity)
    number = day.number(column)
    low, high = (f"(SELECT QUANTILE_CONT({number}, {q!r}) FROM chaos_day)" for q in (tail, 1 - tail))
    # A bare GREATEST would turn NULL into the bound where the engine skips NULLs.
    return f"CASE WHEN {old} < {low} THEN {low} WHEN {old} > {high} THEN {high} ELSE {old} END"


def _noisy(day: FrameDay, column: str, old: Floats) -> Floats:
    return old + day.rng.standard_normal(len(old)) * spread(day.frame[column]) * day.intensity


def _noisy_sql(day: SqlDay, column: str, old: str) -> str:
    # Box-Muller on two independent random orders of the rows hit: no engine's random numbers are needed.
    radius = "SQRT(GREATEST(0.0, -2.0 * LN((chaos_first - 0.5) / chaos_hits)))"
    angle = f"COS({2 * math.pi!r} * (chaos_second - 0.5) / chaos_hits)"
    return f"({old} + {radius} * {angle} * {day.spread(column)} * {day.intensity!r})"


def _extreme(day: FrameDay, column: str, old: Floats) -> Floats:
    known = numbers(day.frame[column].dropna())
    middle = float(np.mean(known)) if len(known) else np.nan
    signs = np.where(np.arange(len(old)) % 2 == 0, 1.0, -1.0)
    return middle + day.rng.permutation(signs) * OUTLIER_SPREADS * day.intensity * spread(day.frame[column])


def _extreme_sql(day: SqlDay, column: str, old: str) -> str:  # noqa: ARG001 - the shape of a rewrite
    middle = f"(SELECT AVG({day.number(column)}) FROM chaos_day)"
    sign = "(2.0 * (chaos_first - 2 * FLOOR(chaos_first / 2.0)) - 1.0)"
    return f"({middle} + {sign} * {OUTLIER_SPREADS * day.intensity!r} * {day.spread(column)})"


FAULTS = (
    _numeric(
        "zeros_increase",
        Change.ZEROS_UP,
        "A share of a number column's values becomes 0.",
        lambda day, column, old: 0.0,  # noqa: ARG005 - the shape of a rewrite
        lambda day, column, old: "0.0",  # noqa: ARG005 - the shape of a rewrite
        options=options(),
        traceless_when="the values hit are 0 anyway",
    ),
    _scaled("scale_10", 10.0, "Values are ten times too large (10 to the power of intensity)."),
    _scaled("scale_100", 100.0, "Values are a hundred times too large, as cents for euros (100 to the intensity)."),
    _scaled("unit_change", FEET_IN_METRE, "Values come in another unit, feet for metres (3.28 to the intensity)."),
    _shifted("offset_up", Change.SHIFT_UP, 1, 1.0, "Values are higher by intensity standard deviations."),
    _shifted("offset_down", Change.SHIFT_DOWN, -1, 1.0, "Values are lower by intensity standard deviations."),
    _shifted(
        "slow_drift",
        Change.SHIFT_UP,
        1,
        DRIFT_SPREADS_A_DAY,
        "Values creep up by 0.1 standard deviations a day; intensity is the number of the day in the drift.",
    ),
    _numeric(
        "sign_flip",
        Change.SHIFT_DOWN,
        "Values change their sign.",
        lambda day, column, old: -old,  # noqa: ARG005 - the shape of a rewrite
        lambda day, column, old: f"(-1.0 * {old})",  # noqa: ARG005 - the shape of a rewrite
        options=options(),
        signed=True,
        traceless_when="the values lie evenly around 0",
    ),
    _numeric(
        "round_numbers",
        Change.FORMAT,
        "Numbers are rounded to the power of ten below intensity standard deviations.",
        _rounded,
        _rounded_sql,
        options=options(rows=1.0, intensity=1.0),
        traceless_when="the numbers are that coarse anyway",
    ),
    _numeric(
        "truncate_numbers",
        Change.FORMAT,
        "The decimals of numbers are cut off.",
        lambda day, column, old: np.trunc(old),  # noqa: ARG005 - the shape of a rewrite
        lambda day, column, old: f"CASE WHEN {old} < 0 THEN CEIL({old}) ELSE FLOOR({old}) END",  # noqa: ARG005
        options=options(rows=1.0),
        traceless_when="the numbers are whole",
    ),
    _numeric(
        "clip",
        Change.SPREAD,
        "The lowest and the highest tenth (times intensity) of the values are cut to a bound.",
        _clipped,
        _clipped_sql,
        options=options(rows=1.0, intensity=1.0),
        traceless_when="most values are alike",
    ),
    _numeric(
        "noise",
        Change.SPREAD,
        "Normal noise of intensity standard deviations is added.",
        _noisy,
        _noisy_sql,
        traceless_when="the column does not vary, or few rows are hit",
    ),
    _numeric(
        "outliers",
        Change.SPREAD,
        "A few rows get values 25 times intensity standard deviations off the mean, up and down.",
        _extreme,
        _extreme_sql,
        options=options(rows=0.005, intensity=1.0),
        traceless_when="the column does not vary",
    ),
)
