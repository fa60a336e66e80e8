"""Two configurations that share a store, and call two warehouses by one name, hear of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.desk import Answer, Desk
from tests.postgres_server import Server

CONFIG = """warehouses: {{main: "{url}"}}
store: "{store}"
tables:
  - {{name: main.orders, time_column: d, automatic: false, rules: [{{not_null: n}}]}}
"""
MAKE = "CREATE TABLE orders AS SELECT DATE '2026-11-10' + CAST(g AS INT) AS d, g AS n FROM generate_series(0, 10) t(g)"
SAID = "warehouse main: this store knew it as "


def make_desk(folder: Path, store: str = "sqlite:///../daywatch.db", url: str = "duckdb:///shop.duckdb") -> Desk:
    folder.mkdir()
    desk = Desk(folder)
    if url.startswith("duckdb"):
        desk.sql(MAKE)
    return desk.write(CONFIG.format(url=url, store=store))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Desk, Desk]:
    return make_desk(tmp_path / "a"), make_desk(tmp_path / "b")


def warned(answer: Answer) -> list[str]:
    return [line for line in answer.err.splitlines() if line.startswith(SAID)]


def test_each_turn_is_told_and_the_run_goes_on(two: tuple[Desk, Desk]) -> None:
    one, other = two
    assert warned(one.judge()) == []
    for desk, before in ((other, one), (one, other), (other, one)):
        answer = desk.judge()
        assert answer.code == 0
        was, is_now = (f"duckdb:///{each.folder}/shop.duckdb" for each in (before, desk))
        mend = "if these are two warehouses, give each configuration its own store"
        assert warned(answer) == [f"{SAID}{was}, now it is {is_now}; {mend}"]
        assert SAID not in answer.out


def test_one_configuration_is_not_told_of_itself(two: tuple[Desk, Desk]) -> None:
    one, _ = two
    assert [warned(one.judge()) for _ in range(2)] == [[], []]
    assert warned(one.say("backfill")) == []


def test_a_backfill_tells_too(two: tuple[Desk, Desk]) -> None:
    one, other = two
    one.say("backfill")
    assert len(warned(other.say("backfill"))) == 1


@pytest.mark.parametrize("words", [("status",), ("plan",), ("history", "main.orders"), ("run", "--dry-run")])
def test_who_only_looks_takes_no_turn(two: tuple[Desk, Desk], words: tuple[str, ...]) -> None:
    one, other = two
    one.judge()
    assert warned(other.say(*words)) == []
    assert warned(one.judge()) == []
    assert len(warned(other.judge())) == 1


def test_another_name_for_the_same_warehouse_is_no_move(two: tuple[Desk, Desk]) -> None:
    one, _ = two
    one.judge()
    url = f"duckdb:////{one.folder.parent}/b/../a/shop.duckdb?threads=1".replace(":////", ":///", 1)
    one.write(CONFIG.format(url=url, store="sqlite:///../daywatch.db"))
    assert warned(one.judge()) == []


def test_servers_and_stores_on_servers_are_told_without_secrets(tmp_path: Path, postgres: Server) -> None:
    urls = [postgres.database(), postgres.database()]
    try:
        for url in urls:
            with postgres.connect(url) as connection:
                connection.execute(MAKE)
        with postgres.schema() as store:
            desks = [make_desk(tmp_path / name, store, url) for name, url in zip("ab", urls, strict=True)]
            answers = [desk.judge() for desk in (*desks, desks[0], desks[0])]
        assert [len(warned(answer)) for answer in answers] == [0, 1, 1, 0]
        names = [url.rpartition("/")[2] for url in urls]
        assert all(name in warned(answers[1])[0] for name in names)
        assert "@" not in warned(answers[1])[0]
    finally:
        for url in urls:
            postgres.drop(url)
