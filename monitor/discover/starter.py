"""The configuration file to start with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from monitor.config.names import write_table_name
from monitor.config.urls import url_scheme
from monitor.discover.describe import TableDescription
from monitor.errors import UsageError
from monitor.types import Cadence, Table, Watching

if TYPE_CHECKING:
    from monitor.discover.propose import Proposals

RULES_SUGGESTED = 2
PROPOSED = [
    "# Rules are proposed as comments: for each table those that hold in its last partitions without exception. They",
    "# say what the data is, not what it should be: DATA THAT WAS WRONG FROM THE FIRST DAY WOULD BE ENSHRINED. Read",
    '# each one, and keep those that you mean, by taking away the "# " before them and before `rules:`.',
]
SCHEMA = "# Editors complete and check by that line after `daywatch export schema --into daywatch.schema.json`."
LIGHT_ROWS = 20_000_000
"""Rows of a partition from which on a first configuration proposes light watching: samples read every row."""


def starter_yaml(
    url: str,
    name: str,
    descriptions: Sequence[TableDescription],
    proposals: Mapping[tuple[str, ...], Proposals] | None = None,
) -> str:
    """A short, commented configuration for the tables described, valid as it stands.

    Args:
        url: the warehouse's address; a password in it becomes `${DAYWATCH_<NAME>_PASSWORD}`.
        name: what to call the warehouse.
        descriptions: of its tables.
        proposals: by path, rules that hold in the tables' data, written as comments.
    """
    shown, variables = without_secrets(url, name)
    lines = ["# yaml-language-server: $schema=daywatch.schema.json", SCHEMA]
    lines += ["# What daywatch watches. Every key: docs/CONFIGURATION.md; `daywatch check-config` validates this file."]
    lines += [] if proposals is None else PROPOSED
    lines += ["warehouses:"]
    lines += [f"  # export {variable}=... before running: secrets stay out of this file" for variable in variables]
    lines += [f"  {_text(name)}: {_text(shown)}", "", "timezone: UTC    # where days begin", ""]
    lines += ["tables:"]
    timed = [item for item in descriptions if item.time is not None]
    lines += _patterns(name, descriptions)
    for item in sorted(timed, key=lambda item: item.path):
        lines += _entry(name, item)
        lines += _rules(item) if proposals is None else _proposed(item, proposals.get(item.path))
    lines += [line for item in sorted(descriptions, key=lambda d: d.path) for line in _untimed_entry(name, item)]
    lines += _untimed(name, [item for item in descriptions if item.time is None])
    return "\n".join(lines) + "\n"


def write_starter(path: Path, text: str, *, force: bool = False) -> None:
    """Write a starter configuration; an existing file is kept unless `force`.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError("exists already", where=str(path), mend="use --force to replace it, or -o FILE") from None
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path), mend="name another with -o") from None


def _entry(warehouse: str, item: TableDescription) -> list[str]:
    if item.time is None:
        return []
    lines = [f"  - name: {_name(write_table_name(warehouse, item.path))}"]
    lines += [f"    time_column: {_name(item.time.name)}    # {_comment(item.reason)}"]
    if item.cadence is not Cadence.DAY:
        lines += [f"    cadence: {item.cadence.value}"]
    if is_large(item):
        rows = item.candidates[0].rows_median
        lines += [f"    watch: light    # about {rows:,.0f} rows a {item.cadence.value}; full reads them 9 times"]
    if item.keys:
        lines += [f"    key: {_list(item.keys[0])}"]
    elif item.key_suggestions:
        lines += [f"    # key: {_list(item.key_suggestions[0])}    # no value twice in recent days"]
    constants = [column for column in item.constants if column != item.time.name]
    if constants:
        lines += [f"    # ignore_columns: {_list(constants)}    # one value in nearly all rows"]
    return lines


def is_large(item: TableDescription) -> bool:
    """Whether a partition, or a whole table without one, has so many rows that sampling it each day may not pay."""
    if item.rows is not None:
        return item.rows > LIGHT_ROWS
    return bool(item.time is not None and item.candidates and item.candidates[0].rows_median > LIGHT_ROWS)


def starting_table(warehouse: str, item: TableDescription) -> Table:
    """The table as the starter configuration would have it watched."""
    return Table(
        name=write_table_name(warehouse, item.path),
        warehouse=warehouse,
        path=item.path,
        columns=item.columns,
        time=item.time,
        cadence=item.cadence,
        key=item.keys[0] if item.keys else (),
        watch=Watching.LIGHT if is_large(item) else Watching.FULL,
    )


def _rules(item: TableDescription) -> list[str]:
    time = item.time.name if item.time else ""
    full = [column for column in (*item.segments, *item.full_columns) if column in item.full_columns and column != time]
    chosen = list(dict.fromkeys(full))[:RULES_SUGGESTED]
    if not chosen:
        return []
    return ["    # rules:", *(f"    #   - not_null: {_name(column)}" for column in chosen)]


def _proposed(item: TableDescription, proposals: Proposals | None) -> list[str]:
    """Rules as comments, each beside its evidence; what was looked at stands above them."""
    remarks = [f"    # {_comment(remark)}" for remark in proposals.remarks] if proposals else []
    if proposals is None or not proposals.found:
        return [f"    # no rules are proposed: {_comment(proposals.reason)}", *remarks] if proposals else []
    lines = []
    if proposals.regular:
        lines += [f"    # cadence: {item.cadence.value}    # {proposals.regular}, {proposals.span}"]
    lines += [f"    # These hold in {proposals.rows:,} rows of {proposals.partitions} partitions, {proposals.span}:"]
    for key, some in (("rules", False), ("relations", True)):
        mine = [proposal for proposal in proposals.found if proposal.is_relation is some]
        lines += [f"    # {key}:"] if mine else []
        lines += [f"    #   - {_flow(proposal.entry)}    # {_comment(proposal.evidence)}" for proposal in mine]
    return [*lines, *remarks]


def _flow(entry: Mapping[str, Any]) -> str:
    """An item of a list on one line; a `$` that would name a variable is doubled."""
    text = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=1_000_000, allow_unicode=True).strip()
    return re.sub(r"\$(?=[{$])", "$$$$", text)


def _patterns(warehouse: str, descriptions: Sequence[TableDescription]) -> list[str]:
    """One pattern a schema, so that a table created tomorrow is watched too; entries by name win over them."""
    schemas = sorted({item.path[:-1] for item in descriptions}) or [()]
    lines = ["  # All tables, those of tomorrow too; an entry below wins over a pattern."]
    return lines + [f"  - name: {_name(write_table_name(warehouse, schema) + '.*')}" for schema in schemas]


def _untimed_entry(warehouse: str, item: TableDescription) -> list[str]:
    """A table without a time column is looked at as a whole, lightly where that is dear."""
    if item.time is not None or not item.rows_peeked:
        return []
    named = f"  - name: {_name(write_table_name(warehouse, item.path))}"
    lines = [named, "    mode: snapshot    # no time column: each look is compared with what was kept of earlier ones"]
    return [*lines, f"    watch: light    # about {item.rows:,} rows a look"] if is_large(item) else lines


def _untimed(warehouse: str, items: Sequence[TableDescription]) -> list[str]:
    if not items:
        return []
    lines = ["", "# Without a time column, so that their past begins with the first look (name one if there is one):"]
    return lines + [
        f"#   {_comment(write_table_name(warehouse, item.path))}: {_comment(item.reason)}" for item in items
    ]


def without_secrets(url: str, name: str) -> tuple[str, list[str]]:
    """The address with its secrets as variables, and the variables' names; a `$` of its own is doubled."""
    prefix = re.sub(r"\W+", "_", name).upper()
    variables: list[str] = []

    def password(match: re.Match[str]) -> str:
        variables.append(f"DAYWATCH_{prefix}_PASSWORD")
        return f"{match['before']}:${{{variables[-1]}}}@"

    def parameter(match: re.Match[str]) -> str:
        word = re.sub(r"\W+", "_", match["key"]).upper()
        variables.append(f"DAYWATCH_{prefix}_{word}")
        return f"{match['key']}=${{{variables[-1]}}}"

    escaped = url.replace("$", "$$")
    if url_scheme(url) not in ("duckdb", "sqlite", "files"):
        escaped = re.sub(r"(?P<before>://[^/\s:@]*):(?P<password>.+)@", password, escaped, count=1)
    names = "password|passwd|pwd|passphrase|token|secret|api_?key|access_?key|private_key(?==)"
    parameters = rf"(?P<key>\b[\w-]*(?:{names})[\w-]*)=(?!\$\{{)[^&;]+"
    return re.sub(parameters, parameter, escaped, flags=re.IGNORECASE), list(dict.fromkeys(variables))


def _text(value: str) -> str:
    """A text as YAML writes it, in quotes where there is any doubt."""
    plain = yaml.safe_dump(value, width=1_000_000).splitlines()[0] == value
    if plain and re.fullmatch(r"[A-Za-z_](?:[\w.*/:+~-]*[\w*])?", value):
        return value
    return str(yaml.safe_dump(value, default_style='"', width=1_000_000, allow_unicode=True)).strip()


def _name(value: str) -> str:
    """The name of a table or column as YAML writes it, its `$` doubled, as a single one would name a variable."""
    return _text(value.replace("$", "$$"))


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_name, values)) + "]"


def _comment(text: str) -> str:
    return " ".join(text.split())
