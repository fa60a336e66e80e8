"""Pieces of SQL that imported rules are made of, as all engines write them."""

# ruff: noqa: S608 - statements are put together of quoted names and literals

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from checks.rules.base import KINDS, RowRule
from checks.rules.words import words_of
from monitor.imports.found import UnfaithfulError
from monitor.types import Table

_PLAIN = re.compile(r"[^\W\d][\w$ ]*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_DIALECTS = {"postgres": "postgresql"}


def column(name: Any) -> str:
    """A column's name without the quotes it may be written in.

    Raises:
        UnfaithfulError: it is no name, but an expression.
    """
    text = str(name).strip()
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in '"`' else text
    if not _PLAIN.fullmatch(bare):
        raise UnfaithfulError(f"{text!r} is no column's name, but an expression")
    return bare


def columns(listed: Any) -> list[str]:
    """The names of columns in a list, or of one."""
    return [column(name) for name in (listed if isinstance(listed, list) else [listed])]


def quoted(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value as SQL."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"


def number(value: Any) -> int | float | None:
    """A number, also one written as text; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        found = float(value)
        return int(found) if found.is_integer() and "." not in value and "e" not in value.lower() else found
    return None


def day(value: Any) -> dt.date | None:
    """A date or time, also one written as text, in quotes or not; None where it is none."""
    if isinstance(value, dt.date):
        return value
    text = str(value).strip().strip("'")
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _table(dialect: str) -> Table:
    """A table of which nothing is known but how its engine speaks."""
    return Table("t", "main", ("t",), (), None, dialect=dialect)


def bad_rows(body: dict[str, Any], dialect: str) -> str:
    """The condition that a row breaks a rule on single rows.

    Raises:
        UnfaithfulError: the rule is of another sort, or what it says in SQL depends on an engine that is not known.
    """
    ((kind, settings),) = body.items()
    rule = KINDS[kind].model_validate(settings)
    if not isinstance(rule, RowRule):
        raise UnfaithfulError("a share of good values is known only of rules on single rows")
    written = rule.bad(words_of(_table(_DIALECTS.get(dialect, dialect) or "duckdb")))
    if not dialect and written != rule.bad(words_of(_table("postgresql"))):
        raise UnfaithfulError("how engines write it differs; name the warehouse with --url")
    return written


def share_of_known(body: dict[str, Any], name: str, least: float, dialect: str) -> dict[str, Any]:
    """A rule that at least so large a share of a column's values that are not NULL is good."""
    known, bad = f"{quoted(name)} IS NULL", bad_rows(body, dialect)
    each = f"CASE WHEN {known} THEN NULL WHEN {bad} THEN 0.0 ELSE 1.0 END"
    return {"aggregate": {"sql": f"COALESCE(AVG({each}), 1.0)", "min": least}}


def repeated(names: Sequence[str], condition: str | None = None) -> str:
    """A statement of the values that come more than once; NULL is a value like others unless `condition` says no."""
    keys = ", ".join(quoted(name) for name in names)
    where = f" WHERE {condition}" if condition else ""
    return f"SELECT {keys} FROM {{rows}} AS day{where} GROUP BY {keys} HAVING COUNT(*) > 1"


def unless(value: str, holds: str) -> str:
    """A statement of one row where a condition on aggregates is known not to hold, and of none otherwise."""
    return f"SELECT {value} AS value FROM {{rows}} AS day HAVING NOT ({holds})"


def stale(name: str, count: float, unit: str, *, empty: bool = True) -> str:
    """A statement of one row where the newest time of a column is older than so long; `empty`: or there is none."""
    for coarse, step in (("minute", 60), ("hour", 60), ("day", 24)):  # engines count seconds in small integers
        if unit in ("second", "minute", "hour") and unit != coarse and count % step == 0:
            count, unit = count / step, coarse
    newest = f"MAX({quoted(name)})"
    none = f"{newest} IS NULL OR " if empty else ""
    return (
        f"SELECT {newest} AS newest FROM {{rows}} AS day"
        f" HAVING {none}{newest} < CURRENT_TIMESTAMP - INTERVAL '{count:g} {unit}'"
    )
