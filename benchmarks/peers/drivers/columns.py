"""Per-column tests with a correction for their number: Kolmogorov-Smirnov, chi-square, or the stability index (PSI).

Setting: `test` "tests" (default: Kolmogorov-Smirnov for numbers, chi-square for categories) or "psi"; `correction`
"bonferroni" (default) or "fdr" (Benjamini-Hochberg); `alpha` 0.05. The alarm of PSI is the customary 0.2.
Values: -log10 of the p-value, or the index.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.peers.protocol import Answer, Case, Setting, main

BINS = 10
CATEGORIES_MAX = 100
PSI_ALARM = 0.2
TINY = 1e-300


class Columns:
    """Each column by itself, NULLs as a value of their own for categories and left out of numbers' tests."""

    def __init__(self, setting: Setting) -> None:
        self.test = setting.get("test", "tests")
        self.correction = setting.get("correction", "bonferroni")
        self.alpha = float(setting.get("alpha", 0.05))

    def prepare(self, case: Case) -> None:
        pass

    def judge(self, case: Case) -> Answer:
        reference = case.reference
        if self.test == "psi":
            values = {c: stability(case.today[c], reference[c]) for c in case.kinds}
            return Answer(values, max(values.values()), max(values.values()) > PSI_ALARM)
        tails = {c: _tail(case.today[c], reference[c], c in case.numbers) for c in case.kinds}
        values = {c: -float(np.log10(max(p, TINY))) for c, p in tails.items()}
        return Answer(values, max(values.values()), bool((corrected(tails, self.correction) < self.alpha).any()))


def _tail(today: pd.Series, reference: pd.Series, number: bool) -> float:
    if number:
        a, b = today.dropna().to_numpy(), reference.dropna().to_numpy()
        return float(stats.ks_2samp(a, b, method="asymp").pvalue) if len(a) and len(b) else 1.0
    table = counts(today, reference)
    return float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0


def corrected(tails: dict[str, float], correction: str) -> np.ndarray:
    """p-values corrected for how many columns were looked at."""
    plain = np.array(list(tails.values()))
    if correction == "fdr":
        return stats.false_discovery_control(plain)
    return np.minimum(plain * len(plain), 1.0)


def counts(today: pd.Series, reference: pd.Series) -> np.ndarray:
    """Rows of each category on both sides (2, k); NULL is one, and rare ones are put together."""
    a, b = today.fillna("").value_counts(), reference.fillna("").value_counts()
    both = a.add(b, fill_value=0).sort_values(ascending=False)
    kept = both.index[:CATEGORIES_MAX]
    table = np.array([a.reindex(kept, fill_value=0).to_numpy(), b.reindex(kept, fill_value=0).to_numpy()])
    rest = np.array([[a.sum()], [b.sum()]]) - table.sum(axis=1, keepdims=True)
    return np.hstack([table, rest]) if rest.sum() else table


def stability(today: pd.Series, reference: pd.Series) -> float:
    """The population stability index over tenths of the reference, or over categories."""
    if pd.api.types.is_numeric_dtype(reference):
        edges = (
            np.unique(np.nanquantile(reference, np.linspace(0, 1, BINS + 1)[1:-1])) if reference.notna().any() else []
        )
        table = np.array([_binned(side, np.asarray(edges)) for side in (today, reference)])
    else:
        table = counts(today, reference)
    shares = np.maximum(table / np.maximum(table.sum(axis=1, keepdims=True), 1), 1e-4)
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def _binned(values: pd.Series, edges: np.ndarray) -> np.ndarray:
    known = values.dropna().to_numpy()
    bins = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(bins, len(values) - len(known))


if __name__ == "__main__":
    main(Columns)
