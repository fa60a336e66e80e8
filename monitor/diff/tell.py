"""What differing rows tell: samples as they may be shown, where they are, and how values moved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitor.diff.moves import moves_of
from monitor.diff.pairs import Pair
from monitor.diff.result import Difference
from monitor.diff.where import segments_of
from monitor.privacy.redact import Gate
from monitor.warehouses.canonical import NUMBERS, Form

if TYPE_CHECKING:
    from monitor.diff.compare import Work

COLUMNS_TOLD = 30


def tell(work: Work, found: Difference) -> Difference:
    """The difference with its sample, segments and moves."""
    rows = found.rows
    if rows is None or rows.empty:
        return found
    gate = gate_of(work)
    found = replace(found, sample=_sample(work, rows), shows_values=gate.table.show_values)
    found = replace(found, moves=moves_of(work.columns.values, found, gate))
    return replace(found, segments=segments_of(work, found, gate))


def gate_of(work: Work) -> Gate:
    """The gate for values of both tables: open where both are, or where the caller says so."""
    shows = work.options.show_values
    both = work.a.table.show_values and work.b.table.show_values
    ignored = work.a.table.ignore_columns | work.b.table.ignore_columns
    return Gate(replace(work.a.table, show_values=both if shows is None else shows, ignore_columns=ignored))


def shown(work: Work, pair: Pair, value: object, rows: float | None) -> Any:
    """A value of a column as it may be shown: a number as a number, everything else as text."""
    gate = gate_of(work)
    if value is None:
        return None
    if gate.passes(rows) and pair.name not in gate.table.ignore_columns and pair.form in {*NUMBERS, Form.BOOLEAN}:
        return _plain(str(value), pair.form)
    return gate.value(pair.name, value, rows)


def _plain(text: str, form: Form) -> Any:
    if form is Form.BOOLEAN:
        return text == "true"
    if form is Form.WHOLE:
        return int(text)
    return text if text in {"nan", "inf", "-inf"} else float(text)


def _sample(work: Work, rows: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """A few rows of each kind, told by key and by the columns that differ."""
    most = work.options.sample_rows
    kinds = [rows[rows["status"] == status] for status in ("changed", "added", "removed")]
    each = max(most // max(sum(len(kind) > 0 for kind in kinds), 1), 1)
    return tuple(_row(work, record) for kind in kinds for record in kind.head(each).to_dict("records"))[:most]


def _row(work: Work, record: dict[Any, Any]) -> dict[str, Any]:
    status = record["status"]
    key = {pair.name: shown(work, pair, record[f"k:{pair.name}"], 1) for pair in work.columns.keys}
    columns: dict[str, Any] = {}
    for pair in work.columns.values[: COLUMNS_TOLD if status != "changed" else None]:
        before, after = record[f"a:{pair.name}"], record[f"b:{pair.name}"]
        if status == "changed":
            if before != after:
                columns[pair.name] = {"before": shown(work, pair, before, 1), "after": shown(work, pair, after, 1)}
        else:
            columns[pair.name] = shown(work, pair, after if status == "added" else before, 1)
    return {"status": status, "key": key, "columns": columns}
