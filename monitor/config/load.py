"""Reading a configuration file: bytes to plain values to models, or every problem at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.crosscheck import crosscheck
from monitor.config.explain import note_errors
from monitor.config.include import read_included
from monitor.config.models import DEFAULT_STORE, Config
from monitor.config.source import Source, read_source
from monitor.config.urls import absolute_url
from monitor.errors import UsageError


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration; touches no warehouse.

    Args:
        path: the YAML file; relative paths in it are seen from its folder.
        environment: what `${NAME}` is replaced from; the process's own by default.

    Raises:
        UsageError: the file cannot be read, or something in it is wrong; the text names every problem, one a line,
            as `daywatch.yaml:7: tables.0.time_colum: unknown key; did you mean time_column?`.
    """
    given = os.environ if environment is None else environment
    source = read_source(_read(path), str(path), given)
    read_included(source, path, given)
    if not isinstance(source.data, dict):
        found = "a list" if isinstance(source.data, list) else "a plain value" if source.data is not None else "nothing"
        source.problem(
            (),
            f"found {found}, wanted a mapping that begins with `warehouses:`;"
            " `daywatch init URL` writes a starter configuration",
        )
        source.fail()
    crosscheck(source)
    _make_absolute(source, path.absolute().parent)
    config = _validate(source)
    source.fail()
    return config.attach(path, source)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            "no such file", where=str(path), mend="name one with -c, or let `daywatch init URL` write one"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), mend="name a file with -c") from None


def _validate(source: Source) -> Config:
    try:
        return Config.model_validate(source.data)
    except ValidationError as error:
        note_errors(error, source)
    source.fail()
    raise UsageError("not valid", where=source.name)  # pragma: no cover - an error without a problem


def _make_absolute(source: Source, folder: Path) -> None:
    """Relative paths are seen from the folder of the file that they stand in."""
    data = source.data
    data["store"] = _absolute(data.get("store") or DEFAULT_STORE, folder)
    tables, warehouses = data.get("tables"), data.get("warehouses")
    for index, table in enumerate(tables if isinstance(tables, list) else []):
        origin = source.origin(("tables", index))
        if isinstance(table, dict):
            _make_table_absolute(table, origin.path.parent if origin else folder, included=origin is not None)
    for name, body in warehouses.items() if isinstance(warehouses, dict) else ():
        origin = source.origin(("warehouses", name))
        seen_from = origin.path.parent if origin else folder
        if isinstance(body, dict) and "url" in body:
            body["url"] = _absolute(body["url"], seen_from)
        else:
            warehouses[name] = _absolute(body, seen_from)


def _make_table_absolute(table: dict[str, Any], folder: Path, *, included: bool) -> None:
    rules, files = table.get("rules"), table.get("metrics_from")
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict):
            _make_path_absolute(rule, folder)
    if included and isinstance(files, str):
        table["metrics_from"] = str(folder / files)
    elif included and isinstance(files, list):
        table["metrics_from"] = [str(folder / name) if isinstance(name, str) else name for name in files]


def _make_path_absolute(rule: dict[str, Any], folder: Path) -> None:
    """A rule in Python is found from the folder of its file."""
    body = rule.get("python")
    named = body.get("rule") if isinstance(body, dict) else body
    if isinstance(named, str) and named.rpartition(":")[0].endswith(".py"):
        path = str(folder / named)
        rule["python"] = {**body, "rule": path} if isinstance(body, dict) else path


def _absolute(url: Any, folder: Path) -> Any:
    return absolute_url(url, folder) if isinstance(url, str) else url
