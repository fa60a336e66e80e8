"""A fault into a table: the SQL twins, put together and written in the dialect of the engine."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import sqlglot
from sqlglot import exp

from chaos.catalogue import fault_named
from chaos.fault import ChaosError, Fault
from chaos.injection import check_arguments, check_kinds
from chaos.query import Damage, SqlDay
from monitor.types import Column, ColumnKind

Source = sa.FromClause | tuple[Sequence[str] | str | exp.Expression, Sequence[Column]]
DIALECTS = ("duckdb", "postgres", "snowflake")
_WIDER = {"TINYINT": "INT", "SMALLINT": "INT", "UTINYINT": "INT", "USMALLINT": "INT"}
_FRAME_KINDS = {
    ColumnKind.NUMBER: "number",
    ColumnKind.TEXT: "text",
    ColumnKind.JSON: "text",
    ColumnKind.DATE: "time",
    ColumnKind.TIMESTAMP: "time",
    ColumnKind.BOOLEAN: "boolean",
}
_TYPED = (ColumnKind.NUMBER, ColumnKind.DATE, ColumnKind.TIMESTAMP)


@dataclass(frozen=True)
class Statement:
    """The queries of one fault on one table, in the engine's dialect.

    `select` returns the damaged table, `changed` the number of rows changed, `values` the values of the first
    column that the fault chose (None where it chooses rows), `moved_up` whether the values rose where the direction
    of the change depends on the data.
    """

    select: str
    changed: str
    values: str | None
    moved_up: str | None


def sql(
    fault: str,
    source: Source,
    dialect: str = "duckdb",
    *,
    columns: Sequence[str] = (),
    rows: float | None = None,
    where: str | None = None,
    seed: int = 0,
    intensity: float = 1.0,
    partition: str | None = None,
    yesterday: str | None = None,
    gap_days: int = 1,
    time_column: str | None = None,
    only_day: bool = False,
) -> str:
    """The SELECT that returns a table with one day damaged; it reads the table and changes nothing.

    Args:
        fault: its name, a key of `chaos.FAULTS`.
        source: a SQLAlchemy table, or (path, columns): the table's name in parts, or as text any relation that the
            engine can read from; and its columns.
        dialect: `duckdb`, `postgres` or `snowflake`, as sqlglot calls them.
        columns: what to damage, as many as the fault `needs`.
        rows: the share of the rows hit, as in `chaos.inject`; None is the fault's default.
        where: a SQL condition on the rows, in the dialect; faults of a segment need it.
        seed: chooses the rows: by a hash of the whole row and its place among identical rows.
        intensity: how strong the damage is.
        partition: the SQL condition of the day; other days pass untouched. None: the whole table is the day.
        yesterday: the SQL condition of the day before, for the faults that need it.
        gap_days: how many days the rows of the day before are moved when they are dated today.
        time_column: the table's time column, for the faults that move rows in time.
        only_day: return the damaged day alone.

    Raises:
        ChaosError: what `chaos.inject` raises, an unknown dialect, or a condition that is not SQL.
    """
    return statement(
        fault,
        source,
        dialect,
        columns=columns,
        rows=rows,
        where=where,
        seed=seed,
        intensity=intensity,
        partition=partition,
        yesterday=yesterday,
        gap_days=gap_days,
        time_column=time_column,
        only_day=only_day,
    ).select


def statement(
    fault: str,
    source: Source,
    dialect: str = "duckdb",
    *,
    columns: Sequence[str] = (),
    rows: float | None = None,
    where: str | None = None,
    seed: int = 0,
    intensity: float = 1.0,
    partition: str | None = None,
    yesterday: str | None = None,
    gap_days: int = 1,
    time_column: str | None = None,
    only_day: bool = False,
) -> Statement:
    """The queries that go with `sql` and its arguments: the damaged table, and the truth about the damage."""
    chosen = fault_named(fault)
    relation, described = _described(source)
    names = tuple(column.name for column in described)
    share = float(chosen.options.get("rows", 1.0) if rows is None else rows)
    check_arguments(chosen, names, columns, share, intensity)
    check_kinds(chosen, columns, {column.name: _FRAME_KINDS.get(column.kind, "other") for column in described})
    _check_needs(chosen, dialect, where, yesterday, time_column)
    day = SqlDay(
        table_columns=names,
        kinds={column.name: column.kind for column in described},
        columns=tuple(columns),
        seed=seed,
        rows=share,
        intensity=intensity,
        time_column=time_column,
        gap_days=gap_days,
        types=_types(described, dialect),
    )
    pieces = _Pieces(chosen, day, chosen.sql(day), partition is not None, only_day)
    fill = {"chaos_where": where, "chaos_partition": partition, "chaos_past": yesterday}
    holes = {name: _condition(text, dialect) for name, text in fill.items() if text is not None}

    def write(text: str) -> str:
        return _written(text, relation, holes, dialect)

    by_value = chosen.choice.by_value and bool(columns)
    return Statement(
        select=write(pieces.select()),
        changed=write(pieces.changed()),
        values=write(pieces.values()) if by_value else None,
        moved_up=write(pieces.moved_up()) if chosen.signed else None,
    )


def _check_needs(fault: Fault, dialect: str, where: str | None, yesterday: str | None, time_column: str | None) -> None:
    if dialect not in DIALECTS:
        raise ChaosError(f"no dialect is called {dialect!r}", mend=f"choose of {', '.join(DIALECTS)}")
    if "segment" in fault.needs and where is None:
        raise ChaosError(f"{fault.name} needs a segment", mend="give its rows as `where`, a SQL condition")
    if "yesterday" in fault.needs and yesterday is None:
        raise ChaosError(f"{fault.name} needs the day before", mend="give its rows as `yesterday`, a SQL condition")
    if "partition_column" in fault.needs and time_column is None:
        raise ChaosError(f"{fault.name} needs the table's time column", mend="give it as `time_column`")


@dataclass(frozen=True)
class _Pieces:
    """The common table expressions of one fault, and the queries on them, in DuckDB's SQL."""

    fault: Fault
    day: SqlDay
    damage: Damage
    has_other_days: bool
    only_day: bool

    def select(self) -> str:
        """The damaged table."""
        parts = ["SELECT * FROM chaos_damaged", *self.damage.extra]
        if self.only_day and self.day.time_column in self.damage.values:
            parts[0] += f" WHERE {self._in_day()}"
        if self.has_other_days and not self.only_day:
            parts.append(f"SELECT {self.day.all_columns} FROM chaos_source WHERE NOT {self._in_day()}")
        union = " UNION ALL ".join(f"({part})" for part in parts)
        return f"{self._steps(damaged=True)} SELECT {self._columns()} FROM ({union}) AS chaos_table"

    def changed(self) -> str:
        """How many rows are changed, counted as the fault counts."""
        if self.fault.count == "added":
            return f"{self._steps()} SELECT COUNT(*) FROM ({' UNION ALL '.join(self.damage.extra)}) AS chaos_more"
        if self.fault.count == "hit":
            return f"{self._steps()} SELECT COUNT(*) FROM chaos_marked WHERE chaos_hit"
        differs = " OR ".join(
            f"{self.day.quote(name)} IS DISTINCT FROM ({value})" for name, value in self.damage.values.items()
        )
        rows = f"{self.damage.rows} {self.damage.joins} WHERE {self.damage.hit} AND ({differs})"
        return f"{self._steps()} SELECT COUNT(*) FROM {rows}"

    def values(self) -> str:
        """The values that a fault by value has chosen; more than can be read are not told."""
        name = self.day.quote(self.day.columns[0])
        return f"{self._steps()} SELECT DISTINCT {name} FROM chaos_marked WHERE chaos_hit ORDER BY {name} LIMIT 21"

    def moved_up(self) -> str:
        """Whether the first column's sum is higher than before."""
        name, value = next(iter(self.damage.values.items()))
        rise = f"SUM({value}) > SUM({self.day.number(name)})"
        return f"{self._steps()} SELECT {rise} FROM {self.damage.rows} {self.damage.joins} WHERE chaos_hit"

    def _steps(self, *, damaged: bool = False) -> str:
        steps = [*self._rows_hit(), *self.damage.steps]
        steps += [("chaos_damaged", self._damaged())] if damaged else []
        text = ", ".join(f"{name} AS ({query})" for name, query in steps)
        if "chaos_yesterday" in text or any("chaos_yesterday" in query for query in self.damage.extra):
            text = ", ".join(f"{name} AS ({query})" for name, query in self._past()) + ", " + text
        return f"WITH {text}"

    def _rows_hit(self) -> list[tuple[str, str]]:
        day, pick = self.day, self.fault.choice.sql(self.day)
        within = f"WHERE {self._in_day()}" if self.has_other_days else ""
        groups = ", ".join(("chaos_eligible", *pick.groups))
        order = ", ".join(pick.order if pick.dense else (*pick.order, "chaos_key"))
        rank = f"{'DENSE_RANK' if pick.dense else 'ROW_NUMBER'}() OVER (PARTITION BY {groups} ORDER BY {order})"
        count = f"COUNT(*) OVER (PARTITION BY {groups})"
        copy = "ROW_NUMBER() OVER (PARTITION BY chaos_text ORDER BY chaos_text)"
        by_chance = "ROW_NUMBER() OVER (PARTITION BY chaos_hit ORDER BY {})"
        first, second = by_chance.format("chaos_key"), by_chance.format(day.hash_of("chaos_key"))
        hits = "COUNT(*) OVER (PARTITION BY chaos_hit)"
        key = day.hash_of("chaos_text || '|' || CAST(chaos_copy AS VARCHAR)")
        added = {
            "chaos_rows": ("chaos_source " + within, f"{self._row_text()} AS chaos_text"),
            "chaos_copies": ("chaos_rows", f"{copy} AS chaos_copy"),
            "chaos_day": ("chaos_copies", f"COALESCE(chaos_where, FALSE) AS chaos_inside, {key} AS chaos_key"),
            "chaos_candidates": ("chaos_day", f"COALESCE({pick.eligible}, FALSE) AS chaos_eligible"),
            "chaos_ranked": ("chaos_candidates", f"{rank} AS chaos_rank, {count} AS chaos_n"),
            "chaos_picked": ("chaos_ranked", f"chaos_eligible AND chaos_rank <= {pick.limit} AS chaos_hit"),
            "chaos_marked": (
                "chaos_picked",
                f"{first} AS chaos_first, {second} AS chaos_second, {hits} AS chaos_hits",
            ),
        }
        return [(name, f"SELECT *, {columns} FROM {rows}") for name, (rows, columns) in added.items()]

    def _past(self) -> list[tuple[str, str]]:
        day = self.day
        copy = "ROW_NUMBER() OVER (PARTITION BY chaos_text ORDER BY chaos_text)"
        key = day.hash_of("chaos_text || '|' || CAST(chaos_copy AS VARCHAR)")
        columns = ", ".join(f"{self._moved(name)} AS {day.quote(name)}" for name in day.table_columns)
        rows = "chaos_source WHERE COALESCE(chaos_past, FALSE)"
        return [
            ("chaos_past_rows", f"SELECT *, {self._row_text()} AS chaos_text FROM {rows}"),
            ("chaos_past_copies", f"SELECT *, {copy} AS chaos_copy FROM chaos_past_rows"),
            (
                "chaos_yesterday",
                f"SELECT {columns}, ROW_NUMBER() OVER (ORDER BY {key}) AS chaos_place FROM chaos_past_copies",
            ),
        ]

    def _moved(self, name: str) -> str:
        column = self.day.quote(name)
        is_time = self.day.kind(name) in (ColumnKind.DATE, ColumnKind.TIMESTAMP)
        if name != self.day.time_column or not is_time:
            return column
        return self.day.typed(name, f"({column} + INTERVAL {self.day.gap_days} DAY)")

    def _damaged(self) -> str:
        columns = ", ".join(self._damaged_column(name) for name in self.day.table_columns)
        return f"SELECT {columns} FROM {self.damage.rows} {self.damage.joins} WHERE {self.damage.keep}"

    def _damaged_column(self, name: str) -> str:
        column = self.day.quote(name)
        value = self.damage.values.get(name)
        if value is None:
            return column
        if self.day.kind(name) == ColumnKind.JSON:
            text = f"CASE WHEN {self.damage.hit} THEN CAST({value} AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
            return f"CAST({text} AS JSON) AS {column}"
        # New texts need not belong to an enumeration that the column had.
        old = f"CAST({column} AS VARCHAR)" if self.day.kind(name) == ColumnKind.TEXT else column
        return f"CASE WHEN {self.damage.hit} THEN {value} ELSE {old} END AS {column}"

    def _columns(self) -> str:
        return ", ".join(
            f"{self.damage.everywhere.get(name, self.day.quote(name))} AS "
            f"{self.day.quote(self.damage.renamed.get(name, name))}"
            for name in self.day.table_columns
            if name not in self.damage.lost
        )

    def _row_text(self) -> str:
        """A hash of all columns: equal rows, equal text."""
        texts = (f"COALESCE(CAST({self.day.quote(name)} AS VARCHAR), '~')" for name in self.day.table_columns)
        return "MD5(" + " || '|' || ".join(texts) + ")"

    def _in_day(self) -> str:
        return "COALESCE(chaos_partition, FALSE)"


def _types(columns: Sequence[Column], dialect: str) -> Mapping[str, str]:
    """The columns' types in DuckDB's words, for those that arithmetic would change; narrow whole numbers wider."""
    types = {}
    for column in columns:
        if column.kind in _TYPED:
            try:
                kind = exp.DataType.build(column.type, dialect=dialect)
            except sqlglot.errors.SqlglotError:
                continue
            text = kind.sql("duckdb")
            types[column.name] = _WIDER.get(text, text)
    return types


def _condition(text: str, dialect: str) -> exp.Expression:
    try:
        parsed = sqlglot.parse_one(text, read=dialect)
    except sqlglot.errors.SqlglotError as error:
        first = str(error).splitlines()[0]
        raise ChaosError(
            f"the condition {text!r} is not SQL: {first}", mend="write a condition", culprit=text
        ) from error
    if isinstance(parsed, (exp.Query, exp.Command, exp.DDL, exp.DML)) or not isinstance(parsed, exp.Condition):
        raise ChaosError(f"{text!r} is not a condition", mend="write what comes after WHERE", culprit=text)
    return exp.Paren(this=parsed)


def _written(text: str, relation: exp.Expression, holes: Mapping[str, exp.Expression], dialect: str) -> str:
    """The query in the engine's dialect, with the table and the user's conditions in their places."""

    def fill(node: Any) -> Any:
        if isinstance(node, exp.Table) and node.name == "chaos_source":
            return relation.copy()
        if isinstance(node, exp.Column) and node.name in ("chaos_where", "chaos_partition", "chaos_past"):
            return holes[node.name].copy() if node.name in holes else exp.true()
        return node

    return str(sqlglot.parse_one(text, read="duckdb").transform(fill).sql(dialect=dialect))


def _described(source: Source) -> tuple[exp.Expression, list[Column]]:
    if isinstance(source, sa.FromClause):
        return _of_table(source)
    path, columns = source
    if isinstance(path, exp.Expression):
        return path, list(columns)
    if isinstance(path, str):
        return sqlglot.parse_one(f"SELECT * FROM {path}", read="duckdb").find(exp.From).this, list(columns)  # type: ignore[union-attr]
    return _table(path), list(columns)


def _of_table(table: sa.FromClause) -> tuple[exp.Expression, list[Column]]:
    schema = getattr(table, "schema", None)
    name = getattr(table, "name", None)
    if name is None:
        raise ChaosError("the source is no table", mend="give a table, or its path and columns")
    columns = [Column(column.name, _kind(column.type), str(column.type)) for column in table.columns]
    return _table([*(str(schema).split(".") if schema else ()), str(name)]), columns


def _table(path: Sequence[str]) -> exp.Table:
    parts = [exp.to_identifier(part, quoted=True) for part in path]
    return exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))


def _kind(kind: Any) -> ColumnKind:
    kinds: tuple[tuple[Any, ColumnKind], ...] = (
        (sa.Boolean, ColumnKind.BOOLEAN),
        ((sa.Integer, sa.Numeric, sa.Float), ColumnKind.NUMBER),
        (sa.DateTime, ColumnKind.TIMESTAMP),
        (sa.Date, ColumnKind.DATE),
        (sa.Time, ColumnKind.TIME),
        (sa.String, ColumnKind.TEXT),
        (sa.JSON, ColumnKind.JSON),
    )
    return next((found for types, found in kinds if isinstance(kind, types)), ColumnKind.OTHER)
