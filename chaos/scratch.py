"""Where a damaged copy goes: a table, a view or a Parquet file of its own, never the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from monitor.errors import SourceError, UsageError

if TYPE_CHECKING:
    from monitor.types import Table
    from monitor.warehouses.base import Warehouse

_FILES = "files:"
_MEMORY = "duckdb:///:memory:"
_KIND = sa.text(
    "SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database() "
    "AND lower(table_schema) = lower(:schema) AND lower(table_name) = lower(:name)"
)


@dataclass(frozen=True)
class Scratch:
    """A place for a damaged copy: `name` as a person writes it, `path` inside the warehouse at `url`.

    `view`: the copy is a view, computed whenever it is read, and costs no room. `replace`: what stands there already
    may go, if it is of the same kind.
    """

    name: str
    path: tuple[str, ...]
    url: str
    default_schema: str
    view: bool = False
    replace: bool = False

    @property
    def is_file(self) -> bool:
        """Whether the copy is a Parquet file in a folder."""
        return self.url.startswith(_FILES)

    @property
    def file(self) -> Path:
        """The Parquet file of the copy."""
        return Path(self.url.removeprefix("files://")) / f"{self.path[-1]}.parquet"

    def refuse_unsafe(self, source: Table, existing: Sequence[tuple[str, ...]]) -> None:
        """Raise UsageError unless a copy of `source` may be written here, beside the tables `existing`."""
        where = f"--into {self.name}"
        if self._full(self.path) == self._full(source.path):
            raise UsageError("that is the table itself", where=where, mend="name another table: the original stays")
        if self._full(self.path) in map(self._full, existing) and not self.replace:
            mend = "choose another name, or say --replace"
            raise UsageError("there is such a table already", where=where, mend=mend)
        if self.is_file:
            self._refuse_path(where)

    def _refuse_path(self, where: str) -> None:
        if len(self.path) != 1 or "/" in self.path[0] or self.path[0].startswith((".", "_")):
            raise UsageError(
                "a copy in a folder is one file, without a schema", where=where, mend="name it WAREHOUSE.TABLE"
            )
        if self.view:
            raise UsageError("a folder has no views", where=where, mend="leave --view out")
        others = [
            entry for entry in self.file.parent.glob(f"{_globbed(self.path[0])}*") if _stem(entry) == self.path[0]
        ]
        if any(entry != self.file for entry in others):
            what = f"{others[0].name} is not a file that was written here"
            raise UsageError(what, where=where, mend="choose another name")

    def _full(self, path: tuple[str, ...]) -> tuple[str, ...]:
        full = path if len(path) > 1 or self.is_file else (self.default_schema, *path)
        return full if self.is_file else tuple(part.casefold() for part in full)

    def write(self, select: str) -> None:
        """Write the rows of `select`, all or nothing.

        Raises:
            UsageError: what stands there is of another kind, or the file cannot be replaced.
            SourceError: the warehouse refuses; it may be open for writing elsewhere.
        """
        try:
            if self.is_file:
                self._write_file(select)
            else:
                self._write_table(select)
        except SQLAlchemyError as error:
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            mend = "check that nothing else has the warehouse open, and the right to create tables in it"
            raise SourceError(told, where=f"--into {self.name}", mend=mend) from error

    def _write_file(self, select: str) -> None:
        unfinished = self.file.with_name(f".{self.file.name}.unfinished")
        path = str(unfinished).replace("'", "''")
        engine = sa.create_engine(_MEMORY)
        try:
            with engine.connect() as connection:
                connection.execute(sa.text("SET TimeZone = 'UTC'"))
                connection.execute(_statement(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"))
            unfinished.replace(self.file)
        finally:
            engine.dispose()
            unfinished.unlink(missing_ok=True)

    def _write_table(self, select: str) -> None:
        engine = sa.create_engine(self.url)
        quote = engine.dialect.identifier_preparer.quote_identifier
        schema, name = (self.path[-2] if len(self.path) > 1 else self.default_schema), self.path[-1]
        target = f"{quote(schema)}.{quote(name)}"
        kind = "VIEW" if self.view else "TABLE"
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "duckdb":
                    connection.execute(sa.text("SET TimeZone = 'UTC'"))
                found = connection.execute(_KIND, {"schema": schema, "name": name}).scalar()
                self._refuse_kind(found)
                if schema != self.default_schema:
                    connection.execute(_statement(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}"))
                connection.execute(_statement(f"DROP {kind} IF EXISTS {target}"))
                connection.execute(_statement(f"CREATE {kind} {target} AS {select}"))
        finally:
            engine.dispose()

    def _refuse_kind(self, found: str | None) -> None:
        if found is None:
            return
        if not self.replace:
            raise UsageError(
                "there is such a table already", where=f"--into {self.name}", mend="choose another name, or --replace"
            )
        if ("VIEW" in found.upper()) != self.view:
            what = f"what stands there is a {found.lower()}"
            raise UsageError(what, where=f"--into {self.name}", mend="choose another name")


def scratch_named(
    name: str, source: Table, warehouse: Warehouse, url: str, *, view: bool = False, replace: bool = False
) -> Scratch:
    """The place called `name`, in the warehouse of `source`.

    Raises:
        UsageError: it is no name of a table, or one in another warehouse.
    """
    from monitor.config.names import parse_table_name  # noqa: PLC0415 - with the configuration's models

    where = f"--into {name}"
    try:
        parsed = parse_table_name(name)
    except ValueError as error:
        raise UsageError(str(error), where=where, mend="write it as WAREHOUSE.SCHEMA.TABLE") from error
    if parsed.is_pattern:
        raise UsageError("a copy has one name, not a pattern", where=where, mend="leave * and ? out")
    if parsed.warehouse != source.warehouse:
        mend = f"begin it with {source.warehouse}."
        raise UsageError(f"the copy must be in the table's own warehouse, {source.warehouse}", where=where, mend=mend)
    schema = str(getattr(warehouse, "default_schema", "main"))
    return Scratch(name, parsed.path, url, schema, view=view, replace=replace)


def _statement(sql: str) -> sa.TextClause:
    """A finished statement as it stands: what looks like a parameter in it is none."""
    return sa.text(sql.replace(":", "\\:"))


def _globbed(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _stem(entry: Path) -> str:
    return entry.name if entry.is_dir() else entry.name.split(".")[0]
