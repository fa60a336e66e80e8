from __future__ import annotations

import re

import pytest

from tests.e2e.desk import CONFIG, Answer, Desk

QUICK = "    drift_backfill_days: 0\n"
TABLE = 'warehouses: {main: "duckdb:///shop.duckdb"}\ntables: [{name: main.'


def _one_line(answer: Answer) -> str:
    assert "Traceback" not in answer.err
    assert answer.out == ""
    return answer.err.strip()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (TABLE + "orders, time_colum: d}]", "yaml:2: tables.0.time_colum: .*mean time_column"),
        (TABLE + "ordres, time_column: d}]", "yaml:2: .*ordres.*mean main.orders"),
        (TABLE + "orders, time_column: dd}]", "yaml:2: .*no column dd.*mean d"),
        (TABLE + "orders, key: [oder_id]}]", "yaml:2: .*key.0.*mean order_id"),
        (TABLE + "orders, where: 'colour = 1'}]", "yaml:2: .*where.*mean color"),
        (TABLE + "orders, rules: [{sql: 'price >', name: r}]}]", "yaml:2: .*rules.0.sql"),
        (TABLE + "orders, timezone: Mars/Base}]", "yaml:2: .*Mars/Base.*Europe/Berlin"),
        (TABLE + "orders}, {name: main.orders}]", "yaml:2: tables.1.*already"),
        (TABLE.split("{name", maxsplit=1)[0], "daywatch.yaml:.*not valid YAML"),
        ("", "daywatch.yaml:.*empty"),
        ('warehouses: {main: "duckdb:///nowhere.duckdb"}\ntables: [{name: main.t}]', "no file .*nowhere.duckdb"),
        ('warehouses: {main: "carrier-pigeon://h"}\ntables: [{name: main.t}]', "daywatch.yaml:1: warehouses.main"),
        ('warehouses: {main: "duckdb:///${NOT_SET_ANYWHERE}"}\ntables: [{name: main.t}]', "NOT_SET_ANYWHERE is"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_told_with_its_place_and_mend(desk: Desk, config: str, told: str) -> None:
    for command in ("check-config", "run"):
        answer = desk.write(config).say(command)
        assert answer.code == 2
        assert re.search(told, _one_line(answer)), answer.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "--date", "2026-13-45"), "is not a day; write it as 2013-02-08"),
        (("run", "--date", "2027-01-01"), "lies in the future"),
        (("run", "--from", "2026-11-10"), "--from and --to belong together"),
        (("run", "--from", "2026-11-10", "--to", "2026-11-01"), "swap --from and --to"),
        (("run", "--date", "2026-11-10", "--from", "2026-11-01"), "exclude each other"),
        (("run", "--format", "xml"), "use text or json"),
        (("run", "--table", "main.ordres"), "did you mean main.orders"),
        (("run", "-c", "elsewhere.yaml"), "elsewhere.yaml: no such file"),
        (("run", "--wat"), "daywatch run --help"),
        (("rnu",), "daywatch --help"),
        (("explain", "F-9"), "no finding F-9"),
        (("history", "main.ordres"), "nothing is known of main.ordres"),
        (("history", "main.orders", "2026-11-10"), "nothing is known|has not been judged"),
        (("init", "duckdb:///nowhere.duckdb", "-o", "new.yaml"), "no file"),
        (("init", "duckdb:///shop.duckdb"), "exists already"),
        (("run", "--no-alerts", "--date", "2026-11-10", "--table"), "requires an argument"),
    ],
)
def test_a_wrong_command_is_told_with_its_mend(desk: Desk, words: tuple[str, ...], told: str) -> None:
    answer = desk.say(*words)
    assert answer.code == 2
    assert re.search(told, _one_line(answer)), answer.err


def test_a_kind_of_channel_that_there_is_not_is_a_mistake(desk: Desk) -> None:
    desk.write(CONFIG + "    channels: ['pigeon:#roof']\n")
    for command in ("check-config", "run"):
        answer = desk.say(command)
        assert answer.code == 2
        assert re.search(r"daywatch.yaml:7: .*'pigeon'; known are", _one_line(answer))


def test_a_channel_that_cannot_be_used_stops_only_runs_that_would_alert(desk: Desk) -> None:
    desk.write(CONFIG + QUICK + "    channels: ['slack:#roof']\n")
    refused = desk.judge("--date", "2026-11-09")
    assert refused.code == 2
    assert "slack:#roof" in _one_line(refused)
    checked = desk.say("check-config")
    assert checked.code == 0
    assert "slack:#roof" in checked.err
    assert desk.judge("--date", "2026-11-09", "--no-alerts").code == 0


def test_a_secret_never_shows(desk: Desk) -> None:
    desk.environment = {**desk.environment, "SHOP_PASSWORD": "hunter2secret"}
    desk.write('warehouses: {main: "postgresql://ana:${SHOP_PASSWORD}@127.0.0.1:1/shop"}\ntables: [{name: main.t}]\n')
    answer = desk.say("check-config")
    assert answer.code in (2, 3)
    assert "hunter2secret" not in answer.out + answer.err


def test_a_dry_run_prints_every_day_and_leaves_nothing(desk: Desk) -> None:
    before = sorted(p.name for p in desk.folder.iterdir())
    answer = desk.say("run", "--dry-run", "--from", "2026-11-09", "--to", "2026-11-11")
    days = re.findall(r"^-- main.orders (\S+)", answer.out, re.MULTILINE)
    assert (answer.code, days) == (0, ["2026-11-09", "2026-11-10", "2026-11-11"])
    assert sorted(p.name for p in desk.folder.iterdir()) == before


def test_paths_are_relative_to_the_configuration(desk: Desk) -> None:
    desk.write(CONFIG + QUICK)
    below = desk.folder / "below"
    below.mkdir()
    away = Desk(below)
    answer = away.say("run", "-c", "../daywatch.yaml", "--date", "2026-11-09", "--format", "json")
    assert answer.code == 0
    assert (desk.folder / "daywatch.db").is_file()
    assert list(below.iterdir()) == []


def test_backfill_reads_as_far_back_as_asked(desk: Desk) -> None:
    answer = desk.say("backfill", "--days", "10")
    assert (answer.code, "10 partitions known" in answer.out) == (0, True), answer.out + answer.err
