"""`init` and `check-config`: from a warehouse's address to a configuration that is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import DEFAULT_CONFIG, OK, ConfigOption, note
from monitor.errors import DaywatchError, UsageError
from monitor.types import Cadence

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.discover import TableDescription
    from monitor.discover.propose import Proposals
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse


def init(
    url: Annotated[str, typer.Argument(help="The warehouse, as duckdb:///warehouse.duckdb.", metavar="URL")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.", metavar="FILE")] = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="What to call the warehouse.")] = "main",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    propose: Annotated[
        bool, typer.Option("--propose", help="Propose rules that hold in the data, as comments.")
    ] = False,
) -> int:
    """Look at a warehouse and write a starter configuration: tables, time columns, keys.

    Example: daywatch init duckdb:///warehouse.duckdb
    """
    from monitor.config.urls import absolute_url, redact_url  # noqa: PLC0415 - heavy
    from monitor.discover import describe, starter_yaml, write_starter  # noqa: PLC0415 - heavy
    from monitor.warehouses import open_warehouse  # noqa: PLC0415 - heavy

    if output.exists() and not force:
        raise UsageError(f"{output} exists already", mend="choose another file with -o, or add --force")
    found_at = absolute_url(url, Path.cwd())
    if output.resolve().parent != Path.cwd().resolve():
        url = found_at  # relative paths in the file are relative to the file
    warehouse = open_warehouse(name, found_at)
    try:
        paths = warehouse.tables()
        if not paths:
            raise UsageError(f"{redact_url(url)} has no tables", mend="look at the address and at your rights")
        found = [describe(warehouse, path) for path in paths]
        proposals = _propose(warehouse, found) if propose else None
        write_starter(output, starter_yaml(url, name, found, proposals), force=force)
        _note_estimate(warehouse, found)
    finally:
        warehouse.close()
    timed = sum(1 for d in found if d.time is not None)
    note(f"{len(found)} table{'s' if len(found) != 1 else ''} found, {timed} with a time column; wrote {output}")
    note(f"next: daywatch check-config -c {output}; daywatch run -c {output}")
    return OK


def _propose(warehouse: Warehouse, found: Sequence[TableDescription]) -> dict[tuple[str, ...], Proposals]:
    """Rules that hold in each table, told what they are worth."""
    from monitor.discover import starting_table  # noqa: PLC0415 - heavy
    from monitor.discover.propose import propose  # noqa: PLC0415 - heavy
    from monitor.discover.relations import find_relations  # noqa: PLC0415 - heavy

    tables = [starting_table(warehouse.name, item) for item in found]
    relations = find_relations(warehouse, tables)
    timed = [item for item in found if item.time is not None]
    proposed = {
        item.path: propose(
            warehouse, starting_table(warehouse.name, item), [*item.keys, *item.key_suggestions], relations
        )
        for item in timed
    }
    number = sum(len(proposals.found) for proposals in proposed.values())
    note(
        f"{number} rule{'s' if number != 1 else ''} proposed as comments, of what holds in the data now;"
        " data that was wrong from the first day would be enshrined, so read each before you keep it"
    )
    return proposed


def _note_estimate(warehouse: Warehouse, found: Sequence[TableDescription]) -> None:
    """What a month of the configuration just written would ask of the warehouse."""
    from monitor.check import checks_of, load_checks  # noqa: PLC0415 - heavy
    from monitor.cli.planning import print_warehouse  # noqa: PLC0415 - heavy
    from monitor.config.models import Serve  # noqa: PLC0415 - heavy
    from monitor.discover import starting_table  # noqa: PLC0415 - heavy
    from monitor.estimate import estimate  # noqa: PLC0415 - heavy

    checks = load_checks()
    states = warehouse.states([item.path for item in found])
    told = []
    for item in found:
        table = starting_table(warehouse.name, item)
        rows = item.candidates[0].rows_median if item.time is not None and item.candidates else item.rows
        state = states.get(item.path)
        told.append((table, estimate(table, checks_of(checks, table), rows, state, warehouse.columns_max)))
    print_warehouse(warehouse.name, warehouse, told, Serve().poll_minutes, err=True)
    note("these are estimates from metadata; `daywatch plan` tells them by table, `daywatch status --cost` what it was")


def _warn_of_channels(config: Config, tables: Sequence[Table]) -> None:
    """A channel that cannot be used stops a run, but not one with --no-alerts: it is no mistake in itself."""
    from monitor.alerting import check_channels  # noqa: PLC0415 - heavy

    try:
        check_channels(config, tables)
    except DaywatchError as error:
        note(f"warning: {error}; until then only `daywatch run --no-alerts` works")


def _note_hours(tables: Sequence[Table]) -> None:
    """Hourly partitions share the same monthly budget, so that each of them may say less."""
    hourly = [table.name for table in tables if table.cadence is Cadence.HOUR and table.automatic]
    if hourly:
        several = " and others" if len(hourly) > 5 else ""
        note(
            f"warning: {', '.join(hourly[:5])}{several}: judged by the hour, with 24 chances of a false alert a day in"
            " the same monthly budget, so that only larger changes alert than by the day;"
            " set `cadence: day`, or raise false_alerts_per_month, if that is not meant"
        )


def check_config(config: ConfigOption = DEFAULT_CONFIG) -> int:
    """Validate the configuration against the warehouses; touch nothing.

    Example: daywatch check-config -c daywatch.yaml
    """
    from monitor.config import load_config, open_warehouses, resolve_tables  # noqa: PLC0415 - heavy
    from monitor.past import is_timed  # noqa: PLC0415 - heavy

    loaded = load_config(config)
    warehouses = open_warehouses(loaded)
    try:
        tables = resolve_tables(loaded, warehouses, warn=note)
        _note_hours(tables)
        _warn_of_channels(loaded, tables)
    finally:
        for warehouse in warehouses.values():
            warehouse.close()
    for table in tables:
        time = f"as a whole, once a {table.cadence.value}; its past begins with the first look"
        if table.time is not None:
            time = f"by {table.cadence.value} of {table.time.name}" if is_timed(table) else f"by {table.time.name}"
        typer.echo(f"{table.name}: {len(table.checked_columns)} columns, {time}")
    typer.echo(f"{config}: {len(tables)} table{'s' if len(tables) != 1 else ''} to watch, no mistakes found")
    return OK
