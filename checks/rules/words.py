"""The words of an engine's SQL that rules are written in: one class an engine, the differences alone in it.

Rules never send what they write. Parts of it that are known only when a partition is read stand as tokens (`ROWS`,
`moment`, `other_table`), which the reader replaces.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence

from monitor.types import ColumnKind, Table

ROWS = "@@daywatch:rows@@"
"""Stands for the partition's rows, as something to select from."""
EARLIER = "@@daywatch:earlier@@"
"""Stands for the rows of the seven partitions before."""
TABLE = "@@daywatch:table@@"
"""Stands for the whole table."""
_INSIDE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def moment(anchor: str, seconds: float, form: str) -> str:
    """The token of a time: the partition's `start` or `end` and so many seconds, as `date`, `naive` or `aware`."""
    return f"@@daywatch:{anchor}:{seconds:.0f}:{form}@@"


def other_table(name: str) -> str:
    """The token of another table, named as in the configuration."""
    return f"@@daywatch:of:{name}@@"


class Words:
    """SQL as DuckDB writes it, and most others do.

    Args:
        table: whose columns are written about.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._kinds = {column.name: column for column in table.columns}

    def name(self, column: str) -> str:
        """A column's name as a quoted identifier."""
        escaped = column.replace('"', '""')
        return f'"{escaped}"'

    def names(self, columns: Iterable[str], alias: str = "") -> str:
        """Names in a list, each with the alias of its relation."""
        return ", ".join(f"{alias}{self.name(column)}" for column in columns)

    def literal(self, value: object) -> str:
        """A value as SQL: numbers as they are, dates and times typed, texts quoted."""
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, (int, float)):
            return repr(value)
        if isinstance(value, dt.datetime):
            return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
        if isinstance(value, dt.date):
            return f"DATE '{value.isoformat()}'"
        return self.quote(str(value))

    def quote(self, text: str) -> str:
        """A text as a literal."""
        escaped = text.replace("'", "''")
        return f"'{escaped}'"

    def literals(self, values: Iterable[object]) -> str:
        """Values in a list."""
        return ", ".join(self.literal(value) for value in values)

    def text(self, column: str) -> str:
        """A column as text."""
        known = self._kinds.get(column)
        plain = known is None or (
            known.kind is ColumnKind.TEXT and "CHAR" in known.type.upper().replace("TEXT", "CHAR")
        )
        return self.name(column) if plain else f"CAST({self.name(column)} AS VARCHAR)"

    def real(self, expression: str) -> str:
        """A number as a float."""
        return f"CAST({expression} AS DOUBLE PRECISION)"

    def matches(self, text: str, regex: str) -> str:
        """Whether a text has a place that the expression, written as Python does, matches."""
        return f"REGEXP_MATCHES({text}, {self.quote(self.regex(regex))})"

    def regex(self, regex: str) -> str:
        """Python's expression as the engine's; what means the same is left alone."""
        return _outside_classes(regex, {r"\Z": r"\z"})

    def blank(self, column: str) -> str:
        """Whether a text is '' or only blanks."""
        return f"TRIM({self.text(column)}, ' ' || CHR(9) || CHR(10) || CHR(13)) = ''"

    def bare(self, text: str) -> str:
        """A text in small letters, with nothing but its letters and digits."""
        return f"REGEXP_REPLACE(LOWER({text}), '[^[:alnum:]]', '', 'g')"

    def is_json(self, text: str) -> str:
        """Whether a text is JSON."""
        return f"JSON_VALID({text})"

    def json_kind(self, text: str, path: Sequence[str]) -> str:
        """What stands at a path in JSON, NULL where nothing does: the engine's word for its kind."""
        return f"JSON_TYPE({text}, {self.quote(_pointer(path))})"

    def json_text(self, text: str, path: Sequence[str]) -> str:
        """What stands at a path in JSON, as text without quotes."""
        return f"JSON_EXTRACT_STRING({text}, {self.quote(_pointer(path))})"

    json_kinds: dict[str, tuple[str, ...]] = {  # noqa: RUF012 - a table of words, replaced by subclasses as a whole
        "object": ("OBJECT",),
        "array": ("ARRAY",),
        "string": ("VARCHAR",),
        "integer": ("UBIGINT", "BIGINT", "HUGEINT"),
        "number": ("UBIGINT", "BIGINT", "HUGEINT", "DOUBLE"),
        "boolean": ("BOOLEAN",),
        "null": ("NULL",),
    }

    def quantile(self, expression: str, fraction: float) -> str:
        """An exact quantile, between two values where it falls there."""
        return f"PERCENTILE_CONT({fraction!r}) WITHIN GROUP (ORDER BY {expression})"

    def interval(self, count: int, unit: str) -> str:
        """So many seconds, minutes, hours, days, weeks or months."""
        return f"INTERVAL '{count} {unit}'"

    def moment(self, column: str, anchor: str, seconds: float = 0.0) -> str:
        """The token of a time that a column can be compared with."""
        known = self._kinds.get(column)
        if known is not None and known.kind is ColumnKind.DATE:
            return moment(anchor, seconds, "date")
        kind = (known.type if known is not None else "").upper()
        aware = "WITH TIME ZONE" in kind or kind.startswith(("TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ"))
        return moment(anchor, seconds, "aware" if aware else "naive")


_PLAIN_KINDS: dict[str, tuple[str, ...]] = {
    "object": ("object",),
    "array": ("array",),
    "string": ("string",),
    "integer": ("number",),
    "number": ("number",),
    "boolean": ("boolean",),
    "null": ("null",),
}


class PostgresWords(Words):
    """SQL as PostgreSQL writes it."""

    json_kinds = _PLAIN_KINDS

    def matches(self, text: str, regex: str) -> str:
        """`~`; its expressions write the border of a word otherwise."""
        return f"{text} ~ {self.quote(self.regex(regex))}"

    def regex(self, regex: str) -> str:
        """Borders of words are written otherwise."""
        return _outside_classes(regex, {r"\b": r"\y", r"\B": r"\Y"})

    def blank(self, column: str) -> str:
        """The same."""
        return f"BTRIM({self.text(column)}, E' \\t\\n\\r') = ''"

    def is_json(self, text: str) -> str:
        """From PostgreSQL 16 on."""
        return f"{text} IS JSON"

    def json_kind(self, text: str, path: Sequence[str]) -> str:
        """Of a text that is JSON."""
        return f"JSONB_TYPEOF(CAST({text} AS JSONB) #> {self.quote(_braces(path))})"

    def json_text(self, text: str, path: Sequence[str]) -> str:
        """Of a text that is JSON."""
        return f"(CAST({text} AS JSONB) #>> {self.quote(_braces(path))})"


class SnowflakeWords(Words):
    """SQL as Snowflake writes it."""

    json_kinds = _PLAIN_KINDS

    def quote(self, text: str) -> str:
        """A backslash in a text is written twice."""
        return super().quote(text.replace("\\", "\\\\"))

    def matches(self, text: str, regex: str) -> str:
        """By REGEXP_INSTR, as REGEXP_LIKE wants the whole text to match."""
        return f"REGEXP_INSTR({text}, {self.quote(self.regex(regex))}) > 0"

    def regex(self, regex: str) -> str:
        """The end of the text is written $."""
        return _outside_classes(regex, {r"\Z": "$", r"\A": "^"})

    def bare(self, text: str) -> str:
        """All places are replaced anyway."""
        return f"REGEXP_REPLACE(LOWER({text}), '[^[:alnum:]]', '')"

    def is_json(self, text: str) -> str:
        """Whether it can be parsed."""
        return f"TRY_PARSE_JSON({text}) IS NOT NULL"

    def blank(self, column: str) -> str:
        """There is nothing in it but white space."""
        return f"NOT ({self.matches(self.text(column), '[^ ' + chr(9) + chr(10) + chr(13) + ']')})"

    def json_kind(self, text: str, path: Sequence[str]) -> str:
        """By how the value begins when it is written."""
        value = f"TO_JSON({self._at(text, path)})"
        kinds = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}
        begins = " ".join(f"WHEN {self.quote(sign)} THEN {self.quote(kind)}" for sign, kind in kinds.items())
        return f"CASE SUBSTR({value}, 1, 1) {begins} ELSE CASE WHEN {value} <> '' THEN 'number' END END"

    def json_text(self, text: str, path: Sequence[str]) -> str:
        """The value cast to text."""
        return f"CAST({self._at(text, path)} AS VARCHAR)"

    def _at(self, text: str, path: Sequence[str]) -> str:
        found = f"TRY_PARSE_JSON({text})"
        return f"{found}:{'.'.join(map(self.name, path))}" if path else found


_WORDS: dict[str, type[Words]] = {"postgresql": PostgresWords, "snowflake": SnowflakeWords}


def words_of(table: Table) -> Words:
    """The words of the table's engine."""
    return _WORDS.get(table.dialect, Words)(table)


def _outside_classes(regex: str, replaced: dict[str, str]) -> str:
    r"""`regex` with escapes replaced that do not stand inside of brackets.

    >>> _outside_classes(r"\bcat[\b]", {r"\b": r"\y"})
    '\\ycat[\\b]'
    """
    return _INSIDE.sub(lambda found: replaced.get(found[0], found[0]), regex)


def _pointer(path: Sequence[str]) -> str:
    return "$" + "".join(f".{json.dumps(key)}" for key in path)


def _braces(path: Sequence[str]) -> str:
    return "{" + ",".join(json.dumps(key) for key in path) + "}"
