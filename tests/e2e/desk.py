"""A stranger's desk: a folder with a warehouse and a configuration, and the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from monitor.cli import main

NOW = "2026-11-21T05:00+00:00"
FAULTS = {
    "2026-11-10": "UPDATE orders SET color = NULL WHERE d = '2026-11-10' AND order_id % 5 < 3",
    "2026-11-13": "DELETE FROM orders WHERE d = '2026-11-13' AND order_id % 4 > 0",
    "2026-11-15": "INSERT INTO orders SELECT * FROM orders WHERE d = '2026-11-15' AND order_id % 2 = 0",
    "2026-11-18": "UPDATE orders SET price = price * 100 WHERE d = '2026-11-18'",
}
ORDERS = """CREATE TABLE orders AS
    SELECT DATE '2026-10-11' + CAST(i // 200 AS INT) AS d, i AS order_id,
           ['red', 'green', 'blue', 'grey'][1 + CAST(floor(random() * 3.99) AS INT)] AS color,
           round(random() * 100, 2) AS price, CASE WHEN random() < 0.1 THEN NULL ELSE 'note ' || (i % 9) END AS note
    FROM range(8200) t(i)"""
CONFIG = """warehouses: {main: "duckdb:///shop.duckdb"}
tables:
  - name: main.orders
    time_column: d
    key: [order_id]
    rules: [{not_null: color}]
"""
QUICK = CONFIG.replace("tables:\n", "defaults: {drift_backfill_days: 10}\ntables:\n")
"""The same with as much of the past replayed as the checks need to know it."""


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "id" in line]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "event" in line]


@dataclass
class Desk:
    """A folder, and the commands that are given in it."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"DAYWATCH_NOW": NOW})

    def write(self, config: str = CONFIG) -> Desk:
        (self.folder / "daywatch.yaml").write_text(config, encoding="utf-8")
        return self

    def sql(self, *statements: str, file: str = "shop.duckdb") -> Desk:
        with duckdb.connect(str(self.folder / file)) as connection:
            connection.execute("SET timezone = 'UTC'")
            connection.execute("SELECT setseed(0.3)")
            for statement in statements:
                connection.execute(statement)
        return self

    def say(self, *words: str, now: str | None = None) -> Answer:
        """Give a command, as typed in this folder."""
        out, err = io.StringIO(), io.StringIO()
        environment = {**self.environment, **({"DAYWATCH_NOW": now} if now else {})}
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            main(list(words))
        return Answer(int(left.value.code or 0), out.getvalue(), err.getvalue())

    def judge(self, *words: str, now: str | None = None) -> Answer:
        return self.say("run", "--format", "json", *words, now=now)

    def alerts(self) -> Sequence[str]:
        """The alerts that were delivered to the folder."""
        folder = self.folder / "alerts"
        return sorted(p.name for p in folder.iterdir() if p.name != "pictures") if folder.is_dir() else []
