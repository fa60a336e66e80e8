"""A folder of Parquet and CSV files, read in place by an embedded DuckDB: a table per file or per sub-folder."""

from __future__ import annotations

import datetime as dt
import glob
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import unquote

import duckdb
import sqlalchemy as sa

from monitor.errors import DaywatchError, UsageError
from monitor.types import Column
from monitor.warehouses.base import Path, StatementError
from monitor.warehouses.constructs import Expression
from monitor.warehouses.duckdb import Embedded
from monitor.warehouses.polls import TableState

_READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".csv": "read_csv",
    ".csv.gz": "read_csv",
    ".tsv": "read_csv",
    ".tsv.gz": "read_csv",
}
_ROW_COLUMNS = ("filename", "file_row_number")


@dataclass(frozen=True)
class FileTable:
    """One table of the folder: the function that reads it, and the file name or pattern it reads."""

    reader: str
    pattern: str
    many: bool

    def source(self, name: str) -> sa.FromClause:
        """The call that reads the files, under the table's name."""
        options: list[Expression] = [sa.literal_column("union_by_name = true")] if self.many else []
        call: sa.Function[object] = getattr(sa.func, self.reader)(sa.literal(self.pattern), *options)
        return call.table_valued(sa.column("column0"), name=sa.quoted_name(name, quote=True))


class Files(Embedded):
    """The tables under `files:///data/lake`.

    `flights.parquet` is the table `flights`; a sub-folder `flights/` with files of one type, at any depth, is one
    table, its columns matched by name, `key=value` folders read as columns. Files that start with `.` or `_` are left
    out. Where two would have one name, both are called by their full name, as `flights.csv`.

    Raises:
        UsageError: there is no such folder.
    """

    def _connect(self) -> duckdb.DuckDBPyConnection:
        folder = FilePath(self.url.removeprefix("files://"))
        if not folder.is_dir():
            folder = FilePath(unquote(str(folder)))
        if not folder.is_dir():
            raise UsageError(f"no folder {folder}", where=f"warehouse {self.name}", mend="correct the path in its URL")
        self._folder = folder
        self._known: dict[str, FileTable] = {}
        connection = duckdb.connect(":memory:")
        connection.execute("SET TimeZone = 'UTC'")
        return connection

    def tables(self) -> list[Path]:
        """Every file and sub-folder that can be read, sorted; new files are seen."""
        self._look()
        return sorted((name,) for name in self._known)

    def columns(self, path: Path) -> tuple[Column, ...]:
        """The columns of a table, as its files are now.

        Raises:
            UsageError: there is no such table; the message suggests one.
            SourceError: its files cannot be read.
        """
        self._look(force=path[-1])
        return super().columns(path)

    def _source(self, path: Path) -> sa.FromClause:
        if len(path) == 1 and path[0] not in self._known:
            self._look()
        if len(path) > 1 or path[0] not in self._known:
            return super()._source(path)
        return self._known[path[0]].source(path[0])

    def _identify(self, path: Path) -> Sequence[Expression] | None:
        """File and row number, which Parquet has unless columns of those names hide them."""
        found = self._known.get(path[-1])
        if found is None or found.reader != "read_parquet":
            return None
        if {column.name.lower() for column in self.columns(path)} & set(_ROW_COLUMNS):
            return None
        return [sa.literal_column(name) for name in _ROW_COLUMNS]

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        """Number, sizes and times of each table's files."""
        self._look()
        known = [(path, self._known[path[0]]) for path in paths if path[0] in self._known]
        return {path: _state_of(table) for path, table in known}

    def _look(self, force: str | None = None) -> None:
        """Make a view of every table, so that the catalog and people's own SQL know them by name."""
        with self._lock:
            found = _tables_in(self._folder)
            stale = [name for name, table in found.items() if self._known.get(name) != table or name == force]
            for name in set(self._known) - set(found):
                self._connection.execute(f"DROP VIEW IF EXISTS {self.identifier(name)}")
            self._known = found
            for name in stale:
                self._view(name, found[name], strict=name == force)

    def _view(self, name: str, table: FileTable, *, strict: bool) -> None:
        read = self.sql(sa.select(sa.literal_column("*")).select_from(table.source(name)))
        try:
            self._connection.execute(f"CREATE OR REPLACE VIEW {self.identifier(name)} AS {read}")
        except duckdb.Error as error:
            if strict:  # one damaged file does not hide the others until somebody asks for it
                raise self._unread(name, error) from error

    def _unread(self, name: str, error: duckdb.Error) -> DaywatchError:
        what = str(error).splitlines()[0]
        return StatementError(what, where=f"warehouse {self.name}: {name}", mend="check that its files are whole")


def _state_of(table: FileTable) -> TableState:
    stats = [FilePath(file).stat() for file in sorted(glob.glob(table.pattern, recursive=True))]  # noqa: PTH207 - an absolute pattern
    newest = max((s.st_mtime for s in stats), default=None)
    digest = hashlib.blake2b(repr([(s.st_mtime_ns, s.st_size) for s in stats]).encode(), digest_size=16)
    return TableState(
        bytes=sum(s.st_size for s in stats),
        altered=None if newest is None else dt.datetime.fromtimestamp(newest, dt.UTC),
        mark=digest.hexdigest(),
    )


def _tables_in(folder: FilePath) -> dict[str, FileTable]:
    named: dict[str, list[tuple[str, FileTable]]] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        table = _table_of_folder(entry) if entry.is_dir() else _table_of_file(entry)
        if table is not None:
            stem = entry.name if entry.is_dir() else entry.name.removesuffix(_suffix(entry))
            named.setdefault(stem, []).append((entry.name, table))
    unique = {stem: entries[0][1] for stem, entries in named.items() if len(entries) == 1}
    clashing = {name: table for entries in named.values() if len(entries) > 1 for name, table in entries}
    return unique | clashing


def _table_of_file(file: FilePath) -> FileTable | None:
    suffix = _suffix(file)
    return FileTable(_READERS[suffix.lower()], _escaped(str(file)), many=False) if suffix else None


def _table_of_folder(folder: FilePath) -> FileTable | None:
    """The files of the folder's commonest type; Parquet where there are as many of both."""
    suffixes = [_suffix(file) for file in folder.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
    suffixes = [suffix for suffix in suffixes if suffix]
    if not suffixes:
        return None
    suffix = max(sorted(set(suffixes)), key=lambda s: (suffixes.count(s), _READERS[s.lower()] == "read_parquet"))
    return FileTable(_READERS[suffix.lower()], f"{_escaped(str(folder))}/**/[!._]*{suffix}", many=True)


def _suffix(file: FilePath) -> str:
    """The file's ending as written, if it is one that can be read; else ''."""
    for suffix in sorted(_READERS, key=len, reverse=True):
        if file.name.lower().endswith(suffix):
            return file.name[-len(suffix) :]
    return ""


def _escaped(path: str) -> str:
    """`path` with the characters that mean something in a file pattern standing for themselves."""
    return re.sub(r"([*?\[])", r"[\1]", path)
