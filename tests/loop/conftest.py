from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from monitor.check import load_checks
from monitor.run import Outcome, Watch, judge_partition, prepare_past
from monitor.store import Store
from monitor.types import Column, Table, TimeColumn, TimeForm
from monitor.warehouses import open_warehouse

FIRST = dt.date(2024, 1, 1)
DAYS = 40
ROWS = 200
KNOWN = 32
"""Days whose past `judge_day` finds read."""
NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)


def orders(days: int = DAYS, rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(3)
    total = days * rows
    return pd.DataFrame(
        {
            "id": np.arange(total),
            "day": np.repeat([FIRST + dt.timedelta(days=d) for d in range(days)], rows),
            "country": random.choice(["DE", "FR", "IT"], total, p=[0.6, 0.3, 0.1]),
            "price": np.round(random.lognormal(3, 0.5, total), 2),
            "rating": random.integers(1, 6, total).astype(float),
        }
    )


@dataclass
class Shop:
    """A warehouse with one table, a store, and the day that is judged."""

    folder: Path

    def write(self, *statements: str) -> None:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def watch(self, store: Store, **settings: object) -> Watch:
        warehouse = open_warehouse("main", f"duckdb:///{self.folder / 'shop.duckdb'}")
        columns: tuple[Column, ...] = warehouse.columns(("orders",))
        table = Table("main.orders", "main", ("orders",), columns, TimeColumn("day", TimeForm.DATE), key=("id",))
        return Watch(dataclasses.replace(table, **settings), warehouse, store, load_checks())

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.folder / 'store.db'}")


Judge = Callable[..., Outcome]


def build(folder: Path) -> Shop:
    frame = orders()
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.register("frame", frame)
        connection.execute("CREATE TABLE orders AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM frame")
    return Shop(folder)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return build(tmp_path)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that knows the first days of the shop, seconds of work, to be copied."""
    made = build(tmp_path_factory.mktemp("known"))
    with made.store() as store:
        watch = made.watch(store)
        label = (FIRST + dt.timedelta(days=KNOWN)).isoformat()
        prepare_past(watch, watch.warehouse.partition(watch.table, label), NOW)
        watch.warehouse.close()
    return made.folder / "store.db"


@pytest.fixture
def judge_day(shop: Shop, known: Path) -> Judge:
    """Judge a day in a process of its own, as the command line does: everything is opened anew."""
    shutil.copy(known, shop.folder)

    def judge(day: int, now: dt.datetime = NOW, **settings: object) -> Outcome:
        with shop.store() as store:
            watch = shop.watch(store, **{"drift_backfill_days": 3, **settings})
            try:
                label = (FIRST + dt.timedelta(days=day)).isoformat()
                return judge_partition(watch, watch.warehouse.partition(watch.table, label), now)
            finally:
                watch.warehouse.close()

    return judge
