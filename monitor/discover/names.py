"""What a column's name says of it."""

from __future__ import annotations

import re

# fmt: off
LOADING = frozenset([
    "partition", "snapshot", "ds", "load", "loaded", "loading", "ingest", "ingested", "ingestion", "insert",
    "inserted", "extract", "extracted", "import", "imported", "file", "batch", "report", "reporting", "business",
    "asof", "etl",
])
HAPPENING = frozenset([
    "event", "create", "created", "creation", "occurred", "received", "order", "ordered", "invoice", "transaction",
    "trx", "txn", "pickup", "obs", "observed", "observation", "log", "logged", "posted", "published", "flight",
    "visit", "session", "sale", "sold", "booking", "booked", "start", "started", "recorded", "measured", "sent",
    "request", "requested", "click", "clicked", "view", "viewed", "purchase", "purchased",
])
TIME_WORDS = frozenset([
    "date", "day", "dt", "at", "on", "time", "ts", "timestamp", "datetime", "epoch",
])
WHOLE_NAMES = frozenset([
    "date", "day", "dt", "ds", "ts", "time", "timestamp", "datetime", "partition", "partition_date",
])
NOT_A_DAY = frozenset([
    "birth", "birthday", "birthdate", "born", "dob", "expiry", "expire", "expires", "expired", "expiration",
    "valid", "until", "deleted", "hire", "hired", "anniversary", "founded", "next",
])
CHANGING = frozenset([
    "update", "updated", "modified", "changed", "last", "closed", "cancelled", "canceled", "end", "ended", "finish",
    "finished", "completed", "dropoff", "arrival", "arrived", "delivery", "delivered", "shipped", "due",
    "scheduled", "sched", "planned", "paid", "approved", "resolved",
])
PARTITION_IDS = frozenset([
    "partition", "ds", "dt", "batch", "load", "snapshot", "run", "period", "yyyymmdd",
])
CALENDAR = frozenset([
    "year", "quarter", "month", "week", "weekday", "day", "dow", "doy", "hour", "minute", "second",
])
KEYS = frozenset([
    "id", "key", "uuid", "guid", "number", "no", "nr", "num", "code", "sku", "pk", "hash", "ref", "reference",
])
# fmt: on


def words_of(name: str) -> list[str]:
    """The words of a column's name, small: `pickupDate`, `Pickup Date` and `pickup_date` are the same.

    >>> words_of("lastUpdatedAt")
    ['last', 'updated', 'at']
    """
    split = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return [word.lower() for word in re.findall(r"[^\W_]+", split)]


def time_likeness(name: str) -> float:
    """How much a name says `this is when the row belongs`; negative where it says the contrary."""
    words = set(words_of(name))
    score = 0.25 if "_".join(words_of(name)) in WHOLE_NAMES else 0.0
    score += 0.35 if words & LOADING else 0.25 if words & HAPPENING else 0.0
    score += 0.15 if words & TIME_WORDS else 0.0
    score -= 0.35 if words & CHANGING else 0.0
    score -= 0.9 if words & NOT_A_DAY else 0.0
    return score


def is_key_like(name: str) -> bool:
    """Whether a name is one that keys have: `flight_id`, `InvoiceNo`, `uuid`."""
    return bool(set(words_of(name)[-1:]) & KEYS)


def is_calendar(name: str) -> bool:
    """Whether a name is a part of a date (`month`), which says nothing beside the date itself."""
    return set(words_of(name)) <= CALENDAR and bool(words_of(name))
