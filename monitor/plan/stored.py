"""Between declarations and the store: what was applied, what changed since, and applying it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from monitor.config.names import parse_table_name, warehouse_of
from monitor.config.settle import entry_of
from monitor.failpoint import reach
from monitor.plan.as_json import change_json
from monitor.plan.changes import EDITED, Comparison, compare, within
from monitor.plan.declared import Declared, declare
from monitor.store import Revised

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Application, Declaration, Store
    from monitor.types import Table


def known(row: Declaration) -> Declared:
    """A declaration as the store has it."""
    document = row.document
    return Declared(
        row.id, document["family"], row.table, row.check, document["settings"], document.get("owner"),
        tuple(document.get("channels", ())), "", document.get("explicit"),
    )  # fmt: skip


def changes_since(
    store: Store, declared: Sequence[Declared], unreached: Collection[str] = ()
) -> tuple[Comparison, Application | None]:
    """What changed since the last application (None: there was none yet); of warehouses out of reach nothing."""
    latest = next(iter(store.applications(limit=1)), None)
    applied = [known(row) for row in store.declared() if warehouse_of(row.table) not in unreached]
    return compare(applied, declared), latest


def apply(
    store: Store, declared: Sequence[Declared], found: Comparison, base: int, author: str, now: dt.datetime
) -> Application:
    """Remember `declared` as applied, in one transaction; `found` are its changes since application `base`.

    Raises:
        SourceError: somebody has applied another one since.
    """
    changes = [{**change_json(change), "place": None} for change in found.changes]  # paths are this machine's business
    return store.apply(_revised(declared, found), changes, base=base, author=author, now=now)


def _revised(declared: Sequence[Declared], found: Comparison) -> Iterator[Revised]:
    """Everything declared, asked for when the transaction has begun."""
    edited = {change.item.id for change in found.changes if change.what == EDITED}
    reach("half applied")
    for item in declared:
        before = found.before.get(item.id)
        yield Revised(item.id, item.table, item.check, item.document, before, item.id in edited)


def note_difference(
    store: Store, config: Config, tables: Sequence[Table], note: Callable[[str], None], *, all_tables: bool
) -> None:
    """Say once where the files are not what was applied last; nothing where nobody ever applied any.

    Tables that came or went under a pattern that was applied are the warehouse's doing, not the files'.
    """
    latest = next(iter(store.applications(limit=1)), None)
    if latest is None:
        return
    reached = {table.warehouse for table in tables}
    applied = [item for item in map(known, store.declared()) if warehouse_of(item.table) in reached]
    declared = declare(config, tables)
    found = compare(applied, declared)
    if not all_tables:
        found = within(found, {table.name for table in tables})
    moved = _of_the_warehouse(config, {item.table for item in applied}, {item.table for item in declared})
    many = sum(change.item.table not in moved for change in found.changes)
    if many:
        note(
            f"{config.path} is not what {latest.author} applied on {latest.at:%Y-%m-%d}: {many}"
            f" {'difference' if many == 1 else 'differences'}, see `daywatch plan`; judged by the file"
        )


def _of_the_warehouse(config: Config, applied: set[str], declared: set[str]) -> set[str]:
    """The tables that came, and those that went, although the pattern that they are watched by stands."""
    entries = {name: _entry_of(config, name) for name in applied | declared}
    standing = {entries[name] for name in applied} & {i for i, e in enumerate(config.tables) if _is_pattern(e.name)}
    return {name for name in applied ^ declared if entries[name] in standing}


def _entry_of(config: Config, name: str) -> int | None:
    parsed = parse_table_name(name)
    return entry_of(config, parsed.warehouse, parsed.path)


def _is_pattern(name: str) -> bool:
    return parse_table_name(name).is_pattern
