"""Metrics out of dbt's semantic layer, as MetricFlow's own documentation writes it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from monitor.config import load_config, open_warehouses, resolve_tables
from monitor.config.metricflow import read_metrics
from monitor.errors import UsageError

LAYER = """
semantic_models:
  - name: orders
    model: ref('orders')
    defaults: {agg_time_dimension: ordered_at}
    entities:
      - {name: order_id, type: primary}
      - {name: customer, type: foreign, expr: customer_id}
    dimensions:
      - {name: ordered_at, type: time, type_params: {time_granularity: day}}
      - {name: is_food_order, type: categorical, expr: "kind = 'food'"}
    measures:
      - {name: order_total, agg: sum, expr: amount}
      - {name: order_count, agg: sum, expr: 1, create_metric: true}
      - {name: customers, agg: count_distinct, expr: customer_id}
      - {name: p95, agg: percentile, expr: amount, agg_params: {percentile: 0.95}}
      - {name: balance, agg: sum, expr: amount, non_additive_dimension: {name: ordered_at}}
  - name: shops
    model: ref('other_project', 'shops')
    measures: [{name: shop_count, agg: count, expr: id}]
---
metrics:
  - {name: revenue, type: simple, type_params: {measure: order_total}}
  - name: food_revenue
    type: simple
    type_params: {measure: {name: order_total}}
    filter: "{{ Dimension('order_id__is_food_order') }} = true"
  - {name: basket, type: ratio, type_params: {numerator: order_total, denominator: order_count}}
  - name: food_share
    type: ratio
    type_params:
      numerator: {name: order_count, filter: "{{ Dimension('order_id__is_food_order') }}"}
      denominator: order_count
  - {name: buyers, type: simple, type_params: {measure: customers}}
  - {name: large, type: simple, type_params: {measure: p95}}
  - {name: shops, type: simple, type_params: {measure: shop_count}}
  - {name: revenue_so_far, type: cumulative, type_params: {measure: order_total}}
  - {name: growth, type: derived, type_params: {expr: revenue - 1, metrics: [revenue]}}
  - {name: mixed, type: ratio, type_params: {numerator: order_total, denominator: shop_count}}
  - {name: at_end, type: simple, type_params: {measure: balance}}
"""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = tmp_path / "semantic.yml"
    path.write_text(LAYER)
    return path


def test_metrics_of_a_model_become_metrics_of_its_table(layer: Path) -> None:
    warnings: list[str] = []
    found = {entry.called: entry for entry in read_metrics(layer, "orders", warnings.append)}
    assert {name: entry.sql for name, entry in found.items()} == {
        "revenue": "sum(amount)",
        "food_revenue": "sum(amount)",
        "basket": "sum(amount) / sum(1)",
        "food_share": "SUM(CASE WHEN ((kind = 'food')) THEN 1 END) / sum(1)",
        "buyers": "count(DISTINCT customer_id)",
        "large": "percentile_cont(0.95) WITHIN GROUP (ORDER BY amount)",
        "order_count": "sum(1)",
    }
    assert found["food_revenue"].where == "((kind = 'food') = true)"
    assert len(warnings) == 3
    assert all("is left out" in said for said in warnings)


def test_they_are_computed(layer: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT DATE '2024-01-01' + (n % 30)::INT AS ordered_at, n AS order_id,"
            " n % 5 AS customer_id, (n % 10)::DOUBLE AS amount,"
            " ['food', 'drink'][(n % 2 + 1)::INT] AS kind FROM range(3000) t(n)"
        )
    config = f"""
warehouses: {{main: "duckdb:///w.duckdb"}}
tables:
  - name: main.orders
    time_column: ordered_at
    metrics_from: {layer.name}
    metrics: [{{name: revenue, sql: max(amount)}}]
"""
    (tmp_path / "daywatch.yaml").write_text(config)
    loaded = load_config(tmp_path / "daywatch.yaml")
    warehouses = open_warehouses(loaded)
    (table,) = resolve_tables(loaded, warehouses, warn=lambda _said: None)
    from checks.metrics import measure_of

    sql = {metric["name"]: measure_of(metric, table.dialect) for metric in table.metrics}
    day = warehouses["main"].partition(table, "2024-01-01")
    values = warehouses["main"].aggregates(table, day, list(sql.values()))
    told = {name: values[measure] for name, measure in sql.items()}
    assert told["revenue"] == 0.0  # the table's own of that name wins
    assert (told["order_count"], told["buyers"], told["food_share"]) == (100.0, 1.0, 1.0)
    warehouses["main"].close()


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("a: [", "not YAML in line 1"), ("metrics: []", "no semantic_models")]
)
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "x.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_metrics(path, "orders", lambda _said: None)
