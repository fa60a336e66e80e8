"""Evidently's `DataDriftPreset`: a test or distance by column, chosen by type and row count, and the share of columns.

Documented defaults: with up to 1,000 reference rows Kolmogorov-Smirnov, chi-square or z-test at p 0.05, above normed
Wasserstein or Jensen-Shannon distance at 0.1, for texts a domain classifier; the dataset has drifted when at least half
of the columns have. Types are inferred from the reference.

Setting: `drift_share` 0.5; `method` for numbers and categories; `alarm` "dataset" or "any" column; `texts` "inferred"
or "categories" (a text column's own classifier costs seconds).
Values: how many times a column's distance is its threshold (of p-values, the ratio of logarithms).
"""

from __future__ import annotations

import math
from typing import Any

from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from benchmarks.peers.protocol import Answer, Case, Setting, main

TAILED = ("p_value", "p-value", "p value")
TINY = 1e-300


class Evidently:
    """One report a table-day."""

    def __init__(self, setting: Setting) -> None:
        self.any = setting.get("alarm") == "any"
        self.inferred = setting.get("texts", "inferred") == "inferred"
        method = setting.get("method")
        self.options: dict[str, Any] = {"drift_share": float(setting.get("drift_share", 0.5))}
        if method:
            self.options |= {"num_method": method, "cat_method": method}

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        known = DataDefinition(numerical_columns=case.numbers, categorical_columns=case.categories)
        reference = Dataset.from_pandas(case.reference, data_definition=None if self.inferred else known)
        today = Dataset.from_pandas(case.today, data_definition=reference.data_definition)
        told = Report([DataDriftPreset(**self.options)]).run(today, reference).dict()
        values, share = {}, 0.0
        for metric in told["metrics"]:
            config = metric["config"]
            if config["type"].endswith("DriftedColumnsCount"):
                share = float(metric["value"]["share"])
            else:
                values[config["column"]] = beyond(float(metric["value"]), config["threshold"], config["method"])
        table = max(values.values())
        return Answer(values, table, table > 1 if self.any else share >= self.options["drift_share"])


def beyond(value: float, threshold: float, method: str) -> float:
    """Drift in units of its threshold: above 1 the column has drifted."""
    if any(word in method for word in TAILED):
        return math.log10(max(value, TINY)) / math.log10(threshold)
    return value / threshold


if __name__ == "__main__":
    main(Evidently)
