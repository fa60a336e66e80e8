"""The budget: how it is shared, that clean tables keep it, and what a finding needs to fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.series import AbsoluteT, StudentT
from monitor.judge import judge, severity_of, surprise_of, tail_of
from monitor.types import Cadence, Evidence, Severity, Status


def evidence(score: float | None = 1.0, df: float = 20.0, **parts: Any) -> Evidence:
    return Evidence(parts.pop("check", "nulls.c1"), "nulls", score, AbsoluteT(df), **parts)


def threshold(table: Any, among: int, **parts: Any) -> float:
    found = judge(table, [evidence(check=f"nulls.c{i}", **parts) for i in range(among)])[0].threshold
    assert found is not None
    return found


def test_more_columns_share_the_same_budget(make: Any) -> None:
    needed = [threshold(make.table(), among) for among in (1, 5, 50, 500)]
    assert needed == sorted(needed)
    assert needed[0] < 0.8 * needed[-1]


def test_a_larger_budget_a_longer_cadence_and_a_longer_past_lower_the_bar(make: Any) -> None:
    plain = threshold(make.table(), 5)
    assert threshold(make.table(false_alerts_per_month=10.0), 5) < plain
    assert threshold(make.table(cadence=Cadence.WEEK), 5) < plain < threshold(make.table(cadence=Cadence.HOUR), 5)
    decay = [threshold(make.table(), 5, df=df) for df in (1.5, 3.0, 6.0, 12.0, 30.0)]
    assert decay == sorted(decay, reverse=True)
    assert decay[0] > 10 * decay[-1]


@given(weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=30), budget=st.floats(0.1, 5.0))
def test_the_parts_of_the_budget_add_up_to_a_third_of_it(weights: list[float], budget: float) -> None:
    from monitor.types import Table

    table = Table("main.t", "main", ("t",), (), None, false_alerts_per_month=budget)
    verdicts = judge(table, [evidence(0.0, weight=w) for w in weights])
    spent = sum(AbsoluteT(20.0).tail(v.threshold or 0.0) for v in verdicts)
    # the one that leads is left off what the others bring, which is next to nothing
    assert budget * 0.35 * 0.999 < spent * table.cadence.partitions_per_month < budget * 0.35 * 1.1


@given(scores=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=9), weight=st.floats(0.01, 100))
def test_the_surprise_of_the_whole_is_that_of_the_weighted_harmonic_mean_of_the_tails(
    scores: list[float], weight: float
) -> None:
    from monitor.types import Table

    table = Table("main.t", "main", ("t",), (), None)
    given_ = [evidence(score, weight=weight if i else 1.0) for i, score in enumerate(scores)]
    beside = [evidence(None), evidence(error="no luck"), Evidence("rule.r", "rule", 1.0, exact=True, weight=1e6)]
    weights = [e.weight for e in given_] + [1.0, 1.0]
    tails = [(tail_of(e) or 1.0, e.weight) for e in given_]
    mean = 1.0 / sum(w / sum(weights) / tail for tail, w in tails)
    assert surprise_of(judge(table, [*given_, *beside])) == pytest.approx(max(-np.log10(mean), 0.0))


def test_exact_checks_stand_outside_the_budget(make: Any) -> None:
    alone = judge(make.table(), [evidence()])[0]
    rules = [Evidence(f"rule.r{i}", "rule", 1.0, exact=True, weight=1e6) for i in range(9)]
    beside = judge(make.table(), [evidence(), *rules])
    assert beside[0] == alone
    assert {v.status for v in beside[1:]} == {Status.FAIL}
    assert judge(make.table(), [replace(rules[0], score=0.0)])[0].status is Status.PASS
    assert judge(make.table(), [replace(rules[0], score=None)])[0].status is Status.LEARNING


def test_the_status_is_what_the_threshold_says(make: Any) -> None:
    others = [evidence(0.0, check="zeros.c1"), evidence(0.0, check="zeros.c2")]
    bar = judge(make.table(), [evidence(9.0), *others])[0].threshold or 0.0
    for factor, expected in ((0.999, Status.PASS), (1.001, Status.FAIL)):
        verdict = judge(make.table(), [evidence(bar * factor), *others])[0]
        assert verdict.status is expected
        assert (verdict.margin is not None and verdict.margin >= 0) == (expected is Status.FAIL)


def test_parts_of_one_check_share_what_the_check_has(make: Any) -> None:
    def composite(scores: list[float]) -> Evidence:
        parts = tuple(evidence(s, check=f"stats.c{i}") for i, s in enumerate(scores))
        lead = max(parts, key=lambda p: p.score or 0.0)
        return replace(lead, parts=parts)

    single, one_of_ten = evidence(6.0), composite([6.0] + [0.5] * 9)
    assert (tail_of(one_of_ten) or 0) == pytest.approx(10 * (tail_of(single) or 0), rel=1e-3)
    assert (tail_of(composite([0.1] * 10)) or 0) > 0.9
    bar = judge(make.table(), [one_of_ten])[0].threshold or 0.0
    assert judge(make.table(), [composite([bar * 1.001] + [0.5] * 9)])[0].status is Status.FAIL
    assert judge(make.table(), [composite([bar * 0.999] + [0.5] * 9)])[0].status is Status.PASS


def test_many_that_moved_a_little_say_so_together(make: Any) -> None:
    bar = judge(make.table(), [evidence(0.0, check=f"nulls.c{i}") for i in range(5)])[1].threshold or 0.0
    alone = [evidence(0.97 * bar), *(evidence(0.0, check=f"zeros.c{i}") for i in range(4))]
    together = [evidence(0.97 * bar), *(evidence(0.96 * bar, check=f"zeros.c{i}") for i in range(4))]
    assert [v.status for v in judge(make.table(), alone)].count(Status.FAIL) == 0
    verdicts = judge(make.table(), together)
    assert [v.status for v in verdicts].count(Status.FAIL) == 1
    assert verdicts[0].status is Status.FAIL


def test_a_part_that_is_still_learning_is_left_out(make: Any) -> None:
    young = Evidence("stats.c1", "stats", None)
    known = evidence(30.0)
    assert judge(make.table(), [replace(known, parts=(known, young))])[0].status is Status.FAIL
    unknown = replace(known, past=None, parts=(young,))
    assert judge(make.table(), [unknown])[0].status is Status.LEARNING


def test_errors_and_unscored_evidence_have_no_numbers(make: Any) -> None:
    broken, unscored, unknown = judge(
        make.table(), [replace(evidence(), error="boom"), evidence(None), replace(evidence(), past=None)]
    )
    assert (broken.status, unscored.status, unknown.status) == (Status.ERROR, Status.LEARNING, Status.LEARNING)
    assert broken.surprise is unscored.surprise is unknown.threshold is None


@pytest.mark.parametrize("columns", [3, 40])
@pytest.mark.parametrize("df", [3.0, 27.0])
def test_clean_tables_keep_their_budget(columns: int, df: float, make: Any) -> None:
    """40 years of days: alerts a month stay near a third of the budget, however wide or old the table."""
    table, days = make.table(false_alerts_per_month=4.0), 14_600
    scores = np.abs(np.random.default_rng(17).standard_t(df, (days, columns)))
    bars = np.array([v.threshold for v in judge(table, [evidence(df=df, check=f"nulls.c{i}") for i in range(columns)])])
    alerts = (scores >= bars).any(axis=1).sum() / (days / table.cadence.partitions_per_month)
    assert 1.0 < alerts < 1.8


def test_surprise_is_comparable_over_checks(make: Any) -> None:
    one = Evidence("volume", "volume", 3.0, StudentT(0.0, 1.0, 10.0))
    other = Evidence("drift", "drift", 300.0, StudentT(0.0, 100.0, 10.0))
    verdicts = judge(make.table(), [one, other])
    assert verdicts[0].surprise == pytest.approx(verdicts[1].surprise or 0.0)
    assert verdicts[0].surprise == pytest.approx(-np.log10(one.past.tail(3.0)))  # type: ignore[union-attr]


def test_severity_has_six_bands_that_grow() -> None:
    bands = [severity_of(effect) for effect in (0.0, 0.02, 0.1, 0.3, 0.5, 1.0)]
    assert bands == list(Severity)
