"""`daywatch chaos`: known damage, in copies, to see whether it is seen."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.errors import UsageError

if TYPE_CHECKING:
    from chaos.application import Order, Prepared
    from chaos.fault import Fault
    from chaos.scratch import Scratch
    from monitor.types import Partition, Table
    from monitor.warehouses.base import Warehouse

app = typer.Typer(
    help="Faults on purpose, into scratch copies, never into the table.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SAMPLE_ROWS = 2_000

TableArgument = Annotated[str, typer.Argument(help="The table to copy, as main.flights.", metavar="TABLE")]
ConfigOption = Annotated[Path, typer.Option("-c", "--config", help="Configuration file.", metavar="FILE")]
FormatOption = Annotated[str, typer.Option("--format", help="text or json.", metavar="FORMAT")]
DateOption = Annotated[
    str | None, typer.Option("--date", help="The day to damage; the table's newest if left out.", metavar="D")
]
RowsOption = Annotated[
    float | None,
    typer.Option("--rows", help="Share of the day's rows (that meet --where), 0 to 1; default: the fault's own."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Chooses the rows: the same seed, the same copy.")]
IntensityOption = Annotated[float, typer.Option("--intensity", help="How strong; 1 is usual.")]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Overwrite an earlier copy of that name.")]
ViewOption = Annotated[bool, typer.Option("--view", help="Make a view: no room, computed when read.")]
DEFAULT_CONFIG = Path("daywatch.yaml")


@app.command("list")
def list_faults(chosen_format: FormatOption = "text") -> None:
    """All faults: what each does, what it needs, and what a finding should call it.

    Example: daywatch chaos list --format json
    """
    _check_format(chosen_format)
    from chaos.catalogue import FAULTS  # noqa: PLC0415 - heavy

    if chosen_format == "json":
        _print_json([_described(fault) for fault in FAULTS.values()])
        return
    width = max(map(len, FAULTS))
    for fault in FAULTS.values():
        needs = ", ".join(fault.needs) or "-"
        typer.echo(f"{fault.name:<{width}}  {fault.change.value:<12}  {needs:<26}  {fault.about}")


@app.command("apply")
def apply_fault(
    table: TableArgument,
    fault: Annotated[str, typer.Option("--fault", help="Its name; see `chaos list`.", metavar="F")],
    into: Annotated[str, typer.Option("--into", help="The copy, as main.scratch.flights_bad.", metavar="PATH")],
    column: Annotated[
        list[str] | None, typer.Option("--column", help="What to damage; may be repeated.", metavar="C")
    ] = None,
    rows: RowsOption = None,
    where: Annotated[str | None, typer.Option("--where", help="Only rows that meet this SQL condition.")] = None,
    date: DateOption = None,
    seed: SeedOption = 0,
    intensity: IntensityOption = 1.0,
    config: ConfigOption = DEFAULT_CONFIG,
    chosen_format: FormatOption = "text",
    overwrite: ReplaceOption = False,
    view: ViewOption = False,
) -> None:
    """Copy a table with one day damaged, and say what is true of the copy.

    Example: daywatch chaos apply main.flights --fault null_increase --column carrier --rows 0.05
    --where "origin='JFK'" --date 2013-03-01 --seed 1 --into main.scratch.flights_bad
    """
    _check_format(chosen_format)
    from chaos.application import Order, prepare  # noqa: PLC0415 - heavy

    order = Order(fault, tuple(column or ()), rows, where, seed, intensity)
    with _opened(config, table) as (warehouse, found, url):
        scratch = _scratch(into, found, warehouse, url, view=view, overwrite=overwrite)
        prepared = prepare(warehouse, found, _partition(warehouse, found, date), order, into)
    scratch.write(prepared.select)
    _tell(prepared, chosen_format)


@app.command("suite")
def apply_suite(
    table: TableArgument,
    into: Annotated[
        str, typer.Option("--into", help="The copies' common beginning: main.scratch.flights.", metavar="PREFIX")
    ],
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Only these; all that fit if left out.", metavar="F")
    ] = None,
    rows: RowsOption = None,
    date: DateOption = None,
    seed: SeedOption = 0,
    intensity: IntensityOption = 1.0,
    config: ConfigOption = DEFAULT_CONFIG,
    chosen_format: FormatOption = "json",
    overwrite: ReplaceOption = False,
    view: ViewOption = False,
) -> None:
    """Copy a table once for every fault that leaves a trace in it; print the truth of each copy on a line.

    The columns and segments are chosen by the seed, from those on which the fault leaves a trace.

    Example: daywatch chaos suite main.flights --date 2013-03-01 --into main.scratch.flights --view
    """
    _check_format(chosen_format)
    from chaos.application import Order, prepare  # noqa: PLC0415 - heavy
    from chaos.catalogue import FAULTS, fault_named  # noqa: PLC0415 - heavy

    names = [fault_named(name).name for name in fault] if fault else list(FAULTS)
    copies: list[tuple[Scratch, Prepared]] = []
    with _opened(config, table) as (warehouse, found, url):
        partition = _partition(warehouse, found, date)
        base = Order("", rows=rows, seed=seed, intensity=intensity)
        for order in _orders(warehouse, found, partition, base, names):
            name = f"{into}_{order.fault}"
            scratch = _scratch(name, found, warehouse, url, view=view, overwrite=overwrite)
            copies.append((scratch, prepare(warehouse, found, partition, order, name)))
    for scratch, prepared in copies:
        scratch.write(prepared.select)
        _tell(prepared, chosen_format)


@contextmanager
def _opened(config: Path, name: str) -> Iterator[tuple[Warehouse, Table, str]]:
    """The table's warehouse, open for reading; the table; the warehouse's address for the copy's own connection."""
    from monitor.config import load_config, open_warehouses, resolve_tables  # noqa: PLC0415 - heavy

    loaded = load_config(config)
    known = name.split(".", 1)[0]
    if known not in loaded.warehouses:
        names = ", ".join(loaded.warehouses)
        raise UsageError(f"no warehouse is called {known}", where=name, mend=f"the configuration has {names}")
    warehouses = open_warehouses(loaded, {known})
    try:
        tables = resolve_tables(loaded, warehouses, [name], warn=_note)
        if len(tables) != 1:
            raise UsageError(f"{len(tables)} tables are called so", where=name, mend="name one table")
        yield warehouses[known], tables[0], loaded.warehouses[known].url.get_secret_value()
    finally:
        for warehouse in warehouses.values():
            warehouse.close()


def _scratch(into: str, table: Table, warehouse: Warehouse, url: str, *, view: bool, overwrite: bool) -> Scratch:
    from chaos.scratch import scratch_named  # noqa: PLC0415 - heavy

    scratch = scratch_named(into, table, warehouse, url, view=view, replace=overwrite)
    scratch.refuse_unsafe(table, warehouse.tables())
    return scratch


def _partition(warehouse: Warehouse, table: Table, date: str | None) -> Partition:
    from monitor.partitions import identity  # noqa: PLC0415 - with the warehouse

    if table.time is None:
        if date is not None:
            raise UsageError("the table has no time column", where=table.name, mend="leave --date out")
        return identity("all")
    if date is not None:
        return warehouse.partition(table, date)
    newest = warehouse.partitions(table, last=1)
    if not newest:
        raise UsageError("the table has no rows with a time", where=table.name, mend="choose another table")
    return newest[0][0]


def _orders(
    warehouse: Warehouse, table: Table, partition: Partition, base: Order, names: Sequence[str]
) -> Iterator[Order]:
    """What to damage with each fault, chosen by the seed on a sample of the day; faults that do not fit are told."""
    import numpy as np  # noqa: PLC0415 - heavy

    from chaos.catalogue import FAULTS  # noqa: PLC0415 - heavy
    from chaos.injection import SEGMENT_SHARE, choose_segment  # noqa: PLC0415 - heavy
    from chaos.suitability import suitable  # noqa: PLC0415 - heavy

    day = partition if table.time is not None else None
    time_column = table.time.name if table.time is not None else None
    before = warehouse.partitions(table, before=partition, last=1) if day is not None else []
    frame = warehouse.sample(table, day, SAMPLE_ROWS, base.seed)
    yesterday = warehouse.sample(table, before[0][0], SAMPLE_ROWS, base.seed) if before else None
    for number, name in enumerate(names):
        needs = FAULTS[name].needs
        lacks_past = "yesterday" in needs and yesterday is None
        found = [] if lacks_past else suitable(name, frame, time_column, yesterday=yesterday)
        if not found:
            _note(f"{name}: leaves no trace in {table.name}, left out")
            continue
        rng = np.random.default_rng([base.seed & 0xFFFF_FFFF, number])
        chosen = found[int(rng.integers(len(found)))]
        columns = (chosen,) if isinstance(chosen, str) else chosen
        order = replace(base, fault=name, columns=columns)
        if "segment" in needs:
            share = SEGMENT_SHARE if base.rows is None else base.rows
            order = replace(order, where=choose_segment(frame, columns, share, rng, time_column)[0])
        yield order


def _described(fault: Fault) -> dict[str, Any]:
    return {
        "fault": fault.name,
        "needs": list(fault.needs),
        "options": dict(fault.options),
        "change": fault.change.value,
        "about": fault.about,
        "moves": fault.moves,
        "traceless_when": fault.traceless_when,
    }


def _tell(prepared: Prepared, chosen_format: str) -> None:
    truth = prepared.truth
    if chosen_format == "json":
        _print_json(truth)
    else:
        columns = f" in {', '.join(truth['columns'])}" if truth["columns"] else ""
        where = f" where {truth['where']}" if truth["where"] else ""
        rows = f"{truth['rows_changed']:,} rows changed"
        typer.echo(
            f"{truth['into']}: {truth['fault']}{columns}{where} on {truth['partition']}, {rows} ({truth['change']})"
        )
    if not truth["rows_changed"]:
        _note(f"{truth['into']}: no row is different; choose more --rows or another --column")


def _check_format(chosen: str) -> None:
    if chosen not in ("text", "json"):
        raise UsageError(f"unknown format {chosen}", where="--format", mend="use text or json")


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    typer.echo(text, err=True)
