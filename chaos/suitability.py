"""Where a fault leaves a trace: the columns of a table worth damaging with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from chaos.catalogue import fault_named
from chaos.fault import ChaosError, Fault
from chaos.frame import kind_of, numbers
from chaos.injection import inject, is_category

Columns = tuple[str, ...]
ROWS_MAX = 2_000
CANDIDATES_MAX = 400


def suitable(
    fault: str, frame: pd.DataFrame, time_column: str | None = None, *, yesterday: pd.DataFrame | None = None
) -> list[str | Columns]:
    """The columns on which a fault leaves a trace in principle.

    A name each for faults of one column, tuples for those of several; `[()]` for a fault that needs no column and
    can be applied, `[]` where the fault makes no sense at all. The fault is tried on up to 2,000 of the rows; a
    fault that needs the day before is tried with `yesterday`, or with the frame itself.

    Raises:
        ChaosError: an unknown fault.
    """
    chosen = fault_named(fault)
    few = frame.head(ROWS_MAX)
    past = (few if yesterday is None else yesterday.head(ROWS_MAX)) if "yesterday" in chosen.needs else None
    candidates = itertools.islice(_candidates(chosen, few, time_column), CANDIDATES_MAX)
    tried = yesterday is not None
    return [
        columns[0] if len(columns) == 1 else columns
        for columns in candidates
        if _leaves_trace(chosen, few, columns, time_column, past, tried=tried)
    ]


def _leaves_trace(
    fault: Fault,
    frame: pd.DataFrame,
    columns: Columns,
    time_column: str | None,
    past: pd.DataFrame | None,
    *,
    tried: bool,
) -> bool:
    if fault.trace is not None and not fault.trace(_apart(frame, time_column), columns):
        return False
    rows = 0.5 if fault.choice.name in ("first", "last", "entities") else None
    try:
        done = inject(fault.name, frame, columns=columns, rows=rows, yesterday=past, time_column=time_column)
    except ChaosError:
        return False
    # With the frame as its own past, nothing need differ; with few rows at a small share, nothing need be hit.
    if "yesterday" in fault.needs and not tried:
        return True
    if done.rows_changed == 0 and "rows" in fault.options:
        again = inject(fault.name, frame, columns=columns, rows=0.9, yesterday=past, time_column=time_column)
        return again.rows_changed > 0
    return done.rows_changed > 0


def _apart(frame: pd.DataFrame, time_column: str | None) -> pd.DataFrame:
    return frame.drop(columns=time_column) if time_column in frame.columns else frame


def _candidates(fault: Fault, frame: pd.DataFrame, time_column: str | None) -> Iterator[Columns]:
    needs = [need for need in fault.needs if need not in ("segment", "yesterday", "partition_column")]
    if "partition_column" in fault.needs and not _is_time(frame, time_column):
        return iter(())
    own = [str(name) for name in frame.columns if name != time_column]
    if fault.name == "null_block":
        known = [name for name in own if _is_known(frame, name)]
        return iter([tuple(known[i : i + 3]) for i in range(max(0, len(known) - 2))])
    if fault.name == "page_cut":
        return _pages(frame, own)
    if needs == ["two_columns"]:
        return _pairs(frame, own)
    kinds = [
        [n for n in (map(str, frame.columns) if need == "time_column" else own) if _FITS[need](frame, n)]
        for need in needs
    ]
    return (columns for columns in itertools.product(*kinds) if len(set(columns)) == len(columns))


def _pages(frame: pd.DataFrame, own: Sequence[str]) -> Iterator[Columns]:
    numeric = [name for name in own if _is_number(frame, name)]
    groups = [name for name in own if _is_category(frame, name)]
    yield from ((name, group) for name in numeric for group in groups if group != name)
    yield from ((name,) for name in numeric)


def _pairs(frame: pd.DataFrame, own: Sequence[str]) -> Iterator[Columns]:
    for a, b in itertools.combinations(own, 2):
        if kind_of(frame[a]) == kind_of(frame[b]) and _is_known(frame, a) and _is_known(frame, b):
            yield a, b


def _is_known(frame: pd.DataFrame, name: str) -> bool:
    return bool(frame[name].notna().any())


def _is_number(frame: pd.DataFrame, name: str) -> bool:
    return kind_of(frame[name]) == "number" and _is_known(frame, name)


def _is_text(frame: pd.DataFrame, name: str) -> bool:
    return kind_of(frame[name]) == "text" and _is_known(frame, name)


def _is_category(frame: pd.DataFrame, name: str) -> bool:
    return is_category(frame[name])


def _is_time(frame: pd.DataFrame, name: str | None) -> bool:
    return name is not None and name in frame.columns and kind_of(frame[name]) == "time"


def _has_time_of_day(frame: pd.DataFrame, name: str) -> bool:
    if not _is_time(frame, name):
        return False
    known = frame[name].dropna()
    return bool((known != known.dt.normalize()).mean() > 0.1)


def _is_key(frame: pd.DataFrame, name: str) -> bool:
    """All different, and not by being a fine measurement: text or whole numbers."""
    column = frame[name]
    if kind_of(column) not in ("text", "number") or len(column) < 2 or not bool(column.notna().all()):
        return False
    if kind_of(column) == "number" and not (numbers(column) % 1 == 0).all():
        return False
    return bool(column.is_unique)


_FITS: dict[str, Callable[[pd.DataFrame, str], bool]] = {
    "column": _is_known,
    "number_column": _is_number,
    "text_column": _is_text,
    "category_column": _is_category,
    "time_column": _has_time_of_day,
    "key": _is_key,
}
