from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from monitor.store import CostSum, Delivery, Measured, Store
from monitor.types import (
    Change,
    Column,
    ColumnKind,
    Cost,
    Observation,
    Partition,
    Segment,
    Status,
)

COLUMNS = (Column("id", ColumnKind.NUMBER, "BIGINT", nullable=False), Column("naïve 名", ColumnKind.TEXT, "VARCHAR"))


def test_what_was_measured_comes_back(store: Store, make: Any) -> None:
    store.record(
        make.run(
            values={"rows": 842.0, "mean.x": None},
            scores={"drift": 0.25},
            surprises={"drift": 1.5},
            schema=COLUMNS,
            findings=[make.finding(check="drift"), make.finding("new:1", "volume", status=Status.PASS)],
        )
    )
    (past,) = store.history("main.flights")
    assert past.partition == make.day(0)
    assert past.values == {"rows": 842.0, "mean.x": None}
    assert past.scores == {"drift": 0.25}
    assert past.surprises == {"drift": 1.5}
    assert past.failed == {"drift"}
    assert past.schema == COLUMNS
    assert (past.source, past.revision, past.expected) == ("run", 1, False)


def test_history_ends_before_and_keeps_the_newest(store: Store, make: Any) -> None:
    for number in (3, 1, 2, 0):
        store.record(make.run(number))
    orders = [past.partition.order for past in store.history("main.flights", before=make.day(3).order, limit=2)]
    assert orders == [make.day(1).order, make.day(2).order]
    assert store.history("main.other") == []


def test_partitions_sort_by_bytes_whatever_the_locale(store: Store, make: Any) -> None:
    orders = ["a", "B", "_", "Z", "é", "0", "10", "9"]
    for order in orders:
        store.record(make.run(partition=Partition(order, order, value=order)))
    assert [past.partition.order for past in store.history("main.flights")] == sorted(orders)
    assert [past.partition.order for past in store.history("main.flights", before="a")] == sorted(orders)[:6]


@pytest.mark.parametrize("start", ["2013-03-31T00:00", "2013-10-27T00:00", "2013-10-20T00:00", "2013-07-01T00:00"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "UTC", "Asia/Kolkata"])
def test_partitions_keep_their_zone(store: Store, make: Any, zone: str, start: str) -> None:
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    partition = Partition(begin.astimezone(dt.UTC).isoformat(), start, begin, begin + dt.timedelta(days=1))
    store.record(make.run(partition=partition))
    (past,) = store.history("main.flights")
    assert past.partition == partition
    assert past.partition.start is not None
    assert past.partition.start.tzinfo is begin.tzinfo
    assert past.partition.start.utcoffset() == begin.utcoffset()


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_is_told_apart(store: Store, make: Any, fold: int) -> None:
    begin = dt.datetime(2013, 10, 27, 2, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    store.record(make.run(partition=Partition(begin.astimezone(dt.UTC).isoformat(), "hour", begin)))
    (past,) = store.history("main.flights")
    assert past.partition.start is not None
    assert past.partition.start.astimezone(dt.UTC) == begin.astimezone(dt.UTC)


@pytest.mark.parametrize("value", [17, 2**80, "north", None])
def test_partitions_by_id(store: Store, make: Any, value: int | str | None) -> None:
    partition = Partition("00017", "17", value=value)
    store.record(make.run(partition=partition))
    assert [past.partition for past in store.history("main.flights")] == [partition]


def test_what_is_not_finite(store: Store, make: Any) -> None:
    store.record(make.run(values={"a": math.nan, "b": math.inf, "c": np.float64(1.5)}))
    assert store.history("main.flights")[0].values == {"a": None, "b": None, "c": 1.5}
    for name, score in (("scores", math.nan), ("scores", math.inf), ("surprises", math.nan)):
        with pytest.raises(ValueError, match=r"of check drift is (nan|inf)"):
            store.record(make.run(1, **{name: {"drift": score}}))
    assert len(store.history("main.flights")) == 1


def test_findings_come_back_whole(store: Store, make: Any) -> None:
    whole = make.finding(
        segments=(Segment("origin = 'LGA'", 0.93, math.nan, 402),),
        sql_bad="SELECT 1",
        sql_good="SELECT 2",
        pictures=("a.png",),
        seconds=1.9,
        threshold=math.inf,
        cost=Cost(3, 10_964, None),
        observation=Observation("NULLs", 0.4, 0.01, None, 0.02, "%"),
        detail={"list": [1, 2], "nested": {"a": None}},
    )
    (stored,) = store.record(make.run(findings=[whole])).findings
    back = store.finding(stored.id)
    assert back is not None
    assert repr(back) == repr(replace(whole, id="F-1"))  # by repr, because NaN equals nothing
    assert store.finding("F-99") is None
    assert store.finding("nonsense") is None


def test_details_may_hold_what_checks_compute_with(store: Store, make: Any) -> None:
    detail = {
        "share": np.float32(0.5),
        "rows": np.int64(7),
        "flag": np.bool_(True),
        "price": Decimal("1.25"),
        "day": dt.date(2013, 2, 8),
        "names": {"b", "a"},
        "change": Change.LATE,
        "segment": Segment("x", 1.0, 1.0, 1),
        1: "one",
    }
    store.record(make.run(findings=[make.finding(detail=detail)]))
    assert store.findings()[0].detail == {
        "share": 0.5,
        "rows": 7,
        "flag": True,
        "price": 1.25,
        "day": "2013-02-08",
        "names": ["a", "b"],
        "change": "late",
        "segment": {"where": "x", "precision": 1.0, "recall": 1.0, "rows": 1, "same": []},
        "1": "one",
    }


@pytest.mark.parametrize("rows", [pd.DataFrame({"a": [1]}), pd.Series([1]), np.array([1, 2])])
def test_rows_of_tables_are_refused(store: Store, make: Any, rows: Any) -> None:
    with pytest.raises(TypeError, match="cannot enter the store"):
        store.record(make.run(findings=[make.finding(detail={"rows": rows})]))
    assert store.history("main.flights") == []


@pytest.mark.parametrize(
    "text", ["Ünïcödé 名前 🙂", "x" * 2_000_000, "\x00 NUL", "\ud800 alone", "'; DROP TABLE x; --"]
)
def test_any_text_survives(store: Store, make: Any, text: str) -> None:
    store.record(
        make.bad_run(
            values={text: 1.0},
            findings=[make.finding(incident="new:0", summary=text)],
            incidents=[make.incident(title=text)],
            deliveries=[Delivery("new:0", "folder", {"text": text})],
            schema=(Column(text, ColumnKind.TEXT, "VARCHAR"),),
        )
    )
    (past,) = store.history("main.flights")
    assert past.values == {text: 1.0}
    assert past.schema is not None
    assert past.schema[0].name == text
    assert store.findings()[0].summary == text
    assert store.incidents()[0].title == text
    assert store.pending(1, make.now)[0].payload == {"text": text}


def test_ids_are_given_in_order_and_replace_keys(store: Store, make: Any) -> None:
    recorded = store.record(
        make.run(
            findings=[make.finding("new:0", incident="new:b"), make.finding("new:1", "volume", incident="new:a")],
            incidents=[make.incident("new:a", findings=("new:1",)), make.incident("new:b", findings=("new:0",))],
            deliveries=[
                Delivery("new:b", "folder", {"incident": "new:b", "deep": [{"findings": ["new:0"], "text": "new:b"}]})
            ],
        )
    )
    assert [finding.id for finding in recorded.findings] == ["F-1", "F-2"]
    assert [finding.incident for finding in recorded.findings] == ["INC-2", "INC-1"]
    assert [incident.incident for incident in recorded.incidents] == ["INC-1", "INC-2"]
    assert [incident.findings for incident in recorded.incidents] == [("F-2",), ("F-1",)]
    (item,) = store.pending(10, make.now)
    assert item.payload == {"incident": "INC-2", "deep": [{"findings": ["F-1"], "text": "new:b"}]}
    assert (item.incident, item.event, item.channel, item.partition) == ("INC-2", "opened", "folder", "2013-01-01")
    assert recorded.alerts == (item.alert,)
    assert store.record(make.run(1, findings=[make.finding()])).findings[0].id == "F-3"


def test_a_rerun_appends_a_revision_and_doubles_no_alert(store: Store, make: Any) -> None:
    first = store.record(make.bad_run())
    again = store.record(make.bad_run())
    assert (first.revision, again.revision) == (1, 2)
    assert again.incidents[0].incident == first.incidents[0].incident
    assert again.findings[0].id != first.findings[0].id
    assert again.alerts == ()
    assert len(store.pending(10, make.now)) == 1
    assert [finding.id for finding in store.findings("main.flights")] == ["F-2"]
    assert [finding.id for finding in store.findings("main.flights", latest=False)] == ["F-1", "F-2"]
    assert len(store.incidents("main.flights")) == 1
    assert [past.revision for past in store.history("main.flights")] == [2]


def test_a_rerun_tells_two_incidents_of_one_day_apart(store: Store, make: Any) -> None:
    nulls = make.incident("new:0", columns=("dep_time", "arr_time"))
    drift = make.incident("new:1", columns=("carrier",), checks=("drift",), change=Change.VALUES_NEW)
    store.record(make.run(incidents=[nulls, drift]))
    twisted = [replace(drift, incident="new:0"), replace(nulls, incident="new:1", columns=("dep_time",))]
    other = make.incident("new:2", columns=("tailnum",), checks=("duplicates",), change=Change.DUPLICATES)
    again = store.record(make.run(incidents=[*twisted, other]))
    assert [incident.incident for incident in again.incidents] == ["INC-2", "INC-1", "INC-3"]


def test_a_rerun_that_is_well_takes_the_incident_back(store: Store, make: Any) -> None:
    store.record(make.bad_run())
    store.record(make.run(findings=[make.finding(status=Status.PASS)]))
    assert store.incidents() == []
    assert store.history("main.flights")[0].failed == frozenset()
    assert store.record(make.bad_run()).incidents[0].incident == "INC-1"


def test_a_new_channel_on_a_rerun_gets_its_alert(store: Store, make: Any) -> None:
    store.record(make.bad_run(deliveries=[]))
    assert len(store.record(make.bad_run()).alerts) == 1
    assert len(store.record(make.bad_run(deliveries=[Delivery("new:0", "folder")])).alerts) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"findings": [{"incident": "new:7"}]},
        {"deliveries": [Delivery("new:7", "folder")]},
        {"incidents": [{"findings": ("new:7",)}]},
        {"incidents": [{}, {}]},
        {"findings": [{}, {}]},
        {"incidents": [{"key": "INC-7"}]},
    ],
)
def test_keys_that_name_nothing_are_refused(store: Store, make: Any, broken: dict[str, Any]) -> None:
    builders = {"findings": make.finding, "incidents": make.incident}
    parts = {name: [builders[name](**p) if name in builders else p for p in some] for name, some in broken.items()}
    with pytest.raises(ValueError, match=r"new:7|INC-7|the same"):
        store.record(make.run(**parts))
    assert store.history("main.flights") == []


def test_an_incident_of_another_table_is_unknown(store: Store, make: Any) -> None:
    store.record(make.bad_run())
    with pytest.raises(ValueError, match=r"main\.planes has no incident INC-1"):
        store.record(make.bad_run(1, "INC-1", "continued", table="main.planes"))


def test_backfill_fills_gaps_only(store: Store, make: Any) -> None:
    store.record(make.run(1, values={"rows": 5.0}))
    rows = [
        Measured(make.day(number), {"rows": 1.0}, schema=COLUMNS, failed=frozenset({"volume"})) for number in range(4)
    ]
    assert store.record_backfill("main.flights", rows, make.now) == 3
    assert store.record_backfill("main.flights", rows, make.now) == 0
    assert store.record_backfill("main.flights", [], make.now) == 0
    past = store.history("main.flights")
    assert [(p.source, p.values["rows"], p.revision) for p in past] == [
        ("backfill", 1.0, 1),
        ("run", 5.0, 1),
        ("backfill", 1.0, 1),
        ("backfill", 1.0, 1),
    ]
    assert past[0].failed == {"volume"}
    assert past[0].schema == COLUMNS


def test_scores_that_come_later_are_merged(store: Store, make: Any) -> None:
    first, second = make.day(0), make.day(1)
    store.record_backfill("main.flights", [Measured(first, {"rows": 1.0}, {"nulls.a": 0.5})], make.now)
    store.record(make.bad_run(1, scores={"volume": 0.1}, cost=Cost(2, 10, None)))
    late = {first.order: {"drift": 0.2}, second.order: {"drift": 0.3}, make.day(9).order: {"drift": 0.4}}
    assert store.update_scores("main.flights", late, make.now, surprises={first.order: {"drift": 1.0}}) == 2
    assert store.update_scores("main.flights", late, make.now) == 0
    past = store.history("main.flights")
    assert [p.scores for p in past] == [{"nulls.a": 0.5, "drift": 0.2}, {"volume": 0.1, "drift": 0.3}]
    assert [(p.source, p.revision) for p in past] == [("backfill", 2), ("run", 2)]
    assert past[0].surprises == {"drift": 1.0}
    assert past[0].values == {"rows": 1.0}
    assert past[1].failed == {"nulls.dep_time"}
    assert len(store.findings("main.flights")) == 1  # judged once, and still so
    assert len(store.incidents("main.flights")) == 1
    assert store.costs("main.flights") == CostSum(1, 2, 10, None, 0.0)


def test_reading_a_past_takes_as_few_statements_as_one_day(store: Store, make: Any) -> None:
    counted: list[str] = []
    rows = [Measured(make.day(n), {f"nulls.c{i}": float(i) for i in range(50)}, schema=COLUMNS) for n in range(300)]
    store.record_backfill("main.flights", rows, make.now)

    def count(*arguments: Any) -> None:
        counted.append(arguments[2])

    sa.event.listen(store._engine, "before_cursor_execute", count)
    assert len(store.history("main.flights")) == 300
    assert len(counted) <= 4


def test_last_failures(store: Store, make: Any) -> None:
    for number in range(5):
        store.record(make.bad_run(number, incidents=[], deliveries=[], findings=[make.finding()]))
    store.record(make.run(3, findings=[make.finding(status=Status.PASS)]))
    check, end = "nulls.dep_time", make.day(4).order
    assert store.last_failures("main.flights", check, end, 2) == ["2013-01-03", "2013-01-02"]
    assert store.last_failures("main.flights", "volume", end) == []


def test_findings_by_table_and_partition(store: Store, make: Any) -> None:
    store.record(make.run(0, findings=[make.finding(partition="2013-01-01")]))
    store.record(make.run(1, findings=[make.finding(partition="2013-01-02")]))
    store.record(make.run(0, table="main.planes", findings=[make.finding(table="main.planes")]))
    assert [f.id for f in store.findings("main.flights", "2013-01-02")] == ["F-2"]
    assert [f.id for f in store.findings(partition="2013-01-01")] == ["F-1", "F-3"]
    assert [f.id for f in store.findings()] == ["F-1", "F-2", "F-3"]
