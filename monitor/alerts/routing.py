"""Which channels an incident goes to: those of its table, and those that subscribed to such incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from monitor.types import Finding, Incident, Priority, Severity, Table

DEFAULT_CHANNELS = ("console", "folder")
PRIORITIES = (Priority.LOW, Priority.NORMAL, Priority.HIGH)
_SEVERITIES = list(Severity)


def channels_of(table: Table) -> tuple[str, ...]:
    """Every channel that an alert of the table may go to."""
    return tuple(dict.fromkeys([*(table.channels or DEFAULT_CHANNELS), *(c for r in table.routes for c in r["to"])]))


def priority_of(event: Incident, findings: Sequence[Finding], table: Table) -> Priority:
    """The highest priority among an incident's findings; the table's own where it has none."""
    mine = [f.priority for f in findings if f.id in event.findings or f.incident == event.incident]
    return max(mine, key=PRIORITIES.index, default=table.priority)


def route(table: Table, event: Incident, priority: Priority) -> tuple[str, ...]:
    """The channels of one incident: its table's, unless a route stands instead of them, and those of all routes.

    Args:
        table: with the routes that its name, labels and owner match (`routes_of`).
        event: its checks and severity are looked at.
        priority: of the incident.
    """
    taken = [wanted for wanted in table.routes if _wants(wanted, event, priority)]
    own = () if any(wanted["instead"] for wanted in taken) else table.channels or DEFAULT_CHANNELS
    return tuple(dict.fromkeys([*own, *(channel for wanted in taken for channel in wanted["to"])]))


def _wants(wanted: Mapping[str, Any], event: Incident, priority: Priority) -> bool:
    """Whether a route that is about the table is about this incident too."""
    if PRIORITIES.index(priority) < PRIORITIES.index(Priority(wanted["priority"])):
        return False
    if _SEVERITIES.index(event.severity) < _SEVERITIES.index(Severity(wanted["severity"])):
        return False
    patterns = wanted["checks"]
    return not patterns or any(
        fnmatchcase(check, pattern) or check.split(".")[0] == pattern for check in event.checks for pattern in patterns
    )
