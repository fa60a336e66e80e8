"""How many rows refer to one row of another table, against its past."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.desk import NOW, Desk

CONFIG = """warehouses: {main: "duckdb:///shop.duckdb"}
tables:
  - name: main.legs
    time_column: d
    automatic: false
    relations: [{column: tail, references: main.planes.tail}]
"""


def test_a_fan_out_that_jumps_is_told_and_a_usual_one_is_not(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"DAYWATCH_NOW": NOW}).sql(
        "CREATE TABLE planes AS SELECT 'N' || i AS tail FROM range(60) t(i)",
        "CREATE TABLE legs AS SELECT DATE '2026-09-20' + CAST(i // 240 AS INT) AS d, i AS leg,"
        " 'N' || (i * 7 % (58 + i // 240 % 3)) AS tail FROM range(14880) t(i)",
        "UPDATE legs SET tail = 'N' || (leg % 6) WHERE d = DATE '2026-11-19'",
    )
    answer = desk.write(CONFIG).judge("--no-alerts", "--from", "2026-11-18", "--to", "2026-11-19")
    told = {(f["partition"], f["check"]): f for f in answer.findings if f["check"].startswith("relation.")}
    assert told["2026-11-18", "relation.tail_in_planes.fan_out"]["status"] == "pass"
    jumped = told["2026-11-19", "relation.tail_in_planes.fan_out"]
    assert jumped["status"] == "fail"
    assert jumped["columns"] == ["tail"]
    assert "40" in jumped["summary"]
    assert told["2026-11-19", "relation.tail_in_planes"]["status"] == "pass"
