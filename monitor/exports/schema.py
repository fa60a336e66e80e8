"""The JSON Schema of configurations, for editors: what the models say, and the short forms they take besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.rules.base import KINDS
from checks.rules.whole import AllRows
from monitor.config.models import config_schema

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1}


def export_schema() -> dict[str, Any]:
    """The schema of `daywatch.yaml`, in the draft of 2020-12."""
    schema = config_schema()
    definitions: dict[str, Any] = schema["$defs"]
    _let_rules_be_short(definitions["RuleEntry"])
    definitions["AllRows"] = _inner_rule(definitions["RuleEntry"])
    for body in [schema, *definitions.values()]:
        for form in [body, *body.get("anyOf", ())]:
            _let_keys_be_empty(form)
    return schema


def _let_rules_be_short(rule: dict[str, Any]) -> None:
    """`not_null: carrier` for `not_null: {columns: [carrier]}`; and of all kinds exactly one."""
    for name, kind in KINDS.items():
        forms = [_TEXT, _TEXTS] if kind.plain == "columns" else [_TEXT]
        said = rule["properties"][name]
        said["anyOf"] = [*forms, *said["anyOf"]]
    rule["oneOf"] = [{"required": [name]} for name in KINDS]


def _inner_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule inside another one: its kind alone."""
    kinds = {name: rule["properties"][name] for name, kind in KINDS.items() if kind is not AllRows and kind.needs_data}
    about = "Another kind of rule, about the whole table."
    return {"type": "object", "description": about, "properties": kinds, "additionalProperties": False,
            "minProperties": 1, "maxProperties": 1}  # fmt: skip


def _let_keys_be_empty(body: Mapping[str, Any]) -> None:
    """A key with nothing after it counts as not given; of those that must be given it is a mistake."""
    for key, said in body.get("properties", {}).items():
        if key in body.get("required", ()) or _takes_null(said):
            continue
        kept = {
            word: said.pop(word) for word in list(said) if word not in ("description", "examples", "default", "title")
        }
        said["anyOf"] = [kept, {"type": "null"}]


def _takes_null(said: Mapping[str, Any]) -> bool:
    return any(option.get("type") == "null" for option in said.get("anyOf", ()))
