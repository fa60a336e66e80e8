"""Rules on numbers of all rows together: shares, statistics, row counts, how fresh a column is, distributions."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from checks.rules.base import Found, NumberRule, Rule, Values, bounded, kind, rows_where
from checks.rules.fields import Bound, ColumnName, Several, Span, refuse, seconds_of
from checks.rules.words import Words
from monitor.types import Change, Column, Measure

_FLOOR = 1e-4  # a share that a bin is given at least, so that an empty one does not make a divergence infinite


class _OfColumn(NumberRule):
    column: ColumnName
    aggregate: ClassVar[str] = ""
    real: ClassVar[bool] = True

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The aggregate of the column."""
        value = kept(words.name(self.column))
        return self.aggregate.format(words.real(value) if self.real else value)


@kind("completeness", "the share of values that are not NULL", {"column": "email", "min": 0.9}, Change.NULLS_UP)
class Completeness(_OfColumn):
    """The share of rows with a value lies between bounds."""

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """Values by rows."""
        rows = f"COUNT({kept('1')})"
        return f"{words.real(f'COUNT({kept(words.name(self.column))})')} / NULLIF({rows}, 0)"


@kind("distinct_count", "how many different values there are", {"column": "origin", "min": 3, "max": 3},
      Change.VALUES_MIXED)  # fmt: skip
class DistinctCount(_OfColumn):
    """The number of different values lies between bounds; NULL is none."""

    aggregate = "COUNT(DISTINCT {0})"
    real = False

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """By a statement of its own: grouping is cheaper than COUNT DISTINCT beside other aggregates."""
        name = words.name(self.column)
        inner = f"SELECT {name} FROM {rows_where(where)} AS day WHERE {name} IS NOT NULL GROUP BY {name}"
        return (Measure("asked", "", f"SELECT COUNT(*) FROM ({inner}) AS values_"),)


@kind("distinct_share", "how many different values there are, as a share of values", {"column": "session", "min": 0.5},
      Change.VALUES_MIXED)  # fmt: skip
class DistinctShare(_OfColumn):
    """Different values by values lies between bounds; 1 is a column without repeats."""

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """By a statement of its own."""
        name = words.name(self.column)
        inner = f"SELECT COUNT(*) AS n FROM {rows_where(where)} AS day WHERE {name} IS NOT NULL GROUP BY {name}"
        return (Measure("asked", "", f"SELECT {words.real('COUNT(*)')} / NULLIF(SUM(n), 0) FROM ({inner}) AS values_"),)


@kind("minimum", "the smallest number", {"column": "price", "min": 0}, Change.SPREAD)
class Minimum(_OfColumn):
    """The smallest number lies between bounds."""

    aggregate = "MIN({0})"


@kind("maximum", "the greatest number", {"column": "price", "max": 10_000}, Change.SPREAD)
class Maximum(_OfColumn):
    """The greatest number lies between bounds."""

    aggregate = "MAX({0})"


@kind("mean", "the mean", {"column": "dep_delay", "min": -10, "max": 40}, Change.SHIFT_UP)
class Mean(_OfColumn):
    """The mean lies between bounds."""

    aggregate = "AVG({0})"


@kind("sum", "the sum", {"column": "amount", "min": 0}, Change.SHIFT_UP)
class Sum(_OfColumn):
    """The sum lies between bounds."""

    aggregate = "SUM({0})"


@kind("stdev", "the standard deviation", {"column": "price", "min": 1, "max": 50}, Change.SPREAD)
class Stdev(_OfColumn):
    """The sample's standard deviation lies between bounds."""

    aggregate = "STDDEV_SAMP({0})"


@kind("mean_length", "the mean length of texts", {"column": "note", "min": 5, "max": 80}, Change.FORMAT)
class MeanLength(_OfColumn):
    """The mean number of characters lies between bounds."""

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The mean of lengths."""
        return f"AVG({words.real(kept(f'LENGTH({words.text(self.column)})'))})"


@kind("quantile", "a quantile, such as the median", {"column": "dep_delay", "at": 0.5, "max": 15}, Change.SHIFT_UP)
class Quantile(_OfColumn):
    """The quantile lies between bounds; exact, between two values where it falls there."""

    at: float = Field(0.5, gt=0, lt=1, description="which quantile", examples=[0.5])

    @property
    def label(self) -> str:
        """The column and the fraction."""
        return f"{self.column}_{self.at:g}".replace(".", "_")

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The quantile."""
        return words.quantile(words.real(kept(words.name(self.column))), self.at)


@kind(
    "correlation", "the correlation of two columns", {"columns": ["distance", "air_time"], "min": 0.9}, Change.RELATION
)
class Correlation(NumberRule):
    """Pearson's correlation of two columns lies between bounds."""

    columns: Several

    @model_validator(mode="after")
    def _check_two(self) -> Self:
        if len(self.columns) != 2:
            raise refuse("wanted two columns, such as [distance, air_time]")
        return self

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The correlation."""
        first, second = (words.real(kept(words.name(c))) for c in self.columns)
        return f"CORR({first}, {second})"


@kind("entropy", "the entropy of a column's values, in nats", {"column": "carrier", "min": 1.0}, Change.VALUES_MIXED)
class Entropy(_OfColumn):
    """The entropy of the values' shares lies between bounds."""

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """By a statement of its own."""
        name = words.name(self.column)
        inner = f"SELECT COUNT(*) AS n FROM {rows_where(where)} AS day WHERE {name} IS NOT NULL GROUP BY {name}"
        n = words.real("n")
        return (Measure("asked", "", f"SELECT LN(SUM({n})) - SUM({n} * LN({n})) / SUM({n}) FROM ({inner}) AS v"),)


@kind("aggregate", "any aggregate in SQL", {"sql": "sum(paid) / sum(due)", "min": 0.95}, Change.OTHER)
class Aggregated(NumberRule):
    """An aggregate of the partition's rows, in the warehouse's SQL, lies between bounds."""

    fragments: ClassVar[Mapping[str, str]] = {"sql": "aggregate"}
    sql: str = Field(description="an aggregate", examples=["sum(paid) / sum(due)"])

    @property
    def label(self) -> str:
        """Its text."""
        return self.sql

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """As it is written."""
        return self.sql

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """In the one scan; under a `where` by a statement of its own."""
        if not where:
            return (Measure("expression", "", self.sql),)
        return (Measure("asked", "", f"SELECT {words.real(f'({self.sql})')} FROM {rows_where(where)} AS day"),)


@kind("row_count", "how many rows there are", {"min": 1_000}, Change.ROWS_MISSING)
class RowCount(NumberRule):
    """The number of rows lies between bounds; `multiple_of` it is a multiple of."""

    multiple_of: int | None = Field(None, ge=1, description="what the number is a multiple of", examples=[24])
    needs_bound: ClassVar[bool] = False

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if self.min is None and self.max is None and self.multiple_of is None:
            raise refuse("wanted min, max or multiple_of")
        return self

    def number(self, words: Words, kept: Callable[[str], str]) -> str:
        """The rows."""
        return f"COUNT({kept('1')})"

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is the distance to the nearer bound, or what is over a multiple."""
        found = bounded(values[0], self.min, self.max)
        if found is None or found.bad or self.multiple_of is None:
            return found
        return Found(float(values[0] or 0.0) % self.multiple_of, values[0])


@kind("fresh", "the newest time is not older than so long at the partition's end",
      {"column": "loaded_at", "within": "6 hours"}, Change.LATE)  # fmt: skip
class Fresh(Rule):
    """A time column has a row that is at most `within` older than the partition's end."""

    column: ColumnName
    within: Span = Field(description="how old the newest time may be", examples=["6 hours"])

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """The rows that are new enough."""
        since = words.moment(self.column, "end", -seconds_of(self.within))
        condition = f"{words.name(self.column)} >= {since}"
        return (Measure("count_where", "", f"({condition}) AND ({where})" if where else condition),)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad where there is none."""
        return Found(0.0 if values[0] else 1.0, values[0], 1.0)


@kind("distribution", "shares of values, or of ranges, are near those of a reference",
      {"column": "origin", "shares": {"EWR": 0.4, "JFK": 0.6}, "max": 0.1}, Change.VALUES_MIXED)  # fmt: skip
class Distribution(Rule):
    """How far shares of values, or of ranges between `edges`, are from those given: PSI, KL (nats), total variation.

    Of values, all that are not listed are one more, with the share that is left to 1. Of n edges, n + 1 shares: below
    the first, between each two (the lower one belongs to it), from the last on. NULL does not count.
    """

    column: ColumnName
    shares: dict[Any, float] | list[float] = Field(
        description="the shares: by value, or by range", examples=[{"EWR": 0.35}]
    )
    edges: list[Bound] | None = Field(None, description="where ranges begin", examples=[[0, 15, 60]])
    by: Literal["psi", "kl", "tv"] = Field("psi", description="the divergence", examples=["psi"])
    max: float = Field(gt=0, description="the greatest divergence allowed", examples=[0.1])

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        given = list(self.shares.values()) if isinstance(self.shares, dict) else self.shares
        if any(share < 0 for share in given) or not 0 < sum(given) <= 1 + 1e-6:
            raise refuse("shares are not below 0, and add up to 1 at most")
        if isinstance(self.shares, dict) == (self.edges is not None):
            raise refuse("wanted shares by value, or edges with a list of shares")
        if self.edges is not None and len(self.shares) != len(self.edges) + 1:
            raise refuse(f"{len(self.edges)} edges make {len(self.edges) + 1} ranges, each with a share")
        return self

    def _bins(self, words: Words) -> list[str]:
        name = words.name(self.column)
        if isinstance(self.shares, dict):
            return [f"{name} = {words.literal(value)}" for value in self.shares]
        edges = [words.literal(edge) for edge in self.edges or ()]
        inner = [f"{name} >= {a} AND {name} < {b}" for a, b in pairwise(edges)]
        return [f"{name} < {edges[0]}", *inner, f"{name} >= {edges[-1]}"]

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """Rows of each bin, and all with a value, in the one scan."""
        conditions = [*self._bins(words), f"{words.name(self.column)} IS NOT NULL"]
        return tuple(Measure("count_where", "", f"({c}) AND ({where})" if where else f"({c})") for c in conditions)

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """Bad is the divergence beyond the greatest allowed."""
        *counts, known = (value or 0.0 for value in values)
        if not known:
            return None if rows else Found(0.0)
        wanted = list(self.shares.values()) if isinstance(self.shares, dict) else list(self.shares)
        seen = [count / known for count in counts]
        if isinstance(self.shares, dict):
            wanted.append(max(0.0, 1.0 - sum(wanted)))
            seen.append(max(0.0, 1.0 - sum(seen)))
        return bounded(divergence(seen, wanted, self.by), None, self.max)


def divergence(seen: Sequence[float], wanted: Sequence[float], by: str) -> float:
    """How far shares are from others: population stability index, Kullback-Leibler in nats, or total variation.

    >>> round(divergence([0.5, 0.5], [0.5, 0.5], "psi"), 6), round(divergence([0.6, 0.4], [0.5, 0.5], "tv"), 6)
    (0.0, 0.1)
    """
    if by == "tv":
        return sum(abs(p - q) for p, q in zip(seen, wanted, strict=True)) / 2
    pairs = [(max(p, _FLOOR), max(q, _FLOOR)) for p, q in zip(seen, wanted, strict=True) if p or q]
    if by == "kl":
        return max(0.0, sum(p * math.log(p / q) for p, q in pairs))
    return sum((p - q) * math.log(p / q) for p, q in pairs)
