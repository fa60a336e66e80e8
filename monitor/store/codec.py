"""Between values and the JSON texts they are stored as.

Texts are written as ASCII, so that NUL and lone surrogates, which PostgreSQL and UTF-8 refuse, survive. Inside the
documents of findings and incidents NaN and infinities survive as Python's JSON tokens.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import from_json

from monitor.types import Column, ColumnKind, Finding, Incident, Partition


def dump(value: Any) -> str:
    """The compact JSON text of a value made of dataclasses, mappings, sequences, texts, numbers, dates.

    Raises:
        TypeError: for anything else; frames and arrays never enter the store.
    """
    return json.dumps(plain(value), separators=(",", ":"))


def plain(value: Any) -> Any:
    """The same value in JSON's own types; TypeError for what has none."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(part) for part in value), key=repr)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    """A numpy scalar or a Decimal as a number; by behaviour, so that the store needs no numpy."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    if hasattr(value, "is_finite") and hasattr(value, "as_tuple"):
        return float(value)
    raise TypeError(f"a {type(value).__module__}.{type(value).__name__} cannot enter the store: give texts and numbers")


def load_all(documents: Sequence[str]) -> list[Any]:
    """Many JSON texts at once: parsed together they share the texts of their names, which is faster and smaller."""
    text = "[" + ",".join(documents) + "]"
    loaded: list[Any]
    try:
        loaded = from_json(text)  # four times as fast as the standard library
    except ValueError:  # it refuses lone surrogates, which a column's name may hold
        loaded = json.loads(text)
    return loaded


def dump_values(values: Mapping[str, float | None]) -> str:
    """Aggregates by name; what is not finite is written as null."""
    return json.dumps({name: _finite(value) for name, value in values.items()}, separators=(",", ":"))


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def dump_scores(scores: Mapping[str, float], what: str) -> str:
    """Scores by check name.

    Raises:
        ValueError: for a score that is not finite; as part of a past it would spoil every later threshold.
    """
    for check, score in scores.items():
        if not math.isfinite(score):
            raise ValueError(f"the {what} of check {check} is {score}: leave it out where there is none")
    return json.dumps({check: float(score) for check, score in scores.items()}, separators=(",", ":"))


def dump_names(names: Iterable[str]) -> str:
    """A set of names, sorted, so that equal sets are equal texts."""
    return json.dumps(sorted(names), separators=(",", ":"))


def dump_partition(partition: Partition) -> str:
    """The partition without its order and label, which have their own columns; "{}" where there is nothing else."""
    parts = {"start": partition.start, "end": partition.end, "value": partition.value}
    document = {name: plain(part) for name, part in parts.items() if part is not None}
    # A day's bounds lie in the table's zone: an offset alone would lose it, and with it equality around a clock change.
    if partition.start is not None and isinstance(partition.start.tzinfo, ZoneInfo):
        document["zone"] = partition.start.tzinfo.key
    return json.dumps(document, separators=(",", ":"))


def load_partition(order: str, label: str, document: Mapping[str, Any]) -> Partition:
    """The partition that `dump_partition` wrote; `document` is its parsed text."""
    zone = document.get("zone")
    return Partition(
        order, label, _time(document.get("start"), zone), _time(document.get("end"), zone), document.get("value")
    )


def _time(text: str | None, zone: str | None) -> dt.datetime | None:
    if text is None:
        return None
    time = dt.datetime.fromisoformat(text)
    if zone is None:
        return time
    # The wall clock is kept, midnights that a clock change skips included; the offset says which of two equal ones.
    local = time.replace(tzinfo=ZoneInfo(zone))
    return local if local.utcoffset() == time.utcoffset() else local.replace(fold=1)


def dump_schema(schema: Sequence[Column]) -> tuple[str, str]:
    """A digest, and the text it is of."""
    plain = [[c.name, c.kind.value, c.type, c.nullable, *([c.within, c.steps] if c.within else [])] for c in schema]
    document = json.dumps(plain, separators=(",", ":"))
    return hashlib.sha256(document.encode()).hexdigest(), document


@functools.lru_cache(maxsize=256)
def load_schema(document: str) -> tuple[Column, ...]:
    """The columns that `dump_schema` wrote; cached, because a table has the same ones for months."""
    return tuple(
        Column(name, ColumnKind(kind), type_, nullable, *((rest[0], tuple(rest[1])) if rest else ()))
        for name, kind, type_, nullable, *rest in json.loads(document)
    )


@functools.cache
def _adapter(of: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def load_finding(document: str) -> Finding:
    """The finding that `dump` wrote; fields added since take their defaults."""
    finding: Finding = _adapter(Finding).validate_python(json.loads(document))
    return finding


def load_incident(document: str) -> Incident:
    """The incident event that `dump` wrote; fields added since take their defaults."""
    incident: Incident = _adapter(Incident).validate_python(json.loads(document))
    return incident
