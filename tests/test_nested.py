"""Names of paths, and what a sample of wild JSON says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.nested import (
    CELL_BYTES_MAX,
    DEPTH_MAX,
    LENGTH,
    PATHS_MAX,
    Steps,
    can_be_asked,
    differing,
    look_into,
    name_of,
    parse,
)
from monitor.types import Column, ColumnKind
from monitor.warehouses import open_warehouse
from monitor.warehouses.base import Warehouse
from monitor.warehouses.nested_sql import flattened, path_type

ODD = ["a", "A", "a b", "é", "日本", "", "'", '"', "\\", "#", "0", "*", "$", "a.b"]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
KEYS = TEXT | st.sampled_from(ODD)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
STEPS = st.lists(KEYS.filter(can_be_asked) | st.integers(0, 50) | st.just(LENGTH), min_size=1, max_size=5).map(tuple)
SETTLED = settings(deadline=None, derandomize=True, max_examples=120)


@SETTLED
@given(STEPS)
def test_a_name_means_the_path_that_it_was_made_of(steps: Steps) -> None:
    assert parse(name_of("payload", steps), ["id", "payload", "pay"]) == ("payload", steps)


@pytest.mark.parametrize(
    "name", ["payload", "payload.", "payload..a", "other.a", "payload[", "payload['']", "payload[x]"]
)
def test_what_is_no_path(name: str) -> None:
    assert parse(name, ["payload"]) is None


@SETTLED
@given(st.lists(VALUES.map(json.dumps) | st.text(max_size=20), max_size=30))
def test_any_cells_can_be_looked_into(texts: list[str]) -> None:
    look = look_into(texts)
    assert look is not None
    assert look.cells + look.invalid == len(texts)
    assert len(look.paths) <= PATHS_MAX
    for steps, seen in look.paths.items():
        assert 1 <= len(steps) <= DEPTH_MAX + 1
        assert 0 <= seen.nulls <= seen.cells <= look.cells
        assert seen.cells - seen.nulls == sum(seen.kinds.values())


@SETTLED
@given(VALUES, VALUES)
def test_cells_differ_where_their_values_do(a: Any, b: Any) -> None:
    assert not differing(json.dumps(a), json.dumps(a))
    assert set(differing(json.dumps(a), json.dumps(b))) == set(differing(json.dumps(b), json.dumps(a)))


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    found = open_warehouse("w", "duckdb:///:memory:")
    yield found
    found.close()


@settings(SETTLED, max_examples=30, phases=[Phase.generate])
@given(values=st.lists(VALUES, min_size=1, max_size=8))
def test_the_engine_reads_what_the_look_saw(values: list[Any], warehouse: Warehouse) -> None:
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    look = look_into(texts)
    assert look is not None
    payload = Column("payload", ColumnKind.TEXT, "VARCHAR")
    kinds = {ColumnKind.OTHER: ColumnKind.TEXT}
    paths = [
        Column(f"p{i}", kind := kinds.get(seen.kind, seen.kind), path_type("duckdb", kind), True, "payload", steps)
        for i, (steps, seen) in enumerate(look.paths.items())
    ]
    cells = ", ".join(f"({warehouse.literal(text)})" for text in texts)
    source = sa.text(f"SELECT * FROM (VALUES {cells}) AS t(payload)").columns(sa.column("payload")).subquery("t")
    rows = warehouse.fetch(warehouse.sql(flattened(source, "t", [payload], paths, "duckdb", ()).select())).to_pylist()
    for column, seen in zip(paths, look.paths.values(), strict=True):
        read = sum(row[column.name] is not None for row in rows)
        same = sum(seen.kinds.values()) if column.kind is ColumnKind.TEXT else seen.kinds.get(column.kind, 0)
        assert read == same, (column, texts)


def test_kinds_are_those_of_most_values() -> None:
    cells = [json.dumps({"n": i, "mixed": i if i % 2 else str(i), "none": None, "b": i % 2 == 0}) for i in range(100)]
    look = look_into(cells)
    assert look is not None
    kinds = {name_of("", steps)[1:]: seen.kind.value for steps, seen in look.paths.items()}
    assert kinds == {"n": "number", "mixed": "text", "none": "other", "b": "boolean"}


def test_text_that_is_no_json_is_not_looked_into() -> None:
    assert look_into(["hello", "{}", "5", ""] * 10, plain_text=True) is None
    assert look_into(['{"a": 1}'] * 10, plain_text=True) is not None


def test_keys_that_few_cells_share_are_not_told() -> None:
    cells = [json.dumps({"always": 1, f"user{i}@example.com": 2}) for i in range(1_000)]
    look = look_into(cells)
    assert look is not None
    assert list(look.paths) == [("always",)]


def test_depth_and_size_are_bounded() -> None:
    deep = '{"a": ' * 50_000 + "1" + "}" * 50_000
    wide = json.dumps({f"k{n}": n for n in range(20_000)})
    look = look_into([deep, wide, "[" * 100_000, json.dumps({"big": "x" * (2 * CELL_BYTES_MAX)})])
    assert look is not None
    assert len(look.paths) <= PATHS_MAX
