"""The series that are forecast: daily aggregates of the benchmark's tables, and made ones whose truth is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from benchmarks.detection import tables
from monitor.types import Cadence

Array = npt.NDArray[np.float64]

COUNTRIES = {"flights": "US", "taxi": "US", "retail": "GB", "synthetic": "US"}
DISTINCT_MIN = 10
"""A series with fewer different values is no matter of forecasting."""
FLOORS = {"rows": 0.008, "nulls": 0.004, "true": 0.004, "mean": 0.005, "quantile": 0.01, "nab": 0.005}
"""Smallest scales worth a person's time, as the checks set them; steadier series are left out."""
FORTNIGHT = 14
DAYS_MADE = 800
COPIES = 12


@dataclass(frozen=True)
class Set:
    """Series over the same days: `values` (T, M) in the unit they are judged in, with each one's name and kind.

    `noise` (T, M) is the sampling error that follows from the day's rows, in the same unit; `calm` (T, M) says
    where the stretch around a day is stationary, without a look at the day itself.
    """

    name: str
    days: list[Any]
    values: Array
    noise: Array
    names: list[str]
    kinds: list[str]
    calm: npt.NDArray[np.bool_]
    cadence: Cadence = Cadence.DAY
    season: int = 7

    @property
    def spread(self) -> Array:
        """Mean absolute difference to the same place a season earlier, (M,): what makes series weigh alike."""
        return np.asarray(np.nanmean(np.abs(self.values[self.season :] - self.values[: -self.season]), axis=0))

    @property
    def country(self) -> str | None:
        return COUNTRIES.get(self.name)


def load() -> list[Set]:
    """All sets: one a table, and the synthetic one."""
    tables.prepare()
    return [*(of_table(entry) for entry in tables.TABLES), synthetic()]


def of_table(entry: tables.Entry) -> Set:
    """Row count, NULL shares, means and quantiles by day and column, on the scales that the checks judge them on."""
    asked, columns = _asked(entry.path, entry.time_column)
    time = f'CAST("{entry.time_column}" AS DATE)'
    sql = f"SELECT {time} AS day, {', '.join(asked)} FROM '{entry.path}' GROUP BY 1 ORDER BY 1"
    with duckdb.connect() as connection:
        found = connection.execute(sql).fetchnumpy()
    days = [np.datetime64(day, "D").astype(dt.date) for day in found.pop("day")]
    raw: dict[str, Array] = {name: np.ma.filled(np.ma.asarray(found[name], dtype=float), np.nan) for name in found}
    # the first and the last day may be partial
    rows = raw["rows"][1:-1]
    kept: list[tuple[str, str, Array, Array]] = []
    for name, values in raw.items():
        kind = columns[name]
        series, noise = scaled(kind, values[1:-1], rows)
        if _moves(kind, series):
            kept.append((name, kind, series, noise))
    values = np.column_stack([k[2] for k in kept])
    noise = np.column_stack([k[3] for k in kept])
    return Set(entry.name, days[1:-1], values, noise, [k[0] for k in kept], [k[1] for k in kept], stationary(values))


def _asked(path: Path, time_column: str) -> tuple[list[str], dict[str, str]]:
    asked, kinds = ["COUNT(*) AS rows"], {"rows": "rows"}
    with duckdb.connect() as connection:
        for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall():
            if name in {time_column, "day"}:  # the second is the date again
                continue
            wanted: dict[str, str] = {"nulls": f'COUNT(*) - COUNT("{name}")'}
            if kind == "BOOLEAN":
                wanted["true"] = f'COUNT(*) FILTER (WHERE "{name}")'
            elif any(word in kind for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL")) and not name.endswith("id"):
                wanted["mean"] = f'AVG("{name}")'
                wanted |= {f"quantile {q}": f'QUANTILE_CONT("{name}", {q})' for q in (0.05, 0.5, 0.95)}
            for what, sql in wanted.items():
                asked.append(f'{sql} AS "{name} {what}"')
                kinds[f"{name} {what}"] = what.split(maxsplit=1)[0]
    return asked, kinds


def scaled(kind: str, values: Array, rows: Array) -> tuple[Array, Array]:
    """A series on the scale it is judged on, and its sampling error there: logs, angles, asinh of the usual size."""
    none = np.zeros(len(values))
    if kind == "rows":
        return np.log(values), none
    if kind in ("nulls", "true"):
        return np.arcsin(np.sqrt(values / rows)), 0.5 / np.sqrt(rows)
    usual = np.nanmedian(np.abs(values))
    return np.arcsinh(values / (usual if usual > 0 else 1.0)), none


def _moves(kind: str, series: Array) -> bool:
    known = series[np.isfinite(series)]
    if len(known) < 0.9 * len(series) or len(np.unique(known)) < DISTINCT_MIN:
        return False
    return bool(np.median(np.abs(np.diff(known))) > FLOORS[kind])


def stationary(values: Array) -> npt.NDArray[np.bool_]:
    """Where level and spread of the fortnights before and after a day are alike; the day itself is not looked at."""
    calm = np.zeros(values.shape, dtype=bool)
    for day in range(FORTNIGHT, len(values) - FORTNIGHT):
        before, after = values[day - FORTNIGHT : day], values[day + 1 : day + 1 + FORTNIGHT]
        spread = np.array([_deviation(before), _deviation(after)])
        level = np.abs(np.nanmedian(before, axis=0) - np.nanmedian(after, axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            calm[day] = (level < 0.75 * spread.max(axis=0)) & (spread.max(axis=0) < 2.0 * spread.min(axis=0))
    return calm


def _deviation(values: Array) -> Array:
    return np.asarray(np.nanstd(values, axis=0))


def synthetic(seed: int = 7) -> Set:
    """Twelve copies of each kind of series, in units of its own noise; `calm` where no break or outlier is near."""
    random = np.random.default_rng(seed)
    days = [dt.date(2022, 1, 3) + dt.timedelta(days=i) for i in range(DAYS_MADE)]
    values, names, calm = [], [], []
    for kind, make in _KINDS.items():
        for copy in range(COPIES):
            series, broken = make(random, days)
            values.append(series)
            names.append(f"{kind} {copy}")
            calm.append(~_near(broken))
    columns = np.column_stack(values)
    kinds = [name.split()[0] for name in names]
    return Set("synthetic", days, columns, np.zeros_like(columns), names, kinds, np.column_stack(calm))


def _near(broken: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Days on which, or in the four weeks before which, something broke."""
    last = np.maximum.accumulate(np.where(broken, np.arange(len(broken)), -99))
    return np.asarray(np.arange(len(broken)) - last < 2 * FORTNIGHT)


def _week(random: np.random.Generator, days: list[dt.date], size: float = 3.0) -> Array:
    effect = random.normal(0, 0.3 * size, 7)
    effect[5:] -= size
    return effect[[day.weekday() for day in days]]


def _whole() -> npt.NDArray[np.bool_]:
    return np.zeros(DAYS_MADE, dtype=bool)


def _noise(random: np.random.Generator) -> Array:
    return random.normal(0, 1, DAYS_MADE)


def _steady(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    return random.normal(0, 1, len(days)), _whole()


def _weekly(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    return _noise(random) + _week(random, days), _whole()


def _month_end(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    left = np.array([((day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - day).days for day in days])
    spike = 5.0 * (left == 1) + 2.5 * (left == 2) - 3.0 * np.array([day.day == 1 for day in days])
    return _noise(random) + _week(random, days) + spike, _whole()


def _holidays(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    import holidays

    free = holidays.country_holidays("US", years=[2021, 2022, 2023, 2024])
    effect = np.array([-6.0 * (day in free) + 2.0 * (day - dt.timedelta(days=1) in free) for day in days])
    return _noise(random) + _week(random, days) + effect, _whole()


def _yearly(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    place = np.array([day.timetuple().tm_yday for day in days]) / 365.25
    return _noise(random) + _week(random, days) + 5.0 * np.sin(2 * np.pi * (place + random.random())), _whole()


def _trend(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    slope = random.choice([-1, 1]) * random.uniform(0.03, 0.15)
    return _noise(random) + _week(random, days) + slope * np.arange(DAYS_MADE), _whole()


def _level_shift(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    shifts = random.random(DAYS_MADE) < 1 / 90
    level = np.cumsum(shifts * random.choice([-8.0, 8.0], DAYS_MADE))
    return _noise(random) + _week(random, days) + level, shifts


def _trend_break(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    breaks = random.random(DAYS_MADE) < 1 / 90
    which = np.cumsum(breaks)
    slopes = random.uniform(-0.15, 0.15, int(which[-1]) + 1)
    return _noise(random) + _week(random, days) + np.cumsum(slopes[which]), breaks


def _heavy(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    return random.standard_t(3, DAYS_MADE) + _week(random, days), _whole()


def _outliers(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    hit = random.random(DAYS_MADE) < 0.01
    return _noise(random) + _week(random, days) + hit * random.choice([-15.0, 15.0], DAYS_MADE), hit


def _autoregressive(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    noise = _noise(random)
    for i in range(1, DAYS_MADE):
        noise[i] += 0.7 * noise[i - 1]
    return noise + _week(random, days), _whole()


def _walk(random: np.random.Generator, days: list[dt.date]) -> tuple[Array, Any]:
    return np.cumsum(random.normal(0, 1, len(days))), _whole()


_KINDS = {
    "steady": _steady,
    "weekly": _weekly,
    "month_end": _month_end,
    "holidays": _holidays,
    "yearly": _yearly,
    "trend": _trend,
    "level_shift": _level_shift,
    "trend_break": _trend_break,
    "heavy_tails": _heavy,
    "outliers": _outliers,
    "autoregressive": _autoregressive,
    "walk": _walk,
}
