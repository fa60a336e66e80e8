"""A dossier as the configuration lets it be told now: whether rows are shown, what is related, where it is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from monitor.config.names import parse_table_name
from monitor.config.settle import entry_of, settle
from monitor.plan.editing import Spot, find_spot
from monitor.whole.dossier import Dossier, gather

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Store
    from monitor.types import Finding


def tell(config: Config, store: Store, name: str) -> Dossier:
    """The dossier of a finding or incident.

    Raises:
        UsageError: there is none.
    """
    found = gather(store, name).finding
    return gather(
        store, name, show_values=shows_values(config, found.table), relations=list(relations_of(config, found.table)),
        spot=_spot(config, found),
    )  # fmt: skip


def shows_values(config: Config, table: str) -> bool:
    """Whether the configuration, as it is now, lets values of the table's rows be shown."""
    index = _entry(config, table)
    return index is not None and bool(settle(config, index, parse_table_name(table).path)["show_values"].value)


def relations_of(config: Config, table: str) -> Iterator[Mapping[str, Any]]:
    """The relations of a table's entry: `column` and `references`."""
    index = _entry(config, table)
    for relation in config.tables[index].relations if index is not None else ():
        yield {"column": relation.column, "references": relation.references}


def _entry(config: Config, table: str) -> int | None:
    try:
        name = parse_table_name(table)
    except ValueError:
        return None  # an incident of a whole warehouse
    return entry_of(config, name.warehouse, name.path)


def _spot(config: Config, found: Finding) -> Spot | None:
    return None if _entry(config, found.table) is None else find_spot(config, found.table, found.check, found.columns)
