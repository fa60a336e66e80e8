"""NannyML: univariate drift by column, or its domain classifier, with one chunk a day.

Documented defaults: Jensen-Shannon distance for numbers and categories, a column alerts outside 3 standard deviations
of the reference's own chunks; the domain classifier is LightGBM with 5 folds, its AUC alerts outside 0.45 to 0.65.

Setting: `calculator` "univariate" or "classifier"; `method` of the univariate one; `days` of reference (default: the
same days as for every peer). Values: distance by threshold (univariate), AUC (classifier; it names no columns).
"""

from __future__ import annotations

import os

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml as nml
import pandas as pd

from benchmarks.peers.protocol import Answer, Case, Setting, main, read_day

FIRST = pd.Timestamp("2000-01-01")
DAY = "peer_day"


class NannyML:
    """Fitted on the reference days, each its own chunk, and asked about today's."""

    def __init__(self, setting: Setting) -> None:
        self.classifier = setting.get("calculator") == "classifier"
        self.method = str(setting.get("method", "jensen_shannon"))
        self.days = int(setting.get("days", 0))

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        days = [read_day(path, case.kinds) for path in case.past[-self.days :]] if self.days else case.references
        reference = pd.concat(
            [day.assign(**{DAY: FIRST + pd.Timedelta(days=i)}) for i, day in enumerate(days)], ignore_index=True
        )
        today = case.today.assign(**{DAY: FIRST + pd.Timedelta(days=len(days))})
        frames = [_typed(frame, case) for frame in (reference, today)]
        return self._classify(*frames, case) if self.classifier else self._compare(*frames, case)

    def _classify(self, reference: pd.DataFrame, today: pd.DataFrame, case: Case) -> Answer:
        calculator = nml.DomainClassifierCalculator(
            feature_column_names=list(case.kinds), timestamp_column_name=DAY, chunk_period="D"
        )
        calculator.fit(reference)
        told = calculator.calculate(today).filter(period="analysis").to_df().iloc[-1]
        return Answer(
            {}, float(told["domain_classifier_auroc", "value"]), bool(told["domain_classifier_auroc", "alert"])
        )

    def _compare(self, reference: pd.DataFrame, today: pd.DataFrame, case: Case) -> Answer:
        calculator = nml.UnivariateDriftCalculator(
            column_names=list(case.kinds), timestamp_column_name=DAY, chunk_period="D",
            continuous_methods=[self.method],
            categorical_methods=[self.method if self.method != "wasserstein" else "jensen_shannon"],
        )  # fmt: skip
        calculator.fit(reference)
        told = calculator.calculate(today).filter(period="analysis").to_df().iloc[-1]
        values, alarm = {}, False
        for column in case.kinds:
            method = next(m for c, m, _ in told.index if c == column)
            limit = told[column, method, "upper_threshold"]
            values[column] = float(told[column, method, "value"]) / (float(limit) if limit else 1.0)
            alarm |= bool(told[column, method, "alert"])
        return Answer(values, max(v for v in values.values() if v == v), alarm)  # noqa: PLR0124 - NaN has no size


def _typed(frame: pd.DataFrame, case: Case) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(case.categories, "category"))


if __name__ == "__main__":
    main(NannyML)
