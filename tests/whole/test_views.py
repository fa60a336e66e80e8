from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from checks.entities import groups_of as entity_groups
from checks.metrics import groups_of as metric_groups
from monitor import views
from monitor.illustrate import illustrate
from monitor.partitions import partition_at
from monitor.past import Past
from monitor.plots import PeersPicture, QuantilesPicture, SegmentsPicture, WaterfallPicture
from monitor.store.records import PastPartition
from monitor.story import Sources
from monitor.types import (
    Cadence,
    Change,
    Column,
    ColumnKind,
    Finding,
    Groups,
    GroupSeries,
    Incident,
    Observation,
    Partition,
    Priority,
    SampleSet,
    Segment,
    Severity,
    Status,
    Table,
    TimeColumn,
    TimeForm,
)
from monitor.warehouses import open_warehouse

KINDS = {"x": ColumnKind.NUMBER, "y": ColumnKind.NUMBER, "origin": ColumnKind.TEXT, "at": ColumnKind.TIMESTAMP}
METRIC = {"name": "delay", "sql": "sum(y)", "by": ["origin"]}
ENTITY = {"name": "by_origin", "entity": "origin", "statistic": "count(*)"}
TABLE = Table(
    "main.t", "main", ("t",), tuple(Column(n, k, "") for n, k in KINDS.items()), TimeColumn("day", TimeForm.DATE),
    key=("x",), metrics=(METRIC,), entities=(ENTITY,),
)  # fmt: skip


def partition(day: int) -> Partition:
    return partition_at(Cadence.DAY, "UTC", dt.date(2013, 2, day))


def frame(seed: int, rows: int = 400, **more: Any) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(10, 3, rows)
    told = {"x": x, "y": 2 * x + random.normal(0, 0.5, rows), "origin": random.choice(["LGA", "JFK"], rows)}
    return pd.DataFrame({**told, **more})


def sources(today: pd.DataFrame | None = None, groups: Any = None, failed: frozenset[str] = frozenset()) -> Sources:
    days = [
        PastPartition(partition(d), {"rows": 400.0}, {}, {}, failed if d == 5 else frozenset(), False, None,
                      "run", 1)
        for d in range(1, 9)
    ]  # fmt: skip
    samples = SampleSet(frame(9) if today is None else today, tuple((partition(d), frame(d)) for d in (8, 7, 6)))
    return Sources(TABLE, partition(9), cast("Any", None), Past(TABLE, days), {}, samples, groups or {})


def finding(check: str, kind: str, **more: Any) -> Finding:
    base = Finding("F-1", "main.t", "2013-02-09", check, kind, Status.FAIL, 1.0, 0.5, 5.0, Severity.STRONG,
                   Priority.NORMAL, ("x",), (), "", Change.OTHER)  # fmt: skip
    return replace(base, **more)


def series(groups: Groups, keys: list[Any], rows: list[list[float]], values: list[list[float]]) -> GroupSeries:
    many = np.array(rows, dtype=float)
    return GroupSeries(
        groups, tuple(keys), tuple(partition(d) for d in range(1, len(rows))), many,
        np.array(values, dtype=float)[:, :, None], many.sum(axis=1), (frozenset(),) * (len(rows) - 1),
    )  # fmt: skip


def test_numbers_that_moved_are_shown_by_quantiles() -> None:
    picture = views.moved("x", Change.SHIFT_UP, sources(frame(9).assign(x=lambda f: f.x + 50)), {})
    assert isinstance(picture, QuantilesPicture)
    assert np.median(picture.after) > np.median(picture.before) + 40
    assert views.moved("origin", Change.SHIFT_UP, sources(), {}) is None


def test_rows_with_more_decimals_are_shown_beside_the_others_of_their_day() -> None:
    warm = frame(9).x.round(1) + 5
    today = sources(frame(9).assign(x=warm.where(warm.index % 3 > 0, warm - 3.21)))
    rounded = tuple((p, f.assign(x=f.x.round(1))) for p, f in today.samples.past)  # type: ignore[union-attr]
    samples = replace(today.samples, past=rounded)  # type: ignore[type-var]
    facts = {"finer_median": 11.8, "others_median": 15.0}
    picture = views.moved("x", Change.SHIFT_DOWN, replace(today, samples=samples), facts)
    assert isinstance(picture, QuantilesPicture)
    assert np.median(picture.after) == pytest.approx(np.median(picture.before) - 3.21, abs=0.6)


def test_a_broken_relation_is_shown_with_its_best_partner() -> None:
    today = frame(9)
    today["y"] = np.random.default_rng(1).permutation(today["y"])
    picture = views.correlation("y", sources(today))
    assert picture is not None
    assert (picture.x, picture.y) == ("x", "y")
    assert abs(np.corrcoef(picture.before.T)[0, 1]) > 0.9
    assert abs(np.corrcoef(picture.after.T)[0, 1]) < 0.3


def test_columns_that_one_day_binds_are_shown_from_the_first_of_their_day() -> None:
    def day(number: int) -> pd.DataFrame:
        start = pd.Timestamp(2013, 2, number)
        return frame(number).assign(
            x=np.arange(400.0) + 1000 * number, at=start + pd.to_timedelta(np.arange(400), "min")
        )

    samples = SampleSet(day(9), tuple((partition(d), day(d)) for d in (8, 7)))
    picture = views.side_by_side("at", "x", replace(sources(), samples=samples))
    assert picture is not None
    assert (picture.x, picture.y) == ("x", "at, hours")
    assert np.asarray(picture.after.min(axis=0)).tolist() == [0.0, 0.0]
    assert np.asarray(picture.before.max(axis=0)).tolist() == [399.0, pytest.approx(399 / 60)]
    assert views.side_by_side("origin", "x", sources()) is None


def test_numbers_of_entities_are_shown_a_day_against_the_next() -> None:
    def day(number: int) -> pd.DataFrame:
        names = pd.Categorical([f"p{i}" for i in range(400)])
        return frame(number).assign(origin=names, x=np.arange(400.0) + number).iloc[::-1]

    today = day(9).assign(x=lambda f: np.where(f["x"] > 300, 3 * f["x"], f["x"]))
    samples = SampleSet(today, ((partition(8), day(8)), (partition(7), day(7))))
    picture = views.day_by_day("x", ["origin"], replace(sources(), samples=samples))
    assert picture is not None
    assert (picture.x, picture.y) == ("x, the day before", "x")
    far = np.abs(picture.after[:, 1] - picture.after[:, 0]) > 1.0
    assert far.sum() == (today["x"] > 309).sum()
    assert np.abs(picture.before[:, 1] - picture.before[:, 0]).max() < 0.1
    assert views.day_by_day("origin", ["x"], replace(sources(), samples=samples)) is None
    assert views.day_by_day("x", ["origin"], sources()) is None


def test_copies_are_counted_by_key() -> None:
    today = pd.concat([frame(9, 300), frame(9, 300).iloc[:100]])
    told = views.copies(finding("duplicates", "duplicates", observation=Observation("keys", 0.25)), sources(today))
    assert told is not None
    assert [(n, round(a, 2)) for n, _, a in told.items] == [("once", 0.5), ("twice", 0.5)]
    assert views.copies(finding("duplicates", "duplicates"), sources()) is None


def test_missing_values_are_shown_by_the_column_of_the_place() -> None:
    today = frame(9)
    today.loc[today.origin == "LGA", "x"] = np.nan
    found = finding("nulls.x", "nulls", segments=(Segment("\"origin\" = 'LGA'", 1.0, 1.0, 200),))
    told = views.missing_by_segment(found, sources(today))
    assert told is not None
    assert told.items[0][0] == "origin LGA"
    assert told.items[0][1:] == (0.0, 1.0)


def test_hours_without_rows_are_laid_on_the_day() -> None:
    groups = Groups(clock="at")
    keys = [(float(q),) for q in range(96)]
    usual = [[10.0] * 96 for _ in range(9)]
    usual[-1][48:56] = [0.0] * 8
    told = views.hours(
        finding("missing", "missing", columns=("at",)), sources(groups={groups: series(groups, keys, usual, usual)})
    )
    assert told is not None
    assert told.usual[24] == 20.0
    assert told.today[24:28] == (0.0,) * 4
    assert views.hours(finding("missing", "missing", columns=("origin",)), sources()) is None


def test_an_entity_stands_among_its_peers() -> None:
    groups = entity_groups(ENTITY, TABLE)
    values = [[30.0, 31.0]] * 8 + [[30.0, 90.0]]
    given = sources(groups={groups: series(groups, [("LGA",), ("JFK",)], values, values)})
    told = views.peers(finding("entity.by_origin", "entity", observation=Observation("count", 90.0)), given)
    assert isinstance(told, PeersPicture)
    assert (told.name, told.value, told.peers, told.own[0]) == ("JFK", 90.0, (30.0,), 31.0)


def test_a_rare_entity_is_not_named() -> None:
    groups = entity_groups(ENTITY, TABLE)
    values = [[30.0, 3.0]] * 8 + [[30.0, 9.0]]
    given = sources(groups={groups: series(groups, [("LGA",), ("Anna",)], values, values)})
    told = views.peers(finding("entity.by_origin", "entity", observation=Observation("count", 9.0)), given)
    assert told is not None
    assert told.name == "Aaaa"


def test_a_sum_is_moved_by_its_segments() -> None:
    groups = metric_groups(METRIC, TABLE)
    rows = [[200.0, 200.0]] * 9
    values = [[100.0, 50.0]] * 8 + [[100.0, 90.0]]
    given = sources(groups={groups: series(groups, [("LGA",), ("JFK",)], rows, values)})
    seen = Observation("sum", 190.0, 150.0)
    told = views.waterfall(finding("metric.delay", "metric", observation=seen), given)
    assert isinstance(told, WaterfallPicture)
    assert told.parts == (("JFK", 40.0), ("LGA", 0.0))


def test_what_moved_a_metric_that_nobody_split_is_drawn_from_the_finding() -> None:
    seen = Observation("delay", 190.0, 150.0)
    detail = {"moves": [{"where": "origin = 'JFK'", "change": 38.0}]}
    moved = finding("metric.delay", "metric", observation=seen, detail=detail)
    told = views.first_waterfall([finding("volume", "volume"), moved], sources())
    assert told == WaterfallPicture("delay: what moved it", 150.0, 190.0, (("origin = 'JFK'", 38.0),))
    assert views.first_waterfall([finding("volume", "volume")], sources()) is None


def test_a_broken_rule_is_shown_by_where_its_rows_are(tmp_path: Path) -> None:
    day = tmp_path / "t.csv"
    day.write_text("x,y,origin,at\n1,2,LGA,2013-02-09 05:00:00\n")
    with closing(open_warehouse("main", f"files://{tmp_path}")) as warehouse:
        given = replace(sources(), warehouse=warehouse)
        clock = warehouse.clock_condition(TABLE, "at", 20, 32)
        broken = finding("rule.r", "rule", segments=(Segment(clock, 0.7, 0.9, 134),))
        assert views.places([broken], given) is None  # one alone says no more than its line in the message
        told = views.places([broken], given, 1)
        assert told == SegmentsPicture("Where: at from 05:00 to 08:00", (("these rows", 0.7, 0.9),))
        event = Incident("INC-1", "main.t", "2013-02-09", "opened", "t", ("rule.r",), (), (), Change.OTHER, 5.0, True)
        (alone,) = illustrate(event, [broken], given, tmp_path, swarm=False)
        assert "at from 05:00 to 08:00" in alone[1]
        bare = finding("rule.r", "rule")
        assert list(illustrate(event, [bare], given, tmp_path, swarm=False)) == []  # the rows of the table say nothing


def test_days_that_came_and_the_moments_since() -> None:
    detail = {"latest": "2013-02-08T23:00:00+00:00", "due": "2013-02-10T06:00:00+00:00"}
    told = views.arrivals(
        finding("freshness", "freshness", detail=detail, observation=Observation("rows", 0.0)), sources()
    )
    assert told is not None
    assert [came for _, came in told.days] == [True] * 8 + [False]
    assert [hours for _, hours in told.marks] == [0.0, 25.0, 31.0]


def test_what_failed_before_is_shown_by_day() -> None:
    found = finding("nulls.x", "nulls")
    event = Incident(
        "INC-1", "main.t", "2013-02-09", "opened", "", ("nulls.x",), ("x",), (), Change.NULLS_UP, 5.0, True
    )
    told = views.calendar(event, [found], sources(failed=frozenset({"nulls.x"})))
    assert told is not None
    assert told.rows == (("nulls.x", (0, 0, 0, 0, 3, 0, 0, 0, 4)),)
    assert views.calendar(event, [found], sources()) is None


@pytest.mark.parametrize(
    ("change", "facts", "said"),
    [
        ("values_new", {"values": [{"value": "ZZZ", "before": 0.0, "after": 0.4}]}, "ZZZ: new, 40% of rows today"),
        ("shift_up", {"median_before": 1.0}, "how far its values moved"),
        ("relation", {}, "before and today. Correlation of"),
        ("nulls_up", {"missing_before": 0.0, "missing_after": 0.5}, "missing: 0% before, 50% today"),
    ],
)
def test_the_picture_fits_the_finding(change: str, facts: dict[str, Any], said: str, tmp_path: Path) -> None:
    detail = {"columns": {"y": {"change": change, "effect": 0.4, **facts}}}
    found = finding("drift", "drift", columns=("y",), detail=detail, change=Change(change))
    event = Incident("INC-1", "main.t", "2013-02-09", "opened", "", ("drift",), ("y",), (), Change(change), 5.0, True)
    drawn = list(illustrate(event, [found], sources(), tmp_path, swarm=False))
    assert said in drawn[0][1]


def test_a_column_that_breaks_an_equation_is_drawn_beside_what_fits() -> None:
    doubled = {
        "target": "y",
        "terms": [{"column": "x", "sign": 1, "form": "value", "optional": False}],
        "is_product": True,
        "constant": 2.0,
    }
    equation = {**doubled, "tolerance": 3.0}
    today = frame(9)
    today.loc[today.index < 20, "y"] += 30.0
    told = views.as_it_should_be("y", equation, sources(today))
    assert told is not None
    assert told.title == "y beside what the others make it"
    assert told.equal == (1.0, 0.95)
    assert views.as_it_should_be("y", equation, sources(today.drop(columns="x"))) is None
    assert views.as_it_should_be("y", equation, replace(sources(today), samples=None)) is None
