"""Opening the warehouses of a configuration one by one, so that one out of reach leaves the others of use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.config import open_one, parse_table_name, resolve_tables, warehouse_address
from monitor.errors import UnavailableError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Store
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse


@dataclass
class Reached:
    """The warehouses that are open with their tables, and why the others are not."""

    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    outages: dict[str, UnavailableError] = field(default_factory=dict)

    def close(self) -> None:
        """Give all connections back."""
        for warehouse in self.warehouses.values():
            warehouse.close()


def open_reachable(
    config: Config, names: Collection[str] | None, only: Sequence[str] | None, warn: Callable[[str], None]
) -> Reached:
    """Open warehouses, or those named, and look up the tables of those that answer.

    Raises:
        UsageError: the configuration is wrong.
        SourceError: a warehouse answers, and yet fails.
    """
    found = Reached()
    try:
        for name in config.warehouses:
            if names is None or name in names:
                _open(found, config, name)
        _look_up(found, config, only, warn)
    except BaseException:
        found.close()
        raise
    return found


def meet_warehouses(
    config: Config, names: Iterable[str], store: Store, now: dt.datetime, warn: Callable[[str], None]
) -> None:
    """Remember in the store where open warehouses are, and warn of each that it knew at another address.

    A warehouse that has moved is told once; two that share a store by mistake, whenever the one follows the other.
    """
    for name in names:
        address = warehouse_address(config.warehouses[name].url.get_secret_value())
        before = store.meet_warehouse(name, address, now)
        if before is not None:
            warn(
                f"warehouse {name}: this store knew it as {before}, now it is {address}; "
                "if these are two warehouses, give each configuration its own store"
            )


def _open(found: Reached, config: Config, name: str) -> None:
    try:
        found.warehouses[name] = open_one(config, name)
    except UnavailableError as error:
        found.outages[name] = error


def _look_up(found: Reached, config: Config, only: Sequence[str] | None, warn: Callable[[str], None]) -> None:
    """All tables at once, so that all problems are told at once; warehouse by warehouse where one is out of reach."""
    if not found.outages:
        try:
            found.tables = resolve_tables(config, found.warehouses, only or None, warn)
        except UnavailableError:
            pass
        else:
            return
    for name in list(found.warehouses):
        mine = [table for table in only or () if parse_table_name(table).warehouse == name]
        if only and not mine:
            continue
        try:
            found.tables += resolve_tables(config, found.warehouses, mine or None, warn, of={name})
        except UnavailableError as error:
            found.outages[name] = error
            found.warehouses.pop(name).close()


@contextmanager
def elsewhere(config: Config, opened: Mapping[str, Warehouse], name: str) -> Iterator[Warehouse]:
    """Another warehouse of the configuration: one of those that are open, or opened for as long as it is needed."""
    if name in opened:
        yield opened[name]
        return
    warehouse = open_one(config, name)
    try:
        yield warehouse
    finally:
        warehouse.close()
