"""Where differing rows are: segments found on a sample, confirmed by counting the whole table, and told as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from checks.rootcause import Condition, FoundSegment, find_segments
from monitor.diff.model import frame_of, kind_of
from monitor.diff.pairs import Pair, Side
from monitor.diff.result import Difference, Part
from monitor.privacy.redact import Gate
from monitor.types import Column, ColumnKind
from monitor.warehouses.canonical import Form
from monitor.warehouses.constructs import CountIf, raw

if TYPE_CHECKING:
    from monitor.diff.compare import Work

BAD_ROWS = 2_000
GOOD_ROWS = 8_000
SEGMENTS = 3
CHANGED_MOST = 0.98
"""Where more than this part of a table differs, no segment says more than "everywhere"."""


def segments_of(work: Work, found: Difference, gate: Gate) -> tuple[Part, ...]:
    """Segments of changed and added rows of B, and of removed rows of A; the best first."""
    kinds = (("changed", found.changed or 0, "b", work.b), ("added", found.added, "b", work.b))
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
    # What changed says nothing of where: the column's new values would be "the segment" of their own change.
    itself = set(found.columns) if kind.status == "changed" else set()
    columns = [Column(pair.name, kind_of(pair), pair.a.type) for pair in pairs if pair.name not in itself]
    candidates = find_segments(frame, columns, is_bad, SEGMENTS)
    told = [(segment, where) for segment in candidates if (where := _sql(segment, kind, pairs, gate))]
    return _confirmed(told, kind, len(bad))


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


def _sql(segment: FoundSegment, kind: _Kind, pairs: Sequence[Pair], gate: Gate) -> str:
    """The segment as a condition on the side's table; '' where a value in it may not be shown."""
    named = {pair.name: pair for pair in pairs}
    rows = segment.rows
    parts = [_condition(c, named[c.column], kind, gate, rows) for c in segment.conditions]
    return "" if None in parts else " AND ".join(str(part) for part in parts)


def _condition(condition: Condition, pair: Pair, kind: _Kind, gate: Gate, rows: int) -> str | None:
    column = pair.a if kind.letter == "a" else pair.b
    quoted = kind.side.warehouse.identifier(column.name)
    if condition.operator == "is null":
        return f"{quoted} IS NULL"
    if isinstance(condition.value, bool):
        return quoted if condition.value else f"NOT {quoted}"
    if not (gate.passes(rows) or condition.operator in {"<=", ">"}):
        return None
    if kind_of(pair) is ColumnKind.NUMBER:
        return f"{quoted} {condition.operator} {condition.value:.12g}"
    return f"{quoted} {condition.operator} {kind.side.warehouse.literal(condition.value)}"


def _confirmed(told: list[tuple[FoundSegment, str]], kind: _Kind, bad: int) -> list[Part]:
    """Precision and rows by one count over the table; recall from the differing rows themselves."""
    if not told:
        return []
    wanted: list[Any] = [CountIf(raw(where)).label(f"n{i}") for i, (_, where) in enumerate(told)]
    counted = kind.side.warehouse.ask(kind.side.warehouse.rows_of(kind.side.table, wanted), [kind.side.table])
    parts = []
    for place, (segment, where) in enumerate(told):
        rows = int(counted[f"n{place}"][0].as_py() or 0)
        recall = segment.recall
        precision = min(recall * kind.count / rows, 1.0) if rows else 0.0
        if bad and precision > kind.count / kind.total:
            parts.append(Part(kind.status, where, round(precision, 4), round(recall, 4), rows))
    return parts
