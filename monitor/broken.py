"""Where the rows are that break a rule: found in a sample of them beside as many good ones, counted on every row."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitor.conditions import conjunction_sql
from monitor.errors import DaywatchError, UnavailableError
from monitor.privacy.redact import Gate
from monitor.types import Column, ColumnKind, Evidence, Partition, Segment, Table

if TYPE_CHECKING:
    import pandas as pd

    from checks.rootcause import FoundSegment
    from checks.rules.broken import Broken
    from monitor.config.sql import Fragment
    from monitor.warehouses.base import Warehouse

SAMPLE_ROWS = 5_000
"""Of the bad rows, and of the good ones."""
COLUMNS_MAX = 200
KEY_MAX = 40
"""Columns whose values together draw a row."""
FEW = 5
"""Fewer bad rows are looked at one by one."""
_PLAIN = frozenset(
    {ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.TIMESTAMP, ColumnKind.DATE, ColumnKind.TIME, ColumnKind.BOOLEAN}
)


def find_broken(
    warehouse: Warehouse, table: Table, partition: Partition, evidence: Evidence, suspects: Collection[str] = ()
) -> tuple[Segment, ...]:
    """The segments of the rows that break a rule or relation, with their shares of all rows that it is about.

    None where the rule is about no single rows, too few break it, they are all over the table, or the engine does
    not answer. The rule's own columns tell nothing of where; neither do `suspects`.
    """
    from checks.rules import written_of  # noqa: PLC0415 - only where a rule failed
    from checks.rules.broken import broken_rows  # noqa: PLC0415 - as above

    rule = written_of(table, evidence.check)
    rows, bad = float(evidence.detail.get("rows") or 0.0), float(evidence.detail.get("bad") or 0.0)
    if rule is None or bad < FEW or bad >= rows > 0:
        return ()
    try:
        if rule["kind"] == "python":
            return _of_function(warehouse, table, partition, rule, suspects)
        columns = _columns(table)
        broken = broken_rows(rule, table, [c.name for c in columns])
        return () if broken is None else _of_statements(warehouse, table, partition, broken, columns, suspects)
    except UnavailableError:
        raise
    except DaywatchError:
        return ()  # a finding is never lost for want of its segments


def _columns(table: Table) -> list[Column]:
    """What segments are made of, the time column included for its time of day."""
    own = {table.time.name} if table.time else set()
    plain = [c for c in table.columns if c.kind in _PLAIN and (c.name in own or c.name not in table.ignore_columns)]
    return plain[:COLUMNS_MAX]


def _of_statements(
    warehouse: Warehouse, table: Table, partition: Partition, broken: Broken, columns: Sequence[Column],
    suspects: Collection[str],
) -> tuple[Segment, ...]:  # fmt: skip
    import numpy as np  # noqa: PLC0415 - heavy

    from monitor.warehouses.questions import fill  # noqa: PLC0415 - only where a rule failed

    rows, bad, good = (fill(warehouse, table, partition, sql) for sql in (broken.rows, broken.bad, broken.good))
    columns = [c for c in columns if not (broken.whole and c.within)]
    frames = [warehouse.sample_of(table, sql, columns, SAMPLE_ROWS, KEY_MAX) for sql in (bad, good)]
    if len(frames[0]) < FEW or not len(frames[1]):
        return ()
    mask = np.arange(len(frames[0]) + len(frames[1])) < len(frames[0])
    named = {*broken.columns, *columns_named(broken.condition, table), *suspects}
    found = _find(table, _together(frames), columns, mask, named)
    return _counted(warehouse, _told(warehouse, table, found), rows, bad)


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames below each other; texts stay categories, which `pd.concat` makes plain values of."""
    import pandas as pd  # noqa: PLC0415 - heavy

    made = {}
    for name in frames[0].columns:
        parts = [frame[name] for frame in frames]
        coded = all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts)
        made[name] = pd.Series(pd.api.types.union_categoricals(parts)) if coded else pd.concat(parts, ignore_index=True)
    return pd.DataFrame(made)


def _find(
    table: Table, frame: pd.DataFrame, columns: Sequence[Column], bad: Any, named: Collection[str]
) -> list[FoundSegment]:
    from checks.missing import clocks_of  # noqa: PLC0415 - loads NumPy
    from checks.rootcause import find_segments  # noqa: PLC0415 - loads pandas and SciPy

    own = {table.time.name} if table.time else set()
    clocks = own & set(clocks_of(table))
    offered = [c for c in columns if c.name not in own or c.name in clocks]
    return find_segments(frame, offered, bad, exclude=set(named), clocks=clocks)


def columns_named(sql: str, table: Table, fragment: Fragment = "condition") -> set[str]:
    """The columns that a piece of SQL names: that they are as it says is no news."""
    if not sql:
        return set()
    from monitor.config.sql import FragmentError, columns_in, parse_fragment  # noqa: PLC0415 - heavy

    try:
        named = columns_in(parse_fragment(sql, fragment, table.dialect))
    except FragmentError:
        return {c.name for c in table.columns if c.name.lower() in sql.lower()}
    exact, plain = {n for n, _ in named}, {n.lower() for n, _ in named}
    return {c.name for c in table.columns if c.name in exact or c.name.lower() in plain}


def _told(warehouse: Warehouse, table: Table, found: Sequence[FoundSegment]) -> list[Segment]:
    """The segments as conditions that may be shown, with the sample's shares."""
    gate = Gate(table)
    told = []
    for one in found:
        where = conjunction_sql(warehouse, table, one.conditions, one.rows, gate)
        if where:
            same = (conjunction_sql(warehouse, table, s, one.rows, gate) for s in one.synonyms)
            told.append(
                Segment(where, round(one.precision, 3), round(one.recall, 3), one.rows, tuple(s for s in same if s))
            )
    return told


def _counted(warehouse: Warehouse, found: Sequence[Segment], rows: str, bad: str) -> tuple[Segment, ...]:
    """The segments with their shares of every row, by one statement; without those that prove no worse.

    Both kinds of rows were drawn as if there were as many of one as of the other, so that what the sample says of
    shares is no fact: where the engine does not count, nothing is told.
    """
    if not found:
        return ()
    sums = ", ".join(f"SUM(CASE WHEN ({one.where}\n) THEN 1 ELSE 0 END) AS s{place}" for place, one in enumerate(found))
    counts = [f"SELECT '{side}' AS side, COUNT(*) AS n, {sums} FROM ({sql}\n) AS {side}_rows"
              for side, sql in (("all", rows), ("bad", bad))]  # fmt: skip
    answer = warehouse.fetch(" UNION ALL ".join(counts)).to_pylist()
    by_side = {str(row[next(iter(row))]): [float(value or 0) for value in list(row.values())[1:]] for row in answer}
    (total, *sizes), (broken, *hits) = by_side["all"], by_side["bad"]
    told = []
    for one, size, hit in zip(found, sizes, hits, strict=True):
        if size and broken and hit * total > size * broken:
            told.append(replace(one, precision=round(hit / size, 3), recall=round(hit / broken, 3), rows=int(size)))
    return tuple(told)


def _of_function(
    warehouse: Warehouse, table: Table, partition: Partition, rule: Any, suspects: Collection[str]
) -> tuple[Segment, ...]:
    """The segments of rows that a function calls bad, of as many as it is given at once."""
    from checks.rules.check import measures_of  # noqa: PLC0415 - as above
    from monitor.pythonic import CHUNK_ROWS, bad_mask, load_rule  # noqa: PLC0415 - only where such a rule failed

    (measure,) = measures_of(rule, table)
    asked = json.loads(measure.argument)
    function = load_rule(asked["rule"])
    names = list(asked["columns"] or function.daywatch_columns) or [c.name for c in table.columns]  # type: ignore[attr-defined]
    columns = _columns(table)
    wanted = list(dict.fromkeys([*names, *(c.name for c in columns)]))
    where = partition if table.time is not None else None
    frame = warehouse.frame_of(table, where, wanted, asked["where"], CHUNK_ROWS)
    mask = bad_mask(function, frame[names], asked["options"])
    return tuple(_told(warehouse, table, _find(table, frame, columns, mask, {*names, *suspects})))
