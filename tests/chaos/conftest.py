"""Two days of an invented shop, as the frames a sample gives and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from chaos.statement import Statement, statement
from monitor.types import Column, ColumnKind

ROWS = 600
TODAY = """"at" >= '2024-03-02' AND "at" < '2024-03-03\'"""
YESTERDAY = """"at" >= '2024-03-01' AND "at" < '2024-03-02\'"""
COLUMNS = (
    Column("id", ColumnKind.NUMBER, "BIGINT"),
    Column("at", ColumnKind.TIMESTAMP, "TIMESTAMP"),
    Column("seen", ColumnKind.TIMESTAMP, "TIMESTAMP"),
    Column("amount", ColumnKind.NUMBER, "DOUBLE"),
    Column("tax", ColumnKind.NUMBER, "DOUBLE"),
    Column("pieces", ColumnKind.NUMBER, "BIGINT"),
    Column("rank", ColumnKind.NUMBER, "BIGINT"),
    Column("city", ColumnKind.TEXT, "VARCHAR"),
    Column("country", ColumnKind.TEXT, "VARCHAR"),
    Column("clerk", ColumnKind.TEXT, "VARCHAR"),
    Column("note", ColumnKind.TEXT, "VARCHAR"),
    Column("bought", ColumnKind.TEXT, "VARCHAR"),
    Column("payload", ColumnKind.TEXT, "VARCHAR"),
    Column("paid", ColumnKind.BOOLEAN, "BOOLEAN"),
)


def rows_of(day: str, seed: int, rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    city = rng.choice(["Köln", "Paris", "Wien", "Łódź", "Rome"], rows, p=[0.4, 0.25, 0.15, 0.12, 0.08])
    land = {"Köln": "DE", "Paris": "FR", "Wien": "AT", "Łódź": "PL", "Rome": "IT"}
    start = pd.Timestamp(day)
    seconds = np.sort(rng.choice(86_000, rows, replace=False))
    amount = np.round(rng.lognormal(3, 1, rows), 2)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows, dtype="float64") + seed * 10_000,
            "at": start + pd.to_timedelta(seconds, unit="s"),
            "seen": start + pd.to_timedelta(seconds + rng.integers(1, 5_000, rows), unit="s"),
            "amount": np.where(rng.random(rows) < 0.05, np.nan, amount),
            "tax": np.round(amount * 0.19, 2),
            "pieces": rng.poisson(30, rows).astype(float),
            "rank": np.zeros(rows),
            "city": pd.Categorical(np.where(rng.random(rows) < 0.04, None, city)),
            "country": pd.Categorical([land[name] for name in city]),
            "clerk": pd.Categorical([f"clerk {i % 50:02}" for i in rng.permutation(rows)]),
            "note": pd.Series(rng.choice(["café au lait", "Grüße", "plain", "naïve yes", "x"], rows), dtype=object),
            "bought": pd.Series([str((start - pd.Timedelta(days=int(d))).date()) for d in rng.integers(0, 9, rows)]),
            "payload": pd.Series(
                [f'{{"user": {u}, "ok": "{o}"}}' for u, o in zip(rng.integers(1, 99, rows), city, strict=True)],
                dtype=object,
            ),
            "paid": pd.Series(rng.choice([True, False, None], rows, p=[0.7, 0.25, 0.05]), dtype=object),
        }
    )
    frame["rank"] = frame.groupby("country", observed=True).cumcount() + 1.0
    return frame


@dataclass
class Shop:
    """A table `shop` of two days in an engine of its own, and the same days as frames."""

    today: pd.DataFrame
    yesterday: pd.DataFrame
    engine: sa.Engine

    def ask(self, query: str) -> pd.DataFrame:
        with self.engine.connect() as connection:
            return pd.read_sql(sa.text(query.replace(":", "\\:")), connection)

    def statement(self, fault: str, columns: tuple[str, ...], **arguments: Any) -> Statement:
        given = {"partition": TODAY, "yesterday": YESTERDAY, "time_column": "at", **arguments}
        return statement(fault, (("shop",), COLUMNS), "duckdb", columns=columns, **given)

    def damaged(self, fault: str, columns: tuple[str, ...], **arguments: Any) -> pd.DataFrame:
        return self.ask(self.statement(fault, columns, only_day=True, **arguments).select)

    def changed(self, fault: str, columns: tuple[str, ...], **arguments: Any) -> int:
        return int(self.ask(self.statement(fault, columns, **arguments).changed).iloc[0, 0])


@pytest.fixture(scope="session")
def shop() -> Shop:
    today, yesterday = rows_of("2024-03-02", 2), rows_of("2024-03-01", 1)
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.StaticPool)
    both = pd.concat([yesterday.astype(object), today.astype(object)], ignore_index=True)
    both = both.where(both.notna(), None)
    typed = ", ".join(f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in COLUMNS)
    with engine.begin() as connection:
        connection.execute(sa.text("register(:name, :frame)"), {"name": "raw", "frame": both.convert_dtypes()})
        connection.exec_driver_sql(f"CREATE TABLE shop AS SELECT {typed} FROM raw")
    return Shop(today, yesterday, engine)
