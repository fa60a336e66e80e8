"""A table rewritten in place, looked at on twenty days through the command line, with faults on some of them."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.snapshot.packing import unpack
from tests.e2e.desk import Answer, Desk
from tests.postgres_server import Server

FIRST = dt.date(2026, 9, 1)
DAYS = 20
NULLS, STOPPED, STORM = 13, 16, 18
PLAN = "CASE WHEN account_id % 10 < 6 THEN 'free' WHEN account_id % 10 < 9 THEN 'plus' ELSE 'pro' END"
ROW = """SELECT i AS account_id, 'Holder ' || md5(CAST(i AS TEXT)) AS holder,
    CASE WHEN i % 10 < 6 THEN 'free' WHEN i % 10 < 9 THEN 'plus' ELSE 'pro' END AS plan,
    CAST((CAST(i AS BIGINT) * 7919 % 100003) / 7.0 AS DOUBLE PRECISION) AS balance,
    CAST(i * 31 % 90 AS INTEGER) AS logins,
    CAST(i AS BIGINT) * 15485863 % 899999963 + 100000000 AS phone, 'note ' || md5(CAST(-i AS TEXT)) AS secret FROM"""
CONFIG = """warehouses: {{main: "{url}"}}
tables:
  - name: main.accounts
    ignore_columns: [secret]
"""


def label(day: int) -> str:
    return (FIRST + dt.timedelta(days=day)).isoformat()


def night(day: int) -> list[str]:
    """What the nightly job does to the table before it is looked at."""
    if day == 0:
        return [f"CREATE TABLE accounts AS {ROW} generate_series(1, 1500) AS t(i)"]
    if day == STOPPED:
        return []
    first = 1_501 + 5 * day
    steps = [
        f"UPDATE accounts SET plan = {PLAN} WHERE plan IS NULL",
        f"UPDATE accounts SET balance = balance + (account_id * {day} % 17) - 8 WHERE (account_id + {day}) % 20 = 0",
        f"INSERT INTO accounts {ROW} generate_series({first}, {first + 4}) AS t(i)",
    ]
    if day == NULLS:
        steps.append("UPDATE accounts SET plan = NULL WHERE account_id % 10 IN (1, 3, 7)")
    if day == STORM:
        steps.append("UPDATE accounts SET logins = logins + 1 WHERE account_id % 5 < 3")
    return steps


@dataclass(frozen=True)
class Watched:
    desk: Desk
    write: Callable[[Sequence[str]], None]
    days: Sequence[Answer]

    def opened(self) -> list[tuple[str, str]]:
        return [(e["partition"], e["columns"][0]) for a in self.days for e in a.events if e["event"] == "opened"]


def watch(folder: Path, url: str, write: Callable[[Sequence[str]], None]) -> Watched:
    desk = Desk(folder).write(CONFIG.format(url=url))
    days = []
    for day in range(DAYS):
        write(night(day))
        days.append(desk.judge("--no-alerts", now=f"{label(day)}T07:00+00:00"))
    return Watched(desk, write, days)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    desk = Desk(tmp_path_factory.mktemp("embedded"))
    return watch(desk.folder, "duckdb:///shop.duckdb", lambda steps: desk.sql(*steps) and None)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[Watched]:
    with postgres.schema() as url:

        def write(steps: Sequence[str]) -> None:
            with postgres.connect(url) as connection:
                for step in steps:
                    connection.execute(step)

        yield watch(tmp_path_factory.mktemp("served"), url, write)


@pytest.fixture(params=["embedded", "served"])
def watched(request: pytest.FixtureRequest) -> Watched:
    found: Watched = request.getfixturevalue(request.param)
    return found


def test_each_fault_is_told_on_its_day_and_no_other_day_is(watched: Watched) -> None:
    assert [a.err for a in watched.days if a.code > 1] == []
    assert watched.opened() == [(label(NULLS), "plan"), (label(STOPPED), "balance"), (label(STORM), "logins")]


def test_an_update_that_stopped_and_a_storm_are_changes(watched: Watched) -> None:
    for day, column in ((STOPPED, "balance"), (STORM, "logins")):
        failed = {f["check"]: f["summary"] for f in watched.days[day].findings if f["status"] == "fail"}
        assert {"changes", f"changes.{column}"} <= set(failed)
        assert "since the last look" in failed["changes"]


def test_the_first_look_has_nothing_to_compare_with(watched: Watched) -> None:
    first = watched.days[0].findings
    judged = {f["check"]: f["status"] for f in first}
    assert judged["drift"] == judged["volume"] == judged["nulls.plan"] == "learning"
    assert "fail" not in judged.values()
    assert {f["status"] for f in watched.days[STOPPED - 1].findings} == {"pass"}


def test_only_rows_that_can_be_seen_are_offered_as_sql(watched: Watched) -> None:
    nulls = next(f for f in watched.days[NULLS].findings if f["check"] == "nulls.plan")
    assert "NOT" in nulls["sql_good"]
    changes = next(f for f in watched.days[STORM].findings if f["check"] == "changes")
    assert changes["sql_good"] is None
    assert "accounts" in changes["sql_bad"]


def test_values_that_are_hidden_are_nowhere_in_the_store(embedded: Watched) -> None:
    import duckdb

    folder = embedded.desk.folder
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as connection:
        told = connection.execute("SELECT holder, secret FROM accounts").fetchall()
        phones = {p for (p,) in connection.execute("SELECT phone FROM accounts").fetchall()}
    with sqlite3.connect(folder / "daywatch.db") as store:
        looks = [unpack(document) for (document,) in store.execute("SELECT document FROM daywatch_samples")]
        bounds = {row for (row,) in store.execute("SELECT aggregates FROM daywatch_revisions")}
    extremes = {json.loads(row)[f"{end}.phone"] for row in bounds for end in ("min", "max")}
    files = b"".join(path.read_bytes() for path in folder.glob("daywatch.db*"))
    assert len(looks) == DAYS
    kept = set()
    for look in looks:
        assert look is not None
        assert not {"secret", "account_id"} & set(look.frame.columns)
        assert set(look.frame["holder"].unique()) == {"⟨Aaaa aaaa⟩"} or all(
            text.startswith("⟨") for text in look.frame["holder"].unique()
        )
        kept |= set(look.frame["phone"])
    assert len(kept & (phones - extremes)) <= 0.001 * len(kept)  # by chance: one of millions is drawn
    assert not any(text.split()[1].encode() in files for row in told for text in row)


def test_a_second_look_on_a_day_is_a_revision_with_the_same_words(embedded: Watched) -> None:
    again = embedded.desk.judge("--no-alerts", now=f"{label(DAYS - 1)}T09:00+00:00")
    words = [[(f["check"], f["status"], f["score"]) for f in a.findings] for a in (embedded.days[-1], again)]
    assert words[0] == words[1]
    with sqlite3.connect(embedded.desk.folder / "daywatch.db") as store:
        revisions = "SELECT count(*) FROM daywatch_revisions WHERE label = ?"
        assert store.execute(revisions, (label(DAYS - 1),)).fetchone() == (2,)
        assert store.execute("SELECT count(*) FROM daywatch_samples").fetchone() == (DAYS,)


def test_a_day_that_is_over_is_judged_by_what_was_kept_of_it(embedded: Watched) -> None:
    later = f"{label(DAYS)}T07:00+00:00"
    again = embedded.desk.judge("--no-alerts", "--date", label(NULLS), now=later)
    first = embedded.days[NULLS]
    assert "what was kept" in again.err
    verdicts = [{f["check"]: (f["status"], f["score"]) for f in a.findings} for a in (first, again)]
    assert verdicts[0] == verdicts[1]
    assert [e["incident"] for e in again.events] == [e["incident"] for e in first.events]
    with sqlite3.connect(embedded.desk.folder / "daywatch.db") as store:
        assert store.execute("SELECT count(*) FROM daywatch_samples").fetchone() == (DAYS,)
    unknown = embedded.desk.judge("--no-alerts", "--date", "2026-08-01", now=later)
    assert (unknown.code, unknown.findings) == (0, [])
    assert "nothing is kept of 2026-08-01" in unknown.err


def test_a_range_of_days_is_those_that_were_looked_at(embedded: Watched) -> None:
    told = embedded.desk.judge(
        "--no-alerts", "--from", "2026-08-30", "--to", label(1), now=f"{label(DAYS)}T07:00+00:00"
    )
    assert {f["partition"] for f in told.findings} == {label(0), label(1)}


def test_status_says_that_a_young_table_is_learning(tmp_path: Path) -> None:
    desk = Desk(tmp_path).sql(*night(0)).write(CONFIG.format(url="duckdb:///shop.duckdb"))
    for day in range(3):
        desk.judge("--no-alerts", now=f"{label(day)}T07:00+00:00")
    assert "learning, day 3" in desk.say("status").out
    assert json.loads(desk.say("status", "--format", "json").out.splitlines()[0])["learning"] == 3
