"""Forecasts by other libraries, in an environment of their own (`make series-peers`); imports nothing of daywatch.

    .venv-peers/series/bin/python benchmarks/series/peers.py QUESTIONS.parquet ANSWERS.parquet

Each method answers plain and with Student-t in place of the normal: half-width * t(n - k) / z * sqrt(1 + k / n), with
k the parameters of the mean (8 with a season of 7, else 2).
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections import Counter
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.stats import norm, t
from statsforecast.models import MSTL, AutoETS
from statsmodels.tsa.statespace.structural import UnobservedComponents

LEVELS = (0.95, 0.99, 0.999)
PROPHET_CASES = {"real": 30, "synthetic": 20, "nab": 10}
UNANSWERED: Counter[str] = Counter()
Z = np.array([norm.isf((1 - level) / 2) for level in LEVELS])


def ets(case: Any) -> tuple[float, np.ndarray]:
    season = case.season if len(case.values) >= 2 * case.season else 1
    return _of_statsforecast(AutoETS(season_length=season), case.values)


def mstl(case: Any) -> tuple[float, np.ndarray]:
    if len(case.values) < 2 * case.season:
        return ets(case)
    return _of_statsforecast(MSTL(season_length=case.season, trend_forecaster=AutoETS(model="ZZN")), case.values)


def _of_statsforecast(model: Any, values: np.ndarray) -> tuple[float, np.ndarray]:
    found = model.forecast(y=values, h=1, level=[95, 99, 99.9])
    high = [float(np.ravel(found[f"hi-{level}"])[0]) for level in ("95", "99", "99.9")]
    return float(found["mean"][0]), np.array(high) - float(found["mean"][0])


def ucm(case: Any) -> tuple[float, np.ndarray]:
    values = case.values
    size = float(np.std(values)) or 1.0
    centre = float(np.mean(values))
    seasonal = case.season if len(values) >= 2 * case.season else None
    level = "local linear trend" if len(values) >= 28 else "local level"
    model = UnobservedComponents((values - centre) / size, level=level, seasonal=seasonal)
    forecast = model.fit(disp=0, maxiter=200).get_forecast(1)
    return centre + size * float(forecast.predicted_mean[0]), Z * size * float(forecast.se_mean[0])


def prophet(case: Any) -> tuple[float, np.ndarray]:
    from prophet import Prophet

    model = Prophet(weekly_seasonality=True, yearly_seasonality=len(case.values) >= 365, uncertainty_samples=2000)
    if case.country:
        model.add_country_holidays(case.country)
    model.fit(pd.DataFrame({"ds": pd.to_datetime(list(case.days)).tz_localize(None), "y": case.values}))
    asked = pd.DataFrame({"ds": [pd.Timestamp(case.target).tz_localize(None)]})
    samples = np.ravel(model.predictive_samples(asked)["yhat"])
    centre = float(np.median(samples))
    reach = [np.quantile(np.abs(samples - centre), level) for level in LEVELS]
    return centre, np.array(reach)


METHODS = {"ets": ets, "mstl_ets": mstl, "ucm": ucm, "prophet": prophet}


def inflation(points: int, season: int) -> np.ndarray:
    parameters = (season + 1 if points >= 2 * season else 2) if points > 3 else 1
    freedom = max(points - parameters, 1)
    tails = np.array([t.isf((1 - level) / 2, freedom) for level in LEVELS])
    return tails / Z * np.sqrt(1 + parameters / points)


def answer(name: str, case: Any) -> list[dict[str, Any]]:
    started = time.perf_counter()
    try:
        centre, half = METHODS[name](case)
    except Exception as error:  # noqa: BLE001 - a peer that cannot answer is reported as such
        UNANSWERED[f"{name}, {case.season}, {len(case.values)} points: {error!r:.80}"] += 1
        return []
    spent = 1e3 * (time.perf_counter() - started)
    if not (np.isfinite(centre) and np.isfinite(half).all()):
        return []
    told = []
    for suffix, factor in (("", np.ones(3)), ("+t", inflation(len(case.values), case.season))):
        row: dict[str, Any] = {"id": case.id, "method": name + suffix, "ms": spent}
        for level, reach in zip(LEVELS, half * factor, strict=True):
            row |= {f"low {level}": centre - reach, f"high {level}": centre + reach}
        told.append(row)
    return told


def main() -> None:
    warnings.simplefilter("ignore")
    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    questions = pd.read_parquet(sys.argv[1])
    for name in METHODS:  # the first fit loads and compiles
        answer(name, next(questions[questions.group == "synthetic"].itertuples()))
    found = []
    for name in METHODS:
        asked = questions[questions.order < questions.group.map(PROPHET_CASES)] if name == "prophet" else questions
        started = time.perf_counter()
        for case in asked.itertuples():
            found += answer(name, case)
        print(f"{name}: {len(asked)} in {time.perf_counter() - started:.0f} s", flush=True)
        pd.DataFrame(found).to_parquet(sys.argv[2])
    for reason, count in UNANSWERED.items():
        print(f"not answered: {reason} ({count})")


if __name__ == "__main__":
    main()
