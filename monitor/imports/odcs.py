"""Data contracts of the Open Data Contract Standard (version 3) as the rules of their tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.imports import sql
from monitor.imports.found import MALFORMED, Draft, Imported, UnfaithfulError, reason
from monitor.imports.odcs_quality import carry_quality
from monitor.imports.reading import Place, line_of, mappings, read_yaml

_KINDS = {
    "string": "text",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
}
_OPTIONS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
                      "pattern", "multipleOf"})  # fmt: skip


def read_contract(path: Path, found: Imported) -> None:
    """Read one contract.

    Raises:
        UsageError: it is no YAML, no contract, or of a version that is not known.
    """
    documents = [d for d in read_yaml(path) if isinstance(d, Mapping)]
    for document in documents:
        _check_version(document, path)
        _read(document, str(path), found)
    if not documents:
        raise UsageError("no data contract: it is empty", where=str(path), mend="name a contract's YAML file")


def _check_version(document: Mapping[str, Any], path: Path) -> None:
    version = str(document.get("apiVersion") or "")
    if document.get("kind") != "DataContract" or not version:
        said = f"kind is {document.get('kind') or 'missing'}, apiVersion {version or 'missing'}"
        raise UsageError(f"no data contract (ODCS): {said}", where=str(path), mend="name a contract of version 3")
    if not re.match(r"v?3\.", version):
        line = line_of(document, "apiVersion")
        raise UsageError(
            f"a contract of version {version}; known is version 3", where=str(Place(str(path), line)),
            mend="convert it, as `datacontract` does",
        )  # fmt: skip


def _read(document: Mapping[str, Any], file: str, found: Imported) -> None:
    objects = list(mappings(document.get("schema")))
    schema = _schema(document)
    tables = {str(o.get("name")): _table(o, schema, found) for o, _ in objects}
    owner = _owner(document.get("team"))
    for entry, line in objects:
        name = tables[str(entry.get("name"))]
        table = found.table(name, Place(file, line))
        table.owner = table.owner or owner
        tags = [*(document.get("tags") or []), *(entry.get("tags") or [])]
        table.labels += [tag for tag in map(str, tags) if tag not in table.labels]
        _object(entry, name, file, tables, found)
    for sla, line in mappings(document.get("slaProperties")):
        said = f"slaProperties: {sla.get('property')}"
        found.leave(said, "a promise about delivery; set the table's `due`, or a rule `fresh`", Place(file, line))


def _schema(document: Mapping[str, Any]) -> str | None:
    """The schema in which all servers of the contract have its tables."""
    named = {str(s["schema"]) for s, _ in mappings(document.get("servers")) if s.get("schema")}
    return next(iter(named)) if len(named) == 1 else None


def _table(entry: Mapping[str, Any], schema: str | None, found: Imported) -> str:
    qualifier, _, bare = str(entry.get("physicalName") or entry.get("name")).rpartition(".")
    own = qualifier.rpartition(".")[2]
    return found.naming.name(bare, own or found.naming.schema or schema)


def _owner(team: Any) -> str | None:
    """Who owns it: the member with the role of an owner, or else the team's name."""
    members = team.get("members") if isinstance(team, Mapping) else team
    for member, _ in mappings(members):
        if "owner" in str(member.get("role") or "").lower() and not member.get("dateOut"):
            return str(member.get("username") or member.get("name"))
    return str(team["name"]) if isinstance(team, Mapping) and team.get("name") else None


def _object(entry: Mapping[str, Any], name: str, file: str, tables: Mapping[str, str], found: Imported) -> None:
    listed = list(mappings(entry.get("properties")))
    columns = {str(p.get("name")): str(p.get("physicalName") or p.get("name")) for p, _ in listed}
    for prop, line in listed:
        place = Place(file, line)
        column = columns[str(prop.get("name"))]
        for told, drafts in _drafts(prop, column, place, name, found):
            found.add(name, drafts, f"{told} of {prop.get('name')}", place)
        for item, at in mappings(prop.get("quality")):
            carry_quality(item, name, column, columns, Place(file, at), found)
        for item, at in mappings(prop.get("relationships")):
            _relate(item, [column], name, Place(file, at), tables, found)
    _key(listed, columns, name, file, found)
    for item, at in mappings(entry.get("quality")):
        carry_quality(item, name, None, columns, Place(file, at), found)
    for item, at in mappings(entry.get("relationships")):
        own = item.get("from")
        sides = [str(s).rpartition(".")[2] for s in (own if isinstance(own, list) else [own])]
        _relate(item, [columns.get(s, s) for s in sides], name, Place(file, at), tables, found)


def _drafts(
    prop: Mapping[str, Any], column: str, place: Place, table: str, found: Imported
) -> Iterator[tuple[str, Sequence[Draft]]]:
    """What a property says of its column, word for word."""
    kind = str(prop.get("logicalType") or "")
    if kind in _KINDS:
        yield "logicalType", [Draft({"column_type": {"column": column, "is": _KINDS[kind]}})]
    elif kind:
        found.leave(f"logicalType {kind} of {prop.get('name')}", "daywatch has no such kind of column", place, table)
    if kind == "integer":
        yield "logicalType integer", [Draft({"sql": f"{sql.quoted(column)} = FLOOR({sql.quoted(column)})"})]
    if prop.get("required"):
        yield "required", [Draft({"not_null": column})]
    if prop.get("unique"):
        yield "unique", [Draft({"unique": column})]
    options = prop.get("logicalTypeOptions")
    if isinstance(options, Mapping):
        try:
            yield from ((told, [Draft(body)]) for told, body in _limits(options, column))
        except MALFORMED as error:
            found.leave(f"logicalTypeOptions of {prop.get('name')}", reason(error), place, table)
        for word in sorted(set(options) - _OPTIONS):
            found.leave(f"logicalTypeOptions.{word} of {prop.get('name')}", "it tells how values are written, and is"
                        " no rule; `format`, `date_format` or `json_schema` are", place, table)  # fmt: skip


def _limits(options: Mapping[str, Any], column: str) -> Iterator[tuple[str, dict[str, Any]]]:
    lengths = {key[:3]: int(options[key]) for key in ("minLength", "maxLength") if options.get(key) is not None}
    if lengths:
        yield "length", {"length": {"column": column, **lengths}}
    if options.get("pattern"):
        yield "pattern", {"matches_regex": {"column": column, "regex": str(options["pattern"])}}
    inclusive = {key[:3]: _bound(options[key]) for key in ("minimum", "maximum") if options.get(key) is not None}
    exclusive = {
        key[9:12].lower(): _bound(options[key])
        for key in ("exclusiveMinimum", "exclusiveMaximum")
        if options.get(key) is not None
    }
    if inclusive:
        yield "bounds", {"in_range": {"column": column, **inclusive}}
    if exclusive:
        yield "bounds", {"in_range": {"column": column, **exclusive, "strict": True}}
    if options.get("multipleOf"):
        name = sql.quoted(column)
        yield "multipleOf", {"sql": f"MOD({name}, {sql.literal(options['multipleOf'])}) = 0"}


def _bound(value: Any) -> Any:
    """A bound: a number, a date, or a time."""
    number = sql.number(value)
    read = number if number is not None else sql.day(value)
    if read is None:
        raise UnfaithfulError(f"the bound {value} is neither a number nor a date")
    return read


def _key(
    listed: Sequence[tuple[Mapping[str, Any], int | None]],
    columns: Mapping[str, str],
    name: str,
    file: str,
    found: Imported,
) -> None:
    parts = [(p.get("primaryKeyPosition") or 0, columns[str(p.get("name"))], line) for p, line in listed
             if p.get("primaryKey")]  # fmt: skip
    if not parts:
        return
    key = [column for _, column, _ in sorted(parts, key=lambda part: part[0])]
    found.table(name, Place(file)).key = key
    place = Place(file, parts[0][2])
    found.add(name, [Draft({"not_null": key})], "primaryKey (no NULL)", place)
    found.add(name, [Draft({"unique": key if len(key) > 1 else key[0]})], "primaryKey (no repeats)", place)


def _relate(
    item: Mapping[str, Any], own: list[str], name: str, place: Place, tables: Mapping[str, str], found: Imported
) -> None:
    """A foreign key: of one column a relation, of several a rule."""
    to = item.get("to")
    sides = [str(side).split("/")[-1].rpartition(".") for side in (to if isinstance(to, list) else [to])]
    origin = f"relationship to {to}"
    table = tables.get(sides[0][0])
    if table is None or len(sides) != len(own) or len({side[0] for side in sides}) != 1:
        found.leave(origin, "what it refers to is not in this contract", place, name)
        return
    keys = [side[2] for side in sides]
    if len(own) == 1:
        found.table(name, place).relations.append({"column": own[0], "references": f"{table}.{keys[0]}"})
        return
    found.add(name, [Draft({"references": {"columns": own, "table": table, "keys": keys}})], origin, place)
