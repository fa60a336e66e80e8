"""What an import finds: tables with rules, each knowing where it came from, and what could not be carried over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from monitor.config.names import write_table_name
from monitor.config.rules import RuleEntry, slug
from monitor.config.sql import DIALECTS, FragmentError, parse_fragment
from monitor.imports.reading import Place

LOW = "low"
_JINJA = re.compile(r"\{[{%#]|\$\{")
DEFAULT_SCHEMAS = {
    "duckdb": "main",
    "files": "main",
    "postgresql": "public",
    "postgres": "public",
    "snowflake": "PUBLIC",
}


MALFORMED = (TypeError, ValueError, AttributeError, LookupError)
"""What reading raises where a number, a text, a list or a mapping stands in the place of another."""


class UnfaithfulError(ValueError):
    """Something that daywatch has no equal of; the message says why."""


def reason(error: Exception) -> str:
    """Why something is left out."""
    return str(error) if isinstance(error, UnfaithfulError) else "it is not written as its tool wants it"


@dataclass(frozen=True)
class Naming:
    """How tables are called: the warehouse, the schema of tables named without one, and the one that goes unnamed."""

    warehouse: str = "main"
    schema: str | None = None
    unnamed: frozenset[str] = frozenset()
    dialect: str = ""
    """sqlglot's word for the engine's SQL; '' while it is not known."""

    def name(self, table: str, schema: str | None = None) -> str:
        """A table's name in a configuration."""
        within = schema or self.schema
        path = (table,) if within is None or within in self.unnamed else (within, table)
        return write_table_name(self.warehouse, path)


def naming(warehouse: str, schema: str | None, url: str | None, unnamed: str | None = None) -> Naming:
    """How tables are called in a warehouse at an address."""
    from monitor.config.urls import url_scheme  # noqa: PLC0415 - heavy

    engine = url_scheme(url) if url else ""
    known = {unnamed} if unnamed else {DEFAULT_SCHEMAS[engine]} if engine in DEFAULT_SCHEMAS else set()
    spoken = DIALECTS.get("postgresql" if engine == "postgres" else engine, "")
    return Naming(warehouse, schema, frozenset(known), spoken)


@dataclass(frozen=True)
class Draft:
    """A rule in the making: its kind with settings, the rows it is about, and how much it matters."""

    body: Mapping[str, Any]
    where: str | None = None
    tolerance: float = 0
    low: bool = False
    """Whether it only warns."""
    description: str | None = None
    name: str | None = None
    owner: str | None = None

    def written(self) -> dict[str, Any]:
        """As a configuration has it."""
        settings = {
            "name": slug(self.name) if self.name else None,
            "where": self.where,
            "tolerance": self.tolerance or None,
            "priority": LOW if self.low else None,
            "owner": self.owner,
            "description": " ".join(self.description.split())[:500] if self.description else None,
        }
        return {**self.body, **{key: value for key, value in settings.items() if value is not None}}


@dataclass(frozen=True)
class Sharer:
    """Another check that says the same as a rule: what it was called, where it stands, and its own rule."""

    origin: str
    place: Place
    called: str
    rule: Mapping[str, Any]


@dataclass(frozen=True)
class Carried:
    """A rule as it is written, what it was called before, and where; and the checks that say the same."""

    rule: Mapping[str, Any]
    origin: str
    place: Place
    called: str
    sharers: tuple[Sharer, ...] = ()

    def shared(self, other: Sharer) -> Carried:
        """The rule with another check that says the same; of two priorities the higher one counts."""
        rule = dict(self.rule)
        if "priority" not in other.rule:
            rule.pop("priority", None)
        return replace(self, rule=rule, sharers=(*self.sharers, other))


@dataclass(frozen=True)
class LeftOut:
    """Something that was not carried over, and why."""

    what: str
    why: str
    place: Place
    table: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: {self.why}"

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        where = {"file": self.place.file, "line": self.place.line, "table": self.table}
        return {"what": self.what, "why": self.why, **where}


@dataclass
class TableFound:
    """A table with all that was found on it."""

    name: str
    place: Place
    rules: list[Carried] = field(default_factory=list)
    owner: str | None = None
    labels: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    relations: list[Mapping[str, Any]] = field(default_factory=list)
    metrics: list[Mapping[str, Any]] = field(default_factory=list)
    time_column: str | None = None
    where: str | None = None
    automatic: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to say of it but its name."""
        return not (self.rules or self.relations or self.metrics or self.automatic)


@dataclass
class Imported:
    """All that an import found, in the order of its files."""

    kind: str
    naming: Naming
    by_day: bool = False
    """Whether rules are about the rows of a day, and not about the whole table as there."""
    tables: dict[str, TableFound] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self, name: str, place: Place) -> TableFound:
        """The table of that name, made if it is new."""
        return self.tables.setdefault(name, TableFound(name, place))

    def leave(self, what: str, why: str, place: Place, table: str | None = None) -> None:
        """Note that something is not carried over."""
        self.left_out.append(LeftOut(what, why, place, table))

    def add(self, table: str, drafts: Sequence[Draft], origin: str, place: Place) -> None:
        """Carry rules over: all that one check of the other tool says, or none of it."""
        try:
            checked = [self._checked(draft) for draft in drafts]
        except UnfaithfulError as error:
            self.leave(origin, str(error), place, table)
            return
        found = self.table(table, place)
        new = 0
        for rule, entry in checked:
            at = next((i for i, c in enumerate(found.rules) if _same(c.rule, rule)), None)
            if at is not None:
                found.rules[at] = found.rules[at].shared(Sharer(origin, place, entry.name or "", rule))
                continue
            new += 1
            called = _unused(entry.called, {c.called for c in found.rules})
            named = rule if called == entry.called else {**rule, "name": called}
            found.rules.append(Carried(named, origin, place, called))
        if not new:
            first = next(c for c in found.rules if any(s.origin == origin and s.place == place for s in c.sharers))
            self.leave(origin, f"the same rule as that of {first.place}; it is kept once", place, table)

    def _checked(self, draft: Draft) -> tuple[dict[str, Any], RuleEntry]:
        rule = draft.written()
        if _JINJA.search(rule.get("where") or ""):
            raise UnfaithfulError("its condition holds a template (Jinja or ${...}), which is known only there")
        try:
            entry = RuleEntry.model_validate(rule)
        except ValidationError as error:
            said = "; ".join(dict.fromkeys(str(e["msg"]) for e in error.errors()))
            raise UnfaithfulError(f"daywatch has no such rule: {said}") from None
        self._check_sql(entry)
        if self.by_day or not entry.body.needs_data:
            return rule, entry
        kind = entry.kind
        whole = {"all_rows": {kind: rule[kind]}, **{key: value for key, value in rule.items() if key != kind}}
        return whole, RuleEntry.model_validate(whole)

    def _check_sql(self, entry: RuleEntry) -> None:
        texts = [(key, text, entry.body.fragments[key]) for key, text, _ in entry.fragments()]
        try:
            if entry.where:
                parse_fragment(entry.where, "condition", self.naming.dialect)
            for _, text, fragment in texts:
                if _JINJA.search(text):
                    raise UnfaithfulError("its SQL holds a template (Jinja or ${...}), which is known only there")
                parse_fragment(text, fragment, self.naming.dialect)  # type: ignore[arg-type]
        except FragmentError as error:
            raise UnfaithfulError(f"its SQL cannot be used: {error}") from None


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    told = ("name", "description", "owner", "priority")
    return {k: v for k, v in one.items() if k not in told} == {k: v for k, v in other.items() if k not in told}


def _unused(name: str, taken: set[str]) -> str:
    """`name`, with a number behind it where it is taken."""
    count, tried = 2, name
    while tried in taken:
        tried, count = f"{name[:55]}_{count}", count + 1
    return tried
