"""Statements that rules need beside the one scan: tokens filled in, many answered by one statement.

What fails costs nobody else an answer: where the engine refuses a statement, or it runs too long, each question is
asked alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.rules.words import ROWS
from monitor.answers import Answers, Open
from monitor.config.names import parse_table_name
from monitor.errors import DaywatchError, SourceError, UnavailableError
from monitor.partitions import previous
from monitor.read import BATCH
from monitor.types import Measure, Partition, Table
from monitor.warehouses.keys import count_repeats, repeats_sql

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

EARLIER_PARTITIONS = 7
_TOKEN = re.compile(r"@@daywatch:(rows|earlier|table|of|start|end)(?::([^@]*))?@@")


def answer(
    warehouse: Warehouse, table: Table, partition: Partition, measures: Sequence[Measure], others: Open | None = None
) -> Answers:
    """The values of `asked` and `repeats` measures over a partition; of the whole table without a time column.

    Args:
        warehouse: where the table is.
        table: the table.
        partition: which rows.
        measures: what is asked.
        others: opens another warehouse of the configuration.

    Raises:
        UnavailableError: the warehouse cannot be used; anything else that goes wrong is an error of its measure.
    """
    answers = Answers()
    asked = {measure: measure.argument for measure in measures if measure.kind != "repeats"}
    keys = [measure for measure in measures if measure.kind == "repeats"]
    answers.update(count_repeats(warehouse, table, partition if table.time is not None else None, keys))
    asked |= {measure: repeats_sql(table, measure) for measure in keys if measure not in answers}
    here: dict[Measure, str] = {}
    for measure, sql in asked.items():
        where = elsewhere(sql, table)
        if where is None:
            here[measure] = sql
        else:
            _answer_elsewhere(where, table, partition, measure, answers, others)
    filled = {measure: fill(warehouse, table, partition, sql) for measure, sql in here.items()}
    for start in range(0, len(filled), BATCH):
        _answer_all(warehouse, dict(list(filled.items())[start : start + BATCH]), answers)
    return answers


def _answer_all(warehouse: Warehouse, asked: Mapping[Measure, str], answers: Answers) -> None:
    """By one statement; where it fails, each alone (by halves, one that never ends would be waited for five times)."""
    columns = ", ".join(f"({sql}\n) AS a{place}" for place, sql in enumerate(asked.values()))
    try:
        row = warehouse.fetch(f"SELECT {columns}").to_pylist()[0]
    except UnavailableError:
        raise
    except SourceError as error:
        if len(asked) == 1:
            measure = next(iter(asked))
            answers.fail(measure, error.what)
            return
        for alone, sql in asked.items():
            _answer_all(warehouse, {alone: sql}, answers)
        return
    for measure, value in zip(asked, row.values(), strict=True):
        _keep(answers, measure, value)


def _keep(answers: Answers, measure: Measure, value: object) -> None:
    try:
        answers[measure] = None if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        answers.fail(measure, "the statement gives no number")


def elsewhere(sql: str, table: Table) -> str | None:
    """The other warehouse that a statement is for as a whole, if it is."""
    named = {parse_table_name(found[2]).warehouse for found in _TOKEN.finditer(sql) if found[1] == "of"}
    return next(iter(named)) if named and named != {table.warehouse} else None


def _answer_elsewhere(
    name: str, table: Table, partition: Partition | None, measure: Measure, answers: Answers, others: Open | None
) -> None:
    """In a warehouse that is opened for it."""
    if others is None:
        answers.fail(measure, f"the warehouse {name} is not open here")
        return
    if ROWS in measure.argument:
        answers.fail(measure, f"rows cannot be looked up in another warehouse, {name}; compare numbers by reconcile")
        return
    try:
        with others(name) as other:
            filled = fill(other, table, partition, measure.argument)
            _keep(answers, measure, other.fetch(filled).column(0)[0].as_py())
    except DaywatchError as error:  # another warehouse that is out is this rule's trouble, not the table's
        answers.fail(measure, str(error))


# Filling in


def fill(warehouse: Warehouse, table: Table, partition: Partition | None, sql: str) -> str:
    """A statement of a rule with its tokens replaced by what they stand for.

    Of a table without a time column, all rows are the partition's, and its `start` and `end` are the day's.
    """
    where = partition if table.time is not None else None

    def replaced(found: re.Match[str]) -> str:
        what, argument = found[1], found[2] or ""
        if what == "rows":
            return f"({warehouse.select_sql(table, where, limit=None)})"
        if what == "earlier":
            return f"({_earlier(warehouse, table, partition)})"
        if what in ("start", "end"):
            return _moment(warehouse, table, partition, what, argument)
        path = table.path if what == "table" else parse_table_name(argument).path
        return f"({warehouse.whole_sql(path)})"

    return _TOKEN.sub(replaced, sql)


def has_tokens(sql: str) -> bool:
    """Whether something in it is known only when a partition is read."""
    return "@@daywatch:" in sql


def _earlier(warehouse: Warehouse, table: Table, partition: Partition | None) -> str:
    nothing = f"{warehouse.select_sql(table, None, '1 = 0', limit=None)}"
    if partition is None or table.time is None or partition.start is None:
        return nothing
    first = previous(partition, table.cadence, table.timezone, EARLIER_PARTITIONS)
    return warehouse.earlier_sql(table, first, partition)


def _moment(warehouse: Warehouse, table: Table, partition: Partition | None, anchor: str, argument: str) -> str:
    """The partition's start or end and so many seconds, as a literal; the engine's own clock where it has none."""
    seconds, form = argument.split(":")
    moment = None if partition is None else (partition.start if anchor == "start" else partition.end)
    shift = dt.timedelta(seconds=float(seconds))
    if moment is None:
        return f"(CURRENT_TIMESTAMP + INTERVAL '{seconds} seconds')"
    if form == "aware":
        return warehouse.literal((moment + shift).astimezone(dt.UTC))
    local = moment.astimezone(ZoneInfo(table.timezone)).replace(tzinfo=None) + shift
    if form == "date" and local.time() == dt.time():
        return warehouse.literal(local.date())
    return warehouse.literal(local)
