"""Where a check is configured: its file, its line, and what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from monitor.config import Config, load_config
from monitor.plan.editing import LINES_MAX, find_spot

MAIN = """\
warehouses:
  main: duckdb:///warehouse.duckdb
include: [more.yaml]
defaults: {false_alerts_per_month: 2}
tables:
  - name: main.flights
    due: "06:00"
    rules:
      - not_null: carrier
      - name: long_one
        in_set:
          column: origin
          values: [EWR, JFK]

      # the next
      - {name: age, in_range: {column: age, min: 0}}
    metrics:
      - name: mean_delay
        sql: |
          avg(dep_delay)
"""
MORE = """\
tables:
  - name: main.raw_*
    ignore_columns: [_loaded]
    rules:
      - unique: id
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "more.yaml").write_text(MORE)
    (tmp_path / "daywatch.yaml").write_text(MAIN)
    return load_config(tmp_path / "daywatch.yaml")


@pytest.mark.parametrize(
    ("table", "check", "line", "written"),
    [
        ("main.flights", "rule.not_null_carrier", "daywatch.yaml:9", "- not_null: carrier"),
        ("main.flights", "rule.age", "daywatch.yaml:16", "- {name: age, in_range: {column: age, min: 0}}"),
        ("main.flights", "rule.long_one", "daywatch.yaml:10",
         "- name: long_one\n  in_set:\n    column: origin\n    values: [EWR, JFK]"),
        ("main.flights", "metric.mean_delay.AA", "daywatch.yaml:18",
         "- name: mean_delay\n  sql: |\n    avg(dep_delay)"),
        ("main.raw_x", "rule.unique_id", "more.yaml:5", "- unique: id"),
    ],
)  # fmt: skip
def test_a_check_that_is_written_is_shown_as_it_stands(
    config: Config, table: str, check: str, line: str, written: str
) -> None:
    spot = find_spot(config, table, check)
    assert spot.written
    assert spot.where.endswith(line)
    assert spot.yaml == written


def test_a_check_that_nobody_wrote_gets_lines_that_would_change_it(config: Config) -> None:
    spot = find_spot(config, "main.raw_x", "nulls.price")
    assert (spot.written, spot.where.rpartition("/")[2]) == (False, "more.yaml:2")
    (entry,) = yaml.safe_load(spot.yaml)
    assert entry == {"name": "main.raw_*", "ignore_columns": ["_loaded", "price"], "false_alerts_per_month": 1}
    assert "for all tables that main.raw_* stands for" in spot.about
    assert "now 2" in spot.yaml


def test_lateness_is_changed_by_when_it_is_due(config: Config) -> None:
    (entry,) = yaml.safe_load(find_spot(config, "main.flights", "freshness").yaml)
    assert entry["due"] == "06:00"


def test_a_table_that_no_entry_names_and_a_check_that_is_gone_are_told_so(config: Config) -> None:
    assert "no entry names" in find_spot(config, "big.x", "volume").about
    gone = find_spot(config, "main.flights", "rule.gone")
    assert gone.where.endswith("daywatch.yaml:6")
    assert "no longer" in gone.about


def test_a_giant_entry_is_cut(tmp_path: Path) -> None:
    values = "".join(f"            - v{i}\n" for i in range(500))
    text = (
        MAIN.replace("include: [more.yaml]\n", "")
        + f"""\
  - name: main.big
    rules:
      - name: many
        in_set:
          column: c
          values:
{values}"""
    )
    (tmp_path / "daywatch.yaml").write_text(text)
    spot = find_spot(load_config(tmp_path / "daywatch.yaml"), "main.big", "rule.many")
    assert len(spot.yaml.splitlines()) == LINES_MAX + 1
    assert spot.yaml.endswith("# ...")


def test_a_file_that_is_gone_still_has_its_line(config: Config, tmp_path: Path) -> None:
    (tmp_path / "daywatch.yaml").unlink()
    spot = find_spot(config, "main.flights", "rule.age")
    assert spot.where.endswith("daywatch.yaml:16")
    assert spot.yaml == ""
