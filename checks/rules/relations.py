"""Relations: columns whose values are found in another table; each is judged as the rule `references` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.rules.check import Rules, Written
from checks.rules.words import Words, words_of
from monitor.types import Change, Evidence, Input, Measure, Partition, Table, Values

if TYPE_CHECKING:
    from checks.metrics import Metrics


class Relations:
    """`relation.<name>`: fails when a value of the column is not found in the other table.

    `relation.<name>.fan_out`: how many rows refer to one row of the other table, against its past.
    """

    name = "relation"

    def inputs(self, table: Table) -> Sequence[Input]:
        """Row count, the rows without a counterpart, and the rows that refer to one."""
        if not table.relations:
            return []
        return list(dict.fromkeys([*Rules().inputs(as_rules(table)), *_metrics().inputs(as_fan_outs(table))]))

    def findings(self, table: Table) -> Mapping[Measure, str]:
        """The finding that each measure ends in."""
        found = Rules().findings(as_rules(table))
        told = {measure: name.replace("rule.", "relation.", 1) for measure, name in found.items()}
        fans = _metrics().findings(as_fan_outs(table)) if table.relations else {}
        return told | {measure: _fan_out(name) for measure, name in fans.items()}

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """Two pieces of evidence a relation."""
        if not table.relations:
            return []
        found = Rules().evaluate(as_rules(table), partition, values)
        told = [replace(e, check=e.check.replace("rule.", "relation.", 1), kind="relation") for e in found]
        fans = _metrics().evaluate(as_fan_outs(table), partition, values)
        columns = {relation["name"]: relation["column"] for relation in table.relations}
        for evidence in fans:
            column = columns[evidence.check.removeprefix("metric.")]
            told.append(replace(evidence, check=_fan_out(evidence.check), columns=(column,), shares=(1.0,),
                                change=Change.RELATION))  # fmt: skip
        return told


def _metrics() -> Metrics:
    from checks.metrics import Metrics  # noqa: PLC0415 - loads NumPy and SciPy, which reading a configuration does not need

    return Metrics()


def as_rules(table: Table) -> Table:
    """The table with its relations in the place of its rules."""
    return replace(table, rules=tuple(_written(relation) for relation in table.relations))


def as_fan_outs(table: Table) -> Table:
    """The table with the rows that refer to one row of the other table in the place of its metrics."""
    words = words_of(table)
    return replace(table, metrics=tuple(_fan_out_of(relation, words) for relation in table.relations))


def _fan_out_of(relation: Written, words: Words) -> Written:
    column = words.name(str(relation["column"]))
    sql = f"COUNT({column}) * 1.0 / COUNT(DISTINCT {column})"
    return {"name": relation["name"], "sql": sql, "where": f"{column} IS NOT NULL", "sensitivity": "low"}


def _fan_out(check: str) -> str:
    return f"{check.replace('metric.', 'relation.', 1)}.fan_out"


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
