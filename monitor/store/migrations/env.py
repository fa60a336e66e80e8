"""Alembic runs this file to run migrations; the connection, with its transaction, is handed in."""

from __future__ import annotations

from alembic import context
from alembic.config import Config

from monitor.store.models import VERSION_TABLE, metadata


def run(config: Config) -> None:
    """Run the migrations that Alembic asks for, inside the caller's transaction."""
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


try:
    configuration: Config | None = context.config
except (AttributeError, NameError):  # imported as any other module (doctest, a type checker), not run by Alembic
    configuration = None
if configuration is not None:
    run(configuration)
