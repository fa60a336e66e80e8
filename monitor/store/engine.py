"""Opening the store's database, and saying what is wrong with it in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from monitor.errors import DaywatchError, StoreError, UsageError, mask_secrets

BUSY_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 10
_BEGIN = "daywatch_begin"
_EXAMPLES = "write sqlite:///daywatch.db or postgresql+psycopg://user@host/database"


def parse_url(url: str) -> URL:
    """The store's URL, checked.

    Raises:
        UsageError: it is no URL, or of an engine that the store does not run on.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its own words may repeat the URL, password included
        raise UsageError("the store's URL cannot be read", where="store", mend=_EXAMPLES) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise UsageError(f"the store runs on SQLite or PostgreSQL, not on {backend}", where="store", mend=_EXAMPLES)
    return parsed


def shown(url: URL) -> str:
    """The URL without its password, which may also stand among its options."""
    return mask_secrets(url.render_as_string(hide_password=True))


def place(url: URL) -> str:
    """Where an error happened, for its message."""
    return f"store {shown(url)}"


def file_of(url: URL) -> Path | None:
    """The SQLite file behind the URL; None for a database in memory or on a server."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return None if str(url.database).startswith("file:") else Path(str(url.database))


def create_folder(url: URL) -> None:
    """Make the folder of a SQLite file; StoreError where that cannot be."""
    path = file_of(url)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} cannot be made: {error.strerror}",
            where=place(url),
            mend="name a place that may be written to",
        ) from error


def connect(url: URL, *, read_only: bool) -> Engine:
    """An engine for the store; nothing is opened yet.

    Transactions are begun by hand: Python's driver would begin them late and take the write lock later still, so
    that two writers who have both read would end in an error that no waiting can mend.

    Raises:
        UsageError: the driver for this URL is not installed.
    """
    try:
        if url.get_backend_name() == "sqlite":
            return _connect_sqlite(url, read_only=read_only)
        return create_engine(
            url,
            hide_parameters=True,  # values of a record never appear in an error
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
            execution_options={"postgresql_readonly": True} if read_only else {},
        )
    except (ImportError, NoSuchModuleError):
        raise UsageError(
            f"the driver for {url.drivername} is not installed",
            where=place(url),
            mend="pip install 'daywatch[postgres]' and write postgresql+psycopg://...",
        ) from None


def _connect_sqlite(url: URL, *, read_only: bool) -> Engine:
    path = file_of(url)
    if path is not None and read_only:
        url = url.set(database=f"{path.absolute().as_uri()}", query={"mode": "ro", "uri": "true"})
    shared: dict[str, Any] = {"poolclass": QueuePool}
    if path is None:  # a database in memory lives as long as its one connection
        shared |= {"pool_size": 1, "max_overflow": 0}
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        execution_options={_BEGIN: "DEFERRED"},
        **shared,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options()[_BEGIN]
        if mode:
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take SQLite's write lock at once."""
    return engine.execution_options(**{_BEGIN: "IMMEDIATE"})


def outside_transactions(engine: Engine) -> Engine:
    """The same engine, whose statements stand alone (VACUUM, the journal's mode)."""
    return engine.execution_options(**{_BEGIN: "", "isolation_level": "AUTOCOMMIT"})


@contextmanager
def telling(url: URL) -> Iterator[None]:
    """Turn a database's errors into ours; those that are defects of the store (a bad statement) pass as they are."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreError("all connections are busy", where=place(url), mend="try again") from error
    except DBAPIError as error:
        told = _tell(str(error.orig), place(url), url)
        if told is None:
            raise
        raise told from error


_NOT_A_STORE = ("file is not a database", "file is encrypted", "malformed")
_SQLITE_TROUBLES = {
    "disk is full": ("the disk is full, nothing was recorded", "free some space, then run again"),
    "locked": (
        f"another process has held the store for over {BUSY_TIMEOUT_S:.0f} s",
        "wait for it, or use PostgreSQL for many workers",
    ),
    "readonly": ("the store cannot be written to", "give the user who runs daywatch the right to write there"),
    "unable to open": ("the store cannot be opened", "check that the folder exists and may be read and written"),
    "disk i/o error": ("the disk failed to read or write", "check the disk, then run again"),
    "no such": (
        "tables or columns of the store are missing, somebody has changed it",
        "restore it from a copy, or name another file under store:",
    ),
}
_SERVER_TROUBLES = {
    "read-only transaction": ("the store cannot be written to", "connect to the primary server"),
    "permission denied": (
        "this user may not write to the store",
        "grant the rights to create tables and to write",
    ),
    "no space left": ("the server's disk is full, nothing was recorded", "free some space, then run again"),
}


def _tell(message: str, where: str, url: URL) -> DaywatchError | None:
    text = message.lower()
    sqlite_file = url.get_backend_name() == "sqlite"
    if sqlite_file and any(sign in text for sign in _NOT_A_STORE):
        return UsageError(
            "this file is not a daywatch store, or it is damaged",
            where=where,
            mend="name another file under store:, or restore it from a copy",
        )
    for sign, (what, mend) in (_SQLITE_TROUBLES if sqlite_file else _SERVER_TROUBLES).items():
        if sign in text:
            return StoreError(what, where=where, mend=mend)
    if any(sign in text for sign in ("connect", "timeout", "terminat", "authentication", "resolve", "closed")):
        said = message.strip().splitlines()[0]
        if url.password:
            said = said.replace(str(url.password), "***")
        return StoreError(
            f"the store cannot be reached: {said}", where=where, mend="check the server, the user and the password"
        )
    return None


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the connection's dialect."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
