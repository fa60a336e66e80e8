"""`plan` and `apply`: what would change against what was applied last, at what cost and to whom; then do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.applied import application_json, show_history, show_why
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
    note,
    now,
    opened,
    print_json,
)
from monitor.errors import SourceError, UsageError

if TYPE_CHECKING:
    from monitor.estimate import Estimate, Load
    from monitor.plan.proposal import Plan, Planned
    from monitor.store import Application
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse

FORMATS = ("text", "json", "markdown")


def plan(
    config: ConfigOption = DEFAULT_CONFIG,
    table: TablesOption = None,
    format_: Annotated[str, typer.Option("--format", help="text, json or markdown.", metavar="FORMAT")] = "text",
    why: Annotated[
        str | None, typer.Option("--why", help="Where each setting of this table comes from.", metavar="TABLE")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="What was applied when, and by whom.")] = False,
    number: Annotated[
        int | None, typer.Option("--number", help="With --history: the changes of this one.", min=1)
    ] = None,
) -> int:
    """What would change against what was applied last, and at what cost. Writes nothing; exit code 1 where it would.

    Example: daywatch plan --format markdown
    """
    check_format(format_, FORMATS if not (why or history) else FORMATS[:2])
    if number is not None and not history:
        raise UsageError("--number is one of --history", mend="add --history")
    if history:
        return show_history(config, number, format_)
    with opened(config, [why] if why else table, untouched=True) as found:
        if why:
            return show_why(found, format_)
        planned = _plan(found, whole=not table)
        if format_ == "json":
            _print_json(found, planned)
        elif format_ == "markdown":
            from monitor.plan.markdown import plan_markdown  # noqa: PLC0415 - only here

            typer.echo(plan_markdown(planned), nl=False)
        else:
            _print_text(found, planned)
        if found.outages:
            return ERRORED
    return FAILED if planned.comparison else OK


def apply(
    config: ConfigOption = DEFAULT_CONFIG,
    author: Annotated[
        str | None, typer.Option("--author", help="Who applies it; git, the CI or the user by default.", metavar="NAME")
    ] = None,
    format_: FormatOption = "text",
) -> int:
    """Remember the configuration as it is, with author and time, in one transaction.

    Example: daywatch apply --author ana
    """
    from monitor.plan import apply as apply_plan  # noqa: PLC0415 - heavy
    from monitor.plan.author import author as find_author  # noqa: PLC0415 - heavy

    check_format(format_)
    with opened(config) as found:
        if found.outages:
            name, error = next(iter(found.outages.items()))
            raise SourceError(f"nothing was applied: {error}", where=name, mend="apply when all warehouses answer")
        planned = _plan(found, whole=True)
        if format_ == "text":
            _print_changes(planned)
        if not planned.comparison:
            return _applied(planned.base, planned, format_)
        base = planned.base.number if planned.base else 0
        who = find_author(author, found.config.folder)
        done = apply_plan(found.store, planned.declared, planned.comparison, base, who, now())
        return _applied(done, planned, format_)


def _applied(application: Application | None, planned: Plan, format_: str) -> int:
    from monitor.plan.text import tell_application  # noqa: PLC0415 - heavy

    if format_ == "json":
        print_json({"applied": application_json(application), "changed": bool(planned.comparison), **planned.counts()})
    elif planned.comparison and application is not None:
        typer.echo(f"applied: {tell_application(application)}")
    return OK


def _plan(found: Opened, *, whole: bool) -> Plan:
    from monitor.plan.proposal import make_plan  # noqa: PLC0415 - heavy

    outages = tuple(found.outages)
    return make_plan(found.config, found.warehouses, found.tables, found.store, now(), outages, whole=whole)


def _print_json(found: Opened, planned: Plan) -> None:
    for item in planned.tables:
        print_json(_table_json(planned, item))
    for name, warehouse in found.warehouses.items():
        mine = _costs(planned, name)
        if mine:
            print_json({"warehouse": name, "tables": len(mine), **_warehouse_json(found, planned, warehouse)})
    print_json({"plan": {**planned.counts(), "applied": application_json(planned.base)}})


def _table_json(planned: Plan, item: Planned) -> dict[str, Any]:
    from monitor.plan.as_json import change_json  # noqa: PLC0415 - heavy

    changes = [
        {**change_json(c), "stands": [_standing_json(s) for s in planned.stands.get(c.item.id, ())]}
        for c in item.changes
    ]
    if item.costed is None:
        return {"table": item.name, "change": item.change, "changes": changes}
    table, told = item.costed.table, item.costed.estimate
    before = item.costed.before
    return {
        "table": table.name,
        "change": item.change,
        "watch": table.watch.value,
        "checks": list(item.costed.checks),
        "channels": list(_channels(table)),
        "owner": table.owner,
        "partitions": round(told.partitions, 2),
        "rows": told.rows,
        "month": load_json(told.month),
        "month_applied": None if before is None else load_json(before),
        "first_day": load_json(told.first_day) if item.change == "new" else None,
        "changes": changes,
        "remarks": list(item.remarks),
    }


def _channels(table: Table) -> tuple[str, ...]:
    from monitor.alerts.routing import channels_of  # noqa: PLC0415 - heavy

    return channels_of(table)


def _standing_json(standing: Any) -> dict[str, Any]:
    return {
        "incident": standing.incident,
        "title": standing.title,
        "open": standing.live,
        "said": standing.said or None,
        "who": standing.who,
        "until": standing.until.isoformat() if standing.until else None,
        "note": standing.note,
    }


def _costs(planned: Plan, warehouse: str) -> list[tuple[Table, Estimate]]:
    costed = [p.costed for p in planned.tables if p.costed is not None]
    return [(item.table, item.estimate) for item in costed if item.table.warehouse == warehouse]


def _warehouse_json(found: Opened, planned: Plan, warehouse: Warehouse) -> dict[str, Any]:
    mine = _costs(planned, warehouse.name)
    new = {item.name for item in planned.tables if item.change == "new"}
    polls, hours = polls_of(warehouse, mine, found.config.serve.poll_minutes * 60)
    return {
        "month": load_json(_sum([told.month for _, told in mine])),
        "first_day": load_json(_sum([told.first_day for table, told in mine if table.name in new])),
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


def _print_changes(planned: Plan) -> None:
    from monitor.plan.text import plan_lines, summary  # noqa: PLC0415 - heavy

    for line in plan_lines(planned):
        typer.echo(line)
    typer.echo(summary(planned))


def _print_text(found: Opened, planned: Plan) -> None:
    from monitor.plan.text import plan_lines, summary  # noqa: PLC0415 - heavy

    for line in plan_lines(planned):
        typer.echo(line)
    for name, warehouse in found.warehouses.items():
        mine = _costs(planned, name)
        if mine:
            print_warehouse(name, warehouse, mine, found.config.serve.poll_minutes)
    for name, error in found.outages.items():
        note(f"{name}: {error}; what was applied of its tables is taken to stand")
    typer.echo(summary(planned))


def print_warehouse(
    name: str, warehouse: Warehouse, mine: Sequence[tuple[Table, Estimate]], poll_minutes: float, *, err: bool = False
) -> None:
    """A warehouse's tables together: a month, the first day, the polls, and the hours awake."""
    from monitor.plan.words import tell_load as _tell  # noqa: PLC0415 - heavy

    polls, hours = polls_of(warehouse, mine, poll_minutes * 60)
    typer.echo(f"{name}: about {_tell(_sum([told.month for _, told in mine]))} a month", err=err)
    typer.echo(f"{name}: on the first day {_tell(_sum([told.first_day for _, told in mine]))}", err=err)
    typer.echo(f"{name}: polls of `daywatch serve`: at most {polls.statements:,.0f} small statements a month", err=err)
    if hours is not None:
        typer.echo(f"{name}: awake for at most {hours:,.0f} hours a month (with AUTO_SUSPEND = 60)", err=err)
