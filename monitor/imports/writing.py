"""What was imported as YAML for people: a table an entry, a rule a line, above each where it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from monitor.imports.found import Carried, Imported, TableFound

_PLAIN = re.compile(r"[A-Za-z_][\w./<>()+*-]*(?: [\w./<>()+*-]+)*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def write_yaml(found: Imported, url: str | None = None) -> str:
    """A configuration of what was found.

    Args:
        found: the import.
        url: the warehouse's address; without it there are tables alone, to be joined to a configuration.
    """
    lines = [f"# From {_SOURCES.get(found.kind, found.kind)}, by `daywatch import {found.kind}`."]
    if not found.by_day:
        lines += ["# all_rows: of the whole table, as there; without it a rule is about the rows of each day."]
    if url:
        lines += _warehouse(found.naming.warehouse, url)
    tables = [table for table in found.tables.values() if not table.is_bare]
    lines += ["tables:"] if tables else ["tables: []"]
    for table in tables:
        lines += _entry(table)
    lines += _left_out(found)
    return "\n".join(lines) + "\n"


def _warehouse(name: str, url: str) -> list[str]:
    """The warehouse; a secret in its address becomes a variable, as in a first configuration."""
    from monitor.discover.starter import without_secrets  # noqa: PLC0415 - heavy

    shown, variables = without_secrets(url, name)
    written = yaml.dump(shown, Dumper=_Dumper, width=float("inf")).strip().removesuffix("...").strip()
    exports = [f"  # export {variable}=... before running: secrets stay out of this file" for variable in variables]
    return ["warehouses:", *exports, f"  {_flow(name)}: {written}"]


_SOURCES = {"dbt": "dbt", "gx": "Great Expectations", "soda": "SodaCL", "odcs": "a data contract (ODCS)"}


def _entry(table: TableFound) -> list[str]:
    lines = [f"  - name: {_flow(table.name)}"]
    lines += [f"    # {_comment(text)}" for text in table.comments]
    if table.time_column:
        lines += [f"    time_column: {_flow(table.time_column)}"]
    if table.where:
        lines += [f"    where: {_flow(table.where)}"]
    if not table.automatic:
        lines += ["    automatic: false    # true: daywatch's own checks as well"]
    for key, value in (("owner", table.owner), ("labels", table.labels), ("key", table.key)):
        if value:
            lines += [f"    {key}: {_flow(value)}"]
    for key, listed in (("metrics", table.metrics), ("relations", table.relations)):
        if listed:
            lines += [f"    {key}:", *(f"      - {_flow(item)}" for item in listed)]
    if table.rules:
        lines += ["    rules:", *_rules(table.rules)]
    return lines


def _rules(rules: Sequence[Carried]) -> Iterator[str]:
    """The rules, each below its place, which is said once for several of one place."""
    said = ""
    for carried in rules:
        text = f"{carried.place}: {carried.origin}"
        if text != said:
            yield f"      # {_comment(text)}"
        said = text
        yield from (f"      # {_comment(f'{s.place}: {s.origin}')}" for s in carried.sharers)
        yield f"      - {_flow(carried.rule)}"


def _left_out(found: Imported) -> list[str]:
    if not found.left_out:
        return []
    return ["", "# Not carried over:", *(f"#   {_comment(str(item))}" for item in found.left_out)]


class _Dumper(yaml.SafeDumper):
    """Writes texts in quotes where any reader might take them for something else."""

    def ignore_aliases(self, _: Any) -> bool:
        """Equal values are written out each time."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    style = None if plain else '"' if "\n" in text or "'" in text else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _flow(value: Any) -> str:
    """A value on one line; a `$` that would begin a variable is doubled."""
    dumped = yaml.dump(
        _plain(value), Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return dumped.strip().removesuffix("...").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$(?=[{$])", "$$", value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _comment(text: str) -> str:
    return " ".join(text.split())
