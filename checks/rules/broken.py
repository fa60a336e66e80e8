"""The rows that break a rule and those that do not, as statements: what they have in common is told from both."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from checks.rules.base import RowRule, Rule, ShapeRule, rows_where
from checks.rules.check import Written, made
from checks.rules.keys import NearUnique, References, Unique
from checks.rules.order import Decreasing, Increasing, NoOverlap, WithinStdevs
from checks.rules.tables import Query
from checks.rules.whole import AllRows
from checks.rules.words import ROWS, TABLE, Words, words_of
from monitor.types import Table

_OF_ROWS: tuple[type[ShapeRule], ...] = (NearUnique, References, Increasing, Decreasing, NoOverlap, WithinStdevs)
"""Kinds that select rows of the table as they are, and no values or pairs of them."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Statements, with tokens: all rows that a rule is about, those that break it, and those that do not.

    `condition` is what the owner wrote or the kind says of a row, for the columns in it; "" where there is none.
    `columns` are those that the rule names; `whole` says that it is about the whole table and not the partition.
    """

    rows: str
    bad: str
    good: str
    condition: str = ""
    columns: tuple[str, ...] = ()
    whole: bool = False


def broken_rows(written: Written, table: Table, wanted: Sequence[str]) -> Broken | None:
    """The statements of a rule; None where single rows do not break it, or daywatch cannot say which.

    Args:
        written: the rule, as the configuration hands it on.
        table: whose rules it is.
        wanted: columns by which good rows are told from bad ones, where that takes comparing them.
    """
    return _broken(made(written), words_of(table), written.get("where"), wanted)


def _broken(rule: Rule, words: Words, where: str | None, wanted: Sequence[str]) -> Broken | None:
    if isinstance(rule, AllRows):
        inner = _broken(rule.inner, words, where, wanted)
        return None if inner is None else _of_table(inner)
    rows = f"SELECT * FROM {rows_where(where)} AS day"
    if isinstance(rule, RowRule):
        condition = rule.bad(words)
        return _split(rows, condition, condition, rule.named)
    if isinstance(rule, Unique):
        keys = words.names(rule.columns)
        known = " AND ".join(f"{words.name(c)} IS NOT NULL" for c in rule.columns)
        copies = f"SELECT day.*, COUNT(*) OVER (PARTITION BY {keys}) AS daywatch_copies FROM {rows_where(where)} AS day"
        return _split(f"SELECT * FROM ({copies}) AS kept", f"daywatch_copies > 1 AND {known}", "", rule.named)
    own = isinstance(rule, Query) and not rule.gives_number
    bad = rule.bad_rows(words, where) if own or isinstance(rule, _OF_ROWS) else None
    if bad is None or not wanted:
        return None
    names = words.names(wanted)
    good = f"SELECT {names} FROM {rows_where(where)} AS day EXCEPT SELECT {names} FROM ({bad}) AS bad"
    return Broken(rows, bad, good, columns=tuple(rule.named))


def _split(rows: str, condition: str, told: str, columns: Sequence[str]) -> Broken:
    """Rows by a condition; those of which it is not known to hold are good."""
    bad, good = f"({condition}\n)", f"CASE WHEN ({condition}\n) THEN 1 ELSE 0 END = 0"
    return Broken(rows, f"{rows} WHERE {bad}", f"{rows} WHERE {good}", told, tuple(columns))


def _of_table(inner: Broken) -> Broken:
    told: dict[str, Any] = {name: getattr(inner, name).replace(ROWS, TABLE) for name in ("rows", "bad", "good")}
    return replace(inner, **told, whole=True)
