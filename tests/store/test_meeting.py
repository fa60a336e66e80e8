"""A store knows where each warehouse was seen last, and says so when it is seen elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.errors import UsageError
from monitor.store import Store
from monitor.store import migrate as steps
from monitor.store.engine import connect, for_writing, parse_url
from tests.store.frozen import VERSIONS, rows_of, thaw

HOUR = dt.timedelta(hours=1)
ONE, OTHER = "postgresql://db/sales", "postgresql://db/shop"


def rows(store: Store) -> dict[str, tuple[str, dt.datetime, dt.datetime]]:
    with store._engine.connect() as connection:
        found = rows_of(connection)["daywatch_warehouses"]
    return {row["name"]: (row["address"], _utc(row["first_seen"]), _utc(row["last_seen"])) for row in found}


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def test_one_that_stays_is_never_told(store: Store, make: Any) -> None:
    assert [store.meet_warehouse("main", ONE, make.now + n * HOUR) for n in range(3)] == [None] * 3
    assert rows(store) == {"main": (ONE, make.now, make.now + 2 * HOUR)}


def test_one_that_moves_is_told_once(store: Store, make: Any) -> None:
    store.meet_warehouse("main", ONE, make.now)
    assert store.meet_warehouse("main", OTHER, make.now + HOUR) == ONE
    assert store.meet_warehouse("main", OTHER, make.now + 2 * HOUR) is None
    assert rows(store) == {"main": (OTHER, make.now + HOUR, make.now + 2 * HOUR)}


def test_two_that_take_turns_are_told_at_each_turn(store: Store, make: Any) -> None:
    told = [store.meet_warehouse("main", address, make.now) for address in (ONE, OTHER, ONE, OTHER)]
    assert told == [None, ONE, OTHER, ONE]


def test_names_are_known_apart(store: Store, make: Any) -> None:
    assert store.meet_warehouse("main", ONE, make.now) is None
    assert store.meet_warehouse("lake", OTHER, make.now) is None
    assert store.meet_warehouse("main", ONE, make.now) is None


@pytest.mark.parametrize("before", [None, "postgresql://db/old"])
def test_of_two_that_meet_at_once_one_hears_of_the_other(store: Store, before: str | None, make: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            if before is not None:
                store.meet_warehouse(f"w{number}", before, make.now)
            pair = [pool.submit(store.meet_warehouse, f"w{number}", address, make.now) for address in (ONE, OTHER)]
            told = [each.result() for each in pair]
            assert told in ([before, ONE], [OTHER, before])


def test_a_store_for_reading_only_remembers_nothing(store: Store, store_url: str, make: Any) -> None:
    with Store.open(store_url, read_only=True) as reader, pytest.raises(UsageError, match="reading only"):
        reader.meet_warehouse("main", ONE, make.now)
    assert rows(store) == {}


@pytest.mark.parametrize(("revision", "known"), [("0002", None), ("0003", ONE)])
def test_what_an_older_store_knows_is_kept(store_url: str, revision: str, known: str | None, make: Any) -> None:
    engine: sa.Engine = connect(parse_url(store_url), read_only=False)
    frozen = json.loads((VERSIONS / f"{revision}.json").read_text("utf-8"))
    with for_writing(engine).begin() as connection:
        steps.upgrade(connection, revision)
        thaw(connection, frozen["rows"])
    engine.dispose()
    with Store.open(store_url) as store:
        assert store.meet_warehouse("main", OTHER, make.now) == known
