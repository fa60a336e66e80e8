"""The doors to data: one file an engine, all behind `Warehouse`; nothing else of daywatch imports a driver."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from monitor.errors import UsageError
from monitor.installed import entry_points

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

__all__ = ["DEFAULT_LIMITS", "GROUP", "Limits", "known_schemes", "open_warehouse"]

GROUP = "daywatch.warehouses"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a warehouse may be asked for at most.

    `statement_timeout_s` ends a single statement; `rows_max` bounds the rows any statement brings back;
    `cost_rows_max` refuses to scan a partition with more rows than that (None: no such limit). `wake_interval_s` is the
    shortest time between two polls that need an engine to compute, where computing is paid by the minute (0: no bound;
    None: not said, and the engine may set its own).
    """

    statement_timeout_s: float = 300
    rows_max: int = 1_000_000
    cost_rows_max: int | None = None
    wake_interval_s: float | None = None


DEFAULT_LIMITS = Limits()


def known_schemes() -> tuple[str, ...]:
    """The URL schemes that an installed engine answers to, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def open_warehouse(name: str, url: str, limits: Limits = DEFAULT_LIMITS) -> Warehouse:
    """Open the warehouse at `url`; the engine's driver is imported only now.

    Args:
        name: what the configuration calls it; appears in messages.
        url: `duckdb:////data/sales.duckdb`, `files:///data/lake`, or any URL whose scheme an installed engine knows.
        limits: bounds on time and rows.

    Raises:
        UsageError: the scheme is unknown, the engine's package is not installed, or nothing lies at the URL.
        SourceError: it is there but cannot be opened: locked, damaged, refused.
    """
    engine: type[Warehouse] = _load(_entry(name, url), name)
    return engine(name, url, limits)


def _entry(name: str, url: str) -> EntryPoint:
    scheme = url.split(":", 1)[0].split("+", 1)[0].lower()
    for entry in entry_points(group=GROUP):
        if entry.name == scheme and ":" in url:
            return entry
    near = difflib.get_close_matches(scheme, known_schemes(), n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    what = f"no engine for `{scheme}:`" if ":" in url else "the URL has no scheme"
    raise UsageError(what, where=f"warehouse {name}", mend=f"{meant}known are {', '.join(known_schemes())}")


def _load(entry: EntryPoint, name: str) -> type[Warehouse]:
    try:
        loaded: type[Warehouse] = entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the engine `{entry.name}` does not load: {error}",
            where=f"warehouse {name}",
            mend=f"install its packages: pip install 'daywatch[{entry.name}]'",
        ) from error
    return loaded
