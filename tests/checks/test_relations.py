"""Columns that go together: which pairs are looked at, and what is odd about a row."""

from __future__ import annotations

import numpy as np
import pytest

from checks.drift.relations import PARTNERS, Coded, by_column, odd_pairs

ROWS = 6_000
TODAY = np.arange(ROWS) < 1_000


def coded(values: np.ndarray, size: int | None = None) -> Coded:
    everywhere = np.ones(len(values), dtype=bool)
    return Coded(values.astype(np.int64), size or int(values.max()) + 1, everywhere, everywhere)


def oddness(columns: list[np.ndarray], exact: bool = False) -> dict[int, float]:
    made = [coded(c) for c in columns]
    nothing: list[Coded | None] = [None] * len(made)
    pairs = odd_pairs(nothing, made, TODAY, 0) if exact else odd_pairs(made, nothing, TODAY, 0)
    return dict(by_column(pairs, len(made)))


@pytest.fixture
def family() -> list[np.ndarray]:
    """Three columns that follow one cause, and one that follows nothing."""
    random = np.random.default_rng(3)
    cause = random.integers(0, 12, ROWS)
    near = [np.clip(cause + random.integers(-1, 2, ROWS), 0, 11) for _ in range(2)]
    return [cause, *near, random.integers(0, 12, ROWS)]


def test_a_usual_day_has_next_to_no_odd_rows(family: list[np.ndarray]) -> None:
    found = oddness(family)
    assert set(found) == {0, 1, 2}
    assert max(found.values()) < 0.01


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
def test_shuffled_values_are_odd_and_name_the_culprit(family: list[np.ndarray], share: float) -> None:
    hit = np.flatnonzero(TODAY)[: int(1_000 * share)]
    family[0][hit] = np.random.default_rng(1).permutation(family[0][hit])
    found = oddness(family)
    assert max(found, key=lambda place: found[place]) == 0
    assert 0.4 * share < found[0] < share


def test_columns_that_say_nothing_of_each_other_are_no_pair() -> None:
    random = np.random.default_rng(0)
    assert oddness([random.integers(0, 15, ROWS) for _ in range(6)]) == {}


def test_a_value_that_another_determines_must_be_the_usual_one() -> None:
    random = np.random.default_rng(5)
    code = random.integers(0, 400, ROWS)
    name = code // 2
    assert oddness([code, name], exact=True)[1] == 0.0
    name = np.where(np.arange(ROWS) < 50, 999, name)
    assert oddness([code, name], exact=True)[1] == pytest.approx(0.05, abs=0.005)


def test_missing_values_contradict_nothing() -> None:
    code = np.random.default_rng(5).integers(0, 400, ROWS)
    there = np.arange(ROWS) >= 200
    name = Coded(np.where(there, code // 2, 200), 201, there, there)
    pairs = odd_pairs([None, None], [coded(code), name], TODAY, 0)
    assert [p.other_oddness for p in pairs] == [0.0]


def test_wide_tables_keep_to_few_pairs() -> None:
    random = np.random.default_rng(2)
    cause = random.integers(0, 8, ROWS)
    columns = [(cause + random.integers(0, 2, ROWS)) % 8 for _ in range(60)]
    made = [coded(c) for c in columns]
    assert len(odd_pairs(made, [None] * 60, TODAY, 0)) <= 60 * PARTNERS


def test_nothing_to_compare_is_no_pair() -> None:
    empty = Coded(np.zeros(ROWS, np.int64), 1, np.zeros(ROWS, bool), np.zeros(ROWS, bool))
    assert odd_pairs([empty, empty], [empty, empty], TODAY, 0) == []
    assert by_column([], 3) == {}
