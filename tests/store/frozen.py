"""Stores of each schema version, frozen with their data: `python -m tests.store.frozen` freezes the newest one.

A file of `versions/` holds the rows of every table, and what the store told of them through its own interface.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from monitor.store import FeedbackAction, KeptSample, Measured, Receipt, Revised, Store
from monitor.store.migrate import HEAD
from monitor.store.models import VERSION_TABLE
from monitor.types import Column, ColumnKind, Cost, Grouped

VERSIONS = Path(__file__).parent / "versions"
LATER = dt.timedelta(minutes=5)


def live(store: Store, make: Any) -> None:
    """Something of everything that a store keeps."""
    columns = (Column("id", ColumnKind.NUMBER, "BIGINT", False), Column("name", ColumnKind.TEXT, "VARCHAR"))
    past = [Measured(make.day(n), {"rows": 800.0 + n}, {"volume": 0.1}, schema=columns) for n in range(3)]
    store.record_backfill("main.flights", past, make.now)
    for number, key, event in ((3, "new:0", "opened"), (4, "INC-1", "worsened"), (5, "INC-1", "continued")):
        run = make.bad_run(number, key, event, values={"rows": 842.5, "mean.x": None}, scores={"drift": 0.25})
        run = dataclasses.replace(run, schema=columns, cost=Cost(3, 842, 10_000), seconds=1.5)
        store.record(dataclasses.replace(run, deliveries=run.deliveries if event != "continued" else ()))
    store.record(make.run(6, values={"rows": 900.0}, surprises={"drift": 1.5}))
    store.record(make.run(6, values={"rows": 901.0}))
    store.feedback("INC-1", FeedbackAction.ASSIGN, now=make.now, who="@ana", note="läuft")
    store.feedback(
        "INC-1", FeedbackAction.NOISE, now=make.now, who="@bob", by="@bob", link="https://chat/1", press="p1"
    )
    taken = store.take(1, make.now)
    store.delivered(taken[0].alert, make.now + LATER, "receipt-1")
    store.spend(Receipt("main", None, "poll", Cost(2, 500, None), 0.25), make.now)
    store.meet_warehouse("main", "postgresql://db/sales", make.now)
    readings = {make.day(2).order: {"carrier": Grouped(800.0, {("UA",): (500.0,), "#3f": (12.0,)})}}
    store.record_groups("main.flights", readings, make.now)
    seen = make.run(8, values={"rows": 902.0})
    store.record(dataclasses.replace(seen, sample=KeptSample(b"\x00looked", 3, 30)))
    store.claim("main.flights", make.day(7).order, "one", make.now, 60)
    rule = Revised("main.flights:rule.a", "main.flights", "rule.a", {"settings": {"tolerance": 0.5}})
    store.apply([rule], [{"change": "added", "id": rule.id}], base=0, author="ana", now=make.now)
    edited = dataclasses.replace(rule, before=rule.id, edited=True)
    store.apply([edited], [{"change": "edited", "id": rule.id}], base=1, author="bob", now=make.now + LATER)


def told(store: Store, now: dt.datetime) -> dict[str, Any]:
    """What the store tells, as JSON."""
    answers = {
        "history": store.history("main.flights"),
        "findings": store.findings("main.flights", latest=False),
        "incidents": store.incidents("main.flights"),
        "events": store.incident_events("INC-1"),
        "feedback": store.feedback_on("INC-1"),
        "pending": store.pending(10, now + 3 * LATER),
        "status": store.status_rows(),
        "costs": store.costs(),
        "spent": store.spent(),
        "groups": {
            order: str(found) for order, found in store.groups("main.flights", ["carrier"], "", "~")["carrier"].items()
        },
        "samples": {o: str(d) for o, d in store.samples("main.flights", store.sampled("main.flights")).items()},
        "declared": store.declared("main.flights"),
        "applications": store.applications(),
        "chronicle": store.chronicle("INC-1"),
        "cautions": store.cautions("main.flights"),
        "holder": store.holder("main.flights", "2013-01-08T00:00:00+00:00"),
    }
    plain: dict[str, Any] = json.loads(json.dumps(answers, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else str(value)


def rows_of(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the store but the one that names its version."""
    tables = sa.MetaData()
    tables.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
        for table in tables.sorted_tables
        if table.name != VERSION_TABLE
    }


def thaw(connection: sa.Connection, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Put the frozen rows into the tables of their version, which are there and empty."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name == VERSION_TABLE:
            continue
        connection.execute(table.delete())
        if rows[table.name]:
            connection.execute(table.insert(), [_typed(table, row) for row in rows[table.name]])
        if connection.dialect.name == "postgresql" and "id" in table.c:
            counter = f"pg_get_serial_sequence('{table.name}', 'id')"
            newest = f"(SELECT coalesce(max(id), 1) FROM {table.name})"
            connection.execute(sa.text(f"SELECT setval({counter}, {newest})"))


def _typed(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.c if isinstance(column.type, sa.DateTime)}
    packed = {column.name for column in table.c if isinstance(column.type, sa.LargeBinary)}
    return {
        name: ast.literal_eval(value) if name in packed else _instant(value) if name in times and value else value
        for name, value in row.items()
    }


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def still(now: Any, then: Any) -> bool:
    """Whether all that was told then is told now; later versions may tell more."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and still(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(still, now, then))
    return bool(now == then)


def freeze(make: Any) -> dict[str, Any]:
    """The newest version, lived in and frozen."""
    with Store.open("sqlite://") as store:
        live(store, make)
        answers = told(store, make.now)
        with store._engine.connect() as connection:
            rows = rows_of(connection)
    return {"version": HEAD, "rows": json.loads(json.dumps(rows, default=str)), "told": answers}


if __name__ == "__main__":
    from tests.store.conftest import Builders

    target = VERSIONS / f"{HEAD}.json"
    target.write_text(json.dumps(freeze(Builders()), indent=1, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(f"{target}\n")
