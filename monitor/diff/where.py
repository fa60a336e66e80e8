"""Where differing rows are: segments found on a sample, confirmed by counting the whole table, and told as SQL."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from checks.rootcause import Condition, FoundSegment, find_segments
from monitor.conditions import text_condition
from monitor.diff.model import frame_of, kind_of
from monitor.diff.pairs import Pair, Side
from monitor.diff.result import Difference, Part
from monitor.privacy.redact import Gate
from monitor.types import Column, ColumnKind
from monitor.warehouses.canonical import TIMES, Form
from monitor.warehouses.constructs import CountIf, raw
from monitor.warehouses.frames import is_zoned

if TYPE_CHECKING:
    from monitor.diff.compare import Work

Span = tuple[float, float]
SPAN = "\tspan"
"""Behind a column's name: whether its day lies among those of the bad rows."""
EPOCH = pd.Timestamp("1970-01-01")
BAD_ROWS = 2_000
GOOD_ROWS = 8_000
SEGMENTS = 3
CHANGED_MOST = 0.98
"""Where more than this part of a table differs, no segment says more than "everywhere"."""


def segments_of(work: Work, found: Difference, gate: Gate) -> tuple[Part, ...]:
    """Segments of changed and removed rows, by what they were in A, and of added rows in B; the best first.

    A segment of changed rows whose columns did not change is counted in B, where people will look for it.
    """
    kinds = (("changed", found.changed or 0, "a", work.a), ("added", found.added, "b", work.b))
    parts: list[Part] = []
    for status, count, letter, side in (*kinds, ("removed", found.removed, "a", work.a)):
        total = found.rows_a if letter == "a" else found.rows_b
        if 5 <= count <= CHANGED_MOST * total:
            parts += _segments(work, found, gate, _Kind(status, count, letter, side, total))
    return tuple(parts)


class _Kind:
    """One kind of differing rows, and the side whose table they are in."""

    def __init__(self, status: str, count: int, letter: str, side: Side, total: int) -> None:
        self.status, self.count, self.letter, self.side, self.total = status, count, letter, side, total


def _segments(work: Work, found: Difference, gate: Gate, kind: _Kind) -> list[Part]:
    pairs = [pair for pair in work.columns.pairs if pair.form not in {Form.OTHER, Form.BINARY, Form.JSON}]
    bad = _bad(found, kind, pairs, work.options.seed)
    good = _good(kind, pairs, work.options.seed)
    frame = frame_of({p.name: pd.concat([bad[p.name], good[p.name]], ignore_index=True) for p in pairs}, pairs)
    is_bad = np.arange(len(frame)) < len(bad)
    columns = [Column(p.name, _kind_of(p), p.a.type) for p in pairs]
    spans: dict[str, Span] = {}
    for pair in pairs:
        if pair.form in TIMES:
            frame[pair.name] = days = (frame[pair.name] - EPOCH) // pd.Timedelta(days=1)
            span = _span(days[is_bad])
            if span is not None:
                name = f"{pair.name}{SPAN}"
                frame[name] = days.between(*span).astype(object)
                spans[name] = span
                columns.append(Column(name, ColumnKind.BOOLEAN, "boolean"))
    candidates = find_segments(frame, columns, is_bad, SEGMENTS)
    moved = set(found.columns)
    inside = _Kind(kind.status, kind.count, "b", work.b, found.rows_b)
    parts: list[Part] = []
    for segment in candidates:
        of = {condition.column.removesuffix(SPAN) for condition in segment.conditions}
        counted = inside if kind.status == "changed" and moved.isdisjoint(of) else kind
        where = _sql(segment, counted, pairs, spans, gate)
        parts += _confirmed(segment, where, counted) if where else []
    return parts


def _kind_of(pair: Pair) -> ColumnKind:
    """Times are days since 1970; what is compared as text and is none has no beginnings or lengths to speak of."""
    kind = ColumnKind.NUMBER if pair.form in TIMES else kind_of(pair)
    is_text = pair.a.kind is ColumnKind.TEXT and pair.b.kind is ColumnKind.TEXT
    return ColumnKind.OTHER if kind is ColumnKind.TEXT and not is_text else kind


def _bad(found: Difference, kind: _Kind, pairs: Sequence[Pair], seed: int) -> pd.DataFrame:
    rows = found.rows if found.rows is not None else pd.DataFrame({"status": []})
    rows = rows[rows["status"] == kind.status]
    rows = rows.sample(BAD_ROWS, random_state=seed) if len(rows) > BAD_ROWS else rows
    return pd.DataFrame(
        {p.name: rows[f"k:{p.name}" if f"k:{p.name}" in rows else f"{kind.letter}:{p.name}"] for p in pairs}
    ).reset_index(drop=True)


def _good(kind: _Kind, pairs: Sequence[Pair], seed: int) -> pd.DataFrame:
    """Rows of the whole table: few of them differ, or else the whole table does."""
    wanted = [pair.text(kind.letter, kind.side.dialect).label(f"c{i}") for i, pair in enumerate(pairs)]
    statement = kind.side.warehouse.draw_of(kind.side.table, wanted, GOOD_ROWS, seed, kind.total)
    found = kind.side.warehouse.ask(statement, [kind.side.table]).to_pandas().astype(object)
    found = found.where(found.notna(), None)
    return found.set_axis([pair.name for pair in pairs], axis=1)


def _span(days: pd.Series) -> Span | None:
    """The days between which nearly all of the bad rows lie; None where that is one day."""
    known = days.dropna()
    if known.empty:
        return None
    first, last = known.quantile([0.01, 0.99], interpolation="nearest")
    return (float(first), float(last)) if last > first else None


def _sql(segment: FoundSegment, kind: _Kind, pairs: Sequence[Pair], spans: Mapping[str, Span], gate: Gate) -> str:
    """The segment as a condition on the side's table; '' where a value in it may not be shown."""
    named = {pair.name: pair for pair in pairs}
    rows = segment.rows
    parts = [
        _between(spans[c.column], named[c.column.removesuffix(SPAN)], kind, is_inside=bool(c.value))
        if c.column in spans
        else _condition(c, named[c.column], kind, gate, rows)
        for whole in segment.conditions
        for c in whole.parts()
    ]
    return "" if None in parts else " AND ".join(str(part) for part in parts)


def _condition(condition: Condition, pair: Pair, kind: _Kind, gate: Gate, rows: int) -> str | None:
    column = pair.a if kind.letter == "a" else pair.b
    quoted = kind.side.warehouse.identifier(column.name)
    if condition.operator in {"is null", "is not null"}:
        return f"{quoted} {condition.operator.upper()}"
    if condition.operator in {"length", "prefix", "suffix"}:
        return text_condition(kind.side.warehouse, column, condition, rows, gate)
    if isinstance(condition.value, bool):
        return quoted if condition.value else f"NOT {quoted}"
    if not (gate.passes(rows) or condition.operator in {"<=", ">"}):
        return None
    if pair.form in TIMES:
        return _days(condition, pair, kind)
    if kind_of(pair) is ColumnKind.NUMBER:
        return f"{quoted} {condition.operator} {condition.value:.12g}"
    return f"{quoted} {condition.operator} {kind.side.warehouse.literal(condition.value)}"


def _between(span: Span, pair: Pair, kind: _Kind, *, is_inside: bool) -> str:
    """Days of a span, the last one included, or all others."""
    bounds = ((">", span[0] - 1), ("<=", span[1]))
    first, last = (_days(Condition(pair.name, operator, day), pair, kind) for operator, day in bounds)
    return f"{first} AND {last}" if is_inside else f"NOT ({first} AND {last})"


def _days(condition: Condition, pair: Pair, kind: _Kind) -> str:
    """A condition on days since 1970 as one on the dates or times of the column."""
    column, other = (pair.a, pair.b) if kind.letter == "a" else (pair.b, pair.a)
    warehouse = kind.side.warehouse
    quoted = warehouse.identifier(column.name)
    day = EPOCH.date() + dt.timedelta(days=math.floor(condition.value))
    if column.kind is ColumnKind.DATE:
        return f"{quoted} {condition.operator} {warehouse.literal(day)}"
    zone = ZoneInfo("UTC" if is_zoned(other) else pair.timezone) if is_zoned(column) else None
    first, after = (
        warehouse.literal(dt.datetime.combine(moment, dt.time(), zone)) for moment in (day, day + dt.timedelta(days=1))
    )
    if condition.operator == "=":
        return f"{quoted} >= {first} AND {quoted} < {after}"
    return f"{quoted} {'<' if condition.operator == '<=' else '>='} {after}"


def _confirmed(segment: FoundSegment, where: str, kind: _Kind) -> list[Part]:
    """Precision and rows by one count over the table; recall from the differing rows themselves."""
    warehouse, table = kind.side.warehouse, kind.side.table
    counted = warehouse.ask(warehouse.rows_of(table, [CountIf(raw(where)).label("n")]), [table])
    rows = int(counted["n"][0].as_py() or 0)
    precision = min(segment.recall * kind.count / rows, 1.0) if rows else 0.0
    if precision <= kind.count / kind.total:
        return []
    return [Part(kind.status, where, round(precision, 4), round(segment.recall, 4), rows, kind.letter)]
