"""Routes: who subscribes to which incidents, and when a channel wants to be left in peace."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from checks.rules.fields import refuse
from monitor.config.base import Settings
from monitor.config.fields import TablePatterns, Texts
from monitor.config.names import parse_table_name
from monitor.types import Priority, Severity

_HOURS = r"^([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d$"


def _check_hours(value: Any) -> tuple[dt.time, dt.time]:
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str) or not re.fullmatch(_HOURS, value.strip()):
        raise refuse('wanted two times of day in 24 hours, such as "22:00-07:00"')
    begin, end = (dt.time.fromisoformat(part.strip()) for part in value.split("-"))
    if begin == end:
        raise refuse("begins and ends at the same time; wanted hours such as 22:00-07:00")
    return begin, end


Hours = Annotated[
    tuple[dt.time, dt.time], PlainValidator(_check_hours), WithJsonSchema({"type": "string", "pattern": _HOURS})
]


class RouteEntry(Settings):
    """A subscription: incidents that meet all of its conditions go to its channels besides those of their table."""

    to: Texts = Field(min_length=1, description="the channels that subscribe", examples=[["slack:#payments"]])
    tables: TablePatterns = Field(
        default_factory=list, description="tables by name or pattern; without it all", examples=[["main.pay_*"]]
    )
    labels: list[str] = Field(default_factory=list, description="tables with any of these labels", examples=[["pii"]])
    owners: Texts = Field(default_factory=list, description="tables of any of these owners", examples=[["@ana"]])
    checks: Texts = Field(
        default_factory=list, description="incidents that any of these checks found", examples=[["volume", "rule.*"]]
    )
    severity: Severity = Field(
        Severity.MINIMAL, strict=False, description="incidents at least so severe", examples=["strong"]
    )
    priority: Priority = Field(
        Priority.LOW, strict=False, description="incidents of at least this priority", examples=["high"]
    )
    instead: bool = Field(False, description="instead of the channels of their table", examples=[True])

    def normal(self) -> dict[str, Any]:
        """What is left to ask once the table is known."""
        return {
            "to": list(self.to),
            "checks": list(self.checks),
            "severity": self.severity.value,
            "priority": self.priority.value,
            "instead": self.instead,
        }


def routes_of(
    routes: Sequence[RouteEntry], warehouse: str, path: tuple[str, ...], labels: Sequence[str], owner: str | None
) -> tuple[Mapping[str, Any], ...]:
    """The routes that are about a table."""
    return tuple(
        entry.normal()
        for entry in routes
        if (not entry.tables or _names(entry.tables, warehouse, path))
        and (not entry.labels or set(entry.labels) & set(labels))
        and (not entry.owners or owner in entry.owners)
    )


def _names(patterns: Sequence[str], warehouse: str, path: tuple[str, ...]) -> bool:
    names = [parse_table_name(pattern) for pattern in patterns]
    return any(name.warehouse == warehouse and name.matches(path) for name in names)
