"""Rules on rows that belong together: uniqueness, references to other tables, sets that must be complete."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from checks.rules.base import Found, Rule, ShapeRule, Values, counted, kind, rows_where
from checks.rules.fields import ColumnName, Columns, SetValues, refuse
from checks.rules.words import Words, other_table
from monitor.types import Change, Column, Measure


@kind("unique", "no value, or combination of values, comes twice", "flight_id", Change.DUPLICATES)
class Unique(Rule):
    """A column, or columns together, without repeated values; rows with a NULL among them are good.

    What is counted are the rows beyond the first of each value.
    """

    plain: ClassVar[str] = "columns"
    columns: Columns

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Rows beyond the first of each key: the engine's own way is the reader's business."""
        return (Measure("repeats", "", json.dumps({"columns": list(self.columns), "where": where})),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is what was counted."""
        return counted(values[0], rows)

    def bad_rows(self, words: Words, where: str | None) -> str | None:
        """The values that come more than once, with how often, the most frequent first."""
        keys = words.names(self.columns)
        known = " AND ".join(f"{words.name(c)} IS NOT NULL" for c in self.columns)
        grouped = f"GROUP BY {keys} HAVING COUNT(*) > 1 ORDER BY copies DESC"
        return f"SELECT {keys}, COUNT(*) AS copies FROM {rows_where(where)} AS day WHERE {known} {grouped}"


@kind("near_unique", "no text comes twice but for case, blanks and signs", "company", Change.DUPLICATES)
class NearUnique(ShapeRule):
    """A text column without values that differ only in case, blanks and signs, or not at all."""

    column: ColumnName

    def select(self, words: Words, rows: str) -> str:
        """The rows beyond the first of each bare text."""
        bare = words.bare(f"COALESCE({words.text(self.column)}, '')")
        numbered = f"SELECT every.*, {bare} AS daywatch_bare, ROW_NUMBER() OVER (PARTITION BY {bare} ORDER BY {bare})"
        known = f"{words.name(self.column)} IS NOT NULL"
        return (
            f"SELECT * FROM ({numbered} AS daywatch_copy FROM {rows} AS every WHERE {known}) AS kept"
            " WHERE daywatch_copy > 1 AND daywatch_bare <> ''"
        )


@kind("references", "every value is found in a column of another table",
      {"column": "tailnum", "to": "main.planes.tailnum"}, Change.RELATION)  # fmt: skip
class References(ShapeRule):
    """Values, alone or several together, are found in another table of the same warehouse; NULL always is."""

    fragments: ClassVar[Mapping[str, str]] = {"only": "condition"}
    elsewhere: ClassVar[frozenset[str]] = frozenset({"only"})
    column: str | None = Field(None, min_length=1, description="the column that refers", examples=["tailnum"])
    columns: Columns | None = Field(None, description="the columns that refer together", examples=[["shop", "order"]])
    to: str | None = Field(None, description="the column referred to", examples=["main.planes.tailnum"])
    table: str | None = Field(None, description="the table referred to", examples=["main.orders"])
    keys: Columns | None = Field(None, description="its columns, in the same order", examples=[["shop", "id"]])
    only: str | None = Field(None, description="which of its rows count, as SQL", examples=["active"])

    @model_validator(mode="after")
    def _check_sides(self) -> Self:
        if (self.column is None) == (self.columns is None):
            raise refuse("wanted column with to, or columns with table and keys")
        if self.column is not None and (self.to is None or len(self.to.split(".")) < 3):
            raise refuse("wanted `to`, one column of a table: warehouse.table.column, such as main.planes.tailnum")
        if self.columns is not None and (self.table is None or len(self.keys or self.columns) != len(self.columns)):
            raise refuse("wanted table, and as many keys as columns")
        return self

    @property
    def tables(self) -> tuple[str, ...]:
        """The other table."""
        return (self.table if self.table is not None else str(self.to).rpartition(".")[0],)

    @property
    def other_columns(self) -> tuple[str, ...]:
        """The columns referred to."""
        if self.columns is not None:
            return tuple(self.keys or self.columns)
        return (str(self.to).rpartition(".")[2],)

    def select(self, words: Words, rows: str) -> str:
        """The rows whose key is known and not there."""
        own = [words.name(column) for column in self.looked_at]
        pairs = [f"other.{words.name(key)} = day.{mine}" for key, mine in zip(self.other_columns, own, strict=True)]
        known = " AND ".join(f"day.{mine} IS NOT NULL" for mine in own)
        there = f"SELECT * FROM {other_table(self.tables[0])}" + (f" WHERE {self.only}" if self.only else "")
        inner = f"SELECT 1 FROM ({there}) AS other WHERE {' AND '.join(pairs)}"
        return f"SELECT day.* FROM {rows} AS day WHERE {known} AND NOT EXISTS ({inner})"


@kind("has_values", "each of a list of values comes at least once", {"column": "origin", "values": ["EWR", "JFK"]},
      Change.VALUES_GONE)  # fmt: skip
class HasValues(ShapeRule):
    """Each value of a list comes in the column."""

    column: ColumnName
    values: SetValues = Field(description="the values that must come", examples=[["EWR", "JFK", "LGA"]])

    def select(self, words: Words, rows: str) -> str:
        """The values that do not come."""
        wanted = " UNION ALL ".join(f"SELECT {words.literal(value)} AS value" for value in self.values)
        came = f"SELECT 1 FROM {rows} AS day WHERE day.{words.name(self.column)} = wanted.value"
        return f"SELECT value FROM ({wanted}) AS wanted WHERE NOT EXISTS ({came})"


@kind("equals_set", "the values that come are exactly those of a list", {"column": "flag", "values": ["Y", "N"]},
      Change.VALUES_MIXED)  # fmt: skip
class EqualsSet(ShapeRule):
    """The values of the column are those of a list, all of them and no other; NULL does not count."""

    column: ColumnName
    values: SetValues = Field(description="the values that must come, and no others", examples=[["Y", "N"]])

    def select(self, words: Words, rows: str) -> str:
        """The values of one side that the other has not."""
        name = words.name(self.column)
        gone = HasValues(column=self.column, values=self.values).select(words, rows)
        new = f"SELECT DISTINCT {name} AS value FROM {rows} AS day WHERE {name} NOT IN ({words.literals(self.values)})"
        return f"{gone} UNION ALL {new}"


@kind("most_common_in", "the most frequent value is one of a list", {"column": "carrier", "values": ["UA", "B6"]},
      Change.VALUES_MIXED)  # fmt: skip
class MostCommonIn(ShapeRule):
    """The most frequent value of the column (of equals the least) is one of a list."""

    column: ColumnName
    values: SetValues = Field(description="the values that may be most frequent", examples=[["UA", "B6"]])

    def select(self, words: Words, rows: str) -> str:
        """The most frequent value, if it is none of them."""
        name = words.name(self.column)
        counts = f"SELECT {name} AS value, COUNT(*) AS n FROM {rows} AS day WHERE {name} IS NOT NULL GROUP BY {name}"
        first = f"{counts} ORDER BY COUNT(*) DESC, {name} LIMIT 1"
        return f"SELECT * FROM ({first}) AS first WHERE value NOT IN ({words.literals(self.values)})"
