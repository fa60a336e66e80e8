"""What a comparison of two tables is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Method(StrEnum):
    """How two tables are compared."""

    AUTO = "auto"
    JOIN = "join"
    CHECKSUM = "checksum"
    BAG = "bag"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two values may lie apart and still be equal: either bound is enough.

    `absolute` in the column's own unit, `relative` as a part of the larger of both, `time_s` in seconds for times.
    """

    absolute: float = 0.0
    relative: float = 0.0
    time_s: float = 0.0


EXACT = Tolerance()


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare table A with table B; columns are called by A's names.

    `key`: the columns that tell rows apart; without, rows are compared as a multiset. `where`: SQL that rows of both
    sides meet. `columns`: names in A to names in B where they differ. `ignore`: columns left out. `tolerance` holds for
    all columns, `tolerances` for single ones instead. `ignore_case` and `ignore_whitespace` are for texts, not for
    keys. `timezone`: what times without zone mean beside times with one. `rows_max`: differing rows that are held at
    most, a uniform sample of them beyond. `sample_rows`: how many of them are told. `explain`: say where and how
    rows differ. `show_values`: tell values of rows; None: as the tables' configuration says.
    """

    key: tuple[str, ...] = ()
    where: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    tolerance: Tolerance = EXACT
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    ignore_case: bool = False
    ignore_whitespace: bool = False
    timezone: str = "UTC"
    method: Method = Method.AUTO
    rows_max: int = 100_000
    sample_rows: int = 20
    explain: bool = True
    show_values: bool | None = None
    seed: int = 0

    def tolerance_of(self, column: str) -> Tolerance:
        """What holds for a column of A."""
        return self.tolerances.get(column, self.tolerance)
