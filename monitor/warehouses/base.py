"""A warehouse: the questions daywatch asks of data, written once in SQLAlchemy Core for all engines.

An engine's file says how to connect, how to run one statement, and what its catalog and its rows' identities are;
where its SQL differs it compiles the constructs of `monitor.warehouses.constructs`.
"""

from __future__ import annotations

import abc
import datetime as dt
import math
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from monitor import partitions
from monitor.errors import DaywatchError, SourceError, UsageError
from monitor.nested import may_hold_paths
from monitor.types import Column, ColumnKind, Cost, Grouped, Groups, Measure, Partition, Table, TimeForm
from monitor.warehouses import DEFAULT_LIMITS, Limits, grouping, nested_sql, timeforms
from monitor.warehouses.catalog import COLUMNS, TABLES, ForeignKey, did_you_mean, kind_of
from monitor.warehouses.constructs import (
    AsDouble,
    CountIf,
    DrawHash,
    Expression,
    IsoInstant,
    RowHash,
    RowNumber,
    TimeLiteral,
    TypedColumn,
    columns_of,
    raw,
)
from monitor.warehouses.costs import Ledger, Receipt
from monitor.warehouses.frames import kinds_of, readable, to_frame
from monitor.warehouses.measures import Fused, residue_classes, text_of
from monitor.warehouses.polls import Counts, TableState, recent_counts
from monitor.warehouses.times import Clock

Path = tuple[str, ...]
Select = sa.Select[Any]
_PEEK_ROWS = 1_000
_DUPLICATES = frozenset({"duplicate_rows", "duplicate_keys"})
_HASH_SPAN = 2**64
_ROW_NUMBER = "daywatch_row_number"


@dataclass(frozen=True)
class Written:
    """SQL that a person wrote: what it is, its text, and the aggregate that shows alone whether it runs."""

    what: str
    sql: str
    probe: Expression


class StatementError(SourceError):
    """The engine understood the connection but refused the statement, or failed on a value in it."""


class Warehouse(abc.ABC):
    """An open, read-only connection to one warehouse.

    Args:
        name: what the configuration calls it.
        url: where it is; appears in no message with its password.
        limits: bounds on time and rows.

    One object may be used by several threads at once. Every method may raise SourceError: a limit was met (its message
    names it), or, as UnavailableError, the warehouse as a whole cannot be used: it is out of reach, or refuses us.
    Conditions are SQL of the engine; a broken one is a UsageError with the condition as its `culprit`.
    """

    sqlglot_dialect: ClassVar[str]
    default_schema: ClassVar[str]
    columns_max: ClassVar[int | None] = None  # select-list limit of the engine, if it has one that matters

    def __init__(self, name: str, url: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self.name = name
        self.url = url
        self.limits = limits
        self._ledger = Ledger()
        self._sql_dialect = self._make_dialect()
        # Statements are run as complete text, so a % in them stands for itself.
        self._sql_dialect.identifier_preparer._double_percents = False  # noqa: SLF001

    # What an engine's file provides

    @abc.abstractmethod
    def _make_dialect(self) -> Dialect:
        """The SQLAlchemy dialect that compiles statements."""

    @abc.abstractmethod
    def _run(self, sql: str, rows_max: int) -> tuple[pa.Table, int | None]:
        """Run one statement: its rows, never more than `rows_max`, and the bytes it scanned if the engine tells.

        Raises:
            StatementError: the statement itself is refused.
            UnavailableError: the connection is lost, cannot be made, or is refused.
            SourceError: anything else, the timeout included.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Give the connection back; the object is of no use afterwards."""

    def _row_identity(self, path: Path) -> Sequence[Expression] | None:  # noqa: ARG002 - for engines that have one
        """Columns that tell a stored row from all others and stay the same; None: rows are numbered as read."""
        return None

    def _source(self, path: Path) -> sa.FromClause:
        """What to select from to read the table."""
        schema = sa.quoted_name(".".join(path[:-1]), quote=True) if len(path) > 1 else None
        return sa.table(sa.quoted_name(path[-1], quote=True), schema=schema)

    def _from(self, table: Table, told: str | None = None) -> sa.FromClause:
        """What to select from to read the table with the paths inside of its columns, all or those that are told of."""
        paths = [c for c in table.columns if c.within and (told is None or self.identifier(c.name) in told)]
        source = self._source(table.path)
        if not paths or self.dialect not in nested_sql.TYPES:
            return source
        identity = self._row_identity(table.path) or ()
        return nested_sql.flattened(source, table.path[-1], table.columns, paths, self.dialect, identity)

    # The catalog

    @property
    def dialect(self) -> str:
        """The name of the SQLAlchemy dialect."""
        return self._sql_dialect.name

    def tables(self) -> list[Path]:
        """Every table and view that can be read, without the engine's own, sorted."""
        found = self._catalog(sa.select(TABLES.c.table_schema, TABLES.c.table_name).where(self._visible(TABLES)))
        return sorted(self._short(row["table_schema"], row["table_name"]) for row in found)

    def columns(self, path: Path) -> tuple[Column, ...]:
        """The columns of a table, in its order.

        Raises:
            UsageError: there is no such table; the message suggests one.
        """
        schema, table = (path[-2] if len(path) > 1 else self.default_schema), path[-1]
        statement = (
            sa.select(COLUMNS.c.column_name, COLUMNS.c.data_type, COLUMNS.c.is_nullable)
            .where(self._visible(COLUMNS), COLUMNS.c.table_schema == schema, COLUMNS.c.table_name == table)
            .order_by(COLUMNS.c.ordinal_position)
        )
        found = self._catalog(statement)
        if not found:
            mend = did_you_mean(".".join(path), [".".join(known) for known in self.tables()])
            raise UsageError(f"no table `{'.'.join(path)}`", where=f"warehouse {self.name}", mend=mend)
        return tuple(
            Column(row["column_name"], kind_of(row["data_type"]), row["data_type"], row["is_nullable"] == "YES")
            for row in found
        )

    def _visible(self, catalog: sa.TableClause) -> Expression:
        return catalog.c.table_schema.not_in(["information_schema", "pg_catalog", "INFORMATION_SCHEMA"])

    def _short(self, schema: str, table: str) -> Path:
        return (table,) if schema == self.default_schema else (schema, table)

    def _catalog(self, statement: Select) -> list[dict[str, Any]]:
        """Rows of the catalog; looking things up in it is not counted as cost."""
        return self._run(self.sql(statement), self.limits.rows_max)[0].to_pylist()  # type: ignore[no-any-return]

    # Looking at a table that is not configured yet

    def peek(self, path: Path, rows: int) -> pa.Table:
        """About `rows` rows as they are, drawn from all over the table, the same ones each time."""
        total = self._total(path)
        wanted = columns_of([column.name for column in self.columns(path)])  # not *: the draw may add a column
        return self.fetch(self._drawn(path, wanted, [], rows, 0, total))

    def time_form(self, path: Path, column: str, unit: str | None = None) -> TimeForm:
        """How a column says when a row belongs to, by its type and, for numbers and texts, a look at its values.

        Args:
            path: the table.
            column: its time column.
            unit: `s`, `ms` or `us` where the configuration says that numbers count those since 1970.

        Raises:
            UsageError: there is no such column, or it cannot say a time or id.
        """
        where = f"warehouse {self.name}: {'.'.join(path)}"
        found = next((known for known in self.columns(path) if known.name == column), None)
        if found is None:
            mend = did_you_mean(column, [known.name for known in self.columns(path)])
            raise UsageError(f"no column `{column}`", where=where, mend=mend)
        if unit is not None:
            return timeforms.form_of_unit(found, unit, where)
        return timeforms.form_of_type(found, where) or self._form_of_values(path, found)

    def _form_of_values(self, path: Path, column: Column) -> TimeForm:
        plain = columns_of([column.name])[0]
        total = self._total(path)
        drawn = self._drawn(path, [plain], [], _PEEK_ROWS, 0, total)
        if column.kind is ColumnKind.NUMBER:
            numbers = self.fetch(sa.select(AsDouble(plain).label("v")).select_from(drawn.subquery("drawn")))["v"]
            return timeforms.form_of_numbers(numbers.to_numpy())
        parsed = IsoInstant(text_of(column), sa.literal("UTC"))
        wanted: list[Expression] = [sa.func.count(parsed).label("parsed"), sa.func.count(plain).label("known")]
        return timeforms.form_of_texts(
            *self._first(self.fetch(sa.select(*wanted).select_from(drawn.subquery("drawn"))))
        )

    # Many tables at once

    def states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        """What the engine's metadata says of tables, by one query that reads none of their rows.

        Tables that the engine knows nothing of are left out; an engine without such metadata gives {}. Counted as
        cost, but asks for no computing where the engine keeps metadata apart.
        """
        return self._states(list(paths)) if paths else {}

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:  # noqa: ARG002 - for engines that know
        return {}

    def recent(self, asked: Sequence[tuple[Table, Partition]]) -> dict[str, Counts | DaywatchError]:
        """Row counts of many tables' partitions, many tables a statement.

        Args:
            asked: tables with a time column, each with the partition to count from.

        Returns:
            By table name: (partition, rows) of those that have rows, oldest first; or the error of a table that could
            not be counted, which does not spoil the others.

        Raises:
            UnavailableError: the warehouse cannot be asked at all.
        """
        return recent_counts(self, asked)

    def grouped_counts(self, table: Table, first: Partition, *wanted: Any) -> Select:
        """A statement for `moment` and `n`, the rows of each group of the table's clock from `first` on."""
        counted = [*wanted, sa.func.count().label("n")]
        return self._grouped(table, self._clock(table), counted, first, None).order_by(None)

    # Partitions

    def partition(self, table: Table, label: str) -> Partition:
        """The partition of `table` that is written `label`.

        Raises:
            UsageError: it is not a label of such a partition; the message shows an example.
        """
        form = table.time.form if table.time is not None else None
        return partitions.parse_label(label, table.cadence, table.timezone, form)

    def partitions(
        self,
        table: Table,
        *,
        before: Partition | None = None,
        last: int | None = None,
        first: Partition | None = None,
    ) -> list[tuple[Partition, int]]:
        """The partitions that have rows, with their counts, oldest first.

        Args:
            table: needs a time column.
            before: only earlier ones than this.
            last: only so many of the newest.
            first: none earlier than this.

        Rows whose time is NULL, infinite or outside of the years 2 to 9998 belong to none.
        """
        clock = self._clock(table)
        statement = self._grouped(table, clock, [sa.func.count().label("n")], first, before)
        # Two wall-clock hours can be one partition where the clock skips: one group more makes sure of the last.
        limit = self.limits.rows_max if last is None else min(last + 2, self.limits.rows_max)
        counts: dict[Partition, int] = {}
        for moment, rows in self._all_rows(self._ask(statement.limit(limit), table)):
            found = clock.partition(moment)
            if found is not None:
                counts[found] = counts.get(found, 0) + int(rows)
        return sorted(counts.items())[-last if last else 0 :]

    def latest(self, table: Table, before: Partition | None = None) -> dt.datetime | int | str | None:
        """The newest time in the table up to the end of `before` (None: at all), or the greatest id.

        Returns:
            A time with offset, an id, or None where there is no row with a time.
        """
        clock = self._clock(table)
        bound = [clock.until_end(before)] if before is not None else clock.sane()
        statement = sa.select(sa.func.max(clock.moment()).label("moment")).select_from(self._from(table))
        found = self._ask(statement.where(*self._scope(table), *bound), table)
        return clock.read(found["moment"][0].as_py())

    def count(self, table: Table, partition: Partition | None = None, condition: str | None = None) -> int:
        """How many rows of the partition (None: of the table) meet the condition."""
        statement = self._selected(table, partition, [sa.func.count().label("n")], condition)
        return int(self._ask(statement, table, _written(condition))["n"][0].as_py())

    # Aggregates

    def aggregates(
        self,
        table: Table,
        partition: Partition | None,
        measures: Sequence[Measure],
        *,
        total: int | None = None,
        blame: bool = True,
    ) -> dict[Measure, float | None]:
        """The values of all measures over the partition (None: the table), in one scan.

        Args:
            table: whose columns the measures name.
            partition: which rows.
            measures: any number of them.
            total: the partition's row count if known; above two million, duplicates are counted on a residue class
                of the row hash and scaled up. Unknown, they are counted exactly.
            blame: where the statement is refused, run each person's SQL in it alone to find which is at fault.

        Returns:
            For each measure a finite float, or None where it has no value.
        """
        self._refuse_large(table, partition, total)
        values: dict[Measure, float | None] = {}
        for fused in self._fuse(table, measures, total):
            statement = self._selected(table, partition, fused.columns)
            asked = bool(fused.columns)  # measures that mean nothing for their columns cost nothing
            pieces = _written(measures=measures) if blame else []
            row = self._first(self._ask(statement, table, pieces)) if asked else []
            values.update(self._timed(table, partition, fused.read(row)))
        return {measure: values[measure] for measure in measures}

    def aggregates_by_partition(
        self, table: Table, measures: Sequence[Measure], first: Partition, before: Partition, *, blame: bool = True
    ) -> list[tuple[Partition, dict[Measure, float | None]]]:
        """The values of all measures for each partition in [first, before) that has rows, by one GROUP BY.

        Partitions are counted beforehand where duplicates or `cost_rows_max` need it; `blame` is as in `aggregates`.
        """
        clock = self._clock(table)
        average = self._average(table, measures, first, before)
        found: dict[Partition, dict[Measure, float | None]] = {}
        split: set[Partition] = set()
        for fused in self._fuse(table, measures, average):
            statement = self._grouped(table, clock, fused.columns, first, before).limit(self.limits.rows_max)
            seen: set[Partition] = set()
            pieces = _written(measures=measures) if blame else []
            for moment, *row in self._all_rows(self._ask(statement, table, pieces)):
                partition = clock.partition(moment)
                if partition is None:
                    continue
                (split if partition in seen else seen).add(partition)
                found.setdefault(partition, {}).update(self._timed(table, partition, fused.read(row)))
        for partition in split:  # two groups of the wall clock are one partition, and aggregates do not add up
            found[partition] = self.aggregates(table, partition, measures)
        return [(partition, {m: found[partition][m] for m in measures}) for partition in sorted(found)]

    # Groups

    def grouped(
        self, table: Table, partition: Partition | None, groups: Sequence[Groups], *, total: int | None = None
    ) -> dict[Groups, Grouped]:
        """Rows and statistics of the partition's (None: the table's) largest groups, all groupings in one scan.

        Groupings whose `where` differ, or that are ranked by a statistic, take a statement each. Numbers, booleans and
        dates come as they are, values of all other types as texts.

        Args:
            table: whose columns are grouped by.
            partition: which rows.
            groups: any number of them; a statistic or `where` that does not run is a UsageError with it as `culprit`.
            total: the partition's row count if known.
        """
        self._refuse_large(table, partition, total)
        found: grouping.Found = {}
        for plan in grouping.plans_of(self, table, groups):
            rows = plan.rows(self._from(table), self._rows_of(table, partition), None)
            for row in self._all_rows(self._ask(plan.statement(rows, None), table, _written_of(plan))):
                plan.read(row, found)
        return grouping.collect(found, groups)

    def clock_condition(self, table: Table, column: str, low: int, high: int) -> str:
        """The condition, as the engine's SQL, of rows whose quarter of an hour of the day lies in [low, high)."""
        return self.sql(grouping.clock_condition(table, column, low, high))

    def grouped_by_partition(
        self, table: Table, groups: Sequence[Groups], first: Partition, before: Partition
    ) -> list[tuple[Partition, dict[Groups, Grouped]]]:
        """The same for each partition in [first, before) that has rows, by one GROUP BY."""
        clock = self._clock(table)
        found: dict[Partition, grouping.Found] = {}
        again: set[Partition] = set()
        for plan in grouping.plans_of(self, table, groups):
            bounds = [*self._scope(table), clock.since(first), clock.before(before)]
            statement = plan.statement(plan.rows(self._from(table), bounds, clock), clock)
            answer = self._all_rows(self._ask(statement.limit(self.limits.rows_max), table, _written_of(plan)))
            by_partition, split = grouping.by_partition(plan, answer, clock)
            again |= split
            for partition, part in by_partition.items():
                found.setdefault(partition, {}).update(part)
        told = {partition: grouping.collect(part, groups) for partition, part in found.items()}
        told.update({partition: self.grouped(table, partition, groups) for partition in again})
        return sorted(told.items())

    def numbers(self, table: Table, partition: Partition | None, wanted: Sequence[str]) -> list[Any]:
        """The values of aggregates, as the engine gives them, over the partition (None: the table) by one statement."""
        columns = [raw(sql).label(f"n{place}") for place, sql in enumerate(wanted)]
        return self._first(self.fetch(self._selected(table, partition, columns)))

    # Rows

    def sample(
        self,
        table: Table,
        partition: Partition | None,
        rows: int,
        seed: int,
        total: int | None = None,
        by: Sequence[str] = (),
    ) -> pd.DataFrame:
        """A uniform sample of the partition's rows, the same for the same seed and data.

        Args:
            table: whose `checked_columns` and time column are read.
            partition: which rows (None: the whole table).
            rows: how many at most; a smaller partition comes whole.
            seed: samples of different seeds are independent.
            total: the partition's row count if known; it is asked otherwise.
            by: the key's columns where rows are to be drawn by it, so that the same keys are drawn whatever else
                changes; otherwise by where a row is stored.

        Returns:
            A frame as `monitor.warehouses.frames.to_frame` describes it; sampled rows are in random order.
        """
        if total is None:
            total = self.count(table, partition)
        self._refuse_large(table, partition, total)
        arrow = self._ask(self._sampled(table, partition, rows, seed, total, by), table)
        if total > rows > arrow.num_rows or total <= rows < arrow.num_rows:  # the count was wrong, or bad luck
            arrow = self._ask(self._sampled(table, partition, rows, seed, None, by), table)
        return to_frame(arrow, kinds_of(table, _sampled_columns(table)))

    def sample_of(self, table: Table, select: str, columns: Sequence[Column], rows: int, key_max: int) -> pd.DataFrame:
        """Up to `rows` of the rows that a statement over the table selects, the same for the same data.

        Args:
            table: whose columns the statement selects, under their own names.
            select: the statement.
            columns: what is read of it.
            rows: how many at most; they are drawn by what is in them.
            key_max: by how many of the columns, the first ones.
        """
        name = "daywatch_rows"
        wanted = [readable(table, column) for column in columns]
        drawn = self._drawn((name,), wanted, [], rows, 0, None, columns[:key_max], sa.table(name))
        arrow = self.fetch(f"WITH {name} AS ({select}\n) {self.sql(drawn)}")
        return to_frame(arrow, kinds_of(table, columns))

    def rows_where(self, table: Table, partition: Partition | None, condition: str | None, limit: int) -> pd.DataFrame:
        """Up to `limit` rows of the partition that meet the condition, with all columns of the table."""
        wanted = [readable(table, column) for column in table.columns]
        statement = self._selected(table, partition, wanted, condition)
        arrow = self._ask(statement.limit(min(limit, self.limits.rows_max)), table, _written(condition))
        return to_frame(arrow, kinds_of(table, table.columns))

    def frame_of(
        self, table: Table, partition: Partition | None, names: Sequence[str], condition: str | None, limit: int
    ) -> pd.DataFrame:
        """Up to `limit` rows of the partition that meet the condition, with the columns named."""
        columns = [table.column(name) for name in names]
        statement = self._selected(table, partition, [readable(table, column) for column in columns], condition)
        arrow = self._ask(statement.limit(min(limit, self.limits.rows_max)), table, _written(condition))
        return to_frame(arrow, kinds_of(table, columns))

    def can_open(self, column: Column) -> bool:
        """Whether the engine can be asked for paths inside of a column."""
        return self.dialect in nested_sql.TYPES and may_hold_paths(column)

    def documents(
        self, table: Table, partition: Partition | None, columns: Sequence[Column], rows: int, total: int | None
    ) -> list[tuple[list[str | None], int]]:
        """Cells of nested columns, of at most `rows` rows: of each column its texts, and how many are too large.

        Texts of a column of text that cannot be JSON come as ''.
        """
        numbered = enumerate(columns)
        wanted = [part for i, c in numbered for part in nested_sql.document_columns(c, self.dialect, i)]
        conditions = self._rows_of(table, partition)
        found = self._ask(self._drawn(table.path, wanted, conditions, rows, 0, total, (), self._from(table)), table)
        lists = [column.to_pylist() for column in found.columns]
        return [(texts, sum(map(bool, large))) for texts, large in zip(lists[::2], lists[1::2], strict=True)]

    def fetch(self, statement: Select | sa.CompoundSelect[Any] | str) -> pa.Table:
        """Run one statement and bring its rows, at most `limits.rows_max`; counted as cost."""
        sql = statement if isinstance(statement, str) else self.sql(statement)
        found, scanned_bytes = self._run(sql, self.limits.rows_max)
        self._ledger.add(found.num_rows, scanned_bytes)
        return found

    # Comparing tables

    def rows_of(self, table: Table, wanted: Sequence[Any]) -> Select:
        """A statement for `wanted` of all rows of the table that its `where` lets pass."""
        return self._selected(table, None, wanted)

    def draw_of(self, table: Table, wanted: Sequence[Any], rows: int, seed: int, total: int | None = None) -> Select:
        """A statement for `wanted` of a uniform sample of so many rows, the same for the same seed and data."""
        return self._drawn(table.path, wanted, self._rows_of(table, None), rows, seed, total, source=self._from(table))

    def few_rows_of(self, table: Table, wanted: Sequence[Any], share: float, seed: int) -> Select | None:  # noqa: ARG002
        """A statement for `wanted` of about a share of the rows, neighbours together; None where that costs much."""
        return None

    @property
    def hash_family(self) -> str:
        """Warehouses of one family give equal rows of equal types the same `RowHash`; '' where nobody says so."""
        return ""

    def unique_columns(self, path: Path) -> list[tuple[str, ...]]:  # noqa: ARG002 - for engines that enforce them
        """Sets of columns without NULL whose values the engine itself holds to be unique."""
        return []

    def foreign_keys(self, path: Path) -> list[ForeignKey]:  # noqa: ARG002 - for engines that know them
        """The foreign keys that the database declares of a table; whether it enforces them is another matter."""
        return []

    def ask(self, statement: Select | sa.CompoundSelect[Any], tables: Sequence[Table]) -> pa.Table:
        """As `fetch`, for a statement about tables: a `where` of theirs that does not run is a UsageError."""
        try:
            return self.fetch(statement)
        except StatementError as error:
            self._blame_scopes(tables)
            raise StatementError(error.what, where=tables[0].name, mend=error.mend) from error

    def stream(self, statement: Select, tables: Sequence[Table]) -> Generator[pa.Table]:
        """The rows of a statement piece by piece, however many; raises as `ask` does, perhaps amid the rows."""
        rows = 0
        try:
            for piece in self._stream(self.sql(statement)):
                rows += piece.num_rows
                yield piece
        except StatementError as error:
            self._blame_scopes(tables)
            raise StatementError(error.what, where=tables[0].name, mend=error.mend) from error
        finally:
            self._ledger.add(rows)

    def _stream(self, sql: str) -> Generator[pa.Table]:
        """Run one statement and hand its rows out as they come; raises as `_run` does."""
        yield self._run(sql, self.limits.rows_max)[0]

    def _blame_scopes(self, tables: Sequence[Table]) -> None:
        for table in tables:
            if table.where:
                self._blame(table, [Written("where", table.where, CountIf(raw(table.where)))])

    # SQL for people

    def select_sql(
        self,
        table: Table,
        partition: Partition | None = None,
        condition: str | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = 100,
    ) -> str:
        """A statement that a person can paste into the engine's own shell to see the rows."""
        wanted = columns_of(columns) if columns else [sa.literal_column("*")]
        named = " ".join([condition or "", table.where or "", *map(self.identifier, columns or ())])
        told = None if limit is None else named  # a person is shown the paths that it is about, and no others
        return self.sql(self._selected(table, partition, wanted, condition, told).limit(limit))

    def whole_sql(self, path: Path) -> str:
        """A statement for everything in a table."""
        return self.sql(sa.select(sa.literal_column("*")).select_from(self._source(path)))

    def earlier_sql(self, table: Table, first: Partition, before: Partition) -> str:
        """A statement for the rows of the partitions in [first, before)."""
        clock = self._clock(table)
        bounds = [*self._scope(table), clock.since(first), clock.before(before)]
        return self.sql(sa.select(sa.literal_column("*")).select_from(self._from(table)).where(*bounds))

    def explain_sql(self, table: Table, partition: Partition, measures: Sequence[Measure]) -> list[str]:
        """The statements that a run would send for the partition, without sending any.

        The sample's draw depends on the row count, and is shown as for an unknown one.
        """
        counted = self._selected(table, partition, [sa.func.count().label("n")])
        scans = [
            self._selected(table, partition, fused.columns)
            for fused in self._fuse(table, measures, None)
            if fused.columns
        ]
        return [self.sql(s) for s in (counted, *scans, self._sampled(table, partition, table.sample_rows, 0, None))]

    def literal(self, value: Any) -> str:
        """A value as the engine's SQL writes it: text, number, boolean, date, time or None."""
        item = value.item() if hasattr(value, "item") and not isinstance(value, pd.Timestamp) else value
        if isinstance(item, dt.datetime):
            if item is pd.NaT:
                return "NULL"
            kind = "TIMESTAMP" if item.tzinfo is None else "TIMESTAMPTZ"
            return self.sql(TimeLiteral(kind, item.isoformat(sep=" ")))
        if isinstance(item, dt.date):
            return self.sql(TimeLiteral("DATE", item.isoformat()))
        if isinstance(item, float) and not math.isfinite(item):
            return self.sql(sa.cast(sa.literal(str(item)), sa.Double))
        return self.sql(sa.null() if item is None else sa.literal(item))

    def identifier(self, name: str) -> str:
        """A column's name as the engine's SQL writes it, quoted."""
        return self._sql_dialect.identifier_preparer.quote(sa.quoted_name(name, quote=True))

    def sql(self, clause: sa.ClauseElement) -> str:
        """A statement or a piece of one as complete text of the engine's dialect."""
        return str(clause.compile(dialect=self._sql_dialect, compile_kwargs={"literal_binds": True}))

    # Cost

    @property
    def cost(self) -> Cost:
        """Everything asked since opening: statements, and the rows they brought back."""
        return self._ledger.total.cost

    def costing(self) -> AbstractContextManager[Receipt]:
        """`with warehouse.costing() as receipt:` counts what this thread asks inside; `receipt.cost` is the sum."""
        return self._ledger.receipt()

    # How statements are made and asked

    def _clock(self, table: Table) -> Clock:
        clock = Clock.of(table)
        if clock is None:
            raise UsageError("the table has no time column", where=table.name, mend="set time_column")
        return clock

    def _scope(self, table: Table) -> list[Expression]:
        return [raw(table.where)] if table.where else []

    def _rows_of(self, table: Table, partition: Partition | None) -> list[Expression]:
        return [*self._scope(table), *([self._clock(table).within(partition)] if partition is not None else [])]

    def _selected(
        self, table: Table, partition: Partition | None, wanted: Sequence[Any], condition: str | None = None,
        told: str | None = None,
    ) -> Select:  # fmt: skip
        conditions = [*self._rows_of(table, partition), *([raw(condition)] if condition else [])]
        return sa.select(*wanted).select_from(self._from(table, told)).where(*conditions)

    def _grouped(
        self,
        table: Table,
        clock: Clock,
        wanted: Sequence[Expression],
        first: Partition | None,
        before: Partition | None,
    ) -> Select:
        """One row a group of the clock, newest first: a moment of it, then what is wanted."""
        bounds = [clock.since(first)] if first is not None else []
        bounds += [clock.before(before)] if before is not None else clock.sane()
        moment = sa.func.min(clock.moment()).label("moment")
        return (
            sa.select(moment, *wanted)
            .select_from(self._from(table))
            .where(*self._scope(table), *bounds)
            .group_by(*clock.keys())
            .order_by(sa.desc("moment").nulls_last())
        )

    def _sampled(
        self,
        table: Table,
        partition: Partition | None,
        rows: int,
        seed: int,
        total: int | None,
        by: Sequence[str] = (),
    ) -> Select:
        wanted = [readable(table, column) for column in _sampled_columns(table)]
        key = [table.column(name) for name in by]
        drawn = self._rows_of(table, partition)
        return self._drawn(table.path, wanted, drawn, rows, seed, total, key, self._from(table))

    def _drawn(
        self,
        path: Path,
        wanted: Sequence[Any],
        conditions: Sequence[Expression],
        rows: int,
        seed: int,
        total: int | None,
        key: Sequence[Column] = (),
        source: sa.FromClause | None = None,
    ) -> Select:
        """A seeded draw: rows below a threshold of a hash (a Bernoulli sample, a little too large), first by hash."""
        rows = min(rows, self.limits.rows_max)
        source = self._source(path) if source is None else source
        if total is not None and total <= rows:
            return sa.select(*wanted).select_from(source).where(*conditions).limit(rows + 1)
        if key:
            identity: Sequence[Expression] = [RowHash(*map(TypedColumn, key))]
        else:
            source, conditions, identity = self._identified(path, source, conditions, total)
        draw = DrawHash(*identity, sa.literal(seed))
        statement = sa.select(*wanted).select_from(source).where(*conditions)
        share = 1.0 if not total else (rows + 5 * math.sqrt(rows) + 25) / total
        if share < 1:
            statement = statement.where(draw < sa.literal(int(share * _HASH_SPAN)))
        return statement.order_by(draw).limit(rows)

    def _identified(
        self,
        path: Path,
        source: sa.FromClause,
        conditions: Sequence[Expression],
        total: int | None,  # noqa: ARG002 - for engines whose way depends on it
    ) -> tuple[sa.FromClause, Sequence[Expression], Sequence[Expression]]:
        """What to draw from, the conditions that are left, and what tells its rows apart: an identity, or a number."""
        identity = self._row_identity(path)
        if identity is not None:
            return source, conditions, identity
        numbered: list[Expression] = [sa.literal_column("*"), RowNumber().label(_ROW_NUMBER)]
        inner = sa.select(*numbered).select_from(source).where(*conditions)
        return inner.subquery("numbered"), [], columns_of([_ROW_NUMBER])

    def _fuse(self, table: Table, measures: Sequence[Measure], total: float | None) -> list[Fused]:
        distinct = list(dict.fromkeys(measures))
        size = self.columns_max or max(len(distinct), 1)
        chunks = [distinct[start : start + size] for start in range(0, len(distinct), size)]
        return [Fused.of(table, chunk, self.sql, residue_classes(total)) for chunk in chunks]

    def _timed(
        self, table: Table, partition: Partition | None, values: dict[Measure, float | None]
    ) -> dict[Measure, float | None]:
        """The values with moments of the clock turned into seconds since the partition's start."""
        clock = Clock.of(table)
        for measure, value in values.items():
            if measure.kind in {"time_min", "time_max"}:
                moment = clock.read(value) if clock is not None else None
                start = partition.start if partition is not None else None
                values[measure] = None
                if isinstance(moment, dt.datetime) and start is not None:
                    values[measure] = (moment - start).total_seconds()
        return values

    def _average(self, table: Table, measures: Sequence[Measure], first: Partition, before: Partition) -> float | None:
        if self.limits.cost_rows_max is None and not any(measure.kind in _DUPLICATES for measure in measures):
            return None
        counts = self.partitions(table, first=first, before=before)
        for partition, rows in counts:
            self._refuse_large(table, partition, rows)
        return sum(rows for _partition, rows in counts) / max(len(counts), 1)

    def _refuse_large(self, table: Table, partition: Partition | None, total: int | None) -> None:
        bound = self.limits.cost_rows_max
        if bound is None:
            return
        rows = self.count(table, partition) if total is None else total
        if rows > bound:
            raise SourceError(
                f"{rows:,} rows are more than cost_rows_max = {bound:,}",
                where=f"{table.name}{f' {partition.label}' if partition else ''}",
                mend="raise cost_rows_max, or narrow the table with `where`",
            )

    def _ask(self, statement: Select, table: Table, written: Sequence[Written] = ()) -> pa.Table:
        """Run a statement about a table; where it is refused, find the person's own SQL that broke it."""
        try:
            return self.fetch(statement)
        except StatementError as error:
            scope = [Written("where", table.where, CountIf(raw(table.where)))] if table.where else []
            self._blame(table, [*scope, *written])
            raise StatementError(error.what, where=table.name, mend=error.mend) from error

    def _blame(self, table: Table, written: Sequence[Written]) -> None:
        """Run each piece of SQL alone, and raise for the first that does not.

        Raises:
            UsageError: this piece is at fault.
        """
        for piece in written:
            try:
                self._run(self.sql(sa.select(piece.probe).select_from(self._from(table))), 1)
            except StatementError as error:
                raise UsageError(
                    f"{piece.what} `{piece.sql}` does not run: {error.what}",
                    where=table.name,
                    mend="correct it",
                    culprit=piece.sql,
                ) from error

    def _total(self, path: Path) -> int:
        counted: Select = sa.select(sa.func.count().label("n")).select_from(self._source(path))
        return int(self.fetch(counted)["n"][0].as_py())

    @staticmethod
    def _first(found: pa.Table) -> list[Any]:
        return [column[0].as_py() for column in found.columns]

    @staticmethod
    def _all_rows(found: pa.Table) -> list[tuple[Any, ...]]:
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _written(condition: str | None = None, measures: Sequence[Measure] = ()) -> list[Written]:
    pieces = [Written("condition", condition, CountIf(raw(condition)))] if condition else []
    for measure in measures:
        if measure.kind == "count_where":
            pieces.append(Written("condition", measure.argument, CountIf(raw(measure.argument))))
        elif measure.kind == "expression":
            pieces.append(Written("expression", measure.argument, raw(measure.argument)))
    return pieces


def _written_of(plan: grouping.Plan) -> list[Written]:
    where = plan.groups[0].where
    return [*_written(where or None), *_written(measures=[Measure("expression", "", s) for s in plan.statistics])]


def _sampled_columns(table: Table) -> list[Column]:
    time = table.time.name if table.time is not None else None
    return [column for column in table.columns if column.name == time or column.name not in table.ignore_columns]
