"""Which rows moved a metric that nobody split: its sums by the values of columns, today beside comparable days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.broken import columns_named
from monitor.conditions import conjunction_sql
from monitor.errors import DaywatchError, UnavailableError
from monitor.privacy.redact import Gate
from monitor.types import Column, ColumnKind, Evidence, Groups, Partition, Segment, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from checks.aggregates import Parts
    from monitor.story import Sources
    from monitor.warehouses.base import Warehouse

    Array = npt.NDArray[np.float64]

Key = tuple[Any, ...]
Sums = Mapping[Key, tuple[float, ...]]

PAST_PARTITIONS = 6
VALUES_MAX = 40
"""Columns with more values are no places."""
LEAVES_MAX = 2_000
COLUMNS_MAX = 4
SAMPLE_ROWS = 5_000
_KINDS = frozenset({ColumnKind.TEXT, ColumnKind.BOOLEAN, ColumnKind.NUMBER})


@dataclass(frozen=True)
class Moved:
    """The segments that moved a metric, and by how much each, in the metric's unit."""

    segments: tuple[Segment, ...] = ()
    changes: tuple[float, ...] = ()


def find_moved(sources: Sources, evidence: Evidence) -> Moved:
    """What moved a metric made of sums (a sum, a count, a mean, a ratio of sums) that has no `by` of its own.

    A segment's `recall` is its part of the move. Nothing is told where no column has few values, the move is all over,
    or the engine does not answer.
    """
    from checks.aggregates import parts_of  # noqa: PLC0415 - only where a metric failed

    table, seen = sources.table, evidence.observation
    metric = next((m for m in table.metrics if f"metric.{m['name']}" == evidence.check), None)
    if metric is None or metric.get("by") or table.time is None or seen is None or seen.today is None:
        return Moved()
    parts = parts_of(str(metric["sql"]), table.dialect)
    past = sources.past.references(sources.partition)[:PAST_PARTITIONS]
    if parts is None or not past:
        return Moved()
    try:
        return _search(sources, metric, parts, past)
    except UnavailableError:
        raise
    except DaywatchError:
        return Moved()  # a finding is never lost for want of its segments


def _search(sources: Sources, metric: Mapping[str, Any], parts: Parts, past: Sequence[Partition]) -> Moved:
    from checks.rootcause import find_moves  # noqa: PLC0415 - loads pandas and SciPy

    table, warehouse = sources.table, sources.warehouse
    where = str(metric.get("where") or "")
    named = columns_named(str(metric["sql"]), table, "aggregate") | columns_named(where, table)
    columns = _places(sources, named)
    if not columns:
        return Moved()
    sums = tuple(s for s in (parts.numerator, parts.denominator) if s)
    groups = Groups(tuple(c.name for c in columns), statistics=sums, where=where, groups_max=LEAVES_MAX)
    today, *before = (_sums(warehouse, table, partition, groups) for partition in (sources.partition, *past))
    leaves = _leaves(today, before)
    if leaves is None:
        return Moved()
    frame = _frame(leaves.keys, columns)
    came, expected = leaves.came, leaves.expected
    found = find_moves(frame, columns, came, expected, dispersion=leaves.dispersion)
    gate, told, changes = Gate(table), [], []
    whole = float((came - expected).sum())
    for one in found:
        inside = _mask(frame, one.conditions)
        size = int(leaves.rows[inside].sum())
        text = conjunction_sql(warehouse, table, one.conditions, size, gate)
        if text and whole:
            part = float((came - expected)[inside].sum())
            told.append(Segment(text, round(one.precision, 3), round(min(1.0, part / whole), 3), size))
            changes.append(part / leaves.below if leaves.below else part)
    return Moved(tuple(told), tuple(changes))


def _mask(frame: pd.DataFrame, conditions: Sequence[Any]) -> Any:
    from checks.rootcause.apply import mask_of  # noqa: PLC0415 - loads pandas

    return mask_of(frame, conditions)


def _places(sources: Sources, named: set[str]) -> list[Column]:
    """Columns with few values, as the sample says, whose combinations stay few too."""
    table = sources.table
    if sources.samples is not None and len(sources.samples.today):
        sample = sources.samples.today
    else:
        sample = sources.warehouse.sample(table, sources.partition, SAMPLE_ROWS, 0)
    own = {table.time.name} if table.time else set()
    counted = []
    for column in table.checked_columns:
        if column.kind in _KINDS and column.name in sample and column.name not in {*own, *named}:
            values = int(sample[column.name].nunique())
            if 2 <= values <= VALUES_MAX and values < len(sample) / 10:
                counted.append((values, column))
    kept: list[Column] = []
    size = 1
    for values, column in sorted(counted, key=lambda pair: pair[0]):
        if len(kept) < COLUMNS_MAX and size * values <= LEAVES_MAX:
            kept.append(column)
            size *= values
    return kept


def _sums(warehouse: Warehouse, table: Table, partition: Partition, groups: Groups) -> Sums:
    """By values of the columns: rows, then the sums."""
    found = warehouse.grouped(table, partition, [groups])[groups].groups
    return {key: tuple(float(v or 0.0) for v in row) for key, row in found.items() if isinstance(key, tuple)}


@dataclass(frozen=True)
class Leaves:
    """Combinations of values (N) with what came, what was expected, and their rows.

    `below` is today's denominator, which turns sums into the metric; 0 where it is a sum itself. `dispersion`: variance
    by mean of a leaf's sum on usual days; None with too few of them.
    """

    keys: list[Key]
    came: Array
    expected: Array
    rows: Array
    below: float
    dispersion: float | None


def _leaves(today: Sums, before: Sequence[Sums]) -> Leaves | None:
    """Of a ratio, a leaf's rows of today are expected to be as its past ones were; one without past as all were."""
    import numpy as np  # noqa: PLC0415 - heavy

    keys = list(dict.fromkeys(key for some in (today, *before) for key in some))
    width = max((len(row) for row in today.values()), default=0)
    if not today or not any(before):
        return None
    nothing = (0.0,) * width
    now = np.array([today.get(key, nothing) for key in keys])
    past = np.array([[some.get(key, nothing) for key in keys] for some in before])
    rows = np.maximum(now[:, 0], past[:, :, 0].mean(axis=0))
    if width < 3:
        expected, usual, below = past[:, :, 1].mean(axis=0), past[:, :, 1].mean(axis=0)[None, :], 0.0
    else:
        whole = past.sum(axis=0)
        every = float(whole[:, 1].sum()) / max(float(whole[:, 2].sum()), 1e-300)
        level = np.full(len(keys), every)
        np.divide(whole[:, 1], whole[:, 2], out=level, where=whole[:, 2] != 0)
        expected, usual, below = level * now[:, 2], level * past[:, :, 2], float(now[:, 2].sum())
    spread = float(((past[:, :, 1] - usual) ** 2).sum()) / max(len(before) - 1, 1)
    size = float(np.abs(usual).sum(axis=1).mean())
    dispersion = spread / size if len(before) > 1 and size > 0 and spread > 0 else None
    return Leaves(keys, now[:, 1], expected, rows, below, dispersion)


def _frame(keys: Sequence[Key], columns: Sequence[Column]) -> pd.DataFrame:
    """A row a leaf, as samples hold them."""
    import pandas as pd  # noqa: PLC0415 - heavy

    made: dict[str, Any] = {}
    for place, column in enumerate(columns):
        values = [key[place] for key in keys]
        if column.kind is ColumnKind.NUMBER:
            made[column.name] = pd.Series([None if v is None else float(v) for v in values], dtype="float64")
        elif column.kind is ColumnKind.BOOLEAN:
            made[column.name] = pd.Series(values, dtype=object)
        else:
            made[column.name] = pd.Series(pd.Categorical([None if v is None else str(v) for v in values]))
    return pd.DataFrame(made)
