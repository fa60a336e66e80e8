"""Entities that come every day: what a snapshot's rows were the day before, and which of them strayed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.bursts import Bursts, Milder
from checks.drift.carried import carry_over
from checks.drift.check import Drift
from checks.drift.compare import compare, scores_of
from checks.drift.strayed import way_strayed
from checks.series.predictive import StudentT
from monitor.partitions import partition_at
from monitor.types import (
    Cadence,
    Change,
    Column,
    ColumnKind,
    Evidence,
    Partition,
    PastScores,
    Point,
    Sample,
    SampleSet,
    Table,
    TimeColumn,
    TimeForm,
    Values,
)
from monitor.where import find_where

ROWS, DAYS = 600, 32
LANGUAGES = ("Go", "Rust", "Python", "C", "Java", "Zig")
COLUMNS = (
    Column("repo", ColumnKind.TEXT, ""),
    Column("language", ColumnKind.TEXT, ""),
    Column("stars", ColumnKind.NUMBER, ""),
    Column("issues", ColumnKind.NUMBER, ""),
    Column("about", ColumnKind.TEXT, ""),
)
TABLE = Table("t", "main", ("t",), COLUMNS, TimeColumn("day", TimeForm.DATE))
FIRST = dt.date(2024, 3, 1)


def snapshots(days: int, rows: int = ROWS) -> list[pd.DataFrame]:
    """One row a repository and day: stars grow a little, issues come and go, language and description stay."""
    random = np.random.default_rng(5)
    stars = random.lognormal(8, 2, rows)
    issues = random.integers(0, 900, rows).astype(float)
    stays = {
        "repo": [f"r{i}" for i in range(rows)],
        "language": random.choice(LANGUAGES, rows, p=[0.3, 0.25, 0.2, 0.15, 0.06, 0.04]),
        "about": [f"words of {i}" for i in range(rows)],
    }
    told = []
    for _ in range(days):
        stars = stars * (1 + random.exponential(0.001, rows))
        issues = np.maximum(issues + random.integers(-3, 4, rows), 0)
        frame = pd.DataFrame({**stays, "stars": np.floor(stars), "issues": issues})
        order = random.permutation(rows)
        told.append(frame.iloc[order].reset_index(drop=True).astype(dict.fromkeys(stays, "category")))
    return told


FRAMES = snapshots(DAYS)


def some(share: float) -> np.ndarray:
    return np.random.default_rng(8).random(ROWS) < share


def damaged(name: str, damage: Callable[[pd.Series], pd.Series], share: float) -> pd.DataFrame:
    """The last day with a part of a column's rows rewritten."""
    frame = FRAMES[-1]
    old = frame[name].astype(object)
    told = old.where(~some(share), damage(old))
    return frame.assign(**{name: told.astype("category") if frame[name].dtype == "category" else told.astype(float)})


def shuffled(values: pd.Series) -> pd.Series:
    """Values of the rows that are hit in one another's places."""
    hit = some(0.1)
    told = values.copy()
    told[hit] = np.random.default_rng(2).permutation(values[hit].to_numpy())
    return told


def exchanged(values: pd.Series) -> pd.Series:
    return values.replace({"Go": "Rust", "Rust": "Go"})


PAST = FRAMES[-2::-1]


def test_the_very_numbers_of_the_day_before_are_counted() -> None:
    today = FRAMES[-1].assign(issues=FRAMES[-1]["issues"] + 1_000)
    assert carry_over(today, PAST[:2], COLUMNS).carried["issues"] == 0.0
    kept = PAST[0].set_index("repo")["issues"][today["repo"]].to_numpy()
    stale = today.assign(issues=np.where(np.arange(ROWS) < ROWS / 4, kept, today["issues"]))
    assert carry_over(stale, PAST[:2], COLUMNS).carried["issues"] == 0.25


def test_a_day_like_the_others_strays_nowhere() -> None:
    found = carry_over(FRAMES[-1], PAST[:2], COLUMNS)
    assert found.entity == ("repo",)
    assert max(found.strayed.values()) < 0.01
    assert found.newcomers == {"repo": 0.0}


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("stars", lambda old: old * 3.28, (Change.SCALE, True)),
        ("stars", lambda old: old + 90_000, (Change.SHIFT_UP, True)),
        ("stars", lambda old: old - 90_000, (Change.SHIFT_DOWN, True)),
        ("stars", lambda old: -old, (Change.SHIFT_DOWN, True)),
        ("stars", lambda old: old * 0, None),
        ("stars", shuffled, (Change.RELATION, True)),
        ("issues", lambda old: old + np.random.default_rng(1).normal(0, 900, ROWS), (Change.SPREAD, False)),
        ("language", exchanged, (Change.VALUES_MIXED, True)),
        ("language", lambda old: old.map(lambda _: "Ada"), (Change.VALUES_NEW, False)),
        ("about", shuffled, (Change.RELATION, True)),
        ("about", lambda old: old.str.upper(), None),
    ],
)
def test_rows_that_strayed_are_told_by_where_they_went(
    name: str, damage: Callable[[pd.Series], pd.Series], said: tuple[Change, bool] | None
) -> None:
    today = damaged(name, damage, 0.1)
    strayed = carry_over(today, PAST[:2], COLUMNS).strayed
    moved = float((today[name].astype(str) != FRAMES[-1][name].astype(str)).mean())
    assert strayed[name] == pytest.approx(moved, abs=0.03)
    assert all(share < 0.01 for other, share in strayed.items() if other != name)
    assert way_strayed(today, PAST[:2], ("repo",), name) == said


def test_values_of_the_day_before_in_any_row_are_a_replay() -> None:
    yesterday = pd.Series(np.random.default_rng(4).permutation(PAST[0]["stars"].to_numpy()))
    today = damaged("stars", lambda _: yesterday, 0.2)
    assert way_strayed(today, PAST[:2], ("repo",), "stars") == (Change.REPLAY, True)


def test_where_whole_rows_stray_it_is_their_name_that_is_another() -> None:
    today = damaged("repo", shuffled, 0.1)
    strayed = carry_over(today, PAST[:2], COLUMNS).strayed
    assert strayed["repo"] > 0.07
    assert max(share for name, share in strayed.items() if name != "repo") < 0.03


def test_names_that_were_not_there_are_newcomers_and_todays_fault_does_not_choose_what_names() -> None:
    renamed = damaged("repo", lambda old: old + "-fork", 0.3)
    assert carry_over(renamed, PAST[:2], COLUMNS).newcomers == {"repo": pytest.approx(0.3, abs=0.05)}
    lost = FRAMES[-1].assign(repo=pd.Series(["same"] * ROWS, dtype="category"))
    found = carry_over(lost, PAST[:2], COLUMNS)
    assert found.entity == ("repo",)
    assert found.newcomers == {"repo": 1.0}
    assert not found.strayed
    nothing = FRAMES[-1].assign(repo=pd.Series([None] * ROWS, dtype="category"))
    assert carry_over(nothing, PAST[:2], COLUMNS).newcomers == {}


def test_tables_of_events_have_no_entities() -> None:
    events = [frame.assign(repo=pd.Categorical([f"{n}-{i}" for i in range(ROWS)])) for n, frame in enumerate(FRAMES)]
    events = [frame.drop(columns=["about"]) for frame in events]
    kinds = [c for c in COLUMNS if c.name != "about"]
    assert carry_over(events[-1], events[-2:-4:-1], kinds).entity == ()


def test_numbers_may_name_entities_and_measurements_may_not() -> None:
    numbered = [frame.assign(repo=frame["repo"].astype(str).str[1:].astype(float)) for frame in FRAMES[-3:]]
    kinds = [Column("repo", ColumnKind.NUMBER, ""), Column("stars", ColumnKind.NUMBER, "")]
    assert carry_over(numbered[2], numbered[1::-1], kinds).entity == ("repo",)
    halves = [frame.assign(repo=frame["repo"] / 3.0) for frame in numbered]
    assert carry_over(halves[2], halves[1::-1], kinds[:1]).entity == ()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_rows_shares_are_shares(data: st.DataObject) -> None:
    names = st.one_of(st.none(), st.sampled_from([f"n{i}" for i in range(50)]))
    numbers = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1e300, -1e300, np.inf]))
    days = []
    for _ in range(data.draw(st.integers(2, 3))):
        rows = data.draw(st.lists(st.tuples(names, numbers, names), min_size=1, max_size=60))
        frame = pd.DataFrame(rows, columns=["who", "much", "what"])
        days.append(frame.astype({"who": "category", "what": "category", "much": float}))
    kinds = [
        Column(name, kind, "")
        for name, kind in (("who", ColumnKind.TEXT), ("much", ColumnKind.NUMBER), ("what", ColumnKind.TEXT))
    ]
    found = carry_over(days[0], days[1:], kinds)
    for shares in (found.carried, found.strayed, found.newcomers):
        assert all(0.0 <= share <= 1.0 for share in shares.values())
    for name in found.strayed:
        if name not in found.entity:
            way_strayed(days[0], days[1:], found.entity, name)


@pytest.fixture(scope="module")
def history() -> dict[str, list[Point]]:
    scores: dict[str, list[Point]] = {}
    for number in range(8, DAYS - 1):
        for name, score in scores_of(compare(TABLE, day(number), judged(number, FRAMES[number]))).items():
            scores.setdefault(name, []).append(Point(day(number), score))
    return scores


def day(number: int) -> Partition:
    return partition_at(Cadence.DAY, "UTC", FIRST + dt.timedelta(number))


def judged(number: int, frame: pd.DataFrame) -> SampleSet:
    return SampleSet(frame, tuple((day(n), FRAMES[n]) for n in range(number - 1, number - 7, -1)))


def evaluated(frame: pd.DataFrame, history: dict[str, list[Point]]) -> Evidence:
    values: Values = {Sample(): judged(DAYS - 1, frame), PastScores("drift"): history}
    (evidence,) = Drift().evaluate(TABLE, day(DAYS - 1), values)
    return evidence


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [("stars", lambda old: old * 3.28, Change.SCALE), ("language", exchanged, Change.VALUES_MIXED)],
)
def test_three_rows_in_a_hundred_that_stray_are_told_in_their_column(
    name: str, damage: Callable[[pd.Series], pd.Series], said: Change, history: dict[str, list[Point]]
) -> None:
    clean = evaluated(FRAMES[-1], history)
    seen = evaluated(damaged(name, damage, 0.05), history)
    assert seen.columns[0] == name
    assert seen.change is said
    assert seen.detail["columns"][name]["partner"] == "repo"
    assert least_tail(seen) < 1e-5
    assert least_tail(clean) > 1e-3


def test_after_a_bad_day_there_is_no_day_before() -> None:
    samples = judged(DAYS - 1, FRAMES[-1])
    two_days = replace(samples, past=samples.past[1:])
    assert compare(TABLE, day(DAYS - 1), two_days).entity == ("repo",)
    after = compare(TABLE, day(DAYS - 1), replace(two_days, skipped=True))
    assert after.entity == ()
    assert not {"strayed", "carried", "newcomers"} & {name.split(".")[0] for name in scores_of(after)}


def least_tail(evidence: Evidence) -> float:
    return min(p.past.tail(p.score) for p in evidence.parts if p.past is not None and p.score is not None)


def test_rows_that_strayed_say_where_they_are(history: dict[str, list[Point]]) -> None:
    frame = FRAMES[-1]
    hit = (frame["language"] == "C").to_numpy() & some(0.7)
    broken = frame.assign(stars=np.where(hit, frame["stars"] * 3.28, frame["stars"]))
    evidence = evaluated(broken, history)
    assert evidence.columns[0] == "stars"
    (first, *_) = find_where(TABLE, judged(DAYS - 1, broken), evidence)
    assert [c.column for c in first.conditions] == ["language"]
    assert first.recall > 0.95
    everywhere = damaged("stars", lambda old: old * 3.28, 0.1)
    assert find_where(TABLE, judged(DAYS - 1, everywhere), evaluated(everywhere, history)) == []


def routes(number: int) -> pd.DataFrame:
    """Flights are named by carrier and number; times in the schedule stay, delays do not."""
    random = np.random.default_rng(100 + number)
    carrier = pd.Categorical(np.repeat(["AA", "BB", "CC", "DD"], 150))
    flight = np.tile(np.arange(150.0), 4)
    frame = pd.DataFrame({"carrier": carrier, "flight": flight, "leaves": 300.0 + 7 * flight})
    return frame.assign(delay=random.exponential(20, 600)).iloc[random.permutation(600)].reset_index(drop=True)


def test_columns_that_name_rows_together_are_an_entity_and_only_what_stays_can_stray() -> None:
    kinds = [
        Column("carrier", ColumnKind.TEXT, ""),
        *(Column(name, ColumnKind.NUMBER, "") for name in ("flight", "leaves", "delay")),
    ]
    today, *past = (routes(n) for n in (3, 2, 1))
    moved = today.assign(leaves=np.where(some(0.05), today["leaves"] + 60, today["leaves"]), delay=today["delay"] * 40)
    found = carry_over(moved, past, kinds)
    assert set(found.entity) == {"carrier", "flight"}
    assert found.strayed["leaves"] == pytest.approx(some(0.05).mean(), abs=0.005)
    assert found.strayed["delay"] == 0.0
    assert way_strayed(moved, past, found.entity, "leaves") == (Change.SHIFT_UP, True)


def test_a_share_that_bursts_must_surprise_its_scale_and_its_ranks() -> None:
    calm, wild = Bursts((0.0,) * 40, 0.002), Bursts((0.0,) * 38 + (0.02, 0.03), 0.002)
    hot, cold = StudentT(0.0, 0.001, 30.0), StudentT(0.0, 1.0, 30.0)
    assert Milder(hot, calm).tail(0.02) < 1e-6
    assert Milder(hot, wild).tail(0.02) > 0.01
    assert Milder(cold, calm).tail(0.02) > 0.1
    both = Milder(hot, wild)
    assert both.tail(both.isf(1e-4)) == pytest.approx(1e-4, rel=0.01)
