"""What a configuration says twice: names, ids, checks, and names that differ by case alone."""

from __future__ import annotations

from typing import Any

from monitor.config.canonical import canonical
from monitor.config.metrics import EntityEntry, MetricEntry
from monitor.config.names import parse_table_name
from monitor.config.plain import mappings
from monitor.config.rules import RelationEntry, RuleEntry, RuleSettings
from monitor.config.source import Loc, Source

_ABOUT = frozenset({"name", "id", "owner", "description", "priority"})
"""What a check says of itself, which makes it no other check."""
_NAMED: dict[str, type[RuleSettings | MetricEntry | EntityEntry | RelationEntry]] = {
    "rules": RuleEntry,
    "metrics": MetricEntry,
    "entities": EntityEntry,
    "relations": RelationEntry,
}


def check_names(source: Source, entry: dict[str, Any], loc: Loc) -> None:
    """Within one table, no name and no check comes twice; names that differ by case alone are taken for one."""
    for key in _NAMED:
        _check_names(source, entry, key, loc)


def _check_names(source: Source, entry: dict[str, Any], key: str, loc: Loc) -> None:
    names: dict[str, tuple[Loc, str]] = {}
    alike: dict[Any, Loc] = {}
    for inner, item in mappings(entry, key, loc):
        try:
            found = _NAMED[key].model_validate(item)
        except ValueError:
            continue  # told where the entry is checked
        name, where = found.called, (*inner, "name")
        first, written = names.setdefault(name.casefold(), (where, name))
        if first != where:
            given = "" if item.get("name") else ", made of its kind and column"
            taken = "is taken by" if name == written else f"differs by case alone from {source.quote(written)} in"
            line = source.line_seen_from(first, where)
            source.problem(where, f"the name {source.quote(name)}{given} {taken} {line}; give it another name")
            continue
        same = alike.setdefault(canonical({k: v for k, v in found.normal().items() if k not in _ABOUT}), where)
        if same != where:
            called = source.quote(_called(source, same, names))
            line = source.line_seen_from(same, where)
            source.problem(inner, f"the same check as {called} in {line}; keep one of them")


def _called(source: Source, loc: Loc, names: dict[str, tuple[Loc, str]]) -> str:
    return next((name for where, name in names.values() if where == loc), source.place(loc).raw)


def check_ids(source: Source, entry: dict[str, Any], loc: Loc, tables: dict[str, Loc]) -> None:
    """An id is one table's of the configuration, or one check's of its table."""
    checks: dict[str, Loc] = {}
    items = [(loc, entry, tables), *((inner, item, checks) for k in _NAMED for inner, item in mappings(entry, k, loc))]
    for inner, item, seen in items:
        name, where = item.get("id"), (*inner, "id")
        if not isinstance(name, str):
            continue
        first = seen.setdefault(name.casefold(), where)
        if first != where:
            of = "another table's" if seen is tables else "another check's"
            line = source.line_seen_from(first, where)
            source.problem(where, f"the id {source.quote(name)} is {of} already ({line}); give it another one")
    if "id" in entry and isinstance(entry.get("name"), str) and _is_pattern(entry["name"]):
        source.problem((*loc, "id"), "an id is for one table, and this name is a pattern; leave id out")


def check_case(source: Source, warehouses: dict[str, Any]) -> None:
    """Warehouses that differ by case alone are taken for one."""
    seen: dict[str, str] = {}
    for name in warehouses:
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            line = source.line_seen_from(("warehouses", first), ("warehouses", name))
            source.problem(("warehouses", name), f"differs by case alone from {first} ({line}); give it another name")


def _is_pattern(name: str) -> bool:
    try:
        return parse_table_name(name).is_pattern
    except ValueError:
        return False
