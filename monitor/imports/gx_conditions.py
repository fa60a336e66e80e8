"""Row conditions of Great Expectations as SQL: those whose treatment of NULL is the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.imports import sql
from monitor.imports.found import UnfaithfulError

_LITERAL = r"(?P<value>-?\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\")"
_OPERATOR = r"\s*(?P<sign>==|>=|<=|>|<)\s*"
_OWN = re.compile(
    rf"\s*col\(\s*['\"](?P<name>[^'\"]+)['\"]\s*\)(?:{_OPERATOR}{_LITERAL}|\.(?P<known>notNull|notnull)\(\))\s*"
)
_PANDAS = re.compile(rf"\s*`?(?P<name>[A-Za-z_]\w*)`?(?:{_OPERATOR}{_LITERAL}|\.(?P<known>notnull|notna)\(\))\s*")
_SIGNS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def condition(given: Any, parser: Any) -> str | None:
    """A row condition as SQL; None where there is none.

    Raises:
        UnfaithfulError: it is more than a comparison with a value, or a test for NULL.
    """
    if given is None:
        return None
    if isinstance(given, Mapping):
        return _structured(given)
    pattern = _PANDAS if parser == "pandas" else _OWN
    parts = [pattern.fullmatch(part) for part in re.split(r"\s+and\s+|\s+&\s+", str(given))]
    if not all(parts):
        raise UnfaithfulError("its row_condition is more than comparisons of a column with a value")
    return " AND ".join(_comparison(part) for part in parts if part)


def _comparison(found: re.Match[str]) -> str:
    name = sql.quoted(found["name"])
    if found["known"]:
        return f"{name} IS NOT NULL"
    text = found["value"]
    value = sql.literal(text[1:-1]) if text[0] in "'\"" else text
    return f"{name} {_SIGNS[found['sign']]} {value}"


def _structured(given: Mapping[str, Any]) -> str:
    kind = given.get("type")
    if kind in ("and", "or"):
        parts = [_structured(part) for part in given.get("conditions") or []]
        return f" {str(kind).upper()} ".join(f"({part})" for part in parts)
    column = given.get("column")
    name = sql.quoted(sql.column(column.get("name") if isinstance(column, Mapping) else column))
    if kind == "nullity":
        return f"{name} IS {'' if given.get('is_null') else 'NOT '}NULL"
    sign, value = str(given.get("operator")), given.get("parameter")
    if kind == "comparison" and sign in ("IN", "NOT_IN", "NOT IN") and isinstance(value, list) and sign == "IN":
        return f"{name} IN ({', '.join(map(sql.literal, value))})"
    if kind == "comparison" and sign in _SIGNS and sign != "!=" and isinstance(value, str | int | float):
        return f"{name} {_SIGNS[sign]} {sql.literal(value)}"
    raise UnfaithfulError("its row_condition is more than comparisons of a column with a value")
