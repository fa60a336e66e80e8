"""Novelty of a day's profile among past days' profiles: mean distance to the nearest, as Redyuk et al. (EDBT 2021).

After the paper ("Automating Data Quality Validation for Dynamic Data Ingestion"): a vector of descriptive statistics
by column (completeness, distinct values, share of the most frequent value; of numbers minimum, maximum, mean and
standard deviation; of texts how peculiar their letter pairs are), scaled to [0, 1] over the past; the score is the mean
Euclidean distance to the k = 5 nearest past days; the threshold the (1 - contamination) percentile of the past days'
own leave-one-out scores, contamination 1%. Own code, as the authors published the method, not a tool.

Setting: `k` 5, `contamination` 0.01, `mean` or `max` over the neighbours. Values: a column's part of the distance.
"""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks.peers.drivers.profile import profile, profile_of_day
from benchmarks.peers.protocol import Answer, Case, Setting, main

METRICS = ("null_percent", "distinct", "top_share", "min", "max", "average", "standard_deviation", "peculiarity")
POINTS_MIN = 8


class Novelty:
    """The nearest past days decide how new this one is."""

    def __init__(self, setting: Setting) -> None:
        self.k = int(setting.get("k", 5))
        self.contamination = float(setting.get("contamination", 0.01))
        self.over = str(setting.get("over", "mean"))

    def prepare(self, case: Case) -> None:
        for path in case.past:
            profile_of_day(path, case.kinds)

    def judge(self, case: Case) -> Answer:
        days = [profile_of_day(path, case.kinds) for path in case.past]
        today = profile(case.today, case.kinds)
        names = [key for key in today if key[1] in METRICS]
        past = np.nan_to_num(np.array([[day[key] for key in names] for day in days]))
        if len(past) < POINTS_MIN:
            return Answer({}, 0.0, alarm=False)
        low, width = past.min(axis=0), np.ptp(past, axis=0)
        # a value that never moved has no scale of its own: its size is one
        width = np.where(width > 0, width, np.maximum(np.abs(low), 1.0))
        scaled = (past - low) / width
        point = (np.nan_to_num(np.array([today[key] for key in names])) - low) / width
        nearest = NearestNeighbors(n_neighbors=self.k + 1).fit(scaled)
        own = nearest.kneighbors(scaled)[0][:, 1:]
        distances, places = nearest.kneighbors(point[None, :], n_neighbors=self.k)
        score = self._reduce(distances[0])
        threshold = float(np.quantile([self._reduce(row) for row in own], 1 - self.contamination))
        parts = ((scaled[places[0]] - point) ** 2).mean(axis=0)
        columns = {c: float(sum(p for p, key in zip(parts, names, strict=True) if key[0] == c)) for c in case.kinds}
        return Answer(columns, score, score > threshold)

    def _reduce(self, distances: np.ndarray) -> float:
        return float(distances.max() if self.over == "max" else distances.mean())


if __name__ == "__main__":
    main(Novelty)
