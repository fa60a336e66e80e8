"""Settings and loads in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.estimate import Load
    from monitor.plan.changes import Edit
    from monitor.plan.declared import Declared

VALUE_MAX = 80
LIST_MAX = 6


def tell_value(value: Any) -> str:
    """A setting's value on one line, cut where it is long.

    >>> tell_value(["EWR", "JFK"]), tell_value(None), tell_value(True), tell_value({"of": "sum(a)"})
    ('EWR, JFK', 'not set', 'true', 'of: sum(a)')
    """
    if value is None or value == []:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}: {tell_value(part)}" for key, part in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(tell_value(part) for part in value)
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 3]}..."


def tell_edit(edit: Edit) -> str:
    """Old and new; of long lists what is new and what is gone.

    >>> from monitor.plan.changes import Edit
    >>> tell_edit(Edit("tolerance", 0.0, 0.01)), tell_edit(Edit("values", [1, 2, 3, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7, 8]))
    ('0 -> 0.01', '+ 8; - 1')
    """
    old, new = edit.old, edit.new
    if isinstance(old, list) and isinstance(new, list) and max(len(old), len(new)) > LIST_MAX:
        more, less = [v for v in new if v not in old], [v for v in old if v not in new]
        parts = [f"+ {tell_value(more)}" if more else "", f"- {tell_value(less)}" if less else ""]
        return "; ".join(part for part in parts if part) or "in another order"
    return f"{tell_value(old)} -> {tell_value(new)}"


def tell_settings(item: Declared) -> str:
    """What a check looks at, in short: `in_set origin, values: EWR, JFK, LGA`."""
    settings = dict(item.settings)
    kind = settings.pop("kind", "")
    columns = settings.pop("columns", [])
    lead = [kind, *columns] if kind else []
    if item.family == "relation":
        return f"{settings['column']} in {settings['references']}"
    if item.family == "entity":
        lead = [settings.pop("entity"), "by", settings.pop("statistic", "count(*)")]
    if item.family == "metric":
        lead = [settings.pop("sql")]
    rest = [f"{key.rpartition('.')[2]}: {tell_value(value)}" for key, value in settings.items() if key != kind]
    own = [tell_value(settings[kind])] if kind in settings else []
    text = ", ".join([" ".join([*map(str, lead), *own]), *rest])
    return text if len(text) <= VALUE_MAX else f"{text[: VALUE_MAX - 3]}..."


def tell_load(load: Load) -> str:
    """A load in words."""
    scanned = "" if load.scanned is None else f", {load.scanned:,.0f} rows scanned by aggregates"
    size = "" if load.bytes is None else f", {load.bytes / 1e9:,.1f} GB read"
    return f"{load.statements:,.0f} statements, {load.fetched:,.0f} rows fetched{scanned}{size}"


def tell_move(before: Load, after: Load) -> str:
    """How a month's load changes; empty where it does not to speak of."""
    statements = round(after.statements) - round(before.statements)
    scanned = round((after.scanned or 0.0) - (before.scanned or 0.0))
    parts = [f"{statements:+,} statements" if statements else "", f"{scanned:+,} rows scanned" if scanned else ""]
    return ", ".join(part for part in parts if part)


def counted(number: int, word: str) -> str:
    """A number with its word: `1 check`, `3 checks`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
