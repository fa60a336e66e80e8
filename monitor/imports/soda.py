"""SodaCL files as rules: their sections, and the checks of each data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.imports.found import MALFORMED, Draft, Imported, reason
from monitor.imports.reading import Listed, Map, Place, line_of, read_yaml
from monitor.imports.soda_checks import Check, drafts_of

_CHECKS = re.compile(r"checks for (?P<table>\"[^\"]+\"|\S+)(?:\s+\[(?P<part>[^\]]+)\])?")
_FILTER = re.compile(r"filter (?P<table>\"[^\"]+\"|\S+)\s+\[(?P<part>[^\]]+)\]")
_CONFIGURATIONS = re.compile(r"configurations for (?P<table>\"[^\"]+\"|\S+)")
_EACH = re.compile(r"for each (?:dataset|table) \S+")
_OWN_WORK = {
    "automated monitoring": "daywatch's own checks do it; leave `automatic` on",
    "discover datasets": "`daywatch init` does",
    "discover tables": "`daywatch init` does",
    "profile columns": "daywatch's own checks do it",
    "sample datasets": "samples are drawn as they are needed",
    "sample tables": "samples are drawn as they are needed",
    "variables": "variables are known only there",
}


@dataclass
class _File:
    """What the sections of one file say of each other."""

    filters: dict[tuple[str, str], str] = field(default_factory=dict)
    configurations: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


def read_checks(path: Path, found: Imported) -> None:
    """Read one file.

    Raises:
        UsageError: it is no YAML, or holds no checks.
    """
    documents = [document for document in read_yaml(path) if isinstance(document, Map)]
    sections = [
        (header, content, d, line) for d in documents for header, content in d.items() for line in [d.lines[header]]
    ]
    known = _File()
    for header, content, _, _ in sections:
        _prepare(header, content, known)
    if not any(header.startswith(("checks", "for each", "filter", "configurations")) for header, *_ in sections):
        raise UsageError("no checks in it", where=str(path), mend="name a file with `checks for TABLE:`")
    for header, content, _, line in sections:
        _section(header, content, Place(str(path), line), known, found)


def _prepare(header: str, content: Any, known: _File) -> None:
    if (match := _FILTER.fullmatch(header)) and isinstance(content, Mapping):
        known.filters[_bare(match["table"]), match["part"]] = str(content.get("where") or content.get("filter") or "")
    if (match := _CONFIGURATIONS.fullmatch(header)) and isinstance(content, Mapping):
        for key, value in content.items():
            said, _, column = str(key).rpartition(" for ")
            of = known.configurations.setdefault(_bare(match["table"]), {})
            of.setdefault(column, {})[said] = value


def _section(header: str, content: Any, place: Place, known: _File, found: Imported) -> None:
    if match := _CHECKS.fullmatch(header):
        table, part = _bare(match["table"]), match["part"]
        where = known.filters.get((table, part)) if part else None
        if part and where is None:
            found.leave(header, f"there is no `filter {table} [{part}]` in the file", place)
            return
        _carry_all(table, content, where, place, known, found)
    elif _EACH.fullmatch(header):
        _each(header, content, place, known, found)
    elif not (_FILTER.fullmatch(header) or _CONFIGURATIONS.fullmatch(header)):
        why = next((w for begin, w in _OWN_WORK.items() if header.startswith(begin)), "daywatch knows no such section")
        found.leave(header, why, place)


def _each(header: str, content: Any, place: Place, known: _File, found: Imported) -> None:
    """Checks for several data sets: those that are named; patterns are known only there."""
    named = content.get("datasets", content.get("tables")) if isinstance(content, Mapping) else None
    for name in named if isinstance(named, list) else []:
        bare = re.sub(r"^include ", "", str(name))
        if re.search(r"[%*]", bare) or bare.startswith("exclude "):
            found.leave(f"{header}: {name}", "patterns are known only there; name the data sets", place)
            continue
        _carry_all(bare, content.get("checks"), None, place, known, found)
    if not isinstance(named, list):
        found.leave(header, "it names no datasets", place)


def _carry_all(table: str, content: Any, where: str | None, place: Place, known: _File, found: Imported) -> None:
    if not isinstance(content, list):
        found.leave(f"checks for {table}", "wanted a list of checks", place)
        return
    schema, _, bare = table.rpartition(".")
    name = found.naming.name(bare, schema.rpartition(".")[2] or None)
    for text, config, line in _items(content):
        check = Check(
            text=text,
            config=config,
            where=where,
            columns=known.configurations.get(table, {}),
            naming=found.naming,
        )
        _carry(check, name, Place(place.file, line or place.line), found)


def _items(content: list[Any]) -> Iterator[tuple[str, Mapping[str, Any], int | None]]:
    """Each check: its text, its settings, its line."""
    for i, item in enumerate(content):
        line = line_of(content, i) if isinstance(content, Listed) else None
        if isinstance(item, Mapping):
            for text, config in item.items():
                yield str(text), config if isinstance(config, Mapping) else {}, line_of(item, text) or line
        else:
            yield str(item), {}, line


def _carry(check: Check, table: str, place: Place, found: Imported) -> None:
    try:
        drafts = drafts_of(check, found.notes, place)
    except MALFORMED as error:
        found.leave(check.text, reason(error), place, table)
        return
    found.add(table, [_told(draft, check) for draft in drafts], check.text, place)
    others = sorted(set(check.attributes) - {"owner"})
    if others:
        found.leave(
            f"{check.text}: attributes {', '.join(others)}", "rules have an owner and a description", place, table
        )


def _told(draft: Draft, check: Check) -> Draft:
    """With the check's name, owner and the rows it is about."""
    said = [part for part in (check.where, check.config.get("filter")) if part]
    where = " AND ".join(f"({part})" for part in said) if len(said) > 1 else str(said[0]) if said else None
    owner = check.attributes.get("owner")
    return Draft(
        draft.body,
        where=where if draft.where is None else draft.where,
        tolerance=draft.tolerance,
        low=draft.low,
        description=check.config.get("name"),
        owner=str(owner) if owner else None,
    )


def _bare(name: str) -> str:
    return name.strip('"')
