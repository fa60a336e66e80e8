"""The tables of the benchmark: real ones, cut to size, and a synthetic shop whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
FLIGHTS = HERE.parents[1] / "monitor" / "demo" / "data" / "flights_nyc_2013.parquet"
MADE = HERE / "made"


@dataclass(frozen=True)
class Entry:
    """A table; `tuned` says whether the detector's constants were chosen while looking at it."""

    name: str
    path: Path
    time_column: str
    tuned: bool
    key: tuple[str, ...] = ()
    first: int = 60  # days of past before anything is judged


TABLES = (
    Entry("flights", FLIGHTS, "flight_date", tuned=True),
    Entry("orders", MADE / "orders.parquet", "day", tuned=True, key=("order_id",)),
    Entry("taxi", HERE / "data" / "nyc_taxi_2018_2019.parquet", "pickup_date", tuned=True),
    Entry("retail", HERE / "data" / "online_retail.parquet", "file_date", tuned=True),
    Entry("beijing", HERE / "data" / "beijing_air_2015_2016.parquet", "obs_date", tuned=False),
    Entry("github", HERE / "data" / "github_ranking_2021.parquet", "snapshot_date", tuned=False),
)


def prepare() -> None:
    """Make the synthetic table where it is not there yet; the same bytes every time."""
    path = MADE / "orders.parquet"
    if not path.exists():
        MADE.mkdir(exist_ok=True)
        orders().to_parquet(path, index=False)


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
