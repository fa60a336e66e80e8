"""A JSON Schema as conditions in SQL: the words of it that can be said of a value without reading it whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.rules.fields import refuse
from checks.rules.words import Words

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_LENGTHS = {"minLength": "<", "maxLength": ">"}
_BOUNDS = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}
_SILENT = frozenset({"$schema", "$id", "title", "description", "examples", "default", "$comment"})
_KNOWN = frozenset({"type", "required", "properties", "enum", "const", "pattern", *_LENGTHS, *_BOUNDS})
DEPTH_MAX = 8


def check(schema: Any, depth: int = 0) -> None:
    """Refuse a schema with words that are not known here, or with settings that make no sense."""
    if not isinstance(schema, Mapping):
        raise refuse("wanted a JSON Schema: a mapping, such as {type: object, required: [id]}")
    if depth > DEPTH_MAX:
        raise refuse(f"a schema is at most {DEPTH_MAX} levels deep")
    unknown = sorted(str(key) for key in set(schema) - _KNOWN - _SILENT)
    if unknown:
        raise refuse(f"{unknown[0]} is not supported; known are {', '.join(sorted(_KNOWN))}")
    kinds = schema.get("type", [])
    if any(kind not in _TYPES for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        raise refuse(f"no such type; known are {', '.join(_TYPES)}")
    if any(not isinstance(schema[key], int | float) for key in (*_LENGTHS, *_BOUNDS) if key in schema):
        raise refuse("a bound of a schema must be a number")
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except (re.error, TypeError):
            raise refuse("pattern is not a regular expression") from None
    for inner in schema.get("properties", {}).values():
        check(inner, depth + 1)


def breaks(words: Words, text: str, schema: Mapping[str, Any], path: Sequence[str] = ()) -> Iterator[str]:
    """Conditions of a JSON text that breaks the schema: TRUE where it does, FALSE or NULL where not."""
    kind = words.json_kind(text, path)
    value = words.json_text(text, path)
    if "type" in schema:
        yield f"{kind} NOT IN ({words.literals(_kinds(words, schema['type']))})"
        if "integer" in schema["type"] and "number" not in schema["type"]:
            numbers = words.literals(words.json_kinds["number"])
            yield f"{kind} IN ({numbers}) AND NOT ({words.matches(value, '^-?[0-9]+$')})"
    for key in schema.get("required", ()):
        objects = words.literals(words.json_kinds["object"])
        yield f"{kind} IN ({objects}) AND {words.json_kind(text, [*path, key])} IS NULL"
    if "enum" in schema or "const" in schema:
        allowed = [_scalar(v) for v in schema.get("enum", [schema.get("const")])]
        yield f"{value} NOT IN ({words.literals(allowed)})"
    strings = f"{kind} IN ({words.literals(words.json_kinds['string'])})"
    numbers = f"{kind} IN ({words.literals(words.json_kinds['number'])})"
    yield from (
        f"{strings} AND LENGTH({value}) {sign} {schema[key]}" for key, sign in _LENGTHS.items() if key in schema
    )
    if "pattern" in schema:
        yield f"{strings} AND NOT ({words.matches(value, schema['pattern'])})"
    for key, sign in _BOUNDS.items():
        if key in schema and math.isfinite(schema[key]):
            yield f"CASE WHEN {numbers} THEN {words.real(value)} {sign} {schema[key]!r} END"
    for key, inner in schema.get("properties", {}).items():
        yield from breaks(words, text, inner, [*path, key])


def _kinds(words: Words, kinds: str | Sequence[str]) -> list[str]:
    return [word for kind in ([kinds] if isinstance(kinds, str) else kinds) for word in words.json_kinds[kind]]


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
