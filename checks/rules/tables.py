"""Rules on a table as a whole: its columns, other tables beside it, statements of one's own, and rules in Python."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from checks.rules.base import (
    Found,
    NumberRule,
    Rule,
    ShapeRule,
    Values,
    asked_count,
    bounded,
    counted,
    kind,
    rows_where,
)
from checks.rules.fields import ColumnName, Columns, refuse
from checks.rules.words import TABLE, Words, other_table
from monitor.types import Change, Column, ColumnKind, Measure

_KINDS = tuple(kind.value for kind in ColumnKind)


class _OfCatalog(Rule):
    """Needs no data: the catalog says it all."""

    needs_data: ClassVar[bool] = False

    @property
    def looked_at(self) -> tuple[str, ...]:
        """None that the table must have: whether it does is the question."""
        return ()

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Nothing of the rows."""
        return ()


@kind("has_columns", "the table has these columns", ["flight_id", "carrier"], Change.SCHEMA)
class HasColumns(_OfCatalog):
    """The table has the columns named."""

    plain: ClassVar[str] = "columns"
    columns: Columns

    @property
    def label(self) -> str:
        """The columns."""
        return "_".join(self.columns)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad are those that it lacks."""
        return Found(float(len(set(self.columns) - {column.name for column in columns})))


@kind("only_columns", "the table has these columns and no others", ["flight_id", "carrier"], Change.SCHEMA)
class OnlyColumns(_OfCatalog):
    """The table has exactly the columns named; `ordered`: in this order."""

    plain: ClassVar[str] = "columns"
    columns: Columns
    ordered: bool = Field(False, description="whether the order counts", examples=[True])

    @property
    def label(self) -> str:
        """Nothing: one such rule is enough for a table."""
        return ""

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad are those that only one side has, or that stand elsewhere."""
        there = [column.name for column in columns]
        bad = len(set(self.columns) ^ set(there))
        if not bad and self.ordered:
            bad = sum(a != b for a, b in zip(self.columns, there, strict=True))
        return Found(float(bad))


@kind(
    "column_type", "a column is of a kind, or of an engine's type", {"column": "price", "is": "number"}, Change.SCHEMA
)
class ColumnType(_OfCatalog):
    """A column is a number, text, timestamp, date, time, boolean, json or binary, or of an engine's type."""

    column: ColumnName
    wanted: str = Field(alias="is", description="a kind, or an engine's type", examples=["number", "BIGINT"])

    @property
    def label(self) -> str:
        """The column."""
        return self.column

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad if it is another, or there is no such column."""
        found = next((column for column in columns if column.name == self.column), None)
        if found is None:
            return Found(1.0)
        if self.wanted in _KINDS:
            return Found(float(found.kind.value != self.wanted))
        return Found(float(found.type.casefold() != self.wanted.casefold()))


@kind("column_count", "how many columns the table has", {"min": 5, "max": 5}, Change.SCHEMA)
class ColumnCount(NumberRule):
    """The number of columns lies between bounds."""

    needs_data: ClassVar[bool] = False

    def number(self, words: Words, kept: Any) -> str:
        """Nothing of the rows."""
        return ""

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Nothing of the rows."""
        return ()

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is the distance to the nearer bound."""
        return bounded(float(len(columns)), self.min, self.max)


@kind("query", "a statement of one's own selects no rows, or a number between bounds",
      {"sql": "SELECT id FROM {rows} GROUP BY id HAVING sum(amount) < 0"})  # fmt: skip
class Query(Rule):
    """A SELECT in the warehouse's SQL: of bad rows, or, with min or max, of one number.

    `{rows}` in it are the partition's rows that the rule is about, `{table}` the whole table.
    """

    plain: ClassVar[str] = "sql"
    fragments: ClassVar[Mapping[str, str]] = {"sql": "select"}
    elsewhere: ClassVar[frozenset[str]] = frozenset({"sql"})
    sql: str = Field(description="a SELECT", examples=["SELECT id FROM {rows} GROUP BY id HAVING sum(amount) < 0"])
    min: float | None = Field(None, description="the least that its number may be", examples=[0])
    max: float | None = Field(None, description="the most that its number may be", examples=[100])

    @property
    def label(self) -> str:
        """Its text."""
        return self.sql

    @property
    def gives_number(self) -> bool:
        """Whether it gives one number, and not bad rows."""
        return self.min is not None or self.max is not None

    def _filled(self, where: str | None) -> str:
        return self.sql.replace("{rows}", rows_where(where)).replace("{table}", TABLE)

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """What it selects, or how many rows."""
        if not self.gives_number:
            return (asked_count(self._filled(where)),)
        return (Measure("asked", "", self._filled(where)),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad are its rows, or the distance to the nearer bound."""
        if self.gives_number:
            return bounded(values[0], self.min, self.max)
        return counted(values[0], rows)

    def bad_rows(self, words: Words, where: str | None) -> str | None:
        """The statement itself."""
        return self._filled(where)


class _Beside(Rule):
    """A number of the partition beside the same one of another table, in whatever warehouse."""

    fragments: ClassVar[Mapping[str, str]] = {"only": "condition"}
    elsewhere: ClassVar[frozenset[str]] = frozenset({"only", "other_sql"})
    crosses: ClassVar[bool] = True
    to: str = Field(min_length=1, description="the other table", examples=["main.planes"])
    only: str | None = Field(None, description="which of its rows count, as SQL", examples=["active"])
    time: str | None = Field(
        None, description="its column of times; only those of the partition count", examples=["at"]
    )
    within: float = Field(0.0, ge=0, description="how far they may differ, as a share of the other", examples=[0.01])

    @property
    def tables(self) -> tuple[str, ...]:
        """The other table."""
        return (self.to,)

    @property
    def other_columns(self) -> tuple[str, ...]:
        """Its column of times."""
        return (self.time,) if self.time else ()

    def _asked(self, words: Words, aggregate: str) -> Measure:
        since, until = (words.moment(self._clock(words), anchor) for anchor in ("start", "end"))
        bounds = [f'"{self.time}" >= {since} AND "{self.time}" < {until}'] if self.time else []
        kept = " AND ".join([*([f"({self.only})"] if self.only else []), *bounds])
        statement = f"SELECT {words.real(f'({aggregate})')} FROM {other_table(self.to)} AS other"
        return Measure("asked", "", statement + (f" WHERE {kept}" if kept else ""))

    def _clock(self, words: Words) -> str:
        return words.table.time.name if words.table.time is not None else ""

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is the distance beyond what is allowed."""
        own, other = values
        if own is None or other is None:
            return None
        slack = self.within * abs(other)
        return bounded(own, other - slack, other + slack)


@kind("row_count_like", "there are as many rows as in another table", {"to": "lake.flights", "time": "flight_date"},
      Change.ROWS_MISSING)  # fmt: skip
class RowCountLike(_Beside):
    """As many rows as another table has, of the same warehouse or of another one."""

    plain: ClassVar[str] = "to"

    @property
    def label(self) -> str:
        """The other table."""
        return self.to

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Both counts."""
        own = f"COUNT(CASE WHEN {where} THEN 1 END)" if where else "COUNT(*)"
        return (Measure("expression", "", own), self._asked(words, "COUNT(*)"))


@kind("reconcile", "an aggregate is the same in another table",
      {"sql": "sum(amount)", "to": "lake.payments", "other_sql": "sum(paid)"}, Change.RELATION)  # fmt: skip
class Reconcile(_Beside):
    """An aggregate of the partition equals one of another table, of the same warehouse or of another one."""

    fragments: ClassVar[Mapping[str, str]] = {"only": "condition", "sql": "aggregate", "other_sql": "aggregate"}
    sql: str = Field(description="the aggregate here", examples=["sum(amount)"])
    other_sql: str | None = Field(None, description="the aggregate there, if it is another", examples=["sum(paid)"])

    @property
    def label(self) -> str:
        """The aggregate and the other table."""
        return f"{self.sql} {self.to}"

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Both sides."""
        own = Measure("asked", "", f"SELECT {words.real(f'({self.sql})')} FROM {rows_where(where)} AS day")
        return (own if where else Measure("expression", "", self.sql), self._asked(words, self.other_sql or self.sql))


@kind("same_values", "a column has the same different values as a column of another table of the warehouse",
      {"column": "carrier", "to": "main.carriers.code"}, Change.VALUES_MIXED)  # fmt: skip
class SameValues(ShapeRule):
    """Values of the column that the other has not, and values of the other that do not come here, are bad."""

    column: ColumnName
    to: str = Field(description="the other column", examples=["main.carriers.code"])
    side: Literal["both", "other"] = Field(
        "both", description="other: only what does not come here", examples=["other"]
    )

    @model_validator(mode="after")
    def _check_other(self) -> Self:
        if len(self.to.split(".")) < 3:
            raise refuse("wanted one column of a table: warehouse.table.column, such as main.carriers.code")
        return self

    @property
    def tables(self) -> tuple[str, ...]:
        """The other table."""
        return (self.to.rpartition(".")[0],)

    @property
    def other_columns(self) -> tuple[str, ...]:
        """The other column."""
        return (self.to.rpartition(".")[2],)

    def select(self, words: Words, rows: str) -> str:
        """What one side alone has."""
        name, key = words.name(self.column), words.name(self.to.rpartition(".")[2])
        here = f"SELECT {name} AS value FROM {rows} AS day WHERE {name} IS NOT NULL"
        there = f"SELECT {key} AS value FROM {other_table(self.tables[0])} AS other WHERE {key} IS NOT NULL"
        gone = f"SELECT value FROM ({there} EXCEPT {here}) AS gone"
        return gone if self.side == "other" else f"{gone} UNION ALL SELECT value FROM ({here} EXCEPT {there}) AS new"


@kind("python", "a function in Python finds no bad rows", "rules.py:valid_iban")
class Python(Rule):
    """A function decorated with `daywatch.rule`: of a file, as `rules.py:name`, or of a package, by its name."""

    plain: ClassVar[str] = "rule"
    rule: str = Field(min_length=1, description="where the function is", examples=["rules.py:valid_iban"])
    columns: Columns | None = Field(None, description="the columns that it is given", examples=[["iban"]])
    options: dict[str, Any] = Field(
        default_factory=dict, description="what it is called with", examples=[{"minimum": 3}]
    )

    @property
    def label(self) -> str:
        """The function's name."""
        return self.rule.rpartition(":")[2]

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """What the function says of the rows."""
        asked = {"rule": self.rule, "columns": self.columns, "options": self.options, "where": where}
        return (Measure("told", "", json.dumps(asked, sort_keys=True)),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad are the rows it calls so."""
        return counted(values[0], rows)
