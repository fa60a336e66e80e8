"""Numbers that describe a column's values, against their past: centre, spread, tails, lengths, distinct values."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import lambertw

from checks.bursts import Milder, Record
from checks.drift.timelike import says_date
from checks.evidence import LEARNING_POINTS, POINTS_MIN, Array, Panel, damped, read_panel, size_seen, tail_alone
from checks.series import Forecast, forecast_panel
from checks.trimmed import trim_extremes
from monitor.types import (
    ROWS,
    Aggregate,
    Change,
    Column,
    ColumnKind,
    Evidence,
    Input,
    Measure,
    Observation,
    Partition,
    Predictive,
    Series,
    Table,
    TimeForm,
    Values,
)

WEIGHT = 2.0
QUANTILES = ("0.05", "0.5", "0.95")
EXTREMES = ("min", "max")
TIMES = {ColumnKind.DATE: ("days", 86_400.0), ColumnKind.TIMESTAMP: ("hours", 3_600.0)}
"""The unit, and its seconds, in which times are told from the start of their partition."""
FLOOR = 0.01
"""Smallest relative scale of a statistic."""
CALENDAR_POINTS = 60
GROWTH_DOUBT = 0.05
"""Squares of the logarithm of rows that days must differ by for half of what they say of growth to be believed."""
GROWTH_ERROR = 0.15
"""By how much the power may be wrong where today has fewer or more rows than the days it was fitted to."""
STEEPNESS = 12.0
"""Power by which larger errors than any are thought to become rarer."""
STEEPNESS_EXTREMES = 20.0
"""The same of extremes, whose own past is wild already."""
ATOM_MAX = 0.3
"""Part of days with one and the same quantile from which it is a value that many rows have, and jumps from it."""
EFFECT_MAX = 0.1
"""Extremes and spreads can be moved by a single row, so they alone never make a finding severe."""
INWARD = 0.5
"""Standard deviations of a column by which the extremes of its days differ inwards by chance."""
FLOORS = {"min": 0.3, "max": 0.3, "stddev": 0.04}
"""Extremes break records by their nature; spreads follow them."""
NOISE_MAX = 1e3
"""Largest sampling error on the asinh scale: more than any number's, and its square is still a number."""
QUANTILE_DISTINCT_MIN = 60.0
"""Distinct values below which quantiles jump from value to value and are not judged."""
EXTREMES_DISTINCT_MIN = 12.0
"""Distinct values of today below which numbers are codes, and the largest is but one of them."""

_WORDS = {
    "mean": "mean of {}",
    "stddev": "standard deviation of {}",
    "min": "smallest {}",
    "max": "largest {}",
    "length_mean": "mean length of {}",
    "distinct": "distinct values of {}",
    "true": "share of true {}",
    "time_min": "first {} of the day",
    "time_max": "last {} of the day",
}


class Stats:
    """`stats.<column>`: mean, spread, quantiles, extremes of numbers; length, variety of texts; edges of times."""

    name = "stats"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, the statistics of every column, and how many of its values are missing."""
        told = [Aggregate(m) for c in table.checked_columns for m in measures_of(table, c)]
        return [Aggregate(ROWS), *told, *(Aggregate(Measure("nulls", name)) for name in _with_mean(told))]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a column; its parts are the single statistics, the most surprising one leads."""
        measures = [m for c in table.checked_columns for m in measures_of(table, c)]
        if not measures:
            return []
        panel = read_panel(table, partition, values, measures)
        if panel.rows[-1] <= 0:
            return []
        times = {c.name: TIMES[c.kind] for c in table.columns if c.kind in TIMES}
        scaled = _scale(
            _at_rows_of_today(_without_extremes(table, partition, values, panel, measures), measures), measures, times
        )
        forecast = forecast_panel(
            scaled.past, panel.calendar, scaled.noise, np.array([FLOORS.get(m.kind, FLOOR) for m in measures])
        )
        scores = forecast.standardise(scaled.today) * _of_account(panel, measures, scaled, forecast)
        evidence = []
        columns = [c for c in dict.fromkeys(m.column for m in measures) if not _says_date(c, partition, values)]
        weight = WEIGHT / max(len(columns), 1)
        what = functools.partial(_what, times=times)
        for column in columns:
            parts = [
                _with_value(_part(m, j, scaled, forecast, float(scores[j]), weight, what(m)), m, float(panel.today[j]))
                for j, m in enumerate(measures)
                if m.column == column
            ]
            evidence.append(_lead(column, parts, weight))
        return evidence


def _with_mean(aggregates: Sequence[Aggregate]) -> list[str]:
    return [a.measure.column for a in aggregates if a.measure.kind == "mean"]


def _at_rows_of_today(panel: Panel, measures: Sequence[Measure]) -> Panel:
    """The panel, distinct values of past days as they would have been had those had as many rows as today."""
    values = panel.values.copy()
    for j, m in enumerate(measures):
        if m.kind == "distinct":
            growth = growth_of(values[:, j], panel.rows[:-1])
            values[:, j] *= (panel.rows[-1] / np.maximum(panel.rows[:-1], 1.0)) ** growth
    return replace(panel, values=values)


def growth_of(distinct: Array, rows: Array) -> float:
    """The power of the number of rows by which the number of distinct values grows, 0 to 1.

    Fitted to the days that were (Heaps, 1978, "Information Retrieval", section 7.5); where those had nearly as many
    rows, it is what values that are all equally common would have.

    >>> import numpy as np
    >>> rows = np.array([100.0, 200.0, 400.0] * 9)
    >>> [round(growth_of(d, rows), 1) for d in (rows, 9 * rows**0.5, 12 + 0 * rows)]
    [1.0, 0.5, 0.0]
    """
    known = (distinct > 0) & (rows > 0)
    if not known.any():
        return 0.0
    values, counts = np.log(distinct[known]), np.log(rows[known])
    thought = _growth_thought(float(np.median(distinct[known] / rows[known])))
    x, y = counts - np.median(counts), values - np.median(values)
    return float(np.clip((x @ y + GROWTH_DOUBT * thought) / (x @ x + GROWTH_DOUBT), 0.0, 1.0))


def _growth_thought(share: float) -> float:
    """The growth where so many values came a row, all equally common: (1 - exp(-x)) / x, for x rows a value.

    >>> [round(_growth_thought(share), 3) for share in (1.0, 0.999, 0.5, 0.2, 0.05)]
    [1.0, 0.999, 0.406, 0.035, 0.0]
    """
    if share >= 1.0:
        return 1.0
    x = float(1.0 / share + lambertw(-math.exp(-1.0 / share) / share).real)
    return x * math.exp(-x) / -math.expm1(-x) if x > 0 else 1.0


def _without_extremes(
    table: Table, partition: Partition, values: Values, panel: Panel, measures: Sequence[Measure]
) -> Panel:
    """The panel, means and spreads without each day's smallest and largest value.

    A single row can carry a mean anywhere; it is the extremes' to tell of it, and they know how wild extremes are.
    """
    names = [m.column for m in measures if m.kind == "mean" and Aggregate(Measure("nulls", m.column)) in values]
    if not names:
        return panel
    nulls = read_panel(table, partition, values, [Measure("nulls", name) for name in names])
    place = {m: j for j, m in enumerate(measures)}
    every = np.vstack([panel.values, panel.today])
    counts = panel.rows[:, None] - np.vstack([nulls.values, nulls.today])
    for i, name in enumerate(names):
        mean, spread, low, high = (place[Measure(kind, name)] for kind in ("mean", "stddev", "min", "max"))
        every[:, mean], every[:, spread] = trim_extremes(
            counts[:, i], every[:, mean], every[:, spread], every[:, low], every[:, high]
        )
    return replace(panel, values=every[:-1], today=every[-1])


def _of_account(panel: Panel, measures: Sequence[Measure], scaled: _Scaled, forecast: Forecast) -> Array:
    """By statistic, the part of a score that stands, in (0, 1]: extremes that move inwards count by the spread.

    The smallest of a few hundred values is 0 on most days and 0.2 on another, as chance has it; values that were cut
    off show in the quantiles and the spread.
    """
    place = {m: j for j, m in enumerate(measures)}
    stands = np.ones(len(measures))
    for m, j in place.items():
        spread = place.get(Measure("stddev", m.column))
        if spread is None or not np.isfinite([panel.today[spread], forecast.location[j], forecast.scale[j]]).all():
            continue
        if {"min": 1.0, "max": -1.0}.get(m.kind, 0.0) * (scaled.today[j] - forecast.location[j]) > 0:
            doubt = INWARD * panel.today[spread] / math.hypot(scaled.unit[j], panel.today[j])
            stands[j] = forecast.scale[j] / math.hypot(forecast.scale[j], doubt)
    return stands


def _says_date(column: str, partition: Partition, values: Values) -> bool:
    """Whether a column holds one number a day, today too, that is a part of the day's date."""
    low: Series | None = values.get(Aggregate(Measure("min", column)))
    high: Series | None = values.get(Aggregate(Measure("max", column)))
    if low is None or high is None or low.today is None or low.today != high.today or partition.start is None:
        return False
    pairs = zip(low.past[-CALENDAR_POINTS:], high.past[-CALENDAR_POINTS:], strict=True)
    known = [(a.value, b.value, a.partition.start) for a, b in pairs if a.value is not None and a.partition.start]
    if len(known) < POINTS_MIN or any(a != b for a, b, _ in known):
        return False
    return says_date([low.today, *(a for a, _, _ in known)], [partition.start, *(start for _, _, start in known)])


def measures_of(table: Table, column: Column) -> list[Measure]:
    """The statistics that describe a column of this kind."""
    if table.time and column.name == table.time.name:
        return [Measure("time_min", column.name), Measure("time_max", column.name)]
    match column.kind:
        case ColumnKind.NUMBER:
            kinds = [Measure(k, column.name) for k in ("mean", "stddev", "min", "max", "distinct")]
            return kinds + [Measure("quantile", column.name, q) for q in QUANTILES]
        case ColumnKind.TEXT:
            return [Measure("length_mean", column.name), Measure("distinct", column.name)]
        case ColumnKind.BOOLEAN:
            return [Measure("true", column.name)]
        case ColumnKind.TIMESTAMP if _is_timed(table):
            return [Measure("quantile", column.name, q) for q in QUANTILES]
        case ColumnKind.DATE if _is_timed(table):
            return [Measure("quantile", column.name, "0.5")]
    return []


def _is_timed(table: Table) -> bool:
    return table.time is not None and table.time.form not in (TimeForm.INTEGER_ID, TimeForm.TEXT_ID)


@dataclass(frozen=True)
class _Scaled:
    past: Array
    today: Array
    noise: Array
    unit: Array


def _scale(panel: Panel, measures: Sequence[Measure], times: Mapping[str, tuple[str, float]]) -> _Scaled:
    """Bring each statistic to asinh(value / its usual size): linear near it, logarithmic for bursts.

    Times become days or hours since the start of their own partition.
    """
    past, today = panel.values.copy(), panel.today.copy()
    for j, m in enumerate(measures):
        if m.kind == "true":
            past[:, j] = past[:, j] / np.maximum(panel.rows[:-1], 1.0)
            today[j] = today[j] / max(panel.rows[-1], 1.0)
        elif m.kind == "quantile" and m.column in times:
            _, seconds = times[m.column]
            past[:, j] = (past[:, j] - panel.starts[:-1]) / seconds
            today[j] = (today[j] - panel.starts[-1]) / seconds
    size = np.array([size_seen(past[:, j]) for j in range(len(measures))])
    with np.errstate(over="ignore"):
        noise = _noise(panel, measures, past, today) / np.hypot(size, np.vstack([past, today]))
    for j, m in enumerate(measures):
        if m.kind == "distinct":  # counts are approximate, and one odd row makes one value more
            noise[:, j] = 0.02 + 0.5 / max(size[j], 1.0)
            noise[-1, j] += GROWTH_ERROR * _rows_off(panel.rows)
    _leave_out_steps(measures, panel, past, today)
    return _Scaled(
        np.arcsinh(past / size),
        np.arcsinh(today / size),
        np.minimum(np.nan_to_num(noise), NOISE_MAX),
        size,
    )


def _rows_off(rows: Array) -> float:
    """By how much, on the log scale, today's rows differ from those of most days: how far growth is carried."""
    before = rows[:-1][rows[:-1] > 0]
    return float(abs(np.log(rows[-1] / np.median(before)))) if len(before) else 0.0


def _noise(panel: Panel, measures: Sequence[Measure], past: Array, today: Array) -> Array:
    """Sampling errors (T + 1, M) of means and quantiles, in their own unit, from the row count and the spread."""
    place = {m: j for j, m in enumerate(measures)}
    values = np.vstack([past, today])
    root = np.sqrt(np.maximum(panel.rows, 1.0))
    noise = np.zeros_like(values)
    for m, j in place.items():
        if m.kind == "mean":
            noise[:, j] = values[:, place[Measure("stddev", m.column)]] / root
        elif m.kind == "quantile" and m.argument in _DENSITY and Measure("quantile", m.column, "0.95") in place:
            low, middle, high = (values[:, place[Measure("quantile", m.column, q)]] for q in QUANTILES)
            reach = {"0.05": middle - low, "0.5": (high - low) / 2, "0.95": high - middle}[m.argument]
            noise[:, j] = _DENSITY[m.argument] * np.maximum(reach, 0.0) / root
        elif m.kind == "true":
            noise[:, j] = 0.5 / root
    return noise


_DENSITY = {"0.05": 1.6, "0.5": 0.8, "0.95": 1.6}
"""Standard error of a quantile times sqrt(rows), in units of its distance from the next: sqrt(q (1 - q)) / density."""


def _leave_out_steps(measures: Sequence[Measure], panel: Panel, past: Array, today: Array) -> None:
    """Quantiles and extremes of columns with few distinct values are left out (NaN).

    Quantiles jump from one value to the next; extremes are codes, of which a rare one in a single row is no news, and
    a new one in many is `drift`'s to tell.
    """
    place = {m: j for j, m in enumerate(measures)}
    for m, j in place.items():
        distinct = place.get(Measure("distinct", m.column))
        if distinct is None:
            continue
        steps = m.kind == "quantile" and (
            not panel.today[distinct] >= QUANTILE_DISTINCT_MIN or _most_common(past[:, j]) > ATOM_MAX
        )
        codes = m.kind in EXTREMES and 0 < panel.today[distinct] < EXTREMES_DISTINCT_MIN
        if steps or codes:
            past[:, j], today[j] = np.nan, np.nan


def _most_common(values: Array) -> float:
    """The share of known values that are the most common one."""
    known = values[np.isfinite(values)]
    return float(np.unique(known, return_counts=True)[1].max() / len(known)) if len(known) else 0.0


def _part(m: Measure, j: int, scaled: _Scaled, forecast: Forecast, score: float, weight: float, what: str) -> Evidence:
    past = (
        _distribution(forecast, j, STEEPNESS_EXTREMES if m.kind in EXTREMES else STEEPNESS)
        if math.isfinite(score)
        else None
    )
    location, scale, size = float(forecast.location[j]), float(forecast.scale[j]), float(scaled.unit[j])
    expected, low, high = (
        (float(np.sinh(np.clip(location + k * scale, -300, 300)) * size) if past else None) for k in (0.0, -3.0, 3.0)
    )
    if low is not None and low < 0 and not (scaled.past[:, j] < 0).any():
        low = 0.0
    value = float(np.sinh(scaled.today[j]) * size) if math.isfinite(scaled.today[j]) else None
    relative = 0.0
    if past and expected is not None and value is not None:
        relative = abs(value - expected) / max(abs(value), abs(expected), 1e-12)
    return Evidence(
        check=f"stats.{m.column}",
        kind="stats",
        score=abs(score) if past else None,
        past=past,
        columns=(m.column,),
        shares=(1.0,),
        change=_change(m, score),
        effect=min(EFFECT_MAX if m.kind in (*EXTREMES, "stddev") else 1.0, relative),
        weight=weight,
        observation=Observation(what, value, expected, low, high, "share" if m.kind == "true" else ""),
    )


def _distribution(forecast: Forecast, j: int, steepness: float) -> Predictive | None:
    """The distribution of the next absolute error of series j, which must surprise by the largest that came, too."""
    scaled = damped(forecast, j)
    errors = np.abs(forecast.errors[:, j])
    errors = errors[np.isfinite(errors)]
    errors = errors[min(LEARNING_POINTS, len(errors) // 2) :]
    return None if scaled is None else Milder(scaled, Record(float(errors.max()), len(errors), steepness))


def _with_value(part: Evidence, m: Measure, value: float) -> Evidence:
    """Means and spreads are told as the warehouse has them, unless only those without the extremes moved that way."""
    seen = part.observation
    if m.kind not in ("mean", "stddev") or seen is None or seen.today is None or seen.expected is None:
        return part
    same_way = (value - seen.expected) * (seen.today - seen.expected) > 0
    return replace(part, observation=replace(seen, today=value)) if same_way else part


def _what(m: Measure, times: Mapping[str, tuple[str, float]]) -> str:
    if m.kind == "quantile":
        quantile = "median" if m.argument == "0.5" else f"{float(m.argument):.0%} quantile"
        if m.column in times:
            return f"{quantile} of {m.column}, in {times[m.column][0]} from the partition's start"
        return f"{quantile} of {m.column}"
    return _WORDS[m.kind].format(m.column)


def _change(m: Measure, score: float) -> Change:
    up = score > 0
    match m.kind:
        case "stddev" | "min" | "max":
            return Change.SPREAD
        case "length_mean":
            return Change.FORMAT
        case "distinct":
            return Change.VALUES_NEW if up else Change.VALUES_GONE
        case "time_min" | "time_max":
            return Change.ROWS_MISSING if up == (m.kind == "time_min") else Change.OTHER
        case _:
            return Change.SHIFT_UP if up else Change.SHIFT_DOWN


def _lead(column: str, parts: Sequence[Evidence], weight: float) -> Evidence:
    """The column's evidence: the part with the smallest tail leads, the others stand behind it."""
    known = [p for p in parts if p.past is not None and p.score is not None]
    if not known:
        return Evidence(f"stats.{column}", "stats", None, columns=(column,), shares=(1.0,), weight=weight)
    lead = min(known, key=tail_alone)
    return Evidence(
        check=lead.check,
        kind="stats",
        score=lead.score,
        past=lead.past,
        columns=lead.columns,
        shares=lead.shares,
        change=lead.change,
        effect=lead.effect,
        weight=weight,
        observation=lead.observation,
        parts=tuple(known),
    )
