"""The tables of the benchmark: real ones, cut to size, and two synthetic ones: a shop, and a wide one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Column = npt.NDArray[Any]
HERE = Path(__file__).parent
FLIGHTS = HERE.parents[1] / "monitor" / "demo" / "data" / "flights_nyc_2013.parquet"
MADE = HERE / "made"


@dataclass(frozen=True)
class Entry:
    """A table; `tuned` says whether the detector's constants were chosen while looking at it.

    `part` is how much of what other tables go through is tried on it: a wide table takes long.
    """

    name: str
    path: Path
    time_column: str
    tuned: bool
    key: tuple[str, ...] = ()
    first: int = 60  # days of past before anything is judged
    part: float = 1.0


TABLES = (
    Entry("flights", FLIGHTS, "flight_date", tuned=True),
    Entry("orders", MADE / "orders.parquet", "day", tuned=True, key=("order_id",)),
    Entry("taxi", HERE / "data" / "nyc_taxi_2018_2019.parquet", "pickup_date", tuned=True),
    Entry("retail", HERE / "data" / "online_retail.parquet", "file_date", tuned=True),
    Entry("beijing", HERE / "data" / "beijing_air_2015_2016.parquet", "obs_date", tuned=False),
    Entry("github", HERE / "data" / "github_ranking_2022.parquet", "snapshot_date", tuned=False),
    Entry("wide", MADE / "wide.parquet", "day", tuned=False, part=0.3),
)
TOLD_ONLY = (Entry("jhu", HERE / "data" / "jhu_covid_2020.parquet", "report_date", tuned=False),)
"""Tables of real faults alone: they change too much by themselves to have faults put in."""


def entry_named(name: str) -> Entry:
    """The table of that name; KeyError if there is none."""
    return {entry.name: entry for entry in (*TABLES, *TOLD_ONLY)}[name]


def prepare() -> None:
    """Make the synthetic tables where they are not there yet; the same bytes every time."""
    MADE.mkdir(exist_ok=True)
    for name, make in (("orders", orders), ("wide", wide)):
        path = MADE / f"{name}.parquet"
        if not path.exists():
            make().to_parquet(path, index=False)


def wide(days: int = 105, rows: int = 800, columns: int = 120, seed: int = 12) -> pd.DataFrame:
    """Readings of many sensors: groups that go together, drawn from a handful of hidden causes; flags, states, counts.

    Numbers (one half), small counts and states (a sixth each), flags and numbers that are often missing (the rest).
    """
    random = np.random.default_rng(seed)
    loads = random.normal(size=(6, columns))
    levels, scales = random.normal(20, 10, columns), np.exp(random.normal(0, 1, columns))
    made = []
    for number in range(days):
        day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
        count = int(rows * np.exp(random.normal(0, 0.02)) * (0.9 if day.weekday() > 4 else 1.0))
        hidden = random.normal(size=(count, 6)) @ loads + random.normal(size=(count, columns))
        named = {f"m{i:03d}": _reading(random, i, hidden[:, i], levels[i], scales[i]) for i in range(columns)}
        made.append(pd.DataFrame({"day": day, "device": random.integers(1, 400, count).astype(float), **named}))
    return pd.concat(made, ignore_index=True)


def _reading(random: np.random.Generator, place: int, cause: Column, level: float, scale: float) -> Column:
    match place % 6:
        case 3:
            return np.floor(np.exp(np.clip(0.4 * cause, -3, 3))).astype(float)
        case 4:
            states = np.array(["off", "idle", "on", "busy", "error"], dtype=object)
            return states[np.digitize(cause, [-3, -1, 2, 5.5])]
        case 5 if place % 12 == 5:
            return np.where(random.random(len(cause)) < 0.1, np.nan, np.round(level + scale * cause, 2))
        case 5:
            return cause > 1.5
    return np.round(level + scale * cause, 3)


def orders(days: int = 120, rows: int = 5_000, seed: int = 11) -> pd.DataFrame:
    """Orders of a web shop: weekly rhythm, slow growth, heavy-tailed prices, dependent columns, a growing id."""
    random = np.random.default_rng(seed)
    made, first = [], 100_000
    for number in range(days):
        day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)
        weekly = (1.15, 1.0, 1.0, 1.05, 1.2, 0.8, 0.7)[day.weekday()]
        count = int(rows * weekly * np.exp(random.normal(0, 0.03)) * (1 + number / 1000))
        made.append(_day(random, day, count, first))
        first += count
    return pd.concat(made, ignore_index=True)


def _day(random: np.random.Generator, day: pd.Timestamp, count: int, first: int) -> pd.DataFrame:
    countries = ["DE", "FR", "IT", "ES", "PL", "NL", "SE", "DK"]
    country = random.choice(countries, count, p=[0.4, 0.2, 0.12, 0.1, 0.08, 0.05, 0.03, 0.02])
    weekend = 0.03 * (day.weekday() > 4)
    category = random.zipf(1.6, count) % 20
    price = np.round(np.exp(random.normal(3 + 0.02 * category, 0.7, count)), 2)
    quantity = 1 + random.poisson(0.7, count)
    discount = np.where(random.random(count) < 0.7, 0, random.choice([0.05, 0.1, 0.2], count))
    rated = random.choice([1.0, 2.0, 3.0, 4.0, 5.0], count, p=[0.05, 0.05, 0.1, 0.3, 0.5])
    seconds = np.sort(np.clip(random.normal(14 * 3600, 4 * 3600, count), 0, 86_399).round())
    hosts = random.choice(["gmail.com", "web.de", "yahoo.com"], count)
    return pd.DataFrame(
        {
            "order_id": np.arange(first, first + count),
            "day": day,
            "created_at": day + pd.to_timedelta(seconds, unit="s"),
            "country": country,
            "device": random.choice(["mobile", "desktop", "tablet"], count, p=[0.55 + weekend, 0.38 - weekend, 0.07]),
            "category": [f"cat_{c:02d}" for c in category],
            "price": price,
            "quantity": quantity,
            "discount": discount,
            "total": np.round(price * quantity * (1 - discount), 2),
            "sku": [f"{chr(65 + c)}{x:05d}" for c, x in zip(category, random.integers(0, 3000, count), strict=True)],
            "customer_id": random.integers(1, 40_000, count),
            "is_new": random.random(count) < 0.15,
            "rating": np.where(random.random(count) < 0.2, np.nan, rated),
            "shipping_days": np.where(country == "DE", 2, 4) + random.poisson(1, count),
            "email": [f"u{x}@{h}" for x, h in zip(random.integers(0, 10**6, count), hosts, strict=True)],
        }
    )
