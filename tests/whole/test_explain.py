from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.errors import UsageError
from monitor.plots import BarsPicture, draw
from monitor.related import relate
from monitor.store import RunRecord, Store
from monitor.types import (
    Change,
    Cost,
    Finding,
    Incident,
    Observation,
    Partition,
    Priority,
    Segment,
    Severity,
    Status,
)
from monitor.whole.dossier import gather
from monitor.whole.page import render_page
from monitor.whole.telling import tell
from monitor.whole.terminal import print_dossier

NASTY = '<script>alert(1)</script> [bold]x[/bold] & "q"'
NOW = dt.datetime(2013, 2, 10, tzinfo=dt.UTC)


def partition(day: int) -> Partition:
    start = dt.datetime(2013, 2, day, tzinfo=dt.UTC)
    return Partition(start.isoformat(), f"2013-02-{day:02d}", start, start + dt.timedelta(days=1))


def finding(picture: str = "", table: str = "main.flights", **more: Any) -> Finding:
    base = Finding(
        "new:0", table, "2013-02-09", "drift", "drift", Status.FAIL, 0.41, 0.06, 6.2, Severity.STRONG, Priority.NORMAL,
        ("dep_time", "origin"), (Segment("origin = 'LGA'", 0.93, 0.88, 402),), f"dep_time is wrong {NASTY}",
        Change.NULLS_UP, "SELECT 1 < 2", "SELECT 2", (picture,) if picture else (), "new:0", 1.5, Cost(3, 900, None),
        Observation("divergence from past days", 0.41, unit="nats"),
        {
            "shares": {"dep_time": 0.9, "origin": 0.1}, "nats": {"dep_time": 0.4}, "total": 0.41, "rows_today": 900,
            "rows_past": 6000, "left_out": ["day"], "sample": [{"dep_time": "ana@example.com"}],
            "columns": {"dep_time": {"change": "values_new", "effect": 0.5,
                                     "values": [{"value": NASTY, "before": 0.0, "after": 0.5}]}},
        },
    )  # fmt: skip
    return replace(base, **more)


def incident(found: Finding, event: str = "opened") -> Incident:
    return Incident(
        "new:0", found.table, found.partition, event, f"dep_time is missing {NASTY}", (found.check,), found.columns,
        found.segments, found.change, 6.2, True, Severity.STRONG, found.partition, (found.id,),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/d.db") as opened:
        yield opened


def record(store: Store, found: Finding, day: int = 9) -> Finding:
    run = RunRecord(
        table=found.table, partition=partition(day), at=NOW, values={"rows": 900.0}, scores={},
        surprises={"drift": 6.2}, schema=(), findings=(found,), incidents=(incident(found),), deliveries=(),
        cost=found.cost, seconds=1.5,
    )  # fmt: skip
    return store.record(run).findings[0]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href")]
        if tag == "img":
            self.images.append(given)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_holds_everything_and_fetches_nothing(store: Store, tmp_path: Path) -> None:
    alt = draw(BarsPicture("dep_time: before and today", (("missing", 0.02, 0.54),)), tmp_path / "p.png")
    found = record(store, finding(str(tmp_path / "p.png")))
    page = Page(render_page(gather(store, found.id)))
    assert "script" not in page.tags
    assert [a for a in page.addresses if a != "data:,"]  # the last is no icon, so that none is asked for
    assert all(a.startswith("data:image/png;base64,") for a in page.addresses if a != "data:,")
    assert [image["alt"] for image in page.images] == [alt]
    told = " ".join(page.words)
    for words in (NASTY, "0.41 nats on rows it had not seen", "SELECT 1 < 2;", "origin = 'LGA'", "2013-02-09", "90.0%",
                  "3 queries, 900 rows, 1.5 s", "900 rows of this partition with 6,000"):  # fmt: skip
        assert words in told, words


def test_rows_are_shown_only_where_the_table_lets_them(store: Store) -> None:
    found = record(store, finding())
    assert "ana@example.com" not in render_page(gather(store, found.id))
    assert "ana@example.com" in render_page(gather(store, found.id, show_values=True))


def test_a_picture_that_is_gone_is_said_to_be(store: Store) -> None:
    found = record(store, finding("/nowhere/p.png"))
    page = Page(render_page(gather(store, found.id)))
    assert not page.images
    assert "The picture p.png is gone." in page.words


def test_an_incident_is_told_by_its_leading_finding(store: Store) -> None:
    found = record(store, finding())
    assert found.incident is not None
    assert gather(store, found.incident).finding.id == found.id
    with pytest.raises(UsageError, match="there is no finding F-999"):
        gather(store, "F-999")


def test_feedback_and_history_are_in_it(store: Store) -> None:
    for day in (7, 8):
        record(store, finding(partition=f"2013-02-{day:02d}"), day)
    found = record(store, finding())
    assert found.incident is not None
    store.feedback(found.incident, "acknowledge", now=NOW, who="ana", note="looking")
    sheets = {sheet.title: sheet for sheet in gather(store, found.id).sheets}
    assert ("2013-02-10 00:00", "ana", "acknowledge", "looking") in sheets["What people said"].rows
    assert sheets["This check on earlier partitions"].rows[0][:3] == ("2013-02-08", "fail", "6.2")


def test_the_terminal_reads_no_markup_and_a_pipe_gets_no_colour(store: Store) -> None:
    found = record(store, finding())
    stream = io.StringIO()
    print_dossier(gather(store, found.id), stream)
    told = re.sub(r"\s+", " ", stream.getvalue())
    assert "[bold]x[/bold]" in told
    assert "SELECT 1 < 2;" in told
    assert "\x1b" not in told


def test_tables_that_fail_together_refer_to_each_other(store: Store) -> None:
    flights = record(store, finding())
    planes = record(store, finding(table="main.planes", columns=("tailnum", "origin")))
    record(store, finding(table="main.other", columns=("price",)))
    record(store, finding(table="main.past", partition="2013-02-01"), 1)
    for mine, other in ((flights, planes), (planes, flights)):
        sheets = {sheet.title: sheet for sheet in gather(store, mine.id).sheets}
        rows = sheets["Other tables that failed with it"].rows
        assert [row[:3] for row in rows] == [(other.incident, other.table, "column origin")]


def test_a_declared_relation_comes_first(store: Store) -> None:
    flights = record(store, finding())
    record(store, finding(table="main.airports", columns=("origin",)))
    record(store, finding(table="main.planes", columns=("engine",)))
    told = relate(store.incidents(), flights, [{"column": "tailnum", "references": "main.planes.tailnum"}])
    assert [r.table for r in told] == ["main.planes", "main.airports"]
    assert told[0].why == "tailnum refers to main.planes.tailnum"


def test_tables_without_rows_on_the_same_day_are_told(store: Store) -> None:
    late = {"change": Change.LATE, "columns": (), "check": "freshness", "kind": "freshness"}
    flights = record(store, finding(**late))
    record(store, finding(table="main.planes", **late))
    assert [r.why for r in relate(store.incidents(), flights)] == ["the same change of all rows"]


def test_declared_relations_and_the_line_of_the_check_are_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "daywatch.yaml").write_text(
        "warehouses: {main: 'duckdb:///w.duckdb'}\n"
        "defaults: {show_values: true}\n"
        "tables:\n"
        "  - name: main.flights\n"
        "    relations: [{column: tailnum, references: main.planes.tailnum}]\n"
    )
    found = record(store, finding())
    record(store, finding(table="main.planes", columns=("model",)))
    told = tell(load_config(tmp_path / "daywatch.yaml"), store, found.id)
    (related,) = [sheet for sheet in told.sheets if sheet.title.startswith("Other tables")]
    assert related.rows[0][1:3] == ("main.planes", "tailnum refers to main.planes.tailnum")
    assert "daywatch.yaml:4" in dict(told.facts)["Configured"]
    assert any(sheet.title == "Some of the bad rows" for sheet in told.sheets)  # as the defaults say
    assert dict(told.keys)["Where"].startswith("origin = 'LGA': 402 rows; 93% of them are bad")
