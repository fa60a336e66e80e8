"""Checks of SodaCL as rules; each sort of check has a function that knows it by its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.imports import sql
from monitor.imports.found import Draft, Naming, UnfaithfulError
from monitor.imports.reading import Place
from monitor.imports.soda_metrics import Metric, metric_draft
from monitor.imports.soda_schema import schema_drafts
from monitor.imports.soda_zones import Zone, seconds, zone

_METRIC = re.compile(r"(?P<name>\w+)(?:\((?P<args>[^)]*)\))?\s*(?P<zone>.*)")
_FRESH = re.compile(
    r"freshness\s*(?:using\s+)?\(?\s*(?P<column>\w+)\s*(?:,\s*(?P<now>\w+)\s*)?\)?\s*(?:<=?\s*(?P<span>.+))?"
)
_REFERENCE = re.compile(
    r"values in \(?(?P<own>[\w\s,\"]+?)\)? (?P<must>must not exist in|must exist in) (?P<table>[\w.\"]+)"
    r"\s*\(?(?P<other>[\w\s,\"]+?)\)?"
)
_SAME = re.compile(r"row_count same as (?P<table>[\w.\"]+)(?P<source> in .+)?")
_UNLIKE = (
    ("anomaly", "daywatch's own checks learn what is usual; `metrics` name further numbers"),
    ("change ", "daywatch's own checks and `metrics` compare with the past"),
    ("distribution_difference", "daywatch's drift check compares with earlier days; `distribution` with a reference"),
    ("group by", "a `query` with GROUP BY says it, or a metric with `by`"),
    ("group evolution", "the check `missing`, or a metric with `by`, tells of new and vanished values"),
    ("reconciliation", "`daywatch diff` and the rule `reconcile` do it"),
)
PRESENTATION = frozenset({"name", "attributes", "identity", "samples limit", "samples columns", "collect failed rows",
                          "title"})  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One check: its text, its settings, and what else is said of its table."""

    text: str
    config: Mapping[str, Any]
    where: str | None
    columns: Mapping[str, Mapping[str, Any]]
    naming: Naming
    left: frozenset[str] = field(default_factory=frozenset)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What a person noted about it."""
        given = self.config.get("attributes")
        return given if isinstance(given, Mapping) else {}

    def settings(self, *known: str) -> None:
        """Refuse settings other than those known.

        Raises:
            UnfaithfulError: there are others.
        """
        others = sorted(set(map(str, self.config)) - {*known, *PRESENTATION})
        if others:
            raise UnfaithfulError(f"{', '.join(others)} has no equal in daywatch")

    def levels(self, given: str = "") -> list[tuple[Zone, bool]]:
        """The zones in which it passes, each with whether leaving it only warns.

        Raises:
            UnfaithfulError: there is none, or it is not understood.
        """
        found = []
        for text, low, inverse in (
            (given, False, False),
            (self.config.get("fail"), False, True),
            (self.config.get("warn"), True, True),
        ):
            if not text:
                continue
            read = zone(re.sub(r"^when\s+", "", str(text)))
            if read is None:
                raise UnfaithfulError(f"its threshold, {text}, is not understood")
            found.append((read.inverse() if inverse else read, low))
        if not found:
            raise UnfaithfulError("it has no threshold")
        return found


def drafts_of(check: Check, notes: list[str], place: Place) -> Sequence[Draft]:
    """The rules that a check is.

    Raises:
        UnfaithfulError: daywatch has no equal; the message says why.
    """
    text = check.text.strip()
    if "${" in text or any("${" in str(v) for v in check.config.values()):
        raise UnfaithfulError("it holds a variable (${...}), which is known only there")
    for begin, why in _UNLIKE:
        if text.startswith(begin):
            raise UnfaithfulError(why)
    if text == "schema":
        check.settings("fail", "warn")
        return schema_drafts(check.config, check.naming.dialect)
    if text == "failed rows":
        return _failed_rows(check)
    if found := _SAME.fullmatch(text):
        return _same_count(check, found)
    if found := _REFERENCE.fullmatch(text):
        return _reference(check, found)
    if text.startswith("freshness") and (found := _FRESH.fullmatch(text)):
        notes.append(f"{place}: {text}: as of a column of times; of a column of dates Soda counts from the date's end")
        return _fresh(check, found)
    found = _METRIC.fullmatch(text)
    if found is None:
        raise UnfaithfulError("it is not understood")
    return _metric(check, found)


def _metric(check: Check, found: re.Match[str]) -> Sequence[Draft]:
    name, zone_text = found["name"], found["zone"]
    args = [part.strip() for part in (found["args"] or "").split(",") if part.strip()]
    if zone_text.startswith("same as") or "score" in zone_text:
        raise UnfaithfulError("it compares with another data set, or with a learned score")
    own = [f"{name} expression", f"{name} query"]
    validity = {k: v for k, v in check.config.items() if k.split(" ")[0] in ("valid", "invalid", "missing")}
    check.settings("fail", "warn", "filter", *own, *validity)
    configured = dict(check.columns.get(args[0], {})) if args else {}
    metric = Metric(
        name=name,
        args=args,
        validity={**configured, **validity},
        expression=check.config.get(own[0]),
        query=check.config.get(own[1]),
        is_scoped=bool(check.where or check.config.get("filter")),
        dialect=check.naming.dialect,
    )
    return [metric_draft(metric, zone, low) for zone, low in check.levels(zone_text)]


def _failed_rows(check: Check) -> Sequence[Draft]:
    check.settings("fail condition", "fail query", "warn", "fail", "filter")
    condition, query = check.config.get("fail condition"), check.config.get("fail query")
    levels = check.levels("" if check.config.get("warn") or check.config.get("fail") else "= 0")
    if condition:
        body: dict[str, Any] = {"sql": f"NOT ({condition})"}
    elif query:
        if check.where or check.config.get("filter"):
            raise UnfaithfulError("a filter does not reach into its query")
        body = {"query": {"sql": str(query).strip().rstrip(";")}}
    else:
        raise UnfaithfulError("it has neither a fail condition nor a fail query")
    drafts = []
    for zone_, low in levels:
        most = zone_.most()
        if most is None:
            raise UnfaithfulError("its threshold is no upper limit on rows")
        drafts.append(Draft(body, tolerance=most, low=low))
    return drafts


def _same_count(check: Check, found: re.Match[str]) -> Sequence[Draft]:
    check.settings()
    if found["source"]:
        raise UnfaithfulError("the other data set is in another data source; `row_count_like: {to: warehouse.table}`")
    return [Draft({"row_count_like": {"to": _other(check, found["table"])}})]


def _other(check: Check, text: str) -> str:
    schema, _, bare = text.replace('"', "").rpartition(".")
    return check.naming.name(bare, schema or None)


def _reference(check: Check, found: re.Match[str]) -> Sequence[Draft]:
    check.settings("filter")
    own = sql.columns([part.strip() for part in found["own"].split(",")])
    others = sql.columns([part.strip() for part in found["other"].split(",")])
    if found["must"] == "must not exist in" or len(own) > 1 or len(others) != len(own):
        raise UnfaithfulError("it is about several columns, or about values that may not be there; a `query` says it")
    return [Draft({"references": {"column": own[0], "to": f"{_other(check, found['table'])}.{others[0]}"}})]


def _fresh(check: Check, found: re.Match[str]) -> Sequence[Draft]:
    check.settings("fail", "warn", "filter")
    if found["now"]:
        raise UnfaithfulError("it goes by a variable instead of the clock")
    spans = [(found["span"], False)] if found["span"] else []
    for key in ("fail", "warn"):
        if check.config.get(key):
            when = re.fullmatch(r"when\s*>=?\s*(.+)", str(check.config[key]))
            spans.append((when[1] if when else "", key == "warn"))
    drafts = []
    for text, low in spans:
        age = seconds(text.strip())
        if age is None:
            raise UnfaithfulError(f"the span {text} is not understood")
        drafts.append(Draft({"query": {"sql": sql.stale(sql.column(found["column"]), age, "second")}}, low=low))
    if not drafts:
        raise UnfaithfulError("it has no threshold")
    return drafts
