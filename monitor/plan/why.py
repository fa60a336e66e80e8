"""Where each setting of a table comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.config.settle import entry_of, settle
from monitor.plan.declared import FAMILIES

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.config.source import Loc
    from monitor.types import Table

BUILT_IN = "built in"
FOUND = "found in the data"


@dataclass(frozen=True, slots=True)
class Reason:
    """One setting of a table: its value, and who says so, as files and lines, `built in` or `found in the data`."""

    key: str
    value: Any
    origins: tuple[str, ...]


def reasons(config: Config, table: Table) -> list[Reason]:
    """Every setting of a table, then its checks."""
    index = entry_of(config, table.warehouse, table.path)
    if index is None:
        return []
    loc: Loc = ("tables", index)
    told = [Reason("entry", config.tables[index].name, (config.source.spot((*loc, "name")),))]
    for key, setting in settle(config, index, table.path).items():
        value, origins = setting.value, tuple(_origin(config, place) for place in setting.locs)
        found = _found(table, key, value) if not origins or key == "time_column" else None
        if found is not None and found != value:
            value, origins = found, (FOUND,)
        if value is None and not origins:
            continue
        told.append(Reason(key, value, origins or (BUILT_IN,)))
    entry = config.tables[index]
    for family, key in FAMILIES.items():
        for i, item in enumerate(getattr(entry, key)):
            told.append(Reason(f"{family}.{item.called}", None, (config.source.spot((*loc, key, i)),)))
    return told


def _found(table: Table, key: str, value: Any) -> Any:
    """What the table has got by looking, where the configuration says nothing of it."""
    found: dict[str, Any] = {
        "time_column": table.time.name if table.time else None,
        "cadence": table.cadence,
        "key": list(table.key) or None,
    }
    return found.get(key, value)


def _origin(config: Config, loc: Loc) -> str:
    """The file and line, and which defaults they are."""
    spot = config.source.spot(loc)
    if loc[:2] == ("defaults", "patterns"):
        pattern = config.defaults.patterns[int(loc[2])]
        return f"{spot} (defaults of {', '.join(pattern.match)})"
    if loc[0] == "defaults":
        return f"{spot} (defaults)"
    return f"{spot} (of all tables)" if loc == ("timezone",) else spot
