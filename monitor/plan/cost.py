"""What watching asks of the warehouses in a month, as declared and as applied, told from metadata alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from monitor.check import checks_of, load_checks
from monitor.estimate import Estimate, estimate
from monitor.plan.declared import FAMILIES, Declared
from monitor.types import Watching

if TYPE_CHECKING:
    from monitor.estimate import Load
    from monitor.store import Store
    from monitor.types import Check, Table
    from monitor.warehouses.base import Warehouse
    from monitor.warehouses.polls import TableState

_ROWS_FROM = 28
_LISTS = frozenset({"by", "columns"})


@dataclass(frozen=True, slots=True)
class Costed:
    """One table: the checks that run on it, what they ask for, and a month as applied (None: it is new, or unknown)."""

    table: Table
    checks: tuple[str, ...]
    estimate: Estimate
    before: Load | None = None


def costs(
    warehouses: Mapping[str, Warehouse], store: Store, tables: Sequence[Table], applied: Sequence[Declared]
) -> list[Costed]:
    """What each table costs. `applied` are the declarations of tables that were applied, under today's names."""
    checks = load_checks()
    states = {
        name: warehouse.states([t.path for t in tables if t.warehouse == name])
        for name, warehouse in warehouses.items()
    }
    before: dict[str, list[Declared]] = {}
    for item in applied:
        before.setdefault(item.table, []).append(item)
    found = []
    for table in tables:
        state = states[table.warehouse].get(table.path)
        columns_max = warehouses[table.warehouse].columns_max
        rows = _rows(store, table)
        now = estimate(table, checks_of(checks, table), rows, state, columns_max)
        then = _then(table, before.get(table.name, ()), checks, rows, state, columns_max)
        found.append(Costed(table, _names(checks, table), now, then))
    return found


def _names(checks: Sequence[Check], table: Table) -> tuple[str, ...]:
    idle = {family for family, key in FAMILIES.items() if not getattr(table, key)}
    return tuple(check.name for check in checks_of(checks, table) if check.name not in idle)


def _rows(store: Store, table: Table) -> float | None:
    """How many rows a partition of the table usually had."""
    past = store.history(table.name, limit=_ROWS_FROM)
    counts = [rows for day in past if (rows := day.values.get("rows"))]
    return median(counts) if counts else None


def _then(
    table: Table, applied: Sequence[Declared], checks: Sequence[Check], rows: float | None, state: TableState | None,
    columns_max: int | None,
) -> Load | None:  # fmt: skip
    """The month of the table as it was applied, with today's rows and columns."""
    if not applied:
        return None
    try:
        past = as_applied(table, applied)
        return estimate(past, checks_of(checks, past), rows, state, columns_max).month
    except (KeyError, TypeError, ValueError):  # written by another version, or about columns that are no more
        return None


def as_applied(table: Table, applied: Sequence[Declared]) -> Table:
    """The table with the checks, and the settings that cost depends on, as they were applied."""
    settings = next((item.settings for item in applied if not item.check), {})
    written = {
        key: tuple(_written(item) for item in applied if item.family == family) for family, key in FAMILIES.items()
    }
    return replace(
        table,
        automatic=settings.get("automatic", True),
        watch=Watching(settings.get("watch", Watching.FULL)),
        sample_rows=settings.get("sample_rows", type(table).__dataclass_fields__["sample_rows"].default),
        where=settings.get("where"),
        **written,  # type: ignore[arg-type]
    )


def _written(item: Declared) -> dict[str, Any]:
    """A check's settings as the checks take them: those of a rule's kind by themselves."""
    from monitor.plan.declared import entry_defaults  # noqa: PLC0415 - beside it

    settings = {key: tuple(value) if key in _LISTS else value for key, value in item.settings.items()}
    name = item.check.partition(".")[2]
    if item.family != "rule":
        return {**entry_defaults(item.family), "name": name, **settings}
    kind = settings["kind"]
    params = {k.partition(".")[2] or k: v for k, v in settings.items() if k == kind or k.startswith(f"{kind}.")}
    own = {k: v for k, v in settings.items() if k != kind and not k.startswith(f"{kind}.")}
    return {**entry_defaults("rule"), "name": name, "params": params, **own}
