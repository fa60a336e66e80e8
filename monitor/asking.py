"""All measures of a partition: one scan for most, statements of their own for rules over several rows.

SQL that owners wrote may fail. Then the automatic measures are read alone, and what is at fault is found by halves, so
that a broken rule costs nobody but itself an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.answers import Answers, Open
from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.read import OWN
from monitor.types import ROWS, Measure, Partition, Table
from monitor.warehouses.base import StatementError
from monitor.warehouses.keys import repeats_sql
from monitor.warehouses.questions import answer, fill, has_tokens

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

WRITTEN_MAX = 300
"""Conditions and aggregates of one statement: a thousand rules take a few scans, and bounded memory."""
Measured = list[tuple[Partition, dict[Measure, float | None]]]
SLOW_HALVES_MAX = 3
"""How often what ran too long is halved in search of what is at fault: each time costs the whole timeout."""
_WRITTEN = frozenset({"count_where", "expression"})
_SHOWN = 80
_log = logging.getLogger(__name__)


def measure_all(
    warehouse: Warehouse,
    table: Table,
    partition: Partition,
    measures: Sequence[Measure],
    total: int | None = None,
    others: Open | None = None,
) -> Answers:
    """The values of all measures over a partition; of the whole table where it has no time column.

    Args:
        warehouse: where the table is.
        table: the table.
        partition: which rows.
        measures: of any kind.
        total: the partition's row count if known.
        others: opens another warehouse of the configuration.

    Raises:
        UsageError: the table's own `where` is wrong.
        UnavailableError: the warehouse cannot be used.
        SourceError: what daywatch itself asks for fails.
    """
    where = partition if table.time is not None else None
    written = [m for m in measures if m.kind in _WRITTEN]
    plain = [m for m in measures if m.kind not in _WRITTEN and m.kind not in OWN]
    asked = _Asked(warehouse, table, partition, where, total)
    answers = asked.first(plain, written)
    own = [m for m in measures if m.kind in OWN]
    if own and answers.get(ROWS, 1.0):
        answers.take(_own(asked, own, others))
    for measure in measures:
        answers.setdefault(measure, None)
    return answers


def measure_past(
    warehouse: Warehouse, table: Table, measures: Sequence[Measure], first: Partition, before: Partition
) -> Measured:
    """The same for each partition in [first, before) that has rows, by one GROUP BY; what rules ask beside is left out.

    What an owner wrote and cannot be read of the past has no past: today's answer says whether it can be read at all.
    """
    asked = _AskedOfPast(warehouse, table, first, before)
    answers = asked.first([m for m in measures if m.kind not in _WRITTEN], [m for m in measures if m.kind in _WRITTEN])
    for measure, error in answers.errors.items():
        _log.warning("%s: the past of `%s` cannot be read: %s", table.name, measure.argument[:_SHOWN], error)
    return [(partition, asked.found[partition]) for partition in sorted(asked.found)]


def statements_of(warehouse: Warehouse, table: Table, partition: Partition, measures: Sequence[Measure]) -> list[str]:
    """The statements that a run would send for the partition, the sample's last, without sending any."""
    asked = _Asked(warehouse, table, partition, None, None)
    fused = [asked.filled(m) for m in measures if m.kind not in OWN]
    *scans, sample = warehouse.explain_sql(table, partition, fused)
    own = [repeats_sql(table, m) if m.kind == "repeats" else m.argument for m in measures if m.kind in OWN - {"told"}]
    return [*scans, *(fill(warehouse, table, partition, sql) for sql in own), sample]


def _own(asked: _Asked, measures: Sequence[Measure], others: Open | None) -> Answers:
    told = [m for m in measures if m.kind == "told"]
    answers = answer(asked.warehouse, asked.table, asked.partition, [m for m in measures if m.kind != "told"], others)
    if told:
        from monitor.pythonic import call_rules  # noqa: PLC0415 - pandas, and few tables have any

        answers.take(call_rules(asked.warehouse, asked.table, asked.where, told))
    return answers


class _Asked:
    """One partition being asked."""

    def __init__(
        self, warehouse: Warehouse, table: Table, partition: Partition, where: Partition | None, total: int | None
    ) -> None:
        self.warehouse, self.table, self.partition = warehouse, table, partition
        self.where, self.total = where, total

    def first(self, plain: Sequence[Measure], written: Sequence[Measure]) -> Answers:
        """Everything in as few scans as there may be; where that fails, what the owners wrote apart."""
        answers = Answers()
        try:
            answers.update(self.scan([*plain, *written[:WRITTEN_MAX]]))
            rest = written[WRITTEN_MAX:]
        except UnavailableError:
            raise
        except (UsageError, SourceError):
            if not written:
                raise
            answers.update(self.scan(plain or [ROWS]))
            rest = written
        for start in range(0, len(rest), WRITTEN_MAX):
            self.halve(rest[start : start + WRITTEN_MAX], answers, 0)
        return answers

    def scan(self, measures: Sequence[Measure]) -> dict[Measure, float | None]:
        """By one statement."""
        filled = {m: self.filled(m) for m in measures}
        values = self.warehouse.aggregates(self.table, self.where, list(filled.values()), total=self.total, blame=False)
        return {measure: values[sent] for measure, sent in filled.items()}

    def filled(self, measure: Measure) -> Measure:
        """The measure with its tokens replaced."""
        if not has_tokens(measure.argument):
            return measure
        return Measure(measure.kind, measure.column, fill(self.warehouse, self.table, self.partition, measure.argument))

    def halve(self, measures: Sequence[Measure], answers: Answers, slow: int) -> None:
        """By one statement, or by one for each half, until what is at fault stands alone."""
        try:
            answers.update(self.scan(measures))
        except UnavailableError:
            raise
        except (UsageError, SourceError) as error:
            refused = isinstance(error, StatementError | UsageError)
            if len(measures) == 1 or (not refused and slow >= SLOW_HALVES_MAX):
                for measure in measures:
                    answers.fail(measure, error.what)
                return
            middle = len(measures) // 2
            for half in (measures[:middle], measures[middle:]):
                self.halve(half, answers, slow + (not refused))


class _AskedOfPast(_Asked):
    """All partitions before one, being asked at once."""

    def __init__(self, warehouse: Warehouse, table: Table, since: Partition, before: Partition) -> None:
        super().__init__(warehouse, table, before, before, None)
        self.since = since
        self.found: dict[Partition, dict[Measure, float | None]] = {}

    def scan(self, measures: Sequence[Measure]) -> dict[Measure, float | None]:
        """By one statement; what it tells is found by partition."""
        told = self.warehouse.aggregates_by_partition(self.table, measures, self.since, self.partition, blame=False)
        for partition, values in told:
            self.found.setdefault(partition, {}).update(values)
        return {}
