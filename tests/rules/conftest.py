"""A folder of fixtures, a file a kind: a small table, and rules on it with the bad rows each must find."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from monitor.config.rules import RuleEntry
from monitor.types import Evidence, Partition, Table, TimeColumn
from monitor.warehouses import DEFAULT_LIMITS
from monitor.warehouses.base import Warehouse
from tests.warehouses.conftest import ENGINES

KINDS_FOLDER = Path(__file__).parent / "kinds"
_TYPES = {
    "int": pa.int64(),
    "real": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us"),
    "bool": pa.bool_(),
}
_START = dt.datetime(2024, 3, 2, tzinfo=dt.UTC)
TODAY = Partition(_START.isoformat(), "2024-03-02", _START, _START + dt.timedelta(days=1))


@dataclass(frozen=True)
class Case:
    """One rule on one fixture's table, and what is expected of it."""

    kind: str
    number: int
    fixture: dict[str, Any]

    @property
    def expected(self) -> dict[str, Any]:
        return self.fixture["cases"][self.number]

    def rule(self, **settings: Any) -> dict[str, Any]:
        body = _named(self.expected["rule"], self.kind)
        given = {self.kind: body, "where": self.expected.get("where"), "name": "tried", **settings}
        return dict(RuleEntry.model_validate(given).normal())


def _named(body: Any, kind: str) -> Any:
    """Tables written {so} are those of the fixture."""
    if isinstance(body, dict):
        return {key: _named(value, kind) for key, value in body.items()}
    if isinstance(body, str):
        for name in fixture(kind).get("others", {}):
            body = body.replace("{" + name + "}", f"{kind}_{name}")
    return body


def fixture(kind: str) -> dict[str, Any]:
    return yaml.safe_load((KINDS_FOLDER / f"{kind}.yaml").read_text("utf-8"))


def cases() -> list[Case]:
    kinds = sorted(path.stem for path in KINDS_FOLDER.glob("*.yaml"))
    return [Case(kind, n, f) for kind in kinds for f in [fixture(kind)] for n in range(len(f["cases"]))]


def arrow(part: dict[str, Any]) -> pa.Table:
    columns = list(part["columns"].items())
    return pa.table({
        name: pa.array([_value(row[i], kind) for row in part["rows"]], type=_TYPES[kind])
        for i, (name, kind) in enumerate(columns)
    })  # fmt: skip


def _value(value: Any, kind: str) -> Any:
    if kind == "time" and isinstance(value, str):
        return dt.datetime.fromisoformat(value)
    return str(value) if kind == "text" and value is not None else value


def tables() -> dict[str, pa.Table]:
    found = {}
    for path in sorted(KINDS_FOLDER.glob("*.yaml")):
        part = yaml.safe_load(path.read_text("utf-8"))
        found[f"{path.stem}_t"] = arrow(part)
        found |= {f"{path.stem}_{name}": arrow(other) for name, other in part.get("others", {}).items()}
    return found


@pytest.fixture(scope="module", params=[name for name in ENGINES if name != "postgresql_psycopg"])
def warehouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = ENGINES[request.param](request, tmp_path_factory.mktemp(request.param), tables(), DEFAULT_LIMITS)
    yield opened
    opened.close()


def table_for(warehouse: Warehouse, kind: str, *rules: dict[str, Any], **settings: Any) -> Table:
    part = fixture(kind)
    path = (f"{kind}_t",)
    form = warehouse.time_form(path, part["time"]) if "time" in part else None
    time = TimeColumn(part["time"], form) if form else None
    return Table(
        f"main.{kind}_t",
        "main",
        path,
        warehouse.columns(path),
        time,
        rules=rules,
        dialect=warehouse.dialect,
        **settings,
    )


def judge_rules(warehouse: Warehouse, table: Table, partition: Partition = TODAY) -> list[Evidence]:
    """What the check says, by the way that a run goes."""
    from checks.rules import Rules
    from monitor.asking import measure_all
    from monitor.types import Aggregate, Series

    inputs = [needed for needed in Rules().inputs(table) if isinstance(needed, Aggregate)]
    answers = measure_all(warehouse, table, partition, [needed.measure for needed in inputs])
    values = {n: Series(answers[n.measure], error=answers.errors.get(n.measure)) for n in inputs}
    return list(Rules().evaluate(table, partition, values))
