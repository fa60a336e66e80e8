"""A test of dbt as an import sees it, and how its settings (severity, thresholds, where) become those of rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.imports.found import Draft, UnfaithfulError
from monitor.imports.reading import Place

_THRESHOLD = re.compile(r"\s*(!=|<>|>=|>)\s*(\d+)\s*")


@dataclass(frozen=True)
class DbtTest:
    """One test on one table, whether it was read from YAML or from a manifest."""

    table: str
    name: str
    package: str = ""
    column: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=lambda: Place(""))
    origin: str = ""
    called: str | None = None
    description: str | None = None
    resolve: Callable[[str], str | None] = lambda _: None
    """The table that `ref('x')` or `source('x', 'y')` is; None if it is not known."""
    compiled: str | None = None
    dialect: str = ""

    @property
    def full_name(self) -> str:
        """With its package."""
        return f"{self.package}.{self.name}" if self.package else self.name

    def argument(self, *names: str, default: Any = None) -> Any:
        """The argument given under one of the names."""
        return next((self.arguments[n] for n in names if self.arguments.get(n) is not None), default)

    def other_table(self, *names: str) -> str:
        """The table that an argument refers to.

        Raises:
            UnfaithfulError: it is not known which.
        """
        given = str(self.argument(*names, default=""))
        found = self.resolve(given)
        if found is None:
            raise UnfaithfulError(f"which table {given or 'it'} is, is not known from these files; import the manifest")
        return found

    def needs_column(self) -> str:
        """The column that it is about."""
        if self.column is None:
            raise UnfaithfulError("it names no column")
        return self.column

    def refuse(self, *names: str) -> None:
        """Refuse arguments that have no equal.

        Raises:
            UnfaithfulError: one of them is given.
        """
        for name in names:
            if self.arguments.get(name):
                raise UnfaithfulError(f"{name} has no equal in daywatch")


@dataclass(frozen=True)
class Told:
    """What a test says: rules, and whether the rows that break them are as many as those the test counts."""

    drafts: Sequence[Draft]
    same_rows: bool = False


def graded(told: Told, test: DbtTest) -> list[Draft]:
    """The rules with the test's severity, thresholds, where and name: one a level at which it warns or fails.

    Raises:
        UnfaithfulError: a setting has no equal.
    """
    config = test.config
    if str(config.get("fail_calc") or "count(*)").replace(" ", "").lower() != "count(*)":
        raise UnfaithfulError("fail_calc is not count(*)")
    where = config.get("where")
    drafts = [
        replace(d, where=_both(str(where) if where else None, d.where), description=test.description, name=test.called)
        for d in told.drafts
    ]
    severity = str(config.get("severity") or "error").lower()
    if severity not in ("error", "warn"):
        raise UnfaithfulError(f"its severity, {severity}, is neither error nor warn")
    warn, error = _allowed(config, "warn_if"), _allowed(config, "error_if")
    limit = config.get("limit")
    if limit is not None and max(warn, error) >= int(limit):
        raise UnfaithfulError("limit counts no more rows than its threshold allows")
    levels = [(warn, True)] if severity == "warn" else [(error, False), *([(warn, True)] if warn < error else [])]
    if any(count for count, _ in levels) and not told.same_rows:
        raise UnfaithfulError("a threshold on what it counts; daywatch counts something else for it")
    return [_level(d, count, low, len(levels) > 1) for count, low in levels for d in drafts]


def _level(draft: Draft, count: int, low: bool, several: bool) -> Draft:
    name = f"{draft.name}_warn" if draft.name and low and several else draft.name
    return replace(draft, tolerance=count, low=low or draft.low, name=name)


def _allowed(config: Mapping[str, Any], key: str) -> int:
    """How many rows a threshold allows."""
    given = str(config.get(key) or "!= 0")
    found = _THRESHOLD.fullmatch(given)
    if found is None or (found[1] in ("!=", "<>") and int(found[2])) or (found[1] == ">=" and not int(found[2])):
        raise UnfaithfulError(f"{key}: {given} is no upper limit on rows")
    return int(found[2]) - (found[1] == ">=")


def _both(one: str | None, other: str | None) -> str | None:
    return f"({one}) AND ({other})" if one and other else one or other
