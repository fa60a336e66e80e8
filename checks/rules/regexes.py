"""What a regular expression of Python asks for that an engine does not have."""

from __future__ import annotations

import re

_CLASSES = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPES = re.compile(r"\\.", re.DOTALL)
_BACK = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=")
_LOOK = re.compile(r"\(\?<?[=!]")
_RARE = re.compile(r"\(\?[>(]|[*+?}]\+")
_NAMED = re.compile(r"\(\?P<")


def lacking(regex: str, dialect: str) -> str | None:
    """What of an expression the engine of a dialect (as sqlglot calls it) cannot do, in words; None if nothing.

    >>> lacking("(?=a)", "duckdb"), lacking("(?=a)", "postgres"), lacking("[(?=a)]", "duckdb")
    ('looking ahead or behind', None, None)
    """
    outside = _CLASSES.sub("", regex)
    bare = _ESCAPES.sub("", outside)
    if _RARE.search(bare):
        return "atomic groups, conditions and possessive repeats"
    if dialect == "postgres":
        return "named groups" if _NAMED.search(bare) else None
    if dialect not in ("duckdb", "snowflake"):
        return None
    if _BACK.search(outside):
        return "references back to a group"
    if _LOOK.search(bare):
        return "looking ahead or behind"
    return "named groups" if dialect == "snowflake" and _NAMED.search(bare) else None
