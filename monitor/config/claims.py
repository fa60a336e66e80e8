"""Which entry of a configuration is responsible for which tables of the warehouses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.config.models import Config, TableEntry
from monitor.config.names import TableName, parse_table_name, write_table_name
from monitor.config.source import Loc, Source
from monitor.config.suggest import did_you_mean
from monitor.errors import UsageError
from monitor.types import Column

if TYPE_CHECKING:
    from monitor.warehouses.base import Warehouse

Path = tuple[str, ...]
Warn = Callable[[str], None]


@dataclass(frozen=True)
class Claim:
    """The tables that one entry is responsible for; `total` counts those of the whole run, `paths` may be fewer."""

    index: int
    entry: TableEntry
    name: TableName
    paths: tuple[Path, ...]
    total: int

    @property
    def loc(self) -> Loc:
        """Where the entry stands in the file."""
        return ("tables", self.index)


@dataclass
class Listings:
    """What the warehouses hold, asked once."""

    warehouses: Mapping[str, Warehouse]
    paths: dict[str, list[Path]] = field(default_factory=dict)
    seen: dict[tuple[str, Path], tuple[Column, ...]] = field(default_factory=dict)

    def tables(self, warehouse: str) -> list[Path]:
        """The paths of all tables of a warehouse, sorted."""
        if warehouse not in self.paths:
            self.paths[warehouse] = sorted(self.open(warehouse).tables())
        return self.paths[warehouse]

    def columns(self, warehouse: str, path: Path) -> tuple[Column, ...]:
        """The columns of a table."""
        if (warehouse, path) not in self.seen:
            self.seen[warehouse, path] = self.open(warehouse).columns(path)
        return self.seen[warehouse, path]

    def open(self, warehouse: str) -> Warehouse:
        """The open warehouse of that name; UsageError if it is not among those given."""
        if warehouse not in self.warehouses:
            raise UsageError(f"the warehouse {warehouse} is not open", mend="open all warehouses that tables name")
        return self.warehouses[warehouse]


def claim_tables(
    config: Config,
    listings: Listings,
    source: Source,
    warn: Warn,
    only: list[TableName] | None,
    of: Collection[str] | None = None,
) -> list[Claim]:
    """Give each table (of the warehouses `of`) to one entry: exact names first, then patterns in the file's order."""
    names = [parse_table_name(entry.name) for entry in config.tables]
    wanted = None if only is None else {name.warehouse for name in only}
    taken = {(name.warehouse, name.path) for name in names if not name.is_pattern}
    claims = []
    for index, (entry, name) in enumerate(zip(config.tables, names, strict=True)):
        if (wanted is not None and name.warehouse not in wanted) or (of is not None and name.warehouse not in of):
            continue
        if not name.is_pattern:
            if _is_selected(name, only):
                _check_exists(name, ("tables", index, "name"), listings, source)
            claims.append(Claim(index, entry, name, (name.path,), 1))
            continue
        found = [path for path in listings.tables(name.warehouse) if name.matches(path)]
        if not found:
            warn(_describe_empty(name, ("tables", index, "name"), listings, source))
        mine = tuple(path for path in found if (name.warehouse, path) not in taken)
        taken |= {(name.warehouse, path) for path in mine}
        claims.append(Claim(index, entry, name, mine, len(mine)))
    if not config.tables:
        warn(f"{source.name}: no tables are configured, so that nothing is watched; add `- name: main.*` to tables")
    return claims


def _is_selected(name: TableName, only: list[TableName] | None) -> bool:
    return only is None or any(_covers(wanted, name.warehouse, name.path) for wanted in only)


def _covers(wanted: TableName, warehouse: str, path: Path) -> bool:
    return wanted.warehouse == warehouse and wanted.matches(path)


def _check_exists(name: TableName, loc: Loc, listings: Listings, source: Source) -> None:
    paths = listings.tables(name.warehouse)
    if name.path in paths:
        return
    written = write_table_name(name.warehouse, name.path)
    source.problem(loc, f"no table {written} in the warehouse{meant_table(written, name.warehouse, paths)}")


def meant_table(written: str, warehouse: str, paths: Sequence[Path]) -> str:
    """The existing table that was probably meant, by its whole name or by its last part."""
    names = [write_table_name(warehouse, path) for path in paths]
    last = [
        full
        for full, path in zip(names, paths, strict=True)
        if path[-1].casefold() == written.rsplit(".", 1)[-1].strip('"').casefold()
    ]
    if last:
        return f"; did you mean {last[0]}?"
    return did_you_mean(written, names) or ("" if names else "; it holds no tables")


def _describe_empty(name: TableName, loc: Loc, listings: Listings, source: Source) -> str:
    place = source.place(loc)
    paths = listings.tables(name.warehouse)
    deeper = sorted({path[0] for path in paths if len(path) == len(name.path) + 1})
    mend = f"; tables of a schema are named as {name.warehouse}.{deeper[0]}.*" if deeper else ""
    folded = TableName(name.warehouse, tuple(part.casefold() for part in name.path), name.wild)
    alike = [path for path in paths if folded.matches(tuple(part.casefold() for part in path))]
    if alike:
        mend = f"; letters' case matters: there is {write_table_name(name.warehouse, alike[0])}"
    return source.scrub(f"{source.spot(loc)}: the pattern {place.raw} names no table{mend}")


def parse_only(name: str) -> TableName:
    """A name given on the command line; UsageError if it is none."""
    try:
        return parse_table_name(name)
    except ValueError as error:
        raise UsageError(f"{error}, such as main.flights", where=f"--table {name}") from None


def keep_only(claims: list[Claim], only: Sequence[str], config: Config) -> list[Claim]:
    """The claims cut down to what `only` names."""
    wanted = [parse_table_name(name) for name in only]
    for name, parsed in zip(only, wanted, strict=True):
        if parsed.warehouse not in config.warehouses:
            meant = did_you_mean(parsed.warehouse, config.warehouses)
            raise UsageError(f"{config.path} names no warehouse {parsed.warehouse}{meant}", where=f"--table {name}")
    everything = [(claim.name.warehouse, path) for claim in claims for path in claim.paths]
    for name, parsed in zip(only, wanted, strict=True):
        if not any(_covers(parsed, warehouse, path) for warehouse, path in everything):
            known = [write_table_name(warehouse, path) for warehouse, path in everything]
            raise UsageError(
                f"no such table among those that {config.path} watches{did_you_mean(name, known)}",
                where=f"--table {name}",
                mend="" if did_you_mean(name, known) else "add it to tables",
            )
    kept = []
    for claim in claims:
        paths = tuple(p for p in claim.paths if any(_covers(w, claim.name.warehouse, p) for w in wanted))
        if paths:
            kept.append(replace(claim, paths=paths))
    return kept
