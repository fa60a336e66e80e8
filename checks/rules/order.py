"""Rules on rows in their order: rising values, gaps in sequences and calendars, periods that overlap, outliers."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import Field

from checks.rules.base import ShapeRule, kind
from checks.rules.fields import ColumnName, Columns
from checks.rules.words import Words
from monitor.types import Change


class _OverOrder(ShapeRule):
    column: ColumnName
    order: str | None = Field(None, description="the column that orders the rows; the time column", examples=["at"])
    by: Columns | None = Field(None, description="columns whose values are ordered one by one", examples=[["meter"]])
    strict: bool = Field(False, description="whether equal neighbours are bad", examples=[True])
    signs: ClassVar[tuple[str, str]] = ("<", "<=")

    @property
    def named(self) -> tuple[str, ...]:
        """The column, what orders it, and what it is split by."""
        return (self.column, *([self.order] if self.order else []), *(self.by or ()))

    def select(self, words: Words, rows: str) -> str:
        """The rows whose predecessor is on the wrong side."""
        time = words.table.time.name if words.table.time is not None else self.column
        split = f"PARTITION BY {words.names(self.by)} " if self.by else ""
        name, order = words.name(self.column), words.name(self.order or time)
        before = f"LAG({name}) OVER ({split}ORDER BY {order})"
        numbered = f"SELECT day.*, {before} AS daywatch_before FROM {rows} AS day WHERE {name} IS NOT NULL"
        return f"SELECT * FROM ({numbered}) AS kept WHERE {name} {self.signs[self.strict]} daywatch_before"


@kind("increasing", "values do not fall from row to row in the order of time", {"column": "reading", "by": ["meter"]},
      Change.RELATION)  # fmt: skip
class Increasing(_OverOrder):
    """Each value is at least that of the row before; NULLs are passed over."""


@kind(
    "decreasing", "values do not rise from row to row in the order of time", {"column": "stock_left"}, Change.RELATION
)
class Decreasing(_OverOrder):
    """Each value is at most that of the row before; NULLs are passed over."""

    signs: ClassVar[tuple[str, str]] = (">", ">=")


class _Gaps(ShapeRule):
    column: ColumnName
    by: Columns | None = Field(None, description="columns whose values are looked at one by one", examples=[["shop"]])

    @property
    def named(self) -> tuple[str, ...]:
        """The column, and what it is split by."""
        return (self.column, *(self.by or ()))

    def select(self, words: Words, rows: str) -> str:
        """Each value after which one is missing, and the next that came."""
        keys = words.names(self.by or ())
        split = f"PARTITION BY {keys} " if keys else ""
        listed = f"{keys}, " if keys else ""
        name = words.name(self.column)
        known = f"SELECT DISTINCT {listed}{self.place(name)} AS value FROM {rows} AS day WHERE {name} IS NOT NULL"
        paired = f"SELECT {listed}value, LEAD(value) OVER ({split}ORDER BY value) AS following FROM ({known}) AS known"
        return f"SELECT * FROM ({paired}) AS paired WHERE {self.too_far(words)}"

    def place(self, name: str) -> str:
        """What of the column follows one another."""
        return name

    @abstractmethod
    def too_far(self, words: Words) -> str:
        """The condition under which something lies between `value` and `following`."""


@kind("sequence", "whole numbers follow each other without gaps", "invoice_no", Change.ROWS_MISSING)
class Sequence(_Gaps):
    """From the smallest to the greatest, no number is left out; what is counted are the gaps, not their width."""

    step: int = Field(1, ge=1, description="the distance of neighbours", examples=[1])

    def too_far(self, words: Words) -> str:
        """Further than a step."""
        return f"following - value > {self.step}"


@kind("calendar", "no hour, day, week or month is left out between the first and the last",
      {"column": "at", "unit": "hour"}, Change.ROWS_MISSING)  # fmt: skip
class Calendar(_Gaps):
    """Between the first and the last time of the partition, each unit of the calendar has rows; counted are gaps."""

    unit: Literal["minute", "hour", "day", "week", "month"] = Field(description="the unit", examples=["hour"])

    def place(self, name: str) -> str:
        """The unit of the calendar."""
        return f"DATE_TRUNC('{self.unit}', {name})"

    def too_far(self, words: Words) -> str:
        """Later than the next unit."""
        return f"following > value + {words.interval(1, self.unit)}"


@kind("no_overlap", "periods of one thing do not overlap", {"start": "since", "end": "until", "by": ["id"]},
      Change.RELATION)  # fmt: skip
class NoOverlap(ShapeRule):
    """Each period ends before the next one of the same key starts; one without an end goes on for ever."""

    start: str = Field(min_length=1, description="the column where a period starts", examples=["valid_from"])
    end: str = Field(
        min_length=1, description="the column where it ends; that moment is not in it", examples=["valid_to"]
    )
    by: Columns | None = Field(None, description="the columns that say whose it is", examples=[["price_id"]])

    @property
    def looked_at(self) -> tuple[str, ...]:
        """Start and end."""
        return (self.start, self.end)

    @property
    def named(self) -> tuple[str, ...]:
        """Start, end and key."""
        return (self.start, self.end, *(self.by or ()))

    def select(self, words: Words, rows: str) -> str:
        """The periods that the next one begins in."""
        split = f"PARTITION BY {words.names(self.by)} " if self.by else ""
        start, end = words.name(self.start), words.name(self.end)
        following = f"LEAD({start}) OVER ({split}ORDER BY {start}, {end})"
        paired = f"SELECT day.*, {following} AS daywatch_next FROM {rows} AS day WHERE {start} IS NOT NULL"
        overlap = f"{end} > daywatch_next OR ({end} IS NULL AND daywatch_next IS NOT NULL)"
        return f"SELECT * FROM ({paired}) AS paired WHERE {overlap}"


@kind("within_stdevs", "no number is further from the mean than so many standard deviations",
      {"column": "price", "stdevs": 6}, Change.SPREAD)  # fmt: skip
class WithinStdevs(ShapeRule):
    """Each number lies within so many standard deviations of the partition's mean."""

    column: ColumnName
    stdevs: float = Field(gt=0, description="how many", examples=[6])

    def select(self, words: Words, rows: str) -> str:
        """The rows further away."""
        value = words.real(words.name(self.column))
        center = f"SELECT AVG({value}) AS center, STDDEV_SAMP({value}) AS spread FROM {rows} AS every"
        away = f"ABS({words.real(f'day.{words.name(self.column)}')} - s.center) > {self.stdevs!r} * s.spread"
        return f"SELECT day.* FROM {rows} AS day, ({center}) AS s WHERE {away}"
