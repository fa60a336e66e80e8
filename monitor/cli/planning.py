"""`plan`: which tables are watched, how, at what cost, and what is new or gone since the store last heard of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.common import (
    DEFAULT_CONFIG,
    ERRORED,
    FAILED,
    OK,
    ConfigOption,
    FormatOption,
    Opened,
    TablesOption,
    check_format,
    opened,
    print_json,
)

if TYPE_CHECKING:
    from monitor.estimate import Estimate, Load
    from monitor.store import Store
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse

_ROWS_FROM = 28


@dataclass(frozen=True)
class Planned:
    """One table of the plan."""

    table: Table
    checks: tuple[str, ...]
    channels: tuple[str, ...]
    estimate: Estimate
    new: bool


def plan(config: ConfigOption = DEFAULT_CONFIG, table: TablesOption = None, format_: FormatOption = "text") -> int:
    """What is watched, how, and at what cost; what is new or gone. Touches nothing; exit code 1 where tables differ.

    Example: daywatch plan --format json
    """
    check_format(format_)
    with opened(config, table, untouched=True) as found:
        known = _known(found.store)
        planned = _plan_all(found, known)
        gone = [] if table else sorted(known - {p.table.name for p in planned} - _unreached(found, known))
        if format_ == "json":
            _print_json(found, planned, gone)
        else:
            _print_text(found, planned, gone)
        if found.outages:
            return ERRORED
    return FAILED if gone or any(p.new for p in planned) else OK


def _known(store: Store) -> set[str]:
    """The tables that the store has judged, without sources of trouble."""
    from monitor.source import source_key  # noqa: PLC0415 - heavy

    names = {row.table for row in store.status_rows()}
    return {name for name in names if "." in name and not name.endswith(source_key(""))}


def _unreached(found: Opened, known: set[str]) -> set[str]:
    from monitor.config import parse_table_name  # noqa: PLC0415 - heavy

    return {name for name in known if parse_table_name(name).warehouse in found.outages}


def _plan_all(found: Opened, known: set[str]) -> list[Planned]:
    from monitor.alerting import channels_of  # noqa: PLC0415 - heavy
    from monitor.check import checks_of, load_checks  # noqa: PLC0415 - heavy
    from monitor.estimate import estimate  # noqa: PLC0415 - heavy

    checks = load_checks()
    states = {
        name: warehouse.states([t.path for t in found.tables if t.warehouse == name])
        for name, warehouse in found.warehouses.items()
    }
    planned = []
    for table in found.tables:
        chosen = checks_of(checks, table)
        state = states[table.warehouse].get(table.path)
        columns_max = found.warehouses[table.warehouse].columns_max
        told = estimate(table, chosen, _rows(found.store, table), state, columns_max)
        declared = {"metric": table.metrics, "entity": table.entities}
        declared |= {"rule": table.rules, "relation": table.relations}
        idle = {name for name, entries in declared.items() if not entries}
        names = tuple(check.name for check in chosen if check.name not in idle)
        planned.append(Planned(table, names, channels_of(table), told, table.name not in known))
    return planned


def _rows(store: Store, table: Table) -> float | None:
    """How many rows a partition of the table usually had."""
    past = store.history(table.name, limit=_ROWS_FROM)
    counts = [rows for day in past if (rows := day.values.get("rows"))]
    return median(counts) if counts else None


def _print_json(found: Opened, planned: Sequence[Planned], gone: Sequence[str]) -> None:
    for item in planned:
        table, told = item.table, item.estimate
        print_json(
            {
                "table": table.name,
                "change": "new" if item.new else None,
                "watch": table.watch.value,
                "checks": list(item.checks),
                "channels": list(item.channels),
                "owner": table.owner,
                "partitions": round(told.partitions, 2),
                "rows": told.rows,
                "month": load_json(told.month),
                "first_day": load_json(told.first_day) if item.new else None,
            }
        )
    for name in gone:
        print_json({"table": name, "change": "gone"})
    for name, warehouse in found.warehouses.items():
        mine = [p for p in planned if p.table.warehouse == name]
        if mine:
            print_json({"warehouse": name, "tables": len(mine), **_warehouse_json(found, warehouse, mine)})


def _warehouse_json(found: Opened, warehouse: Warehouse, mine: Sequence[Planned]) -> dict[str, Any]:
    polls, hours = polls_of(warehouse, [(p.table, p.estimate) for p in mine], found.config.serve.poll_minutes * 60)
    return {
        "month": load_json(_sum([p.estimate.month for p in mine])),
        "first_day": load_json(_sum([p.estimate.first_day for p in mine if p.new])),
        "polls": load_json(polls),
        "awake_hours": None if hours is None else round(hours, 1),
    }


def polls_of(warehouse: Warehouse, mine: Sequence[tuple[Table, Estimate]], poll_s: float) -> tuple[Load, float | None]:
    """A month's polls of one warehouse, and the hours it is awake at most where it is paid by the time."""
    from monitor.estimate import awake_hours, poll_load  # noqa: PLC0415 - heavy

    wake_s = warehouse.limits.wake_interval_s
    interval_s = max(poll_s, wake_s or 0.0)
    partitions = sum(told.partitions for _, told in mine)
    hours = awake_hours(partitions, interval_s) if warehouse.dialect == "snowflake" else None
    return poll_load(len(mine), interval_s), hours


def _sum(loads: Sequence[Load]) -> Load:
    from monitor.estimate import Load  # noqa: PLC0415 - heavy

    return sum(loads, Load())


def load_json(load: Load) -> Mapping[str, int | None]:
    """A load in whole numbers."""
    return {
        "statements": round(load.statements),
        "rows_scanned": None if load.scanned is None else round(load.scanned),
        "rows_fetched": round(load.fetched),
        "bytes": None if load.bytes is None else round(load.bytes),
    }


def tell_load(load: Load) -> str:
    """A load in words."""
    scanned = "" if load.scanned is None else f", {load.scanned:,.0f} rows scanned by aggregates"
    size = "" if load.bytes is None else f", {load.bytes / 1e9:,.1f} GB read"
    return f"{load.statements:,.0f} statements, {load.fetched:,.0f} rows fetched{scanned}{size}"


def _print_text(found: Opened, planned: Sequence[Planned], gone: Sequence[str]) -> None:
    for item in planned:
        table, told = item.table, item.estimate
        owner = f", owner {table.owner}" if table.owner else ""
        typer.echo(f"{'+' if item.new else ' '} {table.name} ({table.watch.value}): {', '.join(item.channels)}{owner}")
        typer.echo(f"    checks     {', '.join(item.checks)}")
        unknown = "" if told.rows is not None else "; the rows of a partition are not known yet, so at most"
        typer.echo(f"    a month    {told.partitions:,.0f} partitions: {tell_load(told.month)}{unknown}")
        if item.new:
            typer.echo(f"    first day  {tell_load(told.first_day)}")
    for name in gone:
        typer.echo(f"- {name}: known to the store, watched no more")
    for name, warehouse in found.warehouses.items():
        mine = [p for p in planned if p.table.warehouse == name]
        if mine:
            print_warehouse(name, warehouse, [(p.table, p.estimate) for p in mine], found.config.serve.poll_minutes)
    new = sum(p.new for p in planned)
    typer.echo(f"{len(planned)} tables: {new} new, {len(gone)} gone" if new or gone else "nothing new, nothing gone")


def print_warehouse(
    name: str, warehouse: Warehouse, mine: Sequence[tuple[Table, Estimate]], poll_minutes: float, *, err: bool = False
) -> None:
    """A warehouse's tables together: a month, the first day, the polls, and the hours awake."""
    polls, hours = polls_of(warehouse, mine, poll_minutes * 60)
    typer.echo(f"{name}: about {tell_load(_sum([told.month for _, told in mine]))} a month", err=err)
    typer.echo(f"{name}: on the first day {tell_load(_sum([told.first_day for _, told in mine]))}", err=err)
    typer.echo(f"{name}: polls of `daywatch serve`: at most {polls.statements:,.0f} small statements a month", err=err)
    if hours is not None:
        typer.echo(f"{name}: awake for at most {hours:,.0f} hours a month (with AUTO_SUSPEND = 60)", err=err)
