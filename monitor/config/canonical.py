"""Whether two settings mean the same: spaces in SQL, the order of keys and of sets of values do not matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from checks.rules import KINDS

_SETS = frozenset({"values", "labels", "ignore_columns", "channels", "by"})
_SQL = frozenset({"where", "sql", "of", "to", "statistic"}) | {
    name for kind in KINDS.values() for name in kind.fragments
}
_EXACT = frozenset({"STRING", "IDENTIFIER"})


def canonical(value: Any, key: str = "") -> Any:
    """A hashable value, equal for settings that mean the same; `key` is what the value stands under.

    >>> canonical({"where": "a > 1", "values": [2, 1]}) == canonical({"values": [1, 2], "where": "a>1"})
    True
    """
    if isinstance(value, Mapping):
        return tuple(sorted(((str(k), canonical(v, str(k))) for k, v in value.items() if v is not None), key=repr))
    if isinstance(value, list | tuple | set | frozenset):
        items = [canonical(item) for item in value]
        return ("list", *(sorted(items, key=repr) if key in _SETS else items))
    if isinstance(value, Enum):
        return canonical(value.value, key)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str) and key in _SQL:
        return _tokens(value)
    return (type(value).__name__, value) if isinstance(value, bool) else value


@lru_cache(maxsize=10_000)
def _tokens(sql: str) -> Any:
    """The words of a piece of SQL, without the spaces between them; those that are not quoted without their case."""
    import sqlglot  # noqa: PLC0415 - heavy, and many configurations hold no SQL
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - likewise

    try:
        found = sqlglot.tokenize(sql)
    except SqlglotError:
        return " ".join(sql.split())
    kinds = [(token.token_type.name, token.text) for token in found]
    return tuple((kind, text if kind in _EXACT else text.casefold()) for kind, text in kinds)
