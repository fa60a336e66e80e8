"""Alibi Detect: `TabularDrift` (a test by column) and `ClassifierDrift` (a model tells today from the reference).

Documented defaults: `TabularDrift` Kolmogorov-Smirnov and chi-square at p 0.05 with Bonferroni; `ClassifierDrift`
trains on 75% of the rows and compares held-out probabilities by Kolmogorov-Smirnov at p 0.05; the model is the user's:
here LightGBM's own defaults on one thread. Neither takes NULLs: numbers get the reference's median, categories a value
of their own, and values beyond the 200 most frequent one together.

Setting: `detector` "tabular" or "classifier"; `correction` "bonferroni" or "fdr"; `n_folds`; `balanced` draws as many
reference rows as today has. Values: -log10 of a column's p-value; the distance of the classifier (it names no columns).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from alibi_detect.cd import ClassifierDrift, TabularDrift

from benchmarks.peers.protocol import Answer, Case, Setting, main

CATEGORIES_MAX = 200
TINY = 1e-300


class Alibi:
    """A detector made from the reference and asked once."""

    def __init__(self, setting: Setting) -> None:
        self.classifier = setting.get("detector") == "classifier"
        self.correction = str(setting.get("correction", "bonferroni"))
        self.folds = setting.get("n_folds")
        self.balanced = bool(setting.get("balanced", False))

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        reference = case.reference
        if self.balanced and len(reference) > len(case.today):
            reference = reference.sample(len(case.today), random_state=0)
        pairs = [encode(case.today[c], reference[c]) for c in case.kinds]
        today = np.column_stack([a for a, _ in pairs]).astype(np.float32)
        past = np.column_stack([b for _, b in pairs]).astype(np.float32)
        categories = [i for i, c in enumerate(case.kinds) if c in case.categories]
        return self._classify(today, past) if self.classifier else self._test(today, past, categories, case)

    def _classify(self, today: np.ndarray, past: np.ndarray) -> Answer:
        from lightgbm import LGBMClassifier

        model = LGBMClassifier(n_jobs=1, verbose=-1, random_state=0)
        rest = {"n_folds": self.folds, "train_size": None} if self.folds else {}
        told = ClassifierDrift(past, model, backend="sklearn", seed=0, **rest).predict(today)["data"]
        return Answer({}, float(told["distance"]), bool(told["is_drift"]))

    def _test(self, today: np.ndarray, past: np.ndarray, categories: list[int], case: Case) -> Answer:
        known = {i: [int(v) for v in np.unique(np.append(today[:, i], past[:, i]))] for i in categories}
        detector = TabularDrift(past, p_val=0.05, categories_per_feature=known, correction=self.correction)
        told = detector.predict(today, drift_type="batch")["data"]
        values = {c: -float(np.log10(max(p, TINY))) for c, p in zip(case.kinds, told["p_val"], strict=True)}
        return Answer(values, max(values.values()), bool(told["is_drift"]))


def encode(today: pd.Series, reference: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of a column as numbers without NULLs."""
    if pd.api.types.is_numeric_dtype(reference):
        middle = reference.median() if reference.notna().any() else 0.0
        return today.fillna(middle).to_numpy(), reference.fillna(middle).to_numpy()
    often = pd.concat([today, reference]).value_counts().index[:CATEGORIES_MAX]
    codes = {value: i + 2 for i, value in enumerate(often)}
    sides = [side.map(codes).fillna(1).where(side.notna(), 0).to_numpy(dtype=float) for side in (today, reference)]
    return sides[0], sides[1]


if __name__ == "__main__":
    main(Alibi)
