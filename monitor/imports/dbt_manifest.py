"""dbt's `manifest.json` as tables and tests: versions 7 to 12, which dbt 1.3 to 1.10 and later write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.imports import dbt_tables
from monitor.imports.dbt_carry import carry
from monitor.imports.dbt_told import DbtTest
from monitor.imports.dbt_yaml import Relations
from monitor.imports.found import Imported
from monitor.imports.reading import Place, read_json

VERSIONS = range(7, 13)
_VERSION = re.compile(r"/manifest/v(\d+)(?:\.json)?$")
_NAMED = re.compile(r"(ref|source)\([^)]*\)")
TABLES = ("model", "seed", "snapshot")


def read_manifest(path: Path, found: Imported) -> None:
    """Read one manifest.

    Raises:
        UsageError: it is no manifest, or of a version that is not known.
    """
    document = read_json(path)
    _check_version(document, path)
    nodes: Mapping[str, Any] = document.get("nodes") or {}
    sources: Mapping[str, Any] = document.get("sources") or {}
    tables = _tables(nodes, sources, found)
    known = _relations(nodes, sources, tables)
    for key, node in [*nodes.items(), *sources.items()]:
        if key in tables:
            _describe(tables[key], node, document.get("groups") or {}, tables, found)
            if node.get("resource_type") == "source":
                dbt_tables.carry_freshness(tables[key], node, None, _place(node), found)
    for key, node in nodes.items():
        if node.get("resource_type") == "test":
            _carry_test(key, node, tables, known, found)
    for exposure in (document.get("exposures") or {}).values():
        named = [tables[k] for k in (exposure.get("depends_on") or {}).get("nodes") or [] if k in tables]
        dbt_tables.carry_exposure(exposure, named, _place(exposure), found)
    for test in (document.get("unit_tests") or {}).values():
        found.leave(f"unit test {test.get('name')}", "it is about a model's code, not its data", _place(test))
    _leave_disabled(document.get("disabled") or {}, found)
    if document.get("semantic_models"):
        found.leave("semantic models and metrics", "name their YAML in a table's metrics_from", Place(str(path)))


def _check_version(document: Any, path: Path) -> None:
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    said = str(metadata.get("dbt_schema_version") or "") if isinstance(metadata, Mapping) else ""
    version = _VERSION.search(said)
    if version is None:
        raise UsageError(
            f"no manifest of dbt: metadata.dbt_schema_version is {said or 'missing'}",
            where=str(path),
            mend="name the target/manifest.json that `dbt compile` writes",
        )
    if int(version[1]) not in VERSIONS:
        raise UsageError(
            f"a manifest of version {version[1]}; known are {VERSIONS[0]} to {VERSIONS[-1]}",
            where=f"{path}: metadata.dbt_schema_version",
            mend="compile with a dbt whose manifest is known, or import the schema.yml files",
        )


def _tables(nodes: Mapping[str, Any], sources: Mapping[str, Any], found: Imported) -> dict[str, str]:
    """The table of each model, seed, snapshot and source; what has none (ephemeral models) is left out."""
    tables = {}
    for key, node in nodes.items():
        if node.get("resource_type") not in TABLES:
            continue
        if (node.get("config") or {}).get("materialized") == "ephemeral":
            continue
        tables[key] = found.naming.name(str(node.get("alias") or node.get("name")), node.get("schema"))
    for key, node in sources.items():
        tables[key] = found.naming.name(str(node.get("identifier") or node.get("name")), node.get("schema"))
    return tables


def _relations(nodes: Mapping[str, Any], sources: Mapping[str, Any], tables: Mapping[str, str]) -> Relations:
    refs = {str(node.get("name")): tables[key] for key, node in nodes.items() if key in tables}
    named = {(str(s.get("source_name")), str(s.get("name"))): tables[key] for key, s in sources.items()}
    return Relations(refs, named)


def _place(node: Mapping[str, Any]) -> Place:
    return Place(str(node.get("original_file_path") or node.get("path") or "manifest.json"))


def _describe(
    name: str, node: Mapping[str, Any], groups: Mapping[str, Any], tables: Mapping[str, str], found: Imported
) -> None:
    config = node.get("config") or {}
    table = found.table(name, _place(node))
    called = config.get("group") or node.get("group")
    group: Mapping[str, Any] = next((g for g in groups.values() if g.get("name") == called), {})
    metas = [node.get("meta"), config.get("meta"), node.get("source_meta")]
    dbt_tables.describe(table, metas, [node.get("tags"), config.get("tags")], group.get("owner"))
    upstream = [tables[k] for k in (node.get("depends_on") or {}).get("nodes") or [] if k in tables]
    dbt_tables.carry_lineage(table, upstream)


def _carry_test(
    key: str, node: Mapping[str, Any], tables: Mapping[str, str], known: Relations, found: Imported
) -> None:
    origin, place = str(node.get("name") or key), _place(node)
    table = _tested(node, tables, known)
    if table is None:
        found.leave(origin, "the table that it is about is not in the manifest, or is ephemeral", place)
        return
    carry(_test(node, table, origin, place, known, found), found)


def _tested(node: Mapping[str, Any], tables: Mapping[str, str], known: Relations) -> str | None:
    """The table that a test is about: what it is attached to, or what its `model` names, or what it reads first."""
    attached = node.get("attached_node")
    if attached:
        return tables.get(attached)
    metadata = node.get("test_metadata") or {}
    named = _NAMED.search(str((metadata.get("kwargs") or {}).get("model") or ""))
    if named and (table := known.resolve(named[0])):
        return table
    upstream = (node.get("depends_on") or {}).get("nodes") or []
    return next((tables[k] for k in upstream if k in tables), None)


def _test(node: Mapping[str, Any], table: str, origin: str, place: Place, known: Relations, found: Imported) -> DbtTest:
    metadata = node.get("test_metadata") or {}
    kwargs = dict(metadata.get("kwargs") or {})
    inner = kwargs.pop("arguments", None)
    compiled = node.get("compiled_code") or node.get("compiled_sql")
    column = kwargs.pop("column_name", None) or node.get("column_name")
    config = dict(node.get("config") or {})
    own = (config.get("elementary") or (node.get("meta") or {}).get("elementary")) if metadata else None
    return DbtTest(
        table=table,
        name=str(metadata.get("name") or node.get("name")),
        package="(singular)" if not metadata else str(metadata.get("namespace") or ""),
        column=str(column) if column else None,
        arguments={**{k: v for k, v in kwargs.items() if k != "model"}, **(inner or {})},
        config={**config, **own} if isinstance(own, Mapping) else config,
        place=place,
        origin=origin,
        called=origin if not metadata else None,
        description=node.get("description") or None,
        resolve=known.resolve,
        compiled=str(compiled) if compiled else None,
        dialect=found.naming.dialect,
    )


def _leave_disabled(disabled: Mapping[str, Any], found: Imported) -> None:
    for key, node in _disabled(disabled):
        if node.get("resource_type") == "test":
            found.leave(str(node.get("name") or key), "it is disabled there (enabled: false)", _place(node))


def _disabled(disabled: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, listed in disabled.items():
        for node in listed if isinstance(listed, list) else [listed]:
            if isinstance(node, Mapping):
                yield key, node
