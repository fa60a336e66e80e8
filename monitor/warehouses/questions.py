"""Statements that rules need beside the one scan: tokens filled in, many answered by one statement, keys counted.

What fails costs nobody else an answer: where the engine refuses a statement, or it runs too long, each question is
asked alone.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.rules.words import words_of
from monitor.answers import Answers, Open
from monitor.config.names import parse_table_name
from monitor.errors import DaywatchError, SourceError, UnavailableError
from monitor.partitions import previous
from monitor.read import BATCH
from monitor.types import ColumnKind, Measure, Partition, Table

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

EARLIER_PARTITIONS = 7
BITS_MAX = 1 << 28
"""Whole numbers between which a bit each is set to count the different ones: 32 MB a thread."""
_TOKEN = re.compile(r"@@daywatch:(rows|earlier|table|of|start|end)(?::([^@]*))?@@")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


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
    asked: dict[Measure, str] = {}
    bits: list[Measure] = []
    for measure in measures:
        if measure.kind == "repeats":
            if _countable(warehouse, table, measure) is not None:
                bits.append(measure)
            else:
                asked[measure] = repeats_sql(table, measure)
        else:
            asked[measure] = measure.argument
    _count_bits(warehouse, table, partition if table.time is not None else None, bits, answers)
    asked |= {measure: repeats_sql(table, measure) for measure in bits if measure not in answers}
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


# Keys


def repeats_sql(table: Table, measure: Measure) -> str:
    """The statement of the rows beyond the first of each key; grouping is cheaper than COUNT DISTINCT."""
    asked, words = json.loads(measure.argument), words_of(table)
    known = [f"{words.name(column)} IS NOT NULL" for column in asked["columns"]]
    where = " AND ".join([*known, *([f"({asked['where']})"] if asked["where"] else [])])
    keys = words.names(asked["columns"])
    grouped = f"SELECT COUNT(*) AS n FROM @@daywatch:rows@@ AS day WHERE {where} GROUP BY {keys} HAVING COUNT(*) > 1"  # noqa: S608
    return f"SELECT COALESCE(SUM(n - 1), 0) FROM ({grouped}) AS repeated"  # noqa: S608


def _countable(warehouse: Warehouse, table: Table, measure: Measure) -> str | None:
    """The whole-number column that a key is, on an engine that can set a bit for each number."""
    columns = json.loads(measure.argument)["columns"]
    if warehouse.dialect != "duckdb" or len(columns) != 1:
        return None
    found = next((c for c in table.columns if c.name == columns[0]), None)
    plain = found is not None and found.kind is ColumnKind.NUMBER and found.type.upper() in _INTEGERS
    return str(columns[0]) if plain else None


def _count_bits(
    warehouse: Warehouse, table: Table, partition: Partition | None, measures: Sequence[Measure], answers: Answers
) -> None:
    """Keys of whole numbers that lie close together: as many bits as there are different ones.

    Exact, and ten times cheaper than grouping. Those that lie too far apart are left to it.
    """
    if not measures:
        return
    scopes: list[tuple[Measure, str, str]] = []
    for measure in measures:
        asked = json.loads(measure.argument)
        name = warehouse.identifier(asked["columns"][0])
        scopes.append((measure, f"CASE WHEN {asked['where']} THEN {name} END" if asked["where"] else name, name))
    bounds = [part for _, value, _ in scopes for part in (f"min({value})", f"max({value})", f"count({value})")]
    try:
        row = warehouse.numbers(table, partition, bounds)
        close: list[tuple[Measure, str, int]] = []
        for place, (measure, value, _) in enumerate(scopes):
            low, high, rows = row[3 * place : 3 * place + 3]
            if not rows:
                answers[measure] = 0.0
            elif high - low < min(BITS_MAX, max(64 * rows, 1_000)):
                close.append((measure, f"bit_count(bitstring_agg({value}, {low}, {high}))", rows))
        if close:
            found = warehouse.numbers(table, partition, [bit for _, bit, _ in close])
            answers.update({m: float(rows - seen) for (m, _, rows), seen in zip(close, found, strict=True)})
    except UnavailableError:
        raise
    except SourceError:
        return  # whoever is at fault is told when each is asked alone
