"""Rows that an Isolation Forest finds odd, as Databricks DQX's row anomaly check uses it.

After its documentation and public code: numbers as they are, texts of up to 20 values one column each and others by
their frequency, booleans as 0 and 1, times by hour as sine and cosine, a flag for NULL; 200 trees on past rows, and a
row is odd above the 95th percentile of the past rows' scores. Own code: DQX runs on Spark. It flags rows, not days; its
default alarm is taken to be "more rows flagged than were odd in the past, three standard errors beyond 5%", which is
kinder than "any row flagged" (every day).

Setting: `percentile` 95, `trees` 200. The table's value: share of rows flagged. A column's value: how much smaller that
share is with the column's values drawn from past rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest

from benchmarks.peers.protocol import TIME, Answer, Case, Setting, main

VALUES_MAX = 20
NULLS_MAX = 0.5
ROWS_EXPLAINED = 500
DAY_S = 86_400.0


class Forest:
    """Trained on the reference days, asked about today's rows."""

    def __init__(self, setting: Setting) -> None:
        self.percentile = float(setting.get("percentile", 95))
        self.trees = int(setting.get("trees", 200))

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        reference, today = case.reference, case.today
        names = [c for c in case.kinds if reference[c].nunique() > 1 and reference[c].isna().mean() < NULLS_MAX]
        pairs = {c: encode(today[c], reference[c], case.kinds[c]) for c in names}
        past = np.hstack([pairs[c][1] for c in names])
        forest = IsolationForest(n_estimators=self.trees, random_state=0).fit(past)
        cut = float(np.percentile(-forest.score_samples(past), self.percentile))
        share = _flagged(forest, [pairs[c][0] for c in names], cut)
        columns = self._columns(forest, names, pairs, cut)
        usual = 1 - self.percentile / 100
        alarm = share > usual + 3 * np.sqrt(usual * (1 - usual) / max(len(today), 1))
        return Answer(columns, share, bool(alarm))

    def _columns(
        self, forest: IsolationForest, names: list[str], pairs: dict[str, tuple[np.ndarray, np.ndarray]], cut: float
    ) -> dict[str, float]:
        random = np.random.default_rng(0)
        rows = len(pairs[names[0]][0])
        some = random.permutation(rows)[:ROWS_EXPLAINED]
        parts = [pairs[c][0][some] for c in names]
        whole = _flagged(forest, parts, cut)
        told = {}
        for place, name in enumerate(names):
            past = pairs[name][1]
            drawn = [*parts[:place], past[random.integers(0, len(past), len(some))], *parts[place + 1 :]]
            told[name] = whole - _flagged(forest, drawn, cut)
        return told


def _flagged(forest: IsolationForest, parts: list[np.ndarray], cut: float) -> float:
    return float((-forest.score_samples(np.hstack(parts)) > cut).mean())


def encode(today: pd.Series, reference: pd.Series, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of one column as numbers, by what the reference knows."""
    both = (today, reference)
    flags = [side.isna().to_numpy(dtype=float)[:, None] for side in both]
    if kind == TIME:
        turns = [side.fillna(0.0).to_numpy() / DAY_S * 2 * np.pi for side in both]
        made = [np.column_stack([np.sin(t), np.cos(t)]) for t in turns]
    elif pd.api.types.is_numeric_dtype(reference):
        made = [side.fillna(0.0).to_numpy()[:, None] for side in both]
    else:
        often = reference.value_counts(normalize=True)
        if len(often) <= VALUES_MAX:
            made = [np.column_stack([(side == value).to_numpy(dtype=float) for value in often.index]) for side in both]
        else:
            made = [side.map(often).fillna(0.0).to_numpy(dtype=float)[:, None] for side in both]
    return np.hstack([made[0], flags[0]]), np.hstack([made[1], flags[1]])


if __name__ == "__main__":
    main(Forest)
