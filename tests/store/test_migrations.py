"""Every schema there ever was can be brought to the newest, with its data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from monitor.errors import UsageError
from monitor.store import Store
from monitor.store import migrate as steps
from monitor.store.engine import connect, for_writing, parse_url
from monitor.store.models import VERSION_TABLE, metadata

REVISIONS = steps.known_versions()


@pytest.fixture
def empty(store_url: str) -> Iterator[sa.Engine]:
    engine = connect(parse_url(store_url), read_only=False)
    yield for_writing(engine)
    engine.dispose()


def fill(connection: sa.Connection) -> None:
    """One row in each table, as the schema found there has them: made from the columns, so that it fits each."""
    reflected = sa.MetaData()
    reflected.reflect(connection)
    for table in reflected.sorted_tables:
        if table.name not in {VERSION_TABLE, "daywatch_counters"}:
            connection.execute(table.insert().values({column.name: sample(column) for column in table.columns}))


KNOWN = {
    "table_name": "main.flights",
    "partition_order": "2013-01-01T00:00:00+00:00",
    "label": "2013-01-01",
    "partition": "{}",
    "source": "run",
    "aggregates": '{"rows":842.0}',
    "scores": "{}",
    "surprises": "{}",
    "failed": "[]",
    "columns": '[["id","number","BIGINT",false]]',
    "digest": "d",
    "schema_digest": "d",
    "event": "opened",
    "action": "acknowledge",
    "status": "fail",
    "payload": "{}",
}


def sample(column: sa.Column[Any]) -> Any:
    if column.name in KNOWN:
        return KNOWN[column.name]
    if isinstance(column.type, sa.DateTime):
        return dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    if isinstance(column.type, sa.Boolean):
        return True
    if isinstance(column.type, (sa.Integer, sa.Float)):
        return 1
    return "{}"


def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    assert REVISIONS[-1] == steps.HEAD
    assert len(set(REVISIONS)) == len(REVISIONS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_each_version_is_upgraded_with_its_data(empty: sa.Engine, store_url: str, revision: str) -> None:
    with empty.begin() as connection:
        steps.upgrade(connection, revision)
        fill(connection)
    with Store.open(store_url) as store:
        (past,) = store.history("main.flights")
        assert past.values == {"rows": 842.0}
        assert past.schema is not None
        assert past.schema[0].name == "id"
        with store._engine.connect() as connection:
            assert steps.version_of(connection, store._url) == steps.HEAD


@pytest.mark.parametrize("arguments", [{"migrate": False}, {"read_only": True}])
def test_an_older_store_is_not_read_without_upgrade(
    store_url: str, arguments: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(store_url).close()
    monkeypatch.setattr(steps, "HEAD", "a later one")
    with pytest.raises(UsageError, match=rf"schema {REVISIONS[-1]}.*a later one.*upgrades it"):
        Store.open(store_url, **arguments)


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_migration_that_fails_leaves_nothing(empty: sa.Engine, store_url: str) -> None:
    def break_off(connection: sa.Connection) -> None:
        steps.upgrade(connection, "head")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError), empty.begin() as connection:
        break_off(connection)
    with empty.connect() as connection:
        assert steps.version_of(connection, parse_url(store_url)) is None
        assert sa.inspect(connection).get_table_names() == []
