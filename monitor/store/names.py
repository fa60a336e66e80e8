"""The names people use for numbered things: F-201, INC-17."""

from __future__ import annotations

import re

_FINDING = re.compile(r"F-([1-9][0-9]{0,17})", re.ASCII)
_INCIDENT = re.compile(r"INC-([1-9][0-9]{0,17})", re.ASCII)


def finding_name(number: int) -> str:
    """How a finding is called.

    >>> finding_name(201)
    'F-201'
    """
    return f"F-{number}"


def incident_name(number: int) -> str:
    """How an incident is called.

    >>> incident_name(17)
    'INC-17'
    """
    return f"INC-{number}"


def finding_number(name: str) -> int | None:
    """The number in a finding's name; None for a text that is none."""
    return _number(_FINDING, name)


def incident_number(name: str) -> int | None:
    """The number in an incident's name; None for a text that is none.

    >>> incident_number("inc-17")
    17
    >>> incident_number("new:0")
    """
    return _number(_INCIDENT, name)


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.fullmatch(name.strip().upper())
    return int(match[1]) if match else None
