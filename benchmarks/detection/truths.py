"""What is known of the tables' days: data that really went wrong, and days that were odd in the world."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class RealFault:
    """Data that really went wrong: its first day, and the columns that show it; none where rows are missing.

    `days` is for how many days it is an oddity; after that it is how the table is now.
    """

    table: str
    day: str
    about: str
    columns: tuple[str, ...] = ()
    days: int = 2


_TAXI_BLOCK = ("vendor_id", "passenger_count", "rate_code_id", "store_and_fwd_flag", "payment_type")
_RENAMED = (
    "Province/State", "Country/Region", "Last Update", "Latitude", "Longitude", "FIPS", "Admin2", "Province_State",
    "Country_Region", "Last_Update", "Lat", "Long_", "Active", "Combined_Key",
)  # fmt: skip
_POLLUTANTS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
_OUTAGE = "an eighth of the readings and more missing, of all six pollutants at once"
_RATES = ("Incidence_Rate", "Case-Fatality_Ratio")
REAL_FAULTS = (
    RealFault("github", "2022-02-16", "2,160 of 3,600 rows: ranks 61 to 100 missing in every list"),
    RealFault("github", "2022-05-26", "the same once more", days=3),
    RealFault("taxi", "2019-01-21", "congestion_surcharge, always NULL so far, is filled", ("congestion_surcharge",)),
    RealFault(
        "taxi", "2019-01-28", "in one row a fare of 3,004, a tax of 37.51 and -36.71 of extra",
        ("fare_amount", "total_amount", "mta_tax", "extra"), days=1,
    ),
    RealFault("taxi", "2019-02-01", "no passengers in a seventh of the rows, so far in none", ("passenger_count",)),
    RealFault("taxi", "2019-02-02", "congestion_surcharge, 0 so far, is charged", ("congestion_surcharge",)),
    RealFault(
        "taxi", "2019-03-01", "rows without passengers, a sixth of all for a month, no longer come",
        ("passenger_count",), days=4,
    ),
    RealFault("taxi", "2019-07-01", "five columns NULL together, in 4 of 303 rows on the first day", _TAXI_BLOCK),
    RealFault("retail", "2011-01-18", "74,215 units ordered and cancelled, in 2 lines", ("Quantity",)),
    RealFault("retail", "2011-08-12", "prices of -11,062.06, in 2 lines", ("UnitPrice",)),
    RealFault("retail", "2011-12-09", "80,995 units ordered and cancelled, in 2 lines", ("Quantity",)),
    RealFault("beijing", "2015-08-05", _OUTAGE, _POLLUTANTS),
    RealFault("beijing", "2015-10-08", _OUTAGE, _POLLUTANTS, days=4),
    RealFault("beijing", "2015-11-01", _OUTAGE, _POLLUTANTS),
    RealFault("beijing", "2015-12-02", _OUTAGE, _POLLUTANTS),
    RealFault("beijing", "2016-03-15", _OUTAGE, _POLLUTANTS),
    RealFault("jhu", "2020-02-02", "times written as 2020-02-02T23:43:02, not 1/31/2020 23:59", ("Last Update",)),
    RealFault("jhu", "2020-03-01", "coordinates, never there before, are filled", ("Latitude", "Longitude")),
    RealFault("jhu", "2020-03-22", "columns renamed, 3,417 rows instead of 304", _RENAMED),
    RealFault("jhu", "2020-03-28", "times written as 3/28/20 23:05 again", ("Last_Update",)),
    RealFault("jhu", "2020-05-29", "two rates, never there before, are filled", _RATES),
)  # fmt: skip


@dataclass(frozen=True)
class TrueEvent:
    """Something that happened in the world from `first` to `last`, and may be felt until then."""

    table: str
    first: str
    last: str
    about: str


TRUE_EVENTS = (
    TrueEvent("flights", "2013-02-08", "2013-02-11", "blizzard: half of the flights cancelled"),
    TrueEvent("flights", "2013-03-08", "2013-03-09", "snow storm"),
    TrueEvent("flights", "2013-05-23", "2013-05-24", "thunderstorms"),
    TrueEvent("flights", "2013-05-25", "2013-05-28", "Memorial Day and its weekend"),
    TrueEvent("flights", "2013-07-04", "2013-07-05", "Independence Day"),
    TrueEvent("flights", "2013-09-12", "2013-09-13", "thunderstorms"),
    TrueEvent("flights", "2013-11-27", "2013-12-02", "Thanksgiving"),
    TrueEvent("flights", "2013-12-23", "2013-12-29", "Christmas"),
    TrueEvent("taxi", "2018-12-22", "2019-01-02", "Christmas and New Year"),
    TrueEvent("taxi", "2019-03-31", "2019-04-05", "the tolls of New York rise from 5.76 to 6.12"),
    TrueEvent("taxi", "2019-07-04", "2019-07-07", "Independence Day and its weekend"),
    TrueEvent("beijing", "2016-07-19", "2016-07-21", "the heaviest rain of four years"),
    TrueEvent("retail", "2010-12-23", "2011-01-06", "no sales from Christmas to 4 January"),
    TrueEvent("retail", "2011-04-21", "2011-05-03", "Easter, and a royal wedding"),
    TrueEvent("retail", "2011-05-30", "2011-05-30", "the spring bank holiday, without sales"),
)


def known_days(table: str) -> frozenset[dt.date]:
    """Days of a table with a real fault, an event, or the echo of one on the day after.

    What alerts there is no false alert, and no fault is put into them.
    """
    spans = [(_day(f.day), _day(f.day) + dt.timedelta(days=f.days - 1)) for f in REAL_FAULTS if f.table == table]
    spans += [(_day(e.first), _day(e.last) + dt.timedelta(days=1)) for e in TRUE_EVENTS if e.table == table]
    return frozenset(first + dt.timedelta(days=n) for first, last in spans for n in range((last - first).days + 1))


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
