"""Messages as JSON mappings and back: the form in which they wait in the outbox."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, get_args

from monitor.alerts.blocks import Block, Message

_KINDS: Final[dict[str, type[Any]]] = {kind.__name__.lower(): kind for kind in get_args(Block)}
_FIELDS: Final = (
    "alert_id",
    "incident",
    "table",
    "partition",
    "event",
    "severity",
    "title",
    "findings",
    "owner",
    "priority",
    "story",
    "mentions",
)


def to_payload(message: Message) -> dict[str, Any]:
    """The message in JSON's own types; blocks carry their kind.

    The ids stand under `incident` and `findings`, where the store fills in those that it allocates.
    """
    payload: dict[str, Any] = {name: getattr(message, name) for name in _FIELDS}
    payload["findings"], payload["mentions"] = list(message.findings), list(message.mentions)
    payload["blocks"] = [_plain({"kind": type(block).__name__.lower(), **asdict(block)}) for block in message.blocks]
    return payload


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def from_payload(payload: Mapping[str, Any]) -> Message:
    """The message that `to_payload` wrote; blocks of kinds that are not known here are left out.

    Raises:
        ValueError: when it is not a message; says which part is wrong.
    """
    try:
        blocks = [
            _adapter(block["kind"]).validate_python({n: v for n, v in block.items() if n != "kind"})
            for block in payload["blocks"]
            if block["kind"] in _KINDS
        ]
        known = {name: payload[name] for name in _FIELDS if name in payload}
    except (KeyError, TypeError) as error:
        raise ValueError(f"no message: {type(error).__name__} at {error}") from error
    message: Message = _adapter("message").validate_python({**known, "blocks": tuple(blocks)})
    return message


@functools.cache
def _adapter(kind: str) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415 - heavy, and composing needs none

    return TypeAdapter(_KINDS.get(kind, Message))
