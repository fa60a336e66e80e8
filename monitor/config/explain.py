"""What pydantic found wrong, said so that a person can mend it: what stands there, what is wanted, an example."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from monitor.config.models import Config, Defaults, TableEntry
from monitor.config.source import Loc, Place, Source
from monitor.config.suggest import KEY_CUTOFF, any_of, did_you_mean, nearest

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "finite_number": "a finite number",
}
_SHOWN_MAX = 60


def note_errors(error: ValidationError, source: Source) -> None:
    """Add each of pydantic's errors to the source's problems, but none where a problem is known already."""
    known = {problem.loc for problem in source.problems}
    details = error.errors(include_url=False, include_context=True, include_input=False)
    misspelt = dict(_misspelt(details))
    for detail in details:
        loc = _written(tuple(detail["loc"]), source)
        if loc in known:
            continue
        if detail["type"] == "missing" and loc[-1] in misspelt.get(loc[:-1], ()):
            continue
        source.problem(loc, _explain(detail, loc, source))


def _misspelt(details: Sequence[Any]) -> Iterator[tuple[Loc, set[str]]]:
    """For each mapping, the known keys that its unknown keys were probably meant to be."""
    by_parent: dict[Loc, set[str]] = {}
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *parent, key = detail["loc"]
            known = _model_fields(tuple(parent))
            by_parent.setdefault(tuple(parent), set()).update(nearest(str(key), known, KEY_CUTOFF))
    yield from by_parent.items()


def _written(loc: Loc, source: Source) -> Loc:
    """`loc` as the file has it: an address that stands for a warehouse's mapping has no `url` of its own."""
    if loc in source.places or not loc or loc[:-1] not in source.places:
        return loc
    return loc[:-1] if loc[0] == "warehouses" and loc[-1] == "url" and source.places[loc[:-1]].raw else loc


def _explain(detail: Any, loc: Loc, source: Source) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    place = source.places.get(loc)
    field = _field(tuple(detail["loc"]))
    if kind == "extra_forbidden":
        return _explain_unknown(loc)
    if kind == "missing":
        return f"missing{_example(field)}"
    if kind == "refused":
        return f"{_prefix(place, field, loc, source)}{context['text']}"
    found = _found(place, loc, source, field)
    if kind in ("enum", "literal_error"):
        choices = [str(choice) for choice in _choices(field)]
        meant = "" if place is None or place.substituted else did_you_mean(place.raw, choices)
        return f"found {found}, wanted {any_of(choices)}{meant}"
    if kind == "string_type":
        return f"found {found}, wanted text; {_quote_it(place, field)}"
    if kind in _WANTED:
        return f"found {found}, wanted {_WANTED[kind]}{_example(field, loc)}"
    bound = _explain_bound(kind, context)
    return f"found {found}, wanted {bound}{_example(field)}" if bound else f"{detail['msg']}{_example(field)}"


def _prefix(place: Place | None, field: FieldInfo | None, loc: Loc, source: Source) -> str:
    """`found '25:00': ` before an error about one plain value; nothing before those about a whole mapping."""
    if place is None or not place.raw or (field is not None and _is_secret(field)):
        return ""
    return f"found {_found(place, loc, source, field)}: "


def _explain_unknown(loc: Loc) -> str:
    *parent, key = loc
    known = _model_fields(tuple(parent))
    meant = did_you_mean(str(key), known, KEY_CUTOFF)
    if meant and str(key) not in _homes():
        return f"unknown key{meant}"
    home = _homes().get(str(key))
    if home:
        return f"unknown key here; it belongs {home}"
    if meant:
        return f"unknown key{meant}"
    return f"unknown key; known here: {', '.join(sorted(known))}" if known else "unknown key"


def _explain_bound(kind: str, context: dict[str, Any]) -> str:
    words = {
        "greater_than": "more than {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "less than {lt}",
        "less_than_equal": "at most {le}",
        "string_too_short": "text that is not empty",
        "too_short": "at least one",
    }
    return words.get(kind, "").format(**context)


def _found(place: Place | None, loc: Loc, source: Source, field: FieldInfo | None) -> str:
    value = _value(loc, source.data)
    what = {
        bool: "the boolean",
        int: "the number",
        float: "the number",
        str: "the text",
        dict: "a mapping",
        list: "a list",
        type(None): "nothing",
    }.get(type(value), "the date")
    if isinstance(value, dict | list) or value is None or place is None:
        return f"an empty {what[2:]}" if value in ({}, []) else what
    if field is not None and _is_secret(field):
        return f"{what} (not shown)"
    raw = place.raw if len(place.raw) <= _SHOWN_MAX else place.raw[:_SHOWN_MAX] + "..."
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}" + (f" (YAML reads `{raw}` so)" if raw != str(value).lower() else "")
    return f"{what} {raw!r}" if isinstance(value, str) else f"{what} {raw}"


def _quote_it(place: Place | None, field: FieldInfo | None) -> str:
    if place is not None and place.raw and not (field is not None and _is_secret(field)):
        return f'put it in quotes: "{place.raw[:_SHOWN_MAX]}"'
    return f"for example{_example(field).removeprefix(', for example')}" if _example(field) else "write it as text"


def _example(field: FieldInfo | None, loc: Loc = ()) -> str:
    if field is None or not field.examples:
        return ""
    example = field.examples[0]
    if loc and isinstance(loc[-1], int) and isinstance(example, list):
        example = example[0]
    if isinstance(example, str):
        return f', for example "{example}"'
    if isinstance(example, bool):
        return f", for example {str(example).lower()}"
    return f", for example {yaml.safe_dump(example, default_flow_style=True, width=10_000).splitlines()[0]}"


def _value(loc: Loc, data: Any) -> Any:
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return data
    return data


def _homes() -> dict[str, str]:
    """Where a key belongs that stands in the wrong mapping."""
    homes = dict.fromkeys(TableEntry.model_fields, "under an entry of tables")
    homes |= dict.fromkeys(Defaults.model_fields, "under defaults, or under an entry of tables")
    homes |= dict.fromkeys(Config.model_fields, "at the top level")
    return {**homes, "retention_days": "under defaults", "name": "", "url": ""}


def _model_fields(loc: Loc) -> list[str]:
    kind = _type_at(loc)
    model = next((part for part in _parts(kind) if _is_model(part)), None)
    return list(model.model_fields) if model else []


def _field(loc: Loc) -> FieldInfo | None:
    """The field that a value at `loc` belongs to: an item of a list belongs to the list's."""
    while loc and not isinstance(loc[-1], str):
        loc = loc[:-1]
    if not loc:
        return None
    model = next((part for part in _parts(_type_at(loc[:-1])) if _is_model(part)), None)
    return model.model_fields.get(str(loc[-1])) if model else None


def _type_at(loc: Loc) -> Any:
    kind: Any = Config
    for part in loc:
        kind = next(iter(_inside(kind, part)), None)
    return kind


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    for choice in _parts(kind):
        if _is_model(choice) and part in choice.model_fields:
            yield choice.model_fields[str(part)].annotation
        elif typing.get_origin(choice) is list and isinstance(part, int):
            yield typing.get_args(choice)[0]
        elif typing.get_origin(choice) is dict:
            yield typing.get_args(choice)[1]


def _parts(kind: Any) -> Iterator[Any]:
    """The alternatives of a type, without None and annotations."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for choice in typing.get_args(kind):
            yield from _parts(choice)
    elif origin is typing.Annotated:
        yield from _parts(typing.get_args(kind)[0])
    elif kind is not None and kind is not type(None):
        yield kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_secret(field: FieldInfo) -> bool:
    """Whether a field's value may not be shown, alone or inside a mapping."""
    parts = list(_parts(field.annotation))
    inner = [argument for part in parts for argument in typing.get_args(part)]
    return any(SecretStr in list(_parts(part)) for part in (*parts, *inner))


def _choices(field: FieldInfo | None) -> list[Any]:
    if field is None:
        return []
    kind = next(iter(_parts(field.annotation)))
    return list(typing.get_args(kind)) or list(kind)
