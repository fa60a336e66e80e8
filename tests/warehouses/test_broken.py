"""The rows that break a rule are found where they are, on every engine, by every kind of rule that has such rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitor.broken import find_broken
from monitor.config.rules import RelationEntry, RuleEntry
from monitor.types import Evidence, Table

ROWS = 6_000
DAY = dt.datetime.fromisoformat("2024-03-01")
Load = Callable[..., Any]
PYTHON = """
from daywatch import rule

@rule(columns=["weight"])
def heavy(rows):
    return rows["weight"] > 0
"""


def parcels(share: float = 0.6) -> pd.DataFrame:
    """What is wrong with a row is wrong in one depot and one shift alone: 60% of their rows, and a few elsewhere."""
    random = np.random.default_rng(5)
    depot = random.choice(["north", "south", "east", "west"], ROWS)
    shift = random.choice(["day", "night"], ROWS)
    inside = (depot == "east") & (shift == "night")
    bad = (inside & (random.random(ROWS) < share)) | (random.random(ROWS) < 0.002)
    number = np.arange(ROWS)
    since = [DAY + dt.timedelta(days=int(n)) for n in number]
    return pd.DataFrame(
        {
            "at": [DAY + dt.timedelta(seconds=int(s)) for s in np.sort(random.integers(0, 86_400, ROWS))],
            "depot": depot,
            "shift": shift,
            "carrier": np.where(bad, "nobody", "dhl"),
            "weight": np.where(bad, -1.0, random.gamma(2, 10, ROWS)),
            "zip": np.where(bad, "12", [f"{n:05d}" for n in random.integers(10_000, 99_999, ROWS)]),
            "since": since,
            "until": [s + dt.timedelta(hours=68 if b else 20) for s, b in zip(since, bad, strict=True)],
            "is_bad": bad,
        }
    )


FRAME = parcels()
HIT = FRAME["is_bad"].to_numpy()
INSIDE = ((FRAME["depot"] == "east") & (FRAME["shift"] == "night")).to_numpy()
RULES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "in_range": ({"in_range": {"column": "weight", "min": 0}}, ("weight",)),
    "in_set": ({"in_set": {"column": "carrier", "values": ["dhl", "ups"]}}, ("carrier",)),
    "matches_regex": ({"matches_regex": {"column": "zip", "regex": "^[0-9]{5}$"}}, ("zip",)),
    "sql": ({"sql": "weight > 0 AND carrier <> 'nobody'"}, ("weight", "carrier")),
    "if_then": ({"if_then": {"if": "carrier = 'nobody'", "then": "weight > 0"}}, ("weight", "carrier")),
    "references": ({"references": {"column": "carrier", "to": "{carriers}.id"}}, ("carrier",)),
    "no_overlap": ({"no_overlap": {"start": "since", "end": "until"}}, ("since", "until")),
    "query": ({"query": {"sql": "SELECT * FROM {rows} AS day WHERE depot = 'east' AND note < 0"}}, ("note",)),
    "all_rows": ({"all_rows": {"in_range": {"column": "weight", "min": 0}}}, ("weight",)),
}
"""By kind: a rule, and the columns that it is about: any other that is wrong on the same rows would say where."""


def opened(load: Load, table_of: Load, *columns: str, **changed: Any) -> tuple[Any, Table]:
    """The parcels with the places and so many columns besides."""
    frame = FRAME.assign(**changed)[["at", "depot", "shift", *columns, *changed]]
    return stored(load, table_of, frame)


def stored(load: Load, table_of: Load, frame: pd.DataFrame) -> tuple[Any, Table]:
    carriers = pa.table({"id": pa.array(["dhl", "ups"])})
    warehouse = load({"parcels": pa.Table.from_pandas(frame, preserve_index=False), "carriers": carriers})
    return warehouse, replace(table_of(warehouse, "parcels", "at"), dialect=warehouse.dialect)


def carriers(table: Table) -> str:
    """The name of the other table, as a configuration writes it."""
    return ".".join((table.warehouse, *table.path[:-1], "carriers"))


def ask(warehouse: Any, table: Table, entry: dict[str, Any], **more: Any) -> Any:
    rule = dict(RuleEntry.model_validate({"name": "tried", **entry}).normal())
    asked = replace(table, rules=(rule,), **more)
    evidence = Evidence("rule.tried", "rule", 1.0, exact=True, detail={"bad": float(HIT.sum()), "rows": float(ROWS)})
    return find_broken(warehouse, asked, warehouse.partition(asked, "2024-03-01"), evidence)


def quoted(warehouse: Any, **values: str) -> set[str]:
    return {f"{warehouse.identifier(name)} = '{value}'" for name, value in values.items()}


@pytest.mark.parametrize("kind", RULES)
def test_the_place_of_bad_rows_is_found_and_counted_on_every_row(load: Load, table_of: Load, kind: str) -> None:
    entry, columns = RULES[kind]
    more = {"note": np.where(HIT, -1.0, 1.0)} if kind == "query" else {}
    warehouse, table = opened(load, table_of, *(c for c in columns if c not in more), **more)
    if kind == "references":
        entry = {"references": {"column": "carrier", "to": f"{carriers(table)}.id"}}
    if kind == "query":
        table = replace(table, ignore_columns=frozenset({"note"}))
    found = ask(warehouse, table, entry)
    assert found, kind
    assert set(found[0].where.split(" AND ")) == quoted(warehouse, depot="east", shift="night")
    assert found[0].rows == int(INSIDE.sum())
    assert warehouse.count(table, None, found[0].where) == found[0].rows
    if kind not in ("no_overlap", "query"):  # which select other rows than those that are wrong
        hits = int((HIT & INSIDE).sum())
        assert found[0].precision == round(hits / INSIDE.sum(), 3)
        assert found[0].recall == round(hits / HIT.sum(), 3)


def test_keys_that_come_twice_are_found_too(load: Load, table_of: Load) -> None:
    twice = FRAME[["at", "depot", "shift"]].assign(parcel=np.random.default_rng(1).permutation(ROWS))
    extra = twice[INSIDE].sample(200, random_state=1)
    warehouse, table = stored(load, table_of, pd.concat([twice, extra]))
    (found,) = ask(warehouse, table, {"unique": "parcel"})
    assert set(found.where.split(" AND ")) == quoted(warehouse, depot="east", shift="night")
    assert (found.rows, found.recall) == (int(INSIDE.sum()) + 200, 1.0)
    assert found.precision == round(400 / found.rows, 3)


def test_only_rows_that_the_rule_is_about_are_looked_at(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of, "weight")
    entry = {"in_range": {"column": "weight", "min": 0}, "where": "shift = 'night'"}
    (found, *_) = ask(warehouse, table, entry)
    assert set(found.where.split(" AND ")) == quoted(warehouse, depot="east")
    assert found.rows == int(INSIDE.sum())


def test_bad_rows_that_are_all_over_have_no_place(load: Load, table_of: Load) -> None:
    random = np.random.default_rng(9)
    warehouse, table = opened(load, table_of, weight=np.where(random.random(ROWS) < 0.1, -1.0, 1.0))
    assert ask(warehouse, table, RULES["in_range"][0]) == ()


def test_a_relation_tells_where_its_orphans_are(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of, "carrier")
    entry = {"column": "carrier", "references": f"{carriers(table)}.id", "name": "known"}
    relation = RelationEntry.model_validate(entry).normal()
    detail = {"bad": float(HIT.sum()), "rows": float(ROWS)}
    asked = replace(table, relations=(relation,))
    day = warehouse.partition(asked, "2024-03-01")
    found = find_broken(warehouse, asked, day, Evidence("relation.known", "relation", 1.0, detail=detail))
    assert set(found[0].where.split(" AND ")) == quoted(warehouse, depot="east", shift="night")
    fan_out = Evidence("relation.known.fan_out", "relation", 1.0, detail=detail)
    assert find_broken(warehouse, asked, day, fan_out) == ()


def test_a_function_tells_by_the_rows_that_it_is_given(load: Load, table_of: Load, tmp_path: Path) -> None:
    warehouse, table = opened(load, table_of, "weight")
    (tmp_path / "rules.py").write_text(PYTHON)
    (found, *_) = ask(warehouse, table, {"python": f"{tmp_path / 'rules.py'}:heavy"})
    assert set(found.where.split(" AND ")) == quoted(warehouse, depot="east", shift="night")
    assert found.rows == int(INSIDE.sum())


def test_what_has_no_bad_rows_and_what_the_engine_refuses_tells_nothing(load: Load, table_of: Load) -> None:
    warehouse, table = opened(load, table_of, "weight")
    for entry in (
        {"row_count": {"min": 10}},
        {"has_values": {"column": "depot", "values": ["x"]}},
        {"query": {"sql": "SELECT depot FROM {rows} AS day GROUP BY depot"}},
        {"query": {"sql": "SELECT COUNT(*) FROM {rows} AS day", "max": 3}},
        {"sql": "no_such_column > 0"},
        {"in_range": {"column": "weight", "min": 0}},  # and the engine still answers what follows
    ):
        assert bool(ask(warehouse, table, entry)) == ("in_range" in entry), entry


def test_rare_values_are_not_told(load: Load, table_of: Load) -> None:
    rare = np.arange(ROWS) % 500 == 0
    frame = FRAME[["at", "shift"]].assign(depot=np.where(rare, "secret", "north"), weight=np.where(rare, -1.0, 1.0))
    found = ask(*stored(load, table_of, frame), RULES["in_range"][0])
    assert "secret" not in str(found)
