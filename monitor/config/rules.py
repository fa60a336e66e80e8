"""Rules, metrics, entities and relations as a configuration writes them, and their normal form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, create_model, field_validator, model_validator

from checks.rules.base import KINDS, RowRule, Rule, ShapeRule
from checks.rules.fields import refuse
from monitor.config.base import Settings
from monitor.config.fields import Name, Reference
from monitor.config.names import parse_table_name
from monitor.types import Priority

_SQL_WORDS = (("<>", "ne"), ("!=", "ne"), ("<=", "le"), (">=", "ge"), ("<", "lt"), (">", "gt"), ("=", "eq"))
_SLUG_MAX = 60


def slug(text: str) -> str:
    """A name made of `text`: words joined by `_`, comparisons spelt out.

    >>> slug("distance > 0 or cancelled")
    'distance_gt_0_or_cancelled'
    """
    for sign, word in _SQL_WORDS:
        text = text.replace(sign, f" {word} ")
    return "_".join(re.findall(r"\w+", text))[:_SLUG_MAX].strip("_").lower() or "unnamed"


class RuleSettings(Settings):
    """What every rule may say besides its kind: how it is called, scoped, weighed and told."""

    name: Name | None = Field(None, description="how the rule is called", examples=["distance_positive"])
    id: Name | None = Field(None, description="what it is known by, whatever it is called", examples=["positive"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])
    where: str | None = Field(None, description="the rows it is about, as SQL", examples=["cancelled = 0"])
    tolerance: float = Field(
        0.0, ge=0, description="the share of rows that may break it, or from 1 on their number", examples=[0.01]
    )
    owner: str | None = Field(None, description="whom to ask about it", examples=["@ana"])
    description: str | None = Field(
        None, max_length=500, description="why it must hold, for whom is told", examples=["customs reject others"]
    )
    only_new: bool | list[str] = Field(
        default=False, description="whether only rows count that were not bad before", examples=[True]
    )

    @field_validator("tolerance")
    @classmethod
    def _check_tolerance(cls, tolerance: float) -> float:
        if tolerance >= 1 and tolerance != int(tolerance):
            raise refuse("wanted a share below 1, or a whole number of rows from 1 on")
        return tolerance

    @model_validator(mode="after")
    def _check_one_kind(self) -> Self:
        given = sorted(kind for kind in KINDS if getattr(self, kind) is not None)
        if not given:
            known = ", ".join(sorted(KINDS))
            raise refuse(f"a rule without a kind; wanted one of them, such as `not_null: carrier`; known are {known}")
        if len(given) > 1:
            raise refuse(f"{' and '.join(given)} in one rule; write a rule for each")
        self._check_settings()
        return self

    def _check_settings(self) -> None:
        if isinstance(self.only_new, list) and not (self.only_new and isinstance(self.body, RowRule)):
            raise refuse("only_new with columns is for rules on single rows; write `only_new: true`")
        if self.only_new is True and not isinstance(self.body, RowRule | ShapeRule) and self.kind != "unique":
            raise refuse("only_new is for rules that count bad rows")
        if self.where is not None and not self.body.needs_data:
            raise refuse("where is for rules about rows")

    @property
    def kind(self) -> str:
        """Which kind it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def body(self) -> Rule:
        """The settings of its kind."""
        return getattr(self, self.kind)  # type: ignore[no-any-return]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about; none for `sql`, whose columns are in its text."""
        return self.body.looked_at

    @property
    def named_columns(self) -> tuple[str, ...]:
        """Every column that it names, which the table must have."""
        new = tuple(self.only_new) if isinstance(self.only_new, list) else ()
        return tuple(dict.fromkeys((*self.body.named, *new)))

    @property
    def params(self) -> dict[str, Any]:
        """What its kind needs besides columns: values; min, max; regex; sql."""
        own = {"column", "columns"} if self.columns else set()
        return self.body.model_dump(by_alias=True, exclude_unset=True, exclude=own)

    @property
    def called(self) -> str:
        """Its name, or the one made of its kind and columns."""
        if self.name:
            return self.name
        if self.kind == "sql":
            return slug(self.params["sql"])
        label = self.body.label
        if label == "_".join(self.columns):
            return "_".join([self.kind, *map(plain_name, self.columns)])
        return slug(f"{self.kind} {label}")

    def fragments(self) -> list[tuple[str, str, bool]]:
        """The owner's own SQL in it: the setting's name, the text, and whether it is about the table itself."""
        texts = [(key, self.params.get(key), key not in self.body.elsewhere) for key in self.body.fragments]
        return [(key, text, here) for key, text, here in texts if isinstance(text, str)]

    def normal(self) -> Mapping[str, Any]:
        """name, kind, columns, params and the settings of all kinds; priority None is the table's."""
        return {
            "name": self.called,
            "kind": self.kind,
            "columns": self.columns,
            "params": self.params,
            "where": self.where,
            "tolerance": self.tolerance,
            "priority": self.priority,
            "owner": self.owner,
            "description": self.description,
            "only_new": self.only_new,
            **known_by(self.id),
        }


_FIELDS: dict[str, Any] = {
    name: (made | None, Field(None, description=made.about, examples=[made.example])) for name, made in KINDS.items()
}
if TYPE_CHECKING:

    class RuleEntry(RuleSettings):
        """One rule of a configuration: a field for each kind, of which exactly one is given."""

else:
    RuleEntry = create_model(
        "RuleEntry",
        __base__=RuleSettings,
        __doc__="One rule: exactly one of the kinds, and what all may say.",
        **_FIELDS,
    )


class RelationEntry(Settings):
    """A column whose values are found in a column of another table."""

    column: str = Field(min_length=1, description="the column that refers", examples=["tailnum"])
    references: Reference = Field(
        description="the column referred to, with its table", examples=["main.planes.tailnum"]
    )
    name: Name | None = Field(None, description="how it is called", examples=["known_plane"])
    id: Name | None = Field(None, description="what it is known by, whatever it is called", examples=["known_plane"])
    priority: Priority | None = Field(None, strict=False, description="how much its owner cares", examples=["high"])

    @property
    def called(self) -> str:
        """Its name, or the one made of its two sides."""
        return self.name or f"{plain_name(self.column)}_in_{plain_name(parse_table_name(self.references).path[-2])}"

    def normal(self) -> Mapping[str, Any]:
        """name, column, references, priority (None: the table's)."""
        own = {key: value for key, value in self if key not in ("name", "id")}
        return {"name": self.called, **own, **known_by(self.id)}


def known_by(name: str | None) -> dict[str, str]:
    """What a normal form says of an `id`: nothing where there is none."""
    return {} if name is None else {"id": name}


def plain_name(column: str) -> str:
    """A column's name as a part of another name."""
    return re.sub(r"\W+", "_", column).strip("_") or "column"
