"""`import` and `export`: rules from and for other tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import DEFAULT_CONFIG, OK, ConfigOption, FormatOption, check_format, note, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.exports import Unexported
    from monitor.imports import Imported
    from monitor.types import Column

LEFT_OUT_SHOWN = 500

IntoOption = Annotated[
    Path | None, typer.Option("--into", help="Write to this file, which must not exist.", metavar="FILE")
]


def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="dbt, gx, soda or odcs.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    into: IntoOption = None,
    warehouse: Annotated[str, typer.Option("--warehouse", help="The warehouse's name in the configuration.")] = "main",
    url: Annotated[
        str | None, typer.Option("--url", help="Its address, which tells the engine.", metavar="URL")
    ] = None,
    schema: Annotated[str | None, typer.Option("--schema", help="Where tables named without a schema are.")] = None,
    unnamed: Annotated[
        str | None, typer.Option("--default-schema", help="The schema that names leave out.", metavar="SCHEMA")
    ] = None,
    table: Annotated[str | None, typer.Option("--table", help="The table of a suite of Great Expectations.")] = None,
    by_day: Annotated[bool, typer.Option("--by-day", help="Ask rules of each day's rows, not of the table.")] = False,
    format_: FormatOption = "text",
) -> int:
    """Carry rules over from dbt, Great Expectations, SodaCL or data contracts, and list what cannot be.

    Example: daywatch import dbt models/ --url duckdb:///warehouse.duckdb --into from_dbt.yaml
    """
    check_format(format_)
    from monitor.imports import naming, read_import, write_yaml  # noqa: PLC0415 - heavy

    if not warehouse or "." in warehouse or "*" in warehouse:
        raise UsageError(f"{warehouse!r} cannot name a warehouse", where="--warehouse", mend="use a word such as main")
    _check_new(into)
    found = read_import(kind, paths, naming(warehouse, schema, url, unnamed), table=table, by_day=by_day)
    text = write_yaml(found, url)
    if into is not None:
        _write(into, text)
    if format_ == "json":
        print_json({**_summary(found), "into": str(into) if into else None, "yaml": None if into else text})
    elif into is None:
        typer.echo(text, nl=False)
    _tell(found, into)
    return OK


def _summary(found: Imported) -> dict[str, object]:
    tables = [
        {
            "table": table.name,
            "rules": [
                {"name": c.called, "rule": c.rule, "from": c.origin, "file": c.place.file, "line": c.place.line}
                for c in table.rules
            ],
        }
        for table in found.tables.values()
        if not table.is_bare
    ]
    return {"kind": found.kind, "tables": tables, "left_out": [item.to_json() for item in found.left_out]}


def _tell(found: Imported, into: Path | None) -> None:
    """What was done and what was not, on stderr."""
    for text in found.notes:
        note(text)
    for item in found.left_out[:LEFT_OUT_SHOWN]:
        note(f"not carried over: {item}")
    more = len(found.left_out) - LEFT_OUT_SHOWN
    if more > 0:
        note(f"and {more} more, all listed by --format json")
    rules = sum(len(table.rules) for table in found.tables.values())
    tables = sum(not table.is_bare for table in found.tables.values())
    done = f"{rules} rule{'s' * (rules != 1)} on {tables} table{'s' * (tables != 1)}"
    note(f"{done}, {len(found.left_out)} not carried over{f'; wrote {into}' if into else ''}")


def export(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="odcs, dbt or schema.")],
    config: ConfigOption = DEFAULT_CONFIG,
    into: IntoOption = None,
    format_: FormatOption = "text",
) -> int:
    """Write the configuration as a data contract or as dbt tests, or the JSON Schema of configurations for editors.

    Example: daywatch export schema --into daywatch.schema.json
    """
    check_format(format_)
    from monitor.exports import KINDS, export_config, export_schema  # noqa: PLC0415 - heavy

    if kind not in KINDS:
        raise UsageError(f"cannot export {kind}", mend=f"known are {', '.join(KINDS)}")
    _check_new(into)
    left_out: list[Unexported] = []
    if kind == "schema":
        text = json.dumps(export_schema(), indent=1, ensure_ascii=False) + "\n"
    else:
        from monitor.config import load_config  # noqa: PLC0415 - heavy

        loaded = load_config(config)
        text, left_out = export_config(kind, loaded, _columns(loaded) if kind == "odcs" else {})
    if into is not None:
        _write(into, text)
    if format_ == "json":
        print_json({"kind": kind, "into": str(into) if into else None, "text": None if into else text,
                    "left_out": [item.to_json() for item in left_out]})  # fmt: skip
    elif into is None:
        typer.echo(text, nl=False)
    for item in left_out:
        note(f"not exported: {item}")
    return OK


def _columns(config: Config) -> dict[str, Sequence[Column]]:
    """The columns of the configuration's tables, asked of their warehouses."""
    from monitor.config import open_warehouses, resolve_tables  # noqa: PLC0415 - heavy

    warehouses = open_warehouses(config)
    try:
        return {table.name: table.columns for table in resolve_tables(config, warehouses, warn=note)}
    finally:
        for warehouse in warehouses.values():
            warehouse.close()


def _check_new(into: Path | None) -> None:
    if into is not None and into.exists():
        raise UsageError("exists already", where=str(into), mend="name another file with --into, or remove it")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _check_new(path)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path), mend="name another file") from None
