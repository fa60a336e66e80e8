from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import chaos
from benchmarks.detection import __main__ as command
from benchmarks.detection import (
    chapters,
    clean_days,
    cold_start,
    markdown,
    pictures,
    second_fault,
    slow_drift,
    suite,
    tables,
)
from benchmarks.detection.case import Case
from benchmarks.detection.cases import cases_of, faulted
from benchmarks.detection.compare import behind
from benchmarks.detection.intervals import monthly, share_of
from benchmarks.detection.oracle import DAYS, Oracle
from benchmarks.detection.replay import Replay
from benchmarks.detection.segments import has_segment, segment_place
from benchmarks.detection.service import Watched
from benchmarks.detection.tables import Entry
from benchmarks.detection.truths import REAL_FAULTS, TRUE_EVENTS, known_days

pytestmark = pytest.mark.slow
FIRST = dt.date(2024, 1, 1)
NAME = "small"
PLAN = suite.Plan(days=1, keep=0.04, clean=4, cold=1, drifts=0)
Rows = dict[str, list[dict[str, Any]]]


def shop(days: int = 90, rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(3)
    made = []
    for number in range(days):
        count = rows + int(random.integers(-8, 9))
        colours = random.choice(["red", "green", "blue", "grey"], count, p=[0.4, 0.3, 0.2, 0.1])
        made.append(
            pd.DataFrame(
                {
                    "day": pd.Timestamp(FIRST) + pd.Timedelta(days=number),
                    "colour": colours,
                    "size": np.round(random.normal(10, 2, count), 1),
                    "weight": np.round(np.exp(random.normal(1, 0.5, count)), 2),
                    "city": random.choice(["Ulm", "Bonn", "Kiel"], count),
                }
            )
        )
    return pd.concat(made, ignore_index=True)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    path = tmp_path_factory.mktemp("detection") / "small.parquet"
    shop().to_parquet(path, index=False)
    return Entry(NAME, path, "day", tuned=True, first=60)


@pytest.fixture(scope="module")
def replay(entry: Entry) -> Replay:
    return Replay(entry.name, entry.path, entry.time_column, entry.key)


@pytest.fixture(scope="module")
def rows(entry: Entry) -> Rows:
    """Every chapter of the small table, run for real."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tables, "TABLES", (entry,))
        return suite.run_table(NAME, PLAN)


@pytest.fixture
def day(replay: Replay) -> dt.date:
    return replay.dates[80]


def damaged(replay: Replay, day: dt.date, fault: str, *columns: str, rows: float, where: str | None = None) -> Case:
    told = chaos.inject(fault, replay.days[day], columns=columns, rows=rows, where=where, seed=1, time_column="day")
    return Case(day, told.frame, fault, rows, told.rows_changed, told.columns, str(told.change), told.where)


def test_the_oracle_finds_one_missing_value_where_there_never_was_one(replay: Replay, day: dt.date) -> None:
    case = damaged(replay, day, "null_increase", "size", rows=1 / 400)
    assert case.hit == 1
    assert Oracle(replay).power(case) == 1.0


def test_the_oracle_has_its_false_alert_level_where_nothing_happened(replay: Replay, day: dt.date) -> None:
    nothing = Case(day, replay.days[day], "null_increase", 0.01, 0, ("size",), "nulls_up")
    assert Oracle(replay).power(nothing) == 1 / (DAYS + 1)


def test_what_the_oracle_finds_grows_with_the_fault(replay: Replay, day: dt.date) -> None:
    oracle = Oracle(replay)
    powers = [oracle.power(damaged(replay, day, "volume_drop", rows=share)) for share in (0.005, 0.02, 0.1)]
    assert powers == sorted(powers)
    assert powers[0] < 0.2
    assert powers[-1] > 0.9


def test_the_oracle_sees_a_broken_pair_of_columns() -> None:
    frame = shop(70)
    frame["area"] = np.round(frame["size"] * 2, 1)
    replay = Replay.__new__(Replay)
    path_free = {d.date(): f.reset_index(drop=True) for d, f in frame.groupby("day")}
    replay.days, replay.dates = path_free, list(path_free)
    columns = ("day", "size", "area")
    replay.days = {d: f[list(columns)] for d, f in path_free.items()}
    from benchmarks.detection.replay import _kind
    from monitor.types import Column, Table, TimeColumn, TimeForm

    kinds = tuple(Column(c, _kind(frame[c]), "") for c in columns)
    replay.table = Table("pairs", "main", ("pairs",), kinds, TimeColumn("day", TimeForm.DATE))
    case = damaged(replay, replay.dates[-1], "shuffle", "area", rows=0.3)
    assert Oracle(replay).power(case) == 1.0


def test_a_young_watch_judges_as_the_replay_of_one_day_does(replay: Replay, day: dt.date) -> None:
    case = damaged(replay, day, "null_increase", "size", rows=0.1)
    alone, _ = replay.judge(day, case.frame)
    step = Watched(replay, day).step(day, case.frame)
    told = {v.evidence.check: (v.status, v.surprise) for v in step.verdicts}
    assert {v.evidence.check: (v.status, v.surprise) for v in alone} == {k: told[k] for k in told if k != "freshness"}


def test_a_bad_day_is_one_incident_that_ends_with_it_and_leaves_the_past(replay: Replay, day: dt.date) -> None:
    watched = Watched(replay, day)
    first, second, third = (replay.dates[80 + n] for n in range(3))
    bad = watched.step(first, damaged(replay, first, "null_increase", "size", rows=0.3).frame)
    assert [event for event, _ in bad.events] == ["opened"]
    assert bad.names(("size",))
    again = watched.step(second, damaged(replay, second, "null_increase", "size", rows=0.3).frame)
    assert [event for event, _ in again.events] == ["continued"]
    assert not again.alerts
    well = watched.step(third)
    assert well.recovered == ["1"]
    assert not well.events
    assert not watched.open
    references = watched.past.references(replay.partition(replay.dates[83]))
    assert {str(first), str(second)}.isdisjoint(p.label for p in references)


def test_a_trial_teaches_nothing(replay: Replay, day: dt.date) -> None:
    watched = Watched(replay, day)
    before = [d.partition.label for d in watched.past.known(replay.partition(replay.dates[-1]))]
    watched.step(day, damaged(replay, day, "null_increase", "size", rows=0.3).frame, learn=False)
    assert not watched.open
    assert [d.partition.label for d in watched.past.known(replay.partition(replay.dates[-1]))] == before


def test_a_day_without_rows_is_late(replay: Replay) -> None:
    gap = replay.dates[85]
    kept = Replay.__new__(Replay)
    kept.__dict__.update(replay.__dict__)
    kept.days = {d: f for d, f in replay.days.items() if d != gap}
    kept.dates = list(kept.days)
    steps = list(Watched(kept, replay.dates[84]).walk(replay.dates[84], replay.dates[86]))
    assert [[g.checks[0] for g in step.alerts] for step in steps] == [[], ["freshness"], []]
    assert len(steps[2].recovered) == 1


def test_the_segment_of_a_fault_is_compared_by_its_rows(replay: Replay, day: dt.date) -> None:
    case = damaged(replay, day, "null_segment", "size", rows=0.2, where="colour = 'blue'")
    assert has_segment(case)
    _, groups = replay.judge(day, case.frame)
    told = replace(groups[0], verdicts=(groups[0].lead,))
    assert segment_place(replay, case, told) == 1
    assert segment_place(replay, replace(case, where="city = 'Ulm'"), told) == 0


def test_the_same_cases_come_every_time_and_not_on_known_days(
    replay: Replay, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [[(c.day, c.fault, c.share, c.columns) for c in cases_of(replay, entry, 2, 0.02)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    days = {d for d, *_ in drawn[0]}
    monkeypatch.setattr("benchmarks.detection.cases.known_days", lambda _name: frozenset(days))
    assert days.isdisjoint(c.day for c in cases_of(replay, entry, 2, 0.02))


@pytest.mark.parametrize(("level", "change"), [(0.05, "zeros_up"), (10.0, "format")])
def test_what_truncating_leaves_of_fractions_are_zeros(
    level: float, change: str, replay: Replay, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = replay.dates[80]
    frame = replay.days[day]
    monkeypatch.setitem(replay.days, day, frame.assign(size=frame["size"] * 0.0 + level + 0.5))
    monkeypatch.setattr(chaos, "suitable", lambda *_args, **_more: ["size"])
    draw = random.Random(1)  # noqa: S311 - a test draws, it keeps no secret
    (case,) = faulted(replay, entry, day, "truncate_numbers", 0.3, draw)
    assert (case.change, case.hit) == (change, round(0.3 * len(frame)))


def test_intervals_are_over_days_since_a_day_fails_as_one() -> None:
    rows = [{"table": "t", "day": day, "found": day == "1"} for day in ("1", "2") for _ in range(200)]
    told = share_of(rows, lambda r: r["found"])
    assert (told["n"], told["share"], told["low"], told["high"]) == (400, 0.5, 0.0, 1.0)


def test_no_alert_in_a_month_bounds_the_rate_by_three() -> None:
    assert monthly(0, 304) == {"days": 304, "alerts": 0, "a_month": 0.0, "upper": pytest.approx(0.3, abs=0.001)}
    assert monthly(2, 304)["upper"] == pytest.approx(6.296 / (304 / 30.44), abs=0.01)


def test_clean_days_are_all_days_of_the_calendar(replay: Replay, entry: Entry) -> None:
    rows = list(clean_days.run(replay, entry, 3))
    assert [row["day"] for row in rows] == ["2024-03-01", "2024-03-02", "2024-03-03"]
    assert not any(row["known"] for row in rows)


def test_a_young_table_is_asked_only_with_what_it_has(rows: Rows) -> None:
    cold = rows["cold_start"]
    clean = [row for row in cold if row["fault"] is None]
    assert [row["number"] for row in clean] == list(range(1, 31))
    assert not sum(row["alerts"] for row in clean if row["number"] <= 2)
    tried = [row for row in cold if row["fault"] is not None]
    assert {row["number"] for row in tried} == set(cold_start.DAYS)
    assert not any(row["found"] for row in tried if row["number"] == 1)
    assert any(row["found"] for row in tried if row["number"] == 30)


def test_a_drift_keeps_how_finely_values_are_written(replay: Replay) -> None:
    frame = replay.days[replay.dates[70]]
    drifted = slow_drift._drifted(frame, "size", 10, 1)
    assert np.allclose(drifted["size"], drifted["size"].round(1))
    assert drifted["size"].mean() - frame["size"].mean() == pytest.approx(frame["size"].std(), rel=0.1)


def test_a_drift_is_told_on_the_day_that_an_alert_names_it(
    replay: Replay, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    creep = slow_drift._drifted
    fast = lambda frame, column, number, seed: creep(frame, column, 10 if number > 1 else 0.01, seed)  # noqa: E731
    monkeypatch.setattr(slow_drift, "_drifted", fast)
    (row,) = slow_drift.run(replay, entry, 1)
    assert row["told_after"] == 2
    assert row["other_alerts"] == 0


def test_a_second_fault_is_told_beside_one_that_goes_on(
    replay: Replay, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_fault, "FIRST", ("null_increase",))
    monkeypatch.setattr(second_fault, "SECOND", ("scale_10", "change_case"))
    rows = list(second_fault.run(replay, entry, 1))
    assert [(row["second"], row["told"]) for row in rows] == [(None, False), ("scale_10", True), ("change_case", True)]
    figures = chapters.second_fault(rows)
    assert (figures["told"]["share"], figures["alerted_again"]["share"], figures["missed"]) == (1.0, 0.0, [])
    assert "another one in another column | 2 | 1.00" in "".join(markdown.chapters({"second_fault": figures}))


def test_a_quick_run_fails_against_figures_better_than_reachable(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "run", lambda _names, _plan: rows)
    monkeypatch.setattr(tables, "MADE", tmp_path)
    monkeypatch.setattr(tables, "prepare", lambda: None)
    path = tmp_path / "detection.json"
    arguments = ["--quick", "--committed", str(path)]
    assert command.main(arguments) == 1, "nothing to compare with"
    quick = command.quick_figures(rows)
    path.write_text(json.dumps({"quick": quick}))
    assert command.main(arguments) == 0
    quick["recall"]["all"] |= {"share": 1.2, "low": 1.1}
    path.write_text(json.dumps({"quick": quick}))
    assert command.main(arguments) == 1


def test_more_false_alerts_than_the_committed_figure_allows_are_behind(rows: Rows) -> None:
    quick = command.quick_figures(rows)
    noisy = {**quick, "false_alerts": {**quick["false_alerts"], "a_month": 40.0}}
    assert behind(quick, quick) == []
    (line,) = behind(quick, noisy)
    assert line.startswith("false alerts a table-month: 40.0")


def test_a_share_that_is_no_longer_measured_is_behind(rows: Rows) -> None:
    quick = command.quick_figures(rows)
    assert behind(quick, {**quick, "recall": {}})[0].startswith("recall, ")


def test_every_chapter_has_its_figures_and_pictures(
    rows: Rows, entry: Entry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tables, "TABLES", (entry,))
    figures = command.figures_of(rows)
    assert set(figures["figures"]) == {"all", "tuned", NAME}
    assert {"clean_days", "cold_start"} <= set(figures["chapters"])
    assert rows["tables"][0]["memory_mb"] > 50
    command.print_figures(figures)
    (tmp_path / "detection.json").write_text(json.dumps(figures))
    assert {path.name for path in pictures.draw_all(tmp_path)} == {
        "recall.png", "faults.png", "false_alerts.png", "cold_start.png",
    }  # fmt: skip
    assert f"| {NAME} | {figures['figures'][NAME]['cases']} |" in markdown.recalls(figures["figures"])
    assert len(markdown.chapters(figures["chapters"])) == len(figures["chapters"])


def test_the_wide_table_is_wide_and_the_same_every_time() -> None:
    made = tables.wide(days=2)
    assert made.shape[1] > 100
    pd.testing.assert_frame_equal(made, tables.wide(days=2))


def test_what_is_known_of_the_tables_is_in_their_data() -> None:
    import duckdb

    for fault in REAL_FAULTS:
        entry = tables.entry_named(fault.table)
        there = duckdb.sql(f"SELECT * FROM '{entry.path}' WHERE CAST({entry.time_column} AS DATE) = '{fault.day}'")
        assert len(there.df()) > 0, fault
        assert set(fault.columns) <= set(there.columns), fault
        assert dt.date.fromisoformat(fault.day) in known_days(fault.table)
    assert {event.table for event in TRUE_EVENTS} <= {entry.name for entry in tables.TABLES}
    assert dt.date(2013, 2, 12) in known_days("flights"), "the day after an event is its echo"
    assert dt.date(2013, 2, 13) not in known_days("flights")
