"""The table and the twenty rules, and the statement that a person would write for them."""

from __future__ import annotations

from typing import Any

COLUMNS = ("id", "code", "day", "origin", "sku", "amount", "age", "note", "flag", "quantity")

TABLE = """
SELECT i AS id,
       'u' || lpad(CAST((i * 7919) % {rows} AS VARCHAR), 8, '0') AS code,
       DATE '2013-01-01' + CAST(i % 365 AS INTEGER) AS day,
       CASE i % 3 WHEN 0 THEN 'EWR' WHEN 1 THEN 'JFK' ELSE 'LGA' END AS origin,
       'SKU-' || lpad(CAST(i % 100000 AS VARCHAR), 5, '0') AS sku,
       ((i * 104729) % 1000000) / 100.0 AS amount,
       CAST((i * 31) % 120 AS INTEGER) AS age,
       CASE WHEN i % 97 = 0 THEN NULL ELSE 'note ' || CAST(i % 1000 AS VARCHAR) END AS note,
       i % 2 = 0 AS flag,
       CAST(i % 500 AS INTEGER) AS quantity
FROM {source}
"""

UNIQUE: list[dict[str, Any]] = [{"unique": "id"}, {"unique": "code"}]
OTHERS: list[dict[str, Any]] = [
    {"not_null": "id"},
    {"not_null": "code"},
    {"not_null": "day"},
    {"not_null": "origin"},
    {"not_null": "sku"},
    {"not_null": "note", "tolerance": 0.02},
    {"in_set": {"column": "origin", "values": ["EWR", "JFK", "LGA"]}},
    {"in_set": {"column": "flag", "values": [True, False]}},
    {"in_range": {"column": "amount", "min": 0, "max": 10_000}},
    {"in_range": {"column": "age", "min": 0, "max": 120}},
    {"in_range": {"column": "quantity", "min": 0, "max": 499}},
    {"in_range": {"column": "day", "min": "2013-01-01", "max": "2013-12-31"}},
    {"matches_regex": {"column": "sku", "regex": "^SKU-[0-9]{5}$"}},
    {"matches_regex": {"column": "code", "regex": "^u[0-9]{8}$"}},
    {"length": {"column": "code", "min": 9, "max": 9}},
    {"name": "amount_or_flag", "sql": "amount * 2 >= 0 OR flag"},
    {"name": "age_below", "sql": "age < quantity + 1000"},
    {"name": "note_begins", "sql": "note LIKE 'note %'"},
]

_FILTERED = "count(*) FILTER (WHERE {0})"
NAIVE_UNIQUE = ("count(id) - count(DISTINCT id)", "count(code) - count(DISTINCT code)")
NAIVE_CONDITIONS = (
    "id IS NULL",
    "code IS NULL",
    "day IS NULL",
    "origin IS NULL",
    "sku IS NULL",
    "note IS NULL",
    "origin NOT IN ('EWR', 'JFK', 'LGA')",
    "flag NOT IN (TRUE, FALSE)",
    "amount < 0 OR amount > 10000",
    "age < 0 OR age > 120",
    "quantity < 0 OR quantity > 499",
    "day < DATE '2013-01-01' OR day > DATE '2013-12-31'",
    "NOT {sku}",
    "NOT {code}",
    "length(code) < 9 OR length(code) > 9",
    "NOT (amount * 2 >= 0 OR flag)",
    "NOT (age < quantity + 1000)",
    "NOT (note LIKE 'note %')",
)
_REGEX = {"duckdb": "regexp_matches({0}, '{1}')", "postgresql": "({0} ~ '{1}')"}


def naive(dialect: str, *, unique: bool) -> str:
    """One statement with a column a rule, as a person writes it."""
    matches = {
        "sku": _REGEX[dialect].format("sku", "^SKU-[0-9]{5}$"),
        "code": _REGEX[dialect].format("code", "^u[0-9]{8}$"),
    }
    conditions = [c.format(**matches) if c in ("NOT {sku}", "NOT {code}") else c for c in NAIVE_CONDITIONS]
    columns = [*(NAIVE_UNIQUE if unique else ()), *(_FILTERED.format(c) for c in conditions)]
    return f"SELECT count(*) AS n, {', '.join(f'{c} AS c{i}' for i, c in enumerate(columns))} FROM t"
