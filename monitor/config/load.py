"""Reading a configuration file: bytes to plain values to models, or every problem at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.crosscheck import crosscheck
from monitor.config.explain import note_errors
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
    source = read_source(_read(path), str(path), os.environ if environment is None else environment)
    if not isinstance(source.data, dict):
        found = "a list" if isinstance(source.data, list) else "a plain value" if source.data is not None else "nothing"
        source.problem(
            (),
            f"found {found}, wanted a mapping that begins with `warehouses:`;"
            " `daywatch init URL` writes a starter configuration",
        )
        source.fail()
    crosscheck(source)
    _make_absolute(source.data, path.absolute().parent)
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


def _make_absolute(data: dict[str, Any], folder: Path) -> None:
    data["store"] = _absolute(data.get("store") or DEFAULT_STORE, folder)
    for rule in _rules(data):
        _make_path_absolute(rule, folder)
    warehouses = data.get("warehouses")
    if not isinstance(warehouses, dict):
        return
    for name, body in warehouses.items():
        if isinstance(body, dict) and "url" in body:
            body["url"] = _absolute(body["url"], folder)
        else:
            warehouses[name] = _absolute(body, folder)


def _rules(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    tables = data.get("tables")
    for table in tables if isinstance(tables, list) else []:
        rules = table.get("rules") if isinstance(table, dict) else None
        yield from (rule for rule in (rules if isinstance(rules, list) else []) if isinstance(rule, dict))


def _make_path_absolute(rule: dict[str, Any], folder: Path) -> None:
    """A rule in Python is found from the configuration's folder."""
    body = rule.get("python")
    named = body.get("rule") if isinstance(body, dict) else body
    if isinstance(named, str) and named.rpartition(":")[0].endswith(".py"):
        path = str(folder / named)
        rule["python"] = {**body, "rule": path} if isinstance(body, dict) else path


def _absolute(url: Any, folder: Path) -> Any:
    return absolute_url(url, folder) if isinstance(url, str) else url
