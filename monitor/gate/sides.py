"""The two tables of a gate: production as it is watched, and staging seen through production's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config import Config, load_config, parse_table_name, resolve_tables
from monitor.config.names import write_table_name
from monitor.diff.compare import is_one_place
from monitor.diff.sides import opened_sides
from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.types import Column, Table, TimeColumn, TimeForm
from monitor.warehouses.catalog import did_you_mean
from monitor.warehouses.renamed import read_as
from monitor.warehouses.times import IDS

if TYPE_CHECKING:
    from monitor.diff.pairs import Side
    from monitor.warehouses.base import Warehouse

_EPOCHS = frozenset({TimeForm.EPOCH_S, TimeForm.EPOCH_MS, TimeForm.EPOCH_US})
SHOWN_IN = "daywatch gate"
"""Staging appears beside the schemas of its warehouse under production's name, which SQL of rules may use."""


@dataclass(frozen=True)
class Sides:
    """Both tables open.

    Attributes:
        staging: what staging is called.
        warehouse: where production is.
        table: production with its settings.
        staged_warehouse: where staging is; there the table has production's column names.
        staged: staging with production's name and settings, and with the columns that it has.
        columns: staging's own column names to production's, where they differ.
        untimed: why staging's rows cannot be cut into partitions; '' where they can.
        config: the configuration, if there is one.
        notes: what a reader must know.
    """

    staging: str
    warehouse: Warehouse
    table: Table
    staged_warehouse: Warehouse
    staged: Table
    columns: Mapping[str, str]
    untimed: str = ""
    config: Config | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def opened(staging: str, against: str, columns: Mapping[str, str], config: Path | Config | None) -> Iterator[Sides]:
    """Open both tables; their warehouses are closed afterwards.

    Args:
        staging: `warehouse.table`, `warehouse.schema.table` or `URL#schema.table`.
        against: production, likewise; its settings come from its entry in the configuration.
        columns: pairs of a name in staging and a name in production, in either order.
        config: the configuration or its file; not needed where both names are URLs.

    Raises:
        UsageError: a name is wrong, there is no such table or column, or both are the same table.
        SourceError: a warehouse cannot be reached, or does not let us read.
    """
    known = load_config(config) if isinstance(config, Path) and config.exists() else config
    with opened_sides(against, staging, known) as (production, staged):
        settings = known if isinstance(known, Config) else None
        table, notes = _watched(production, against, settings)
        yield _seen(production.warehouse, table, staged, columns, settings, notes)


def _watched(side: Side, name: str, config: Config | None) -> tuple[Table, tuple[str, ...]]:
    """Production as the configuration has it; else with what can be found by looking."""
    if config is not None and "://" not in name:
        for spelling in _spellings(side):
            if _is_named(spelling, config):
                said: list[str] = []
                only = [write_table_name(spelling.warehouse, spelling.path)]
                found = resolve_tables(config, {spelling.warehouse: side.warehouse}, only, said.append)
                return found[0], tuple(said)
    note = f"{side.table.name} is not in the configuration: the automatic checks with their defaults are used"
    return _looked_at(side), (note,)


def _spellings(side: Side) -> list[Table]:
    """The table with its schema and, where that is the warehouse's own, without."""
    path = side.table.path
    full = _full(side.warehouse, path)
    others = [full, full[1:]] if full[0] == side.warehouse.default_schema else [full]
    return [side.table, *(replace(side.table, path=other) for other in others if other != path)]


def _is_named(table: Table, config: Config) -> bool:
    names = (parse_table_name(entry.name) for entry in config.tables)
    return any(name.warehouse == table.warehouse and name.matches(table.path) for name in names)


def _looked_at(side: Side) -> Table:
    from monitor.discover import find_keys, find_time  # noqa: PLC0415 - loads pandas

    table = replace(side.table, dialect=side.warehouse.dialect)
    try:
        found = find_time(side.warehouse, table)
        if found is None:
            return table
        table = replace(table, time=TimeColumn(found.column, found.form), cadence=found.cadence)
        keys = find_keys(side.warehouse, table)
    except UnavailableError:
        raise
    except SourceError:  # what could not be found by looking, a person may name
        return table
    return replace(table, key=keys[0] if keys else ())


def _seen(
    warehouse: Warehouse, table: Table, side: Side, given: Mapping[str, str], config: Config | None,
    notes: tuple[str, ...],
) -> Sides:  # fmt: skip
    """Staging through production's names; on production's own connection where that reaches it."""
    path, base = side.table.path, side.warehouse
    if base is not warehouse and is_one_place(_as_side(warehouse, table), side):
        path = path if len(path) > 1 else (base.default_schema, *path)
        base = warehouse
    if base is warehouse and _full(base, path) == _full(base, table.path):
        raise UsageError(
            f"`{side.table.name}` is {table.name} itself", where="STAGING", mend="name the table to be promoted"
        )
    names = map_columns(given, side.table, table)
    shown = (SHOWN_IN, table.path[-1])
    seen = read_as(base, path, shown, names)
    columns = tuple(_as_in(column, table, base, warehouse) for column in seen.columns(shown))
    there = {column.name for column in columns}
    staged = replace(
        table,
        warehouse=table.warehouse if base is warehouse else side.table.warehouse,
        path=shown,
        columns=columns,
        key=table.key if set(table.key) <= there else (),
        dialect=base.dialect,
    )
    time, untimed = _time(table, seen, staged)
    renamed = {stored: name for stored, name in names.items() if stored != name}
    return Sides(side.table.name, warehouse, table, seen, replace(staged, time=time), renamed, untimed, config, notes)


def _as_side(warehouse: Warehouse, table: Table) -> Side:
    from monitor.diff.pairs import Side as Pair  # noqa: PLC0415 - beside the other

    return Pair(warehouse, table)


def _full(warehouse: Warehouse, path: tuple[str, ...]) -> tuple[str, ...]:
    return path if len(path) > 1 else (warehouse.default_schema, *path)


def map_columns(given: Mapping[str, str], staged: Table, table: Table) -> dict[str, str]:
    """Every column of staging that production has, by production's name: as told, by name, by name without case.

    Raises:
        UsageError: a pair names no column of each side, or one twice.
    """
    mine, theirs = [c.name for c in staged.columns], [c.name for c in table.columns]
    found: dict[str, str] = {}
    for left, right in given.items():
        stored, shown = (left, right) if left in mine and right in theirs else (right, left)
        if stored not in mine or shown not in theirs:
            known = "; ".join(did_you_mean(name, [*mine, *theirs]) for name in (left, right))
            raise UsageError(
                f"`{left}={right}` names no column of {staged.name} and one of {table.name}", where="--map", mend=known
            )
        if stored in found or shown in found.values():
            raise UsageError(f"`{left}={right}` maps a column a second time", where="--map", mend="map each once")
        found[stored] = shown
    left_over = [name for name in theirs if name not in found.values()]
    for stored in mine:
        if stored not in found and stored in left_over:
            found[stored] = stored
    for stored in mine:
        alike = [n for n in left_over if n.casefold() == stored.casefold() and n not in found.values()]
        if stored not in found and len(alike) == 1:
            found[stored] = alike[0]
    # a column of its own must not hide behind a name that a mapped one took
    return found | {n: f"{n} (staging)" for n in mine if n not in found and n in found.values()}


def _as_in(column: Column, table: Table, base: Warehouse, warehouse: Warehouse) -> Column:
    """Engines name types in their own ways; a type of the same kind counts as the same on another engine."""
    if base.dialect == warehouse.dialect:
        return column
    for known in table.columns:
        if known.name == column.name and known.kind == column.kind:
            return replace(column, type=known.type)
    return column


def _time(table: Table, warehouse: Warehouse, staged: Table) -> tuple[TimeColumn | None, str]:
    """How staging says when a row belongs to; else why it cannot."""
    if table.time is None:
        return None, ""
    column = next((c for c in staged.columns if c.name == table.time.name), None)
    if column is None:
        return None, f"it has no column {table.time.name}, which says when a row belongs to"
    before = table.column(table.time.name)
    if (before.type, before.kind) == (column.type, column.kind):
        return table.time, ""
    if table.time.form in _EPOCHS and before.kind == column.kind:
        return table.time, ""
    told = f"its column {column.name} ({column.type}) does not say when a row belongs to"
    try:
        form = warehouse.time_form(staged.path, column.name)
    except UsageError as error:
        return None, f"{told}: {error.what}"
    if (form in IDS) != (table.time.form in IDS):
        return None, f"{told}, as production's ({before.type}) does"
    return TimeColumn(column.name, form), ""
