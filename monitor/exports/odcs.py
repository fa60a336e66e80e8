"""The configuration as a data contract of the Open Data Contract Standard, version 3.1."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.rules.base import NumberRule
from checks.rules.words import Words
from monitor.config.models import Config, TableEntry
from monitor.config.names import parse_table_name
from monitor.config.rules import RuleEntry
from monitor.config.urls import url_scheme
from monitor.exports import rules as asked
from monitor.exports.kinds import Columns, Unexported, named_tables
from monitor.types import ColumnKind

VERSION = "v3.1.0"
_LOGICAL = {
    ColumnKind.NUMBER: "number",
    ColumnKind.TEXT: "string",
    ColumnKind.DATE: "date",
    ColumnKind.TIMESTAMP: "timestamp",
    ColumnKind.TIME: "time",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.JSON: "object",
}
_TYPES = {"text": "string", "number": "number", "date": "date", "timestamp": "timestamp", "time": "time",
          "boolean": "boolean"}  # fmt: skip


@dataclass
class _Object:
    """One table of a contract in the making."""

    name: str
    physical: str
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)

    def property(self, column: str) -> dict[str, Any]:
        """The property that is a column."""
        return self.properties.setdefault(column, {"name": column})

    def ask(self, column: str | None, item: dict[str, Any]) -> None:
        """Add a quality rule, on a column or on the table."""
        if column is None:
            self.quality.append(item)
        else:
            self.property(column).setdefault("quality", []).append(item)


def contract(config: Config, columns: Columns) -> tuple[dict[str, Any], list[Unexported]]:
    """One contract with all tables that are named, and what is not in it.

    Args:
        config: the configuration.
        columns: of each table, by its name; they are the contract's properties.
    """
    left_out: list[Unexported] = []
    entries = list(named_tables(config, left_out))
    objects = {entry.name: _Object(name.path[-1], ".".join(name.path)) for entry, name in entries}
    for entry, _ in entries:
        for column in columns.get(entry.name, ()):
            told = {"logicalType": _LOGICAL.get(column.kind, "string"), "physicalType": column.type}
            objects[entry.name].property(column.name).update(told)
        made, words = objects[entry.name], asked.words_for(config, entry)
        for rule, whole in map(asked.of_all_rows, entry.rules):
            why = asked.hindrance(rule, entry, whole=whole) or _carry(rule, entry, made, words, objects)
            if why:
                left_out.append(Unexported(entry.name, f"the rule {rule.called}", why))
        for relation in entry.relations:
            why = _relate(made, relation.column, relation.references, objects)
            if why:
                left_out.append(Unexported(entry.name, f"the relation {relation.called}", why))
    owners = list(dict.fromkeys(owner for entry, _ in entries if (owner := entry.owner or config.defaults.owner)))
    document: dict[str, Any] = {
        "version": "1.0.0",
        "kind": "DataContract",
        "apiVersion": VERSION,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(sorted(objects)))),
        "name": config.path.stem,
        "status": "active",
        "servers": [_server(name, entry.shown_url) for name, entry in config.warehouses.items()],
        "schema": [_written(objects[entry.name], entry) for entry, _ in entries],
    }
    if owners:
        document["team"] = {"members": [{"username": owner, "role": "owner"} for owner in owners]}
    return document, left_out


def _server(name: str, url: str) -> dict[str, Any]:
    """A warehouse, without its address: that may hold what is nobody else's business."""
    return {"server": name, "type": "custom", "description": f"{url_scheme(url)}, as daywatch names it"}


def _written(made: _Object, entry: TableEntry) -> dict[str, Any]:
    written: dict[str, Any] = {"name": made.name, "physicalName": made.physical, "physicalType": "table"}
    if entry.labels:
        written["tags"] = list(entry.labels)
    if made.properties:
        written["properties"] = list(made.properties.values())
    if made.quality:
        written["quality"] = made.quality
    return written


def _carry(
    rule: RuleEntry, entry: TableEntry, made: _Object, words: Words, objects: Mapping[str, _Object]
) -> str | None:
    """Add a rule to its table; returns why not, where it has no form."""
    plain = not (asked.scope(rule, entry) or rule.tolerance or asked.is_warning(rule, entry) or rule.description)
    if plain and _as_property(rule, made):
        return None
    if rule.kind == "references" and plain and len(rule.columns) == 1 and "only" not in rule.params:
        return _relate(made, rule.columns[0], str(rule.params["to"]), objects)
    if not rule.body.needs_data:
        return "the standard has no such promise about columns"
    item = _library(rule) if asked.scope(rule, entry) is None else None
    item = item or _sql(rule, entry, words)
    if item is None:
        return "it has no form as one SQL statement of one table"
    about = {"name": rule.called, "description": rule.description}
    item = {**{k: v for k, v in about.items() if v}, **item}
    item["severity"] = "warning" if asked.is_warning(rule, entry) else "error"
    made.ask(rule.columns[0] if len(rule.columns) == 1 else None, item)
    return None


def _as_property(rule: RuleEntry, made: _Object) -> bool:
    """What the standard says by a word of a property."""
    params = rule.params
    if rule.kind == "not_null":
        for column in rule.columns:
            made.property(column)["required"] = True
        return True
    if rule.kind == "unique" and len(rule.columns) == 1:
        made.property(rule.columns[0])["unique"] = True
        return True
    if rule.kind == "column_type" and params["is"] in _TYPES:
        made.property(params["column"])["logicalType"] = _TYPES[params["is"]]
        return True
    return False


def _library(rule: RuleEntry) -> dict[str, Any] | None:
    """The metric of the standard that says the same."""
    params, most = rule.params, {"mustBeLessOrEqualTo": int(rule.tolerance)} if rule.tolerance else {"mustBe": 0}
    match rule.kind:
        case "not_null" if len(rule.columns) == 1:
            return {"metric": "nullValues", **most}
        case "in_set":
            return {"metric": "invalidValues", "arguments": {"validValues": list(params["values"])}, **most}
        case "matches_regex":
            return {"metric": "invalidValues", "arguments": {"pattern": params["regex"]}, **most}
        case "unique" if not rule.tolerance:
            return {"metric": "duplicateValues", "arguments": {"properties": list(rule.columns)}, "mustBe": 0}
        case "row_count" if "multiple_of" not in params:
            return {"metric": "rowCount", **(_bounds(rule) or {})}
        case _:
            return None


def _sql(rule: RuleEntry, entry: TableEntry, words: Words) -> dict[str, Any] | None:
    """A statement that counts the bad rows, or gives the number that is bounded."""
    counted = asked.bad_count(rule, entry, words, "${table}")
    if counted is not None:
        most = {"mustBeLessOrEqualTo": int(rule.tolerance)} if rule.tolerance else {"mustBe": 0}
        return {"type": "sql", "query": counted, **most}
    bounds, query = _bounds(rule), asked.number(rule, entry, words, "${table}")
    return {"type": "sql", "query": query, **bounds} if query and bounds else None


def _bounds(rule: RuleEntry) -> dict[str, Any] | None:
    if not (isinstance(rule.body, NumberRule) or rule.kind == "query"):
        return None
    low, high = getattr(rule.body, "min", None), getattr(rule.body, "max", None)
    if low is not None and low == high:
        return {"mustBe": low}
    if low is not None and high is not None:
        return {"mustBeBetween": [low, high]}
    if low is not None:
        return {"mustBeGreaterOrEqualTo": low}
    return {"mustBeLessOrEqualTo": high} if high is not None else None


def _relate(made: _Object, column: str, to: str, objects: Mapping[str, _Object]) -> str | None:
    name = parse_table_name(to)
    target = next((o for key, o in objects.items() if parse_table_name(key).path == name.path[:-1]
                   and parse_table_name(key).warehouse == name.warehouse), None)  # fmt: skip
    if target is None:
        return "the table that it refers to is not in the configuration by name"
    link = {"type": "foreignKey", "to": f"{target.name}.{name.path[-1]}"}
    made.property(column).setdefault("relationships", []).append(link)
    return None
