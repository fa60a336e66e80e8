"""`plan` and `apply` as they are typed, on DuckDB and PostgreSQL."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desk import CONFIG as PLAIN
from tests.e2e.desk import NOW, Desk
from tests.e2e.desk import QUICK as CONFIG
from tests.postgres_server import Server

RULES = """    owner: "@ana"
    metrics: [{name: level, sql: avg(price), by: [color]}]
"""
BAD_DAY = "2026-11-10"


def changes(desk: Desk, code: int = 1) -> dict[str, dict[str, Any]]:
    """What `plan` would change, by id."""
    answer = desk.say("plan", "--format", "json")
    assert answer.code == code, answer.err
    return {change["id"]: change for line in answer.lines for change in line.get("changes", ())}


def counts(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.say("plan", "--format", "json").lines[-1]["plan"]
    return found


def test_what_was_applied_is_planned_no_more(desk: Desk) -> None:
    desk.write(CONFIG + RULES)
    assert set(changes(desk)) == {"main.orders", "main.orders:rule.not_null_color", "main.orders:metric.level"}
    assert not (desk.folder / "daywatch.db").exists()
    first = desk.say("apply", "--author", "ana")
    assert (first.code, first.out.splitlines()[-1]) == (0, "applied: application 1, by ana on 2026-11-21 05:00 UTC")
    assert changes(desk, 0) == {}
    again = desk.say("apply", "--author", "bob")
    assert again.code == 0
    assert "nothing would change (since application 1, by ana" in again.out
    assert len(desk.say("plan", "--history").out.splitlines()) == 1


def test_moving_into_a_file_of_a_team_changes_nothing(desk: Desk) -> None:
    desk.write(CONFIG + RULES).say("apply")
    warehouses, _, tables = (CONFIG + RULES).partition("tables:\n")
    (desk.folder / "teams").mkdir()
    (desk.folder / "teams" / "shop.yaml").write_text("# ours\ntables:\n" + tables)
    desk.write(warehouses + "include: [teams/*.yaml]\n")
    assert changes(desk, 0) == {}
    (desk.folder / "teams" / "shop.yaml").write_text(("tables:\n" + tables).replace("avg(price)", "sum(price)"))
    edit = changes(desk)["main.orders:metric.level"]
    assert (edit["edits"], edit["place"]) == (
        [{"key": "sql", "old": "avg(price)", "new": "sum(price)"}],
        "teams/shop.yaml:7",
    )


def test_a_plan_touches_nothing(desk: Desk) -> None:
    desk.write(CONFIG + RULES).say("apply")
    desk.judge("--no-alerts", "--date", BAD_DAY)
    desk.write(CONFIG)
    names = ("daywatch.db", "shop.duckdb", "daywatch.yaml")
    before = [hashlib.sha256((desk.folder / name).read_bytes()).hexdigest() for name in names]
    for words in ((), ("--format", "markdown"), ("--why", "main.orders")):
        desk.say("plan", *words)
    assert [hashlib.sha256((desk.folder / name).read_bytes()).hexdigest() for name in names] == before
    assert len(desk.say("plan", "--history", "--format", "json").lines) == 1


def test_what_people_said_of_a_check_is_told_before_it_goes(desk: Desk) -> None:
    desk.write(CONFIG + RULES).say("apply", "--author", "ana")
    desk.judge("--no-alerts", "--date", BAD_DAY)
    incident = desk.say("status", "--format", "json").lines[0]["incidents"][0]
    name = incident["incident"] if isinstance(incident, dict) else incident
    said = desk.say("feedback", name, "mute", "--until", "2026-12-24", "--note", "a load is mended")
    assert said.code == 0, said.err
    desk.write((CONFIG + RULES).replace("{not_null: color}", "{unique: order_id}"))
    gone = changes(desk)["main.orders:rule.not_null_color"]
    assert gone["change"] == "removed"
    (stands,) = gone["stands"]
    assert (stands["incident"], stands["said"], stands["until"][:10]) == (name, "muted", "2026-12-24")
    text = desk.say("plan").out
    assert f"! {name}, muted until 2026-12-24 by" in text
    assert "a load is mended (goes with it)" in text
    assert f"**{name}, muted until 2026-12-24" in desk.say("plan", "--format", "markdown").out
    desk.write((CONFIG + RULES).replace("{not_null: color}", "{not_null: color, tolerance: 0.5}"))
    assert "(stays on it)" in desk.say("plan").out
    late = desk.say("plan", "--format", "json", now="2027-01-01T05:00+00:00").lines[0]["changes"]
    assert all(not s["said"] for c in late for s in c["stands"])  # the mute has run out


def test_a_plan_tells_whom_it_touches_and_what_it_costs(desk: Desk) -> None:
    desk.write(CONFIG + RULES).say("apply", "--author", "ana")
    desk.judge("--no-alerts", "--date", BAD_DAY)
    desk.write(CONFIG + RULES.replace("@ana", "@bob") + "    watch: light\n    channels: [console]\n")
    (table, _, counted) = desk.say("plan", "--format", "json").lines
    assert (table["owner"], table["channels"], table["change"]) == ("@bob", ["console"], "edited")
    assert table["month"]["rows_fetched"] < table["month_applied"]["rows_fetched"] / 10
    assert counted["plan"]["tables"] == {"added": 0, "edited": 1, "removed": 0}
    assert counted["plan"]["applied"]["author"] == "ana"
    text = desk.say("plan").out
    assert "owner     @ana -> @bob" in text
    assert "watch     full -> light" in text
    assert "beside what was applied" in text


def test_alerts_say_who_is_behind_what_found_them(desk: Desk) -> None:
    desk.write(CONFIG + RULES + "    channels: [folder]\n").say("apply", "--author", "ana")
    desk.write(
        (CONFIG + RULES).replace("{not_null: color}", "{not_null: color, priority: high}") + "    channels: [folder]\n"
    )
    desk.say("apply", "--author", "bob", now="2026-11-22T05:00+00:00")
    answer = desk.judge("--date", BAD_DAY)
    (event,) = answer.events
    assert "rule.not_null_color" in event["checks"]
    assert (event["created_by"], event["edited_by"]) == ("ana", "bob")
    (folder,) = desk.alerts()
    text = (desk.folder / "alerts" / folder / "message.txt").read_text()
    assert "rule.not_null_color, created by ana on 2026-11-21, last edited by bob on 2026-11-22" in text
    (automatic,) = (e for e in desk.judge("--date", "2026-11-13").events if e["event"] == "opened")
    assert not any("." in check for check in automatic["checks"][:1])
    assert (automatic["created_by"], automatic["edited_by"]) == ("ana", "ana")


def test_without_apply_nothing_is_said_and_with_it_a_difference_once(desk: Desk) -> None:
    desk.write(CONFIG + RULES)
    quiet = desk.judge("--no-alerts", "--date", "2026-11-08")
    assert "applied" not in quiet.err
    assert {e["created_by"] for e in desk.judge("--no-alerts", "--date", BAD_DAY).events} == {None}
    desk.say("apply", "--author", "ana")
    assert "applied" not in desk.judge("--no-alerts", "--date", "2026-11-11").err
    desk.write(CONFIG)
    told = desk.judge("--no-alerts", "--from", "2026-11-11", "--to", "2026-11-12").err
    assert told.count("daywatch.yaml is not what ana applied on 2026-11-21: 2 differences, see `daywatch plan`") == 1


def test_a_table_that_comes_under_a_pattern_is_planned_and_no_difference_of_the_files(desk: Desk) -> None:
    desk.write(CONFIG + "  - {name: 'main.*', time_column: d}\n").say("apply", "--author", "ana")
    desk.sql("CREATE TABLE later AS SELECT * FROM orders")
    desk.write(CONFIG + "  - {name: 'main.*', time_column: d}\n  - {name: 'main.l*', time_column: d}\n")
    assert set(changes(desk)) == {"main.later"}
    said = "is not what ana applied"
    assert said in desk.judge("--no-alerts", "--date", "2026-11-11").err  # no pattern of it was applied with a table
    desk.say("apply", "--author", "ana")
    desk.sql("CREATE TABLE latest AS SELECT * FROM orders", "DROP TABLE later")
    assert set(changes(desk)) == {"main.later", "main.latest"}
    assert said not in desk.judge("--no-alerts", "--date", "2026-11-12").err


def test_a_relation_that_never_held_is_told_with_its_place(desk: Desk) -> None:
    desk.sql("CREATE TABLE colors AS SELECT 'mauve' AS code")
    desk.write(PLAIN + "    relations: [{column: color, references: main.colors.code}]\n")
    desk.judge("--no-alerts", "--from", "2026-11-05", "--to", "2026-11-08")
    (remark,) = desk.say("plan", "--format", "json").lines[0]["remarks"]
    assert "daywatch.yaml:7: relation.color_in_colors has never held: it failed on all 4 partitions" in remark
    assert remark in desk.say("plan").out


def test_every_setting_says_where_it_comes_from(desk: Desk) -> None:
    head, _, rest = PLAIN.partition("tables:")
    patterns = "defaults:\n  owner: '@all'\n  patterns:\n    - {match: main.ord*, cadence: day, labels: [shop]}\n"
    desk.write(head + patterns + "tables:" + rest.replace("    key: [order_id]\n", ""))
    answer = desk.say("plan", "--why", "main.orders")
    assert answer.code == 0
    told = {line.split()[0]: line.split(None, 1)[1].rstrip() for line in answer.out.splitlines()[1:]}
    assert told["owner"].endswith("daywatch.yaml:3 (defaults)")
    assert told["cadence"].endswith("daywatch.yaml:5 (defaults of main.ord*)")
    assert told["labels"].startswith("shop")
    assert told["time_column"].endswith("daywatch.yaml:8")
    assert told["key"].endswith("found in the data")
    assert told["sample_rows"].endswith("built in")
    assert told["rule.not_null_color"] == "daywatch.yaml:9"
    as_json = desk.say("plan", "--why", "main.orders", "--format", "json").lines[0]["settings"]
    assert as_json["owner"] == {"value": "@all", "from": ["daywatch.yaml:3 (defaults)"]}
    assert desk.say("plan", "--why", "main.nothing").code == 2


def test_the_history_keeps_what_each_application_changed(desk: Desk) -> None:
    assert desk.say("plan", "--history").out == "nothing was applied yet; `daywatch apply` does it\n"
    desk.say("apply", "--author", "ana")
    desk.write(CONFIG.replace("{not_null: color}", "{not_null: color, tolerance: 0.1}"))
    desk.say("apply", "--author", "bob", now="2026-11-22T05:00+00:00")
    lines = desk.say("plan", "--history").out.splitlines()
    assert lines[0] == "application 2, by bob on 2026-11-22 05:00 UTC: 1 edited"
    assert lines[1].startswith("application 1, by ana on 2026-11-21 05:00 UTC: 2 added")
    assert "tolerance  0 -> 0.1" in desk.say("plan", "--history", "--number", "2").out
    assert desk.say("plan", "--history", "--number", "7").code == 2
    assert desk.say("plan", "--number", "7").code == 2


def test_the_author_is_found_without_asking(desk: Desk) -> None:
    named = Desk(desk.folder, {"DAYWATCH_NOW": NOW, "DAYWATCH_AUTHOR": "Ci  Bot"})
    assert "by Ci Bot on" in named.say("apply").out
    (desk.folder / ".git").mkdir()
    (desk.folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (desk.folder / ".git" / "objects").mkdir()
    (desk.folder / ".git" / "refs").mkdir()
    (desk.folder / ".git" / "config").write_text("[user]\n\tname = Ana Git\n")
    desk.write(CONFIG + RULES)
    clean = dict.fromkeys(("DAYWATCH_AUTHOR", "GIT_AUTHOR_NAME", "GITHUB_ACTOR", "GITLAB_USER_NAME"), "")
    assert "by Ana Git on" in Desk(desk.folder, {"DAYWATCH_NOW": NOW, **clean}).say("apply").out


def test_who_is_killed_midway_leaves_the_old_configuration(desk: Desk, tmp_path: Path) -> None:
    desk.say("apply", "--author", "ana")
    desk.write(CONFIG + RULES)
    point = tmp_path / "point"
    point.write_text("half applied self\n", "ascii")
    environment = {**os.environ, "DAYWATCH_NOW": NOW, "DAYWATCH_FAILPOINT": str(point)}
    words = [sys.executable, "-c", "from monitor.cli import main; main(['apply', '--author', 'bob'])"]
    died = subprocess.run(words, cwd=desk.folder, env=environment, capture_output=True, check=False)  # noqa: S603
    assert died.returncode == -signal.SIGKILL
    assert len(desk.say("plan", "--history").out.splitlines()) == 1
    assert set(changes(desk)) == {"main.orders", "main.orders:metric.level"}
    assert desk.say("apply", "--author", "bob").code == 0
    assert changes(desk, 0) == {}


def test_a_warehouse_out_of_reach_applies_nothing(desk: Desk) -> None:
    desk.write(CONFIG + RULES).say("apply", "--author", "ana")
    gone = (CONFIG + RULES).replace("duckdb:///shop.duckdb", "postgresql+psycopg://u@127.0.0.1:1/x")
    desk.write(gone)
    planned = desk.say("plan")
    assert planned.code == 3
    assert "what was applied of its tables is taken to stand" in planned.err
    assert "gone" not in planned.out
    refused = desk.say("apply", "--author", "bob")
    assert refused.code == 3
    assert "nothing was applied" in refused.err
    assert len(desk.say("plan", "--history").out.splitlines()) == 1


@pytest.mark.parametrize("words", [("plan", "--format", "xml"), ("apply", "--format", "markdown")])
def test_an_unknown_format_is_wrong_usage(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.say(*words).code == 2


def test_markdown_is_cut_and_escapes_what_is_data(desk: Desk) -> None:
    desk.write(CONFIG + "    owner: '@ana|<b>'\n" + "    labels: ['a|b', '<img src=x>', '[l](http://x)']\n")
    text = desk.say("plan", "--format", "markdown").out
    assert text.startswith("### daywatch plan\n")
    assert "#### `main.orders` (new)" in text
    assert "<img" not in text
    assert "`@ana\\|<b>`" in text
    assert all(line.count("|") - line.count("\\|") == 5 for line in text.splitlines() if line.startswith("| "))


def test_postgresql_as_warehouse_and_as_store(tmp_path: Path, postgres: Server) -> None:
    """`plan` makes no store; `apply` does, and a second one who started from the same is refused."""
    environment = {"DAYWATCH_NOW": NOW, "PG": str(postgres.url.password)}
    with postgres.schema() as url, postgres.schema() as store:
        with postgres.connect(url) as connection:
            connection.execute(
                "CREATE TABLE orders AS SELECT DATE '2026-09-20' + i / 200 AS d, i AS order_id, i % 4 AS color,"
                " i % 90 AS price FROM generate_series(0, 12399) t(i)"
            )
        desk = Desk(tmp_path, environment)
        config = (CONFIG + RULES).replace("duckdb:///shop.duckdb", url.replace(environment["PG"], "${PG}"))
        desk.write(f"store: {store.replace(environment['PG'], '${PG}')!r}\n".replace("'", '"') + config)
        assert set(changes(desk)) == {"main.orders", "main.orders:rule.not_null_color", "main.orders:metric.level"}
        with postgres.connect(store) as connection:
            counted = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
            assert connection.execute(counted).fetchone() == (0,)
        assert desk.say("apply", "--author", "ana").code == 0
        assert changes(desk, 0) == {}
        desk.write((desk.folder / "daywatch.yaml").read_text().replace("avg(price)", "sum(price)"))
        assert changes(desk)["main.orders:metric.level"]["change"] == "edited"
        assert counts(desk)["checks"] == {"added": 0, "edited": 1, "removed": 0}
        assert desk.judge("--no-alerts", "--date", "2026-11-20").code in (0, 1)
