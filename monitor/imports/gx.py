"""Suites of Great Expectations (JSON of versions 0.x and 1.x) as the rules of one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.imports.found import MALFORMED, Draft, Imported, UnfaithfulError, reason
from monitor.imports.gx_columns import COLUMNS
from monitor.imports.gx_conditions import condition
from monitor.imports.gx_tables import TABLES
from monitor.imports.gx_told import Expectation
from monitor.imports.reading import Place, line_of, mappings, read_json

_KNOWN = {**COLUMNS, **TABLES}
_ABOUT = frozenset({
    "result_format", "include_config", "catch_exceptions", "batch_id", "auto", "profiler_config", "table",
    "notes", "meta", "id", "rendered_content", "description", "windows",
})  # fmt: skip


def read_suite(path: Path, found: Imported, table: str | None) -> None:
    """Read one suite.

    Args:
        path: the file.
        found: what the rules are added to.
        table: the table that the suite is about, as `table` or `schema.table`; else the suite's own name.

    Raises:
        UsageError: it is no JSON, or no suite.
    """
    document = read_json(path)
    listed = document.get("expectations") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise UsageError("no suite: there is no list of expectations", where=str(path), mend="name a suite's JSON file")
    name = _table(document, table, path, found)
    for item, line in mappings(listed):
        carry(
            item, Place(str(path), line_of(item, "type" if "type" in item else "expectation_type") or line), name, found
        )


def _table(document: Mapping[str, Any], table: str | None, path: Path, found: Imported) -> str:
    called = table or str(document.get("name") or document.get("expectation_suite_name") or path.stem)
    if table is None:
        called = called.removesuffix(".warning").removesuffix(".default")
        found.notes.append(f"{path}: a suite does not say which table it is about; taken by its name for {called},"
                           " name it with --table if that is wrong")  # fmt: skip
    schema, _, bare = called.rpartition(".")
    return found.naming.name(bare, schema or None)


def carry(item: Mapping[str, Any], place: Place, table: str, found: Imported) -> None:
    """Carry one expectation over, or say why not."""
    kind = str(item.get("expectation_type") or item.get("type") or "an expectation without a type")
    kwargs = item.get("kwargs") if isinstance(item.get("kwargs"), Mapping) else {}
    origin = f"{kind}({kwargs['column']})" if isinstance(kwargs, Mapping) and "column" in kwargs else kind
    try:
        found.add(table, [_draft(item, kind, dict(kwargs or {}), found)], origin, place)
    except MALFORMED as error:
        found.leave(origin, reason(error), place, table)


def _draft(item: Mapping[str, Any], kind: str, kwargs: dict[str, Any], found: Imported) -> Draft:
    translator = _KNOWN.get(kind)
    if translator is None:
        raise UnfaithfulError("daywatch does not know this expectation")
    if _parameters(kwargs):
        raise UnfaithfulError("an argument is a parameter ($PARAMETER), which is known only there")
    if kwargs.get("windows"):
        raise UnfaithfulError("its bounds come from past runs (windows); daywatch's own checks learn theirs")
    severity = str(item.get("severity") or kwargs.pop("severity", None) or "critical").lower()
    given = {key: value for key, value in kwargs.items() if key not in _ABOUT and value is not None}
    expectation = Expectation(kind, given, found.naming)
    where = condition(given.pop("row_condition", None), given.pop("condition_parser", None))
    body = translator(expectation)
    expectation.check_all_used()
    return Draft(
        body,
        where=where,
        low=severity in ("warning", "info"),
        description=_notes(item),
    )


def _parameters(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "$PARAMETER" in value or any(_parameters(v) for v in value.values())
    return isinstance(value, list) and any(_parameters(v) for v in value)


def _notes(item: Mapping[str, Any]) -> str | None:
    """What a person wrote about it."""
    meta = item.get("meta") if isinstance(item.get("meta"), Mapping) else {}
    notes = item.get("description") or item.get("notes") or (meta or {}).get("notes")
    if isinstance(notes, Mapping):
        notes = notes.get("content")
    if isinstance(notes, list):
        notes = " ".join(map(str, notes))
    return str(notes) if notes else None
