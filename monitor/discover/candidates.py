"""Rules that a sample suggests, with what speaks for them; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from checks.rules.formats import FORMATS
from monitor.discover.names import is_calendar, is_key_like, words_of
from monitor.types import Column, ColumnKind, Table

SET_MAX = 20
CODES_MAX = 12
"""Of numbers, more distinct values than this are amounts and not codes."""
SHARED_MIN = 20
"""Rows that share a value, from which on it may be written down, and is no accident."""
TIMES_MIN = 50
"""Rows for each value of a set: so often was the chance of another one."""
PRESENT_MIN = 500
"""Values that a range or a pattern is taken from."""
VARIED_MIN = 30
"""Different values of which one shape is told."""
LENGTH_MAX = 64
RUNS_MAX = 9
_SHARES = frozenset({"share", "ratio", "fraction", "probability", "prob"})
_PERCENTAGES = frozenset({"pct", "percent", "percentage"})
_FORMATS = ("uuid", "email", "ipv4", "mac", "url", "sha256", "md5", "timestamp", "date")
_CLASSES = ((re.compile("[A-Z]+"), "[A-Z]"), (re.compile("[a-z]+"), "[a-z]"), (re.compile("[0-9]+"), "[0-9]"))
_RUN = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]")
_SIGNS = frozenset("-_/:#. +()")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule as a configuration writes it; in `evidence`, `{looked}` stands for what all was looked at."""

    entry: dict[str, Any]
    evidence: str
    is_relation: bool = False

    def tell(self, looked: str) -> str:
        """The evidence in words."""
        return self.evidence.replace("{looked}", looked)


def candidates(table: Table, frame: pd.DataFrame, keys: Sequence[tuple[str, ...]], columns_max: int) -> list[Candidate]:
    """What a sample of some partitions suggests of a table, column by column."""
    time = table.time.name if table.time else ""
    found = [
        Candidate({"unique": key[0] if len(key) == 1 else list(key)}, "no value twice within a partition, in {looked}")
        for key in keys[:1]
    ]
    for column in table.checked_columns[:columns_max]:
        if column.name in frame and column.name != time:
            found += _of_column(column, frame[column.name])
    return found


def _of_column(column: Column, values: pd.Series[Any]) -> Iterator[Candidate]:
    present = values.dropna()
    if column.kind in (ColumnKind.JSON, ColumnKind.BINARY, ColumnKind.OTHER):
        present_only = len(present) == len(values)
        if present_only and len(values):
            yield Candidate({"not_null": column.name}, "no NULL in {looked}")
        return
    blank = column.kind is ColumnKind.TEXT and bool((present.astype(str).str.strip() == "").any())
    if len(values) and len(present) == len(values):
        if column.kind is ColumnKind.TEXT and not blank:
            yield Candidate({"not_empty": column.name}, "neither NULL nor empty in {looked}")
        else:
            yield Candidate({"not_null": column.name}, "no NULL in {looked}")
    chosen = _set(column, present)
    if chosen is not None:
        yield chosen
    elif column.kind is ColumnKind.NUMBER:
        yield from _range(column, present)
    elif column.kind is ColumnKind.TEXT and not blank:
        yield from _shape(column, present)


def _set(column: Column, present: pd.Series[Any]) -> Candidate | None:
    """A text or code of few values, each of which many rows share."""
    most = {ColumnKind.TEXT: SET_MAX, ColumnKind.NUMBER: CODES_MAX}.get(column.kind, 0)
    if not most or is_calendar(column.name) or len(present) < PRESENT_MIN:
        return None
    counts = present.value_counts()
    if not 2 <= len(counts) <= most or int(counts.min()) < SHARED_MIN or len(present) < TIMES_MIN * len(counts):
        return None
    values = [_plain(value) for value in counts.index]
    if any(value is None or (isinstance(value, str) and len(value) > LENGTH_MAX) for value in values):
        return None
    entry = {"in_set": {"column": column.name, "values": sorted(values, key=lambda v: (isinstance(v, str), v))}}
    share = counts.min() / len(present)
    return Candidate(entry, f"no other value in {{looked}}; the rarest has {share:.1%} of the rows sampled")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number == int(number) else None


def _range(column: Column, present: pd.Series[Any]) -> Iterator[Candidate]:
    """Bounds that mean something: none below zero, shares, percentages. The least and the most seen mean nothing."""
    numbers = pd.to_numeric(present, errors="coerce").dropna().astype("float64")
    if len(numbers) < PRESENT_MIN or is_key_like(column.name) or is_calendar(column.name) or numbers.min() < 0:
        return
    words, most = set(words_of(column.name)), float(numbers.max())
    bounds: dict[str, Any] = {"column": column.name, "min": 0}
    if words & _SHARES and most <= 1:
        bounds["max"] = 1
    elif words & _PERCENTAGES and most <= 100:
        bounds["max"] = 100
    above = f" or above {bounds['max']}" if "max" in bounds else ""
    yield Candidate({"in_range": bounds}, f"none below 0{above} in {{looked}}")


def _shape(column: Column, present: pd.Series[Any]) -> Iterator[Candidate]:
    """A format that has a name, or runs of letters and digits that all values have in common."""
    texts = present.astype(str)
    if len(texts) < PRESENT_MIN or texts.nunique() < VARIED_MIN:
        return
    for name in _FORMATS:
        if texts.head(50).str.fullmatch(FORMATS[name]).all() and texts.str.fullmatch(FORMATS[name]).all():
            entry: dict[str, Any] = {"format": {"column": column.name, "is": name}}
            yield Candidate(entry, f"every value is of the format {name}, in {{looked}}")
            return
    regex = regex_of(list(texts))
    if regex is not None:
        entry = {"matches_regex": {"column": column.name, "regex": regex}}
        yield Candidate(entry, "every value has this shape, in {looked}")


def regex_of(texts: Sequence[str]) -> str | None:
    """The expression of the one shape that all texts have, None where they have several or it says next to nothing.

    >>> regex_of(["SKU-00417", "SKU-99120", "SKU-31337"])
    '^SKU-[0-9]{5}$'
    >>> regex_of(["N14228", "N24211", "N5AA"]) is None
    True
    """
    if any(len(text) > LENGTH_MAX or not text for text in texts):
        return None
    cut = [_RUN.findall(text) for text in texts]
    kinds = Counter(tuple(_class(run) for run in runs) for runs in cut)
    if len(kinds) != 1:
        return None
    (shape,) = kinds
    if len(shape) > RUNS_MAX or any(len(kind) == 1 and kind not in _SIGNS for kind in shape):
        return None
    parts = [_part(kind, {runs[i] for runs in cut}) for i, kind in enumerate(shape)]
    fixed = sum(not part.endswith("+") for part in parts)
    return f"^{''.join(parts)}$" if fixed and (len(parts) > 1 or fixed == len(parts)) else None


def _class(run: str) -> str:
    return next((name for pattern, name in _CLASSES if pattern.fullmatch(run)), run)


def _part(kind: str, runs: set[str]) -> str:
    """One run of all texts: itself where it is always the same letters, else its class and length."""
    lengths = {len(run) for run in runs}
    if len(runs) == 1 and kind != "[0-9]":
        return re.sub(r"([.+()])", r"[\1]", next(iter(runs)))
    if len(lengths) > 1:
        return f"{kind}+"
    (length,) = lengths
    return kind if length == 1 else f"{kind}{{{length}}}"
