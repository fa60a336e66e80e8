"""What an engine's catalog says: its tables, and its type names as kinds of columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from monitor.types import ColumnKind

TABLES = sa.table(
    "tables",
    sa.column("table_catalog"),
    sa.column("table_schema"),
    sa.column("table_name"),
    sa.column("table_type"),
    schema="information_schema",
)
COLUMNS = sa.table(
    "columns",
    sa.column("table_catalog"),
    sa.column("table_schema"),
    sa.column("table_name"),
    sa.column("column_name"),
    sa.column("ordinal_position"),
    sa.column("data_type"),
    sa.column("is_nullable"),
    schema="information_schema",
)


class ForeignKey(NamedTuple):
    """Columns of a table that a database declares to refer to columns of another one (at `path`)."""

    columns: tuple[str, ...]
    path: tuple[str, ...]
    referred: tuple[str, ...]


_KINDS = (
    (r".*\]|LIST\b.*|ARRAY.*|STRUCT\b.*|MAP\b.*|UNION\b.*|ROW\b.*|INTERVAL.*|BIT\b.*|POINT.*", ColumnKind.OTHER),
    (r"TIMESTAMP.*|DATETIME.*", ColumnKind.TIMESTAMP),
    (r"DATE", ColumnKind.DATE),
    (r"TIME\b.*|TIMETZ|TIME_NS", ColumnKind.TIME),
    (r"BOOL.*", ColumnKind.BOOLEAN),
    (r"JSONB?|VARIANT|OBJECT", ColumnKind.JSON),
    (r"BLOB|BYTEA|BINARY.*|VARBINARY.*", ColumnKind.BINARY),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\d*|BIGNUM|VARINT|NUMERIC.*|DECIMAL.*|NUMBER.*", ColumnKind.NUMBER),
    (r"FLOAT.*|DOUBLE.*|REAL|MONEY|DECFLOAT", ColumnKind.NUMBER),
    (r"VARCHAR.*|CHARACTER.*|CHAR.*|BPCHAR|TEXT|STRING.*|UUID|ENUM\b.*|NAME", ColumnKind.TEXT),
)


def kind_of(type_name: str) -> ColumnKind:
    """The kind of a column of the engine type `type_name`.

    >>> kind_of("DECIMAL(38,10)").value, kind_of("TIMESTAMP WITH TIME ZONE").value, kind_of("INTEGER[]").value
    ('number', 'timestamp', 'other')
    """
    upper = type_name.upper().strip()
    for pattern, kind in _KINDS:
        if re.fullmatch(pattern, upper, re.DOTALL):
            return kind
    return ColumnKind.OTHER


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A mend for a name that is not among `known`."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1)
    if near:
        return f"did you mean {next(n for n in names if n.lower() == near[0])}?"
    return f"known are {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}" if names else "there are none"
