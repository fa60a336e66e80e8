"""The one gate for values of rows on their way out to store, log, message or picture.

What at least 20 rows share says little about any one of them and passes; everything rarer leaves as a shape, unless
the table's owner has set `show_values: true`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text, shape_of
from monitor.types import Change, Table

ROWS_MIN = 20
VALUE_MAX = 60
ITEMS_MAX = 50
DEPTH_MAX = 8

NAMES = frozenset({"added", "removed", "retyped", "left_out", "change", "columns", "bound", "form"})
"""Entries of a detail that hold names out of the catalog and words of daywatch's own."""
BOUNDS = frozenset({"due", "latest", "earliest", "start", "end", "low", "high", "min", "max", "expected"})
"""Entries that hold a bound of a numeric or time range."""
ROWS_OF_TABLE = frozenset({"sample", "samples", "examples", "row"})
"""Entries that hold rows themselves: every value below them is one row's, whatever its type."""
CONDITIONS = frozenset({"where", "condition"})
_PUNCTUATED = re.compile(r"\d{4}-\d\d|\d\d:\d\d")
_WORDS = frozenset(change.value for change in Change)


class Gate:
    """Decides for one table which values may be seen, and writes those that may.

    Args:
        table: its `show_values` opens the gate; its column names are no secret.
        rows_min: how many rows must share a value before it may be named.
        length_max: the longest a value becomes, in characters.
    """

    def __init__(self, table: Table, *, rows_min: int = ROWS_MIN, length_max: int = VALUE_MAX) -> None:
        self.table = table
        self.rows_min = rows_min
        self.length_max = length_max
        self._names = frozenset(column.name for column in table.columns)
        self._folded = frozenset(name.casefold() for name in self._names)

    def is_column(self, name: str) -> bool:
        """Whether the table has a column of this name, in whatever case SQL writes it."""
        return name.casefold() in self._folded

    def passes(self, rows: float | None) -> bool:
        """Whether a value that `rows` rows share may be named; an unknown count (None, NaN) may not."""
        if self.table.show_values:
            return True
        return rows is not None and math.isfinite(rows) and rows >= self.rows_min

    def value(self, column: str, value: object, rows: float | None) -> str:
        """A value of `column` as it may be shown: itself if enough rows share it, its shape otherwise.

        Args:
            column: where the value lives; a column that the table ignores is never shown in clear.
            value: of any type; None and NaN are told as `NULL`.
            rows: how many rows share it, counted or at least (a count in a sample is a lower bound).
        """
        if _is_null(value):
            return "NULL"
        if column in self.table.ignore_columns or not self.passes(rows):
            return shape_of(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return shape_of(value)
        text = clean_text(value if isinstance(value, str) else str(value), self.length_max)
        return text or shape_of(value)

    def bound(self, value: object) -> str:
        """A bound of a numeric or time range, which may always be shown; texts are not bounds and become shapes."""
        if isinstance(value, bool) or _is_null(value):
            return str(value) if isinstance(value, bool) else "NULL"
        if isinstance(value, (int, float)):
            return format_number(value)
        if isinstance(value, (dt.date, dt.time)):
            return value.isoformat()
        return str(value) if isinstance(value, str) and is_time_text(value) else shape_of(value)

    def number(self, value: float | None, unit: str = "") -> str:
        """An aggregate as people write it: `1,234`, `0.37`, `12.5%` (unit `share`)."""
        return format_number(value, unit)

    def condition(self, where: str, rows: float | None, counts: Mapping[str, float] | None = None) -> str:
        """A condition in SQL as it may be shown: rare values in it become shapes (see `redact_condition`).

        Args:
            where: the condition.
            rows: how many rows meet it.
            counts: rows by value (as text), for values whose number the condition's own rows do not tell.
        """
        from monitor.privacy.conditions import redact_condition  # noqa: PLC0415 - sqlglot is heavy

        return redact_condition(where, self, rows, counts or {})

    def condition_passes(self, where: str, rows: float | None, counts: Mapping[str, float] | None = None) -> bool:
        """Whether a query with this condition may be shown as it is."""
        return self.condition(where, rows, counts) == where

    def detail(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """A finding's detail as it may leave: see `redact_detail`."""
        return self._mapping(detail, _Known(), 0)

    def _mapping(self, part: Mapping[str, Any], known: _Known, depth: int) -> dict[str, Any]:
        known = known.beside(part)
        told: dict[str, Any] = {}
        for name, entry in list(part.items())[: ITEMS_MAX * 4]:
            told[self._name(name)] = self._entry(str(name), entry, part, known, depth)
        return told

    def _name(self, name: object) -> str:
        """Names of facts are plain words of the checks'; anything else might be a value that became a key."""
        text = str(name)
        return text if text in self._names or (text.isascii() and text.isidentifier()) else shape_of(text)

    def _entry(self, name: str, entry: Any, beside: Mapping[str, Any], known: _Known, depth: int) -> Any:
        if depth >= DEPTH_MAX:
            return "…"
        if name in ROWS_OF_TABLE:
            return self._rows(entry, depth)
        if name == "values":
            return self._values(entry, known, depth)
        if name == "value":
            return self._single(entry, known.rows_of(beside))
        if name in CONDITIONS and isinstance(entry, str):
            return self.condition(entry, _count(beside.get("rows"), None))
        if isinstance(entry, Mapping):
            return self._mapping(entry, known, depth + 1)
        if _is_list(entry):
            return [self._entry(name, item, beside, known, depth + 1) for item in list(entry)[:ITEMS_MAX]]
        return self._scalar(name, entry)

    def _scalar(self, name: str, entry: Any) -> Any:
        if entry is None or isinstance(entry, (bool, int, float)):
            return entry
        if isinstance(entry, str):
            if entry in self._names or entry in _WORDS or entry == "NULL":
                return entry
            if name in NAMES:
                return clean_text(entry, 2 * VALUE_MAX)
        if name in BOUNDS:
            return self.bound(entry)
        if not isinstance(entry, (str, bytes, dt.date, dt.time)) and hasattr(entry, "item"):
            return self._scalar(name, entry.item())
        return shape_of(entry)

    def _single(self, entry: Any, rows: float | None) -> Any:
        """One value; a number stays a number where it may be seen."""
        if isinstance(entry, (bool, int, float)) and self.passes(rows):
            return entry
        return self.value("", entry, rows)

    def _values(self, entry: Any, known: _Known, depth: int) -> Any:
        """A list of values with their shares; a value without both share and size of sample counts as rare."""
        if not _is_list(entry):
            return self._rows(entry, depth)
        told: list[Any] = []
        for item in list(entry)[:ITEMS_MAX]:
            if not isinstance(item, Mapping):
                told.append(self._single(item, None))
                continue
            rest = {name: part for name, part in item.items() if name != "value"}
            shown = self._mapping(rest, known, depth + 1)
            told.append({"value": self._single(item.get("value"), known.rows_of(item)), **shown})
        return told

    def _rows(self, entry: Any, depth: int) -> Any:
        """Values of single rows, at any depth: column names stay, values pass with `show_values` only."""
        if depth >= DEPTH_MAX:
            return "…"
        if isinstance(entry, Mapping):
            return {self._name(n): self._rows(e, depth + 1) for n, e in list(entry.items())[: ITEMS_MAX * 4]}
        if _is_list(entry):
            return [self._rows(item, depth + 1) for item in list(entry)[:ITEMS_MAX]]
        return self.value("", entry, 1)


def redact_detail(detail: Mapping[str, Any], table: Table) -> Mapping[str, Any]:
    """A finding's detail as it may enter store, log and message.

    Numbers are aggregates and pass, names of columns and words of daywatch's own too. Entries of a list called
    `values` (`{"value", "before", "after"}`, shares of 0..1) and an entry `value` beside an `effect` pass if
    `rows_today` and `rows_past`, beside them or further out, say that enough rows share them. Below `sample`,
    `examples` and `row` everything is a row's value. Every other text becomes a shape. Keys must be names that a
    check chose, never values.
    """
    return Gate(table).detail(detail)


class _Known:
    """The sizes of the samples that shares further in refer to."""

    __slots__ = ("past", "today")

    def __init__(self, today: float | None = None, past: float | None = None) -> None:
        self.today = today
        self.past = past

    def beside(self, part: Mapping[str, Any]) -> _Known:
        """The same, with what `part` itself says."""
        return _Known(_count(part.get("rows_today"), self.today), _count(part.get("rows_past"), self.past))

    def rows_of(self, item: Mapping[str, Any]) -> float | None:
        """How many sampled rows share the value of `item`, at least; None where that is unknown."""
        after = item.get("after", item.get("effect"))
        counts = [_rows(after, self.today), _rows(item.get("before"), self.past)]
        if "after" in item or "before" in item or "effect" in item:
            return max((count for count in counts if count is not None), default=None)
        return _count(item.get("rows"), None)


def _rows(share: object, of: float | None) -> float | None:
    if of is None or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        return None
    return math.floor(share * of + 1e-6)


def _count(value: object, otherwise: float | None) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    return otherwise


def _is_list(entry: object) -> bool:
    return isinstance(entry, (Sequence, set, frozenset)) and not isinstance(entry, (str, bytes, bytearray, memoryview))


def _is_null(value: object) -> bool:
    """None, and what does not equal itself or refuses to be compared: NaN, NaT, pandas' NA; no pandas needed."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except (TypeError, ArithmeticError):
        return True
    except ValueError:  # an array compares element by element
        return False


def is_time_text(text: str) -> bool:
    """Whether a text is an ISO date or time and nothing else; compact digits (`1234`) may be anything."""
    if len(text) > 40 or not _PUNCTUATED.match(text):
        return False
    for parse in (dt.datetime.fromisoformat, dt.time.fromisoformat):
        try:
            parse(text)
        except ValueError:
            continue
        return True
    return False
