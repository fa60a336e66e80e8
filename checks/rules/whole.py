"""A rule asked of a whole table on each day, instead of the day's rows: what holds of all of it, and old faults too."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, parsed before it is sent

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from checks.rules.base import KINDS, Found, RowRule, Rule, Values, kind
from checks.rules.fields import refuse
from checks.rules.words import ROWS, TABLE, Words
from monitor.types import Change, Column, Measure


@kind("all_rows", "all rows of the table, those of earlier days included, meet another rule",
      {"unique": "flight_id"}, Change.OTHER)  # fmt: skip
class AllRows(Rule):
    """Another kind of rule, about the whole table; `where` and `tolerance` stand beside it as ever."""

    rule: dict[str, Any] = Field(description="the rule, by its kind", examples=[{"unique": "flight_id"}])

    @model_validator(mode="before")
    @classmethod
    def _from_plain(cls, data: Any) -> Any:
        known = isinstance(data, Mapping) and "rule" not in data
        return {"rule": {key: value for key, value in data.items() if value is not None}} if known else data

    @model_validator(mode="after")
    def _check_rule(self) -> Self:
        names = [name for name in self.rule if name in KINDS and KINDS[name] is not AllRows]
        if len(names) != 1 or len(self.rule) != 1:
            raise refuse("wanted one rule by its kind, for example all_rows: {unique: flight_id}")
        try:
            inner = self.inner
        except ValidationError as error:
            raise refuse("; ".join(dict.fromkeys(str(e["msg"]) for e in error.errors()))) from None
        if names[0] == "python":
            raise refuse("a rule in Python is given the partition's rows alone")
        if not inner.needs_data:
            raise refuse(f"{names[0]} is about no rows; write it without all_rows")
        return self

    @cached_property
    def inner(self) -> Rule:
        """The rule itself."""
        ((name, body),) = self.rule.items()
        return KINDS[name].model_validate(body)

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The rule's columns."""
        return self.inner.looked_at

    @property
    def named(self) -> tuple[str, ...]:
        """The rule's as well."""
        return self.inner.named

    @property
    def tables(self) -> tuple[str, ...]:
        """The rule's as well."""
        return self.inner.tables

    @property
    def other_columns(self) -> tuple[str, ...]:
        """The rule's as well."""
        return self.inner.other_columns

    @property
    def label(self) -> str:
        """The rule's kind and label."""
        return f"{self.inner.kind} {self.inner.label}"

    def measures(self, words: Words, where: str | None) -> tuple[Measure, ...]:
        """The rule's, each by a statement of its own that reads the whole table; and how many rows that has."""
        asked = [_of_table(measure, words) for measure in self.inner.measures(words, where)]
        return (*asked, Measure("asked", "", f"SELECT COUNT(*) FROM {TABLE} AS every"))

    def judge(self, values: Values, rows: float, columns: Sequence[Column]) -> Found | None:
        """As the rule does, of so many rows as the table has."""
        *own, every = values
        found = self.inner.judge(own, every or 0.0, columns)
        return None if found is None else replace(found, rows=every)

    def trouble(self, values: Values) -> str | None:
        """The rule's."""
        return self.inner.trouble(values[:-1])

    def bad_rows(self, words: Words, where: str | None) -> str | None:
        """The rule's, of the whole table."""
        if isinstance(self.inner, RowRule):
            return f"SELECT * FROM {TABLE} AS day WHERE {self.inner.condition(words, where)}"
        found = self.inner.bad_rows(words, where)
        return found.replace(ROWS, TABLE) if found else None


def _of_table(measure: Measure, words: Words) -> Measure:
    """A measure of a partition's rows as a statement about the table."""
    if measure.kind == "count_where":
        return Measure("asked", "", f"SELECT COUNT(*) FROM {TABLE} AS day WHERE {measure.argument}")
    if measure.kind == "expression":
        return Measure("asked", "", f"SELECT {words.real(f'({measure.argument})')} FROM {TABLE} AS day")
    if measure.kind == "repeats":
        told = json.loads(measure.argument)
        keys, known = words.names(told["columns"]), [f"{words.name(c)} IS NOT NULL" for c in told["columns"]]
        where = " AND ".join([*known, *([f"({told['where']})"] if told["where"] else [])])
        grouped = f"SELECT COUNT(*) AS n FROM {TABLE} AS day WHERE {where} GROUP BY {keys} HAVING COUNT(*) > 1"
        return Measure("asked", "", f"SELECT COALESCE(SUM(n - 1), 0) FROM ({grouped}) AS repeated")
    return Measure("asked", "", measure.argument.replace(ROWS, TABLE))
