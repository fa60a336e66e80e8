"""SQL of an owner that the engine refuses, or never ends, is an error of its own, and of nothing else."""

from __future__ import annotations

from tests.e2e.desk import Answer, Desk

ENDLESS = "(SELECT count(*) FROM range(1000000000000) r(x) WHERE hash(x) = 7)"
CONFIG = """warehouses: {{main: {{url: "duckdb:///shop.duckdb", statement_timeout_s: {timeout_s}}}}}
tables:
  - name: main.orders
    time_column: d
    automatic: false
    metrics:
      - {{name: mean_price, sql: avg(price), by: [color]}}
{metrics}
    rules:
      - {{not_null: price}}
{rules}
"""
REFUSED = """
      - {name: no_number, sql: avg(CAST(color AS INTEGER))}
      - {name: no_such, sql: median_of_all(price)}
      - {name: by_zero, sql: sum(price) / (count(*) - count(*))}
      - {name: no_number_by, sql: avg(CAST(note AS INTEGER)), by: [color]}
      - {name: by_zero_by, ratio: {of: sum(price), to: sum(price) - sum(price)}, by: [color]}
      - {name: nobody, sql: avg(price), where: price < 0}
"""
REFUSED_RULES = """
      - {name: cast, sql: CAST(color AS INTEGER) > 0}
      - {name: function, sql: is_fine(color)}
      - {name: regex, matches_regex: {column: color, regex: '^.*$'}, where: CAST(color AS DATE) > '2020-01-01'}
      - {name: own, query: {sql: 'SELECT color FROM {rows} WHERE CAST(color AS INTEGER) = 1'}}

      - {name: by_zero, sql: price / (order_id - order_id) > 0}
      - {name: then_by_zero, if_then: {if: price > 50, then: order_id % (order_id - order_id) = 0}}
      - {name: guarded, sql: 'order_id = 0 OR price / order_id >= 0'}
      - {name: zero_is_fine, sql: 'price / nullif(order_id - order_id, 0) > 0'}
      - {name: number_by_zero, aggregate: {sql: sum(price) / (count(*) - count(*)), min: 0}}
"""


def write(desk: Desk, metrics: str = "", rules: str = "", timeout_s: float = 60) -> Desk:
    return desk.write(CONFIG.format(metrics=metrics, rules=rules, timeout_s=timeout_s))


def statuses(answer: Answer) -> dict[str, str]:
    return {f["check"]: f["status"] for f in answer.findings}


def test_metrics_that_the_engine_refuses_are_errors(desk: Desk) -> None:
    assert write(desk, metrics=REFUSED).say("check-config").code == 0
    answer = desk.judge("--date", "2026-11-09", "--no-alerts")
    assert answer.code == 3, answer.err
    found = statuses(answer)
    names = ["no_number", "no_such", "by_zero", "no_number_by", "by_zero_by", "nobody"]
    assert {name: found[f"metric.{name}"] for name in names} == dict.fromkeys(names, "error")
    assert found["metric.no_number_by.segments"] == "error"
    assert (found["metric.mean_price"], found["rule.not_null_price"]) == ("pass", "pass")
    told = {f["check"]: f["summary"] for f in answer.findings}
    assert "median_of_all" in told["metric.no_such"]
    assert "divides by zero" in told["metric.by_zero"]
    assert "no row meets its `where`" in told["metric.nobody"]


def test_rules_that_the_engine_refuses_are_errors(desk: Desk) -> None:
    assert write(desk, rules=REFUSED_RULES).say("check-config").code == 0
    answer = desk.judge("--date", "2026-11-09", "--no-alerts")
    assert answer.code == 3, answer.err
    found = statuses(answer)
    names = ["cast", "function", "regex", "own", "by_zero", "then_by_zero", "number_by_zero"]
    assert {name: found[f"rule.{name}"] for name in names} == dict.fromkeys(names, "error")
    assert {found[name] for name in ("metric.mean_price", "rule.not_null_price", "rule.guarded")} == {"pass"}
    assert found["rule.zero_is_fine"] == "pass"
    told = {f["check"]: f["summary"] for f in answer.findings}
    assert "divides by zero in 200 rows" in told["rule.by_zero"]


def test_what_never_ends_is_stopped_and_the_rest_is_judged(desk: Desk) -> None:
    metrics = f"      - {{name: endless, sql: 'count(*) + {ENDLESS}'}}"
    rules = f"      - {{name: endless_number, aggregate: {{sql: 'count(*) + {ENDLESS}', max: 5}}}}\n"
    rules += "      - {name: endless_query, query: {sql: '" + ENDLESS[1:-1].replace("count(*)", "x") + "'}}"
    write(desk, metrics, rules, timeout_s=0.5)
    answer = desk.judge("--date", "2026-11-09", "--no-alerts")
    assert answer.code == 3, answer.err
    found = statuses(answer)
    assert found["metric.mean_price"] == "pass"
    names = ["metric.endless", "rule.endless_number", "rule.endless_query"]
    assert {name: found[name] for name in names} == dict.fromkeys(names, "error")
    assert found["rule.not_null_price"] == "pass"
    told = {f["check"]: f["summary"] for f in answer.findings}
    assert all("statement_timeout_s" in told[name] for name in names)
