"""Text that is cut, padded, recoded, or reads differently."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import pandas as pd

from chaos.choice import RANDOM
from chaos.fault import ChaosError, Fault, options
from chaos.frame import FrameDay, objects, rewrite
from chaos.query import Damage, SqlDay, rewrite_sql
from monitor.types import Change, ColumnKind

# What UTF-8 read as Windows-1252 makes of the commonest characters of western Europe.
_DAMAGED = {
    character: character.encode().decode("cp1252")
    for character in "\xc2\xc3\xa2\xa3\xa4\xa7\xa9\xac\xb0\xb4\xb6\xbc\xbf\xe0\xe1\xe2\xe4\xe7\xe8\xe9\xea\xed\xf1\xf3"
    "\xf4\xf6\xfc\xc4\xc9\xd6\xdc\xdf\u20ac\u2019\u2013"
}
_REPLACED_AT_ONCE = 7
_NON_ASCII = {ord(character): damaged for character, damaged in _DAMAGED.items()}
_ISO_DATE = re.compile(r"^(\d{4})-(\d{2})-(\d{2})")
_FIRST_MEMBER = re.compile(r'^[{] *"[^"]*" *: *("[^"]*"|[-0-9.eE+a-z]+) *, *')


def _textual(
    name: str,
    change: Change,
    about: str,
    frame: Callable[[FrameDay, str], Callable[[str], str]],
    sql: Callable[[SqlDay, str, str], str],
    **more: Any,
) -> Fault:
    """A fault of a text column: a new text from each old one; NULL stays NULL."""

    def sql_values(day: SqlDay, column: str) -> str:
        return sql(day, column, _as_text(day, column, name))

    return Fault(
        name=name,
        change=change,
        needs=more.pop("needs", ("text_column",)),
        moves="column",
        about=about,
        choice=RANDOM,
        frame=rewrite(_each(frame)),
        sql=rewrite_sql(sql_values),
        **more,
    )


def _each(frame: Callable[[FrameDay, str], Callable[[str], str]]) -> Callable[[FrameDay, str, pd.Series[Any]], Any]:
    """A rewrite of every known text of the rows hit."""

    def values(day: FrameDay, column: str, old: pd.Series[Any]) -> Any:
        change_text = frame(day, column)
        changed = [None if text is None else change_text(str(text)) for text in objects(old)]
        return np.array(changed, dtype=object)

    return values


def _as_text(day: SqlDay, column: str, fault: str) -> str:
    if day.kind(column) not in (ColumnKind.TEXT, ColumnKind.JSON):
        raise ChaosError(f"{column!r} is not a text column", mend=f"choose a text column for {fault}")
    return f"CAST({day.quote(column)} AS VARCHAR)"


def _by_text(change: Callable[[str], str]) -> Callable[[FrameDay, str], Callable[[str], str]]:
    """A change that needs nothing but the text itself."""
    return lambda day, column: change  # noqa: ARG005 - the shape of a textual change


def _kept_characters(day: FrameDay, column: str) -> int:
    lengths = day.frame[column].dropna().astype(str).str.len()
    return max(1, int(lengths.mean() / (1 + day.intensity))) if len(lengths) else 1


def _cut(day: FrameDay, column: str) -> Callable[[str], str]:
    kept = _kept_characters(day, column)
    return lambda text: text[:kept]


def _cut_sql(day: SqlDay, column: str, old: str) -> str:
    mean = f"(SELECT AVG(LENGTH(CAST({day.quote(column)} AS VARCHAR))) FROM chaos_day)"
    return f"LEFT({old}, CAST(GREATEST(1, FLOOR({mean} / {1 + day.intensity!r})) AS INT))"


def _other_case(text: str) -> str:
    return text.upper() if text == text.lower() else text.lower()


def _other_case_sql(_: SqlDay, column: str, old: str) -> str:  # noqa: ARG001 - the shape of a rewrite
    return f"CASE WHEN {old} = LOWER({old}) THEN UPPER({old}) ELSE LOWER({old}) END"


def _padding(intensity: float) -> str:
    return " " * max(1, round(intensity))


def _other_date(text: str) -> str:
    return _ISO_DATE.sub(r"\3/\2/\1", text)


def _other_date_sql(_: SqlDay, column: str, old: str) -> str:  # noqa: ARG001 - the shape of a rewrite
    parts = f"SUBSTR({old}, 9, 2) || '/' || SUBSTR({old}, 6, 2) || '/' || SUBSTR({old}, 1, 4) || SUBSTR({old}, 11)"
    return f"CASE WHEN {old} LIKE '____-__-__%' THEN {parts} ELSE {old} END"


def _garbled(text: str) -> str:
    return text.translate(_NON_ASCII)


def _garbled_sql(day: SqlDay) -> Damage:
    """A few replacements a step: nested all at once they would be too deep for a parser."""
    order = _replacement_order()
    chunks = [order[i : i + _REPLACED_AT_ONCE] for i in range(0, len(order), _REPLACED_AT_ONCE)]
    texts = {name: _as_text(day, name, "mojibake") for name in day.columns}
    steps, rows = [], "chaos_marked"
    for number, chunk in enumerate(chunks):
        named = {name: f"chaos_text_{number}_{i}" for i, name in enumerate(texts)}
        replaced = ", ".join(f"{_replaced(texts[name], chunk)} AS {named[name]}" for name in texts)
        steps.append((f"chaos_read_{number}", f"SELECT *, {replaced} FROM {rows}"))
        texts, rows = named, f"chaos_read_{number}"
    return Damage(values=texts, steps=tuple(steps), rows=rows)


def _replaced(text: str, characters: Sequence[str]) -> str:
    for character in characters:
        text = f"REPLACE({text}, '{character}', '{_DAMAGED[character]}')"
    return text


def _replacement_order() -> list[str]:
    """A character that other replacements make is replaced before them, or it would be damaged twice."""
    makers = {character: set(damaged) & set(_DAMAGED) - {character} for character, damaged in _DAMAGED.items()}
    sorter = TopologicalSorter(makers)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def _has(pattern: str) -> Callable[[pd.DataFrame, Sequence[str]], bool]:
    def trace(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
        return bool(frame[columns[0]].dropna().astype(str).str.contains(pattern, regex=True).any())

    return trace


def _json_renamed(text: str) -> str:
    return '{"new_' + text[2:] if text.startswith('{"') else text


def _json_renamed_sql(_: SqlDay, column: str, old: str) -> str:  # noqa: ARG001 - the shape of a rewrite
    return f"""CASE WHEN {old} LIKE '{{"%' THEN '{{"new_' || SUBSTR({old}, 3) ELSE {old} END"""


FAULTS = (
    _textual(
        "empty_strings",
        Change.EMPTY_UP,
        "A share of a text column's values becomes the empty string.",
        _by_text(lambda _: ""),
        lambda day, column, old: f"CASE WHEN {old} IS NULL THEN NULL ELSE '' END",  # noqa: ARG005
        traceless_when="the values hit are empty or NULL anyway",
    ),
    _textual(
        "truncate_text",
        Change.FORMAT,
        "Text is cut to the mean length divided by 1 + intensity.",
        _cut,
        _cut_sql,
        options=options(intensity=1.0),
        traceless_when="the values hit are that short anyway",
    ),
    _textual(
        "change_case",
        Change.FORMAT,
        "Text changes its case: lower case to upper case, all else to lower case.",
        _by_text(_other_case),
        _other_case_sql,
        traceless_when="the values hit have no letters",
    ),
    _textual(
        "whitespace",
        Change.FORMAT,
        "Spaces (intensity of them) follow the text.",
        lambda day, _: lambda text: text + _padding(day.intensity),
        lambda day, column, old: f"({old} || '{_padding(day.intensity)}')",  # noqa: ARG005
        options=options(intensity=1.0),
    ),
    Fault(
        name="mojibake",
        change=Change.FORMAT,
        needs=("text_column",),
        moves="column",
        about="Text in UTF-8 is read as Windows-1252: accented letters become two odd characters.",
        choice=RANDOM,
        frame=rewrite(_each(_by_text(_garbled))),
        sql=_garbled_sql,
        options=options(rows=1.0),
        traceless_when="the text is plain ASCII",
        trace=_has("[" + "".join(_DAMAGED) + "]"),
    ),
    _textual(
        "date_format",
        Change.FORMAT,
        "Dates written 2013-02-08 come as 08/02/2013.",
        _by_text(_other_date),
        _other_date_sql,
        traceless_when="the text holds no ISO dates",
        trace=_has(_ISO_DATE.pattern.replace("(", "(?:")),
    ),
    _textual(
        "json_key_lost",
        Change.SCHEMA,
        "The first member of JSON objects is gone.",
        _by_text(lambda text: _FIRST_MEMBER.sub("{", text, count=1)),
        lambda day, column, old: f"REGEXP_REPLACE({old}, '{_FIRST_MEMBER.pattern}', '{{')",  # noqa: ARG005
        traceless_when="the column holds no JSON objects, or their first value is itself an object",
        trace=_has(_FIRST_MEMBER.pattern.replace("(", "(?:")),
    ),
    _textual(
        "json_key_renamed",
        Change.SCHEMA,
        "The first key of JSON objects has another name.",
        _by_text(_json_renamed),
        _json_renamed_sql,
        traceless_when="the column holds no JSON objects",
        trace=_has('^[{]"'),
    ),
)
