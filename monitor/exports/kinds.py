"""What can be exported, and what is said of what cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from monitor.config.models import Config, TableEntry
from monitor.config.names import TableName, parse_table_name
from monitor.errors import UsageError
from monitor.types import Column

KINDS = ("odcs", "dbt", "schema")
Columns = Mapping[str, Sequence[Column]]
DAILY = "it is about the rows of one day, and would be about all rows there"


@dataclass(frozen=True)
class Unexported:
    """Something that was not exported, and why."""

    table: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.table}: {self.what}: {self.why}"

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {"table": self.table, "what": self.what, "why": self.why}


def export_config(kind: str, config: Config, columns: Columns) -> tuple[str, list[Unexported]]:
    """A configuration's rules as YAML of another tool, and what is not in it.

    Args:
        kind: `odcs` or `dbt`.
        config: the configuration.
        columns: the columns of its tables by name, which a contract lists; only `odcs` needs them.

    Raises:
        UsageError: there is no such kind.
    """
    from monitor.exports.dbt import dbt_properties  # noqa: PLC0415 - they import this module
    from monitor.exports.odcs import contract  # noqa: PLC0415 - as above

    if kind not in ("odcs", "dbt"):
        raise UsageError(f"cannot export {kind}", mend=f"known are {', '.join(KINDS)}")
    document, left_out = contract(config, columns) if kind == "odcs" else dbt_properties(config)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    return text, [*left_out, *_never(config)]


def named_tables(config: Config, left_out: list[Unexported]) -> Iterator[tuple[TableEntry, TableName]]:
    """The tables that a configuration names; of patterns it is not known which tables they are."""
    for entry in config.tables:
        name = parse_table_name(entry.name)
        if not name.is_pattern:
            yield entry, name
        elif entry.rules or entry.relations:
            left_out.append(Unexported(entry.name, "its rules", "a pattern; which tables it names is not in the file"))


def _never(config: Config) -> Iterator[Unexported]:
    """What daywatch learns has no form elsewhere."""
    for entry in config.tables:
        for metric in entry.metrics:
            yield Unexported(entry.name, f"the metric {metric.called}", "its thresholds are learned")
        for entity in entry.entities:
            yield Unexported(entry.name, f"the entities {entity.entity}", "their thresholds are learned")
