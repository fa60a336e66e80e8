"""Two tables of different databases with a key: checksums of parts of both, and the rows of the parts that differ.

Rows fall into some thousands of parts by their key, whatever its type, order and collation: by the remainder of a whole
number, by a digest of the key's text otherwise. One scan a side counts each part's rows and adds up their digests; only
parts that differ travel, as texts, in the order of the parts, so that never more than a few parts are held at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from monitor.diff.matching import Matched, match_rows
from monitor.diff.pairs import Alignment, Side
from monitor.diff.rows import Rows, Select
from monitor.diff.totals import Totals
from monitor.warehouses.canonical import Digest, Form
from monitor.warehouses.constructs import DUCKDB, Expression, RowHash

PART_ROWS = 64
PARTS = (1, 61, 251, 1_021, 4_093, 16_381, 65_521, 262_139)
"""How many parts there may be: primes, so that keys that grow by a fixed step fall into all of them."""
LISTED_MAX = 16_000
"""Parts named in a statement at most; of more, all rows travel, and those that do not matter are dropped on the way."""
PART = "part"


class Checksum:
    """The comparison of two tables by checksums.

    Args:
        a: the one.
        b: the other.
        columns: what is compared.
        rows_max: differing rows that are kept.
        seed: which ones are kept of more.
    """

    def __init__(self, a: Side, b: Side, columns: Alignment, rows_max: int, seed: int) -> None:
        self.columns = columns
        self.sides = (Rows(a, "a", columns), Rows(b, "b", columns))
        families = {side.warehouse.hash_family for side in (a, b)}
        self.is_native = len(families) == 1 and "" not in families
        self.matched = Matched(columns, rows_max, seed)
        self.parts = 1

    def totals(self) -> Totals:
        """Count what differs; the rows are in `matched`."""
        with ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(Rows.count, self.sides))
            wanted = max(rows) // PART_ROWS
            self.parts = max(count for count in PARTS if count <= max(wanted, 1))
            sums = list(pool.map(self._checksums, self.sides))
        differing = differing_parts(*sums)
        with closing(self._chunks(differing)) as chunks:
            for frames in chunks:
                self.matched.add(match_rows(*frames, self.columns))
        found = self.matched
        repeated = self._repeated()
        return Totals(
            rows[0],
            rows[1],
            found.added,
            found.removed,
            found.changed,
            found.ranked_columns(),
            repeated[0],
            repeated[1],
            found.repeats_differ,
        )

    def _part(self, rows: Rows, source: sa.FromClause) -> Expression:
        keys = self.columns.keys
        if len(keys) == 1 and keys[0].form is Form.WHOLE:
            plain = rows.keys(source)[0]
            number = sa.func.coalesce(plain, 0)
            return sa.func.abs(sa.func.mod(number, self.parts))
        return sa.func.mod(Digest(rows.key_text(source)), self.parts)

    def _digest(self, rows: Rows, source: sa.FromClause) -> Expression:
        if self.is_native:
            return RowHash(*rows.keys(source), *rows.values(source))
        return Digest(rows.row_text(source))

    def _checksums(self, rows: Rows) -> pa.Table:
        """Each part's number, count of rows and sum of digests as text."""
        whole = rows.select().subquery("whole")
        reduced = sa.select(self._part(rows, whole).label(PART), self._digest(rows, whole).label("d"))
        parts = reduced.select_from(whole).subquery("parts")
        added = sa.cast(sa.func.sum(parts.c.d), sa.String)
        statement = sa.select(parts.c.part, sa.func.count().label("n"), added.label("s")).group_by(parts.c.part)
        return rows.ask(statement)

    def statement(self, rows: Rows, differing: npt.NDArray[np.int64]) -> Select:
        """A statement for the rows of these parts, as texts, in the order of the parts."""
        whole = rows.select().subquery("whole")
        keys, values = rows.texts(whole)
        part = self._part(rows, whole)
        wanted: list[Expression] = [part.label(PART)]
        wanted += [text.label(f"k{i}") for i, text in enumerate(keys)]
        wanted += [text.label(f"v{i}") for i, text in enumerate(values)]
        statement = sa.select(*wanted).select_from(whole)
        if len(differing) <= LISTED_MAX:
            statement = statement.where(part.in_([int(number) for number in differing]))
        return statement.order_by(part)

    def _repeated(self) -> tuple[int, int]:
        """How many keys several rows of A have, and of B.

        Parts that do not differ hold the same keys on both sides, and of those that differ all rows were seen: so one
        side needs to be counted, that which is known to have none, or else the one where counting is cheap.
        """
        matched = self.matched
        within = (matched.repeated_a, matched.repeated_b)
        known, counted = self._counted_side()
        outside = max(counted - within[known], 0)
        return outside + within[0], outside + within[1]

    def _counted_side(self) -> tuple[int, int]:
        """A side, 0 or 1, and how many keys repeat there; of two engines it is the embedded one that is asked."""
        for place, rows in enumerate(self.sides):
            if rows.is_unique:
                return place, 0
        embedded = [place for place, rows in enumerate(self.sides) if rows.side.dialect == DUCKDB]
        asked = embedded or [0, 1]
        for place in asked if self.parts > 1 else ():
            if self.sides[place].ascends():
                return place, 0
        return asked[0], self.sides[asked[0]].count_repeated()

    def sql(self) -> str:
        """The statements that show the differing rows of both sides: those of the parts that differ, the first ones."""
        parts = np.array(sorted(self.matched.parts)[:100] or [0], dtype=np.int64)
        return "\n".join(
            f"-- {rows.letter.upper()}\n{rows.side.warehouse.sql(self.statement(rows, parts))};" for rows in self.sides
        )

    def _chunks(self, differing: npt.NDArray[np.int64]) -> Generator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Whole parts of both sides, side by side, as they come."""
        if not len(differing):
            return
        streams = [
            rows.side.warehouse.stream(self.statement(rows, differing), [rows.side.table]) for rows in self.sides
        ]
        wanted = differing if len(differing) > LISTED_MAX else None
        try:
            yield from aligned_chunks(streams, wanted)
        finally:
            for stream in streams:  # their statements would hold connections, and locks, for as long as they live
                stream.close()


def differing_parts(a: pa.Table, b: pa.Table) -> npt.NDArray[np.int64]:
    """The parts that are not the same on both sides, ascending."""
    sums = [
        pd.DataFrame(
            {f"n_{letter}": side["n"].to_pylist(), f"s_{letter}": side["s"].to_pylist()},
            index=pd.Index(side["part"].to_pylist(), dtype="int64"),
        )
        for letter, side in (("a", a), ("b", b))
    ]
    both = sums[0].join(sums[1], how="outer")
    same = (both["n_a"] == both["n_b"]) & (both["s_a"] == both["s_b"])
    return np.sort(both.index[~same.to_numpy()].to_numpy(dtype=np.int64))


def aligned_chunks(
    streams: Sequence[Iterator[pa.Table]], wanted: npt.NDArray[np.int64] | None
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Cut two streams that ascend in `part` where both have come to the end of the same part.

    Args:
        streams: tables with a column `part`.
        wanted: the parts that matter; None: all.
    """
    held: list[list[pd.DataFrame]] = [[], []]
    reached: list[float] = [-1.0, -1.0]
    while True:
        side = 0 if reached[0] <= reached[1] else 1
        if reached[side] == np.inf:
            break
        piece = next(streams[side], None)
        if piece is None:
            reached[side] = np.inf
        elif piece.num_rows:
            frame = piece.to_pandas().astype(object)
            frame[PART] = frame[PART].astype("int64")
            reached[side] = float(frame[PART].iloc[-1])
            held[side].append(frame if wanted is None else frame[np.isin(frame[PART], wanted)])
        cut = min(reached)
        ready = [_split(frames, cut) for frames in held]
        held = [[rest] for _, rest in ready]
        if len(ready[0][0]) or len(ready[1][0]):
            yield ready[0][0], ready[1][0]


def _split(frames: list[pd.DataFrame], cut: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What lies before the part `cut`, which may go on, and the rest."""
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({PART: pd.Series([], dtype="int64")})
    before = whole[PART] < cut
    return whole[before], whole[~before]
