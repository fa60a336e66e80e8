"""Rules on each row by itself: completeness, sets, ranges, columns compared, conditions in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from checks.rules.base import RowRule, kind
from checks.rules.fields import Bound, ColumnName, Columns, Condition, SetValues, Several, refuse, relative
from checks.rules.words import Words
from monitor.types import Change

_SIGNS = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class _OfColumn(RowRule):
    column: ColumnName


class _OfColumns(RowRule):
    plain: ClassVar[str] = "columns"
    columns: Columns


@kind("not_null", "no value is NULL", "carrier", Change.NULLS_UP)
class NotNull(_OfColumns):
    """A column, or each of several, without NULLs."""

    def bad(self, words: Words) -> str:
        """One of them is NULL."""
        return " OR ".join(f"{words.name(c)} IS NULL" for c in self.columns)


@kind("not_empty", "no text is NULL, '' or only blanks", "carrier", Change.EMPTY_UP)
class NotEmpty(_OfColumns):
    """A text column, or each of several, without missing texts."""

    def bad(self, words: Words) -> str:
        """One of them is missing."""
        return " OR ".join(f"{words.name(c)} IS NULL OR {words.blank(c)}" for c in self.columns)


@kind("is_null", "every value is NULL (mostly of some rows, by `where`)", "cancel_reason", Change.NULLS_DOWN)
class IsNull(_OfColumns):
    """A column, or each of several, that holds nothing."""

    def bad(self, words: Words) -> str:
        """One of them holds something."""
        return " OR ".join(f"{words.name(c)} IS NOT NULL" for c in self.columns)


@kind("any_not_null", "at least one of the columns is not NULL", ["email", "phone"], Change.NULLS_UP)
class AnyNotNull(_OfColumns):
    """Columns that are not all NULL in one row."""

    def bad(self, words: Words) -> str:
        """All of them are NULL."""
        return " AND ".join(f"{words.name(c)} IS NULL" for c in self.columns)


@kind("all_or_none", "the columns are NULL together or not at all", ["lat", "lon"], Change.NULLS_UP)
class AllOrNone(_OfColumns):
    """Columns that are given together."""

    def bad(self, words: Words) -> str:
        """Some are NULL, and some are not."""
        nulls = " OR ".join(f"{words.name(c)} IS NULL" for c in self.columns)
        return f"({nulls}) AND ({' OR '.join(f'{words.name(c)} IS NOT NULL' for c in self.columns)})"


@kind("in_set", "every value is on a list", {"column": "origin", "values": ["EWR", "JFK"]}, Change.VALUES_NEW)
class InSet(_OfColumn):
    """Each value of a column is one of a list; NULL always is."""

    values: SetValues = Field(description="the values allowed; NULL always is", examples=[["EWR", "JFK", "LGA"]])

    def bad(self, words: Words) -> str:
        """It is none of them."""
        return f"{words.name(self.column)} NOT IN ({words.literals(self.values)})"


@kind("not_in_set", "no value is on a list", {"column": "tailnum", "values": ["N/A", "?"]}, Change.VALUES_NEW)
class NotInSet(_OfColumn):
    """No value of a column is one of a list."""

    values: SetValues = Field(description="the values that may not come", examples=[["N/A", "?"]])

    def bad(self, words: Words) -> str:
        """It is one of them."""
        return f"{words.name(self.column)} IN ({words.literals(self.values)})"


@kind("pairs_in_set", "the values of columns together are on a list",
      {"columns": ["currency", "country"], "values": [["EUR", "DE"], ["USD", "US"]]}, Change.RELATION)  # fmt: skip
class PairsInSet(_OfColumns):
    """The values of columns in one row are one of a list of combinations; a row with a NULL among them is good."""

    columns: Several
    values: list[list[Any]] = Field(min_length=1, description="the combinations allowed", examples=[[["EUR", "DE"]]])

    @model_validator(mode="after")
    def _check_widths(self) -> Self:
        if any(len(values) != len(self.columns) for values in self.values):
            raise refuse(f"each combination must have {len(self.columns)} values, one a column")
        return self

    def bad(self, words: Words) -> str:
        """All are known, and no combination is met."""
        known = " AND ".join(f"{words.name(c)} IS NOT NULL" for c in self.columns)
        met = [
            " AND ".join(f"{words.name(c)} = {words.literal(v)}" for c, v in zip(self.columns, values, strict=True))
            for values in self.values
        ]
        return f"{known} AND NOT ({' OR '.join(f'({one})' for one in met)})"


class _Between(_OfColumn):
    min: Bound | None = Field(None, description="the least value", examples=[0, "2013-01-01", "now - 7 days"])
    max: Bound | None = Field(None, description="the greatest value", examples=[120, "2013-12-31", "now"])

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min is None and self.max is None:
            raise refuse("wanted min, max or both")
        if self.min is None or self.max is None or isinstance(self.min, str) or isinstance(self.max, str):
            return self
        try:
            empty = self.min > self.max
        except TypeError:
            raise refuse("min and max must be of one kind: both numbers, both dates or both times") from None
        if empty:
            raise refuse("min is greater than max, so that no value is allowed; swap them")
        return self

    def bound(self, words: Words, value: Any) -> str:
        """A bound as SQL; one relative to the partition as its token."""
        if isinstance(value, str):
            anchored = relative(value)
            return words.moment(self.column, *anchored) if anchored else words.literal(value)
        return words.literal(value)


@kind("in_range", "every value lies between bounds: numbers, dates, times, or relative as `now - 7 days`",
      {"column": "age", "min": 0, "max": 120}, Change.SPREAD)  # fmt: skip
class InRange(_Between):
    """Each value of a column lies between two bounds, both inclusive unless `strict`; NULL always does."""

    strict: bool = Field(False, description="whether the bounds themselves are out", examples=[True])

    def bad(self, words: Words) -> str:
        """It lies below or above."""
        column, equal = words.name(self.column), "=" if self.strict else ""
        sides = [f"{column} <{equal} {self.bound(words, self.min)}"] if self.min is not None else []
        sides += [f"{column} >{equal} {self.bound(words, self.max)}"] if self.max is not None else []
        return " OR ".join(sides)


@kind("not_in_range", "no value lies between bounds", {"column": "code", "min": 900, "max": 999}, Change.SPREAD)
class NotInRange(_Between):
    """No value of a column lies between two bounds."""

    def bad(self, words: Words) -> str:
        """It lies between them."""
        column = words.name(self.column)
        sides = [f"{column} >= {self.bound(words, self.min)}"] if self.min is not None else []
        sides += [f"{column} <= {self.bound(words, self.max)}"] if self.max is not None else []
        return " AND ".join(sides)


@kind("positive", "every number is above 0", "distance", Change.SPREAD)
class Positive(_OfColumn):
    """Each number of a column is above 0; NULL always is."""

    def bad(self, words: Words) -> str:
        """It is 0 or less."""
        return f"{words.name(self.column)} <= 0"


@kind("not_negative", "no number is below 0", "price", Change.SPREAD)
class NotNegative(_OfColumn):
    """No number of a column is below 0."""

    def bad(self, words: Words) -> str:
        """It is less."""
        return f"{words.name(self.column)} < 0"


@kind("no_future", "no date or time lies at or after the partition's end", "ordered_at", Change.SPREAD)
class NoFuture(_OfColumn):
    """Dates and times lie before the end of the partition: what was not yet when it was loaded."""

    def bad(self, words: Words) -> str:
        """It lies after."""
        return f"{words.name(self.column)} >= {words.moment(self.column, 'end')}"


@kind("ordered", "the columns ascend from left to right in each row", ["dep_time", "arr_time"], Change.RELATION)
class Ordered(_OfColumns):
    """a <= b <= c in each row; a pair with a NULL is good. `strict`: equal values are bad."""

    columns: Several
    strict: bool = Field(False, description="whether equal values are bad", examples=[True])

    def bad(self, words: Words) -> str:
        """A neighbour to the left is greater."""
        sign = ">=" if self.strict else ">"
        names = [words.name(c) for c in self.columns]
        return " OR ".join(f"{a} {sign} {b}" for a, b in pairwise(names))


@kind("compare", "two columns, or a column and a value, compare so in each row",
      {"column": "arr_time", "is": ">", "other": "dep_time"}, Change.RELATION)  # fmt: skip
class Compare(_OfColumn):
    """A column compared with another one or with a value; a comparison with NULL is good."""

    sign: Literal["=", "<>", "<", "<=", ">", ">="] = Field(alias="is", description="the comparison", examples=[">"])
    other: str | None = Field(None, description="the other column", examples=["dep_time"])
    value: Any = Field(None, description="a value instead of it", examples=[0])

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.other is None) == (self.value is None):
            raise refuse("wanted other (a column) or value, one of them")
        if self.value is not None and not isinstance(self.value, str | int | float | dt.date):
            raise refuse("wanted a plain value: a text, number, date or boolean")
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.column, *([self.other] if self.other else []))

    @property
    def label(self) -> str:
        """Both columns."""
        return "_".join(self.named)

    def bad(self, words: Words) -> str:
        """The opposite is known to hold."""
        other = words.name(self.other) if self.other else words.literal(self.value)
        return f"{words.name(self.column)} {_SIGNS[self.sign]} {other}"


@kind("different", "the columns differ from each other in each row", ["buyer_id", "seller_id"], Change.RELATION)
class Different(_OfColumns):
    """No two of the columns are equal in one row."""

    columns: Several

    def bad(self, words: Words) -> str:
        """Two are equal."""
        names = [words.name(c) for c in self.columns]
        return " OR ".join(f"{a} = {b}" for i, a in enumerate(names) for b in names[i + 1 :])


@kind("adds_up", "columns of a row add up to another column or a number",
      {"columns": ["net", "tax"], "total": "gross", "within": 0.01}, Change.RELATION)  # fmt: skip
class AddsUp(_OfColumns):
    """The columns' sum equals `total`, but for `within`; a row with a NULL among them is good."""

    columns: Several
    total: str | int | float = Field(description="the column, or number, that is the sum", examples=["gross"])
    within: float = Field(0.0, ge=0, description="how far it may be off", examples=[0.01])

    @property
    def named(self) -> tuple[str, ...]:
        """The summands and the total."""
        return (*self.columns, *([self.total] if isinstance(self.total, str) else []))

    def bad(self, words: Words) -> str:
        """It is off by more."""
        total = words.name(self.total) if isinstance(self.total, str) else words.literal(self.total)
        # What floats cannot hold is no difference: 0.1 + 0.2 is 0.3 here.
        return f"ABS({' + '.join(map(words.name, self.columns))} - {total}) > {self.within!r} + 1e-9 * ABS({total})"


@kind("sql", "each row meets a condition in SQL", "distance > 0 or cancelled")
class Sql(RowRule):
    """A condition in the warehouse's SQL that each row must meet; a row for which it is NULL is good."""

    plain: ClassVar[str] = "sql"
    fragments: ClassVar[Mapping[str, str]] = {"sql": "condition"}
    sql: Condition

    def written(self) -> str:
        """What is in it."""
        return self.sql

    def bad(self, words: Words) -> str:
        """It is not met."""
        return f"NOT ({self.sql})"


@kind("if_then", "rows that meet one condition meet another too", {"if": "cancelled", "then": "dep_time is null"},
      Change.RELATION)  # fmt: skip
class IfThen(RowRule):
    """Where a condition holds, another one must."""

    fragments: ClassVar[Mapping[str, str]] = {"if": "condition", "then": "condition"}

    when: str = Field(alias="if", description="the condition of the rows looked at", examples=["cancelled"])
    then: str = Field(description="the condition that they must meet", examples=["dep_time is null"])

    @property
    def label(self) -> str:
        """Both conditions."""
        return f"{self.when} {self.then}"

    def written(self) -> str:
        """What is in both."""
        return f"({self.when}) AND ({self.then})"

    def bad(self, words: Words) -> str:
        """The first is met, and the second is known not to be."""
        return f"({self.when}) AND NOT ({self.then})"
