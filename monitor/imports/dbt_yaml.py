"""dbt's property files (`schema.yml`) as tables and tests: models, seeds, snapshots, sources, exposures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.imports import dbt_tables
from monitor.imports.dbt_carry import carry
from monitor.imports.dbt_told import DbtTest
from monitor.imports.found import Imported
from monitor.imports.reading import Place, line_of, mapping, mappings, read_yaml

SECTIONS = ("models", "seeds", "snapshots")
SETTINGS = frozenset({
    "severity", "tags", "enabled", "where", "limit", "warn_if", "error_if", "fail_calc", "store_failures",
    "store_failures_as", "meta", "database", "schema", "alias", "group",
})  # fmt: skip
ABOUT = frozenset({"config", "arguments", "name", "description", "test_name"})
_REF = re.compile(r"\s*(?:\{\{)?\s*ref\(\s*(?:['\"][^'\"]+['\"]\s*,\s*)?['\"]([^'\"]+)['\"][^)]*\)\s*(?:\}\})?\s*")
_SOURCE = re.compile(r"\s*(?:\{\{)?\s*source\(\s*['\"]([^'\"]+)['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)\s*(?:\}\})?\s*")


@dataclass
class Relations:
    """What `ref` and `source` mean, as far as it was read."""

    refs: dict[str, str] = field(default_factory=dict)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)

    def resolve(self, text: str) -> str | None:
        """The table that `ref('x')` or `source('x', 'y')` is."""
        if found := _REF.fullmatch(text):
            return self.refs.get(found[1])
        if found := _SOURCE.fullmatch(text):
            return self.sources.get((found[1], found[2]))
        return None


@dataclass(frozen=True)
class Relation:
    """A model, seed, snapshot or table of a source, as its file describes it."""

    table: str
    entry: Mapping[str, Any]
    file: str
    line: int | None
    source: Mapping[str, Any] | None = None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.line)


def read_properties(paths: Sequence[Path], found: Imported) -> None:
    """Read property files of one project together, as tests of one name tables of another."""
    documents = [(str(path), document) for path in paths for document in _documents(path)]
    if not any(set(document) & {*SECTIONS, "sources", "exposures", "tests", "data_tests"} for _, document in documents):
        raise UsageError(
            "no models, seeds, snapshots or sources in it",
            where=str(paths[0]) if paths else "",
            mend="name dbt's property files (schema.yml), their folder, or target/manifest.json",
        )
    known, relations = Relations(), []
    for file, document in documents:
        relations += [*_models(file, document, found, known), *_sources(file, document, found, known)]
    groups = {str(g.get("name")): g for _, d in documents for g, _ in mappings(d.get("groups"))}
    for relation in relations:
        _describe(relation, found, groups)
        for test in _tests(relation, known, found):
            carry(test, found)
        dbt_tables.carry_freshness(relation.table, relation.entry, relation.source, relation.place, found)
    for file, document in documents:
        _exposures(file, document, known, found)
        _leave_sections(file, document, found)


def _documents(path: Path) -> Iterator[Mapping[str, Any]]:
    for document in read_yaml(path):
        if isinstance(document, Mapping):
            yield document


def _models(file: str, document: Mapping[str, Any], found: Imported, known: Relations) -> Iterator[Relation]:
    for section in SECTIONS:
        for entry, line in mappings(document.get(section)):
            config = mapping(entry.get("config"))
            name = str(entry.get("name"))
            schema = config.get("schema")
            if schema and found.naming.schema is None:
                found.notes.append(f"{Place(file, line)}: {name} is built in a schema of its own, {schema}; where dbt"
                                   " puts the target's name before it, correct the table's name")  # fmt: skip
            table = found.naming.name(str(config.get("alias") or entry.get("alias") or name), schema)
            if entry.get("versions"):
                found.leave(f"model {name}", "it has versions, each a table of its own; import the manifest",
                            Place(file, line))  # fmt: skip
                continue
            known.refs.setdefault(name, table)
            yield Relation(table, entry, file, line)


def _sources(file: str, document: Mapping[str, Any], found: Imported, known: Relations) -> Iterator[Relation]:
    for source, _ in mappings(document.get("sources")):
        schema = str(source.get("schema") or source.get("name"))
        for entry, line in mappings(source.get("tables")):
            name = str(entry.get("name"))
            if "{{" in schema + str(entry.get("identifier") or ""):
                said = "its schema or identifier is a template; import the manifest"
                found.leave(f"source {source.get('name')}.{name}", said, Place(file, line))
                continue
            table = found.naming.name(str(entry.get("identifier") or name), schema)
            known.sources.setdefault((str(source.get("name")), name), table)
            yield Relation(table, entry, file, line, source)


def _describe(relation: Relation, found: Imported, groups: Mapping[str, Mapping[str, Any]]) -> None:
    config = mapping(relation.entry.get("config"))
    group = groups.get(str(relation.entry.get("group") or config.get("group")), {})
    metas = [relation.entry.get("meta"), config.get("meta"), (relation.source or {}).get("meta")]
    tags = [relation.entry.get("tags"), config.get("tags"), (relation.source or {}).get("tags")]
    dbt_tables.describe(found.table(relation.table, relation.place), metas, tags, group.get("owner"))


def _tests(relation: Relation, known: Relations, found: Imported) -> Iterator[DbtTest]:
    entry = relation.entry
    for item, line in _listed(entry):
        yield from _test(relation, None, item, line, known, found)
    for column, _ in mappings(entry.get("columns")):
        name = f'"{column.get("name")}"' if column.get("quote") else str(column.get("name"))
        for item, line in _listed(column):
            yield from _test(relation, name, item, line, known, found)


def _listed(entry: Mapping[str, Any]) -> Iterator[tuple[Any, int | None]]:
    for key in ("tests", "data_tests"):
        listed = entry.get(key)
        for i, item in enumerate(listed if isinstance(listed, list) else []):
            yield item, line_of(listed, i)


def _test(
    relation: Relation, column: str | None, item: Any, line: int | None, known: Relations, found: Imported
) -> Iterator[DbtTest]:
    place = Place(relation.file, line)
    name, given = _named(item)
    if name is None:
        found.leave(f"a test of {relation.table}", "neither a name nor a mapping with one", place, relation.table)
        return
    config = {**{k: v for k, v in given.items() if k in SETTINGS}, **mapping(given.get("config"))}
    arguments = {k: v for k, v in given.items() if k not in SETTINGS | ABOUT}
    package, _, bare = name.rpartition(".")
    yield DbtTest(
        table=relation.table,
        name=bare,
        package=package,
        column=column or (str(given["column_name"]) if given.get("column_name") else None),
        arguments={**arguments, **mapping(given.get("arguments"))},
        config={**_elementary(relation.entry), **config} if package == "elementary" else config,
        place=place,
        origin=f"{name} of {relation.table}{f'.{column}' if column else ''}",
        called=str(given["name"]) if given.get("name") else None,
        description=given.get("description"),
        resolve=known.resolve,
        dialect=found.naming.dialect,
    )


def _named(item: Any) -> tuple[str | None, Mapping[str, Any]]:
    """A test's name and what is said of it, in either of the two ways to write it."""
    if isinstance(item, str):
        return item, {}
    if not isinstance(item, Mapping) or not item:
        return None, {}
    if "test_name" in item:
        return str(item["test_name"]), item
    name = next(iter(item))
    rest = {key: value for key, value in item.items() if key != name}
    own = item[name]
    return str(name), {**rest, **mapping(own)}


def _elementary(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    config = entry.get("config")
    places = [config, entry.get("meta"), mapping(config).get("meta")]
    for where in places:
        own = where.get("elementary") if isinstance(where, Mapping) else None
        if isinstance(own, Mapping):
            return own
    return {}


def _exposures(file: str, document: Mapping[str, Any], known: Relations, found: Imported) -> None:
    for exposure, line in mappings(document.get("exposures")):
        named = [known.resolve(str(text)) for text in exposure.get("depends_on") or []]
        dbt_tables.carry_exposure(exposure, [t for t in named if t], Place(file, line), found)


def _leave_sections(file: str, document: Mapping[str, Any], found: Imported) -> None:
    """What else stands in such a file."""
    if document.get("semantic_models") or document.get("metrics"):
        place = Place(file, line_of(document, "semantic_models" if document.get("semantic_models") else "metrics"))
        found.leave("semantic_models, metrics", f"name the file in a table's metrics_from: {Path(file).name}", place)
    for entry, line in mappings(document.get("unit_tests")):
        found.leave(f"unit test {entry.get('name')}", "it is about a model's code, not its data", Place(file, line))
    for key in ("tests", "data_tests"):
        if isinstance(document.get(key), Mapping) and "profile" in document:
            found.leave(f"{key} in {Path(file).name}", "settings of the whole project are not looked at in YAML;"
                        " import the manifest", Place(file, line_of(document, key)))  # fmt: skip
