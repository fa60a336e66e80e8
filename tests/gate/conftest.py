"""A shop of five weeks with its configuration and a store that knows it, and staging tables of all sorts."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from monitor.cli import main

NOW = "2026-11-21T05:00+00:00"
DAY = "2026-11-20"
ORDERS = f"""CREATE TABLE orders AS
    SELECT DATE '2026-10-16' + CAST(i // 400 AS INT) AS d, i AS order_id,
           ['red', 'green', 'blue', 'grey'][1 + CAST(hash(i) % 4 AS INT)] AS color,
           round((hash(i + 1) % 10007) / 100.0, 2) AS price,
           CASE WHEN hash(i + 2) % 10 = 0 THEN NULL ELSE 'note ' || (i % 9) END AS note
    FROM range({36 * 400}) t(i)"""
STAGING = (
    f"CREATE TABLE young AS FROM orders WHERE d > DATE '{DAY}' - 14",
    "CREATE SCHEMA staging",
    "CREATE TABLE staging.same AS FROM orders",
    f"CREATE TABLE staging.of_day AS FROM orders WHERE d = '{DAY}'",
    f"""CREATE TABLE staging.nulls AS SELECT * REPLACE (CASE WHEN d = '{DAY}' AND order_id % 2 = 0 THEN NULL
        ELSE color END AS color) FROM orders""",
    f"""CREATE TABLE staging.dear AS SELECT * REPLACE (CASE WHEN d = '{DAY}' THEN price * 100 ELSE price END AS price)
        FROM orders""",
    f"""CREATE TABLE staging.both AS SELECT * REPLACE (CASE WHEN d = '{DAY}' AND order_id % 2 = 0 THEN NULL ELSE color
        END AS color, CASE WHEN d = '{DAY}' THEN price * 100 ELSE price END AS price) FROM orders""",
    "CREATE TABLE staging.renamed AS SELECT d AS bought, order_id AS id, color AS COLOR, price, note FROM orders",
    "CREATE TABLE staging.moved AS SELECT * RENAME (d AS bought) FROM orders",
    f"CREATE TABLE staging.secret AS SELECT * REPLACE ('secret ' || order_id AS note) FROM orders WHERE d = '{DAY}'",
    "CREATE TABLE staging.empty AS FROM orders LIMIT 0",
    "CREATE TABLE staging.no_price AS SELECT * EXCLUDE (price) FROM orders",
    "CREATE TABLE staging.no_color AS SELECT * EXCLUDE (color) FROM orders",
    "CREATE TABLE staging.text_price AS SELECT * REPLACE (price::VARCHAR AS price) FROM orders",
    "CREATE TABLE staging.more AS SELECT *, 1 AS extra FROM orders",
    "CREATE TABLE staging.text_day AS SELECT * REPLACE ('day ' || d AS d) FROM orders",
)
CONFIG = """warehouses: {main: "duckdb:///shop.duckdb"}
tables:
  - name: main.orders
    time_column: d
    key: [order_id]
    drift_backfill_days: 10
    rules: [{not_null: color}, {sql: "orders.price >= 0", name: price_positive}]
    metrics: [{name: mean_price, sql: "avg(orders.price)", by: [color]}]
"""


@dataclass(frozen=True)
class Desk:
    """A folder with a configuration, and the command line."""

    folder: Path

    def __call__(self, *arguments: str, config: str = "daywatch.yaml") -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {"DAYWATCH_NOW": NOW}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as end,
        ):
            main([*arguments, "-c", str(self.folder / config)])
        return int(str(end.value.code)), out.getvalue(), err.getvalue()

    def gate(self, staging: str, *options: str, against: str = "main.orders") -> tuple[int, dict[str, Any]]:
        """Exit code and JSON of a gate."""
        code, out, err = self("gate", staging, "--against", against, "--format", "json", *options)
        assert out.count("\n") == 1, err
        return code, json.loads(out)

    def write(self, name: str, text: str) -> str:
        """A file beside the configuration; its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def sql(self, *statements: str) -> None:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A shop whose store knows the day before; nothing in it is changed by a test."""
    made = Desk(tmp_path_factory.mktemp("gate"))
    made.write("daywatch.yaml", CONFIG)
    made.sql(ORDERS, *STAGING)
    code, out, err = made("run", "--date", "2026-11-19", "--no-alerts")
    assert code == 0, out + err
    return made


@pytest.fixture
def own_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes a shop of its own, without a store."""

    def make(*statements: str, config: str = CONFIG) -> Desk:
        made = Desk(tmp_path)
        made.write("daywatch.yaml", config)
        made.sql(*statements)
        return made

    return make
