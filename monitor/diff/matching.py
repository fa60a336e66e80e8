"""Rows of both sides as texts, matched by key and compared, beside what engines could not be asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.diff.pairs import Alignment, Pair
from monitor.warehouses.canonical import NUMBERS, TIMES, Form

KEY, ROW = "matched_key", "matched_row"


@dataclass
class Found:
    """What one piece of both tables holds: differing rows, and counts."""

    rows: pd.DataFrame
    parts: set[int]
    repeats_differ: int
    repeated_a: int = 0
    repeated_b: int = 0


@dataclass
class Matched:
    """All that was found so far: counts, and as many differing rows as may be kept, drawn evenly of all."""

    columns: Alignment
    rows_max: int
    seed: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    repeats_differ: int = 0
    repeated_a: int = 0
    repeated_b: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    parts: set[int] = field(default_factory=set)
    kept: list[pd.DataFrame] = field(default_factory=list)
    is_sampled: bool = False

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def add(self, found: Found) -> None:
        """Take in what the next piece of the tables holds."""
        status = found.rows["status"]
        self.added += int((status == "added").sum())
        self.removed += int((status == "removed").sum())
        self.changed += int((status == "changed").sum())
        self.repeats_differ += found.repeats_differ
        self.repeated_a += found.repeated_a
        self.repeated_b += found.repeated_b
        for name in found.rows.loc[status == "changed", "columns"]:
            self.by_column.update(name)
        if len(self.parts) < 1_000:
            self.parts |= found.parts
        if len(found.rows):
            self.kept.append(found.rows.assign(draw=self._random.random(len(found.rows))))
            if sum(map(len, self.kept)) > 2 * max(self.rows_max, 1_000):
                self.kept = [self._thinned()]

    def _thinned(self) -> pd.DataFrame:
        whole = pd.concat(self.kept, ignore_index=True)
        if len(whole) <= self.rows_max:
            return whole
        self.is_sampled = True
        return whole.nsmallest(self.rows_max, "draw")

    def rows(self) -> pd.DataFrame:
        """The rows kept."""
        if not self.kept:
            return pd.DataFrame({"status": []})
        return self._thinned().drop(columns=["draw", "columns"]).reset_index(drop=True)

    def ranked_columns(self) -> dict[str, int]:
        """Changed rows by column, the largest first."""
        return dict(self.by_column.most_common())


def match_rows(a: pd.DataFrame, b: pd.DataFrame, columns: Alignment) -> Found:
    """Compare rows of both sides: frames of texts `k0`..., `v0`..., and the number of their `part`.

    Rows whose key is repeated on either side are left out, and compared as a multiset.
    """
    keys = [f"k{i}" for i in range(len(columns.keys))]
    values = [f"v{i}" for i in range(len(columns.values))]
    a, b = (frame.reindex(columns=["part", *keys, *values]) for frame in (a, b))
    a, b = (frame.assign(**{KEY: _joined(frame, keys)}) for frame in (a, b))
    repeated_a, repeated_b = (set(frame.loc[frame[KEY].duplicated(), KEY]) for frame in (a, b))
    repeated = repeated_a | repeated_b
    differ = 0
    if repeated:
        inside = [frame[frame[KEY].isin(repeated)] for frame in (a, b)]
        differ = _multiset_distance(*(_joined(frame, [*keys, *values]) for frame in inside))
        a, b = (frame[~frame[KEY].isin(repeated)] for frame in (a, b))
    both = a.merge(b, on=KEY, how="outer", suffixes=("_a", "_b"), indicator=True)
    status = both["_merge"].map({"left_only": "removed", "right_only": "added", "both": "changed"}).astype(object)
    matched = (status == "changed").to_numpy()
    apart = np.zeros((len(both), len(values)), dtype=bool)
    for place, (pair, value) in enumerate(zip(columns.values, values, strict=True)):
        apart[matched, place] = _differ(pair, both.loc[matched, f"{value}_a"], both.loc[matched, f"{value}_b"])
    wanted = ~matched | apart.any(axis=1)
    told: dict[str, object] = {"status": status[wanted]}
    is_added = (status == "added").to_numpy()
    for pair, key in zip(columns.keys, keys, strict=True):
        told[f"k:{pair.name}"] = both[f"{key}_a"].where(~is_added, both[f"{key}_b"])[wanted]
    for letter in ("a", "b"):
        for pair, value in zip(columns.values, values, strict=True):
            told[f"{letter}:{pair.name}"] = both[f"{value}_{letter}"][wanted]
    rows = pd.DataFrame(told).astype(object)
    rows = rows.where(rows.notna(), None)
    names = np.array([pair.name for pair in columns.values], dtype=object)
    rows["columns"] = [list(names[row]) for row in apart[wanted]]
    parts = {int(number) for number in both.loc[wanted, ["part_a", "part_b"]].max(axis=1)}
    return Found(rows.reset_index(drop=True), parts, differ, len(repeated_a), len(repeated_b))


def _joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """One text a row that no row of other values has."""
    if not len(frame):
        return pd.Series([], dtype=object, index=frame.index)
    joined: npt.NDArray[np.object_] | None = None
    for name in columns:
        texts = [("-" if text is None or text != text else f"{len(text)}={text}") for text in frame[name].tolist()]  # noqa: PLR0124 - NaN
        piece = np.array(texts, dtype=object)
        joined = piece if joined is None else joined + "|" + piece
    return pd.Series(joined, index=frame.index, dtype=object)


def _multiset_distance(a: pd.Series, b: pd.Series) -> int:
    counts = Counter(a)
    counts.subtract(Counter(b))
    return sum(map(abs, counts.values()))


def _differ(pair: Pair, a: pd.Series, b: pd.Series) -> npt.NDArray[np.bool_]:
    """Which values differ; texts that do are read again where equal values may be written differently."""
    null_a, null_b = a.isna().to_numpy(), b.isna().to_numpy()
    differ = np.asarray((a.to_numpy() != b.to_numpy()) & ~(null_a & null_b), dtype=bool)
    same = _reader(pair)
    if same is None:
        return differ
    for place in np.flatnonzero(differ & ~null_a & ~null_b):
        differ[place] = not same(str(a.iloc[place]), str(b.iloc[place]))
    return differ


def _reader(pair: Pair) -> Callable[[str, str], bool] | None:
    if pair.form in NUMBERS:
        return lambda a, b: same_number(pair, a, b)
    if pair.form in TIMES and pair.is_tolerant:
        return lambda a, b: _near_times(pair, a, b)
    if pair.form is Form.JSON:
        return _same_json
    if pair.form is Form.TEXT and pair.fold_case:
        return lambda a, b: a.lower() == b.lower()
    return None


def same_number(pair: Pair, a: str, b: str) -> bool:
    """Whether two numbers that are written differently are equal, or near enough."""
    try:
        if pair.form in {Form.WHOLE, Form.DECIMAL} and Decimal(a) == Decimal(b):
            return True
        x, y = float(a), float(b)
    except (InvalidOperation, ValueError):
        return False
    if x == y and pair.form in {Form.REAL, Form.DOUBLE}:
        return True
    size, near = max(abs(x), abs(y)), pair.tolerance
    if not size <= 1.7e308:
        return False
    return (near.absolute > 0 and abs(x - y) <= near.absolute) or (
        near.relative > 0 and abs(x - y) <= near.relative * size
    )


def _near_times(pair: Pair, a: str, b: str) -> bool:
    try:
        apart = np.datetime64(a.replace(" ", "T"), "us") - np.datetime64(b.replace(" ", "T"), "us")
    except ValueError:
        return False
    return bool(abs(apart / np.timedelta64(1, "s")) <= pair.tolerance.time_s)


def _same_json(a: str, b: str) -> bool:
    try:
        return bool(json.loads(a) == json.loads(b))
    except (ValueError, RecursionError):
        return False
