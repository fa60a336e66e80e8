"""The paths inside of a table's nested columns, followed from partition to partition.

What is known of them is kept with the table's columns: which were there, which were rare or absent, and of what kind.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.schema import ABSENT, RARE
from monitor.errors import SourceError, UnavailableError
from monitor.nested import CELL_BYTES_MAX, NAME_BYTES_MAX, PATHS_MAX, Look, Seen, Steps, look_into, name_of
from monitor.partitions import previous
from monitor.types import Column, ColumnKind, Partition, Table

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

CELLS = 1_000
"""Cells of a column that are looked into a day."""
BASE = (1, 7)
"""Partitions before the first one judged that say what is usual, as no earlier look does."""
PRESENT_SHARE = 0.2
"""Part of the cells from which on a path counts as there: what is rarer may be missing by chance."""
JUDGED_CELLS_MIN = 50
"""Cells in which a path must be missing to be gone."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """The table with paths as columns; the columns with their paths as this partition shows them; and as they were.

    `usual` is of partitions before, where nothing was remembered yet.
    """

    table: Table
    seen: tuple[Column, ...]
    usual: tuple[Column, ...] | None = None


@dataclass
class Paths:
    """The paths of a table under watch; some are `named` by the configuration. `plain` are columns that are no JSON."""

    warehouse: Warehouse
    named: tuple[Column, ...] = ()
    plain: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def candidates(self, table: Table, *, every: bool) -> list[Column]:
        """The columns that may hold paths: every one, or those alone of which the configuration names a path."""
        named = {c.within for c in self.named}
        return [
            c
            for c in table.columns
            if not c.within and c.name not in table.ignore_columns and c.name not in self.plain
            if (every or c.name in named) and self.warehouse.can_open(c)
        ]

    def follow(
        self, table: Table, columns: Sequence[Column], partition: Partition, before: Sequence[Column], rows: int | None
    ) -> Followed:
        """Look into the table's nested columns.

        Args:
            table: with its own columns, and paths that it is watched with or that the configuration names.
            columns: those to look into, see `candidates`.
            partition: today's.
            before: the columns last seen, with their paths.
            rows: the partition's usual row count, if known.

        Returns:
            What it is to be watched and remembered as.
        """
        stored = [c for c in table.columns if not c.within]
        known = {c.name: [path for path in before if path.within == c.name] for c in columns}
        today = self._look(table, partition, columns, rows, known)
        unknown = [c for c in columns if not known[c.name] and today.get(c.name) is not None]
        known |= self._usual(table, partition, unknown, rows) if unknown else {}
        remembered: list[Column] = []
        for column in columns:
            look = today.get(column.name)
            if look is None and not known[column.name]:
                self.plain.add(column.name)
                continue
            look = look or Look(0, 0, {})
            first = [_first(column, steps, seen, look.cells) for steps, seen in look.paths.items()]
            remembered += _followed(column, known[column.name] or first, look)
        plain = replace(table, columns=(*stored, *self.named))
        usual = [path for paths in known.values() for path in paths]
        return Followed(
            _with_paths(plain, remembered, self.warehouse.dialect), (*stored, *remembered),
            (*stored, *usual) if usual and not before else None,
        )  # fmt: skip

    def _usual(
        self, table: Table, partition: Partition, columns: Sequence[Column], rows: int | None
    ) -> dict[str, list[Column]]:
        """The paths of partitions before, where today's are the first that are looked at."""
        found: dict[str, dict[Steps, Column]] = {column.name: {} for column in columns}
        if table.time is None or partition.start is None:
            return {name: [] for name in found}
        for lag in BASE:
            day = previous(partition, table.cadence, table.timezone, lag)
            for name, look in self._look(table, day, columns, rows, {}).items():
                for steps, seen in look.paths.items() if look is not None else ():
                    column = table.column(name)
                    found[name].setdefault(steps, _first(column, steps, seen, look.cells if look else 0))
        return {name: list(paths.values()) for name, paths in found.items()}

    def _look(
        self, table: Table, partition: Partition, columns: Sequence[Column], rows: int | None,
        known: Mapping[str, Sequence[Column]],
    ) -> dict[str, Look | None]:  # fmt: skip
        """What a sample of each column's cells holds; None of those that are no JSON."""
        where = partition if table.time is not None else None
        try:
            answer = self.warehouse.documents(table, where, columns, CELLS, rows)
        except UnavailableError:
            raise
        except SourceError as error:
            _log.warning("%s %s: nested columns are not looked into: %s", table.name, partition.label, error)
            return {column.name: Look(0, 0, {}) for column in columns}
        found: dict[str, Look | None] = {}
        for column, (texts, large) in zip(columns, answer, strict=True):
            is_text = column.kind is ColumnKind.TEXT and not known.get(column.name)
            filled = any(text is not None for text in texts)
            look = look_into(texts, plain_text=is_text) if filled else Look(0, 0, {})
            found[column.name] = look
            if look is not None and (look.cells or not is_text):
                self._tell_large(table, partition, column, large, len(texts))
        return found

    def _tell_large(self, table: Table, partition: Partition, column: Column, large: int, cells: int) -> None:
        if large and column.name not in self.told:
            self.told.add(column.name)
            _log.warning(
                "%s.%s %s: %d of %d cells are larger than %d kB and are not looked into; they count as without paths",
                table.name, column.name, partition.label, large, cells, CELL_BYTES_MAX // 1024,
            )  # fmt: skip


def _first(column: Column, steps: Steps, seen: Seen, cells: int) -> Column:
    rare = seen.cells < PRESENT_SHARE * cells
    return _path(column, steps, seen.kind, RARE if rare else "")


def _path(column: Column, steps: Steps, kind: ColumnKind, state: str) -> Column:
    word = "null" if kind is ColumnKind.OTHER else kind.value
    return Column(name_of(column.name, steps), kind, f"JSON {word}{state}", True, column.name, steps)


def _followed(column: Column, known: Sequence[Column], today: Look) -> list[Column]:
    """What is remembered: each known path as today shows it, then the new ones."""
    found = [_again(column, path, today) for path in known]
    have = {path.steps for path in known}
    for steps, seen in today.paths.items():
        if steps not in have:
            often = seen.cells >= PRESENT_SHARE * today.cells and today.cells >= JUDGED_CELLS_MIN
            found.append(_path(column, steps, seen.kind, "" if often else RARE))
    found.sort(key=lambda path: path.type.endswith(ABSENT))  # where there are too many, those go first that are gone
    return found[:PATHS_MAX]


def _again(column: Column, path: Column, today: Look) -> Column:
    seen = today.paths.get(path.steps)
    state = next((end for end in (ABSENT, RARE) if path.type.endswith(end)), "")
    if seen is None:
        gone = not state and today.cells >= JUDGED_CELLS_MIN
        return _path(column, path.steps, path.kind, ABSENT if gone else state)
    if state and seen.cells >= PRESENT_SHARE * today.cells and today.cells >= JUDGED_CELLS_MIN:
        state = ""
    return _path(column, path.steps, _kind(path.kind, seen), state)


def _kind(before: ColumnKind, seen: Seen) -> ColumnKind:
    """Another kind only where most values are no longer of the one before."""
    values = sum(seen.kinds.values())
    if not values:
        return before
    share = seen.kinds.get(before, 0) / values
    return before if before is seen.kind or share >= 0.5 or (before is ColumnKind.TEXT and share > 0) else seen.kind


def _with_paths(table: Table, paths: Sequence[Column], dialect: str) -> Table:
    """The table with paths as columns; those that the configuration names keep the names it writes."""
    from monitor.warehouses.nested_sql import path_type  # noqa: PLC0415 - loads SQLAlchemy

    kinds = {(p.within, p.steps): _readable(p.kind) for p in paths}
    own = [replace_kind(c, kinds, dialect) for c in table.columns]
    have = {(c.within, c.steps) for c in own if c.within}
    taken = {c.name.casefold() for c in own}
    added: list[Column] = []
    for path in paths:
        name = path.name
        if (path.within, path.steps) in have or len(name.encode()) > NAME_BYTES_MAX or name.casefold() in taken:
            continue
        taken.add(name.casefold())
        kind = kinds[path.within, path.steps]
        added.append(replace(path, name=name, kind=kind, type=path_type(dialect, kind)))
    return replace(table, columns=(*own, *added))


def replace_kind(column: Column, kinds: Mapping[tuple[str, Steps], ColumnKind], dialect: str) -> Column:
    """A path that the configuration names with the kind that it has in the data; others as they are."""
    from monitor.warehouses.nested_sql import path_type  # noqa: PLC0415 - loads SQLAlchemy

    kind = kinds.get((column.within, column.steps)) if column.within else None
    return column if kind is None else replace(column, kind=kind, type=path_type(dialect, kind))


def _readable(kind: ColumnKind) -> ColumnKind:
    return ColumnKind.TEXT if kind is ColumnKind.OTHER else kind
