"""Parts of plain values, empty where they are of another kind: what is wrong with them is told elsewhere."""

from __future__ import annotations

from typing import Any

from monitor.config.source import Loc


def as_list(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def as_dict(value: Any) -> dict[str, Any]:
    """The mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(entry: dict[str, Any], key: str, loc: Loc) -> list[tuple[Loc, dict[str, Any]]]:
    """The mappings in the list under `key`, each with its place."""
    return [((*loc, key, i), item) for i, item in enumerate(as_list(entry.get(key))) if isinstance(item, dict)]
