"""Schema checks of SodaCL as rules on a table's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.imports import sql
from monitor.imports.found import Draft, UnfaithfulError

_TYPES = {
    "duckdb": frozenset(
        {"bigint", "boolean", "date", "double", "float", "integer", "smallint", "timestamp", "varchar"}
    ),
    "postgres": frozenset({"bigint", "boolean", "date", "double precision", "integer", "numeric", "smallint", "text"}),
}
"""By engine, names of types that are the engine's own words, so that comparing them by letters is enough."""


def schema_drafts(config: Mapping[str, Any], dialect: str) -> Sequence[Draft]:
    """The rules of a schema check, those under `warn` of low priority.

    Raises:
        UnfaithfulError: it asks for something that daywatch has no rule for.
    """
    drafts = []
    for level in ("fail", "warn"):
        given = config.get(level)
        if isinstance(given, Mapping):
            for key, value in given.items():
                drafts += [Draft(body, low=level == "warn") for body in _bodies(str(key), value, dialect)]
    if not drafts:
        raise UnfaithfulError("it has neither fail nor warn with conditions")
    return drafts


def _bodies(key: str, value: Any, dialect: str) -> list[dict[str, Any]]:
    if key == "when required column missing" and isinstance(value, list):
        return [{"has_columns": sql.columns(value)}]
    if key == "when wrong column type" and isinstance(value, Mapping):
        known = _TYPES.get(dialect, frozenset())
        foreign = sorted({str(t) for t in value.values()} - known)
        if foreign:
            raise UnfaithfulError(
                f"the types {', '.join(foreign)} may be the engine's under other names"
                f"{'' if dialect else ' (name it with --url)'}; `column_type` wants the engine's own"
            )
        return [{"column_type": {"column": sql.column(c), "is": str(t)}} for c, t in value.items()]
    if key == "when schema changes":
        raise UnfaithfulError("daywatch's own check `schema` tells of changes; leave `automatic` on")
    raise UnfaithfulError(f"{key} has no equal in daywatch")
