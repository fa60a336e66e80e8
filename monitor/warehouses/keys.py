"""How many rows repeat a key: exact, by the way that is cheapest on the engine.

- DuckDB, whole numbers that lie close together: a bit for each number, ten times cheaper than grouping.
- PostgreSQL: different hashes, by sorting numbers and not texts. As many hashes as rows prove that no key repeats; else
  the keys are grouped.
- Otherwise the keys are grouped, which is cheaper than COUNT DISTINCT beside other aggregates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from checks.rules.words import ROWS, words_of
from monitor.errors import SourceError, UnavailableError
from monitor.types import ColumnKind, Measure, Partition, Table
from monitor.warehouses.constructs import RowHash, TypedColumn

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

BITS_MAX = 1 << 28
"""Whole numbers between which a bit each is set to count the different ones: 32 MB a thread."""
BATCH = 10
"""Keys that are counted by one statement: each holds a structure of its own in memory."""
_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})


def repeats_sql(table: Table, measure: Measure) -> str:
    """The statement of the rows beyond the first of each key, with tokens."""
    asked, words = json.loads(measure.argument), words_of(table)
    known = [f"{words.name(column)} IS NOT NULL" for column in asked["columns"]]
    where = " AND ".join([*known, *([f"({asked['where']})"] if asked["where"] else [])])
    keys = words.names(asked["columns"])
    grouped = f"SELECT COUNT(*) AS n FROM {ROWS} AS day WHERE {where} GROUP BY {keys} HAVING COUNT(*) > 1"  # noqa: S608
    return f"SELECT COALESCE(SUM(n - 1), 0) FROM ({grouped}) AS repeated"  # noqa: S608 - quoted names, parsed conditions


def count_repeats(
    warehouse: Warehouse, table: Table, partition: Partition | None, measures: Sequence[Measure]
) -> dict[Measure, float]:
    """The repeats of those keys that the engine can count more cheaply than by grouping; the others are left out."""
    ways = {"duckdb": _count_bits, "postgresql": _count_hashes}
    found: dict[Measure, float] = {}
    for start in range(0, len(measures) if warehouse.dialect in ways else 0, BATCH):
        try:
            found.update(ways[warehouse.dialect](warehouse, table, partition, measures[start : start + BATCH]))
        except UnavailableError:
            raise
        except SourceError:
            continue  # whose condition is at fault is found when each is asked alone
    return found


def _count_bits(
    warehouse: Warehouse, table: Table, partition: Partition | None, measures: Sequence[Measure]
) -> Iterable[tuple[Measure, float]]:
    numbers = {column.name for column in table.columns if column.type.upper() in _INTEGERS}
    values: dict[Measure, str] = {}
    for measure in measures:
        asked = json.loads(measure.argument)
        if len(asked["columns"]) == 1 and asked["columns"][0] in numbers:
            name = warehouse.identifier(asked["columns"][0])
            values[measure] = f"CASE WHEN {asked['where']} THEN {name} END" if asked["where"] else name
    if not values:
        return []
    row = warehouse.numbers(
        table, partition, [part for v in values.values() for part in (f"min({v})", f"max({v})", f"count({v})")]
    )
    bounds = {m: (row[3 * i], row[3 * i + 1], row[3 * i + 2]) for i, m in enumerate(values)}
    close = {m: b for m, b in bounds.items() if b[2] and b[1] - b[0] < min(BITS_MAX, max(64 * b[2], 1_000))}
    bits = [f"bit_count(bitstring_agg({values[m]}, {low}, {high}))" for m, (low, high, _) in close.items()]
    seen = warehouse.numbers(table, partition, bits) if bits else []
    counted = [(m, float(b[2] - different)) for (m, b), different in zip(close.items(), seen, strict=True)]
    return [*counted, *((m, 0.0) for m, b in bounds.items() if not b[2])]


def _count_hashes(
    warehouse: Warehouse, table: Table, partition: Partition | None, measures: Sequence[Measure]
) -> Iterable[tuple[Measure, float]]:
    wanted: list[str] = []
    exact: list[bool] = []
    for measure in measures:
        asked = json.loads(measure.argument)
        columns = [table.column(name) for name in asked["columns"]]
        names = [warehouse.identifier(column.name) for column in columns]
        plain = len(columns) == 1 and columns[0].kind in (ColumnKind.NUMBER, ColumnKind.DATE, ColumnKind.TIMESTAMP)
        key = names[0] if plain else warehouse.sql(RowHash(*map(TypedColumn, columns)))
        scope = " AND ".join([f"{n} IS NOT NULL" for n in names] + ([f"({asked['where']})"] if asked["where"] else []))
        wanted.append(f"count(CASE WHEN {scope} THEN 1 END) - count(DISTINCT CASE WHEN {scope} THEN {key} END)")
        exact.append(plain)
    row: list[Any] = warehouse.numbers(table, partition, wanted)
    # Different keys of one hash would count as a repeat, so only "none" is certain of a hash.
    return [(m, float(n)) for m, n, sure in zip(measures, row, exact, strict=True) if sure or n == 0]
