"""Changes in JSON's own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.plan.changes import Change
    from monitor.plan.declared import Declared


def change_json(change: Change) -> dict[str, Any]:
    """A change as the history of the store and `plan --format json` have it."""
    item = change.item
    return {
        "change": change.what,
        "id": item.id,
        "family": item.family,
        "table": item.table,
        "check": item.check or None,
        "owner": item.owner,
        "channels": list(item.channels),
        "place": item.place or None,
        "edits": [{"key": edit.key, "old": edit.old, "new": edit.new} for edit in change.edits],
        "before": _settings(change.before),
        "after": _settings(change.after),
        "hint": change.hint or None,
    }


def _settings(item: Declared | None) -> dict[str, Any] | None:
    return None if item is None else dict(item.settings)
