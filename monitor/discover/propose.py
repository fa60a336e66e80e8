"""Rules that hold in the data as it is, each with its evidence, for a person to choose from.

Candidates come from samples of a few partitions; each is then judged by its own check on every partition looked at,
and only what holds without exception is proposed. That says what the data is, not what it should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from checks.rules import Rules
from monitor.asking import measure_all
from monitor.config.names import write_table_name
from monitor.config.rules import RelationEntry, RuleEntry
from monitor.discover.candidates import Candidate, candidates
from monitor.discover.relations import Relation
from monitor.discover.times import partitions_of
from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.read import Request, seed_of
from monitor.types import Aggregate, Cadence, Evidence, Input, Series, Table

if TYPE_CHECKING:
    from monitor.types import Partition
    from monitor.warehouses.base import Warehouse

PARTITIONS = 14
SAMPLED = 4
"""Partitions that are sampled, spread over those looked at."""
SAMPLE_ROWS = 5_000
ROWS_MIN = 1_000
"""Fewer rows prove little: nothing is proposed of them."""
PARTITIONS_MIN = 3
ROWS_MAX = 5_000_000
"""Rows that are scanned of one table at most, a scan or two of each."""
COLUMNS_MAX = 100


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule, or a relation, as a configuration writes it, and what speaks for it."""

    entry: dict[str, Any]
    evidence: str
    is_relation: bool = False


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is proposed for a table, and what was looked at.

    `regular` says how many of the partitions in that span have rows, `reason` why nothing is proposed; `remarks` are
    relations that were found and do not hold.
    """

    found: tuple[Proposal, ...] = ()
    partitions: int = 0
    rows: int = 0
    span: str = ""
    regular: str = ""
    reason: str = ""
    remarks: tuple[str, ...] = ()


def propose(
    warehouse: Warehouse,
    table: Table,
    keys: Sequence[tuple[str, ...]] = (),
    relations: Sequence[Relation] | None = None,
) -> Proposals:
    """The rules that hold in a table's last complete partitions.

    Args:
        warehouse: the table's.
        table: with columns, time and cadence.
        keys: columns that may tell its rows apart.
        relations: of `find_relations` among the warehouse's tables; without them, those that the database declares.

    Raises:
        UnavailableError: the warehouse cannot be used.
    """
    if table.time is None:
        return Proposals(reason="no time column")
    table = replace(table, dialect=warehouse.dialect)
    try:
        days = _looked_at(warehouse, table)
        rows = sum(count for _, count in days)
        if len(days) < PARTITIONS_MIN or rows < ROWS_MIN:
            return Proposals(reason=f"{rows:,} rows in {len(days)} complete partitions are too few")
        frame = _sample(warehouse, table, days)
        found = candidates(table, frame, keys, COLUMNS_MAX)
        mine = _declared(warehouse, table) if relations is None else [r for r in relations if r.path == table.path]
        found += _relations(table, mine)
        held = _that_hold(warehouse, table, [day for day, _ in days], found)
    except UnavailableError:
        raise
    except (SourceError, UsageError) as error:
        return Proposals(reason=f"the data could not be looked at: {error}")
    labels = [day.label for day, _ in days]
    span = f"{labels[0]} to {labels[-1]}"
    about = f"{rows:,} rows of {len(days)} partitions"
    told = tuple(Proposal(c.entry, c.tell(about), c.is_relation) for c in held)
    reason = "" if told else "nothing holds without exception"
    regular = _regular(table, [day for day, _ in days])
    return Proposals(told, len(days), rows, span, regular, reason, _broken(table, relations or ()))


def _regular(table: Table, days: Sequence[Partition]) -> str:
    """How many of the days from the first to the last looked at have rows; empty for ids, whose gaps say nothing."""
    first, last = days[0].start, days[-1].start
    if first is None or last is None:
        return ""
    length_s = {Cadence.HOUR: 3_600, Cadence.DAY: 86_400, Cadence.WEEK: 604_800}[table.cadence]
    expected = round((last - first).total_seconds() / length_s) + 1
    return f"rows in {len(days)} of {expected} {table.cadence.value}s" if expected <= 2 * len(days) else ""


def _looked_at(warehouse: Warehouse, table: Table) -> list[tuple[Partition, int]]:
    days = partitions_of(warehouse, table, PARTITIONS)
    while days and sum(rows for _, rows in days) > ROWS_MAX:
        days = days[1:]
    return days


def _sample(warehouse: Warehouse, table: Table, days: Sequence[tuple[Partition, int]]) -> pd.DataFrame:
    step = max((len(days) - 1) / (SAMPLED - 1), 1.0)
    places = sorted({min(round(i * step), len(days) - 1) for i in range(SAMPLED)})
    frames = [
        warehouse.sample(table, day, SAMPLE_ROWS, seed_of(table, day), rows) for day, rows in (days[i] for i in places)
    ]
    return pd.concat(frames, ignore_index=True)


def _declared(warehouse: Warehouse, table: Table) -> list[Relation]:
    """Foreign keys of one column that the database declares, where the engine tells."""
    known = warehouse.foreign_keys(table.path)
    return [
        Relation(table.path, k.columns[0], k.path, k.referred[0], declared=True) for k in known if len(k.columns) == 1
    ]


def _relations(table: Table, found: Sequence[Relation]) -> list[Candidate]:
    return [
        Candidate(
            {"column": r.column, "references": write_table_name(table.warehouse, (*r.to, r.key))},
            f"{r.evidence}; every value is found, in {{looked}}" if r.declared else r.evidence,
            is_relation=True,
        )
        for r in found
    ]


def _broken(table: Table, found: Sequence[Relation]) -> tuple[str, ...]:
    """Relations that a person may want to know of, though they do not hold."""
    return tuple(
        f"{r.column} seems to refer to {write_table_name(table.warehouse, (*r.to, r.key))}, but it does not hold:"
        f" {r.evidence}"
        for r in found
        if r.path == table.path and r.orphans
    )


def _that_hold(
    warehouse: Warehouse, table: Table, days: Sequence[Partition], found: Sequence[Candidate]
) -> list[Candidate]:
    """Those that their own check passes on every partition."""
    written = {f"p{i}": c for i, c in enumerate(found)}
    rules = tuple(_normal(c, name) for name, c in written.items())
    judged, check = replace(table, rules=rules), Rules()
    request = Request.of([check], judged)
    holding = set(written)
    for day in days:
        answers = measure_all(warehouse, judged, day, request.measures)
        values: dict[Input, Series] = {
            needed: Series(answers.get(needed.measure), error=answers.errors.get(needed.measure))
            for needed in check.inputs(judged)
            if isinstance(needed, Aggregate)
        }
        passed = {e.check.removeprefix("rule.") for e in check.evaluate(judged, day, values) if _passes(e)}
        holding &= passed
    return [candidate for name, candidate in written.items() if name in holding]


def _normal(candidate: Candidate, name: str) -> dict[str, Any]:
    if candidate.is_relation:
        relation = RelationEntry.model_validate(candidate.entry)
        entry = {"references": {"column": relation.column, "to": relation.references}}
    else:
        entry = candidate.entry
    return {**RuleEntry.model_validate(entry).normal(), "name": name}


def _passes(evidence: Evidence) -> bool:
    return evidence.error is None and evidence.score is not None and evidence.score <= 0
