"""The pieces a SQL twin is made of; `chaos.statement` puts them together.

Pieces are written in DuckDB's SQL and translated as a whole. They speak of these common table expressions:

- `chaos_day`: the day's rows, with `chaos_inside` (in the segment) and `chaos_key` (a seeded hash, different for
  every row, copies of a row included);
- `chaos_marked`: the same with `chaos_hit`, and for every row a place by chance among the rows hit (and among the
  others), twice and independently: `chaos_first` and `chaos_second`, from 1 to `chaos_hits`;
- `chaos_yesterday`: the rows of the day before, moved to this day, with `chaos_place`, a place by chance from 1.
"""
# ruff: noqa: S608 - queries are built of quoted names and of conditions that the user wrote for it

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from chaos.fault import ChaosError
from monitor.types import ColumnKind


@dataclass(frozen=True)
class Pick:
    """Which rows are hit: of the `eligible` ones of each of `groups`, the first `limit` by `order`, then by chance.

    `limit` may speak of `chaos_n`, the number of eligible rows of the group. `dense` counts distinct values of the
    order instead of rows.
    """

    eligible: str
    limit: str
    order: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    dense: bool = False


@dataclass(frozen=True)
class Damage:
    """What happens to the rows hit, and to the table.

    `values` are new values of columns for the rows that are hit, over `rows` (the day's rows with `chaos_hit`) and
    `joins`; `hit` is the condition of the rows that get them. `keep` is the condition of the rows that stay, `extra`
    are SELECTs of rows that come in addition, `steps` further common table expressions, (name, query). `everywhere`
    applies to all rows of all days (a column's new type), `lost` and `renamed` to the table's columns.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    keep: str = "TRUE"
    steps: tuple[tuple[str, str], ...] = ()
    rows: str = "chaos_marked"
    joins: str = ""
    extra: tuple[str, ...] = ()
    everywhere: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    hit: str = "chaos_hit"


@dataclass(frozen=True)
class SqlDay:
    """A day of a table about to be damaged, as SQL twins see it: names and numbers, no rows."""

    table_columns: tuple[str, ...]
    kinds: Mapping[str, ColumnKind]
    columns: tuple[str, ...]
    seed: int
    rows: float
    intensity: float
    time_column: str | None = None
    gap_days: int = 1
    types: Mapping[str, str] = field(default_factory=dict)

    def quote(self, name: str) -> str:
        """A column's name, quoted."""
        return '"' + name.replace('"', '""') + '"'

    @property
    def all_columns(self) -> str:
        """The table's own columns, quoted, with commas."""
        return ", ".join(self.quote(name) for name in self.table_columns)

    @property
    def moment_column(self) -> str:
        """The column that orders the day: the last of those given, else the table's time column."""
        return self.columns[-1] if self.columns else self.partition_column

    @property
    def partition_column(self) -> str:
        """The table's time column; ChaosError if there is none."""
        if self.time_column is None:
            raise ChaosError("the fault needs a time column", mend="give the table a time_column")
        return self.time_column

    def kind(self, name: str) -> ColumnKind:
        """What a column's values are."""
        return self.kinds[name]

    def typed(self, name: str, value: str) -> str:
        """`value` in the column's own type, where that is known."""
        return f"CAST({value} AS {self.types[name]})" if name in self.types else value

    def number(self, name: str) -> str:
        """A column as a floating-point number."""
        return f"CAST({self.quote(name)} AS DOUBLE)"

    def spread(self, name: str) -> str:
        """The sample standard deviation of the day's values; 0 for fewer than two."""
        return f"COALESCE((SELECT STDDEV_SAMP({self.number(name)}) FROM chaos_day), 0.0)"

    def kept_whole(self, name: str, value: str) -> str:
        """`value`, rounded if all of the column's numbers on that day are whole."""
        number = self.number(name)
        broken = f"(SELECT COUNT(*) FROM chaos_day WHERE {number} <> FLOOR({number}))"
        return f"CASE WHEN {broken} = 0 THEN FLOOR({value} + 0.5) ELSE {value} END"

    def hash_of(self, text: str) -> str:
        """A seeded hash of a text, as a text that orders by chance."""
        return f"MD5('{self.seed}|' || {text})"

    def share_of(self, count: str) -> str:
        """`round(rows * count)`, halves to the even number as Python rounds."""
        product = f"(CAST({self.rows!r} AS DOUBLE) * {count})"
        floor = f"FLOOR({product})"
        odd = f"{floor} - 2 * FLOOR({floor} / 2.0) = 1"
        up = f"{product} - {floor} > 0.5 OR ({product} - {floor} = 0.5 AND {odd})"
        return f"({floor} + CASE WHEN {up} THEN 1 ELSE 0 END)"

    def nearest_value(self, name: str, share: float, condition: str = "chaos_inside") -> str:
        """The value whose share of the rows is nearest to `share` (1.0: the most common), as a subquery."""
        column = self.quote(name)
        total = f"(SELECT COUNT(*) FROM chaos_day WHERE {condition})"
        gap = f"ROUND(ABS(COUNT(*) - CAST({share!r} AS DOUBLE) * {total}), 6)"
        return (
            f"(SELECT {column} FROM chaos_day WHERE {condition} AND {column} IS NOT NULL "
            f"GROUP BY {column} ORDER BY {gap}, {column} LIMIT 1)"
        )


def in_turn(donors: str) -> tuple[str, str]:
    """A step that deals the rows of `donors`, by their places, to the rows hit; if they are short, round again.

    It is `chaos_marked` with `chaos_turn`, the place of the donor.
    """
    count = f"NULLIF((SELECT COUNT(*) FROM {donors}), 0)"
    turns = f"FLOOR((chaos_first - 1) / CAST({count} AS DOUBLE))"
    turn = f"CAST(chaos_first - {turns} * {count} AS BIGINT)"
    return "chaos_turned", f"SELECT *, {turn} AS chaos_turn FROM chaos_marked"


class _InTurn(TypedDict):
    rows: str
    joins: str


IN_TURN = _InTurn(
    rows="chaos_turned", joins="LEFT JOIN chaos_donors ON chaos_hit AND chaos_donors.chaos_place = chaos_turn"
)


def rewrite_sql(value: Callable[[SqlDay, str], str]) -> Callable[[SqlDay], Damage]:
    """A SQL twin that gives the hit rows of each column a new value, `value(day, column)`."""

    def damage(day: SqlDay) -> Damage:
        return Damage(values={name: value(day, name) for name in day.columns})

    return damage
