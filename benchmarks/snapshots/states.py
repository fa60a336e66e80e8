"""Real tables as a warehouse would hold them that keeps today alone: one frame a day, yesterday's overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

DATA = Path(__file__).parents[1] / "detection" / "data"
GITHUB = """SELECT rank, item, repo_name, stars, forks, language, repo_url, username, issues, last_commit
    FROM '{folder}/github_ranking_2022.parquet' WHERE snapshot_date = DATE '{day}'"""
JHU = """SELECT Combined_Key AS place, Province_State AS state, Country_Region AS country,
    TRY_CAST(Confirmed AS DOUBLE) AS confirmed, TRY_CAST(Deaths AS DOUBLE) AS deaths,
    TRY_CAST(Recovered AS DOUBLE) AS recovered, TRY_CAST(Active AS DOUBLE) AS active,
    TRY_CAST(Lat AS DOUBLE) AS lat, TRY_CAST(Long_ AS DOUBLE) AS long, Last_Update AS updated
    FROM '{folder}/jhu_covid_2020.parquet' WHERE CAST(report_date AS DATE) = DATE '{day}'"""
RETAIL = """SELECT CAST(CustomerID AS BIGINT) AS customer_id, min(Country) AS country,
    count(DISTINCT InvoiceNo) AS invoices, sum(Quantity) AS pieces, round(sum(Quantity * UnitPrice), 2) AS spent,
    round(avg(UnitPrice), 2) AS usual_price, max(StockCode) AS latest_code, max(InvoiceDate) AS last_seen
    FROM '{folder}/online_retail.parquet'
    WHERE CustomerID IS NOT NULL AND file_date <= TIMESTAMP '{day}' GROUP BY CustomerID"""


@dataclass(frozen=True)
class State:
    """A table that is rewritten each day.

    `number` and `category` are columns that faults are put into: a number that grows, and one of few texts.
    """

    name: str
    sql: str
    key: tuple[str, ...]
    first: dt.date
    number: str
    category: str

    def frame(self, day: dt.date) -> pd.DataFrame:
        """The table as it was on a day; empty where there is no file of it."""
        return duckdb.sql(self.sql.format(folder=DATA, day=day)).df()


STATES = (
    State("github", GITHUB, ("item", "repo_url"), dt.date(2022, 3, 1), "stars", "language"),
    State("jhu", JHU, ("place",), dt.date(2020, 4, 20), "confirmed", "state"),
    State("retail", RETAIL, ("customer_id",), dt.date(2011, 6, 1), "spent", "country"),
)

Fault = Callable[[State, pd.DataFrame, pd.DataFrame], pd.DataFrame]


def _some(frame: pd.DataFrame, share: float) -> pd.Index:
    return frame.sample(frac=share, random_state=7).index


def _nulls(state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    changed = today.copy()
    changed.loc[_some(today, 0.1), state.category] = None
    return changed


def _scaled(state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    changed = today.astype({state.number: "float64"})
    changed.loc[_some(today, 0.1), state.number] *= 10
    return changed


def _noisy(state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    """Every third row rewritten by a trifle: no distribution moves."""
    changed = today.astype({state.number: "float64"})
    changed.loc[_some(today, 0.33), state.number] += 1
    return changed


def _mixed(state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    changed, some = today.copy(), _some(today, 0.1)
    changed.loc[some, state.category] = today[state.category].sample(frac=1, random_state=3).to_numpy()[: len(some)]
    return changed


def _short(_state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    return today.drop(index=_some(today, 0.1))


def _doubled(_state: State, today: pd.DataFrame, _before: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([today, today.loc[_some(today, 0.1)]])


def _stale(_state: State, _today: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    return before


FAULTS: dict[str, tuple[Fault, str]] = {
    "nulls in 10% of rows": (_nulls, "category"),
    "10% of rows times ten": (_scaled, "number"),
    "a trifle in 33% of rows": (_noisy, "number"),
    "10% of rows mixed up": (_mixed, "category"),
    "10% of rows gone": (_short, ""),
    "10% of rows twice": (_doubled, ""),
    "not updated": (_stale, ""),
}


def days_of(state: State, count: int) -> Iterator[dt.date]:
    """So many days from the first one on."""
    for number in range(count):
        yield state.first + dt.timedelta(days=number)
