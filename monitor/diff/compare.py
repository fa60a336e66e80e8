"""The comparison of two open tables, by the way that fits them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from monitor.config.addresses import warehouse_address
from monitor.diff.bag import Bag
from monitor.diff.checksum import Checksum
from monitor.diff.join import Join
from monitor.diff.options import Method, Options
from monitor.diff.pairs import Alignment, Side, align
from monitor.diff.result import Difference
from monitor.diff.rows import Rows
from monitor.diff.totals import Totals
from monitor.errors import UsageError
from monitor.types import Cost, Table

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa


@dataclass(frozen=True)
class Work:
    """What every way of comparing starts from."""

    a: Side
    b: Side
    columns: Alignment
    options: Options
    started: float


def _cost(a: Side, b: Side) -> Cost:
    """What both warehouses were asked since they were opened."""
    warehouses = {id(side.warehouse): side.warehouse for side in (a, b)}.values()
    costs = [warehouse.cost for warehouse in warehouses]
    told = [cost.bytes for cost in costs if cost.bytes is not None]
    return Cost(sum(c.queries for c in costs), sum(c.rows for c in costs), sum(told) if told else None)


def _since(before: Cost, after: Cost) -> Cost:
    scanned = None if after.bytes is None else after.bytes - (before.bytes or 0)
    return Cost(after.queries - before.queries, after.rows - before.rows, scanned)


def compare_sides(a: Side, b: Side, options: Options) -> Difference:
    """How table B differs from table A.

    Raises:
        UsageError: the tables cannot be compared so; the message says why and what to do.
        SourceError: a warehouse failed; nothing is known then.
    """
    started = time.monotonic()
    method = Method(options.method)
    given = options.key or a.table.key
    options = replace(options, method=method, key=() if method in _KEYLESS else given)
    a, b = (Side(side.warehouse, _scoped(side, options.where)) for side in (a, b))
    b = _moved(a, b)
    work = Work(a, b, align(a, b, options), options, started)
    asked = _cost(a, b)
    before = _marks(a, b)
    found = _COMPARED[_method(work)](work)
    if _marks(a, b) != before:
        notes = (*found.notes, "a table changed while it was read, so these figures are of no one moment")
        found = replace(found, is_stable=False, notes=notes)
    return replace(found, seconds=time.monotonic() - started, cost=_since(asked, _cost(a, b)))


def _marks(a: Side, b: Side) -> list[str | None]:
    """What tells states of the tables apart, as far as their engines know."""
    states = [side.warehouse.states([side.table.path]).get(side.table.path) for side in (a, b)]
    return [None if state is None else state.mark for state in states]


_KEYLESS = frozenset({Method.BAG, Method.MODEL})


def _scoped(side: Side, where: str | None) -> Table:
    both = [f"({text}\n)" if "--" in text else f"({text})" for text in (side.table.where, where) if text]
    return replace(side.table, where=" AND ".join(both) or None)


def is_one_place(a: Side, b: Side) -> bool:
    """Whether one connection reaches both tables."""
    if a.warehouse is b.warehouse:
        return True
    addresses = [warehouse_address(side.warehouse.url) for side in (a, b)]
    if ":memory:" in addresses[0]:
        return False
    return _database(addresses[0]) == _database(addresses[1])


def _database(address: str) -> str:
    """An address without the schema that it begins in."""
    if address.startswith("snowflake://"):
        return "/".join(address.split("/")[:4])
    return address.split("?search_path=", maxsplit=1)[0]


def _moved(a: Side, b: Side) -> Side:
    """B as A's warehouse sees it, where that reaches it; with its schema, as the two may begin in different ones."""
    if a.warehouse is b.warehouse or not is_one_place(a, b):
        return b
    path = b.table.path if len(b.table.path) > 1 else (b.warehouse.default_schema, *b.table.path)
    return Side(a.warehouse, replace(b.table, path=path))


def _method(work: Work) -> Method:
    chosen = work.options.method
    if chosen in {Method.JOIN, Method.CHECKSUM} and not work.options.key:
        raise UsageError(
            f"the method {chosen.value} needs a key", where="--key", mend="name the columns that tell rows apart"
        )
    if chosen is Method.JOIN and work.a.warehouse is not work.b.warehouse:
        raise UsageError(
            "the tables lie in two databases, which no join reaches", where="--method", mend="use checksum"
        )
    if chosen is not Method.AUTO:
        return chosen
    if not work.options.key:
        return Method.BAG
    return Method.JOIN if work.a.warehouse is work.b.warehouse else Method.CHECKSUM


def _by_join(work: Work) -> Difference:
    join = Join(work.a, work.b, work.columns)
    totals = join.totals()
    compared = time.monotonic() - work.started
    found = _difference(work, totals, "join", work.a.warehouse.sql(join.rows(as_texts=False)))
    found = replace(found, compare_seconds=compared)
    if not totals.differing or not work.options.explain:
        return found
    share = min(1.0, work.options.rows_max / totals.differing)
    rows = held(work.a.warehouse.stream(join.rows(share), join.tables), work.options.rows_max)
    return told(work, found, rows, is_sampled=share < 1.0)


def _difference(work: Work, totals: Totals, method: str, sql: str) -> Difference:
    columns = work.columns
    return Difference(
        work.a.table.name,
        work.b.table.name,
        totals.rows_a,
        totals.rows_b,
        totals.added,
        totals.removed,
        totals.changed,
        totals.repeated_a,
        totals.repeated_b,
        totals.columns,
        method,
        sql,
        totals.repeats_differ,
        columns.only_a,
        columns.only_b,
        columns.renamed or {},
        notes=columns.notes,
    )


def held(pieces: Generator[pa.Table], rows_max: int) -> pd.DataFrame:
    """Rows of a stream as a frame of texts, at most so many; the rest is not fetched."""
    frames: list[pd.DataFrame] = []
    rows = 0
    with closing(pieces):
        for piece in pieces:
            frames.append(piece.slice(0, rows_max - rows).to_pandas().astype(object))
            rows += len(frames[-1])
            if rows >= rows_max:
                break
    if not frames:
        return pd.DataFrame({"status": []})
    found = pd.concat(frames, ignore_index=True)
    return found.where(found.notna(), None)


def told(work: Work, found: Difference, rows: pd.DataFrame, *, is_sampled: bool) -> Difference:
    """The difference with its rows, and what they tell of where and how."""
    from monitor.diff.tell import tell  # noqa: PLC0415 - loads the segment search

    notes = found.notes
    if is_sampled:
        differing = found.added + found.removed + (found.changed or 0)
        notes = (*notes, f"{len(rows):,} of {differing:,} differing rows were read, a uniform sample; counts are whole")
    return tell(work, replace(found, rows=rows, is_sampled=is_sampled, notes=notes))


def _by_checksum(work: Work) -> Difference:
    options = work.options
    checksum = Checksum(work.a, work.b, work.columns, options.rows_max, options.seed)
    totals = checksum.totals()
    found = _difference(work, totals, "checksum", checksum.sql())
    found = replace(found, compare_seconds=time.monotonic() - work.started)
    if not totals.differing or not options.explain:
        return found
    rows = checksum.matched.rows()
    return told(work, found, rows, is_sampled=checksum.matched.is_sampled)


def _by_bag(work: Work) -> Difference:
    bag = Bag(work.a, work.b, work.columns)
    totals = bag.totals()
    found = replace(_difference(work, totals, "bag", bag.sql()), changed=None)
    found = replace(found, compare_seconds=time.monotonic() - work.started)
    if not totals.differing or not work.options.explain:
        return found
    return replace(found, columns=_nats(work, totals))


def _by_model(work: Work) -> Difference:
    rows = [Rows(side, letter, work.columns).count() for letter, side in (("a", work.a), ("b", work.b))]
    totals = Totals(rows[0], rows[1], 0, 0, 0, {})
    note = "samples were compared, not every row: that nothing tells them apart does not make them equal"
    found = replace(_difference(work, totals, "model", ""), changed=None, columns=_nats(work, totals))
    notes = (*found.notes, note)
    return replace(found, notes=notes, is_sampled=True, compare_seconds=time.monotonic() - work.started)


def _nats(work: Work, totals: Totals) -> dict[str, float]:
    from monitor.diff.model import nats_by_column  # noqa: PLC0415 - loads the classifier

    return nats_by_column(work, (totals.rows_a, totals.rows_b))


_COMPARED = {Method.BAG: _by_bag, Method.MODEL: _by_model, Method.JOIN: _by_join, Method.CHECKSUM: _by_checksum}
