"""What dbt says of a table besides its tests: owners, tags, freshness, exposures, lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.imports import sql
from monitor.imports.found import MALFORMED, Draft, Imported, TableFound, UnfaithfulError, reason
from monitor.imports.reading import Place, mapping

LINEAGE_MAX = 8


def describe(table: TableFound, metas: Sequence[Any], tags: Sequence[Any], owner: Any = None) -> None:
    """Owner and labels out of `meta`, `tags` and the group's owner; the first that says it wins."""
    owners = [meta.get("owner") for meta in metas if isinstance(meta, Mapping)]
    table.owner = table.owner or next((o for given in [*owners, owner] if (o := _owner(given))), None)
    for given in tags:
        for tag in given if isinstance(given, list) else [given]:
            if isinstance(tag, str) and tag not in table.labels:
                table.labels.append(tag)


def _owner(given: Any) -> str | None:
    """One name out of the ways to write an owner."""
    if isinstance(given, Mapping):
        given = given.get("email") or given.get("name")
    if isinstance(given, list):
        given = given[0] if given else None
    return str(given) if given else None


def carry_freshness(
    table: str, entry: Mapping[str, Any], source: Mapping[str, Any] | None, place: Place, found: Imported
) -> None:
    """A source's freshness as a rule for each of error_after and warn_after; a table's own settings win."""
    merged: dict[str, Any] = {}
    column = None
    for given in (source or {}, entry):
        config = mapping(given.get("config"))
        column = given.get("loaded_at_field") or config.get("loaded_at_field") or column
        for said in (given, config):
            if "freshness" in said:
                merged = {**merged, **said["freshness"]} if isinstance(said["freshness"], Mapping) else {}
    if not any(isinstance(merged.get(k), Mapping) and merged[k].get("count") for k in ("warn_after", "error_after")):
        return
    origin = f"freshness of {table}"
    if not column:
        found.leave(origin, "it has no loaded_at_field; daywatch's own freshness does without one", place, table)
        return
    try:
        where = merged.get("filter")
        drafts = [
            _late(sql.column(column), merged[key], str(where) if where else None, low=key == "warn_after")
            for key in ("error_after", "warn_after")
            if isinstance(merged.get(key), Mapping) and merged[key].get("count")
        ]
        found.add(table, drafts, origin, place)
    except MALFORMED as error:
        found.leave(origin, reason(error), place, table)


def _late(column: str, span: Mapping[str, Any], where: str | None, *, low: bool) -> Draft:
    count, unit = sql.number(span.get("count")), str(span.get("period") or "")
    if count is None or unit not in ("minute", "hour", "day"):
        raise UnfaithfulError("its count is no number, or its period none of minute, hour and day")
    name = f"{'stale_warn' if low else 'stale'}_{column}"
    return Draft({"query": {"sql": sql.stale(column, count, unit)}}, where=where, low=low, name=name)


def carry_exposure(exposure: Mapping[str, Any], tables: Sequence[str], place: Place, found: Imported) -> None:
    """What uses a table: a label on it, and a comment that says whose it is."""
    name = str(exposure.get("name"))
    owner = _owner(exposure.get("owner"))
    for table in tables:
        of = found.table(table, place)
        if f"exposure:{name}" not in of.labels:
            of.labels.append(f"exposure:{name}")
            of.comments.append(f"used by {exposure.get('type', 'exposure')} {name}{f' of {owner}' if owner else ''}")
    if not tables:
        found.leave(f"exposure {name}", "none of what it depends on was read", place)


def carry_lineage(table: TableFound, upstream: Sequence[str]) -> None:
    """The tables that a table is made from, as a comment."""
    if upstream:
        more = f" and {len(upstream) - LINEAGE_MAX} more" if len(upstream) > LINEAGE_MAX else ""
        table.comments.append(f"made from {', '.join(upstream[:LINEAGE_MAX])}{more}")
