"""A plan as a value: what would change by table, with its cost and what stands on it, ready to be shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.config.names import warehouse_of
from monitor.noise import decades_of
from monitor.plan.changes import ADDED, EDITED, REMOVED, Change, Comparison
from monitor.plan.cost import Costed, costs
from monitor.plan.declared import Declared, declare
from monitor.plan.stands import Standing, standings
from monitor.plan.stored import changes_since, known

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Application, Store
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse

HELD_DAYS_MIN = 3
"""Judged partitions from which a relation that failed on all of them is said to have never held."""
_PAST = 28


@dataclass(frozen=True, slots=True)
class Planned:
    """One table of the plan; `costed` is None where it is watched no more."""

    name: str
    costed: Costed | None
    changes: tuple[Change, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def change(self) -> str | None:
        """`new`, `gone`, `edited`, or None where nothing changes."""
        own = [change.what for change in self.changes if not change.item.check]
        if ADDED in own:
            return "new"
        return "gone" if REMOVED in own and self.costed is None else "edited" if self.changes else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change, and against what: `base` is the last application, None before the first."""

    tables: tuple[Planned, ...]
    comparison: Comparison
    declared: tuple[Declared, ...]
    base: Application | None
    stands: Mapping[str, tuple[Standing, ...]] = field(default_factory=dict)

    def count(self, what: str, *, checks: bool) -> int:
        """How many checks, or tables, would be added, edited or removed."""
        return sum(c.what == what and bool(c.item.check) == checks for c in self.comparison.changes)

    def counts(self) -> dict[str, dict[str, int]]:
        """All of them."""
        return {
            key: {what: self.count(what, checks=key == "checks") for what in (ADDED, EDITED, REMOVED)}
            for key in ("tables", "checks")
        }


def make_plan(
    config: Config, warehouses: Mapping[str, Warehouse], tables: Sequence[Table], store: Store, now: dt.datetime,
    outages: Sequence[str] = (), *, whole: bool = True,
) -> Plan:  # fmt: skip
    """What applying the configuration would change; reads metadata and the store, writes nothing.

    `whole`: `tables` are all that the configuration watches, so that others which were applied are gone.

    Raises:
        UsageError: an id that stood for something of another kind.
        SourceError: a warehouse or the store cannot answer.
    """
    declared = declare(config, tables)
    found, base = changes_since(store, declared, outages)
    names = {table.name for table in tables}
    changes = [c for c in found.changes if whole or c.item.table in names]
    shown = Comparison(tuple(changes), found.before)
    costed = costs(warehouses, store, tables, _under_todays_names(store, declared, found, outages))
    by_table: dict[str, list[Change]] = {name: [] for name in [table.name for table in tables]}
    for change in changes:
        by_table.setdefault(change.item.table, []).append(change)
    prices = {item.table.name: item for item in costed}
    planned = tuple(
        Planned(name, prices.get(name), tuple(mine), _remarks(store, declared, name)) for name, mine in by_table.items()
    )
    return Plan(planned, shown, tuple(declared), base, standings(store, changes, now))


def _under_todays_names(
    store: Store, declared: Sequence[Declared], found: Comparison, outages: Sequence[str]
) -> list[Declared]:
    """What was applied, with tables that were renamed under their new names."""
    applied = [known(row) for row in store.declared() if warehouse_of(row.table) not in outages]
    by_id = {item.id: item for item in applied}
    moved = {by_id[old].table: item.table for item in declared if (old := found.before.get(item.id)) in by_id}
    return [replace(item, table=moved.get(item.table, item.table)) for item in applied]


def _remarks(store: Store, declared: Sequence[Declared], table: str) -> tuple[str, ...]:
    """What stands on a table whatever changes: noise that people spoke of, and relations that never held."""
    return (*_quietened(store, table), *_never_held(store, declared, table))


def _quietened(store: Store, table: str) -> tuple[str, ...]:
    """Checks that get less of the table's budget because people called their incidents noise."""
    said = store.cautions(table)
    last = {one.check: one for one in said}
    return tuple(
        f"{check} gets 1/{10.0**decades:,.0f} of its share of the budget: {last[check].incident} was called noise"
        f"{f' by {last[check].by}' if last[check].by else ''} on {last[check].at:%Y-%m-%d}"
        f"; `daywatch feedback {last[check].incident} noise --clear` takes it back"
        for check, decades in decades_of(said).items()
    )


def _never_held(store: Store, declared: Sequence[Declared], table: str) -> tuple[str, ...]:
    """Relations of a table that have failed on every partition they were judged on."""
    relations = [item for item in declared if item.table == table and item.family == "relation"]
    if not relations:
        return ()
    days = [day for day in store.history(table, limit=_PAST) if day.source == "run"]
    failed = {item.id: sum(item.check in day.failed for day in days) for item in relations}
    return tuple(
        f"{item.place}: {item.check} has never held: it failed on all {len(days)} partitions judged lately;"
        " correct its two columns, or take it out"
        for item in relations
        if failed[item.id] == len(days) >= HELD_DAYS_MIN
    )
