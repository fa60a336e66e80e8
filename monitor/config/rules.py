"""Rules, metrics, entities and relations as a configuration writes them, and their normal form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from monitor.config.base import Settings
from monitor.config.fields import Bound, Columns, Name, Reference, Regex, SetValues, refuse
from monitor.config.names import parse_table_name
from monitor.types import Priority

RULE_KINDS = ("not_null", "in_set", "in_range", "matches_regex", "unique", "sql")
_SQL_WORDS = (("<>", "ne"), ("!=", "ne"), ("<=", "le"), (">=", "ge"), ("<", "lt"), (">", "gt"), ("=", "eq"))
_SLUG_MAX = 60


def slug(text: str) -> str:
    """A name made of `text`: words joined by `_`, comparisons spelt out.

    >>> slug("distance > 0 or cancelled")
    'distance_gt_0_or_cancelled'
    """
    for sign, word in _SQL_WORDS:
        text = text.replace(sign, f" {word} ")
    return "_".join(re.findall(r"\w+", text))[:_SLUG_MAX].strip("_").lower() or "unnamed"


class InSet(Settings):
    """Each value of a column is one of a list."""

    column: str = Field(min_length=1, description="the column looked at", examples=["origin"])
    values: SetValues = Field(description="the values allowed; NULL always is", examples=[["EWR", "JFK", "LGA"]])


class InRange(Settings):
    """Each value of a column lies between two bounds, both inclusive; NULL always does."""

    column: str = Field(min_length=1, description="the column looked at", examples=["age"])
    min: Bound | None = Field(None, description="the least value allowed", examples=[0, "2013-01-01"])
    max: Bound | None = Field(None, description="the greatest value allowed", examples=[120, "2013-12-31"])

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min is None and self.max is None:
            raise refuse("wanted min, max or both")
        if self.min is None or self.max is None:
            return self
        try:
            empty = self.min > self.max
        except TypeError:
            raise refuse("min and max must be of one kind: both numbers, both dates or both times") from None
        if empty:
            raise refuse("min is greater than max, so that no value is allowed; swap them")
        return self


class MatchesRegex(Settings):
    """Each text of a column matches a regular expression; NULL always does."""

    column: str = Field(min_length=1, description="the column looked at", examples=["sku"])
    regex: Regex = Field(
        description="the pattern, found anywhere unless ^ and $ say otherwise", examples=["^SKU-[0-9]{5}$"]
    )


class RuleEntry(Settings):
    """One rule: exactly one of the six kinds, and how it is called, scoped and weighed."""

    not_null: str | None = Field(None, min_length=1, description="a column without NULLs", examples=["carrier"])
    in_set: InSet | None = Field(
        None, description="a column with a list of values", examples=[{"column": "origin", "values": ["EWR", "JFK"]}]
    )
    in_range: InRange | None = Field(
        None, description="a column between bounds", examples=[{"column": "age", "min": 0, "max": 120}]
    )
    matches_regex: MatchesRegex | None = Field(
        None, description="a text column of a pattern", examples=[{"column": "sku", "regex": "^SKU-"}]
    )
    unique: Columns | None = Field(
        None,
        description="a column, or columns together, without repeated values",
        examples=["flight_id", ["invoice_no", "line"]],
    )
    sql: str | None = Field(None, description="a condition that each row must meet", examples=["distance > 0"])
    name: Name | None = Field(None, description="how the rule is called", examples=["distance_positive"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])
    where: str | None = Field(None, description="the rows it is about, as SQL", examples=["cancelled = 0"])
    tolerance: float = Field(0.0, ge=0, lt=1, description="the share of rows that may break it", examples=[0.01])

    @model_validator(mode="after")
    def _check_one_kind(self) -> Self:
        given = [kind for kind in RULE_KINDS if getattr(self, kind) is not None]
        if not given:
            raise refuse(f"a rule without a kind; wanted one of {', '.join(RULE_KINDS)}, such as `not_null: carrier`")
        if len(given) > 1:
            raise refuse(f"{' and '.join(given)} in one rule; write a rule for each")
        return self

    @property
    def kind(self) -> str:
        """Which of the six kinds it is."""
        return next(kind for kind in RULE_KINDS if getattr(self, kind) is not None)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it names; none for `sql`, whose columns are in its text."""
        body = getattr(self, self.kind)
        if isinstance(body, InSet | InRange | MatchesRegex):
            return (body.column,)
        return {"not_null": (body,), "unique": tuple(body)}.get(self.kind, ())

    @property
    def params(self) -> dict[str, Any]:
        """What its kind needs besides columns: values; min, max; regex; sql."""
        body = getattr(self, self.kind)
        if isinstance(body, InSet | InRange | MatchesRegex):
            return {key: value for key, value in body if key != "column"}
        return {"sql": body} if self.kind == "sql" else {}

    @property
    def called(self) -> str:
        """Its name, or the one made of its kind and columns."""
        if self.name:
            return self.name
        return slug(self.params["sql"]) if self.kind == "sql" else "_".join([self.kind, *map(_plain, self.columns)])

    def normal(self) -> Mapping[str, Any]:
        """name, kind, columns, params, where, tolerance, priority (None: the table's)."""
        return {
            "name": self.called,
            "kind": self.kind,
            "columns": self.columns,
            "params": self.params,
            "where": self.where,
            "tolerance": self.tolerance,
            "priority": self.priority,
        }


class MetricEntry(Settings):
    """A number that SQL computes of each partition's rows, whose course is watched."""

    sql: str = Field(description="an aggregate of the rows", examples=["avg(dep_delay)"])
    name: Name | None = Field(None, description="how the metric is called", examples=["mean_delay"])
    by: Columns | None = Field(None, description="columns whose values are watched one by one", examples=[["carrier"]])
    where: str | None = Field(None, description="the rows it is about, as SQL", examples=["cancelled = 0"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])

    @property
    def called(self) -> str:
        """Its name, or the one made of its SQL."""
        return self.name or slug(self.sql)

    def normal(self) -> Mapping[str, Any]:
        """name, sql, by, where, priority (None: the table's)."""
        return {
            "name": self.called,
            "sql": self.sql,
            "by": tuple(self.by or ()),
            "where": self.where,
            "priority": self.priority,
        }


class EntityEntry(Settings):
    """A statistic of each entity of a partition (each plane, each shop), whose distribution is watched."""

    entity: str = Field(min_length=1, description="the column that says who a row is about", examples=["tailnum"])
    statistic: str = Field("count(*)", description="an aggregate of one entity's rows", examples=["count(*)"])
    name: Name | None = Field(None, description="how it is called", examples=["by_plane"])
    where: str | None = Field(None, description="the rows it is about, as SQL", examples=["cancelled = 0"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])

    @property
    def called(self) -> str:
        """Its name, or the one made of its column."""
        return self.name or f"by_{_plain(self.entity)}"

    def normal(self) -> Mapping[str, Any]:
        """name, entity, statistic, where, priority (None: the table's)."""
        return {"name": self.called, **{key: value for key, value in self if key != "name"}}


class RelationEntry(Settings):
    """A column whose values are found in a column of another table."""

    column: str = Field(min_length=1, description="the column that refers", examples=["tailnum"])
    references: Reference = Field(
        description="the column referred to, with its table", examples=["main.planes.tailnum"]
    )
    name: Name | None = Field(None, description="how it is called", examples=["known_plane"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])

    @property
    def called(self) -> str:
        """Its name, or the one made of its two sides."""
        return self.name or f"{_plain(self.column)}_in_{_plain(parse_table_name(self.references).path[-2])}"

    def normal(self) -> Mapping[str, Any]:
        """name, column, references, priority (None: the table's)."""
        return {"name": self.called, **{key: value for key, value in self if key != "name"}}


def _plain(column: str) -> str:
    return re.sub(r"\W+", "_", column).strip("_") or "column"
