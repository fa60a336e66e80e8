"""From what a person calls a table to the table in its open warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config import Config, load_config, open_one, parse_table_name, redact_url
from monitor.config.names import write_table_name
from monitor.config.suggest import did_you_mean
from monitor.config.urls import absolute_url
from monitor.diff.pairs import Side
from monitor.errors import UsageError
from monitor.types import Table
from monitor.warehouses import Limits, open_warehouse

if TYPE_CHECKING:
    from monitor.config import TableEntry
    from monitor.warehouses.base import Warehouse

STATEMENT_TIMEOUT_S = 3_600.0
"""Comparing is asked for by a person or by CI, which have time limits of their own."""


@contextmanager
def opened_sides(a: str, b: str, config: Path | Config | None) -> Iterator[tuple[Side, Side]]:
    """Open the two tables; both warehouses are closed afterwards.

    Args:
        a: `warehouse.table` or `warehouse.schema.table` of the configuration, or `URL#table`, `URL#schema.table`.
        b: likewise.
        config: the configuration or its file; None, or a file that is not there, where both names are URLs.

    Raises:
        UsageError: a name is wrong, or there is no such table.
        SourceError: a warehouse cannot be reached, or does not let us read.
    """
    with ExitStack() as stack:
        found: dict[str, Warehouse] = {}
        known = _configuration(config, a, b)
        sides = [_side(name, letter, known, found, stack) for letter, name in (("A", a), ("B", b))]
        yield sides[0], sides[1]


def _configuration(config: Path | Config | None, a: str, b: str) -> Config | None:
    if all(_is_url(name) for name in (a, b)) and not (isinstance(config, Path) and config.exists()):
        return None
    return load_config(config) if isinstance(config, Path) else config


def _is_url(name: str) -> bool:
    return "://" in name


def _side(name: str, letter: str, config: Config | None, found: dict[str, Warehouse], stack: ExitStack) -> Side:
    if _is_url(name):
        return _side_of_url(name, letter, found, stack)
    if config is None:
        raise UsageError(f"no configuration for `{name}`", where=letter, mend="name one with -c, or write URL#table")
    try:
        parsed = parse_table_name(name)
    except ValueError as error:
        mend = "write warehouse.table, warehouse.schema.table or URL#table"
        raise UsageError(f"`{name}` is no table: {error}", where=letter, mend=mend) from None
    if parsed.is_pattern:
        raise UsageError(f"`{name}` is a pattern", where=letter, mend="name one table")
    if parsed.warehouse not in config.warehouses:
        known = did_you_mean(parsed.warehouse, config.warehouses) or f"; known are {', '.join(config.warehouses)}"
        raise UsageError(f"no warehouse `{parsed.warehouse}`{known}", where=letter)
    if parsed.warehouse not in found:
        found[parsed.warehouse] = open_one(config, parsed.warehouse)
        stack.callback(found[parsed.warehouse].close)
    warehouse = found[parsed.warehouse]
    full = write_table_name(parsed.warehouse, parsed.path)
    table = Table(full, parsed.warehouse, parsed.path, warehouse.columns(parsed.path), None, timezone=config.timezone)
    return Side(warehouse, _as_configured(table, config))


def _as_configured(table: Table, config: Config) -> Table:
    """The table with what its entry says of key, rows and values; an exact name wins over patterns."""
    entries: list[tuple[bool, TableEntry]] = []
    for entry in config.tables:
        name = parse_table_name(entry.name)
        if name.warehouse == table.warehouse and name.matches(table.path):
            entries.append((name.is_pattern, entry))
    if not entries:
        return replace(table, show_values=bool(config.defaults.show_values))
    entry = min(entries, key=lambda item: item[0])[1]
    names = {column.name for column in table.columns}
    shown = config.defaults.show_values if entry.show_values is None else entry.show_values
    return replace(
        table,
        key=tuple(entry.key or ()),
        where=entry.where,
        timezone=entry.timezone or config.defaults.timezone or config.timezone,
        ignore_columns=frozenset(entry.ignore_columns) & names,
        show_values=bool(shown),
    )


def _side_of_url(name: str, letter: str, found: dict[str, Warehouse], stack: ExitStack) -> Side:
    url, mark, written = name.rpartition("#")
    if not mark or not written or "://" not in url:
        what = f"`{redact_url(name)}` does not say which table"
        raise UsageError(what, where=letter, mend="write URL#table or URL#schema.table")
    try:
        path = parse_table_name(f"w.{written}").path
    except ValueError as error:
        raise UsageError(f"`{written}` is no table: {error}", where=letter, mend="write URL#schema.table") from None
    address = absolute_url(url, Path.cwd())
    if address not in found:
        found[address] = open_warehouse(letter, address, Limits(statement_timeout_s=STATEMENT_TIMEOUT_S))
        stack.callback(found[address].close)
    warehouse = found[address]
    return Side(warehouse, Table(redact_url(name), letter, path, warehouse.columns(path), None))
