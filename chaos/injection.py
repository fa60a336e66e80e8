"""A fault into a data frame: the frame twins."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from chaos.catalogue import fault_named
from chaos.fault import ChaosError, Fault, Injected
from chaos.frame import FrameDay, Mask, differing, kind_of, numbers
from chaos.where import equals_any, rows_where
from monitor.types import Change

CATEGORIES_MAX = 50
SEGMENT_SHARE = 0.2


def inject(
    fault: str,
    day: pd.DataFrame,
    *,
    columns: Sequence[str] = (),
    rows: float | None = None,
    where: str | None = None,
    seed: int = 0,
    intensity: float = 1.0,
    yesterday: pd.DataFrame | None = None,
    time_column: str | None = None,
) -> Injected:
    """A damaged copy of a day's rows, and the truth about the damage; `day` itself stays as it is.

    Args:
        fault: its name, a key of `chaos.FAULTS`.
        day: the rows of one day: numbers, text (categorical, string or object), times, booleans; NULL as NaN or None.
        columns: what to damage, as many as the fault `needs`; see `chaos.suitable`.
        rows: the share of the rows (of those inside `where`) that is hit, 0 to 1: exactly `round(rows * n)` for
            faults that hit rows by chance; the wanted share of a value, of values or of a segment for the others;
            None is the fault's own default (5 % for most).
        where: a SQL condition, to damage only the rows that meet it; faults of a segment choose one if it is None.
        seed: chooses the rows; same arguments, same result.
        intensity: how strong the damage is where that can be said; 1.0 is the fault's usual strength.
        yesterday: the rows of the day before, for the faults that need them.
        time_column: the table's time column, for the faults that move rows in time.

    Raises:
        ChaosError: an unknown fault or column, columns that do not fit, a share outside 0 to 1, a bad condition.
    """
    chosen = fault_named(fault)
    share = float(chosen.options.get("rows", 1.0) if rows is None else rows)
    check_arguments(chosen, tuple(map(str, day.columns)), columns, share, intensity)
    check_kinds(chosen, columns, {name: kind_of(day[name]) for name in columns})
    rng = np.random.default_rng([seed & 0xFFFF_FFFF, zlib.crc32(fault.encode())])
    if "segment" in chosen.needs and where is None:
        where, inside = choose_segment(day, columns, SEGMENT_SHARE if rows is None else rows, rng, time_column)
    else:
        inside = rows_where(day, where)
    frame_day = FrameDay(
        day.copy(deep=False), tuple(columns), inside, inside, rng, share, intensity, yesterday, time_column
    )
    frame_day.hit, segment = chosen.choice.frame(frame_day)
    after = chosen.frame(frame_day)
    return _told(chosen, frame_day, after, _both(where, segment))


def check_arguments(fault: Fault, table: Sequence[str], columns: Sequence[str], rows: float, intensity: float) -> None:
    """Raise ChaosError if a fault cannot be applied with these arguments, on a table of these columns."""
    unknown = [name for name in columns if name not in table]
    if unknown:
        raise ChaosError(f"no column {unknown[0]!r}", mend=f"choose of {', '.join(table[:30])}")
    if len(set(columns)) < len(columns):
        raise ChaosError(f"a column is named twice in {', '.join(columns)}", mend="name each once")
    needed = columns_needed(fault)
    if len(columns) < needed:
        kinds = ", ".join(need for need in fault.needs if need not in _NO_COLUMN)
        what = f"{fault.name} needs {kinds or 'columns'}; {len(columns)} columns given"
        raise ChaosError(what, mend="name the columns to damage")
    if not 0 <= rows <= 1:
        raise ChaosError(f"rows is a share from 0 to 1, not {rows}", mend="write 0.05 for 5 %")
    if not 0 < intensity <= 1000:
        raise ChaosError(f"intensity is {intensity}", mend="choose a number above 0 and up to 1000")


def check_kinds(fault: Fault, columns: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Raise ChaosError where numbers, text or times are needed and the columns hold something else."""
    asked = [need for need in fault.needs if need not in _NO_COLUMN]
    if "two_columns" in asked and len({kinds[name] for name in columns}) > 1:
        raise ChaosError(f"{columns[0]!r} and {columns[1]!r} are not alike", mend="choose two columns of one kind")
    # A fault of one kind of column takes several of it; page_cut's further columns make groups of any kind.
    several = len(asked) == 1 and fault.choice.name != "tail_of_groups"
    for name, need in zip(columns, asked * len(columns) if several else asked, strict=False):
        if need in _KINDS and kinds[name] not in _KINDS[need]:
            what = f"{name!r} holds {kinds[name]} values"
            raise ChaosError(what, mend=f"{fault.name} needs {' or '.join(_KINDS[need])} here")


_KINDS = {
    "number_column": ("number",),
    "text_column": ("text",),
    "category_column": ("text", "number"),
    "time_column": ("time",),
}
_NO_COLUMN = frozenset({"segment", "yesterday", "partition_column"})


def columns_needed(fault: Fault) -> int:
    """How many columns must be named at least."""
    counts = dict.fromkeys(_NO_COLUMN, 0) | {"two_columns": 2}
    needed = sum(counts.get(need, 1) for need in fault.needs)
    # What orders the day may be the table's own time column.
    return needed - ("time_column" in fault.needs and fault.name != "timezone_shift")


def choose_segment(
    day: pd.DataFrame, columns: Sequence[str], share: float, rng: np.random.Generator, time_column: str | None = None
) -> tuple[str, Mask]:
    """A segment of about that share of the rows, one value of a category not among `columns`: its condition, its rows.

    Raises:
        ChaosError: no column of the frame is a category.
    """
    names = [str(name) for name in day.columns if name not in columns and name != time_column]
    categories = [name for name in names if is_category(day[name])]
    if not categories:
        raise ChaosError("no column makes segments", mend="give the segment as `where`, a SQL condition")
    name = categories[int(rng.integers(len(categories)))]
    counts = day[name].value_counts()
    counts = counts[counts > 0]
    gaps = {value: abs(count / len(day) - share) for value, count in counts.items()}
    value = min(gaps, key=lambda value: (gaps[value], str(value)))
    return str(equals_any(name, [value])), np.asarray(day[name] == value)


def is_category(column: pd.Series[Any]) -> bool:
    """Whether a column has few values that come again and again: text, or small whole numbers."""
    kind = kind_of(column)
    if kind not in ("text", "number"):
        return False
    values = column.nunique()
    most = min(CATEGORIES_MAX, len(column) / 10)
    if kind == "number":
        known = numbers(column.dropna())
        return bool(2 <= values <= min(20, most) and (known == np.floor(known)).all())
    return bool(2 <= values <= most)


def _both(where: str | None, segment: str | None) -> str | None:
    if where is None or segment is None:
        return where or segment
    return f"({where}) AND {segment}"


def _told(fault: Fault, day: FrameDay, after: pd.DataFrame, where: str | None) -> Injected:
    counts = {
        "differing": lambda: int(differing(day.frame, after).sum()),
        "hit": lambda: int(day.hit.sum()),
        "added": lambda: abs(len(after) - len(day.frame)),
    }
    columns = columns_changed(fault, day.columns, day.time_column)
    return Injected(after, columns, where, counts[fault.count](), _change(fault, day, after))


def columns_changed(fault: Fault, columns: Sequence[str], time_column: str | None) -> tuple[str, ...]:
    """The columns whose values a fault changes, of those it was given; none where rows come or go."""
    if "partition_column" in fault.needs:
        return (time_column,) if time_column else ()
    if fault.name == "lost_join":
        return tuple(columns[1:])
    if fault.name in ("frozen_values", "stale_values"):
        return tuple(columns[:1])
    return tuple(columns) if fault.moves != "rows" or fault.choice.by_value else ()


def _change(fault: Fault, day: FrameDay, after: pd.DataFrame) -> Change:
    if not fault.signed:
        return fault.change
    name = day.columns[0]
    before, now = (float(np.nansum(numbers(frame[name]))) for frame in (day.frame, after))
    return Change.SHIFT_UP if now > before else Change.SHIFT_DOWN
