"""A configuration with something of everything, on a table of flights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.desk import Answer, Desk

CONFIG = """\
warehouses:
  main: duckdb:///warehouse.duckdb        # any supported SQLAlchemy URL; ${ENV_VAR} for secrets
  lake: files:///data/lake                # a folder of Parquet/CSV, a table per file or folder; embedded engine
store: sqlite:///daywatch.db              # default; postgresql+psycopg://... for several workers
timezone: UTC
defaults:
  sample_rows: 10000
  false_alerts_per_month: 1               # budget for one table; on a channel: shared by its tables
  channels: ["slack:#data-alerts"]
channels:
  "slack:#data-alerts": {token: "${SLACK_TOKEN}"}       # base_url may point at another Slack-compatible server
tables:
  - name: main.flights                    # or a pattern, main.raw_*
    time_column: flight_date              # time_unit: s|ms|us for epoch numbers; timezone: per table
    cadence: day                          # hour | day | week      (mode: snapshot for tables rewritten in place)
    due: "06:00"                          # optional; learned otherwise
    key: [flight_id]                      # optional
    where: "carrier <> 'TEST'"            # optional scope
    ignore_columns: []
    metrics:
      - {name: mean_delay, sql: "avg(dep_delay)", by: [carrier]}
    rules:
      - not_null: carrier
      - {in_set: {column: origin, values: [EWR, JFK, LGA]}, priority: high}   # a rule without a name is called not_null_carrier, in_set_origin, ...
      - {sql: "distance > 0 or cancelled", name: distance_positive}    # a condition each row must meet
      - {name: age_range, in_range: {column: age, min: 0, max: 120}}     # min/max: numbers, dates, or omitted
      - {name: sku, matches_regex: {column: sku, regex: '^SKU-[0-9]{5}$'}}
      - unique: flight_id                     # or unique: [a, b]
    automatic: true                         # false: only the metrics, rules and entities below, no automatic checks
    show_values: false                      # true: sample rows may appear in messages
    owner: "@ana"
    labels: [bookings]
    relations:
      - {column: tailnum, references: main.planes.tailnum}
    entities:
      - {name: by_plane, entity: tailnum, statistic: "count(*)"}
"""  # noqa: E501 - as people write it
FLIGHTS = """CREATE TABLE flights AS SELECT DATE '2026-08-01' + CAST(i // 500 AS INT) AS flight_date, i AS flight_id,
    ['UA', 'AA', 'B6', 'DL', 'TEST'][1 + CAST(floor(random() * 4.2) AS INT)] AS carrier,
    ['EWR', 'JFK', 'LGA'][1 + CAST(i % 3 AS INT)] AS origin, i % 97 = 0 AS cancelled,
    CASE WHEN i % 97 > 0 THEN 100 + i % 2000 END AS distance, i % 90 AS age,
    'SKU-' || lpad(CAST(i % 100000 AS VARCHAR), 5, '0') AS sku, 'N' || (i * 7 % 40) AS tailnum,
    CASE WHEN i % 97 > 0 THEN round(random() * 60 - 10) END AS dep_delay
    FROM range(56000) t(i)"""
PLANES = "CREATE TABLE planes AS SELECT 'N' || i AS tailnum FROM range(40) t(i)"
RULES = ["not_null_carrier", "in_set_origin", "distance_positive", "age_range", "sku", "unique_flight_id"]
DAY = "2026-11-20"
FAULTS = (
    "UPDATE flights SET origin = 'BOS' WHERE flight_date = DATE '2026-11-20' AND flight_id % 50 = 2",
    "UPDATE flights SET distance = -1 WHERE flight_date = DATE '2026-11-20' AND flight_id % 50 = 3",
    "UPDATE flights SET age = 121 WHERE flight_date = DATE '2026-11-20' AND flight_id % 50 = 4",
    "UPDATE flights SET sku = 'sku' WHERE flight_date = DATE '2026-11-20' AND flight_id % 50 = 5",
    "UPDATE flights SET flight_id = 55500 WHERE flight_date = DATE '2026-11-20' AND flight_id % 50 = 6",
    "UPDATE flights SET tailnum = 'N99' WHERE flight_date = DATE '2026-11-20' AND flight_id % 10 = 7",
    "UPDATE flights SET dep_delay = dep_delay + 200 WHERE flight_date = DATE '2026-11-20' AND carrier = 'UA'",
)


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("example")
    environment = {"DAYWATCH_NOW": "2026-11-21T07:00+00:00", "SLACK_TOKEN": "xoxb-not-a-token"}
    (folder / "lake").mkdir()
    quick = CONFIG.replace("  sample_rows: 10000\n", "  sample_rows: 10000\n  drift_backfill_days: 5\n")
    desk = Desk(folder, environment).write(quick.replace("/data/lake", str(folder / "lake")))
    return desk.sql(FLIGHTS, PLANES, file="warehouse.duckdb")


@pytest.fixture(scope="module")
def well(flights: Desk) -> Answer:
    """The day before anything happened to it."""
    return flights.judge("--date", DAY, "--no-alerts")


def test_the_example_is_right(flights: Desk) -> None:
    checked = flights.say("check-config")
    assert checked.code == 0, checked.err


def test_a_day_that_is_well_passes(well: Answer) -> None:
    answer = well
    assert answer.code == 0, answer.out + answer.err
    found = {f["check"]: f["status"] for f in answer.findings}
    named = [f"rule.{name}" for name in RULES] + ["relation.tailnum_in_planes", "metric.mean_delay", "entity.by_plane"]
    assert {name: found[name] for name in named} == dict.fromkeys(named, "pass")
    assert {"freshness", "volume", "schema", "drift", "missing", "nulls.carrier", "duplicates"} <= set(found)


@pytest.mark.usefixtures("well")
def test_what_the_example_watches_for_is_found(flights: Desk, tmp_path: Path) -> None:
    desk = Desk(shutil.copytree(flights.folder, tmp_path, dirs_exist_ok=True), flights.environment)
    answer = desk.sql(*FAULTS, file="warehouse.duckdb").judge("--date", DAY, "--no-alerts")
    assert answer.code == 1, answer.err
    found = {f["check"]: f for f in answer.findings}
    named = [f"rule.{name}" for name in RULES[1:]]  # rows without a carrier do not meet `where`
    named += ["relation.tailnum_in_planes", "metric.mean_delay", "entity.by_plane"]
    assert {name: found[name]["status"] for name in named} == dict.fromkeys(named, "fail")
    assert found["rule.in_set_origin"]["priority"] == "high"
    assert 5 <= found["rule.age_range"]["score"] < 10  # of ten rows, those of TEST are not looked at
    assert found["metric.mean_delay"]["segments"][0]["where"] == "\"carrier\" = 'UA'"
    assert found["entity.by_plane"]["segments"][0]["where"] == "\"tailnum\" = 'N99'"
    assert {e["event"] for e in answer.events} == {"opened"}
