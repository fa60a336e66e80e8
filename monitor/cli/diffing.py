"""`diff`: two tables compared."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from monitor.cli.common import DEFAULT_CONFIG, ERRORED, FAILED, OK, ConfigOption, check_format, note, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.diff import Method, Tolerance
    from monitor.diff.result import Difference

FORMATS = ("text", "json", "markdown", "junit")
_KINDS = ("absolute", "relative", "time")

KeyOption = Annotated[str | None, typer.Option("--key", help="Columns that tell rows apart: a,b.", metavar="COLS")]
WhereOption = Annotated[str | None, typer.Option("--where", help="Only rows that meet this SQL.", metavar="SQL")]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="A's column is called so in B; may be repeated.", metavar="COL=COL")
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="Leave these columns out: a,b.", metavar="COLS")
]
ToleranceOption = Annotated[
    list[str] | None,
    typer.Option("--tolerance", help="Numbers this near are equal: 0.01, or price=0.01.", metavar="[COL=]N"),
]
RelativeOption = Annotated[
    list[str] | None,
    typer.Option("--relative", help="As a part of the larger one: 1e-6, or price=1e-6.", metavar="[COL=]N"),
]
TimeOption = Annotated[
    list[str] | None,
    typer.Option("--time-tolerance", help="Times this near are equal, seconds.", metavar="[COL=]S"),
]


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="warehouse.table, or URL#schema.table")],
    b: Annotated[str, typer.Argument(metavar="B", help="The table it is compared with.")],
    config: ConfigOption = DEFAULT_CONFIG,
    key: KeyOption = None,
    where: WhereOption = None,
    map_: MapOption = None,
    ignore: IgnoreOption = None,
    tolerance: ToleranceOption = None,
    relative: RelativeOption = None,
    time_tolerance: TimeOption = None,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", help="Texts but for their case.")] = False,
    ignore_whitespace: Annotated[bool, typer.Option("--ignore-whitespace", help="Texts but for white space.")] = False,
    timezone: Annotated[str, typer.Option("--timezone", help="Of times without zone beside times with.")] = "UTC",
    method: Annotated[str, typer.Option("--method", help="auto, join, checksum, bag or model.")] = "auto",
    rows_max: Annotated[int, typer.Option("--rows", help="Differing rows held at most.", min=0)] = 100_000,
    explain: Annotated[bool, typer.Option("--explain/--no-explain", help="Also say where and how.")] = True,
    show_values: Annotated[bool, typer.Option("--show-values", help="Show values of rows, not their shapes.")] = False,
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw what differs.", metavar="FILE.png")] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json, markdown or junit.", metavar="FORMAT")] = "text",
) -> int:
    """Compare two tables: rows added, removed, changed; in which columns; where; how values moved.

    With --key rows are matched by it, without they are compared as a multiset. Exit code 0: equal, 1: different.

    Example: daywatch diff main.flights main.staging.flights --key flight_id --format markdown
    """
    check_format(format_, FORMATS)
    near = {
        kind: _by_column(given, kind) for kind, given in zip(_KINDS, (tolerance, relative, time_tolerance), strict=True)
    }
    from monitor.diff import Options  # noqa: PLC0415 - only this command
    from monitor.diff import diff as compare  # noqa: PLC0415 - as above

    options = Options(
        key=_names(key),
        where=where,
        columns=pairs(map_),
        ignore=frozenset(name for names in ignore or () for name in _names(names)),
        tolerance=_tolerance(near, ""),
        tolerances={name: _tolerance(near, name) for given in near.values() for name in given if name},
        ignore_case=ignore_case,
        ignore_whitespace=ignore_whitespace,
        timezone=_zone(timezone),
        method=_method(method),
        rows_max=rows_max,
        explain=explain,
        show_values=True if show_values else None,
    )
    found = compare(a, b, options, config)
    if picture is not None:
        _draw(found, picture)
    print_as(found, format_, "monitor.diff.render")
    if found.is_equal and not found.is_stable:
        note("daywatch: a table changed while it was read, so nothing says that they are equal; compare them again")
        return ERRORED
    return OK if found.is_equal else FAILED


class Told(Protocol):
    """A result that commands print."""

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""


def print_as(found: Told, format_: str, renderers: str) -> None:
    """Print a result in one of FORMATS; the module `renderers` writes those for people, as `to_text` and so on."""
    if format_ == "json":
        print_json(found.to_json())
    else:
        typer.echo(getattr(importlib.import_module(renderers), f"to_{format_}")(found))


def _draw(found: Difference, file: Path) -> None:
    from monitor.diff.picture import picture_of  # noqa: PLC0415 - only where one is wanted
    from monitor.plots import draw  # noqa: PLC0415 - as above

    try:
        draw(picture_of(found), file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", where="--picture") from error


def _names(text: str | None) -> tuple[str, ...]:
    """Names between commas; a name in double quotes may hold one."""
    import csv  # noqa: PLC0415 - only where names are given

    found = next(csv.reader([text or ""], skipinitialspace=True), [])
    return tuple(name.strip() for name in found if name.strip())


def pairs(given: list[str] | None) -> dict[str, str]:
    """The pairs of names that were written OLD=NEW; UsageError for what is none."""
    found = {}
    for text in given or ():
        name, mark, other = text.partition("=")
        if not mark or not name.strip() or not other.strip():
            raise UsageError(f"`{text}` names no two columns", where="--map", mend="write --map OLD=NEW")
        found[name.strip()] = other.strip()
    return found


def _by_column(given: list[str] | None, kind: str) -> dict[str, float]:
    """The bounds by column; '' is for all."""
    where = {"absolute": "--tolerance", "relative": "--relative", "time": "--time-tolerance"}[kind]
    found = {}
    for text in given or ():
        name, _, number = text.rpartition("=")
        try:
            bound = float(number)
        except ValueError:
            bound = -1.0
        if bound < 0 or not math.isfinite(bound):
            raise UsageError(f"`{text}` is no bound", where=where, mend=f"write {where} 0.01, or {where} COLUMN=0.01")
        found[name.strip()] = bound
    return found


def _tolerance(near: dict[str, dict[str, float]], column: str) -> Tolerance:
    from monitor.diff import Tolerance  # noqa: PLC0415 - only this command

    return Tolerance(*(near[kind].get(column, near[kind].get("", 0.0)) for kind in _KINDS))


def _method(chosen: str) -> Method:
    from monitor.diff import Method  # noqa: PLC0415 - only this command

    try:
        return Method(chosen)
    except ValueError:
        known = ", ".join(method.value for method in Method)
        raise UsageError(f"unknown method {chosen}", where="--method", mend=f"use one of {known}") from None


def _zone(name: str) -> str:
    import zoneinfo  # noqa: PLC0415 - only this command

    try:
        return zoneinfo.ZoneInfo(name).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"no time zone {name}", where="--timezone", mend="name one as Europe/Berlin") from None
