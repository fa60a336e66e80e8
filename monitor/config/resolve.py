"""From entries and patterns to the tables of the warehouses, ready to be run."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitor.config.claims import Claim, Listings, Path, Warn, claim_tables, keep_only, parse_only
from monitor.config.lookup import Misses, look_up, look_up_references, paths_of
from monitor.config.models import Config
from monitor.config.names import write_table_name
from monitor.config.routes import routes_of
from monitor.config.settle import Setting, settle
from monitor.config.source import Source
from monitor.errors import DaywatchError, SourceError, UnavailableError, UsageError
from monitor.types import Column, Priority, Table, TimeColumn, Watching

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

NAMED_HIGH = 8
"""Rules, metrics, entities, relations, labels and an owner: from so many together a table matters much to somebody."""
_log = logging.getLogger(__name__)


def open_warehouses(config: Config, names: Collection[str] | None = None) -> dict[str, Warehouse]:
    """Open the warehouses of a configuration, or those of them that are named.

    Raises:
        UsageError: a warehouse's address is wrong.
        SourceError: a warehouse cannot be reached.
    """
    return {name: open_one(config, name) for name in config.warehouses if names is None or name in names}


def open_one(config: Config, name: str) -> Warehouse:
    """Open one warehouse of a configuration; raises as `open_warehouses` does."""
    from monitor.warehouses import Limits, open_warehouse  # noqa: PLC0415 - loads drivers

    entry = config.warehouses[name]
    limits = Limits(
        statement_timeout_s=entry.statement_timeout_s,
        rows_max=entry.rows_max,
        cost_rows_max=entry.cost_rows_max,
        wake_interval_s=entry.wake_interval_s,
    )
    return open_warehouse(name, entry.url.get_secret_value(), limits)


def resolve_tables(
    config: Config,
    warehouses: Mapping[str, Warehouse],
    only: Sequence[str] | None = None,
    warn: Warn = _log.warning,
    of: Collection[str] | None = None,
) -> list[Table]:
    """Look up the tables a configuration names, in the file's order.

    An entry with an exact name wins over patterns, and among patterns the first. What an entry does not say of its
    time column, cadence and key is discovered from the data; a table in which no time column is found has
    `time=None`.

    Args:
        config: the configuration.
        warehouses: the open warehouses by name; those that `only` does not touch may be missing.
        only: names or patterns of tables to keep; all by default.
        warn: told what is odd but no error: a pattern without a table, a table of a pattern without a column.
        of: names of the warehouses whose tables are wanted; all by default.

    Raises:
        UsageError: a table or column named does not exist, or `only` names none; each with its line.
        SourceError: a warehouse cannot answer.
    """
    source = replace(config.source, problems=[])
    listings = Listings(warehouses)
    wanted = None if only is None else [parse_only(name) for name in only]
    claims = claim_tables(config, listings, source, warn, wanted, of)
    if only is not None:
        claims = keep_only(claims, only, config)
    source.fail()
    tables = [table for claim in claims for table in _resolve(claim, config, listings, source, warn)]
    source.fail()
    return tables


def _resolve(claim: Claim, config: Config, listings: Listings, source: Source, warn: Warn) -> Iterator[Table]:
    misses = Misses(claim)
    looked_up = []
    for path, columns in _columns(claim, listings, warn):
        table = write_table_name(claim.name.warehouse, path)
        look_up(claim, config, table, columns, misses)
        look_up_references(claim, table, listings, misses)
        looked_up.append((path, table, columns))
    before = len(source.problems)
    misses.tell(source, warn)
    if len(source.problems) > before:
        return
    for path, table, columns in looked_up:
        try:
            resolved = _build(claim, config, path, table, columns, misses, listings)
            resolved = _with_read_metrics(resolved, claim, config, source, warn)
            cadence = settle(config, claim.index, path)["cadence"]
            fixed, whole = bool(cadence.locs), claim.entry.mode == "snapshot"
            yield _fill(resolved, listings, warn, fixed=fixed, whole=whole)
        except UsageError as error:
            key = "where" if error.culprit and error.culprit == claim.entry.where else "time_column"
            source.problem((*claim.loc, key), f"{table}: {error.what}{'; ' + error.mend if error.mend else ''}")


def _with_read_metrics(table: Table, claim: Claim, config: Config, source: Source, warn: Warn) -> Table:
    """The table with the metrics that files of dbt's semantic layer define for it; those written here win."""
    given = claim.entry.metrics_from
    if not given:
        return table
    from monitor.config.metricflow import read_metrics  # noqa: PLC0415 - few configurations name such files

    known = {metric["name"] for metric in table.metrics}
    found: dict[str, Mapping[str, Any]] = {}
    for name in [given] if isinstance(given, str) else given:
        try:
            entries = read_metrics(config.folder / name, table.path[-1], warn)
        except UsageError as error:
            source.problem((*claim.loc, "metrics_from"), str(error))
            continue
        found |= {entry.called: entry.normal() for entry in entries if entry.called not in known}
    if not found:
        warn(f"{table.name}: metrics_from defines no metric of this table")
    return replace(table, metrics=(*table.metrics, *found.values()))


def _columns(claim: Claim, listings: Listings, warn: Warn) -> Iterator[tuple[Path, tuple[Column, ...]]]:
    """The columns of each table; one of a pattern that cannot be read (a broken view) is left out with a warning."""
    for path in claim.paths:
        try:
            yield path, listings.columns(claim.name.warehouse, path)
        except DaywatchError as error:
            if not claim.name.is_pattern or isinstance(error, UnavailableError):
                raise
            warn(f"{write_table_name(claim.name.warehouse, path)} is left out: {error}")


def _build(
    claim: Claim,
    config: Config,
    path: Path,
    name: str,
    columns: tuple[Column, ...],
    misses: Misses,
    listings: Listings,
) -> Table:
    """The table with what the entry, the defaults and daywatch itself say; time and key are filled in after."""
    columns = (*columns, *paths_of(claim.entry, config, claim, columns))
    entry, known = claim.entry, {column.name for column in columns}
    settled = {key: setting.value for key, setting in settle(config, claim.index, path).items()}

    def kept(key: str) -> tuple[Mapping[str, Any], ...]:
        items = enumerate(getattr(entry, key))
        return tuple(
            _weighed(item, settled["sensitivity"]) for i, item in items if not misses.at((*claim.loc, key, i), name)
        )

    has_key = entry.key is not None and not misses.at((*claim.loc, "key"), name)
    where = None if misses.at((*claim.loc, "where"), name) else entry.where
    return Table(
        name=name,
        warehouse=claim.name.warehouse,
        path=path,
        columns=columns,
        time=_time(claim, path, name, misses, listings, settled["time_column"]),
        cadence=settled["cadence"],
        timezone=settled["timezone"],
        where=where,
        key=tuple(entry.key or ()) if has_key else (),
        ignore_columns=frozenset(settled["ignore_columns"]) & known,
        due=settled["due"],
        sample_rows=settled["sample_rows"],
        false_alerts_per_month=settled["false_alerts_per_month"],
        backfill_days=settled["backfill_days"],
        drift_backfill_days=settled["drift_backfill_days"],
        automatic=settled["automatic"],
        watch=settled["watch"],
        show_values=settled["show_values"],
        owner=settled["owner"],
        labels=tuple(settled["labels"]),
        channels=tuple(settled["channels"]),
        priority=_priority(claim, settle(config, claim.index, path), settled),
        country=settled["country"],
        metrics=kept("metrics"),
        rules=kept("rules"),
        entities=kept("entities"),
        relations=kept("relations"),
        dialect=listings.open(claim.name.warehouse).dialect,
        routes=routes_of(config.routes, claim.name.warehouse, path, settled["labels"], settled["owner"]),
    )


def _priority(claim: Claim, settings: Mapping[str, Setting], settled: Mapping[str, Any]) -> Priority:
    """The priority that was set, or the one that follows from how much the table is used and named."""
    priority: Priority = settled["priority"]
    if settings["priority"].locs:
        return priority
    entry = claim.entry
    written = len(entry.rules) + len(entry.metrics) + len(entry.entities) + len(entry.relations)
    told = written + len(settled["labels"]) + bool(settled["owner"]) + bool(entry.metrics_from)
    if told >= NAMED_HIGH:
        return Priority.HIGH
    return Priority.LOW if not told and settled["watch"] is Watching.LIGHT and claim.name.is_pattern else priority


def _weighed(item: Any, sensitivity: str) -> Mapping[str, Any]:
    """The normal form of a rule, metric, entity or relation, as sensitive as the table where it does not say."""
    normal: Mapping[str, Any] = item.normal()
    if "sensitivity" in normal and "sensitivity" not in item.model_fields_set:
        return {**normal, "sensitivity": sensitivity}
    return normal


def _time(
    claim: Claim, path: Path, name: str, misses: Misses, listings: Listings, column: str | None
) -> TimeColumn | None:
    """The time column that the configuration names; the one of a pattern's defaults only where the table has it."""
    own = claim.entry.time_column is not None
    if claim.entry.mode == "snapshot":
        return None
    if column is None or (own and misses.at((*claim.loc, "time_column"), name)):
        return None
    if not own and column not in [item.name for item in listings.columns(claim.name.warehouse, path)]:
        return None
    form = listings.open(claim.name.warehouse).time_form(path, column, claim.entry.time_unit)
    return TimeColumn(column, form)


def _fill(table: Table, listings: Listings, warn: Warn, *, fixed: bool, whole: bool) -> Table:
    """Discover what the entry leaves open: time column with its cadence unless that is `fixed`, and key.

    A table that is to be looked at as a `whole` gets no time column.

    Where looking fails (a limit, a time-out), a warning says so and the table goes on with what is known.
    """
    from monitor.discover import find_keys, find_time  # noqa: PLC0415 - loads pandas

    warehouse = listings.open(table.warehouse)
    try:
        if table.time is None and not whole:
            found = find_time(warehouse, table)
            if found is not None:
                cadence = table.cadence if fixed else found.cadence
                table = replace(table, time=TimeColumn(found.column, found.form), cadence=cadence)
        if not table.key and (table.time is not None or (table.automatic and table.watch is Watching.FULL)):
            keys = find_keys(warehouse, table)
            table = replace(table, key=keys[0] if keys else ())
    except UnavailableError:
        raise
    except SourceError as error:
        missing = "time column" if table.time is None else "key"
        warn(f"{table.name}: no {missing} was found by looking, name it in the configuration: {error}")
    return table
