"""The columns that an entry names, looked up in the tables it is responsible for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from checks.rules import Rule
from monitor.config.claims import Claim, Listings, Warn, meant_table
from monitor.config.crosscheck import dialect_of
from monitor.config.models import Config, TableEntry
from monitor.config.names import parse_table_name, write_table_name
from monitor.config.source import Loc, Source
from monitor.config.sql import Fragment, FragmentError, columns_in, parse_fragment
from monitor.config.suggest import did_you_mean
from monitor.nested import paths_named
from monitor.types import Column, ColumnKind

_PSEUDO_COLUMNS = frozenset({"rowid", "filename", "file_row_number", "ctid"})
_FRAGMENTS: tuple[Fragment, ...] = ("condition", "aggregate")


@dataclass
class Misses:
    """Columns an entry names that a table does not have.

    Of an exact name each is an error. Of a pattern it is one only if no table of it has the column: the table that
    lacks it is watched without what needs the column, and a warning says so.
    """

    claim: Claim
    found: dict[Loc, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, loc: Loc, table: str, text: str) -> None:
        """Note that `table` lacks what `loc` names."""
        self.found.setdefault(loc, []).append((table, text))

    def at(self, loc: Loc, table: str) -> bool:
        """Whether something at `loc` or inside it is missing in `table`."""
        return any(
            name == table for where, misses in self.found.items() if where[: len(loc)] == loc for name, _ in misses
        )

    def tell(self, source: Source, warn: Warn) -> None:
        """Make errors and warnings of what was noted."""
        for loc, misses in self.found.items():
            if not self.claim.name.is_pattern or len(misses) == self.claim.total:
                source.problem(loc, misses[0][1])
                continue
            for _, text in misses:
                warn(source.scrub(f"{source.spot(loc)}: {text}; the table is watched without this"))


def look_up(claim: Claim, config: Config, table: str, columns: tuple[Column, ...], misses: Misses) -> None:
    """Note each column that the entry names and the table has not."""
    known = [column.name for column in (*columns, *paths_of(claim.entry, config, claim, columns))]
    for loc, name in _named_columns(claim.entry, claim.loc):
        if name not in known:
            misses.add(loc, table, f"no column {name} in {table}{did_you_mean(name, known)}")
    dialect = dialect_of(config.warehouses[claim.name.warehouse].url.get_secret_value())
    folded = {name.casefold() for name in known} | _PSEUDO_COLUMNS
    for loc, text in _fragments(claim.entry, claim.loc):
        for name, quoted in _columns_of(text, dialect):
            if name.casefold() not in folded:
                text_mend = f"; a text stands in single quotes: '{name}'" if quoted else ""
                misses.add(loc, table, f"no column {name} in {table}{did_you_mean(name, known) or text_mend}")
    unit, kinds = claim.entry.time_unit, {column.name: column.kind for column in columns}
    time = claim.entry.time_column
    if unit and time in kinds and kinds[time] is not ColumnKind.NUMBER:
        misses.add((*claim.loc, "time_unit"), table, f"time_unit is for numbers, and {time} holds {kinds[time]}s")


def paths_of(entry: TableEntry, config: Config, claim: Claim, columns: tuple[Column, ...]) -> list[Column]:
    """The paths inside of nested columns that an entry names; whether they are there, the data says."""
    dialect = dialect_of(config.warehouses[claim.name.warehouse].url.get_secret_value())
    names = [name for _, name in _named_columns(entry, claim.loc)]
    for _, text in _fragments(entry, claim.loc):
        names += [name for name, quoted in _columns_of(text, dialect) if quoted]
    return paths_named(names, columns)


def _named_columns(entry: TableEntry, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if entry.time_column:
        yield (*loc, "time_column"), entry.time_column
    yield from (((*loc, "key", i), name) for i, name in enumerate(entry.key or ()))
    yield from (((*loc, "ignore_columns", i), name) for i, name in enumerate(entry.ignore_columns))
    for i, rule in enumerate(entry.rules):
        yield from (((*loc, "rules", i, rule.kind), name) for name in rule.named_columns)
    for i, metric in enumerate(entry.metrics):
        yield from (((*loc, "metrics", i, "by"), name) for name in metric.by or ())
        yield from (((*loc, "metrics", i, key), name) for key, name in metric.columns)
    yield from (((*loc, "entities", i, "entity"), item.entity) for i, item in enumerate(entry.entities))
    yield from (((*loc, "relations", i, "column"), item.column) for i, item in enumerate(entry.relations))


def _fragments(entry: TableEntry, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if entry.where:
        yield (*loc, "where"), entry.where
    for i, rule in enumerate(entry.rules):
        plain = rule.body.plain
        own = [(() if key == plain else (key,), text) for key, text, here in rule.fragments() if here]
        yield from (((*loc, "rules", i, rule.kind, *key), text) for key, text in own)
        if rule.where:
            yield (*loc, "rules", i, "where"), rule.where
    for i, metric in enumerate(entry.metrics):
        if metric.sql is not None:
            yield (*loc, "metrics", i, "sql"), metric.sql
        if metric.ratio is not None:
            yield (*loc, "metrics", i, "ratio", "of"), metric.ratio.of
            yield (*loc, "metrics", i, "ratio", "to"), metric.ratio.to
        if metric.where:
            yield (*loc, "metrics", i, "where"), metric.where
    for i, item in enumerate(entry.entities):
        yield (*loc, "entities", i, "statistic"), item.statistic
        if item.where:
            yield (*loc, "entities", i, "where"), item.where


def _columns_of(text: str, dialect: str) -> list[tuple[str, bool]]:
    for fragment in _FRAGMENTS:
        try:
            return columns_in(parse_fragment(text, fragment, dialect))
        except FragmentError:
            continue
    return []


def look_up_references(claim: Claim, table: str, listings: Listings, misses: Misses) -> None:
    """Note each relation, and each rule, whose other side does not exist."""
    for i, rule in enumerate(claim.entry.rules):
        for name in rule.body.tables:
            loc: Loc = (*claim.loc, "rules", i, rule.kind)
            _look_up_other(claim, rule.body, name, (table, loc), listings, misses)
    for i, relation in enumerate(claim.entry.relations):
        loc = (*claim.loc, "relations", i, "references")
        target = parse_table_name(relation.references)
        *parts, column = target.path
        path, paths = tuple(parts), listings.tables(target.warehouse)
        name = write_table_name(target.warehouse, path)
        if path not in paths:
            misses.add(loc, table, f"no table {name} in the warehouse{meant_table(name, target.warehouse, paths)}")
            continue
        known = [item.name for item in listings.columns(target.warehouse, path)]
        if column not in known:
            misses.add(loc, table, f"no column {column} in {name}{did_you_mean(column, known)}")


def _look_up_other(
    claim: Claim, rule: Rule, name: str, at: tuple[str, Loc], listings: Listings, misses: Misses
) -> None:
    """Note a table that a rule names and that does not exist, or whose columns do not."""
    table, loc = at
    try:
        target = parse_table_name(name)
    except ValueError as error:
        misses.add(loc, table, f"{error}; wanted warehouse.table, such as main.planes")
        return
    if not rule.crosses and target.warehouse != claim.name.warehouse:
        misses.add(
            loc, table, f"{rule.kind} looks into its own warehouse, {claim.name.warehouse}; reconcile crosses them"
        )
        return
    if target.warehouse not in listings.warehouses:
        return  # it is not open now, and is looked into when it is asked
    paths = listings.tables(target.warehouse)
    if target.path not in paths:
        misses.add(loc, table, f"no table {name} in the warehouse{meant_table(name, target.warehouse, paths)}")
        return
    known = [item.name for item in listings.columns(target.warehouse, target.path)]
    for column in rule.other_columns:
        if column not in known:
            misses.add(loc, table, f"no column {column} in {name}{did_you_mean(column, known)}")
