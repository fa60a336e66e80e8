"""Bringing a store to the schema that this daywatch writes."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from monitor.errors import UsageError
from monitor.store.engine import BUSY_TIMEOUT_S, for_writing, outside_transactions, place
from monitor.store.models import VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0007"  # the newest revision in migrations/versions; known here so that an up-to-date store needs no Alembic
_LOCK = 7_201_530_094_211  # any number that nobody else locks in the same PostgreSQL database
_PAUSE_S = 0.02
_OWN_SCHEMA = "database, or a schema of its own (CREATE SCHEMA daywatch, and ?options=-csearch_path%3Ddaywatch)"
_ALEMBIC = threading.Lock()  # its context is a global of the process


def bring_up_to_date(engine: Engine, url: URL) -> None:
    """Create or upgrade the store; safe when several processes open the same new store at once.

    Raises:
        UsageError: written by a newer daywatch, or a database that holds something else.
    """
    with engine.connect() as connection:
        if version_of(connection, url) == HEAD:
            return
    if engine.dialect.name == "sqlite":
        _set_journal(engine)
    with for_writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        version = version_of(connection, url)  # somebody else may have been faster
        if version != HEAD:
            upgrade(connection, "head")


def check_version(engine: Engine, url: URL) -> None:
    """See that the store has the schema this daywatch reads; UsageError with the mend where it has not."""
    with engine.connect() as connection:
        version = version_of(connection, url)
    if version is None:
        raise UsageError("there is no store here yet", where=place(url), mend="`daywatch run` makes one")
    if version != HEAD:
        raise UsageError(
            f"the store has schema {version}, this daywatch reads {HEAD}",
            where=place(url),
            mend="`daywatch run` upgrades it",
        )


def version_of(connection: Connection, url: URL) -> str | None:
    """The schema revision the store is at; None where there is none yet.

    Raises:
        UsageError: the revision is unknown to this daywatch, or the database (the schema, on PostgreSQL) holds other
            tables and no store.
    """
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            server = connection.dialect.name == "postgresql"
            raise UsageError(
                f"this {'schema' if server else 'database'} is not a daywatch store: it holds the table {min(tables)}",
                where=place(url),
                mend=f"name another {_OWN_SCHEMA if server else 'file'} under store:",
            )
        return None
    version: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if version is not None and version != HEAD and version not in known_versions():
        raise UsageError(
            f"the store was written by a newer daywatch (schema {version}, this one knows up to {HEAD})",
            where=place(url),
            mend="pip install --upgrade daywatch",
        )
    return version


def known_versions() -> list[str]:
    """Every schema revision there has been, oldest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - needed only when the schema is not the newest

    script = ScriptDirectory.from_config(_configuration())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to `revision` ("head": all) in the connection's transaction."""
    from alembic import command  # noqa: PLC0415 - needed only when the schema is not the newest

    configuration = _configuration()
    configuration.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(configuration, revision)


def _configuration() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - needed only when the schema is not the newest

    configuration = Config()
    folder = str(Path(__file__).parent / "migrations")
    configuration.set_main_option("script_location", folder.replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _set_journal(engine: Engine) -> None:
    """Write-ahead logging, so that readers never wait. It is a property of the file, set once.

    SQLite does not wait for other connections here but fails at once, so two openers of a new store take turns.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            with outside_transactions(engine).connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
