"""What a kind of rule is: settings that a configuration gives, the SQL that finds what breaks it, and the verdict.

A kind is a class with fields, an example and one method; `kind` files it under its name. What it needs is one of:

- `RowRule`: each row is good or bad by itself; all of a table's are counted in its one scan.
- `NumberRule`: an aggregate lies between bounds; in the one scan as well.
- `ShapeRule`: rows are bad because of others; it selects them by a statement of its own.
"""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from checks.aggregates import divides_by_zero
from checks.rules.fields import refuse
from checks.rules.words import ROWS, Words
from monitor.types import Change, Column, Measure

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Found:
    """How a rule fared: bad rows (or how far a number is out of bounds) and, of a number, the number and its bounds.

    `rows` is how many were looked at, where that is not the partition's.
    """

    bad: float
    number: float | None = None
    low: float | None = None
    high: float | None = None
    rows: float | None = None


class Rule(BaseModel, abc.ABC):
    """One rule of some kind; its fields are what the configuration says of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    kind: ClassVar[str] = ""
    about: ClassVar[str] = ""
    example: ClassVar[Any] = None
    change: ClassVar[Change] = Change.OTHER
    plain: ClassVar[str] = "column"
    """The field that is meant where the configuration gives a text or a list alone."""
    needs_data: ClassVar[bool] = True
    fragments: ClassVar[Mapping[str, str]] = {}
    """By setting, what SQL of the owner's it is: a `condition`, an `aggregate` or a `select`."""
    elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Those of the fragments that are about another table."""
    crosses: ClassVar[bool] = False
    """Whether the other table may be of another warehouse."""

    @model_validator(mode="before")
    @classmethod
    def _from_plain(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        if cls.plain == "columns" and isinstance(data, str):
            data = [data]
        if not isinstance(data, str | list) or (cls.plain == "column" and isinstance(data, list)):
            wanted = "a column's name, or a mapping" if cls.plain == "column" else "a text, a list or a mapping"
            raise refuse(f"wanted {wanted}; put it in quotes if it is a text, for example {cls.kind}: {cls.example}")
        return {cls.plain: data}

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The columns that it is about, the leading one first."""
        one, many = getattr(self, "column", None), getattr(self, "columns", None)
        return (one,) if one is not None else tuple(many or ())

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that it names, which the table must have."""
        return self.looked_at

    @property
    def tables(self) -> tuple[str, ...]:
        """The other tables that it names."""
        return ()

    @property
    def other_columns(self) -> tuple[str, ...]:
        """The columns of the other table that it names."""
        return ()

    @property
    def label(self) -> str:
        """What its name is made of after its kind, where it is given none."""
        return "_".join(self.looked_at)

    @abc.abstractmethod
    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """What must be measured of the rows that meet `where`."""

    @abc.abstractmethod
    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """The verdict, given the measures' values; None where they give none."""

    def bad_rows(self, words: Words, where: str | None) -> str | None:
        """The statement that selects the bad rows; None where no row by itself is bad."""
        return None

    def trouble(self, values: Values) -> str | None:
        """Why there is no verdict, given the measures' values; None where there is nothing in the way."""
        return None


DIVIDING = frozenset({"duckdb"})
"""Engines to which a division by zero is a number or NULL; the others refuse it."""


class RowRule(Rule):
    """Each row is good or bad by itself. What is not known to break it (a comparison with NULL) is good."""

    @abc.abstractmethod
    def bad(self, words: Words) -> str:
        """The condition that a row breaks the rule."""

    def written(self) -> str | None:
        """The condition that a person wrote for it, if any."""
        return None

    def condition(self, words: Words, where: str | None) -> str:
        """The same, of the rows that meet `where`."""
        return f"({self.bad(words)}) AND ({where})" if where else f"({self.bad(words)})"

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """The number of bad rows, in the one scan; on engines that divide by zero, of rows that need it beside."""
        counts = [self.condition(words, where)]
        dialect, written = words.table.dialect, self.written()
        zero = divides_by_zero(written, dialect) if written and dialect in DIVIDING else None
        if zero:
            counts.append(f"({zero}) AND ({where})" if where else f"({zero})")
        return tuple(Measure("count_where", "", count) for count in counts)

    def trouble(self, values: Values) -> str | None:
        """A division by zero."""
        return f"it divides by zero in {values[1]:,.0f} rows" if len(values) > 1 and values[1] else None

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is what was counted; over no rows there is nothing bad."""
        return counted(values[0], rows)


class ShapeRule(Rule):
    """Rows are bad because of others: the rule selects what is bad, by a statement of its own."""

    @abc.abstractmethod
    def select(self, words: Words, rows: str) -> str:
        """The statement of the bad rows, or of what is missing, a row each; `rows` is what to select from."""

    def bad_rows(self, words: Words, where: str | None) -> str | None:
        """What it selects."""
        return self.select(words, rows_where(where))

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """How many there are."""
        return (asked_count(self.select(words, rows_where(where))),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is what was selected."""
        return counted(values[0], rows)


class NumberRule(Rule):
    """A number of all rows together lies between bounds, both inclusive."""

    min: float | None = None
    max: float | None = None
    needs_bound: ClassVar[bool] = True

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.needs_bound and self.min is None and self.max is None:
            raise refuse("wanted min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refuse("min is greater than max, so that no value is allowed; swap them")
        return self

    @abc.abstractmethod
    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The aggregate; `kept` makes a value NULL in rows that the rule is not about."""

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """The number, in the one scan."""

        def kept(value: str) -> str:
            return f"CASE WHEN {where} THEN {value} END" if where else value

        return (Measure("expression", "", self.number(words, kept)),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is the distance to the nearer bound."""
        return bounded(values[0], self.min, self.max)


Kind = TypeVar("Kind", bound=type[Rule])
KINDS: dict[str, type[Rule]] = {}


def kind(name: str, about: str, example: Any, change: Change = Change.OTHER) -> Callable[[Kind], Kind]:
    """File a class as the kind of rule called `name`; `example` is what a configuration could give it."""

    def filed(made: Kind) -> Kind:
        made.kind, made.about, made.example, made.change = name, about, example, change
        KINDS[name] = made
        return made

    return filed


def rows_where(where: str | None) -> str:
    """The partition's rows that meet a condition, as something to select from."""
    return f"(SELECT * FROM {ROWS} AS every WHERE {where})" if where else ROWS


def asked_count(select: str) -> Measure:
    """The number of rows of a statement."""
    return Measure("asked", "", f"SELECT COUNT(*) FROM ({select}) AS bad")


def counted(value: float | None, rows: float) -> Found | None:
    """A count's verdict; no count of no rows is a good one."""
    if value is None:
        return None if rows > 0 else Found(0.0)
    return Found(value)


def bounded(value: float | None, low: float | None, high: float | None) -> Found | None:
    """The verdict on a number that should lie between bounds.

    >>> bounded(12.0, 0.0, 10.0).bad, bounded(3.0, 0.0, 10.0).bad
    (2.0, 0.0)
    """
    if value is None:
        return None
    slack = 1e-12 * max(abs(value), abs(low or 0.0), abs(high or 0.0))  # sums of floats differ by their order
    below = 0.0 if low is None else low - value
    above = 0.0 if high is None else value - high
    beyond = max(below, above)
    return Found(beyond if beyond > slack else 0.0, value, low, high)
