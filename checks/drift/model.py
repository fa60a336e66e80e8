"""The classifier: today's rows against past rows, every row scored by a model that did not see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from checks.drift.boosting import lightgbm as lgb
from checks.drift.features import Features

Array = npt.NDArray[np.float64]

FOLDS = 2
ROUNDS = 40
LEAVES = 8
DEPTH = 4
LEARNING_RATE = 0.1
EXPLAINED_ROWS = 800
"""Rows a fold and side of which attributions are computed; 2,000 find the same faults at a fifth more CPU."""


@dataclass(frozen=True)
class Attribution:
    """Held-out additive attributions: `nats[i]` is feature i's part of `mean f(today) - mean f(past)`."""

    nats: Array
    rows: npt.NDArray[np.int64]
    contributions: Array


def attribute(
    features: Features, is_today: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64], seed: int
) -> Attribution:
    """Cross-fit and attribute.

    Args:
        features: of N rows.
        is_today: (N,) the label.
        folds: (N,) fold of each row; identical rows must share one, or repetition fakes a change.
        seed: of the model and of the choice of explained rows.

    Returns:
        attributions in nats per feature, and those of each explained row (log-odds).
    """
    totals = np.zeros(features.matrix.shape[1])
    chosen_rows, chosen = [], []
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        if len(np.unique(is_today[train])) < 2 or len(np.unique(is_today[test])) < 2:
            continue
        booster = fit(features, is_today, train, seed + fold)
        rows = _explained(test, is_today, seed + fold)
        contributions = np.asarray(booster.predict(features.matrix[rows], pred_contrib=True, num_threads=1))[:, :-1]
        today = is_today[rows]
        totals += (contributions[today].mean(axis=0) - contributions[~today].mean(axis=0)) / FOLDS
        chosen_rows.append(rows)
        chosen.append(contributions)
    if not chosen:
        return Attribution(totals, np.zeros(0, np.int64), np.zeros((0, len(totals))))
    return Attribution(totals, np.concatenate(chosen_rows), np.concatenate(chosen))


def fit(features: Features, is_today: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_], seed: int) -> lgb.Booster:
    """Fit one shallow boosted classifier with both sides of equal weight."""
    label = is_today[rows].astype(np.float64)
    share = label.mean()
    weight = np.where(label > 0, 0.5 / share, 0.5 / (1.0 - share))
    smallest = int(min(label.sum(), len(label) - label.sum()))
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "max_depth": DEPTH,
        "learning_rate": LEARNING_RATE,
        "min_data_in_leaf": int(np.clip(smallest // 50, 5, 40)),
        "lambda_l2": 5.0,
        "cat_l2": 10.0,
        "cat_smooth": 10.0,
        "max_cat_threshold": 16,
        "min_data_per_group": 10,
        "max_bin": 127,
        "num_threads": 1,
        "seed": seed % (2**31),
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(
        features.matrix[rows],
        label,
        weight=weight,
        feature_name=[f"f{i}" for i in range(features.matrix.shape[1])],
        categorical_feature=list(features.categorical),
        params=parameters,
        free_raw_data=True,
    )
    return lgb.train(parameters, data, num_boost_round=ROUNDS)


def _explained(test: npt.NDArray[np.bool_], is_today: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.int64]:
    """At most EXPLAINED_ROWS held-out rows of each side, drawn with the seed."""
    rng = np.random.default_rng(seed)
    sides = []
    for side in (True, False):
        rows = np.flatnonzero(test & (is_today == side))
        sides.append(rows if len(rows) <= EXPLAINED_ROWS else np.sort(rng.choice(rows, EXPLAINED_ROWS, replace=False)))
    return np.concatenate(sides)
