"""z-scores of daily metrics, as Elementary's `volume_anomalies` and `all_columns_anomalies` compute them by default.

Documented defaults: time buckets of a day; a training period of 14 days; an anomaly is further than `sensitivity` 3
standard deviations from the training average, in either direction; a series that stood still has score 0. As in its
public SQL, the training average and deviation include the judged day, so that with n days no score exceeds
(n - 1) / sqrt(n). Metrics by type: null_count, null_percent; of texts min, max and average length, missing count and
percent; of numbers min, max, average, zero count and percent, standard deviation and variance. Own code after the
documentation: the product itself runs inside dbt.

Setting: `days` 14, `sensitivity` 3, `apart`: the judged day does not join its own training. Values: the largest |z| of
a column's metrics; the table's also of the row count.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.drivers.profile import profile, profile_of_day
from benchmarks.peers.protocol import Answer, Case, Setting, main

POINTS_MIN = 7
LEFT_OUT = ("distinct", "top_share", "peculiarity")
"""Kept of a profile for other peers; no default metrics of this one."""


class Elementary:
    """Every metric against the mean and standard deviation of its last days."""

    def __init__(self, setting: Setting) -> None:
        self.days = int(setting.get("days", 14))
        self.apart = bool(setting.get("apart", False))
        self.sensitivity = float(setting.get("sensitivity", 3))

    def prepare(self, case: Case) -> None:
        for path in case.past[-self._earlier :]:
            profile_of_day(path, case.kinds)

    @property
    def _earlier(self) -> int:
        return self.days if self.apart else self.days - 1

    def judge(self, case: Case) -> Answer:
        past = [profile_of_day(path, case.kinds) for path in case.past[-self._earlier :]]
        today = profile(case.today, case.kinds)
        columns: dict[str, float] = {}
        for (column, metric), value in today.items():
            if metric not in LEFT_OUT:
                training = [day[column, metric] for day in past] + ([] if self.apart else [value])
                score = z_score(value, np.array(training))
                columns[column] = max(columns.get(column, 0.0), score)
        table = max(columns.values())
        columns.pop("")
        return Answer(columns, table, table > self.sensitivity)


def z_score(value: float, past: np.ndarray) -> float:
    """|value - mean| in sample standard deviations; 0 where it cannot be said."""
    known = past[np.isfinite(past)]
    if len(known) < POINTS_MIN or not np.isfinite(value):
        return 0.0
    spread = float(known.std(ddof=1))
    return abs(value - float(known.mean())) / spread if spread > 0 else 0.0


if __name__ == "__main__":
    main(Elementary)
