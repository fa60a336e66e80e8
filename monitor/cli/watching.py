"""`run`, `backfill`, `status` and `history`: watching tables and looking at what was seen."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    DEFAULT_CONFIG,
    DEFECT,
    ERRORED,
    FAILED,
    OK,
    ConfigOption,
    FormatOption,
    Opened,
    TablesOption,
    check_format,
    finding_json,
    incident_json,
    note,
    now,
    opened,
    opened_store,
    print_json,
)
from monitor.errors import DaywatchError, SourceError, UsageError, mask_secrets

if TYPE_CHECKING:
    from monitor.backfill import Progress
    from monitor.run import Compose, Outcome
    from monitor.types import Check, Table

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
    with opened(config, table, untouched=dry_run) as found:
        if dry_run:
            return _print_sql(found, (date or from_, date or to))
        return _run_tables(found, (date or from_, date or to), format_, alerts=not no_alerts)


def _run_tables(found: Opened, span: tuple[str | None, str | None], format_: str, *, alerts: bool) -> int:
    from monitor.check import load_checks  # noqa: PLC0415 - heavy
    from monitor.cli.progress import progress_bar  # noqa: PLC0415 - heavy
    from monitor.cli.text import print_outcome, print_summary  # noqa: PLC0415 - heavy

    checks = load_checks()
    codes: list[int] = []
    judged = 0
    if alerts:
        _check_channels(found)
    with progress_bar() as progress:
        for table in found.tables:
            for outcome in _judge_table(found, table, span, checks, progress, alerts):
                codes.append(exit_code(outcome))
                if format_ == "json":
                    for finding in outcome.findings:
                        print_json(finding_json(finding))
                    for event in outcome.incidents:
                        print_json(incident_json(event))
                else:
                    print_outcome(outcome)
                judged += 1
                if alerts and any(event.alerted for event in outcome.incidents):
                    codes.append(_send(found, quiet=format_ == "json"))
    if alerts:
        codes.append(_send(found, quiet=format_ == "json"))
    _prune(found)
    if format_ == "text":
        print_summary(judged, found.tables)
    return max(codes, key=(OK, FAILED, ERRORED).index, default=OK)


def exit_code(outcome: Outcome) -> int:
    """What one partition contributes to the exit code: errors before failures, muted failures are none."""
    statuses = [f.status.value for f in outcome.findings]
    if "error" in statuses:
        return ERRORED
    failing = [f for f in outcome.findings if f.status.value == "fail" and f.incident not in outcome.muted]
    return FAILED if failing else OK


def _judge_table(
    found: Opened, table: Table, span: tuple[str | None, str | None], checks: Sequence[Check], progress: Progress,
    alerts: bool,
) -> Iterator[Outcome]:  # fmt: skip
    from monitor.check import DECLARED  # noqa: PLC0415 - heavy
    from monitor.run import Watch, judge_partition, judge_source_failure  # noqa: PLC0415 - heavy
    from monitor.select import select_partitions  # noqa: PLC0415 - heavy

    moment = now()
    chosen = [c for c in checks if table.automatic or c.name in DECLARED]
    watch = Watch(
        table, found.warehouses[table.warehouse], found.store, chosen,
        _compose() if alerts else None, progress, _pictures(found),
    )  # fmt: skip
    partitions = select_partitions(watch, span[0], span[1], moment, note)
    for done, partition in enumerate(partitions):
        if len(partitions) > 1:
            progress(f"{table.name}: {partition.label}", done, len(partitions))
        try:
            yield judge_partition(watch, partition, moment)
        except UsageError:
            raise
        except DaywatchError as error:
            note(f"{table.name} {partition.label}: {error}")
            yield judge_source_failure(watch, partition, error)
        except Exception as error:  # noqa: BLE001 - one table-day does not stop the others
            note(mask_secrets(traceback.format_exc()))
            failure = SourceError(f"{type(error).__name__}: {error}", mend=DEFECT)
            yield judge_source_failure(watch, partition, failure)


def _pictures(found: Opened) -> Path:
    from monitor.alerting import pictures_folder  # noqa: PLC0415 - heavy

    return pictures_folder(found.config)


def _compose() -> Compose:
    from monitor.alerting import compose_deliveries  # noqa: PLC0415 - heavy

    return compose_deliveries


def _prune(found: Opened) -> None:
    """Let go of what is older than the configuration wants kept."""
    days = found.config.defaults.retention_days
    if days is not None:
        found.store.prune(now() - dt.timedelta(days=days))


def _check_channels(found: Opened) -> None:
    from monitor.alerting import check_channels  # noqa: PLC0415 - heavy

    check_channels(found.config, found.tables)


def _send(found: Opened, *, quiet: bool) -> int:
    from monitor.alerting import send  # noqa: PLC0415 - heavy

    return OK if send(found.config, found.store, now(), note, quiet=quiet) else ERRORED


def _print_sql(found: Opened, span: tuple[str | None, str | None]) -> int:
    from monitor.check import load_checks  # noqa: PLC0415 - heavy
    from monitor.read import Request  # noqa: PLC0415 - heavy
    from monitor.run import Watch  # noqa: PLC0415 - heavy
    from monitor.select import select_partitions  # noqa: PLC0415 - heavy

    checks = load_checks()
    for table in found.tables:
        warehouse = found.warehouses[table.warehouse]
        watch = Watch(table, warehouse, found.store, checks)
        for partition in select_partitions(watch, *span, now(), note):
            typer.echo(f"-- {table.name} {partition.label}")
            for sql in warehouse.explain_sql(table, partition, Request.of(checks, table).measures):
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

    from monitor.check import load_checks  # noqa: PLC0415 - heavy
    from monitor.cli.progress import progress_bar  # noqa: PLC0415 - heavy
    from monitor.run import Watch, prepare_past  # noqa: PLC0415 - heavy
    from monitor.select import select_partitions  # noqa: PLC0415 - heavy

    checks = load_checks()
    with opened(config, table) as found, progress_bar() as progress:
        for entry in found.tables:
            if entry.time is None:
                note(f"{entry.name}: no time column, so it has no past to read; set time_column")
                continue
            named = entry if days is None else dataclasses.replace(entry, backfill_days=days)
            watch = Watch(named, found.warehouses[entry.warehouse], found.store, checks, None, progress)
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
    from monitor.cli.text import print_status  # noqa: PLC0415 - heavy

    with opened(config) as found:
        rows = {row.table: row for row in found.store.status_rows()}
        return print_status([t.name for t in found.tables], rows, format_)


def history(
    table: Annotated[str, typer.Argument(help="The table, as main.flights.")],
    date: Annotated[str | None, typer.Argument(help="One partition; all that is known without it.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    format_: FormatOption = "text",
) -> int:
    """What happened to this table, or to its data of one day?

    Example: daywatch history main.flights 2013-02-08
    """
    check_format(format_)
    from monitor.cli.text import print_day, print_past  # noqa: PLC0415 - heavy

    with opened_store(config) as (_, store):
        if date is not None:
            return print_day(store, table, date, format_)
        return print_past(store, table, format_)
