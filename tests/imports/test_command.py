"""`daywatch import`: files written, lists of what was left out, exit codes, and configurations that are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from monitor.config import load_config
from monitor.imports import naming, read_import, write_yaml
from tests.e2e.desk import Desk
from tests.imports.shop import HERE, URL


def test_the_yaml_goes_to_stdout_and_what_is_left_out_to_stderr(tmp_path: Path) -> None:
    answer = Desk(tmp_path).say("import", "dbt", str(HERE / "dbt" / "models"), "--url", URL)
    assert answer.code == 0
    assert {t["name"] for t in yaml.safe_load(answer.out)["tables"]} > {"main.orders", "main.raw.orders"}
    assert "schema.yml:133: not_null of main.payments.seat: its condition holds a template" in answer.err
    assert answer.err.splitlines()[-1].endswith("not carried over")
    (tmp_path / "daywatch.yaml").write_text(answer.out, "utf-8")
    assert len(load_config(tmp_path / "daywatch.yaml").tables) == 6


def test_json_holds_rules_with_their_places_and_what_is_left_out(tmp_path: Path) -> None:
    answer = Desk(tmp_path).say(
        "import", "soda", str(HERE / "soda"), "--url", URL, "--format", "json", "--into", "soda.yaml"
    )
    (told,) = answer.lines
    assert told["into"] == "soda.yaml"
    assert told["yaml"] is None
    orders = next(table for table in told["tables"] if table["table"] == "main.orders")
    assert orders["rules"][0] == {
        "name": "all_rows_row_count", "rule": {"all_rows": {"row_count": {"min": 1}}}, "from": "row_count > 0",
        "file": str(HERE / "soda" / "checks.yml"), "line": 8,
    }  # fmt: skip
    assert {"what": "anomaly detection for row_count", "line": 101} in [
        {"what": item["what"], "line": item["line"]} for item in told["left_out"]
    ]
    assert load_config(tmp_path / "soda.yaml").tables


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("mine", "utf-8")
    answer = Desk(tmp_path).say("import", "soda", str(HERE / "soda"), "--into", "x.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert "x.yaml: exists already" in answer.err
    assert (tmp_path / "x.yaml").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    "words",
    [
        ("import", "cobol", "x"),
        ("import", "dbt"),
        ("import", "dbt", "gone.yml"),
        ("import", "dbt", "x", "--warehouse", "a.b"),
        ("export", "cobol"),
        ("export", "odcs"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = Desk(tmp_path).say(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(("daywatch:", "daywatch.yaml"))


def test_without_an_address_the_file_can_be_included(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.say("import", "soda", str(HERE / "soda"), "--into", "soda.yaml").code == 0
    desk.write(f"include: soda.yaml\nwarehouses: {{main: '{URL}'}}\n")
    assert {t.name for t in load_config(tmp_path / "daywatch.yaml").tables} == {"main.orders", "main.customers"}


def test_secrets_of_an_address_are_not_written(tmp_path: Path) -> None:
    answer = Desk(tmp_path).say("import", "soda", str(HERE / "soda"), "--url", "postgresql://ana:s3cret@db/x")
    assert "s3cret" not in answer.out + answer.err
    assert "main: 'postgresql://ana:${DAYWATCH_MAIN_PASSWORD}@db/x'" in answer.out


def test_by_day_leaves_the_whole_table_out() -> None:
    found = read_import("soda", [HERE / "soda"], naming("main", None, URL), by_day=True)
    assert "all_rows:" not in write_yaml(found)


def test_texts_that_any_reader_might_take_for_something_else_come_back_the_same(tmp_path: Path) -> None:
    odd = ["no", "1e5", "06:30", "00123", "${HOME}", "a$$b", "$x", "it's", 'say "a"', "a: b", "# c", " d ", "null", "-",
           "line\nbreak", "ü", "{}", "2024-01-01", "~", "0x1F"]  # fmt: skip
    kwargs = {"column": "c", "value_set": odd}
    file = tmp_path / "t.json"
    file.write_text(
        json.dumps({"name": "t", "expectations": [{"type": "expect_column_values_to_be_in_set", "kwargs": kwargs}]})
    )
    found = read_import("gx", [file], naming("main", None, URL), by_day=True)
    (tmp_path / "daywatch.yaml").write_text(write_yaml(found, URL), "utf-8")
    (rule,) = load_config(tmp_path / "daywatch.yaml", {}).tables[0].rules
    assert rule.params["values"] == odd
