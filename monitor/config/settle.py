"""What holds for one table, and who said it: its entry, defaults whose pattern matches, the defaults, or nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.config.models import (
    BACKFILL_DAYS,
    DRIFT_BACKFILL_DAYS,
    FALSE_ALERTS_PER_MONTH,
    SAMPLE_ROWS,
    Config,
    Overridable,
    PatternEntry,
    TableEntry,
)
from monitor.config.names import parse_table_name
from monitor.config.source import Loc
from monitor.types import Cadence, Priority, Watching

BUILT_IN: Mapping[str, Any] = {
    "sample_rows": SAMPLE_ROWS,
    "false_alerts_per_month": FALSE_ALERTS_PER_MONTH,
    "backfill_days": BACKFILL_DAYS,
    "drift_backfill_days": DRIFT_BACKFILL_DAYS,
    "channels": [],
    "watch": Watching.FULL,
    "show_values": False,
    "cadence": Cadence.DAY,
    "automatic": True,
    "priority": Priority.NORMAL,
    "sensitivity": "normal",
    "mode": "table",
}
ADDED_UP = frozenset({"labels", "ignore_columns"})
"""What each of them says holds, instead of the most specific alone."""
ELSEWHERE = frozenset({"name", "id", "rules", "metrics", "metrics_from", "entities", "relations"})
"""What a table's entry says besides settings."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and where in the configuration it comes from; no place: it is built in, or found in the data."""

    value: Any
    locs: tuple[Loc, ...] = ()


def settle(config: Config, index: int, path: tuple[str, ...]) -> dict[str, Setting]:
    """The settings of the table at `path` that the entry at `index` is responsible for, by key.

    The entry wins over the defaults of a pattern, those over the defaults of all tables. Of two patterns that match,
    the more specific one wins (a whole name, then the more letters that are no `*` or `?`), and of equals the later.
    Labels and columns to ignore add up.
    """
    voices = list(_voices(config, index, path))
    found = {key: _settle_one(key, voices) for key in settings_of()}
    if not found["timezone"].locs:
        found["timezone"] = Setting(config.timezone, (("timezone",),) if "timezone" in config.model_fields_set else ())
    return found


def settings_of() -> Sequence[str]:
    """The keys that a table has a setting for, in the order of documents."""
    return [key for key in TableEntry.model_fields if key not in ELSEWHERE]


def _settle_one(key: str, voices: Sequence[tuple[Loc, Overridable]]) -> Setting:
    given = [((*loc, key), getattr(voice, key)) for loc, voice in voices if key in voice.model_fields_set]
    said = [(loc, value) for loc, value in given if value is not None]
    if key in ADDED_UP:
        every = [item for _, value in said for item in value]
        return Setting(list(dict.fromkeys(every)), tuple(loc for loc, value in said if value))
    if said:
        return Setting(said[0][1], (said[0][0],))
    return Setting(BUILT_IN.get(key))


def _voices(config: Config, index: int, path: tuple[str, ...]) -> Iterator[tuple[Loc, Overridable]]:
    """Who has a say, the strongest first."""
    entry = config.tables[index]
    yield ("tables", index), entry
    warehouse = parse_table_name(entry.name).warehouse
    matching = [
        (rank, place, pattern)
        for place, pattern in enumerate(config.defaults.patterns)
        if (rank := _rank(pattern, warehouse, path)) is not None
    ]
    for _, place, pattern in sorted(matching, key=lambda found: found[:2], reverse=True):
        yield ("defaults", "patterns", place), pattern
    yield ("defaults",), config.defaults


def _rank(entry: PatternEntry, warehouse: str, path: tuple[str, ...]) -> tuple[bool, int] | None:
    """How specific the best of its patterns is that matches; None where none does."""
    names = [parse_table_name(text) for text in entry.match]
    ranks = [
        (not name.is_pattern, sum(len(part.replace("*", "").replace("?", "")) for part in name.path))
        for name in names
        if name.warehouse == warehouse and name.matches(path)
    ]
    return max(ranks, default=None)


def entry_of(config: Config, warehouse: str, path: tuple[str, ...]) -> int | None:
    """The place of the entry that is responsible for a table: its own, or the first pattern that names it."""
    names = [parse_table_name(entry.name) for entry in config.tables]
    mine = [i for i, name in enumerate(names) if name.warehouse == warehouse and name.matches(path)]
    own = [i for i in mine if not names[i].is_pattern]
    return next(iter(own or mine), None)
