"""Relations: columns whose values are found in another table; each is judged as the rule `references` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from checks.rules.check import Rules, Written
from monitor.types import Evidence, Input, Measure, Partition, Table, Values


class Relations:
    """`relation.<name>`: fails when a value of the column is not found in the other table."""

    name = "relation"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, and the rows without a counterpart."""
        return Rules().inputs(as_rules(table)) if table.relations else []

    def findings(self, table: Table) -> Mapping[Measure, str]:
        """The finding that each measure ends in."""
        found = Rules().findings(as_rules(table))
        return {measure: name.replace("rule.", "relation.", 1) for measure, name in found.items()}

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence a relation."""
        found = Rules().evaluate(as_rules(table), partition, values) if table.relations else []
        return [replace(e, check=e.check.replace("rule.", "relation.", 1), kind="relation") for e in found]


def as_rules(table: Table) -> Table:
    """The table with its relations in the place of its rules."""
    return replace(table, rules=tuple(_written(relation) for relation in table.relations))


def _written(relation: Written) -> Written:
    return {
        "name": relation["name"],
        "kind": "references",
        "columns": (relation["column"],),
        "params": {"to": relation["references"]},
        "priority": relation.get("priority"),
    }


def written_of(table: Table, check: str) -> Written | None:
    """The rule, or relation as a rule, that a finding is about."""
    of = as_rules(table) if check.startswith("relation.") else table
    name = check.partition(".")[2]
    return next((rule for rule in of.rules if rule["name"] == name), None)
