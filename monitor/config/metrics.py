"""Metrics and entities as a configuration writes them, and their normal form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from checks.rules.fields import Columns, refuse
from monitor.config.base import Settings
from monitor.config.fields import Name
from monitor.config.rules import known_by, plain_name, slug
from monitor.types import Priority

Direction = Literal["both", "up", "down"]
Sensitivity = Literal["low", "normal", "high"]


class Ratio(Settings):
    """One aggregate divided by another."""

    of: str = Field(description="the aggregate above the line", examples=["sum(cancelled)"])
    to: str = Field("count(*)", description="the aggregate below the line", examples=["count(*)"])


class Percentile(Settings):
    """The value that a share of a column's values does not exceed."""

    column: str = Field(min_length=1, description="a column of numbers", examples=["dep_delay"])
    at: float = Field(gt=0, lt=1, description="the share of values", examples=[0.95])


class Watched(Settings):
    """What metrics and entities have in common: how a number is called, scoped and weighed."""

    name: Name | None = Field(None, description="how it is called", examples=["mean_delay"])
    id: Name | None = Field(None, description="what it is known by, whatever it is called", examples=["delay"])
    where: str | None = Field(None, description="the rows it is about, as SQL", examples=["cancelled = 0"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])
    direction: Direction = Field("both", description="the moves that matter", examples=["up"])
    min_change: float = Field(
        0.0, ge=0, description="the least move that matters, relative to what was expected", examples=[0.05]
    )
    sensitivity: Sensitivity = Field(
        "normal", description="how much of the budget it takes: a quarter, one part, five", examples=["high"]
    )


class MetricEntry(Watched):
    """A number of each partition's rows, as SQL or one of three short forms, whose course is watched."""

    sql: str | None = Field(None, description="an aggregate of the rows", examples=["avg(dep_delay)"])
    ratio: Ratio | None = Field(
        None, description="one aggregate divided by another", examples=[{"of": "sum(cancelled)", "to": "count(*)"}]
    )
    percentile: Percentile | None = Field(
        None, description="a percentile of a column", examples=[{"column": "dep_delay", "at": 0.95}]
    )
    distinct: str | None = Field(
        None, min_length=1, description="a column whose distinct values are counted", examples=["tailnum"]
    )
    by: Columns | None = Field(None, description="columns whose values are watched one by one", examples=[["carrier"]])
    segments_max: int = Field(
        20, ge=1, le=500, description="the segments of `by` watched singly, the largest ones", examples=[20]
    )
    compare: Literal["week"] | None = Field(
        None, description="week: judged by its distance from a week before", examples=["week"]
    )

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        given = [form for form in FORMS if getattr(self, form) is not None]
        if not given:
            raise refuse(f"a metric without a number; wanted one of {', '.join(FORMS)}, such as `sql: avg(dep_delay)`")
        if len(given) > 1:
            raise refuse(f"{' and '.join(given)} in one metric; write a metric for each")
        return self

    @property
    def expression(self) -> str:
        """Its aggregate as SQL."""
        if self.ratio is not None:
            return f"({self.ratio.of}) / ({self.ratio.to})"
        if self.percentile is not None:
            return f"percentile_cont({self.percentile.at:g}) WITHIN GROUP (ORDER BY {_quoted(self.percentile.column)})"
        if self.distinct is not None:
            return f"count(DISTINCT {_quoted(self.distinct)})"
        return self.sql or ""

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Columns that its short form names, each with its key."""
        named = ("percentile", self.percentile.column) if self.percentile else ("distinct", self.distinct or "")
        return (named,) if named[1] else ()

    @property
    def called(self) -> str:
        """Its name, or the one made of what it computes."""
        if self.name:
            return self.name
        if self.percentile is not None:
            return f"{plain_name(self.percentile.column)}_p{self.percentile.at * 100:g}".replace(".", "_")
        if self.ratio is not None:
            return f"{slug(self.ratio.of)}_per_{slug(self.ratio.to)}"
        return slug(self.expression) if self.sql else f"distinct_{plain_name(self.distinct or '')}"

    def normal(self) -> Mapping[str, Any]:
        """name, sql, by, where, priority (None: the table's), and how it is judged."""
        return {
            "name": self.called,
            "sql": self.expression,
            "by": tuple(self.by or ()),
            "where": self.where,
            "priority": self.priority,
            "direction": self.direction,
            "min_change": self.min_change,
            "sensitivity": self.sensitivity,
            "segments_max": self.segments_max,
            "compare": self.compare,
            **known_by(self.id),
        }


FORMS = ("sql", "ratio", "percentile", "distinct")


class EntityEntry(Watched):
    """A statistic of each entity of a partition (each plane, account, address), whose outliers are found."""

    entity: str = Field(min_length=1, description="the column that says who a row is about", examples=["tailnum"])
    statistic: str = Field("count(*)", description="an aggregate of one entity's rows", examples=["count(*)"])
    direction: Direction = Field("up", description="the moves that matter", examples=["both"])
    entities_max: int = Field(
        200, ge=10, le=5_000, description="the entities looked at, those with the largest statistic", examples=[200]
    )

    @property
    def called(self) -> str:
        """Its name, or the one made of its column."""
        return self.name or f"by_{plain_name(self.entity)}"

    def normal(self) -> Mapping[str, Any]:
        """name, entity, statistic, where, priority (None: the table's), and how it is judged."""
        own = {key: value for key, value in self if key not in ("name", "id")}
        return {"name": self.called, **own, **known_by(self.id)}


def _quoted(column: str) -> str:
    escaped = column.replace('"', '""')
    return f'"{escaped}"'
