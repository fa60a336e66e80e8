"""A SQL condition on a data frame: which rows it holds for; and conditions written for a person."""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from chaos.fault import ChaosError
from chaos.frame import Mask

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*\Z")
_KEYWORDS = re.compile(
    r"(all|and|any|as|asc|at|between|by|case|cast|check|column|create|cross|date|default|desc|distinct|else|end|except|"
    r"false|for|foreign|from|full|group|having|in|inner|insert|interval|into|is|join|key|left|like|limit|natural|not|"
    r"null|offset|on|or|order|outer|primary|references|right|select|set|table|then|time|timestamp|to|true|union|"
    r"unique|update|user|using|values|when|where|with)\Z",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=1)
def _engine() -> sa.Engine:
    return sa.create_engine("duckdb:///:memory:")


def rows_where(frame: pd.DataFrame, where: str | None) -> Mask:
    """Which rows of a frame meet a SQL condition (of the embedded engine); all if it is None.

    Raises:
        ChaosError: the condition is not understood, or names a column that the frame does not have.
    """
    if where is None:
        return np.ones(len(frame), dtype=bool)
    numbered = frame.reset_index(drop=True).assign(chaos_row=np.arange(len(frame)))
    name = "chaos_frame"
    try:
        with _engine().connect() as connection:
            connection.execute(sa.text("register(:name, :frame)"), {"name": name, "frame": numbered})
            query = f"SELECT chaos_row FROM {name} WHERE ({where}\n)"
            found = connection.exec_driver_sql(query).scalars().all()
            # The engine would hold on to the last frame it was shown.
            connection.execute(sa.text("register(:name, :frame)"), {"name": name, "frame": numbered.head(0)})
    except sa.exc.DBAPIError as error:
        what = f"the condition {where!r} cannot be applied: {str(error.orig).splitlines()[0]}"
        raise ChaosError(what, mend="write a SQL condition on the table's own columns", culprit=where) from error
    inside = np.zeros(len(frame), dtype=bool)
    inside[np.asarray(found, dtype=int)] = True
    return inside


def quoted(name: str) -> str:
    """A column's name in SQL, with quotes only where they are needed.

    >>> quoted("carrier"), quoted("unit price"), quoted("order")
    ('carrier', '"unit price"', '"order"')
    """
    if _PLAIN_NAME.match(name) and not _KEYWORDS.match(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value in SQL.

    >>> literal("O'Hare"), literal(4.0), literal(0.5), literal(True)
    ("'O''Hare'", '4', '0.5', 'TRUE')
    """
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float, np.number)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return "'" + str(value).replace("'", "''") + "'"


def equals_any(name: str, values: Iterable[Any], values_max: int = 20) -> str | None:
    """The condition that a column holds one of a few values; None if there are none or too many to read.

    >>> equals_any("origin", ["JFK"]), equals_any("origin", ["LGA", "JFK"])
    ("origin = 'JFK'", "origin IN ('LGA', 'JFK')")
    """
    found = list(values)
    if not 0 < len(found) <= values_max:
        return None
    if len(found) == 1:
        return f"{quoted(name)} = {literal(found[0])}"
    return f"{quoted(name)} IN ({', '.join(map(literal, found))})"
