"""What the commands share: options, opening what a configuration names, and how results are printed."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.errors import UnavailableError
    from monitor.store import Store
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse

OK, FAILED, USAGE, ERRORED = 0, 1, 2, 3
DEFECT = "this is a defect of daywatch, please report it"

ConfigOption = Annotated[Path, typer.Option("-c", "--config", help="Configuration file.", metavar="FILE")]
TablesOption = Annotated[
    list[str] | None, typer.Option("--table", help="Only this table or pattern; may be repeated.", metavar="TABLE")
]
FormatOption = Annotated[str, typer.Option("--format", help="text or json.", metavar="FORMAT")]
DEFAULT_CONFIG = Path("daywatch.yaml")


@dataclass(frozen=True)
class Opened:
    """A configuration with its store open, and its warehouses, save those in `outages`, which cannot be used."""

    config: Config
    warehouses: Mapping[str, Warehouse]
    store: Store
    tables: Sequence[Table]
    outages: Mapping[str, UnavailableError] = field(default_factory=dict)


@contextmanager
def opened(
    path: Path, only: Sequence[str] | None = None, *, untouched: bool = False, adding: bool = False
) -> Iterator[Opened]:
    """Open what a configuration names; everything is closed afterwards.

    `untouched`: a store that is not there yet is not made; an empty one that is thrown away stands in for it.
    `adding`: the command adds to the store's history, so a warehouse that the store knew elsewhere is warned of.
    """
    from monitor.config import load_config  # noqa: PLC0415 - heavy
    from monitor.opening import meet_warehouses, open_reachable  # noqa: PLC0415 - heavy
    from monitor.receipts import count_looks  # noqa: PLC0415 - heavy
    from monitor.store import Store  # noqa: PLC0415 - heavy

    config = load_config(path)
    reached = open_reachable(config, _named(only, config), only, note)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            url = config.store.get_secret_value()
            if untouched and not Store.is_there(url):
                url = f"sqlite:///{scratch}/empty.db"
            with Store.open(url) as store:
                if not untouched:
                    count_looks(store, reached.warehouses.values(), now())
                if adding:
                    meet_warehouses(config, reached.warehouses, store, now(), note)
                yield Opened(config, reached.warehouses, store, reached.tables, reached.outages)
    finally:
        reached.close()


def _named(only: Sequence[str] | None, config: Config) -> set[str] | None:
    """Which warehouses the tables named need; None = all of them."""
    if not only:
        return None
    named = {name.split(".", 1)[0] for name in only}
    return named if named <= set(config.warehouses) else None


@contextmanager
def opened_store(path: Path) -> Iterator[tuple[Config, Store]]:
    """Open the store alone, for commands that ask no warehouse."""
    from monitor.config import load_config  # noqa: PLC0415 - heavy
    from monitor.store import Store  # noqa: PLC0415 - heavy

    config = load_config(path)
    with Store.open(config.store.get_secret_value()) as store:
        yield config, store


def now() -> dt.datetime:
    """The moment of the command; DAYWATCH_NOW (ISO, with offset) stands in for the clock where it is set."""
    fixed = os.environ.get("DAYWATCH_NOW")
    if not fixed:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(fixed)
    except ValueError as error:
        raise UsageError(f"DAYWATCH_NOW={fixed} is no ISO time", mend="as in 2013-02-09T07:00+00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def note(text: str) -> None:
    """Say something beside the results, on stderr."""
    typer.echo(text, err=True)


def check_format(chosen: str, known: Sequence[str] = ("text", "json")) -> str:
    """The chosen output format; UsageError for one that there is not."""
    if chosen not in known:
        raise UsageError(f"unknown format {chosen}", where="--format", mend=f"use {' or '.join(known)}")
    return chosen


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str) + "\n")
    sys.stdout.flush()
