"""By which columns two tables can be told apart: the day-versus-day classifier on a sample of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from monitor.diff.pairs import Pair, Side
from monitor.types import Column, ColumnKind, Partition, SampleSet, Table
from monitor.warehouses.canonical import NUMBERS, TIMES, Form

if TYPE_CHECKING:
    from monitor.diff.compare import Work

SAMPLE_ROWS = 10_000
NATS_MIN = 0.01
"""What a column must tell the two apart by to be named; less is chance."""
ROWS_MIN = 20
_KINDS = {
    Form.TEXT: ColumnKind.TEXT,
    Form.CODE: ColumnKind.TEXT,
    Form.BOOLEAN: ColumnKind.BOOLEAN,
    Form.JSON: ColumnKind.JSON,
}


def nats_by_column(work: Work, rows: tuple[int, int]) -> dict[str, float]:
    """Nats by column of A's name, the largest first; empty where too few rows are there, or nothing differs."""
    from checks.drift.compare import compare  # noqa: PLC0415 - loads the model

    if min(rows) < ROWS_MIN:
        return {}
    pairs = [pair for pair in work.columns.pairs if pair.form is not Form.OTHER]
    a, b = (_sample(work, letter, side, pairs, n) for (letter, side), n in zip(_sides(work), rows, strict=True))
    columns = tuple(Column(pair.name, kind_of(pair), pair.a.type) for pair in pairs)
    table = Table(work.a.table.name, work.a.table.warehouse, work.a.table.path, columns, None)
    past = Partition("0", "A")
    found = compare(table, Partition("1", "B"), SampleSet(b, ((past, a),), work.options.seed))
    nats = {pair.name: round(found.attributed.get(pair.name, 0.0), 4) for pair in pairs}
    return {name: n for name, n in sorted(nats.items(), key=lambda item: -item[1]) if n >= NATS_MIN}


def kind_of(pair: Pair) -> ColumnKind:
    """What a pair is in a frame."""
    if pair.form in NUMBERS:
        return ColumnKind.NUMBER
    return ColumnKind.TIMESTAMP if pair.form in TIMES else _KINDS.get(pair.form, ColumnKind.TEXT)


def _sides(work: Work) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return ("a", work.a), ("b", work.b)


def _sample(work: Work, letter: str, side: Side, pairs: list[Pair], rows: int) -> pd.DataFrame:
    """A seeded sample of a side, as a frame of A's names."""
    wanted = [pair.text(letter, side.dialect).label(f"c{place}") for place, pair in enumerate(pairs)]
    statement = side.warehouse.draw_of(side.table, wanted, SAMPLE_ROWS, work.options.seed, rows)
    found = side.warehouse.ask(statement, [side.table]).to_pandas().astype(object)
    texts = found.where(found.notna(), None)
    return frame_of({pair.name: texts[f"c{place}"] for place, pair in enumerate(pairs)}, pairs)


def frame_of(texts: dict[str, pd.Series], pairs: list[Pair]) -> pd.DataFrame:
    """Columns of canonical texts as a frame that checks read: floats, times, True and False, categories of text."""
    return pd.DataFrame({pair.name: _read(texts[pair.name], pair) for pair in pairs})


def _read(texts: pd.Series, pair: Pair) -> pd.Series:
    kind = kind_of(pair)
    if kind is ColumnKind.NUMBER:
        return pd.to_numeric(texts, errors="coerce").astype("float64")
    if kind is ColumnKind.TIMESTAMP:
        return pd.to_datetime(texts, errors="coerce", format="ISO8601").astype("datetime64[us]")
    if kind is ColumnKind.BOOLEAN:
        return texts.map({"true": True, "false": False}).astype(object).where(texts.notna(), None)
    return texts.astype("str").where(texts.notna(), None).astype("category")
