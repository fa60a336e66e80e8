"""What a comparison of two tables found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.types import Cost

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of differing rows: `of` says which (changed, added, removed) share the condition `where`.

    `precision` is the part of the segment's rows that differ so, `recall` the part of those that the segment has;
    `rows` counts the segment in its table, which `side` names: a or b. The condition is SQL of that one.
    """

    of: str
    where: str
    precision: float
    recall: float
    rows: int
    side: str = "b"


@dataclass(frozen=True, slots=True)
class Move:
    """How the values of one column changed, from a sample of changed rows: shares of those rows.

    `up` and `down` are for numbers and times, `to_null` and `from_null` for all; `median` is the middle difference of
    numbers, in their unit, and of times, in seconds. `pairs` are the commonest (before, after, rows); `paths` those
    inside of JSON that changed, with their rows.
    """

    column: str
    rows: int
    up: float | None = None
    down: float | None = None
    to_null: float = 0.0
    from_null: float = 0.0
    median: float | None = None
    pairs: tuple[tuple[str, str, int], ...] = ()
    paths: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Difference:
    """How table B differs from table A, which came first.

    Attributes:
        a: what A is called.
        b: what B is called.
        rows_a: rows of A that were compared.
        rows_b: rows of B.
        added: rows that only B has.
        removed: rows that only A has.
        changed: rows of one key with other values; None without a key.
        duplicate_keys_a: keys that several rows of A have; rows of keys repeated on either side are not matched.
        duplicate_keys_b: likewise in B.
        duplicates_differ: rows of repeated keys that one side has and the other has not, counted as a multiset.
        columns: changed rows by column, or nats by column without a key; the largest first.
        only_a: columns that only A has.
        only_b: columns that only B has.
        renamed: of those, names in A to names in B that look like one column.
        segments: where differing rows are.
        moves: how values changed.
        sample: differing rows as they may be shown.
        sql: a statement that shows the differing rows.
        method: join, checksum, bag or model.
        notes: what a reader must know: what was sampled, taken for granted, or moved meanwhile.
        is_stable: no table changed while it was read.
        seconds: all the time that it took.
        compare_seconds: of that, until what differs was counted.
        cost: what the warehouses were asked.
        shows_values: values of rows are told as they are, not by their shapes.
        rows: differing rows as texts, a uniform sample if `is_sampled`: `status`, `k:COLUMN` (keys), `a:COLUMN` and
            `b:COLUMN`. Not for showing: these are values of rows. None where no rows were read.
    """

    a: str
    b: str
    rows_a: int
    rows_b: int
    added: int
    removed: int
    changed: int | None
    duplicate_keys_a: int
    duplicate_keys_b: int
    columns: Mapping[str, float]
    method: str
    sql: str
    duplicates_differ: int = 0
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[Part, ...] = ()
    moves: tuple[Move, ...] = ()
    sample: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    is_stable: bool = True
    is_sampled: bool = False
    shows_values: bool = False
    seconds: float = 0.0
    compare_seconds: float = 0.0
    cost: Cost = field(default_factory=Cost)
    rows: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs: no row, no column that is on one side only."""
        rows = self.added + self.removed + (self.changed or 0) + self.duplicates_differ
        if self.method == "model" and (self.columns or self.rows_a != self.rows_b):
            return False
        return rows == 0 and not self.only_a and not self.only_b

    def to_json(self) -> dict[str, Any]:
        """What `daywatch diff --format json` prints; values of rows only as they may be shown."""
        return {
            "a": self.a,
            "b": self.b,
            "equal": self.is_equal,
            "rows_a": self.rows_a,
            "rows_b": self.rows_b,
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "duplicate_keys_a": self.duplicate_keys_a,
            "duplicate_keys_b": self.duplicate_keys_b,
            "duplicates_differ": self.duplicates_differ,
            "columns": dict(self.columns),
            "columns_only_a": list(self.only_a),
            "columns_only_b": list(self.only_b),
            "proposed_map": dict(self.renamed),
            "segments": [asdict(part) for part in self.segments],
            "moves": [_move_json(move) for move in self.moves],
            "sample": [dict(row) for row in self.sample],
            "sampled": self.is_sampled,
            "sql": self.sql,
            "method": self.method,
            "stable": self.is_stable,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            "compare_seconds": round(self.compare_seconds, 3),
            "cost": self.cost.to_json(),
        }


def _move_json(move: Move) -> dict[str, Any]:
    return {
        "column": move.column,
        "rows": move.rows,
        "up": move.up,
        "down": move.down,
        "to_null": move.to_null,
        "from_null": move.from_null,
        "median": move.median,
        "pairs": [{"before": before, "after": after, "rows": rows} for before, after, rows in move.pairs],
        **({"paths": dict(move.paths)} if move.paths else {}),
    }
