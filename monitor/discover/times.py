"""Which column says what day a row belongs to, in which form, and how often a new partition comes.

Each column gets a score of its type, its name and its values; the best few are counted by partition in the
warehouse before one is chosen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitor.discover.names import PARTITION_IDS, is_calendar, time_likeness, words_of
from monitor.errors import UsageError
from monitor.types import Cadence, Column, ColumnKind, Partition, Table, TimeColumn, TimeForm

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.warehouses.base import Warehouse

PEEK_ROWS = 10_000
COUNTED = 4  # candidates whose partitions are counted in the warehouse
PARTITIONS = 60
SCORE_MIN = 0.5
HOURLY_ROWS_MIN = 50  # an hour with fewer rows is too small to be judged by itself
_TICKS_PER_S = (1.0, 1e3, 1e6)
_EPOCH_FIRST_S, _EPOCH_LAST_S = 631_152_000.0, 4_102_444_800.0  # 1990 to 2100
_WHOLE_MAX = 2.0**53  # beyond it floats are whole by lack of digits
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d|[+-]\d\d)?)?")
_IDS = (TimeForm.INTEGER_ID, TimeForm.TEXT_ID)
_BASE = {ColumnKind.DATE: 0.6, ColumnKind.TIMESTAMP: 0.6, ColumnKind.NUMBER: 0.45, ColumnKind.TEXT: 0.4}


@dataclass(frozen=True, slots=True)
class TimeCandidate:
    """A column that may say when a row belongs; `score` ranks candidates, at 0.5 and more it is usable.

    `partitions` counts the latest non-empty ones that were looked at (60 at most), `rows_median` the rows of one.
    """

    column: str
    form: TimeForm
    cadence: Cadence
    score: float
    reason: str
    partitions: int = 0
    rows_median: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeSearch:
    """The candidates, best first, and why the other time-like columns are none, by column."""

    candidates: tuple[TimeCandidate, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def best(self) -> TimeCandidate | None:
        """The column to use, if any is good enough."""
        return self.candidates[0] if self.candidates and self.candidates[0].score >= SCORE_MIN else None


def find_time(warehouse: Warehouse, table: Table) -> TimeCandidate | None:
    """The column that says what day a row of `table` belongs to, or None.

    Raises:
        SourceError: the warehouse cannot answer.
    """
    return search_time(warehouse, table, warehouse.peek(table.path, PEEK_ROWS)).best


def search_time(warehouse: Warehouse, table: Table, peek: pa.Table, now: dt.datetime | None = None) -> TimeSearch:
    """Rank the columns of `table` by how well they cut its rows into days.

    Args:
        warehouse: asked for forms and counts by partition.
        table: with columns, zone and scope set; its `time` is not looked at.
        peek: some thousand rows spread over the table.
        now: the present moment; values after it count against a column.
    """
    now = now or dt.datetime.now(dt.UTC)
    refused: list[tuple[str, str]] = []
    looks: list[_Look] = []
    for column in table.columns:
        look = _look_at(column, peek, now)
        if isinstance(look, _Look):
            looks.append(look)
        elif look:
            refused.append((column.name, look))
    looks.sort(key=lambda look: -look.score)
    found = [_count(warehouse, table, look, peek) for look in looks[:COUNTED]]
    candidates = [item for item in found if isinstance(item, TimeCandidate)]
    refused += [item for item in found if isinstance(item, tuple)]
    refused += [(item.column, item.reason) for item in candidates if item.score < SCORE_MIN]
    return TimeSearch(tuple(sorted(candidates, key=lambda item: -item.score)), tuple(refused))


@dataclass(frozen=True)
class _Look:
    """What the peeked values of one column say; `moments` is None for ids."""

    column: Column
    score: float
    moments: pd.Series[Any] | None
    notes: tuple[str, ...]

    @property
    def at_midnight(self) -> bool:
        return self.moments is not None and bool((self.moments.dt.normalize() == self.moments).all())

    @property
    def at_hours(self) -> bool:
        return self.moments is not None and bool((self.moments.dt.floor("h") == self.moments).all())


def _look_at(column: Column, peek: pa.Table, now: dt.datetime) -> _Look | str:
    """A column's look, or why it is none: a reason to tell, or an empty text where nobody would ask."""
    if column.kind not in _BASE or column.name not in peek.column_names:
        return ""
    name = time_likeness(column.name)
    values = _to_pandas(peek.column(column.name))
    if values is None or len(values) == 0:
        return "no values to look at" if name > 0 else ""
    nulls = float(values.isna().mean())
    present = values.dropna()
    moments = _moments(column, present)
    if moments is None:
        return _look_at_id(column, present, nulls, name)
    if nulls > 0.5:
        return f"NULL in {nulls:.0%} of rows"
    return _weigh(column, moments, nulls, name, now)


def _weigh(column: Column, moments: pd.Series[Any], nulls: float, name: float, now: dt.datetime) -> _Look | str:
    """Score a column of times by its type, its name, its NULLs, and whether its days are those of a record."""
    days = moments.dt.normalize().nunique()
    future = float((moments > pd.Timestamp(now).tz_localize(None) + pd.Timedelta(days=2)).mean())
    if future > 0.5:
        return f"lies in the future in {future:.0%} of rows"
    span_days = (moments.quantile(0.99) - moments.quantile(0.01)).days
    score = _BASE[column.kind] + name - nulls - future
    notes = []
    if span_days > 20 * 365 and len(moments) / max(days, 1) < 2:
        score -= 0.6
        notes.append(f"spread over {span_days // 365} years, like birth dates")
    if days == 1:
        score -= 0.1
        notes.append("all on one day")
    if bool((moments.dt.normalize() == moments).all()):
        score += 0.1
    if nulls > 0:
        notes.append(f"NULL in {nulls:.1%} of rows")
    return _Look(column, score, moments, tuple(notes))


def _look_at_id(column: Column, present: pd.Series[Any], nulls: float, name: float) -> _Look | str:
    """A partition id that is no time: only under a name that says so, and with many rows to each."""
    if column.kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        return "no values that are times"
    if not set(words_of(column.name)) & PARTITION_IDS or is_calendar(column.name):
        return ""
    if column.kind is ColumnKind.NUMBER and not _whole(present):
        return ""
    if nulls > 0.02:
        return f"NULL in {nulls:.0%} of rows"
    if len(present) and present.nunique() > max(len(present) / 3, 1):
        return "nearly as many values as rows"
    return _Look(column, 0.2 + name, None, ("an id, not a time",))


def _count(warehouse: Warehouse, table: Table, look: _Look, peek: pa.Table) -> TimeCandidate | tuple[str, str]:
    """Confirm a look by its latest partitions in the warehouse, and find the cadence."""
    column = look.column.name
    try:
        form = warehouse.time_form(table.path, column)
        trial = replace(table, time=TimeColumn(column, form), cadence=Cadence.DAY)
        counted = warehouse.partitions(trial, last=PARTITIONS)
    except UsageError as error:
        return column, error.what
    if not counted:
        return column, "no rows"
    rows_median = float(np.median([rows for _, rows in counted]))
    starts = [partition.start for partition, _ in counted if partition.start is not None]
    cadence = _id_cadence(column, peek) if form in _IDS else _time_cadence(look, starts, rows_median)
    score, notes = look.score + 0.2 * _coverage(starts, cadence), list(look.notes)
    if rows_median < 2 and len(counted) > 1:
        score -= 0.3
        notes.append("about one row a day")
    reason = ", ".join([f"{len(counted)} partitions with {rows_median:,.0f} rows each in the median", *notes])
    return TimeCandidate(column, form, cadence, round(score, 3), reason, len(counted), rows_median)


def _time_cadence(look: _Look, starts: Sequence[dt.datetime], rows_median: float) -> Cadence:
    """Week if days with rows are seven apart, hour if each row stands on a full hour and hours are large, else day."""
    gaps = _gaps(starts)
    if len(gaps) >= 3 and np.mean(gaps == 7) >= 0.7:
        return Cadence.WEEK
    if look.moments is None or look.at_midnight or not look.at_hours:
        return Cadence.DAY
    hours = look.moments.dt.hour.nunique()
    return Cadence.HOUR if hours >= 20 and rows_median / 24 >= HOURLY_ROWS_MIN else Cadence.DAY


def _id_cadence(column: str, peek: pa.Table) -> Cadence:
    """Week if the id, or a column that changes exactly with it, is called so."""
    if "week" in words_of(column):
        return Cadence.WEEK
    ids = _to_pandas(peek.column(column))
    for other in peek.column_names:
        twin = _to_pandas(peek.column(other)) if "week" in words_of(other) else None
        if ids is None or twin is None:
            continue
        pairs = pd.DataFrame({"id": ids.astype(str), "twin": twin.astype(str)}).drop_duplicates()
        if len(pairs) > 1 and pairs["id"].is_unique and pairs["twin"].is_unique:
            return Cadence.WEEK
    return Cadence.DAY


def _coverage(starts: Sequence[dt.datetime], cadence: Cadence) -> float:
    """The share of days (weeks) between the first and the last that hold rows; 0 for ids, whose gaps say nothing."""
    gaps = _gaps(starts)
    if len(gaps) == 0:
        return 0.0
    return min(1.0, len(gaps) / (float(gaps.sum()) / (7 if cadence is Cadence.WEEK else 1)))


def _gaps(starts: Sequence[dt.datetime]) -> np.ndarray[Any, np.dtype[np.int64]]:
    days = [start.date().toordinal() for start in starts]
    return np.array([later - earlier for earlier, later in pairwise(days)], dtype=np.int64)


def _moments(column: Column, present: pd.Series[Any]) -> pd.Series[Any] | None:
    """The values as naive times in UTC, or None if they are none."""
    if column.kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP):
        moments = pd.to_datetime(present, errors="coerce", utc=True).dt.tz_localize(None).dropna()
        return moments if len(moments) else None
    if column.kind is ColumnKind.TEXT:
        return _moments_of_text(present.astype(str))
    return _moments_of_numbers(column, present)


def _moments_of_text(texts: pd.Series[Any]) -> pd.Series[Any] | None:
    texts = texts[texts.str.strip() != ""]
    if len(texts) == 0 or texts.str.fullmatch(_ISO).mean() < 0.95:
        return _moments_of_digits(texts)
    moments = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None).dropna()
    return moments if len(moments) else None


def _moments_of_numbers(column: Column, present: pd.Series[Any]) -> pd.Series[Any] | None:
    """Epoch numbers, under a name that speaks of time, as amounts and ids have the same magnitudes."""
    if time_likeness(column.name) == 0:
        return None
    numbers = pd.to_numeric(present, errors="coerce").astype("float64")
    for scale in () if is_calendar(column.name) else _TICKS_PER_S:
        inside = numbers.between(_EPOCH_FIRST_S * scale, _EPOCH_LAST_S * scale)
        if len(numbers) and inside.mean() >= 0.98:
            return pd.to_datetime((numbers[inside] * (1e6 / scale)).astype("int64"), unit="us").rename(column.name)
    return _moments_of_digits(numbers.astype("Int64").astype(str)) if _whole(present) else None


def _moments_of_digits(texts: pd.Series[Any]) -> pd.Series[Any] | None:
    """Days written as 20130208."""
    if len(texts) == 0 or texts.str.fullmatch(r"(?:19|20)\d{6}").mean() < 0.98:
        return None
    moments = pd.to_datetime(texts, errors="coerce", format="%Y%m%d")
    return moments.dropna() if moments.notna().mean() >= 0.98 else None


def _whole(present: pd.Series[Any]) -> bool:
    numbers = pd.to_numeric(present, errors="coerce").astype("float64")
    return bool((numbers.abs() < _WHOLE_MAX).all() and (numbers == np.floor(numbers)).all())


def _to_pandas(values: pa.ChunkedArray) -> pd.Series[Any] | None:
    """A column as a Series; None where pandas cannot hold it (dates beyond its calendar)."""
    try:
        return pd.Series(values.to_pandas())
    except (ValueError, OverflowError, TypeError):  # pyarrow's own errors are ValueErrors too
        return None


def partitions_of(warehouse: Warehouse, table: Table, last: int) -> list[tuple[Partition, int]]:
    """The latest partitions with rows, but the very last, which may still be filling, unless it is the only one."""
    counted = list(warehouse.partitions(table, last=last + 1))
    return counted[:-1] if len(counted) > 1 else counted
