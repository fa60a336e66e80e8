"""`run`, `backfill`, `status` and `history`: watching tables and looking at what was seen."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from monitor.cli.common import (
    DEFAULT_CONFIG,
    OK,
    ConfigOption,
    FormatOption,
    Opened,
    TablesOption,
    check_format,
    note,
    now,
    opened,
    opened_store,
)
from monitor.errors import UsageError

DateOption = Annotated[str | None, typer.Option("--date", help="The partition to judge, as 2013-02-08.", metavar="D")]
FromOption = Annotated[str | None, typer.Option("--from", help="First partition of a replay.", metavar="D")]
ToOption = Annotated[str | None, typer.Option("--to", help="Last partition of a replay, included.", metavar="D")]


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    table: TablesOption = None,
    date: DateOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    format_: FormatOption = "text",
    no_alerts: Annotated[bool, typer.Option("--no-alerts", help="Record, but send nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL that would run; touch nothing.")] = False,
) -> int:
    """Judge the last complete partition of every table, one partition, or several in order.

    Example: daywatch run --table main.flights --date 2013-02-08
    """
    check_format(format_)
    if date and (from_ or to):
        raise UsageError("--date and --from/--to exclude each other", mend="give one partition, or a range")
    if bool(from_) != bool(to):
        raise UsageError("--from and --to belong together", mend="give both; they are included")
    with opened(config, table, untouched=dry_run, adding=not dry_run) as found:
        if dry_run:
            return _print_sql(found, (date or from_, date or to))
        from monitor.cli.running import Run  # noqa: PLC0415 - heavy
        from monitor.plan.stored import note_difference  # noqa: PLC0415 - heavy

        note_difference(found.store, found.config, found.tables, note, all_tables=not table)

        return Run(found, (date or from_, date or to), format_, alerts=not no_alerts).judge_all()


def _print_sql(found: Opened, span: tuple[str | None, str | None]) -> int:
    from monitor.asking import statements_of  # noqa: PLC0415 - heavy
    from monitor.check import checks_of, load_checks  # noqa: PLC0415 - heavy
    from monitor.read import Request  # noqa: PLC0415 - heavy
    from monitor.run import Watch  # noqa: PLC0415 - heavy
    from monitor.select import select_partitions  # noqa: PLC0415 - heavy

    checks = load_checks()
    for table in found.tables:
        warehouse = found.warehouses[table.warehouse]
        chosen = checks_of(checks, table)
        watch = Watch(table, warehouse, found.store, chosen)
        for partition in select_partitions(watch, *span, now(), note):
            typer.echo(f"-- {table.name} {partition.label}")
            request = Request.of(chosen, table)
            statements = statements_of(warehouse, table, partition, request.measures)
            for sql in statements if request.samples else statements[:-1]:
                typer.echo(f"{sql};")
    return OK


def backfill(
    config: ConfigOption = DEFAULT_CONFIG,
    table: TablesOption = None,
    days: Annotated[int | None, typer.Option("--days", help="How far back, partitions.", min=1)] = None,
) -> int:
    """Build the history of tables from the warehouse's own past, up to the last complete partition.

    Example: daywatch backfill --table main.flights --days 90
    """
    import dataclasses  # noqa: PLC0415 - only here

    from monitor.check import checks_of, load_checks  # noqa: PLC0415 - heavy
    from monitor.cli.progress import progress_bar  # noqa: PLC0415 - heavy
    from monitor.run import Watch, prepare_past  # noqa: PLC0415 - heavy
    from monitor.select import select_partitions  # noqa: PLC0415 - heavy

    checks = load_checks()
    with opened(config, table, adding=True) as found, progress_bar() as progress:
        for entry in found.tables:
            if entry.time is None:
                note(f"{entry.name}: looked at as a whole, its past begins with the first look")
                continue
            named = entry if days is None else dataclasses.replace(entry, backfill_days=days)
            chosen = checks_of(checks, entry)
            watch = Watch(named, found.warehouses[entry.warehouse], found.store, chosen, None, progress)
            for partition in select_partitions(watch, None, None, now(), note):
                past = prepare_past(watch, partition, now())
                known = past.known(partition)
                span = f", {known[0].partition.label} to {known[-1].partition.label}" if known else ""
                typer.echo(f"{entry.name}: {len(known)} partitions known{span}")
    return OK


def status(config: ConfigOption = DEFAULT_CONFIG, format_: FormatOption = "text") -> int:
    """Is each table fresh, complete, well? As of its last judged partition.

    Example: daywatch status
    """
    check_format(format_)
    from monitor.cli.standing import learning, names_of, standing  # noqa: PLC0415 - heavy
    from monitor.cli.text import print_status  # noqa: PLC0415 - heavy

    with opened(config) as found:
        rows = standing(found.store)
        return print_status(names_of(found, rows), rows, format_, learning(found.store, found.tables))


def history(
    table: Annotated[str, typer.Argument(help="The table, as main.flights, or an incident, as INC-17.")],
    date: Annotated[str | None, typer.Argument(help="One partition; all that is known without it.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    format_: FormatOption = "text",
) -> int:
    """What happened to this table, or to its data of one day? Of an incident: its record.

    Example: daywatch history main.flights 2013-02-08
    """
    check_format(format_)
    from monitor.cli.text import print_day, print_past  # noqa: PLC0415 - heavy

    with opened_store(config) as (_, store):
        if re.fullmatch(r"(?i)inc-\d+", table) and date is None:
            from monitor.cli.record import print_record  # noqa: PLC0415 - only here

            return print_record(store, table, format_)
        if date is not None:
            return print_day(store, table, date, format_)
        return print_past(store, table, format_)
