"""Deepchecks: `MultivariateDrift` (a domain classifier) or `FeatureDrift` (a distance by column).

Documented defaults: the domain classifier's drift score is to stay below 0.25; of columns, Kolmogorov-Smirnov distance
of numbers and Cramer's V of categories below 0.2. `FeatureDrift` looks at all columns here, not only the five that it
would show.

Setting: `check` "multivariate" or "features"; `method` of numbers, "KS" or "EMD"; `limit` of the condition.
Values: drift score times a column's importance (multivariate), or its distance.
"""

from __future__ import annotations

import os

os.environ["DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"] = "True"
os.environ["DISABLE_LATEST_VERSION_CHECK"] = "True"

from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import FeatureDrift, MultivariateDrift

from benchmarks.peers.protocol import Answer, Case, Setting, main


class Deepchecks:
    """One check of the reference against today."""

    def __init__(self, setting: Setting) -> None:
        self.features = setting.get("check") == "features"
        self.method = str(setting.get("method", "KS"))
        self.limit = float(setting.get("limit", 0.2 if self.features else 0.25))

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        sides = [Dataset(frame, cat_features=case.categories) for frame in (case.reference, case.today)]
        if self.features:
            check = FeatureDrift(n_top_columns=len(case.kinds), numerical_drift_method=self.method)
            told = check.run(*sides, with_display=False).value
            values = {c: float(v["Drift score"]) for c, v in told.items() if v["Drift score"] is not None}
            return Answer(values, max(values.values()), max(values.values()) >= self.limit)
        told = MultivariateDrift().run(*sides, with_display=False).value
        score = float(told["domain_classifier_drift_score"])
        shares = told["domain_classifier_feature_importance"]
        return Answer({c: score * float(v) for c, v in shares.items()}, score, score >= self.limit)


if __name__ == "__main__":
    main(Deepchecks)
