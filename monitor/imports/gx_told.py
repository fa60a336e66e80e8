"""One expectation as an import sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.imports import sql
from monitor.imports.found import Naming, UnfaithfulError

PRESENTATION = frozenset({"parse_strings_as_datetimes", "output_strftime_format", "allow_cross_type_comparisons"})


class Expectation:
    """Its arguments; those that nobody asked for are found out, so that none is passed over in silence."""

    def __init__(self, kind: str, kwargs: Mapping[str, Any], naming: Naming) -> None:
        self.kind = kind
        self.naming = naming
        self._kwargs = kwargs
        self._used: set[str] = {"row_condition", "condition_parser", *PRESENTATION}

    def get(self, name: str, default: Any = None) -> Any:
        """An argument."""
        self._used.add(name)
        return self._kwargs.get(name, default)

    def column(self, name: str = "column") -> str:
        """An argument that names a column."""
        return sql.column(self.get(name, ""))

    def columns(self, name: str) -> list[str]:
        """An argument that names several."""
        listed = self.get(name)
        if not isinstance(listed, list) or not listed:
            raise UnfaithfulError(f"{name} is no list of columns")
        return sql.columns(listed)

    def values(self, name: str = "value_set") -> list[Any]:
        """An argument that is a list of values."""
        listed = self.get(name)
        if not isinstance(listed, list) or not listed:
            raise UnfaithfulError(f"{name} is no list of values, so that anything is good")
        return listed

    def mostly(self) -> float:
        """The share that must be good."""
        least = sql.number(self.get("mostly", 1))
        if least is None or not 0 <= least <= 1:
            raise UnfaithfulError("mostly is no share")
        return float(least)

    def only(self, name: str, *allowed: Any) -> None:
        """Refuse an argument that has another value than those allowed.

        Raises:
            UnfaithfulError: it has.
        """
        given = self.get(name, allowed[0])
        if given not in allowed:
            raise UnfaithfulError(f"{name}: {given} has no equal in daywatch")

    def check_all_used(self) -> None:
        """Refuse what nobody asked for.

        Raises:
            UnfaithfulError: there are such arguments.
        """
        left = sorted(set(self._kwargs) - self._used)
        if left:
            raise UnfaithfulError(f"{', '.join(left)} has no equal in daywatch")
