"""The tables and checks that a configuration declares, each under an id that outlives its place in the files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from monitor.alerts.routing import channels_of
from monitor.config.base import Settings
from monitor.config.metrics import EntityEntry, MetricEntry
from monitor.config.names import write_table_name
from monitor.config.rules import RelationEntry, RuleEntry
from monitor.config.settle import BUILT_IN, entry_of, settle

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.config.source import Loc
    from monitor.types import Table

TABLE = "table"
FAMILIES = {"rule": "rules", "metric": "metrics", "entity": "entities", "relation": "relations"}
"""Kinds of checks that a configuration declares, each with its key."""
_ENTRIES: dict[str, type[Settings]] = {
    "rule": RuleEntry,
    "metric": MetricEntry,
    "entity": EntityEntry,
    "relation": RelationEntry,
}
_ALWAYS = frozenset({"cadence", "timezone"})
"""Told even where they are as built in: a cadence that is said is not looked for in the data."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A table (`check` is "") or a check of it.

    `id` is `orders` or `main.orders` for a table, that and `:` and the check's own id or name for a check. `settings`
    are in JSON's own types, without what is as by default and without values of environment variables. `place` is the
    file and line; `explicit` whether the id was given.
    """

    id: str
    family: str
    table: str
    check: str
    settings: Mapping[str, Any]
    owner: str | None = None
    channels: tuple[str, ...] = ()
    place: str = field(default="", compare=False)
    explicit: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """What the store keeps of it, beside its id and names."""
        return {
            "family": self.family,
            "settings": dict(self.settings),
            "owner": self.owner,
            "channels": list(self.channels),
            "explicit": self.explicit,
        }


def declare(config: Config, tables: Sequence[Table]) -> list[Declared]:
    """What the configuration declares of the tables it was resolved to, tables before their checks."""
    return [item for table in tables for item in _declare_table(config, table)]


def default_of(family: str, key: str) -> Any:
    """The value that a setting has where nobody says it; None where there is none."""
    if family == TABLE:
        return _plain(BUILT_IN.get(key))
    known = _ENTRIES[family].model_fields.get(key)
    return _plain(known.default) if known is not None and not known.is_required() else None


def entry_defaults(family: str) -> dict[str, Any]:
    """The settings of a check that says nothing, as its normal form has them."""
    blanks: dict[str, dict[str, Any]] = {
        "rule": {"columns": (), "where": None, "tolerance": 0.0, "priority": None, "owner": None, "only_new": False},
        "metric": {"sql": "", "by": ()},
    }
    fields = {key: default_of(family, key) for key in _ENTRIES[family].model_fields} if family != "rule" else {}
    return {**fields, **blanks.get(family, {})}


def _declare_table(config: Config, table: Table) -> Iterator[Declared]:
    index = entry_of(config, table.warehouse, table.path)
    if index is None:  # resolved from another configuration
        return
    entry, veil = config.tables[index], config.source.veil
    channels, owner = tuple(map(veil, channels_of(table))), None if table.owner is None else veil(table.owner)
    name = entry.id or table.name
    settings = {
        key: setting.value
        for key, setting in settle(config, index, table.path).items()
        if (key in _ALWAYS and setting.locs) or setting.value != BUILT_IN.get(key)
    }
    loc: Loc = ("tables", index)
    shown = _told(config, TABLE, settings)
    yield Declared(name, TABLE, table.name, "", shown, owner, channels, config.source.spot(loc), entry.id)
    for family, key in FAMILIES.items():
        places = {item.called: (*loc, key, i) for i, item in enumerate(getattr(entry, key))}
        for written in getattr(table, key):
            check = f"{family}.{written['name']}"
            own = written.get("id")
            place = config.source.spot(places.get(written["name"], (*loc, "metrics_from")))
            told = _told(config, family, _flat(family, written))
            asked = told.get("owner", owner)
            yield Declared(f"{name}:{own or check}", family, table.name, check, told, asked, channels, place, own)


def _flat(family: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a check by key; those of a rule's kind under the kind's name."""
    settings = {key: value for key, value in written.items() if key not in ("name", "id", "params")}
    if family == "rule":
        kind = written["kind"]
        settings |= {kind if key == kind else f"{kind}.{key}": value for key, value in written["params"].items()}
    return settings


def _told(config: Config, family: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not as by default, as JSON has them, without secrets and without this machine's paths."""
    plain = {key: _plain(value) for key, value in settings.items()}
    kept = {
        key: value
        for key, value in plain.items()
        if value not in (None, [], {})
        and ((family == TABLE and key in _ALWAYS) or key == "kind" or value != default_of(family, key))
    }
    return {key: _veiled(config, value) for key, value in kept.items()}


def _veiled(config: Config, value: Any) -> Any:
    if isinstance(value, str):
        folder = f"{config.folder}{os.sep}"
        return config.source.veil(value.removeprefix(folder))
    if isinstance(value, dict):
        return {key: _veiled(config, part) for key, part in value.items()}
    return [_veiled(config, part) for part in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, inf_nan_mode="strings", by_alias=True)


def likely_names(item: Declared) -> list[str]:
    """Ids under which a thing with an id of its own may have been applied before it got that id."""
    if item.explicit is None:
        return []
    if item.family == TABLE:
        warehouse, *path = _split(item.table)
        return [write_table_name(warehouse, (*path[:-1], item.explicit)), item.table]
    prefix = item.id.rsplit(":", 1)[0]
    return [f"{prefix}:{item.family}.{item.explicit}", f"{prefix}:{item.check}"]


def _split(name: str) -> list[str]:
    from monitor.config.names import parse_table_name  # noqa: PLC0415 - beside it

    parsed = parse_table_name(name)
    return [parsed.warehouse, *parsed.path]
